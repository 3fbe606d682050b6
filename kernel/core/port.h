/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the core needs from its surroundings, in two implementations: the
 * kernel's and a hosted C library's. It is the only file of the core that
 * includes anything from outside kernel/core and include/uapi.
 */
#ifndef VEX_PORT_H
#define VEX_PORT_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/math64.h>
#include <linux/xxhash.h>
#include <asm/barrier.h>
#if defined(CONFIG_X86) && !defined(CONFIG_UML)
#include <asm/cpufeature.h>
#endif

#define VEX_ASSERT_SIZE(type, bytes) static_assert(sizeof(type) == (bytes))
#define VEX_ASSERT_OFFSET(type, member, bytes) \
	static_assert(offsetof(type, member) == (bytes))

static inline u64 vex_xxh64(const void *data, size_t bytes, u64 seed)
{
	return xxh64(data, bytes, seed);
}

/* Seed 0, of two pieces that follow each other. */
static inline u64 vex_xxh64_two(const void *first, size_t first_bytes,
				const void *second, size_t second_bytes)
{
	struct xxh64_state state;

	xxh64_reset(&state, 0);
	xxh64_update(&state, first, first_bytes);
	xxh64_update(&state, second, second_bytes);
	return xxh64_digest(&state);
}

#else /* hosted: tools, tests, fuzzers */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <endian.h>
#include <linux/types.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#ifndef __always_inline
#endif
#define __maybe_unused __attribute__((unused))
#define __force
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define fallthrough __attribute__((fallthrough))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define U64_MAX UINT64_MAX
#define S64_MAX INT64_MAX
#define S64_MIN INT64_MIN
#define S32_MIN INT32_MIN
#define U32_MAX UINT32_MAX
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define cpu_to_le16(x) htole16(x)
#define cpu_to_le32(x) htole32(x)
#define cpu_to_le64(x) htole64(x)
#define le16_to_cpu(x) le16toh(x)
#define le32_to_cpu(x) le32toh(x)
#define le64_to_cpu(x) le64toh(x)

#ifndef EUCLEAN
#define EUCLEAN 117
#endif

static inline void le16_add_cpu(__le16 *v, u16 n)
{
	*v = cpu_to_le16(le16_to_cpu(*v) + n);
}

static inline void le32_add_cpu(__le32 *v, u32 n)
{
	*v = cpu_to_le32(le32_to_cpu(*v) + n);
}

static inline void le64_add_cpu(__le64 *v, u64 n)
{
	*v = cpu_to_le64(le64_to_cpu(*v) + n);
}

#define VEX_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), #type " is not " #bytes " bytes")
#define VEX_ASSERT_OFFSET(type, member, bytes) \
	_Static_assert(offsetof(type, member) == (bytes), \
		       #type "." #member " is not at " #bytes)

static inline u64 vex_xxh64(const void *data, size_t bytes, u64 seed)
{
	return XXH64(data, bytes, seed);
}

/* Seed 0, of two pieces that follow each other. */
static inline u64 vex_xxh64_two(const void *first, size_t first_bytes,
				const void *second, size_t second_bytes)
{
	XXH64_state_t state;

	XXH64_reset(&state, 0);
	XXH64_update(&state, first, first_bytes);
	XXH64_update(&state, second, second_bytes);
	return XXH64_digest(&state);
}

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

static inline unsigned int fls64(u64 x)
{
	return x ? 64 - (unsigned int)__builtin_clzll(x) : 0;
}

static inline unsigned int hweight64(u64 x)
{
	return (unsigned int)__builtin_popcountll(x);
}

#endif /* __KERNEL__ */

/*
 * Bits that are set. One instruction in files that are compiled with -mpopcnt,
 * which may run only where vex_has_popcnt() says so.
 */
#ifdef __POPCNT__
#define vex_popcount(x) ((u64)__builtin_popcountll(x))
#else
static inline u64 vex_popcount(u64 x)
{
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return x * 0x0101010101010101ull >> 56;
}
#endif

/**
 * vex_has_popcnt - has the processor the population count instruction?
 *
 * Slow where it asks the processor; the answer never changes.
 *
 * Return: true if it has.
 */
static inline bool vex_has_popcnt(void)
{
#if defined(__KERNEL__) && defined(CONFIG_X86) && !defined(CONFIG_UML)
	return boot_cpu_has(X86_FEATURE_POPCNT);
#elif defined(__x86_64__)
	u32 leaf = 1, ebx, features = 0, edx;

	asm volatile("cpuid"
		     : "+a" (leaf), "=b" (ebx), "+c" (features), "=d" (edx));
	return features >> 23 & 1;
#else
	return false;
#endif
}

/* Keeps large frames from adding up to a larger one. */
#define VEX_NOINLINE __attribute__((__noinline__))

/* Unaligned little-endian loads and stores that compile to one move on x86. */
static inline u32 vex_load_le16(const void *p)
{
	__le16 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return le16_to_cpu(v);
}

static inline u32 vex_load_le32(const void *p)
{
	__le32 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return le32_to_cpu(v);
}

static inline u64 vex_load_le64(const void *p)
{
	__le64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return le64_to_cpu(v);
}

static inline bool vex_is_zero(const void *data, size_t bytes)
{
	const u8 *p = data;
	u64 word;

	for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		if (word)
			return false;
		p += sizeof(word);
	}
	while (bytes--)
		if (*p++)
			return false;
	return true;
}

#endif /* VEX_PORT_H */
