// SPDX-License-Identifier: Apache-2.0
/*
 * Filters from text: what people write becomes a program for the kernel.
 *
 *	expression:	term { "or" term }
 *	term:		factor { "and" factor }
 *	factor:		"not" factor | "(" expression ")" | comparison
 *	comparison:	COLUMN [ OPERATOR value | [ "not" ] "in" "(" value { "," value } ")"
 *				 | "is" [ "not" ] "null" ]
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <vexfs.h>

/* Parentheses and "not" within each other. */
#define NESTING_MAX	200

/**
 * struct maker - a program in the making
 * @text: the whole text
 * @at: what is read next
 * @columns: the file's columns
 * @count: how many
 * @ops: operations; an operation's string or list counted from the beginning
 *	of @area or @lists
 * @op_count: how many
 * @lists: values of lists
 * @list_count: how many
 * @area: bytes of strings
 * @area_bytes: how many
 * @depth: operands that wait after the operations so far
 * @nesting: how deep @at is
 * @error: what is wrong, and where
 * @rc: 0 or a negative error number
 */
struct maker {
	const char *text;
	const char *at;
	const struct vexfs_column *columns;
	unsigned int count;
	struct vexfs_filter_op ops[VEXFS_FILTER_OPS_MAX];
	unsigned int op_count;
	uint64_t lists[VEXFS_FILTER_BYTES_MAX / 8];
	unsigned int list_count;
	char area[VEXFS_FILTER_BYTES_MAX];
	unsigned int area_bytes;
	unsigned int depth;
	unsigned int nesting;
	struct vexfs_filter_error *error;
	int rc;
};

/* Note the first thing that is wrong. */
__attribute__((format(printf, 4, 5)))
static int fail(struct maker *maker, int rc, const char *at, const char *format, ...)
{
	va_list args;

	if (maker->rc == 0) {
		maker->rc = rc;
		maker->error->at = (size_t)(at - maker->text);
		va_start(args, format);
		vsnprintf(maker->error->text, sizeof(maker->error->text), format, args);
		va_end(args);
	}
	return maker->rc;
}

static const char *skip_space(struct maker *maker)
{
	while (isspace((unsigned char)*maker->at))
		maker->at++;
	return maker->at;
}

static size_t word_length(const char *at)
{
	size_t length = 0;

	if (isalpha((unsigned char)*at) || *at == '_')
		while (isalnum((unsigned char)at[length]) || at[length] == '_')
			length++;
	return length;
}

/* Is the next thing this word? Then go past it. */
static int take_word(struct maker *maker, const char *word)
{
	size_t length = word_length(skip_space(maker));

	if (length != strlen(word) || strncasecmp(maker->at, word, length) != 0)
		return 0;
	maker->at += length;
	return 1;
}

static int take_char(struct maker *maker, char c)
{
	if (*skip_space(maker) != c)
		return 0;
	maker->at++;
	return 1;
}

static int add_op(struct maker *maker, const struct vexfs_filter_op *op, const char *at)
{
	if (maker->op_count == VEXFS_FILTER_OPS_MAX)
		return fail(maker, -E2BIG, at, "more than %u operations", VEXFS_FILTER_OPS_MAX);
	if (op->code < VEXFS_FILTER_AND)
		maker->depth++;
	else if (op->code != VEXFS_FILTER_NOT)
		maker->depth--;
	if (maker->depth > VEXFS_FILTER_DEPTH_MAX)
		return fail(maker, -E2BIG, at, "too many parentheses within each other");
	maker->ops[maker->op_count++] = *op;
	return 0;
}

static int add_code(struct maker *maker, unsigned int code, const char *at)
{
	struct vexfs_filter_op op = { .code = (uint8_t)code };

	return add_op(maker, &op, at);
}

/* Values */

static int take_string(struct maker *maker, uint64_t *value)
{
	const char *begin = skip_space(maker);
	char quote = *begin;
	unsigned int from = maker->area_bytes;

	if (quote != '"' && quote != '\'')
		return fail(maker, -EINVAL, begin, "a string in quotes is wanted here");
	for (maker->at++; *maker->at != quote; maker->at++) {
		if (*maker->at == '\\')
			maker->at++;
		if (*maker->at == '\0')
			return fail(maker, -EINVAL, begin, "this string has no end");
		if (maker->area_bytes == sizeof(maker->area))
			return fail(maker, -E2BIG, begin, "the filter is too long");
		maker->area[maker->area_bytes++] = *maker->at;
	}
	maker->at++;
	if (maker->area_bytes - from > VEXFS_STRING_MAX)
		return fail(maker, -EINVAL, begin, "a string of more than %u bytes",
			    VEXFS_STRING_MAX);
	*value = VEXFS_STRING_REF(from, maker->area_bytes - from);
	return 0;
}

static int take_number(struct maker *maker, unsigned int type, uint64_t *value)
{
	const char *begin = skip_space(maker);
	char *end;
	double real;

	if (!isdigit((unsigned char)*begin) && !strchr("+-.", *begin))
		return fail(maker, -EINVAL, begin, "a number is wanted here");
	errno = 0;
	if (type == VEXFS_COLUMN_I64) {
		*value = (uint64_t)strtoll(begin, &end, 10);
		if (end != begin && (*end == '.' || *end == 'e' || *end == 'E'))
			return fail(maker, -EINVAL, begin, "the column holds whole numbers");
	} else {
		real = strtod(begin, &end);
		*value = vexfs_double_to_bits(real);
		if (!isfinite(real))
			errno = ERANGE;
	}
	if (end == begin || word_length(end))
		return fail(maker, -EINVAL, begin, "this is no number");
	if (errno == ERANGE && (type == VEXFS_COLUMN_I64 || !isfinite(real)))
		return fail(maker, -EINVAL, begin, "the number is too large");
	maker->at = end;
	return 0;
}

static int take_value(struct maker *maker, unsigned int type, uint64_t *value)
{
	int saved = errno, rc = 0;

	if (type == VEXFS_COLUMN_STRING) {
		rc = take_string(maker, value);
	} else if (type != VEXFS_COLUMN_BOOL) {
		rc = take_number(maker, type, value);
	} else {
		*value = (uint64_t)take_word(maker, "true");
		if (!*value && !take_word(maker, "false"))
			rc = fail(maker, -EINVAL, maker->at, "true or false is wanted here");
	}
	errno = saved;
	return rc;
}

/* Comparisons */

static int take_column(struct maker *maker)
{
	const char *at = skip_space(maker);
	size_t length = word_length(at);
	unsigned int c;

	if (length == 0)
		return fail(maker, -EINVAL, at, *at ? "a column is wanted here" :
			    "the filter ends too early");
	for (c = 0; c < maker->count; c++) {
		const char *name = (const char *)maker->columns[c].name;

		if (strnlen(name, sizeof(maker->columns[c].name)) == length &&
		    memcmp(name, at, length) == 0) {
			maker->at += length;
			return (int)c;
		}
	}
	return fail(maker, -EINVAL, at, "there is no column '%.*s'",
		    (int)(length < 40 ? length : 40), at);
}

/* The operator that comes next; 0 if there is none. */
static unsigned int take_operator(struct maker *maker)
{
	static const struct {
		const char *text;
		unsigned int code;
	} operators[] = {	/* longer ones first */
		{ "==", VEXFS_FILTER_EQ }, { "!=", VEXFS_FILTER_NE },
		{ "<>", VEXFS_FILTER_NE }, { "<=", VEXFS_FILTER_LE },
		{ ">=", VEXFS_FILTER_GE }, { "=", VEXFS_FILTER_EQ },
		{ "<", VEXFS_FILTER_LT }, { ">", VEXFS_FILTER_GT },
	};
	size_t i;

	skip_space(maker);
	for (i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		size_t length = strlen(operators[i].text);

		if (strncmp(maker->at, operators[i].text, length) == 0) {
			maker->at += length;
			return operators[i].code;
		}
	}
	return 0;
}

/* The list after "in". */
static int take_list(struct maker *maker, unsigned int column, const char *at)
{
	struct vexfs_filter_op op = {
		.code = VEXFS_FILTER_IN,
		.column = (uint8_t)column,
		.value = maker->list_count,
	};

	if (!take_char(maker, '('))
		return fail(maker, -EINVAL, maker->at, "( is wanted after in");
	do {
		uint64_t value;

		if (take_value(maker, maker->columns[column].type, &value) < 0)
			return maker->rc;
		if (maker->list_count == VEXFS_FILTER_BYTES_MAX / 8)
			return fail(maker, -E2BIG, at, "the filter is too long");
		maker->lists[maker->list_count++] = value;
		op.count++;
	} while (take_char(maker, ','));
	if (!take_char(maker, ')'))
		return fail(maker, -EINVAL, maker->at, ", or ) is wanted here");
	return add_op(maker, &op, at);
}

static int take_comparison(struct maker *maker)
{
	const char *at = skip_space(maker);
	struct vexfs_filter_op op = { .code = VEXFS_FILTER_EQ };
	int column = take_column(maker), negate = 0;
	unsigned int code, type;
	const char *before;
	uint64_t value;

	if (column < 0)
		return column;
	type = maker->columns[column].type;
	op.column = (uint8_t)column;
	code = take_operator(maker);
	if (code) {
		op.code = (uint8_t)code;
		if (type == VEXFS_COLUMN_STRING && code >= VEXFS_FILTER_LT)
			return fail(maker, -EINVAL, at,
				    "strings can be compared with =, != and in only");
		if (take_value(maker, type, &value) < 0)
			return maker->rc;
		op.value = value;
		return add_op(maker, &op, at);
	}
	before = maker->at;
	if (take_word(maker, "is")) {
		negate = take_word(maker, "not");
		if (!take_word(maker, "null"))
			return fail(maker, -EINVAL, maker->at, "null is wanted here");
		op.code = VEXFS_FILTER_NULL;
		add_op(maker, &op, at);
	} else {
		negate = take_word(maker, "not");
		if (take_word(maker, "in")) {
			take_list(maker, (unsigned int)column, at);
		} else if (type == VEXFS_COLUMN_BOOL && !negate) {
			op.value = 1;
			add_op(maker, &op, at);
		} else {
			return fail(maker, -EINVAL, before,
				    "an operator is wanted here: = != < <= > >= in is");
		}
	}
	return maker->rc || !negate ? maker->rc : add_code(maker, VEXFS_FILTER_NOT, at);
}

/* Expressions */

static int take_expression(struct maker *maker);

static int take_factor(struct maker *maker)
{
	const char *at = skip_space(maker);
	int rc;

	if (maker->nesting == NESTING_MAX)
		return fail(maker, -E2BIG, at, "too many parentheses within each other");
	maker->nesting++;
	if (take_word(maker, "not")) {
		rc = take_factor(maker);
		if (rc == 0)
			rc = add_code(maker, VEXFS_FILTER_NOT, at);
	} else if (take_char(maker, '(')) {
		rc = take_expression(maker);
		if (rc == 0 && !take_char(maker, ')'))
			rc = fail(maker, -EINVAL, maker->at, ") is wanted here");
	} else {
		rc = take_comparison(maker);
	}
	maker->nesting--;
	return rc;
}

static int take_term(struct maker *maker)
{
	int rc = take_factor(maker);

	while (rc == 0 && take_word(maker, "and")) {
		rc = take_factor(maker);
		if (rc == 0)
			rc = add_code(maker, VEXFS_FILTER_AND, maker->at);
	}
	return rc;
}

static int take_expression(struct maker *maker)
{
	int rc = take_term(maker);

	while (rc == 0 && take_word(maker, "or")) {
		rc = take_term(maker);
		if (rc == 0)
			rc = add_code(maker, VEXFS_FILTER_OR, maker->at);
	}
	return rc;
}

/* The program in one piece: operations, lists, strings. */
static int assemble(struct maker *maker, void **program, size_t *bytes)
{
	size_t lists = sizeof(struct vexfs_filter_program) +
		       maker->op_count * sizeof(struct vexfs_filter_op);
	size_t area = lists + 8 * (size_t)maker->list_count;
	struct vexfs_filter_program *made;
	unsigned int i, v;

	*bytes = area + maker->area_bytes;
	if (*bytes > VEXFS_FILTER_BYTES_MAX)
		return fail(maker, -E2BIG, maker->at, "the filter is too long");
	made = malloc(*bytes);
	if (!made)
		return fail(maker, -ENOMEM, maker->text, "out of memory");
	made->op_count = maker->op_count;
	made->reserved = 0;
	for (i = 0; i < maker->op_count; i++) {
		struct vexfs_filter_op *op = &maker->ops[i];
		int string = op->code <= VEXFS_FILTER_IN &&
			     maker->columns[op->column].type == VEXFS_COLUMN_STRING;

		if (op->code == VEXFS_FILTER_IN) {
			for (v = 0; string && v < op->count; v++)
				maker->lists[op->value + v] += area;
			op->value = lists + 8 * op->value;
		} else if (string) {
			op->value += area;
		}
		made->ops[i] = *op;
	}
	memcpy((char *)made + lists, maker->lists, 8 * (size_t)maker->list_count);
	memcpy((char *)made + area, maker->area, maker->area_bytes);
	*program = made;
	return 0;
}

int vexfs_filter_parse(const char *text, const struct vexfs_column *columns,
		       unsigned int count, void **program, size_t *bytes,
		       struct vexfs_filter_error *error)
{
	struct vexfs_filter_error unused;
	struct maker *maker = calloc(1, sizeof(*maker));
	int rc;

	if (!error)
		error = &unused;
	error->at = 0;
	error->text[0] = '\0';
	if (!maker)
		return -ENOMEM;
	maker->text = text;
	maker->at = text;
	maker->columns = columns;
	maker->count = count;
	maker->error = error;
	rc = take_expression(maker);
	if (rc == 0 && *skip_space(maker) != '\0')
		rc = fail(maker, -EINVAL, maker->at, "and, or or the end is wanted here");
	if (rc == 0)
		rc = assemble(maker, program, bytes);
	free(maker);
	return rc;
}
