// SPDX-License-Identifier: Apache-2.0
/*
 * The map of numbers: linear probing, never more than half full.
 */
#include "number_map.h"

#include <stdlib.h>

#define NUMBER_MAP_ROOM_MIN 1024U

/* Where a number is, or the free place where it belongs; room is not 0. */
static struct number_pair *find(const struct number_map *map, u64 key)
{
	u64 at = (key * 0x9e3779b97f4a7c15ULL >> 32) & (map->room - 1);

	while (map->pairs[at].used && map->pairs[at].key != key)
		at = (at + 1) & (map->room - 1);
	return &map->pairs[at];
}

static bool grow(struct number_map *map)
{
	struct number_map larger = {
		.room = map->room ? map->room * 2 : NUMBER_MAP_ROOM_MIN,
		.used = map->used,
	};

	larger.pairs = calloc(larger.room, sizeof(*larger.pairs));
	if (!larger.pairs)
		return false;
	for (u64 i = 0; i < map->room; i++)
		if (map->pairs[i].used)
			*find(&larger, map->pairs[i].key) = map->pairs[i];
	free(map->pairs);
	*map = larger;
	return true;
}

u64 *number_map_get(const struct number_map *map, u64 key)
{
	struct number_pair *pair;

	if (!map->used)
		return NULL;
	pair = find(map, key);
	return pair->used ? &pair->value : NULL;
}

u64 *number_map_add(struct number_map *map, u64 key)
{
	struct number_pair *pair;

	if (map->used * 2 >= map->room && !grow(map))
		return NULL;
	pair = find(map, key);
	if (!pair->used) {
		pair->used = true;
		pair->key = key;
		map->used++;
	}
	return &pair->value;
}

void number_map_free(struct number_map *map)
{
	free(map->pairs);
	memset(map, 0, sizeof(*map));
}
