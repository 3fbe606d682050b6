// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs create: makes a vector file, or says what the files of a directory become.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "columns.h"
#include "command.h"
#include "json.h"

static const char help[] =
"Usage: vexfs create FILE --dim N [--type f32|f16|i8|u8] [--metric l2|ip|cosine|l1]\n"
"                    [--ids auto|own] [--columns NAME:TYPE,...]\n"
"       vexfs create DIRECTORY --inherit --dim N ...\n"
"\n"
"Makes FILE a vector file whose rows have N elements. FILE is created, or must be\n"
"empty. With --inherit, files that are created in DIRECTORY from now on (with cp,\n"
"say) become such vector files by themselves.\n"
"\n"
"  --dim N            elements in a row, 1 to 65535\n"
"  --type TYPE        type of an element (f32): f32 f16 i8 u8\n"
"  --metric METRIC    distance that searches use if they name none (l2):\n"
"                     l2 (squared), ip (negated inner product), cosine (1 - cosine), l1\n"
"  --ids auto|own     ids counted up from 0 by the filesystem (auto), or named by\n"
"                     whoever inserts (own)\n"
"  --columns COLUMNS  attributes of the rows, up to 16: name:type, parted by commas;\n"
"                     types are i64 f64 bool string (up to 255 bytes)\n"
"  --inherit          set what new files of a directory become\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs create photos --dim 768 --metric cosine\n"
"  vexfs create sift --dim 128 --type u8 --ids own\n"
"  vexfs create goods --dim 384 --columns price:f64,lang:string,sold:bool\n"
"  vexfs create incoming/ --inherit --dim 384 && cp embeddings.f32 incoming/\n"
"\n"
"JSON: {\"file\",\"schema\",\"created\",\"inherit\"}\n";

struct create_options {
	const char *file;
	struct vexfs_schema schema;
	struct columns columns;
	bool inherit;
	bool json;
};

static int parse_ids(const char *text, uint8_t *ids)
{
	struct vexfs_schema schema;
	char setting[32];

	snprintf(setting, sizeof(setting), "dim=1,ids=%.10s", text);
	if (vexfs_schema_parse(setting, &schema, NULL) < 0)
		return fail(EXIT_USAGE, "--ids %s: there are auto and own", text);
	*ids = schema.ids;
	return 0;
}

static int parse_columns(const char *text, struct columns *columns)
{
	size_t bad_at;
	int count = vexfs_columns_parse(text, columns->column, &bad_at);

	if (count < 0)
		return fail(EXIT_USAGE, "--columns: character %zu ('%.20s'): name:type parted by "
			    "commas are wanted, at most 16; types are i64 f64 bool string",
			    bad_at + 1, text + bad_at);
	columns->count = (unsigned int)count;
	return 0;
}

static int take_option(int option, struct create_options *options)
{
	unsigned int which = 0;
	uint64_t number;
	int code = 0;

	switch (option) {
	case OPTION_DIM:
		code = argument_number("--dim", optarg, VEXFS_DIM_MIN, VEXFS_DIM_MAX, &number);
		if (code == 0)
			options->schema.dim = (uint32_t)number;
		return code;
	case OPTION_TYPE:
		code = argument_element(optarg, &which);
		options->schema.element = (uint8_t)which;
		return code;
	case OPTION_METRIC:
		code = argument_metric(optarg, &which);
		options->schema.metric = (uint8_t)which;
		return code;
	case OPTION_IDS:
		return parse_ids(optarg, &options->schema.ids);
	case OPTION_COLUMNS:
		return parse_columns(optarg, &options->columns);
	case OPTION_INHERIT:
		options->inherit = true;
		return 0;
	default:
		options->json = true;
		return 0;
	}
}

static int parse_options(int argc, char **argv, struct create_options *options)
{
	static const struct option table[] = {
		{ "dim", required_argument, NULL, OPTION_DIM },
		{ "type", required_argument, NULL, OPTION_TYPE },
		{ "metric", required_argument, NULL, OPTION_METRIC },
		{ "ids", required_argument, NULL, OPTION_IDS },
		{ "columns", required_argument, NULL, OPTION_COLUMNS },
		{ "inherit", no_argument, NULL, OPTION_INHERIT },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		int code = option == '?' || option == ':' ? argument_unknown(option, argv) :
			   take_option(option, options);

		if (code != 0)
			return code;
	}
	if (argc - optind != 1)
		return fail(EXIT_USAGE, "one file (or directory, with --inherit) is to be named");
	options->file = argv[optind];
	if (options->schema.dim == 0)
		return fail(EXIT_USAGE, "--dim is missing: how many elements a row has");
	return 0;
}

static int check_kind(const struct create_options *options, int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return fail(EXIT_FAILED, "%s: %m", options->file);
	if (S_ISDIR(status.st_mode) && !options->inherit)
		return fail(EXIT_USAGE, "%s is a directory; --inherit sets what its new files "
			    "become",
			    options->file);
	if (!S_ISDIR(status.st_mode) && options->inherit)
		return fail(EXIT_USAGE, "%s is no directory; --inherit is for directories",
			    options->file);
	if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
		return fail(EXIT_NOT_VECTORS, "%s is no regular file", options->file);
	return 0;
}

/* Opens what is there, or creates it; *created says which. */
static int open_target(const struct create_options *options, bool *created)
{
	int fd = -1;

	*created = false;
	if (!options->inherit) {
		fd = open(options->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		*created = fd >= 0;
	}
	if (fd < 0 && (options->inherit || errno == EEXIST))
		fd = open(options->file,
			  (options->inherit ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_CLOEXEC);
	/* A directory cannot be opened for writing; what is wrong then is told by its kind. */
	if (fd < 0 && errno == EISDIR)
		fd = open(options->file, O_RDONLY | O_CLOEXEC);
	return fd;
}

static void print_created(const struct create_options *options, bool created)
{
	struct json json = { .out = stdout };
	char text[SCHEMA_TEXT_MAX];

	columns_schema_text(&options->schema, &options->columns, text);
	if (!options->json) {
		if (options->inherit)
			printf("%s: new files become vector files, %s\n", options->file, text);
		else
			printf("%s: vector file, %s\n", options->file, text);
		return;
	}
	json_open(&json, '{');
	json_key(&json, "file");
	json_text(&json, options->file);
	json_key(&json, "schema");
	json_text(&json, text);
	json_key(&json, "created");
	json_bool(&json, created);
	json_key(&json, "inherit");
	json_bool(&json, options->inherit);
	json_close(&json, '}');
	json_end_line(&json);
}

static int run(int argc, char **argv)
{
	struct create_options options = {
		.schema = { .element = VEXFS_ELEMENT_F32, .metric = VEXFS_METRIC_L2,
			    .ids = VEXFS_IDS_AUTO },
	};
	int code = parse_options(argc, argv, &options);
	bool created;
	int fd, rc;

	if (code != 0)
		return code;
	fd = open_target(&options, &created);
	if (fd < 0)
		return fail_call(VEXFS_OPERATION_OPEN, -errno, options.file, VEXFS_UNKNOWN);
	code = check_kind(&options, fd);
	if (code == 0) {
		options.schema.columns = (uintptr_t)options.columns.column;
		options.schema.column_count = options.columns.count;
		rc = vexfs_schema_set(fd, &options.schema);
		if (rc < 0)
			code = fail_call(VEXFS_OPERATION_SCHEMA_SET, rc, options.file,
					 VEXFS_UNKNOWN);
	}
	close(fd);
	if (code == 0)
		print_created(&options, created);
	else if (created)
		unlink(options.file);
	return code;
}

const struct command create_command = {
	.name = "create",
	.summary = "make a vector file, or set what a directory's new files become",
	.help = help,
	.run = run,
};
