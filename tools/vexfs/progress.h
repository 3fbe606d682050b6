/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line on the terminal that says how far a long operation is. Silent when
 * standard error is no terminal.
 */
#ifndef VEXFS_PROGRESS_H
#define VEXFS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Room that the line needs. */
#define PROGRESS_TEXT_MAX 200

/**
 * struct progress - an operation under way
 * @label: what it does
 * @unit: what is counted, in the plural
 * @total: how many there will be, UINT64_MAX if that is not known
 * @started: when it began, in seconds
 * @shown: when the line was last written
 * @visible: is there a terminal
 * @drawn: is a line there that must be wiped
 */
struct progress {
	const char *label;
	const char *unit;
	uint64_t total;
	double started;
	double shown;
	bool visible;
	bool drawn;
};

/**
 * progress_begin - begin
 * @progress: filled in
 * @label: what the operation does; must outlive @progress
 * @unit: what is counted; must outlive @progress
 * @total: how many there will be, UINT64_MAX if that is not known
 */
void progress_begin(struct progress *progress, const char *label, const char *unit,
		    uint64_t total);

/**
 * progress_show - say how far it is, at most ten times a second
 * @progress: the operation
 * @done: how many are done
 */
void progress_show(struct progress *progress, uint64_t done);

/**
 * progress_end - wipe the line
 * @progress: the operation
 *
 * Return: seconds since the beginning.
 */
double progress_end(struct progress *progress);

/**
 * progress_line - the text of the line
 * @progress: the operation
 * @done: how many are done
 * @seconds: since the beginning
 * @text: room for PROGRESS_TEXT_MAX bytes
 */
void progress_line(const struct progress *progress, uint64_t done, double seconds, char *text);

#endif /* VEXFS_PROGRESS_H */
