/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON: values one after the other, commas put where they belong. An
 * object a line, so that what is printed is JSON lines.
 */
#ifndef VEXFS_JSON_H
#define VEXFS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - where JSON is written to
 * @out: the file
 * @comma: does the next key or element need a comma before it
 */
struct json {
	FILE *out;
	bool comma;
};

/**
 * json_open - begin an object or an array
 * @json: the writer
 * @bracket: '{' or '['
 */
void json_open(struct json *json, char bracket);

/**
 * json_close - end an object or an array
 * @json: the writer
 * @bracket: '}' or ']'
 */
void json_close(struct json *json, char bracket);

/**
 * json_end_line - end a line after a complete value
 * @json: the writer
 */
void json_end_line(struct json *json);

/**
 * json_key - the name of the value that comes next
 * @json: the writer
 * @key: the name
 */
void json_key(struct json *json, const char *key);

/**
 * json_text - a string
 * @json: the writer
 * @text: any bytes; those that are not UTF-8 become U+FFFD
 */
void json_text(struct json *json, const char *text);

/**
 * json_u64 - a whole number
 * @json: the writer
 * @value: the number
 */
void json_u64(struct json *json, uint64_t value);

/**
 * json_i64 - a whole number that may be negative
 * @json: the writer
 * @value: the number
 */
void json_i64(struct json *json, int64_t value);

/**
 * json_double - a number; null if it is not finite, which JSON cannot say
 * @json: the writer
 * @value: the number, written with as many digits as tell it from all others
 */
void json_double(struct json *json, double value);

/**
 * json_float - a number of single precision
 * @json: the writer
 * @value: the number, written with as many digits as tell it from all others
 */
void json_float(struct json *json, float value);

/**
 * json_bool - true or false
 * @json: the writer
 * @value: which
 */
void json_bool(struct json *json, bool value);

/**
 * json_null - null
 * @json: the writer
 */
void json_null(struct json *json);

#endif /* VEXFS_JSON_H */
