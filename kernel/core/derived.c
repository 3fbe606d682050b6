// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Derived forks on disk: header slots and trailers. */
#include "derived.h"

VEX_ASSERT_SIZE(struct vexfs_disk_trailer, VEX_PAGE_TRAILER_BYTES);

u64 vex_derived_seed(u64 fork, u64 generation, u64 page)
{
	__le64 place[3] = {
		cpu_to_le64(fork), cpu_to_le64(generation), cpu_to_le64(page),
	};

	return vex_xxh64(place, sizeof(place), 0);
}

static struct vexfs_disk_trailer *trailer_of(const void *page)
{
	return (void *)((char *)page + VEX_RECORD_BYTES_MAX);
}

void vex_derived_stamp(void *page, u64 seed)
{
	struct vexfs_disk_trailer *trailer = trailer_of(page);

	trailer->t_checksum = cpu_to_le64(vex_xxh64(page, VEX_RECORD_BYTES_MAX,
						    seed));
	trailer->t_reserved = 0;
}

bool vex_derived_sound(const void *page, u64 seed)
{
	const struct vexfs_disk_trailer *trailer = trailer_of(page);

	return !trailer->t_reserved &&
	       le64_to_cpu(trailer->t_checksum) ==
	       vex_xxh64(page, VEX_RECORD_BYTES_MAX, seed);
}

/* The checksum is the last field. */
static u64 header_checksum(const struct vexfs_disk_derived *header)
{
	return vex_xxh64(header, offsetof(struct vexfs_disk_derived,
					  dv_checksum), 0);
}

void vex_derived_seal(struct vexfs_disk_derived *header)
{
	header->dv_magic = cpu_to_le32(VEXFS_MAGIC_DERIVED);
	header->dv_version = cpu_to_le32(VEXFS_DERIVED_VERSION);
	header->dv_checksum = cpu_to_le64(header_checksum(header));
}

static const char *check_regions(const struct vexfs_disk_derived *header)
{
	u64 end = VEX_DERIVED_SLOTS;
	u32 i;

	for (i = 0; i < VEXFS_DERIVED_REGIONS; i++) {
		const struct vexfs_disk_region *region = &header->dv_regions[i];
		u64 first = le64_to_cpu(region->rg_first);
		u64 pages = le64_to_cpu(region->rg_pages);

		if (!pages) {
			if (first)
				return "rg_first: of a region without pages";
			continue;
		}
		if (first < end || first >= VEXFS_FILE_BLOCKS_MAX ||
		    pages > VEXFS_FILE_BLOCKS_MAX - first)
			return "rg_first, rg_pages: not in order, or too far";
		end = first + pages;
	}
	return NULL;
}

const char *vex_derived_check(const struct vexfs_disk_derived *header, u64 fork)
{
	u32 kind = le32_to_cpu(header->dv_kind);

	if (le32_to_cpu(header->dv_magic) != VEXFS_MAGIC_DERIVED)
		return "dv_magic: not that of a header";
	if (le64_to_cpu(header->dv_checksum) != header_checksum(header))
		return "dv_checksum: wrong";
	if (le32_to_cpu(header->dv_version) != VEXFS_DERIVED_VERSION)
		return "dv_version: not known";
	if (le64_to_cpu(header->dv_fork) != fork)
		return "dv_fork: not its own number";
	if (!kind || kind >= VEXFS_DERIVED_KINDS)
		return "dv_kind: not known";
	if (le32_to_cpu(header->dv_parameter_bytes) >
	    VEXFS_DERIVED_PARAMETERS)
		return "dv_parameter_bytes: too many";
	if (!vex_is_zero(header->dv_reserved, sizeof(header->dv_reserved)))
		return "dv_reserved: not zero";
	return check_regions(header);
}

const struct vexfs_disk_derived *
vex_derived_choose(const struct vexfs_disk_derived *const slots[2], u64 fork)
{
	const struct vexfs_disk_derived *best = NULL;
	u32 i;

	for (i = 0; i < VEX_DERIVED_SLOTS; i++)
		if (!vex_derived_check(slots[i], fork) &&
		    (!best || le64_to_cpu(slots[i]->dv_sequence) >
			      le64_to_cpu(best->dv_sequence)))
			best = slots[i];
	return best;
}
