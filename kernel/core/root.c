// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Square roots and quotients in integers.
 */
#include "root.h"

/* 2^15 / sqrt((i + 1/2) / 64) for i from 64 to 255, rounded. */
static const u16 reciprocal_roots[192] = {
	32641, 32391, 32146, 31907, 31673, 31445, 31221, 31002, 30787, 30577, 30371, 30169,
	29972, 29778, 29587, 29401, 29217, 29038, 28861, 28688, 28518, 28350, 28186, 28024,
	27866, 27709, 27556, 27405, 27256, 27110, 26966, 26825, 26686, 26548, 26413, 26280,
	26149, 26020, 25893, 25767, 25644, 25522, 25402, 25283, 25167, 25051, 24938, 24826,
	24715, 24606, 24498, 24392, 24287, 24184, 24081, 23980, 23881, 23782, 23685, 23589,
	23494, 23400, 23307, 23216, 23125, 23036, 22947, 22860, 22774, 22688, 22604, 22520,
	22437, 22356, 22275, 22195, 22116, 22037, 21960, 21883, 21808, 21732, 21658, 21585,
	21512, 21440, 21368, 21298, 21228, 21159, 21090, 21022, 20955, 20888, 20822, 20757,
	20692, 20628, 20564, 20501, 20439, 20377, 20316, 20255, 20195, 20135, 20076, 20017,
	19959, 19902, 19845, 19788, 19732, 19676, 19621, 19566, 19512, 19458, 19405, 19352,
	19299, 19247, 19196, 19144, 19093, 19043, 18993, 18943, 18894, 18845, 18797, 18749,
	18701, 18653, 18606, 18560, 18513, 18467, 18422, 18376, 18331, 18287, 18242, 18198,
	18155, 18111, 18068, 18025, 17983, 17941, 17899, 17857, 17816, 17775, 17734, 17694,
	17654, 17614, 17574, 17535, 17496, 17457, 17418, 17380, 17342, 17304, 17267, 17229,
	17192, 17155, 17119, 17082, 17046, 17010, 16974, 16939, 16904, 16869, 16834, 16799,
	16765, 16731, 16697, 16663, 16629, 16596, 16563, 16530, 16497, 16465, 16432, 16400,
};

static u64 high_product(u64 a, u64 b)
{
	return (u64)((vex_u128)a * b >> 64);
}

struct vex_root vex_root_reciprocal(vex_u128 value)
{
	struct vex_root root;
	/* An even exponent e for which value = m * 2^e, 2^62 <= m < 2^64. */
	s32 e = ((s32)vex_bits128(value) - 63) & ~1;
	u64 m = e < 0 ? (u64)value << -e : (u64)(value >> e);
	u64 r = (u64)reciprocal_roots[(m >> 56) - 64] << 48;
	u32 i;

	/* r' = r (3 - m r^2) / 2; m is in units of 2^-62 and r of 2^-63. */
	for (i = 0; i < 3; i++) {
		u64 t = (u64)((vex_u128)high_product(r, r) * m >> 62);

		r = (u64)((vex_u128)r * (3 * (1ull << 62) - t) >> 63);
	}
	root.mantissa = r;
	root.exponent = -63 - 31 - e / 2;
	return root;
}

/* One digit of the quotient; *rest is below divisor, before and after. */
static u64 divide_digit(u64 *rest, u32 next, u64 divisor)
{
	u64 top = divisor >> 32;
	u64 bottom = (u32)divisor;
	u64 digit = *rest / top;
	u64 left = *rest - digit * top;

	while (digit >> 32 || digit * bottom > (left << 32 | next)) {
		digit--;
		left += top;
		if (left >> 32)
			break;
	}
	*rest = (*rest << 32 | next) - digit * divisor;
	return digit;
}

u64 vex_divide(u64 high, u64 low, u64 divisor)
{
	u64 rest = high;
	u64 first = divide_digit(&rest, (u32)(low >> 32), divisor);

	return first << 32 | divide_digit(&rest, (u32)low, divisor);
}

u64 vex_square_root(vex_u128 value)
{
	u64 root = 0;
	s32 i;

	for (i = ((s32)vex_bits128(value) - 1) / 2; i >= 0; i--) {
		u64 next = root | 1ull << i;

		if ((vex_u128)next * next <= value)
			root = next;
	}
	return root;
}
