// SPDX-License-Identifier: Apache-2.0
/*
 * The progress line; see progress.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "number.h"
#include "progress.h"

#define BAR_WIDTH	24
#define SHOW_EVERY	0.1

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void progress_begin(struct progress *progress, const char *label, const char *unit,
		    uint64_t total)
{
	progress->label = label;
	progress->unit = unit;
	progress->total = total;
	progress->started = now();
	progress->shown = progress->started;
	progress->visible = isatty(STDERR_FILENO) == 1;
	progress->drawn = false;
}

void progress_line(const struct progress *progress, uint64_t done, double seconds, char *text)
{
	double rate = seconds > 0 ? (double)done / seconds : 0;
	char count[NUMBER_TEXT_MAX], left[NUMBER_TEXT_MAX], bar[BAR_WIDTH + 1];
	double part;
	int filled;

	format_count(count, rate);
	if (progress->total == UINT64_MAX || progress->total == 0) {
		snprintf(text, PROGRESS_TEXT_MAX, "%s: %" PRIu64 " %s, %s/s", progress->label, done,
			 progress->unit, count);
		return;
	}
	part = done < progress->total ? (double)done / (double)progress->total : 1;
	filled = (int)(part * BAR_WIDTH);
	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', (size_t)filled);
	bar[BAR_WIDTH] = '\0';
	if (rate > 0)
		format_seconds(left, (double)progress->total * (1 - part) / rate);
	else
		snprintf(left, sizeof(left), "? s");
	snprintf(text, PROGRESS_TEXT_MAX,
		 "%s: [%s] %3.0f%% of %" PRIu64 " %s, %s/s, %s left", progress->label, bar,
		 part * 100, progress->total, progress->unit, count, left);
}

void progress_show(struct progress *progress, uint64_t done)
{
	char text[PROGRESS_TEXT_MAX];
	double time;

	if (!progress->visible)
		return;
	time = now();
	if (time - progress->shown < SHOW_EVERY)
		return;
	progress->shown = time;
	progress->drawn = true;
	progress_line(progress, done, time - progress->started, text);
	fprintf(stderr, "\r%s\033[K", text);
	fflush(stderr);
}

double progress_end(struct progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	progress->drawn = false;
	return now() - progress->started;
}
