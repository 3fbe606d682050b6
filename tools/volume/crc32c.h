/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C (Castagnoli) as the kernel's jbd2 uses it: bit-reflected, neither
 * the start value nor the result inverted.
 */
#ifndef VOLUME_CRC32C_H
#define VOLUME_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * crc32c() - continue a checksum
 * @crc: what came before; ~0 to begin
 * @data: the bytes
 * @bytes: how many
 *
 * Return: the checksum.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t bytes);

#endif /* VOLUME_CRC32C_H */
