/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from and to text: arguments of the command line, vectors, distances,
 * and sizes and times for people.
 */
#ifndef VEXFS_NUMBER_H
#define VEXFS_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room that any number's text needs. */
#define NUMBER_TEXT_MAX 40

/**
 * parse_u64 - a whole number from text
 * @text: decimal digits and nothing else
 * @value: the number
 *
 * Return: false if it is none or does not fit 64 bits.
 */
bool parse_u64(const char *text, uint64_t *value);

/**
 * parse_u64_within - a whole number of a range from text
 * @text: decimal digits and nothing else
 * @least: smallest number taken
 * @most: greatest number taken
 * @value: the number
 *
 * Return: false if it is none of that range.
 */
bool parse_u64_within(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/**
 * parse_double - a finite number from text
 * @text: as strtod() takes it, and nothing else
 * @value: the number
 *
 * Return: false if it is none or not finite.
 */
bool parse_double(const char *text, double *value);

/**
 * parse_vector - numbers parted by commas or blanks, maybe in brackets
 * @text: such as "0.1,0.2" or "[0.1, 0.2]"
 * @values: room for @most numbers
 * @most: how many at most
 * @count: how many there were
 * @bad_at: offset in @text of what is no finite number of single precision
 *
 * Return: false if there is such, or there are none or too many.
 */
bool parse_vector(const char *text, float *values, size_t most, size_t *count, size_t *bad_at);

/**
 * format_double - a number with as few digits as tell it from all others
 * @text: room for NUMBER_TEXT_MAX bytes
 * @value: the number
 *
 * Return: @text.
 */
char *format_double(char *text, double value);

/**
 * format_float - likewise, among numbers of single precision
 * @text: room for NUMBER_TEXT_MAX bytes
 * @value: the number
 *
 * Return: @text.
 */
char *format_float(char *text, float value);

/**
 * format_bytes - a size for people, such as "1.5 GiB"
 * @text: room for NUMBER_TEXT_MAX bytes
 * @bytes: the size
 *
 * Return: @text.
 */
char *format_bytes(char *text, uint64_t bytes);

/**
 * format_count - a count or rate for people, such as "12.3 k"
 * @text: room for NUMBER_TEXT_MAX bytes
 * @count: the number, not negative
 *
 * Return: @text.
 */
char *format_count(char *text, double count);

/**
 * format_seconds - a time for people, such as "45 s", "3 m 20 s", "2 h 5 m"
 * @text: room for NUMBER_TEXT_MAX bytes
 * @seconds: the time, not negative
 *
 * Return: @text.
 */
char *format_seconds(char *text, double seconds);

/**
 * half_to_float - the value of an IEEE-754 binary16
 * @bits: the number's bits
 *
 * Return: the same value.
 */
float half_to_float(uint16_t bits);

/**
 * double_to_half - the nearest IEEE-754 binary16, ties to even
 * @value: any number
 *
 * Return: its bits; those of an infinity when @value is out of range.
 */
uint16_t double_to_half(double value);

#endif /* VEXFS_NUMBER_H */
