/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map from 64-bit numbers (blocks, inodes) to 64-bit values: an open hash
 * table that grows.
 */
#ifndef VOLUME_NUMBER_MAP_H
#define VOLUME_NUMBER_MAP_H

#include "port.h"

/**
 * struct number_pair - a place of the table
 * @key: the number
 * @value: its value
 * @used: is there one?
 */
struct number_pair {
	u64 key;
	u64 value;
	bool used;
};

/**
 * struct number_map - a map; all zero is an empty one
 * @pairs: places, of which at most half are used
 * @room: how many, a power of two, or 0
 * @used: how many are used
 */
struct number_map {
	struct number_pair *pairs;
	u64 room;
	u64 used;
};

/**
 * number_map_get() - look a number up
 * @map: the map
 * @key: the number
 *
 * Return: its value, which may be changed until the next number_map_add(), or
 * NULL.
 */
u64 *number_map_get(const struct number_map *map, u64 key);

/**
 * number_map_add() - look a number up, or add it
 * @map: the map
 * @key: the number
 *
 * Return: its value, 0 at first, as number_map_get(); NULL without memory.
 */
u64 *number_map_add(struct number_map *map, u64 key);

/**
 * number_map_free() - free a map's memory; it is empty afterwards
 * @map: the map
 */
void number_map_free(struct number_map *map);

#endif /* VOLUME_NUMBER_MAP_H */
