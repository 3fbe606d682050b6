// SPDX-License-Identifier: Apache-2.0
/*
 * Directories: each is visited once, from the root on; each name is where its
 * hash says and leads to an inode of its type; names are counted.
 */
#include "fsck.h"

#include <stdlib.h>

typedef unsigned long long ull;

/**
 * struct pending - directories that are still to be visited
 * @inos: their inodes
 * @count: how many
 * @room: room for so many
 */
struct pending {
	u64 *inos;
	u64 count;
	u64 room;
};

/**
 * struct visit - a directory being visited
 * @ino: the directory
 * @pending: directories found in it go here
 * @children: directories in it
 * @names: names in it
 * @hash: hash of the last name
 * @same: names of that hash, most recent last
 * @same_count: how many
 */
struct visit {
	u64 ino;
	struct pending *pending;
	u64 children;
	u64 names;
	u64 hash;
	struct {
		u8 length;
		char name[VEXFS_NAME_MAX];
	} same[VEXFS_DIR_COLLISIONS];
	u32 same_count;
};

static void push(struct fsck *fsck, struct pending *pending, u64 ino)
{
	if (pending->count == pending->room) {
		u64 room = pending->room ? pending->room * 2 : 1024;
		u64 *inos = realloc(pending->inos, room * sizeof(*inos));

		if (!inos) {
			fsck_fail(fsck, -ENOMEM, "walking the directories");
			return;
		}
		pending->inos = inos;
		pending->room = room;
	}
	fsck->inodes[ino] |= INO_CLAIMED;
	pending->inos[pending->count++] = ino;
}

/* Names of one hash have keys side by side: so has a name that is there twice. */
static void check_hash(struct fsck *fsck, struct visit *visit,
		       const struct vex_name *name)
{
	u64 hash = vex_dir_hash(name->name, name->length,
				le64_to_cpu(fsck->vol.super.sb_hash_seed));
	u64 given = name->key - name->key % VEXFS_DIR_COLLISIONS;

	if (given != hash)
		fsck_note_inode(fsck, visit->ino,
				"name \"%.*s\": d_key: not the hash of the name",
				name->length, name->name);
	if (!visit->same_count || given != visit->hash)
		visit->same_count = 0;
	visit->hash = given;
	for (u32 i = 0; i < visit->same_count; i++)
		if (visit->same[i].length == name->length &&
		    !memcmp(visit->same[i].name, name->name, name->length))
			fsck_note_inode(fsck, visit->ino,
					"name \"%.*s\": is there twice",
					name->length, name->name);
	if (visit->same_count < VEXFS_DIR_COLLISIONS) {
		visit->same[visit->same_count].length = name->length;
		memcpy(visit->same[visit->same_count].name, name->name,
		       name->length);
		visit->same_count++;
	}
}

/* A directory found: it has one name, and its parent is where that is. */
static void check_child(struct fsck *fsck, struct visit *visit,
			const struct vex_name *name)
{
	u64 child = name->ino;
	struct vexfs_disk_inode inode;

	visit->children++;
	if (fsck->inodes[child] & INO_NAMED || child == VEXFS_INO_ROOT) {
		fsck_note_inode(fsck, visit->ino,
				"name \"%.*s\": is a second name of directory %llu",
				name->length, name->name, (ull)child);
		return;
	}
	if (fsck_read_inode(fsck, child, &inode) &&
	    le64_to_cpu(inode.ino_parent) != visit->ino)
		fsck_note_inode(fsck, child,
				"ino_parent: %llu, but its name is in directory %llu",
				(ull)le64_to_cpu(inode.ino_parent),
				(ull)visit->ino);
	if (!(fsck->inodes[child] & INO_CLAIMED))
		push(fsck, visit->pending, child);
}

static const char *check_target(struct fsck *fsck, const struct vex_name *name)
{
	u8 known;

	if (!vex_inode_valid(&fsck->vol.geo, name->ino))
		return "is not on the volume";
	if (name->ino < VEXFS_INO_FIRST)
		return "is reserved";
	known = fsck->inodes[name->ino];
	if (known & INO_FORK)
		return "is a fork";
	if (!(known & INO_TYPE))
		return "is free";
	if ((known & INO_TYPE) != INO_TYPE_UNKNOWN &&
	    (known & INO_TYPE) != name->type)
		return "is of another type than d_type says";
	return NULL;
}

static void visit_name(struct fsck_walk *walk, const struct vex_name *name)
{
	struct visit *visit = walk->ctx;
	struct fsck *fsck = walk->fsck;
	const char *what = check_target(fsck, name);
	u64 *more;

	visit->names++;
	check_hash(fsck, visit, name);
	if (what) {
		fsck_note_inode(fsck, visit->ino,
				"name \"%.*s\": leads to inode %llu, which %s",
				name->length, name->name, (ull)name->ino,
				what);
		return;
	}
	if ((fsck->inodes[name->ino] & INO_TYPE) == INO_TYPE_DIR) {
		check_child(fsck, visit, name);
	} else if (fsck->inodes[name->ino] & INO_NAMED) {
		more = number_map_add(&fsck->more_names, name->ino);
		if (more)
			++*more;
		else
			fsck_fail(fsck, -ENOMEM, "counting names");
	}
	fsck->inodes[name->ino] |= INO_NAMED;
}

static void visit_directory(struct fsck *fsck, struct pending *pending,
			    u64 ino)
{
	struct visit visit = { .ino = ino, .pending = pending };
	struct fsck_walk walk = {
		.fsck = fsck,
		.ino = ino,
		.name = visit_name,
		.ctx = &visit,
	};
	struct vexfs_disk_inode inode;
	u32 links;

	if (!fsck_read_inode(fsck, ino, &inode))
		return;
	fsck_walk(&walk, &inode.ino_root);
	if (walk.damaged)
		return;
	links = le32_to_cpu(inode.ino_links);
	if (!links) {
		if (visit.names)
			fsck_note_inode(fsck, ino,
					"was removed, but holds %llu names",
					(ull)visit.names);
	} else if (links != visit.children + 2) {
		fsck_note_inode(fsck, ino,
				"ino_links: %u, but it has %llu with %llu directories in it",
				links, (ull)visit.children + 2,
				(ull)visit.children);
	}
}

static void visit_pending(struct fsck *fsck, struct pending *pending)
{
	while (pending->count)
		visit_directory(fsck, pending, pending->inos[--pending->count]);
}

static bool is_removed(struct fsck *fsck, u64 ino)
{
	struct vexfs_disk_inode inode;

	return fsck->inodes[ino] & INO_ORPHAN &&
	       fsck_read_inode(fsck, ino, &inode) && !inode.ino_links;
}

void fsck_directories(struct fsck *fsck)
{
	struct pending pending = { 0 };

	fsck_step(fsck, "directories");
	if ((fsck->inodes[VEXFS_INO_ROOT] & INO_TYPE) == INO_TYPE_DIR) {
		push(fsck, &pending, VEXFS_INO_ROOT);
		visit_pending(fsck, &pending);
	}
	for (u64 ino = VEXFS_INO_FIRST; ino < fsck->inodes_bytes; ino++) {
		if ((fsck->inodes[ino] & INO_TYPE) != INO_TYPE_DIR ||
		    fsck->inodes[ino] & INO_CLAIMED)
			continue;
		if (!is_removed(fsck, ino))
			fsck_note_inode(fsck, ino,
					"cannot be reached from the root directory");
		push(fsck, &pending, ino);
		visit_pending(fsck, &pending);
	}
	free(pending.inos);
}

static void locate_name(struct fsck_walk *walk, const struct vex_name *name)
{
	struct fsck *fsck = walk->fsck;
	u64 *at = number_map_get(&fsck->places, name->ino);
	struct fsck_place *place;

	if (!at || *at)
		return;
	place = realloc(fsck->place,
			(fsck->place_count + 1) * sizeof(*place));
	if (!place)
		return;
	fsck->place = place;
	place += fsck->place_count;
	place->parent = walk->ino;
	memcpy(place->name, name->name, name->length);
	place->name[name->length] = 0;
	*at = ++fsck->place_count;
}

/* Adds the directories above an inode to those whose names are wanted. */
static bool want_parents(struct fsck *fsck)
{
	struct vexfs_disk_inode inode;
	u64 before = fsck->places.used;

	for (u64 i = 0; i < fsck->place_count; i++) {
		u64 ino = fsck->place[i].parent;

		while (ino && ino != VEXFS_INO_ROOT &&
		       !number_map_get(&fsck->places, ino)) {
			number_map_add(&fsck->places, ino);
			if (!fsck_read_inode(fsck, ino, &inode))
				break;
			ino = le64_to_cpu(inode.ino_parent);
		}
	}
	return fsck->places.used > before;
}

static void locate_all(struct fsck *fsck)
{
	struct vexfs_disk_inode inode;

	for (u64 ino = VEXFS_INO_ROOT; ino < fsck->inodes_bytes; ino++) {
		struct fsck_walk walk = {
			.fsck = fsck,
			.ino = ino,
			.name = locate_name,
		};

		if ((fsck->inodes[ino] & INO_TYPE) == INO_TYPE_DIR &&
		    fsck_read_inode(fsck, ino, &inode))
			fsck_walk(&walk, &inode.ino_root);
	}
}

void fsck_locate(struct fsck *fsck)
{
	bool wanted = false;

	for (u64 i = 0; i < fsck->kept; i++)
		if (fsck->findings[i].ino) {
			number_map_add(&fsck->places, fsck->findings[i].ino);
			wanted = true;
		}
	if (!wanted)
		return;
	locate_all(fsck);
	if (want_parents(fsck))
		locate_all(fsck);
}
