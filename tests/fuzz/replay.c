// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a fuzzer's entry on files, and on those of directories, for regression
 * tests where no fuzzer is at hand: replay FILE|DIRECTORY...
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1 << 20)

static unsigned int replayed;

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *whole, *exact;
	size_t size;

	if (!file) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
		return 1;
	}
	whole = malloc(INPUT_MAX);
	size = whole ? fread(whole, 1, INPUT_MAX, file) : 0;
	fclose(file);
	/* Of its own size, so that a sanitizer sees a read beyond its end. */
	exact = malloc(size ? size : 1);
	if (!whole || !exact) {
		fprintf(stderr, "replay: %s: out of memory\n", path);
		exit(1);
	}
	memcpy(exact, whole, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(whole);
	free(exact);
	replayed++;
	return 0;
}

static int replay_directory(const char *path, DIR *dir)
{
	struct dirent *entry;
	char file[4096];
	int failed = 0;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		failed |= replay_file(file);
	}
	closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	int i, failed = 0;
	DIR *dir;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (i = 1; i < argc; i++) {
		dir = opendir(argv[i]);
		if (dir)
			failed |= replay_directory(argv[i], dir);
		else
			failed |= replay_file(argv[i]);
	}
	printf("%u inputs replayed\n", replayed);
	return failed;
}
