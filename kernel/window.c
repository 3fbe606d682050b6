// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: tables of the pages of a derived fork. Readers find records
 * without a lock; what they found stays in memory until their section of srcu
 * ends, although memory pressure may take the window's reference back
 * meanwhile.
 *
 * A page is verified once for the time that it is in the page cache: then its
 * folio is marked as checked. A page that was changed counts as checked; its
 * trailer is written when it goes to disk (vexfs_derived_stamp()).
 */
#include <linux/backing-dev.h>
#include <linux/sched/signal.h>
#include "derived.h"
#include "rows.h"

/* Entries of a table that memory pressure looks at in one go. */
#define VEXFS_SHRINK_PAGES	16384U

/* And that are copied in one go to a larger table. */
#define VEXFS_GROW_PAGES	(16U * BITS_PER_LONG)

/* Folios whose references are given back together. */
#define VEXFS_BATCH_FOLIOS	\
	((PAGE_SIZE - sizeof(struct vexfs_folio_batch)) / sizeof(void *))

/* Pages of a window at most: 512 GiB, whose table takes 1 GiB. */
#define VEXFS_WINDOW_PAGES_MAX	(1ULL << 27)

/* Blocks allocated in advance for a fork that grows, at most: 4 MiB. */
#define VEXFS_AHEAD_BLOCKS	1024U

/**
 * struct vexfs_window_table - the pages of a window
 * @rcu: for freeing it when no reader uses it any more
 * @pages: entries in @page
 * @kept: a bit for each page: it is not to be given back or written before the
 *	next checkpoint; behind the last entry of @page
 * @page: their addresses, or NULL
 */
struct vexfs_window_table {
	struct rcu_head rcu;
	u64 pages;
	unsigned long *kept;
	void *page[];
};

/**
 * struct vexfs_folio_batch - references on their way back
 * @rcu: for waiting until no reader can use them
 * @count: how many
 * @folios: the folios
 */
struct vexfs_folio_batch {
	struct rcu_head rcu;
	unsigned int count;
	struct folio *folios[];
};

DEFINE_STATIC_SRCU(vexfs_window_srcu);
/* Guards vexfs_windows; outside of the windows' own locks. */
static DEFINE_SPINLOCK(vexfs_windows_lock);
static LIST_HEAD(vexfs_windows);
static atomic_long_t vexfs_windows_resident;

static struct folio *vexfs_page_folio(const void *page)
{
	return page_folio(virt_to_page(page));
}

static struct address_space *vexfs_window_mapping(struct vexfs_window *window)
{
	return window->derived->fork->i_mapping;
}

/* Tables */

static struct vexfs_window_table *vexfs_table_new(u64 pages)
{
	struct vexfs_window_table *table;
	size_t bytes;

	bytes = struct_size(table, page, pages) +
		BITS_TO_LONGS(pages) * sizeof(long);
	table = kvzalloc(bytes, GFP_KERNEL);
	if (!table)
		return NULL;
	table->pages = pages;
	table->kept = (unsigned long *)&table->page[pages];
	return table;
}

static void vexfs_table_free(struct rcu_head *rcu)
{
	kvfree(container_of(rcu, struct vexfs_window_table, rcu));
}

/* The table for one who holds the window's lock or the fork's write_lock. */
static struct vexfs_window_table *vexfs_table(struct vexfs_window *window)
{
	return rcu_dereference_protected(window->table, true);
}

int vexfs_window_init(struct vexfs_window *window,
		      struct vexfs_derived *derived, u64 first,
		      u32 record_bytes, u64 pages)
{
	struct vexfs_window_table *table;

	if (first < VEX_DERIVED_SLOTS || first >= VEXFS_FILE_BLOCKS_MAX ||
	    pages > VEXFS_FILE_BLOCKS_MAX - first || record_bytes < 8 ||
	    record_bytes > VEX_RECORD_BYTES_MAX || record_bytes % 8)
		return -EUCLEAN;
	/* What a header claims must be in the file, and that on the volume. */
	if (pages && (first + pages > DIV_ROUND_UP_ULL(i_size_read(derived->fork),
						       VEX_PAGE_BYTES) ||
		      pages > VEXFS_SB(derived->fork->i_sb)->geo.blocks ||
		      pages > VEXFS_WINDOW_PAGES_MAX))
		return -EUCLEAN;
	memset(window, 0, sizeof(*window));
	table = vexfs_table_new(max_t(u64, pages, 8));
	if (!table)
		return -ENOMEM;
	window->derived = derived;
	window->first = first;
	vex_pages_init(&window->layout, record_bytes);
	rcu_assign_pointer(window->table, table);
	spin_lock_init(&window->lock);
	spin_lock(&vexfs_windows_lock);
	list_add_tail(&window->link, &vexfs_windows);
	spin_unlock(&vexfs_windows_lock);
	return 0;
}

void vexfs_window_exit(struct vexfs_window *window)
{
	struct vexfs_window_table *table = vexfs_table(window);
	u64 page;

	if (!table)
		return;
	spin_lock(&vexfs_windows_lock);
	list_del(&window->link);
	spin_unlock(&vexfs_windows_lock);
	for (page = 0; page < table->pages; page++) {
		if (table->page[page])
			folio_put(vexfs_page_folio(table->page[page]));
		if (!(page % 1024))
			cond_resched();
	}
	atomic_long_sub(window->resident, &vexfs_windows_resident);
	kvfree(table);
	RCU_INIT_POINTER(window->table, NULL);
}

/* Change an entry. */
static void vexfs_window_store(struct vexfs_window *window, u64 page,
			       void *address)
{
	lockdep_assert_held(&window->lock);
	/* Whoever finds the address finds the contents. */
	smp_store_release(&vexfs_table(window)->page[page], address);
	if (window->next)
		window->next->page[page] = address;
}

/*
 * Copy a table to a larger one, which takes its place. The lock is held for a
 * few pages at a time; what changes in those that were copied changes in both.
 */
static void vexfs_window_replace(struct vexfs_window *window,
				 struct vexfs_window_table *table)
{
	struct vexfs_window_table *old = vexfs_table(window);
	u64 page, count;

	spin_lock(&window->lock);
	window->next = table;
	spin_unlock(&window->lock);
	for (page = 0; page < old->pages; page += count) {
		count = min_t(u64, old->pages - page, VEXFS_GROW_PAGES);
		spin_lock(&window->lock);
		memcpy(&table->page[page], &old->page[page],
		       count * sizeof(*old->page));
		memcpy(&table->kept[BIT_WORD(page)], &old->kept[BIT_WORD(page)],
		       BITS_TO_LONGS(count) * sizeof(*old->kept));
		spin_unlock(&window->lock);
		cond_resched();
	}
	spin_lock(&window->lock);
	rcu_assign_pointer(window->table, table);
	window->next = NULL;
	spin_unlock(&window->lock);
	call_srcu(&vexfs_window_srcu, &old->rcu, vexfs_table_free);
}

int vexfs_window_grow(struct vexfs_window *window, u64 pages)
{
	struct vexfs_window_table *old = vexfs_table(window), *table;

	lockdep_assert_held(&window->derived->write_lock);
	if (pages <= old->pages)
		return 0;
	if (pages > VEXFS_WINDOW_PAGES_MAX ||
	    pages > VEXFS_FILE_BLOCKS_MAX - window->first)
		return -EFBIG;
	table = vexfs_table_new(max(pages, min(old->pages + old->pages / 2,
					       VEXFS_WINDOW_PAGES_MAX)));
	if (!table)
		return -ENOMEM;
	vexfs_window_replace(window, table);
	return 0;
}

/* Reading */

/* Put a page into the table, which takes a reference. */
static void vexfs_window_install(struct vexfs_window *window, u64 page,
				 struct folio *folio)
{
	struct vexfs_window_table *table = vexfs_table(window);

	lockdep_assert_held(&window->lock);
	if (page >= table->pages || table->page[page])
		return;
	folio_get(folio);
	window->resident++;
	atomic_long_inc(&vexfs_windows_resident);
	vexfs_window_store(window, page, folio_address(folio));
}

/* Is the page as it was written? Once for the time that it is in memory. */
static int vexfs_window_verify(struct vexfs_window *window, u64 page,
			       struct folio *folio)
{
	struct vexfs_derived *derived = window->derived;
	u64 seed = vex_derived_seed(derived->fork->i_ino, derived->generation,
				    window->first + page);
	int err = 0;

	if (folio_test_checked(folio))
		return 0;
	folio_lock(folio);
	if (folio->mapping != derived->fork->i_mapping)
		err = -ESTALE;
	else if (!folio_test_checked(folio) &&
		 !vex_derived_sound(folio_address(folio), seed))
		err = -EBADMSG;
	else
		folio_set_checked(folio);
	folio_unlock(folio);
	if (err == -EBADMSG && window->damaged)
		window->damaged(window, page);
	return err;
}

/* A page's folio with a reference, verified. */
static struct folio *vexfs_window_load(struct vexfs_window *window, u64 page)
{
	struct address_space *mapping = vexfs_window_mapping(window);
	struct folio *folio = ERR_PTR(-ESTALE);
	int err;

	if (fatal_signal_pending(current))
		return ERR_PTR(-EINTR);
	filemap_invalidate_lock_shared(mapping);
	if (!window->derived->gone)
		folio = read_mapping_folio(mapping, window->first + page, NULL);
	filemap_invalidate_unlock_shared(mapping);
	if (IS_ERR(folio))
		return folio;
	err = vexfs_window_verify(window, page, folio);
	if (!err)
		return folio;
	folio_put(folio);
	return ERR_PTR(err);
}

/* Is a page in the page cache, although not in the table? */
static bool vexfs_window_cached(struct vexfs_window *window, u64 page)
{
	struct folio *folio = vexfs_folio_get(vexfs_window_mapping(window),
					      window->first + page);
	bool cached = folio && folio_test_uptodate(folio);

	if (folio)
		folio_put(folio);
	return cached;
}

static void *vexfs_window_fault(const struct vex_pages *pages, u64 page,
				int *err)
{
	struct vexfs_window *window = pages->owner;
	struct folio *folio;
	void *data;

	if (pages->missed && !vexfs_window_cached(window, page))
		++*pages->missed;
	folio = vexfs_window_load(window, page);
	if (IS_ERR(folio)) {
		*err = PTR_ERR(folio);
		return NULL;
	}
	data = folio_address(folio);
	spin_lock(&window->lock);
	vexfs_window_install(window, page, folio);
	spin_unlock(&window->lock);
	/* The table's reference keeps it, for as long as readers may use it. */
	folio_put(folio);
	return data;
}

int vexfs_window_begin(struct vexfs_window *window, struct vex_pages *pages)
	__acquires(&vexfs_window_srcu)
{
	int cookie = srcu_read_lock(&vexfs_window_srcu);
	struct vexfs_window_table *table;

	table = srcu_dereference(window->table, &vexfs_window_srcu);
	*pages = window->layout;
	pages->page = table->page;
	pages->pages = table->pages;
	pages->fault = vexfs_window_fault;
	pages->owner = window;
	return cookie;
}

void vexfs_window_end(int cookie)
	__releases(&vexfs_window_srcu)
{
	srcu_read_unlock(&vexfs_window_srcu, cookie);
}

void vexfs_window_ahead(struct vexfs_window *window, u64 page, u64 count)
{
	if (!READ_ONCE(window->derived->gone))
		vexfs_pages_ahead(vexfs_window_mapping(window),
				  window->first + page, count);
}

/* Changing */

/* See that a page has blocks, and some of those after it. */
static int vexfs_window_blocks(struct vexfs_window *window, u64 index)
{
	struct inode *fork = window->derived->fork;
	struct vex_run run;
	int err;

	err = vexfs_extent_map(fork, index, &run);
	if (err || run.value)
		return err;
	return vexfs_extent_alloc(fork, index,
				  clamp_t(u64, index / 8, 1,
					  VEXFS_AHEAD_BLOCKS), &run);
}

void *vexfs_window_change(struct vexfs_window *window, u64 page, bool fresh,
			  int *err)
{
	struct address_space *mapping = vexfs_window_mapping(window);
	u64 index = window->first + page;
	struct folio *folio;

	lockdep_assert_held(&window->derived->write_lock);
	*err = -EUCLEAN;
	if (page >= vexfs_table(window)->pages)
		return NULL;
	*err = -ESTALE;
	if (window->derived->gone)
		return NULL;
	if (fresh) {
		*err = vexfs_window_blocks(window, index);
		if (*err)
			return NULL;
		folio = vexfs_folio_grab(mapping, index);
	} else {
		folio = vexfs_window_load(window, page);
		if (!IS_ERR(folio))
			folio_lock(folio);
	}
	if (IS_ERR(folio)) {
		*err = PTR_ERR(folio);
		return NULL;
	}
	/* What is being written must not change, or its trailer lies. */
	folio_wait_writeback(folio);
	if (fresh) {
		memset(folio_address(folio), 0, VEX_PAGE_BYTES);
		folio_mark_uptodate(folio);
		folio_set_checked(folio);
	}
	return folio_address(folio);
}

/* Keep a page of the table. */
static void vexfs_window_set_kept(struct vexfs_window *window, u64 page,
				  struct folio *folio)
{
	struct vexfs_window_table *table;

	spin_lock(&window->lock);
	table = vexfs_table(window);
	vexfs_window_install(window, page, folio);
	if (page < table->pages && !__test_and_set_bit(page, table->kept)) {
		window->kept++;
		if (window->next)
			__set_bit(page, window->next->kept);
	}
	spin_unlock(&window->lock);
}

void vexfs_window_changed(struct vexfs_window *window, u64 page, bool keep)
{
	struct address_space *mapping = vexfs_window_mapping(window);
	loff_t end = (loff_t)(window->first + page + 1) << PAGE_SHIFT;
	struct folio *folio;

	/* It is locked, so it is there. */
	folio = vexfs_folio_get(mapping, window->first + page);
	if (i_size_read(mapping->host) < end)
		i_size_write(mapping->host, end);
	if (keep) {
		vexfs_window_set_kept(window, page, folio);
	} else {
		spin_lock(&window->lock);
		vexfs_window_install(window, page, folio);
		spin_unlock(&window->lock);
		folio_mark_dirty(folio);
	}
	folio_unlock(folio);
	/* This look-up's reference, and that of vexfs_window_change(). */
	folio_put(folio);
	folio_put(folio);
}

void vexfs_window_keep(struct vexfs_window *window, u64 page)
{
	struct folio *folio;

	/*
	 * The table may have lost the page since it was found, but the page
	 * cache has not: the reference is given back after the reader.
	 */
	folio = vexfs_folio_get(vexfs_window_mapping(window),
				window->first + page);
	if (!folio)
		return;
	vexfs_window_set_kept(window, page, folio);
	folio_put(folio);
}

bool vexfs_window_laden(const struct vexfs_window *window)
{
	return READ_ONCE(window->kept) > totalram_pages() / 8;
}

void vexfs_window_release_kept(struct vexfs_window *window)
{
	struct vexfs_window_table *table = vexfs_table(window);
	struct folio *folio;
	u64 page;

	lockdep_assert_held(&window->derived->write_lock);
	for_each_set_bit(page, table->kept, table->pages) {
		/* Kept pages do not leave the table. */
		folio = vexfs_page_folio(table->page[page]);
		folio_lock(folio);
		folio_wait_writeback(folio);
		if (folio->mapping)
			folio_mark_dirty(folio);
		folio_unlock(folio);
		spin_lock(&window->lock);
		__clear_bit(page, table->kept);
		window->kept--;
		spin_unlock(&window->lock);
		cond_resched();
	}
}

/* Memory pressure */

static void vexfs_batch_free(struct rcu_head *rcu)
{
	struct vexfs_folio_batch *batch =
		container_of(rcu, struct vexfs_folio_batch, rcu);
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		folio_put(batch->folios[i]);
	free_page((unsigned long)batch);
}

/* Take references from a window until the batch is full. */
static void vexfs_window_shrink(struct vexfs_window *window,
				struct vexfs_folio_batch *batch,
				unsigned int most)
{
	struct vexfs_window_table *table;
	u64 left, page;

	spin_lock(&window->lock);
	table = vexfs_table(window);
	left = min_t(u64, table->pages, VEXFS_SHRINK_PAGES);
	for (; left && window->resident && batch->count < most; left--) {
		page = window->shrink_at < table->pages ? window->shrink_at : 0;
		window->shrink_at = page + 1;
		if (!table->page[page] || test_bit(page, table->kept))
			continue;
		batch->folios[batch->count++] =
			vexfs_page_folio(table->page[page]);
		vexfs_window_store(window, page, NULL);
		window->resident--;
	}
	spin_unlock(&window->lock);
}

static unsigned long vexfs_windows_count(struct shrinker *shrinker,
					 struct shrink_control *sc)
{
	long count = atomic_long_read(&vexfs_windows_resident);

	return count > 0 ? count : 0;
}

static unsigned long vexfs_windows_scan(struct shrinker *shrinker,
					struct shrink_control *sc)
{
	unsigned int most = min_t(unsigned long, sc->nr_to_scan,
				  VEXFS_BATCH_FOLIOS);
	struct vexfs_folio_batch *batch;
	struct vexfs_window *window;
	unsigned int count;

	batch = (void *)__get_free_page(GFP_NOWAIT | __GFP_NOWARN);
	if (!batch)
		return SHRINK_STOP;
	batch->count = 0;
	spin_lock(&vexfs_windows_lock);
	list_for_each_entry(window, &vexfs_windows, link) {
		if (window->resident)
			vexfs_window_shrink(window, batch, most);
		if (batch->count >= most)
			break;
	}
	/* The next call begins with another one. */
	if (!list_empty(&vexfs_windows))
		list_rotate_left(&vexfs_windows);
	spin_unlock(&vexfs_windows_lock);
	count = batch->count;
	atomic_long_sub(count, &vexfs_windows_resident);
	if (!count) {
		free_page((unsigned long)batch);
		return SHRINK_STOP;
	}
	call_srcu(&vexfs_window_srcu, &batch->rcu, vexfs_batch_free);
	return count;
}

VEXFS_SHRINKER(vexfs_windows_shrinker, vexfs_windows_count, vexfs_windows_scan);

int vexfs_window_setup(void)
{
	return vexfs_shrinker_register(&vexfs_windows_shrinker,
				       "vexfs-windows");
}

void vexfs_window_teardown(void)
{
	vexfs_shrinker_unregister(&vexfs_windows_shrinker);
	srcu_barrier(&vexfs_window_srcu);
}
