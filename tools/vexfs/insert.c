// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs insert: appends the rows of a source to a vector file, which is made if it
 * does not exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "command.h"
#include "json.h"
#include "load.h"
#include "number.h"

static const char help[] =
"Usage: vexfs insert FILE SOURCE|- [OPTION]...\n"
"\n"
"Appends the rows of SOURCE (- is standard input) to FILE. If FILE does not exist,\n"
"it is made a vector file: as its directory hands down, or else as SOURCE is. Rows\n"
"are inserted in batches, each of them whole or not at all; when SOURCE turns out to\n"
"be damaged half way, the batches before the damage are in FILE and a message says\n"
"how many rows that is.\n"
"\n"
"  --format FORMAT    fvecs, bvecs, npy (NumPy array of rows), raw (rows and nothing\n"
"                     else), auto (by contents and name; the default)\n"
"  --dim N            elements in a row of raw SOURCE (those of FILE)\n"
"  --type TYPE        type of the elements of raw SOURCE (that of FILE): f32 f16 i8 u8\n"
"  --metric METRIC    distance of a file yet to be made: l2 ip cosine l1 (l2)\n"
"  --ids IDS          a file (or -) with an id for each row: npy (<u8 <i8 <u4 <i4),\n"
"                     ivecs, .u64 (64-bit little-endian), .txt (decimal)\n"
"  --ids-format F     its format: npy, ivecs, u64, text, auto (auto)\n"
"  --attributes CSV   a file (or -) with attributes: a line that names columns of FILE,\n"
"                     then a line for each row. A field that is empty, and not \"\", is\n"
"                     null, and so is a column that is not named\n"
"  --replace          a row whose id FILE has takes the place of the row that has it\n"
"                     (otherwise such a batch is refused); FILE has ids of its own\n"
"  --batch ROWS       rows in a batch (as many as make about 4 MiB)\n"
"  --convert          convert elements to FILE's type. To f32 nothing is lost; to f16\n"
"                     numbers are rounded to the nearest, ties to even, and 65520 or\n"
"                     more is refused; to i8 and u8 only whole numbers within\n"
"                     range go, anything else is refused\n"
"  --fsync            return only when all rows are on the device\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs insert photos embeddings.npy --metric cosine\n"
"  vexfs insert sift base.bvecs --ids ids.ivecs\n"
"  embed --raw docs/*.txt | vexfs insert docs - --format raw --dim 384 --type f32\n"
"  vexfs insert goods goods.npy --attributes goods.csv\n"
"  vexfs insert goods news.npy --ids news.txt --replace\n"
"  vexfs insert small big.fvecs --convert            # small was created with --type f16\n"
"\n"
"JSON: {\"file\",\"created\",\"inserted\",\"batches\",\"first_id\",\"last_id\",\"replaced\",\n"
"\"seconds\",\"rows_per_s\"}; ids are null when the rows brought their own or there were none.\n";

struct insert_options {
	const char *file;
	const char *source;
	const char *ids;
	const char *attributes;
	enum source_format format;
	enum source_format ids_format;
	uint64_t dim;
	unsigned int element;
	unsigned int metric;
	uint64_t batch;
	bool convert;
	bool replace;
	bool fsync;
	bool json;
};

static int take_option(int option, struct insert_options *options)
{
	switch (option) {
	case OPTION_FORMAT:
		return argument_format(optarg, &options->format);
	case OPTION_IDS_FORMAT:
		return argument_format(optarg, &options->ids_format);
	case OPTION_IDS:
		options->ids = optarg;
		return 0;
	case OPTION_ATTRIBUTES:
		options->attributes = optarg;
		return 0;
	case OPTION_DIM:
		return argument_number("--dim", optarg, VEXFS_DIM_MIN, VEXFS_DIM_MAX,
				       &options->dim);
	case OPTION_TYPE:
		return argument_element(optarg, &options->element);
	case OPTION_METRIC:
		return argument_metric(optarg, &options->metric);
	case OPTION_BATCH:
		return argument_number("--batch", optarg, 1, VEXFS_BATCH_MAX, &options->batch);
	case OPTION_CONVERT:
		options->convert = true;
		return 0;
	case OPTION_REPLACE:
		options->replace = true;
		return 0;
	case OPTION_FSYNC:
		options->fsync = true;
		return 0;
	default:
		options->json = true;
		return 0;
	}
}

static int parse_options(int argc, char **argv, struct insert_options *options)
{
	static const struct option table[] = {
		{ "format", required_argument, NULL, OPTION_FORMAT },
		{ "ids-format", required_argument, NULL, OPTION_IDS_FORMAT },
		{ "ids", required_argument, NULL, OPTION_IDS },
		{ "attributes", required_argument, NULL, OPTION_ATTRIBUTES },
		{ "dim", required_argument, NULL, OPTION_DIM },
		{ "type", required_argument, NULL, OPTION_TYPE },
		{ "metric", required_argument, NULL, OPTION_METRIC },
		{ "batch", required_argument, NULL, OPTION_BATCH },
		{ "convert", no_argument, NULL, OPTION_CONVERT },
		{ "replace", no_argument, NULL, OPTION_REPLACE },
		{ "fsync", no_argument, NULL, OPTION_FSYNC },
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
	if (argc - optind != 2)
		return fail(EXIT_USAGE, "a vector file and a source are to be named");
	options->file = argv[optind];
	options->source = argv[optind + 1];
	if (options->replace && !options->ids)
		return fail(EXIT_USAGE, "--replace needs --ids: rows are replaced by their ids");
	if (options->ids && strcmp(options->ids, "-") == 0 && strcmp(options->source, "-") == 0)
		return fail(EXIT_USAGE, "rows and ids cannot both come from standard input");
	if (options->attributes && strcmp(options->attributes, "-") == 0 &&
	    (strcmp(options->source, "-") == 0 ||
	     (options->ids && strcmp(options->ids, "-") == 0)))
		return fail(EXIT_USAGE, "only one of rows, ids and attributes can come from "
			    "standard input");
	return 0;
}

static int open_existing(const struct insert_options *options, struct vector_file *file)
{
	int code = vector_file_open(file, options->file, O_RDWR);

	if (code != 0)
		return code;
	if (options->metric == 0 || options->metric == file->schema.metric)
		return 0;
	vector_file_close(file);
	file->fd = -1;
	return fail(EXIT_USAGE, "--metric is for a file yet to be made; %s exists and has %s",
		    options->file, vexfs_metric_name(file->schema.metric));
}

/* Sources that say themselves what their rows are may be told so, but not otherwise. */
static int check_source(const struct insert_options *options, const struct source *source)
{
	if (options->dim != 0 && options->dim != source->dim)
		return fail(EXIT_BAD_INPUT, "--dim %" PRIu64 ": %s says itself that its rows have %"
			    PRIu32 " elements", options->dim, options->source, source->dim);
	if (options->element != 0 && options->element != source->element)
		return fail(EXIT_BAD_INPUT, "--type %s: %s says itself that its rows are %s; to "
			    "have them converted, make the file first with 'vexfs create'",
			    vexfs_element_name(options->element), options->source,
			    vexfs_element_name(source->element));
	return 0;
}

static int open_sources(struct load *load, const struct insert_options *options,
			const struct vexfs_schema *schema)
{
	uint32_t dim = options->dim ? (uint32_t)options->dim : schema->dim;
	unsigned int element = options->element ? options->element : schema->element;
	int code;

	load->convert = options->convert;
	load->replace = options->replace;
	load->own_ids = options->ids != NULL;
	if (!source_open(&load->rows, options->source, options->format, dim, element))
		return fail(EXIT_BAD_INPUT, "%s", load->rows.error);
	code = check_source(options, &load->rows);
	if (code == 0 && options->ids &&
	    !source_open_ids(&load->ids, options->ids, options->ids_format))
		code = fail(EXIT_BAD_INPUT, "%s", load->ids.error);
	if (code != 0)
		source_close(&load->rows);
	return code;
}

static void close_sources(struct load *load)
{
	source_close(&load->rows);
	if (load->own_ids)
		source_close(&load->ids);
}

/* The schema of a new file: what its directory hands down, or what the source is. */
static int choose_schema(const struct insert_options *options, const struct load *load,
			 struct vector_file *file)
{
	struct vexfs_schema *schema = &file->schema;
	bool inherited = vexfs_schema_get(file->fd, schema) == 0;
	struct columns columns;
	int rc;

	if (inherited && (options->metric == 0 || options->metric == schema->metric))
		return 0;
	if (!inherited) {
		schema->dim = load->rows.dim;
		schema->element = (uint8_t)load->rows.element;
		schema->metric = VEXFS_METRIC_L2;
		schema->ids = options->ids ? VEXFS_IDS_OWN : VEXFS_IDS_AUTO;
	}
	if (options->metric != 0)
		schema->metric = (uint8_t)options->metric;
	/* Its columns stay as they are. */
	rc = inherited ? vexfs_columns_get(file->fd, columns.column) : 0;
	if (rc < 0)
		return rc;
	schema->columns = (uintptr_t)columns.column;
	schema->column_count = (uint32_t)rc;
	rc = vexfs_schema_set(file->fd, schema);
	return rc < 0 ? rc : vexfs_schema_get(file->fd, schema);
}

/* Makes the file for the rows of the source. */
static int create_file(const struct insert_options *options, const struct load *load,
		       struct vector_file *file)
{
	int rc;

	file->name = options->file;
	file->fd = open(options->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (file->fd < 0)
		return fail_call(VEXFS_OPERATION_OPEN, -errno, options->file, VEXFS_UNKNOWN);
	rc = choose_schema(options, load, file);
	if (rc == 0)
		return 0;
	unlink(options->file);
	vector_file_close(file);
	file->fd = -1;
	return fail_call(VEXFS_OPERATION_SCHEMA_SET, rc, options->file, VEXFS_UNKNOWN);
}

static int fail_load(const struct insert_options *options, const struct load *load, int rc)
{
	const struct vexfs_insert_stream *stream = &load->stream;
	char why[1024], rest[160] = "; nothing was inserted";
	int code = EXIT_BAD_INPUT;

	if (rc == -ECANCELED) {
		snprintf(why, sizeof(why), "%s", load->error);
	} else {
		vexfs_explain(VEXFS_OPERATION_INSERT, rc, options->file, stream->bad_row, why,
			      sizeof(why));
		code = call_exit_code(rc);
	}
	if (stream->inserted > 0)
		snprintf(rest, sizeof(rest), "; the first %" PRIu64 " rows of %s were inserted "
			 "before that and stay", stream->inserted, load->rows.bytes.name);
	return fail((enum exit_code)code, "%s%s", why, rest);
}

static void print_inserted(const struct insert_options *options, const struct load *load,
			   bool created, double seconds)
{
	const struct vexfs_insert_stream *stream = &load->stream;
	bool ids = !load->own_ids && stream->inserted > 0;
	double rate = seconds > 0 ? (double)stream->inserted / seconds : 0;
	struct json json = { .out = stdout };

	if (!options->json) {
		char count[NUMBER_TEXT_MAX];

		printf("%s: %" PRIu64 " rows inserted", options->file, stream->inserted);
		if (options->replace)
			printf(" (%" PRIu64 " in the place of others)", stream->replaced);
		if (ids)
			printf(", ids %" PRIu64 " to %" PRIu64, stream->first_id, stream->last_id);
		printf(", in %.2f s (%s/s)\n", seconds, format_count(count, rate));
		return;
	}
	json_open(&json, '{');
	json_key(&json, "file");
	json_text(&json, options->file);
	json_key(&json, "created");
	json_bool(&json, created);
	json_key(&json, "inserted");
	json_u64(&json, stream->inserted);
	json_key(&json, "batches");
	json_u64(&json, stream->batches);
	json_key(&json, "first_id");
	if (ids)
		json_u64(&json, stream->first_id);
	else
		json_null(&json);
	json_key(&json, "last_id");
	if (ids)
		json_u64(&json, stream->last_id);
	else
		json_null(&json);
	json_key(&json, "replaced");
	json_u64(&json, stream->replaced);
	json_key(&json, "seconds");
	json_double(&json, seconds);
	json_key(&json, "rows_per_s");
	json_double(&json, rate);
	json_close(&json, '}');
	json_end_line(&json);
}

static int insert_rows(const struct insert_options *options, struct load *load,
		       const struct vector_file *file, bool created)
{
	double seconds;
	int code, rc;

	load->schema = file->schema;
	code = load_check(load, options->file);
	if (code == 0 && options->attributes)
		code = attribute_file_open(&load->attributes, options->attributes, file);
	if (code != 0)
		return code;
	rc = load_run(load, file->fd, options->batch, &seconds);
	if (rc < 0)
		return fail_load(options, load, rc);
	if (options->fsync && fsync(file->fd) < 0)
		return fail(EXIT_FAILED, "%s: %" PRIu64 " rows were inserted, but they may not be "
			    "on the device: fsync: %m", options->file, load->stream.inserted);
	print_inserted(options, load, created, seconds);
	return 0;
}

static int run_with_sources(const struct insert_options *options, struct load *load,
			    struct vector_file *file)
{
	bool missing = file->fd < 0;
	int code = missing ? create_file(options, load, file) : 0;

	if (code != 0)
		return code;
	code = insert_rows(options, load, file, missing);
	if (code != 0 && missing && load->stream.inserted == 0)
		unlink(options->file);
	return code;
}

static int run(int argc, char **argv)
{
	struct insert_options options = { 0 };
	struct vector_file file = { .fd = -1 };
	struct load load = { 0 };
	int code = parse_options(argc, argv, &options);

	if (code == 0 && (access(options.file, F_OK) == 0 || errno != ENOENT))
		code = open_existing(&options, &file);
	if (code != 0)
		return code;
	code = open_sources(&load, &options, &file.schema);
	if (code == 0) {
		code = run_with_sources(&options, &load, &file);
		attribute_file_close(&load.attributes);
		close_sources(&load);
	}
	if (file.fd >= 0)
		vector_file_close(&file);
	return code;
}

const struct command insert_command = {
	.name = "insert",
	.summary = "append rows from fvecs, bvecs, npy or raw files, or standard input",
	.help = help,
	.run = run,
};
