// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Wide integers: digits of 32 bits, schoolbook arithmetic. Numbers are at
 * most a few hundred digits long and only decisions need them.
 */
#include "wide.h"

int vex_wide_magnitude(const struct vex_wide *wide, u32 *digits)
{
	s64 carry = 0;
	bool zero = true;
	u32 i;

	for (i = 0; i < VEX_WIDE_DIGITS; i++) {
		s64 sum = wide->digit[i] + carry;

		digits[i] = (u32)sum;
		carry = sum >> 32;
		zero &= !digits[i];
	}
	if (carry >= 0)
		return !zero;
	carry = 1;
	for (i = 0; i < VEX_WIDE_DIGITS; i++) {
		carry += (u32)~digits[i];
		digits[i] = (u32)carry;
		carry >>= 32;
	}
	return -1;
}

u32 vex_natural_length(const u32 *digits, u32 count)
{
	while (count && !digits[count - 1])
		count--;
	return count;
}

int vex_natural_compare(const u32 *a, u32 a_count, const u32 *b, u32 b_count)
{
	u32 count = vex_natural_length(a, a_count);
	u32 other = vex_natural_length(b, b_count);

	if (count != other)
		return count < other ? -1 : 1;
	while (count--)
		if (a[count] != b[count])
			return a[count] < b[count] ? -1 : 1;
	return 0;
}

void vex_natural_multiply(u32 *out, const u32 *a, u32 a_count, const u32 *b,
			  u32 b_count)
{
	u32 i, j;

	memset(out, 0, (a_count + b_count) * sizeof(*out));
	for (i = 0; i < a_count; i++) {
		u64 carry = 0;

		if (!a[i])
			continue;
		for (j = 0; j < b_count; j++) {
			carry += (u64)a[i] * b[j] + out[i + j];
			out[i + j] = (u32)carry;
			carry >>= 32;
		}
		out[i + j] = (u32)carry;
	}
}

void vex_natural_subtract(u32 *a, const u32 *b, u32 count)
{
	s64 carry = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		carry += (s64)a[i] - b[i];
		a[i] = (u32)carry;
		carry >>= 32;
	}
}

u64 vex_natural_top(const u32 *digits, u32 count, s32 *exponent, bool *rest)
{
	u32 length = vex_natural_length(digits, count);
	u32 shift, i;
	u64 top;
	u32 next;

	*exponent = 0;
	if (rest)
		*rest = false;
	if (!length)
		return 0;
	top = (u64)digits[length - 1] << 32 | (length > 1 ? digits[length - 2] : 0);
	next = length > 2 ? digits[length - 3] : 0;
	shift = 64 - fls64(top);
	*exponent = 32 * ((s32)length - 2) - (s32)shift;
	if (shift)
		top = top << shift | next >> (32 - shift);
	if (rest) {
		*rest = (u32)((u64)next << shift);
		for (i = 0; i + 3 < length && !*rest; i++)
			*rest = digits[i];
	}
	return top;
}
