/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the stress test share.
 */
#ifndef STRESS_H
#define STRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/vexfs.h>

#define DIM		16
#define ROW		(DIM * sizeof(float))

/* Report something wrong. */
__attribute__((format(printf, 1, 2)))
void wrong(const char *fmt, ...);

/* May an error be, as space runs out and others take rows away? */
bool allowed(int error);

/* A call failed: something wrong, unless it is allowed(). */
void failed(const char *what);

/* A random number below @n. */
uint32_t below(uint32_t n);

uint64_t mix(uint64_t a, uint64_t b);

/* A number that no other process, and no other call, gives. */
uint64_t new_nonce(void);

/* A row begins with its nonce of 48 bits, the rest follows from that. */
void row_fill(float *row, uint64_t nonce);
double row_distance(const float *a, const float *b);
double distance_of(const struct vexfs_result *result);

/* The columns of all vector files. What is in them follows from the id. */
#define COLUMNS		2
extern const struct vexfs_column stress_columns[COLUMNS];

/* One operation on a vector file, about its index or its attributes. */
void do_index(int fd, bool own_ids);
/* The same about the index only. */
void do_build(int fd);
/* What the default search finds must be among @right. */
void check_default(int fd, const float *query, uint32_t k,
		   const struct vexfs_result *right, uint32_t count);

/* One operation on a shared ordinary file. */
void do_plain(void);

/* Verify all shared ordinary files. */
void check_plain(void);

#endif /* STRESS_H */
