/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The on-disk format of the kernel's journal, jbd2, as far as VexFS uses it:
 * version 2 superblock, 64-bit block numbers, version 3 checksums. Everything
 * is big-endian. docs/format.md says which of jbd2's choices are made.
 */
#ifndef VOLUME_JBD2_H
#define VOLUME_JBD2_H

#include "port.h"

#define JBD2_MAGIC			0xc03b3998U
#define JBD2_DESCRIPTOR			1U
#define JBD2_COMMIT			2U
#define JBD2_SUPER_V2			4U
#define JBD2_REVOKE			5U

#define JBD2_INCOMPAT_REVOKE		0x01U
#define JBD2_INCOMPAT_64BIT		0x02U
#define JBD2_INCOMPAT_CSUM_V3		0x10U
#define JBD2_INCOMPAT			(JBD2_INCOMPAT_REVOKE | \
					 JBD2_INCOMPAT_64BIT | \
					 JBD2_INCOMPAT_CSUM_V3)
#define JBD2_CHECKSUM_CRC32C		4

#define JBD2_BLOCKS_MIN			1024U

/* First bytes of every block of the log but those that are logged. */
struct jbd2_header {
	__be32 h_magic;
	__be32 h_blocktype;
	__be32 h_sequence;
};

/* Block 0 of the journal; the checksum covers this structure. */
struct jbd2_super {
	struct jbd2_header s_header;
	__be32 s_blocksize;
	__be32 s_maxlen;	/* blocks of the journal */
	__be32 s_first;		/* first block of the log */
	__be32 s_sequence;	/* of the first transaction in the log */
	__be32 s_start;		/* its block; 0: nothing to replay */
	__be32 s_errno;		/* why the journal was aborted */
	__be32 s_feature_compat;
	__be32 s_feature_incompat;
	__be32 s_feature_ro_compat;
	u8 s_uuid[16];
	__be32 s_nr_users;
	__be32 s_dynsuper;
	__be32 s_max_transaction;
	__be32 s_max_trans_data;
	u8 s_checksum_type;
	u8 s_padding2[3];
	__be32 s_num_fc_blks;
	__be32 s_head;
	__be32 s_padding[40];
	__be32 s_checksum;	/* crc32c with this field as 0 */
	u8 s_users[768];
};

VEX_ASSERT_SIZE(struct jbd2_super, 1024);
VEX_ASSERT_OFFSET(struct jbd2_super, s_uuid, 48);
VEX_ASSERT_OFFSET(struct jbd2_super, s_checksum_type, 80);
VEX_ASSERT_OFFSET(struct jbd2_super, s_checksum, 252);

/* One of the blocks that follow a descriptor; 16 bytes of UUID may follow. */
struct jbd2_tag {
	__be32 t_blocknr;
	__be32 t_flags;
	__be32 t_blocknr_high;
	__be32 t_checksum;	/* crc32c of UUID, sequence, block */
};

VEX_ASSERT_SIZE(struct jbd2_tag, 16);

#define JBD2_TAG_ESCAPE		1U	/* its first 4 bytes were the magic */
#define JBD2_TAG_SAME_UUID	2U	/* no UUID follows */
#define JBD2_TAG_LAST		8U

struct jbd2_revoke {
	struct jbd2_header r_header;
	__be32 r_count;		/* bytes in use, this structure included */
};

struct jbd2_commit {
	struct jbd2_header c_header;
	u8 c_chksum_type;
	u8 c_chksum_size;
	u8 c_padding[2];
	__be32 c_chksum[8];	/* the first: of UUID and this block */
	__be64 c_commit_sec;
	__be32 c_commit_nsec;
};

VEX_ASSERT_OFFSET(struct jbd2_commit, c_commit_sec, 48);

#endif /* VOLUME_JBD2_H */
