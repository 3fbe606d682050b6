// SPDX-License-Identifier: Apache-2.0
/*
 * Options that several subcommands read alike; see arguments.h.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "arguments.h"
#include "command.h"
#include "number.h"

int argument_number(const char *option, const char *text, uint64_t least, uint64_t most,
		    uint64_t *value)
{
	if (parse_u64_within(text, least, most, value))
		return 0;
	if (most == UINT64_MAX)
		return fail(EXIT_USAGE, "%s %s: a whole number from %" PRIu64 " up is wanted",
			    option, text, least);
	return fail(EXIT_USAGE, "%s %s: a whole number from %" PRIu64 " to %" PRIu64 " is wanted",
		    option, text, least, most);
}

int argument_element(const char *text, unsigned int *element)
{
	int rc = vexfs_element_parse(text);

	if (rc < 0)
		return fail(EXIT_USAGE, "--type %s: there are f32, f16, i8 and u8", text);
	*element = (unsigned int)rc;
	return 0;
}

int argument_metric(const char *text, unsigned int *metric)
{
	int rc = vexfs_metric_parse(text);

	if (rc < 0)
		return fail(EXIT_USAGE, "--metric %s: there are l2, ip, cosine and l1", text);
	*metric = (unsigned int)rc;
	return 0;
}

int argument_index(const char *text, unsigned int *index)
{
	int rc = vexfs_index_parse(text);

	if (rc < 0)
		return fail(EXIT_USAGE, "--index %s: there are auto, scan, hnsw and ivf", text);
	*index = (unsigned int)rc;
	return 0;
}

int argument_recall(const char *text, unsigned int *recall)
{
	char *end;
	double value = strtod(text, &end);

	/* Of what is less than a unit, or no number, nothing is left. */
	*recall = value > 0 && value <= 1 ? (unsigned int)(value * VEXFS_RECALL_ONE + 0.5) : 0;
	if (*recall == 0 || *end != '\0')
		return fail(EXIT_USAGE, "--recall %s: a number from 0.0001 to 1 is wanted", text);
	return 0;
}

int argument_format(const char *text, enum source_format *format)
{
	if (source_format_parse(text, format))
		return 0;
	return fail(EXIT_USAGE, "there is no format '%s'; vectors are fvecs, bvecs, npy or raw, "
		    "ids npy, ivecs, u64 or text", text);
}

int argument_ids(char **texts, int count, uint64_t **ids)
{
	int i;

	*ids = malloc(sizeof(**ids) * (size_t)(count > 0 ? count : 1));
	if (!*ids)
		return fail(EXIT_FAILED, "not enough memory");
	for (i = 0; i < count; i++) {
		if (!parse_u64_within(texts[i], 0, VEXFS_ID_MAX, &(*ids)[i])) {
			free(*ids);
			*ids = NULL;
			return fail(EXIT_USAGE, "'%s' is no id: ids are decimal numbers", texts[i]);
		}
	}
	return 0;
}

int argument_unknown(int option, char **argv)
{
	const char *word = argv[optind - 1];

	if (option == ':')
		return fail(EXIT_USAGE, "%s needs an argument", word);
	return fail(EXIT_USAGE, "there is no option %s, or it takes no argument", word);
}
