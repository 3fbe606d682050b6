// SPDX-License-Identifier: Apache-2.0
/*
 * Elements of rows; see element.h. Rows are little-endian, as is every machine
 * that this is built for.
 */
#include <math.h>
#include <string.h>

#include <vexfs.h>

#include "element.h"
#include "number.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "rows are little-endian; element.c must swap bytes on this machine"
#endif

double element_value(unsigned int element, const void *row, uint64_t index)
{
	uint16_t half;
	float value;

	switch (element) {
	case VEXFS_ELEMENT_F16:
		memcpy(&half, (const char *)row + index * 2, sizeof(half));
		return (double)half_to_float(half);
	case VEXFS_ELEMENT_I8:
		return ((const int8_t *)row)[index];
	case VEXFS_ELEMENT_U8:
		return ((const uint8_t *)row)[index];
	default:
		memcpy(&value, (const char *)row + index * 4, sizeof(value));
		return (double)value;
	}
}

char *element_text(unsigned int element, const void *row, uint64_t index, char *text)
{
	return format_float(text, (float)element_value(element, row, index));
}

void element_json(struct json *json, unsigned int element, const void *row, uint32_t dim)
{
	uint32_t i;

	json_open(json, '[');
	for (i = 0; i < dim; i++)
		json_float(json, (float)element_value(element, row, i));
	json_close(json, ']');
}

/* Stores a value as an element; false if the type cannot hold it. */
static bool store_element(unsigned int element, void *row, uint64_t index, double value)
{
	double least = element == VEXFS_ELEMENT_I8 ? -128 : 0;
	double most = element == VEXFS_ELEMENT_I8 ? 127 : 255;
	uint16_t half;
	float single;

	switch (element) {
	case VEXFS_ELEMENT_F32:
		single = (float)value;
		memcpy((char *)row + index * 4, &single, sizeof(single));
		return true;
	case VEXFS_ELEMENT_F16:
		half = double_to_half(value);
		memcpy((char *)row + index * 2, &half, sizeof(half));
		return !isfinite(value) || (half & 0x7c00) != 0x7c00;
	default:
		if (!(value >= least && value <= most) || value != floor(value))
			return false;
		((uint8_t *)row)[index] = (uint8_t)(int)value;
		return true;
	}
}

bool element_convert(unsigned int from, unsigned int to, const void *in, void *out,
		     uint64_t count, uint64_t *bad)
{
	uint64_t i;

	for (i = 0; i < count; i++) {
		if (!store_element(to, out, i, element_value(from, in, i))) {
			*bad = i;
			return false;
		}
	}
	return true;
}
