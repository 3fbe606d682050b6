/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements of rows one by one: their values, and converting rows of one type to
 * another.
 */
#ifndef VEXFS_ELEMENT_H
#define VEXFS_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"

/**
 * element_value - the value of an element
 * @element: enum vexfs_element
 * @row: the row
 * @index: which element of it
 *
 * Return: the value, exactly.
 */
double element_value(unsigned int element, const void *row, uint64_t index);

/**
 * element_text - an element as text, with as few digits as tell it from others
 * @element: enum vexfs_element
 * @row: the row
 * @index: which element of it
 * @text: room for NUMBER_TEXT_MAX bytes
 *
 * Return: @text.
 */
char *element_text(unsigned int element, const void *row, uint64_t index, char *text);

/**
 * element_json - a row as a JSON array
 * @json: the writer
 * @element: enum vexfs_element
 * @row: the row
 * @dim: its elements
 */
void element_json(struct json *json, unsigned int element, const void *row, uint32_t dim);

/**
 * element_convert - elements of one type as another
 * @from: enum vexfs_element of @in
 * @to: enum vexfs_element of @out
 * @in: @count elements
 * @out: room for @count elements
 * @count: how many
 * @bad: index of the first element that cannot be converted
 *
 * To f32: exact. To f16: the nearest, ties to even; what would overflow to an
 * infinity cannot be converted. To i8 and u8: whole numbers within range only.
 * NaN and infinities stay what they are in f32 and f16.
 *
 * Return: false if an element cannot be converted.
 */
bool element_convert(unsigned int from, unsigned int to, const void *in, void *out,
		     uint64_t count, uint64_t *bad);

#endif /* VEXFS_ELEMENT_H */
