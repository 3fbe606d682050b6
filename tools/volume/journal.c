// SPDX-License-Identifier: Apache-2.0
/*
 * Finding a volume's journal: its inode, where its blocks are, its superblock.
 * replay.c reads the log itself.
 */
#include "journal.h"
#include "crc32c.h"

#include <stdlib.h>

/* Longer journals than this are not VexFS's; bounds the map in memory. */
#define JOURNAL_BLOCKS_MAX (1U << 24)

static u32 super_checksum(const struct jbd2_super *super)
{
	struct jbd2_super copy = *super;

	copy.s_checksum = 0;
	return crc32c(~0U, &copy, sizeof(copy));
}

void journal_super_init(void *block, u32 blocks, const u8 *uuid)
{
	struct jbd2_super *super = block;

	memset(block, 0, VEXFS_BLOCK_SIZE);
	super->s_header.h_magic = htobe32(JBD2_MAGIC);
	super->s_header.h_blocktype = htobe32(JBD2_SUPER_V2);
	super->s_blocksize = htobe32(VEXFS_BLOCK_SIZE);
	super->s_maxlen = htobe32(blocks);
	super->s_first = htobe32(1);
	super->s_sequence = htobe32(1);
	super->s_feature_incompat = htobe32(JBD2_INCOMPAT);
	memcpy(super->s_uuid, uuid, sizeof(super->s_uuid));
	super->s_nr_users = htobe32(1);
	super->s_checksum_type = JBD2_CHECKSUM_CRC32C;
	super->s_checksum = htobe32(super_checksum(super));
}

static const char *check_super(const struct journal *journal)
{
	const struct jbd2_super *super = &journal->super;
	u32 first = be32toh(super->s_first);
	u32 start = be32toh(super->s_start);

	if (be32toh(super->s_header.h_magic) != JBD2_MAGIC)
		return "h_magic: not a jbd2 journal";
	if (be32toh(super->s_header.h_blocktype) != JBD2_SUPER_V2)
		return "h_blocktype: not a version 2 superblock";
	if (be32toh(super->s_checksum) != super_checksum(super))
		return "s_checksum: the journal's superblock is damaged";
	if (be32toh(super->s_blocksize) != VEXFS_BLOCK_SIZE)
		return "s_blocksize: not 4096";
	if (be32toh(super->s_maxlen) != journal->blocks)
		return "s_maxlen: not the length of the journal's inode";
	if (!first || first >= journal->blocks)
		return "s_first: outside of the journal";
	if (start && (start < first || start >= journal->blocks))
		return "s_start: outside of the journal";
	if (be32toh(super->s_feature_incompat) != JBD2_INCOMPAT ||
	    super->s_feature_compat || super->s_feature_ro_compat)
		return "s_feature_incompat: not revoke, 64bit and checksums v3";
	if (super->s_checksum_type != JBD2_CHECKSUM_CRC32C)
		return "s_checksum_type: not crc32c";
	if (memcmp(super->s_uuid, journal->vol->geo.meta_uuid,
		   sizeof(super->s_uuid)))
		return "s_uuid: the journal of another filesystem";
	return NULL;
}

/* The inode's record, verified without its block's checksum. */
static int read_inode(struct journal *journal, const char **what)
{
	struct volume *vol = journal->vol;
	struct vexfs_disk_inode_block block;
	struct vexfs_disk_inode *inode = &journal->inode;
	u64 number, group;
	u32 slot;
	int ret;

	number = vex_inode_block(&vol->geo, VEXFS_INO_JOURNAL, &slot);
	group = number / VEXFS_GROUP_BLOCKS;
	ret = volume_read(vol, number, &block);
	if (ret) {
		*what = "its inode cannot be read";
		return ret;
	}
	*what = vex_header_check(&block, VEXFS_MAGIC_INODES, number, group,
				 vol->geo.meta_uuid);
	if (*what)
		return -EUCLEAN;
	*inode = block.ib_inodes[slot];
	*what = vex_inode_check(inode, VEXFS_INO_JOURNAL, &vol->geo);
	if (*what)
		return -EUCLEAN;
	if ((le16_to_cpu(inode->ino_mode) & 0170000) != 0100000 ||
	    inode->ino_flags || le32_to_cpu(inode->ino_links) != 1 ||
	    inode->ino_parent || inode->ino_next_orphan) {
		*what = "its inode is not that of a journal";
		return -EUCLEAN;
	}
	return 0;
}

/* Where each block is; the tree's own blocks never change after mkfs. */
static int read_map(struct journal *journal, const char **what)
{
	struct volume_tree vt;
	struct vex_run run;
	u64 at = 0;
	int ret;

	volume_tree_init(&vt, journal->vol, VEXFS_INO_JOURNAL,
			 &journal->inode.ino_root);
	while (at < journal->blocks) {
		ret = vex_tree_find(&vt.tree, at, &run);
		if (ret && ret != -ENOENT) {
			*what = "its tree is damaged";
			return ret;
		}
		if (ret || run.key > at || run.flags) {
			*what = "some of its blocks are not allocated and written";
			return -EUCLEAN;
		}
		if (!vex_range_is_data(&journal->vol->geo, run.value,
				       run.length)) {
			*what = "r_value: outside of the data area";
			return -EUCLEAN;
		}
		for (; at < journal->blocks && at - run.key < run.length; at++)
			journal->map[at] = run.value + (at - run.key);
	}
	return 0;
}

int journal_open(struct journal *journal, struct volume *vol,
		 const char **what)
{
	u8 block[VEXFS_BLOCK_SIZE];
	u64 size;
	int ret;

	memset(journal, 0, sizeof(*journal));
	journal->vol = vol;
	ret = read_inode(journal, what);
	if (ret)
		return ret;
	size = le64_to_cpu(journal->inode.ino_size);
	if (size % VEXFS_BLOCK_SIZE ||
	    size / VEXFS_BLOCK_SIZE < JBD2_BLOCKS_MIN ||
	    size / VEXFS_BLOCK_SIZE > JOURNAL_BLOCKS_MAX) {
		*what = "ino_size: not that of a journal";
		return -EUCLEAN;
	}
	journal->blocks = (u32)(size / VEXFS_BLOCK_SIZE);
	journal->map = calloc(journal->blocks, sizeof(*journal->map));
	if (!journal->map) {
		*what = "not enough memory";
		return -ENOMEM;
	}
	ret = read_map(journal, what);
	if (ret)
		goto out_close;
	ret = volume_read(vol, journal->map[0], block);
	if (ret) {
		*what = "its superblock cannot be read";
		goto out_close;
	}
	memcpy(&journal->super, block, sizeof(journal->super));
	*what = check_super(journal);
	if (*what) {
		ret = -EUCLEAN;
		goto out_close;
	}
	journal->seed = crc32c(~0U, journal->super.s_uuid,
			       sizeof(journal->super.s_uuid));
	return 0;

out_close:
	journal_close(journal);
	return ret;
}

void journal_close(struct journal *journal)
{
	free(journal->map);
	journal->map = NULL;
}

bool journal_needs_replay(const struct journal *journal)
{
	return journal->super.s_start != 0;
}
