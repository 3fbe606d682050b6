// SPDX-License-Identifier: Apache-2.0
/*
 * CRC-32C by a table of 256 words that is computed when it is first needed.
 */
#include "crc32c.h"

#define CRC32C_POLYNOMIAL 0x82f63b78U

static uint32_t table[256];

static void fill_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
		table[i] = crc;
	}
}

uint32_t crc32c(uint32_t crc, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	if (!table[1])
		fill_table();
	while (bytes--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return crc;
}
