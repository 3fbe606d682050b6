// SPDX-License-Identifier: Apache-2.0
/*
 * Numbers from and to text, and binary16; see number.h.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

bool parse_u64(const char *text, uint64_t *value)
{
	uint64_t number = 0;
	const char *at;

	for (at = text; *at; at++) {
		unsigned int digit = (unsigned int)(*at - '0');

		if (*at < '0' || *at > '9' || number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*value = number;
	return at != text;
}

bool parse_u64_within(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	return parse_u64(text, value) && *value >= least && *value <= most;
}

bool parse_double(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*value);
}

bool parse_vector(const char *text, float *values, size_t most, size_t *count, size_t *bad_at)
{
	static const char between[] = ", \t\r\n";
	const char *at = text;
	char *end;

	*count = 0;
	at += strspn(at, between + 1);
	at += *at == '[';
	for (;;) {
		at += strspn(at, between + 1);
		if (*at == '\0' || *at == ']' || *count == most)
			break;
		values[*count] = strtof(at, &end);
		if (end == at || !isfinite(values[*count]))
			break;
		(*count)++;
		at = end;
		if (*at != '\0' && *at != ']' && !strchr(between, *at))
			break;
		at += strspn(at, between + 1);
		at += *at == ',';
	}
	*bad_at = (size_t)(at - text);
	if (*count == 0)
		return false;
	if (*at == ']' && text[strspn(text, between + 1)] == '[')
		at++;
	at += strspn(at, between + 1);
	return *at == '\0';
}

char *format_double(char *text, double value)
{
	int digits;

	/* Fewer are found too: %g leaves the zeros at the end out. */
	for (digits = DBL_DIG; digits < DBL_DECIMAL_DIG; digits++) {
		snprintf(text, NUMBER_TEXT_MAX, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return text;
	}
	snprintf(text, NUMBER_TEXT_MAX, "%.17g", value);
	return text;
}

char *format_float(char *text, float value)
{
	int digits;

	for (digits = FLT_DIG; digits < FLT_DECIMAL_DIG; digits++) {
		snprintf(text, NUMBER_TEXT_MAX, "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			return text;
	}
	snprintf(text, NUMBER_TEXT_MAX, "%.9g", (double)value);
	return text;
}

char *format_bytes(char *text, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 " B", bytes);
		return text;
	}
	for (value /= 1024; value >= 1023.95 && unit < 5; value /= 1024)
		unit++;
	snprintf(text, NUMBER_TEXT_MAX, "%.1f %s", value, units[unit]);
	return text;
}

char *format_count(char *text, double count)
{
	static const char *const units[] = { "", " k", " M", " G" };
	size_t unit = 0;

	for (; count >= 9999.5 && unit < 3; count /= 1000)
		unit++;
	snprintf(text, NUMBER_TEXT_MAX, unit == 0 ? "%.0f%s" : "%.1f%s", count, units[unit]);
	return text;
}

char *format_seconds(char *text, double seconds)
{
	uint64_t whole;

	if (!(seconds < 1e9))
		seconds = 1e9;
	whole = (uint64_t)(seconds + 0.5);
	if (whole < 60)
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 " s", whole);
	else if (whole < 3600)
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 " m %" PRIu64 " s", whole / 60,
			 whole % 60);
	else
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 " h %" PRIu64 " m", whole / 3600,
			 whole % 3600 / 60);
	return text;
}

float half_to_float(uint16_t bits)
{
	int exponent = bits >> 10 & 31;
	unsigned int mantissa = bits & 1023;
	float value;

	if (exponent == 31)
		value = mantissa ? NAN : INFINITY;
	else if (exponent == 0)
		value = ldexpf((float)mantissa, -24);
	else
		value = ldexpf((float)(mantissa | 1024), exponent - 25);
	return bits & 0x8000 ? -value : value;
}

uint16_t double_to_half(double value)
{
	uint16_t sign = signbit(value) ? 0x8000 : 0;
	double magnitude = fabs(value);
	int exponent;

	if (isnan(value))
		return sign | 0x7e00;
	/* Half way between the greatest number and the next power: to even is up. */
	if (magnitude >= 65520.0)
		return sign | 0x7c00;
	/* Below 2^-14 the numbers are multiples of 2^-24. */
	if (magnitude < 0x1p-14)
		return sign | (uint16_t)nearbyint(ldexp(magnitude, 24));
	frexp(magnitude, &exponent);
	/* A mantissa that rounds up to 2048 carries into the exponent, as it should. */
	return sign | (uint16_t)(((exponent + 13) << 10) +
				 (int)nearbyint(ldexp(magnitude, 11 - exponent)));
}
