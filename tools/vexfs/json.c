// SPDX-License-Identifier: Apache-2.0
/*
 * Writing JSON, see json.h.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "json.h"
#include "number.h"

static void separate(struct json *json)
{
	if (json->comma)
		fputc(',', json->out);
	json->comma = true;
}

void json_open(struct json *json, char bracket)
{
	separate(json);
	fputc(bracket, json->out);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->out);
	json->comma = true;
}

void json_end_line(struct json *json)
{
	fputc('\n', json->out);
	json->comma = false;
}

/* Bytes of the UTF-8 sequence at @text; 0 if it is none. */
static int utf8_length(const unsigned char *text)
{
	unsigned int first = text[0], low = 0x80, high = 0xbf;
	int length, i;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xe0)
		low = 0xa0;	/* else overlong */
	else if (first == 0xed)
		high = 0x9f;	/* else a surrogate */
	else if (first == 0xf0)
		low = 0x90;	/* else overlong */
	else if (first == 0xf4)
		high = 0x8f;	/* else beyond U+10FFFF */
	for (i = 1; i < length; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

static void write_quoted(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	fputc('"', out);
	while (*at) {
		int length = utf8_length(at);

		if (length == 0) {
			fputs("\\ufffd", out);
			length = 1;
		} else if (*at == '"' || *at == '\\') {
			fprintf(out, "\\%c", *at);
		} else if (*at == '\n') {
			fputs("\\n", out);
		} else if (*at == '\t') {
			fputs("\\t", out);
		} else if (*at < 0x20 || *at == 0x7f) {
			fprintf(out, "\\u%04x", *at);
		} else {
			fwrite(at, 1, (size_t)length, out);
		}
		at += length;
	}
	fputc('"', out);
}

void json_key(struct json *json, const char *key)
{
	separate(json);
	write_quoted(json->out, key);
	fputc(':', json->out);
	json->comma = false;
}

void json_text(struct json *json, const char *text)
{
	separate(json);
	write_quoted(json->out, text);
}

void json_u64(struct json *json, uint64_t value)
{
	separate(json);
	fprintf(json->out, "%" PRIu64, value);
}

void json_i64(struct json *json, int64_t value)
{
	separate(json);
	fprintf(json->out, "%" PRId64, value);
}

void json_double(struct json *json, double value)
{
	char text[NUMBER_TEXT_MAX];

	if (!isfinite(value)) {
		json_null(json);
		return;
	}
	separate(json);
	fputs(format_double(text, value), json->out);
}

void json_float(struct json *json, float value)
{
	char text[NUMBER_TEXT_MAX];

	if (!isfinite(value)) {
		json_null(json);
		return;
	}
	separate(json);
	fputs(format_float(text, value), json->out);
}

void json_bool(struct json *json, bool value)
{
	separate(json);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json)
{
	separate(json);
	fputs("null", json->out);
}
