// SPDX-License-Identifier: Apache-2.0
/*
 * See brute_avx2.h. Rows are taken in blocks that stay in the cache while all
 * queries of a call look at them. Needs -mavx2 -mfma.
 */
#include <immintrin.h>
#include <math.h>

#include "brute_avx2.h"

#define BLOCK_BYTES	(64 * 1024)

static float add_lanes(__m256 v)
{
	__m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
	return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

static float l2_f32(const float *a, const float *b, uint32_t dim)
{
	__m256 sum[4] = { _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
			  _mm256_setzero_ps() };
	float rest = 0;
	uint32_t i = 0;

	for (; i + 32 <= dim; i += 32)
		for (uint32_t j = 0; j < 4; j++) {
			__m256 d = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8 * j),
						 _mm256_loadu_ps(b + i + 8 * j));

			sum[j] = _mm256_fmadd_ps(d, d, sum[j]);
		}
	for (; i < dim; i++)
		rest += (a[i] - b[i]) * (a[i] - b[i]);
	return rest + add_lanes(_mm256_add_ps(_mm256_add_ps(sum[0], sum[1]),
					      _mm256_add_ps(sum[2], sum[3])));
}

static float ip_f32(const float *a, const float *b, uint32_t dim)
{
	__m256 sum[4] = { _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
			  _mm256_setzero_ps() };
	float rest = 0;
	uint32_t i = 0;

	for (; i + 32 <= dim; i += 32)
		for (uint32_t j = 0; j < 4; j++)
			sum[j] = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8 * j),
						 _mm256_loadu_ps(b + i + 8 * j), sum[j]);
	for (; i < dim; i++)
		rest += a[i] * b[i];
	return -rest - add_lanes(_mm256_add_ps(_mm256_add_ps(sum[0], sum[1]),
					       _mm256_add_ps(sum[2], sum[3])));
}

/* Exact in 32 bits up to 33,000 dimensions. */
static float l2_u8(const uint8_t *a, const uint8_t *b, uint32_t dim)
{
	__m256i sum = _mm256_setzero_si256();
	uint32_t lane[8], i = 0, rest = 0;

	for (; i + 16 <= dim; i += 16) {
		__m256i d = _mm256_sub_epi16(
			_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(a + i))),
			_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(b + i))));

		sum = _mm256_add_epi32(sum, _mm256_madd_epi16(d, d));
	}
	for (; i < dim; i++)
		rest += (a[i] - b[i]) * (a[i] - b[i]);
	_mm256_storeu_si256((__m256i *)lane, sum);
	for (i = 0; i < 8; i++)
		rest += lane[i];
	return rest;
}

static float distance(const struct brute_base *base, const void *a, const void *b)
{
	if (base->bytes)
		return l2_u8(a, b, base->dim);
	return base->inner_product ? ip_f32(a, b, base->dim) : l2_f32(a, b, base->dim);
}

/* Rows come by rising id, so an equal distance later loses. */
static void offer(struct brute_result *best, uint32_t k, uint64_t id, float value)
{
	uint32_t place = k - 1;

	for (; place > 0 && best[place - 1].distance > value; place--)
		best[place] = best[place - 1];
	best[place] = (struct brute_result){ .id = id, .distance = value };
}

void brute_avx2_search(const struct brute_base *base, const void *queries, uint32_t count,
		       uint32_t k, struct brute_result *results)
{
	size_t row_bytes = base->dim * (base->bytes ? 1 : sizeof(float));
	uint64_t block = BLOCK_BYTES / row_bytes + 1;

	for (size_t i = 0; i < (size_t)count * k; i++)
		results[i] = (struct brute_result){ .id = UINT64_MAX, .distance = INFINITY };
	for (uint64_t first = 0; first < base->rows; first += block) {
		uint64_t end = first + block < base->rows ? first + block : base->rows;

		for (uint32_t query = 0; query < count; query++) {
			const char *asked = (const char *)queries + query * row_bytes;
			struct brute_result *best = results + (size_t)query * k;

			for (uint64_t row = first; row < end; row++) {
				float value = distance(base, asked,
						       (const char *)base->data + row * row_bytes);

				if (value < best[k - 1].distance)
					offer(best, k, row, value);
			}
		}
	}
}
