// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extended attributes: one block per inode, allocated with the first of them
 * and freed with the last. A change is worked out, and is known to fit, before
 * a byte of the block is altered. xattr_sem guards block and block number;
 * nothing is allocated in memory while it is held for reading, as reclaim
 * might wait for a handle whose owner waits for xattr_sem.
 *
 * "vexfs.schema" is not kept here: vector.c shows and stores it.
 */
#include <linux/iversion.h>
#include <linux/security.h>
#include <linux/xattr.h>
#include "vexfs.h"

#define VEXFS_XATTR_PREFIX	"vexfs."
#define VEXFS_SCHEMA_NAME	(VEXFS_XATTR_SCHEMA + sizeof(VEXFS_XATTR_PREFIX) - 1)

/* What is looked for, as in struct vexfs_disk_xattr. */
struct xattr_key {
	u8 space;
	u8 length;
	const char *name;
};

/*
 * Where a key is in a block: @at is the entry or, if there is none, where one
 * belongs; @bytes are the entry's, 0 if there is none.
 */
struct xattr_place {
	u32 at;
	u32 bytes;
};

static u32 xattr_entry_bytes(u32 name_length, u32 value_length)
{
	return ALIGN(sizeof(struct vexfs_disk_xattr) + name_length +
		     value_length, 8);
}

static u32 xattr_bytes(const struct vexfs_disk_xattr *entry)
{
	return xattr_entry_bytes(entry->x_name_length,
				 le16_to_cpu(entry->x_value_length));
}

static const struct vexfs_disk_xattr *
xattr_at(const struct vexfs_disk_xattr_block *block, u32 at)
{
	return (const void *)(block->xb_data + at);
}

static int xattr_compare(const struct vexfs_disk_xattr *entry,
			 const struct xattr_key *key)
{
	int order;

	if (entry->x_space != key->space)
		return entry->x_space < key->space ? -1 : 1;
	order = memcmp(entry->x_data, key->name,
		       min(entry->x_name_length, key->length));
	return order ? order : entry->x_name_length - key->length;
}

static struct xattr_place
xattr_find(const struct vexfs_disk_xattr_block *block,
	   const struct xattr_key *key)
{
	u32 end = le16_to_cpu(block->xb_bytes);
	struct xattr_place place = { };

	while (place.at < end) {
		const struct vexfs_disk_xattr *entry = xattr_at(block, place.at);
		int order = xattr_compare(entry, key);

		if (order >= 0) {
			place.bytes = order ? 0 : xattr_bytes(entry);
			break;
		}
		place.at += xattr_bytes(entry);
	}
	return place;
}

/* Read an inode's block and verify it. */
static struct buffer_head *xattr_read(struct inode *inode)
{
	u64 number = VEXFS_I(inode)->xattr_block;
	struct buffer_head *bh;
	const char *what;
	bool fresh;
	int err;

	bh = vexfs_meta_read(inode->i_sb, number, VEXFS_MAGIC_XATTR,
			     inode->i_ino, &fresh);
	if (IS_ERR(bh) || !fresh)
		return bh;
	what = vex_xattr_check((const void *)bh->b_data);
	if (what) {
		brelse(bh);
		err = vexfs_corrupt(inode->i_sb, number, inode->i_ino,
				    -EUCLEAN, what);
		return ERR_PTR(err);
	}
	vexfs_meta_verified(bh);
	return bh;
}

static int xattr_key_init(struct xattr_key *key, u8 space, const char *name)
{
	size_t length = strlen(name);

	if (length > XATTR_NAME_MAX)
		return -ERANGE;
	key->space = space;
	key->length = length;
	key->name = name;
	return 0;
}

static int xattr_copy(const struct vexfs_disk_xattr_block *block,
		      const struct xattr_key *key, void *value, size_t size)
{
	struct xattr_place place = xattr_find(block, key);
	const struct vexfs_disk_xattr *entry = xattr_at(block, place.at);
	u32 bytes;

	if (!place.bytes)
		return -ENODATA;
	bytes = le16_to_cpu(entry->x_value_length);
	if (!value)
		return bytes;
	if (size < bytes)
		return -ERANGE;
	memcpy(value, entry->x_data + entry->x_name_length, bytes);
	return bytes;
}

int vexfs_xattr_get(struct inode *inode, u8 space, const char *name,
		    void *value, size_t size)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct buffer_head *bh;
	struct xattr_key key;
	int ret;

	ret = xattr_key_init(&key, space, name);
	if (ret)
		return ret;
	down_read(&info->xattr_sem);
	ret = -ENODATA;
	if (!info->xattr_block)
		goto out_unlock;
	bh = xattr_read(inode);
	if (IS_ERR(bh)) {
		ret = PTR_ERR(bh);
		goto out_unlock;
	}
	ret = xattr_copy((const void *)bh->b_data, &key, value, size);
	brelse(bh);
out_unlock:
	up_read(&info->xattr_sem);
	return ret;
}

/*
 * Put an entry, or nothing if @bytes is 0, in the place of what is at @place.
 * That it fits was checked.
 */
static void xattr_replace(struct vexfs_disk_xattr_block *block,
			  struct xattr_place place, const struct xattr_key *key,
			  const void *value, size_t size, u32 bytes)
{
	struct vexfs_disk_xattr *entry = (void *)(block->xb_data + place.at);
	u32 end = le16_to_cpu(block->xb_bytes);
	u32 rest = place.at + place.bytes;
	u32 new_end = end - place.bytes + bytes;

	memmove(block->xb_data + place.at + bytes, block->xb_data + rest,
		end - rest);
	if (new_end < end)
		memset(block->xb_data + new_end, 0, end - new_end);
	block->xb_bytes = cpu_to_le16(new_end);
	le16_add_cpu(&block->xb_count, !!bytes - !!place.bytes);
	if (!bytes)
		return;
	memset(entry, 0, bytes);
	entry->x_space = key->space;
	entry->x_name_length = key->length;
	entry->x_value_length = cpu_to_le16(size);
	memcpy(entry->x_data, key->name, key->length);
	memcpy(entry->x_data + key->length, value, size);
}

/* Allocate an inode's block; it is empty. */
static struct buffer_head *xattr_new(handle_t *handle, struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	struct buffer_head *bh;
	u64 block;
	u32 count;
	int err;

	block = vexfs_alloc_blocks(handle, sb, 0, 1, 0, &count, &err);
	if (!block)
		return ERR_PTR(err);
	bh = vexfs_meta_new(handle, sb, block, VEXFS_MAGIC_XATTR,
			    inode->i_ino);
	if (IS_ERR(bh)) {
		vexfs_free_blocks(handle, sb, block, 1);
		return bh;
	}
	VEXFS_I(inode)->xattr_block = block;
	vexfs_blocks_charge(inode, 1);
	return bh;
}

/* Free an inode's block. Takes the reference @bh. */
static int xattr_drop(handle_t *handle, struct inode *inode,
		      struct buffer_head *bh)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	int err;

	err = vexfs_meta_forget(handle, bh);
	if (!err)
		err = vexfs_free_blocks(handle, inode->i_sb, info->xattr_block,
					1);
	if (err)
		return err;
	info->xattr_block = 0;
	vexfs_blocks_charge(inode, -1);
	return 0;
}

static int xattr_set_first(handle_t *handle, struct inode *inode,
			   const struct xattr_key *key, const void *value,
			   size_t size, int flags, u32 bytes)
{
	struct buffer_head *bh;
	int err;

	if (flags & XATTR_REPLACE)
		return -ENODATA;
	if (!value)
		return 0;
	bh = xattr_new(handle, inode);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	xattr_replace((void *)bh->b_data, (struct xattr_place){ }, key, value,
		      size, bytes);
	err = vexfs_meta_dirty(handle, bh);
	brelse(bh);
	return err;
}

static int xattr_set_in_block(handle_t *handle, struct inode *inode,
			      const struct xattr_key *key, const void *value,
			      size_t size, int flags, u32 bytes)
{
	struct vexfs_disk_xattr_block *block;
	struct xattr_place place;
	struct buffer_head *bh;
	u32 end;
	int err;

	bh = xattr_read(inode);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	block = (void *)bh->b_data;
	end = le16_to_cpu(block->xb_bytes);
	place = xattr_find(block, key);

	err = -EEXIST;
	if (place.bytes && flags & XATTR_CREATE)
		goto out_release;
	err = flags & XATTR_REPLACE ? -ENODATA : 0;
	if (!place.bytes && (err || !value))
		goto out_release;
	err = -ENOSPC;
	if (end - place.bytes + bytes > VEXFS_XATTR_BYTES)
		goto out_release;
	if (!value && end == place.bytes)
		return xattr_drop(handle, inode, bh);
	err = vexfs_meta_access(handle, bh);
	if (err)
		goto out_release;
	xattr_replace(block, place, key, value, size, bytes);
	err = vexfs_meta_dirty(handle, bh);
out_release:
	brelse(bh);
	return err;
}

int vexfs_xattr_set(handle_t *handle, struct inode *inode, u8 space,
		    const char *name, const void *value, size_t size,
		    int flags)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct xattr_key key;
	u32 bytes = 0;
	int err;

	err = xattr_key_init(&key, space, name);
	if (err)
		return err;
	if (value) {
		if (size > VEXFS_XATTR_BYTES)
			return -ENOSPC;
		bytes = xattr_entry_bytes(key.length, size);
		if (bytes > VEXFS_XATTR_BYTES)
			return -ENOSPC;
	}
	down_write(&info->xattr_sem);
	if (info->xattr_block)
		err = xattr_set_in_block(handle, inode, &key, value, size,
					 flags, bytes);
	else
		err = xattr_set_first(handle, inode, &key, value, size, flags,
				      bytes);
	if (!err) {
		vexfs_touch_c(inode);
		inode_inc_iversion(inode);
		err = vexfs_inode_write(handle, inode);
	}
	up_write(&info->xattr_sem);
	return err;
}

int vexfs_xattr_free(handle_t *handle, struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct buffer_head *bh;
	int err = 0;

	down_write(&info->xattr_sem);
	if (info->xattr_block) {
		bh = xattr_read(inode);
		if (IS_ERR(bh))
			err = PTR_ERR(bh);
		else
			err = xattr_drop(handle, inode, bh);
	}
	up_write(&info->xattr_sem);
	return err;
}

/* The handlers of the VFS. Their flags are VEXFS_XATTR_*. */

static int vexfs_handler_get(const struct xattr_handler *handler,
			     struct dentry *dentry, struct inode *inode,
			     const char *name, void *value, size_t size)
{
	return vexfs_xattr_get(inode, handler->flags, name, value, size);
}

static int vexfs_handler_set(const struct xattr_handler *handler,
			     vexfs_idmap_t *idmap, struct dentry *dentry,
			     struct inode *inode, const char *name,
			     const void *value, size_t size, int flags)
{
	int err, end, tries = 0;
	handle_t *handle;

	do {
		handle = vexfs_journal_start(inode->i_sb, VEXFS_CREDITS_XATTR,
					     VEXFS_REVOKES_XATTR);
		if (IS_ERR(handle))
			return PTR_ERR(handle);
		err = vexfs_xattr_set(handle, inode, handler->flags, name,
				      value, size, flags);
		if (!err && IS_SYNC(inode))
			handle->h_sync = 1;
		end = vexfs_journal_stop(handle);
		if (!err)
			err = end;
		/* With a block, it is the block that is full. */
	} while (err == -ENOSPC && size <= VEXFS_XATTR_BYTES &&
		 !READ_ONCE(VEXFS_I(inode)->xattr_block) &&
		 vexfs_alloc_retry(inode->i_sb, &tries));
	return err;
}

static int vexfs_handler_get_schema(const struct xattr_handler *handler,
			    struct dentry *dentry, struct inode *inode,
			    const char *name, void *value, size_t size)
{
	if (strcmp(name, VEXFS_SCHEMA_NAME))
		return -EOPNOTSUPP;
	return vexfs_schema_show(inode, value, size);
}

/* A schema can be set and set again, not removed. */
static int vexfs_handler_set_schema(const struct xattr_handler *handler,
			    vexfs_idmap_t *idmap, struct dentry *dentry,
			    struct inode *inode, const char *name,
			    const void *value, size_t size, int flags)
{
	int present = vexfs_handler_get_schema(handler, dentry, inode, name, NULL, 0);

	if (present < 0 && present != -ENODATA)
		return present;
	if (!value)
		return -EOPNOTSUPP;
	if (present >= 0 && flags & XATTR_CREATE)
		return -EEXIST;
	if (present < 0 && flags & XATTR_REPLACE)
		return -ENODATA;
	/* What others' new files become is not for all who may write here. */
	if (S_ISDIR(inode->i_mode) && !inode_owner_or_capable(idmap, inode))
		return -EPERM;
	return vexfs_schema_store(inode, value, size);
}

static const struct xattr_handler vexfs_user_handler = {
	.prefix	= XATTR_USER_PREFIX,
	.flags	= VEXFS_XATTR_USER,
	.get	= vexfs_handler_get,
	.set	= vexfs_handler_set,
};

static const struct xattr_handler vexfs_trusted_handler = {
	.prefix	= XATTR_TRUSTED_PREFIX,
	.flags	= VEXFS_XATTR_TRUSTED,
	.get	= vexfs_handler_get,
	.set	= vexfs_handler_set,
};

static const struct xattr_handler vexfs_security_handler = {
	.prefix	= XATTR_SECURITY_PREFIX,
	.flags	= VEXFS_XATTR_SECURITY,
	.get	= vexfs_handler_get,
	.set	= vexfs_handler_set,
};

static const struct xattr_handler vexfs_schema_handler = {
	.prefix	= VEXFS_XATTR_PREFIX,
	.get	= vexfs_handler_get_schema,
	.set	= vexfs_handler_set_schema,
};

VEXFS_XATTR_ARRAY vexfs_xattr_array[] = {
	&vexfs_user_handler,
	&vexfs_trusted_handler,
	&vexfs_security_handler,
	&vexfs_schema_handler,
	VEXFS_ACL_XATTR_HANDLERS
	NULL
};

const vexfs_xattr_handlers_t vexfs_xattr_handlers = vexfs_xattr_array;

/* The prefix of a space's names; NULL if the caller does not see the space. */
static const char *xattr_space_prefix(struct inode *inode, u8 space)
{
	switch (space) {
	case VEXFS_XATTR_USER:
		return XATTR_USER_PREFIX;
	case VEXFS_XATTR_TRUSTED:
		return capable(CAP_SYS_ADMIN) ? XATTR_TRUSTED_PREFIX : NULL;
	case VEXFS_XATTR_SECURITY:
		return XATTR_SECURITY_PREFIX;
	case VEXFS_XATTR_ACL_ACCESS:
		return IS_POSIXACL(inode) ? XATTR_NAME_POSIX_ACL_ACCESS : NULL;
	case VEXFS_XATTR_ACL_DEFAULT:
		return IS_POSIXACL(inode) ? XATTR_NAME_POSIX_ACL_DEFAULT : NULL;
	}
	return NULL;
}

/* Append a name to a list that may have no buffer, as in listxattr(2). */
static int xattr_list_add(char *buffer, size_t size, ssize_t *used,
			  const char *prefix, const u8 *name, u32 length)
{
	size_t head = strlen(prefix);

	if (buffer) {
		if (size - *used < head + length + 1)
			return -ERANGE;
		memcpy(buffer + *used, prefix, head);
		memcpy(buffer + *used + head, name, length);
		buffer[*used + head + length] = 0;
	}
	*used += head + length + 1;
	return 0;
}

static int xattr_list_block(struct inode *inode, char *buffer, size_t size,
			    ssize_t *used)
{
	const struct vexfs_disk_xattr_block *block;
	struct buffer_head *bh = xattr_read(inode);
	u32 at = 0, end;
	int err = 0;

	if (IS_ERR(bh))
		return PTR_ERR(bh);
	block = (const void *)bh->b_data;
	end = le16_to_cpu(block->xb_bytes);
	while (at < end && !err) {
		const struct vexfs_disk_xattr *entry = xattr_at(block, at);
		const char *prefix = xattr_space_prefix(inode, entry->x_space);

		if (prefix)
			err = xattr_list_add(buffer, size, used, prefix,
					     entry->x_data,
					     entry->x_name_length);
		at += xattr_bytes(entry);
	}
	brelse(bh);
	return err;
}

ssize_t vexfs_listxattr(struct dentry *dentry, char *buffer, size_t size)
{
	struct inode *inode = d_inode(dentry);
	struct vexfs_inode_info *info = VEXFS_I(inode);
	ssize_t used = 0;
	int err = 0;

	if (READ_ONCE(info->flags) & VEXFS_INO_FLAG_VECTOR)
		err = xattr_list_add(buffer, size, &used, VEXFS_XATTR_SCHEMA,
				     NULL, 0);
	if (err)
		return err;
	down_read(&info->xattr_sem);
	if (info->xattr_block)
		err = xattr_list_block(inode, buffer, size, &used);
	up_read(&info->xattr_sem);
	return err ? err : used;
}
