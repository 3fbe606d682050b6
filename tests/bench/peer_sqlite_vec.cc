// SPDX-License-Identifier: Apache-2.0
/* sqlite-vec, loaded from the file that "extension=" names: the index "flat" in memory. */
#include "worker.h"

#include <memory>

#include <sqlite3.h>

namespace {

using namespace bench;

class statement {
public:
	statement(sqlite3 *base, const std::string &text)
	{
		if (sqlite3_prepare_v2(base, text.c_str(), -1, &own, nullptr) != SQLITE_OK)
			fail(text + ": " + sqlite3_errmsg(base));
	}
	~statement()
	{
		sqlite3_finalize(own);
	}
	statement(const statement &) = delete;
	sqlite3_stmt *get() { return own; }

private:
	sqlite3_stmt *own = nullptr;
};

void run(sqlite3 *base, const std::string &text)
{
	if (sqlite3_exec(base, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
		fail(text + ": " + sqlite3_errmsg(base));
}

class sqlite_searcher : public searcher {
public:
	sqlite_searcher(sqlite3 *base, const data_set &set)
		: find(base, "select rowid from v where e match ? and k = ? order by distance"), set(set)
	{
	}
	void search(uint32_t first, uint32_t count, uint32_t k, uint64_t *ids, double *) override
	{
		for (uint32_t i = 0; i < count; i++) {
			sqlite3_bind_blob(find.get(), 1, &set.query[uint64_t(first + i) * set.dim],
					  set.dim * sizeof(float), SQLITE_STATIC);
			sqlite3_bind_int(find.get(), 2, k);
			for (uint32_t rank = 0; sqlite3_step(find.get()) == SQLITE_ROW && rank < k; rank++)
				ids[uint64_t(i) * k + rank] = sqlite3_column_int64(find.get(), 0);
			sqlite3_reset(find.get());
		}
	}

private:
	statement find;
	const data_set &set;
};

class sqlite_system : public bench::system {
public:
	sqlite_system(const data_set &set, const std::string &extension) : set(set)
	{
		if (set.metric == "ip")
			fail("sqlite-vec has no inner product");
		if (sqlite3_open(":memory:", &base) != SQLITE_OK ||
		    sqlite3_enable_load_extension(base, 1) != SQLITE_OK ||
		    sqlite3_load_extension(base, extension.c_str(), nullptr, nullptr) != SQLITE_OK)
			fail("cannot load " + extension + ": " + sqlite3_errmsg(base));
	}
	~sqlite_system() override
	{
		sqlite3_close(base);
	}
	std::string version() const override
	{
		statement ask(base, "select vec_version()");

		sqlite3_step(ask.get());
		return reinterpret_cast<const char *>(sqlite3_column_text(ask.get(), 0));
	}
	std::string isa() const override
	{
		statement ask(base, "select vec_debug()");
		std::string text;

		sqlite3_step(ask.get());
		text = reinterpret_cast<const char *>(sqlite3_column_text(ask.get(), 0));
		return text.find("avx") != std::string::npos ? "avx" : "sse2";
	}
	figures build(const std::string &) override
	{
		std::vector<float> rows = set.read_floats(false);
		stopwatch time;
		figures out;

		run(base, "create virtual table v using vec0(e float[" + std::to_string(set.dim) +
				  "] distance_metric=" + (set.metric == "l2" ? "l2" : "cosine") + ")");
		run(base, "begin");
		statement insert(base, "insert into v(rowid, e) values (?, ?)");
		for (uint64_t row = 0; row < set.rows; row++) {
			sqlite3_bind_int64(insert.get(), 1, row);
			sqlite3_bind_blob(insert.get(), 2, &rows[row * set.dim], set.dim * sizeof(float),
					  SQLITE_STATIC);
			if (sqlite3_step(insert.get()) != SQLITE_DONE)
				fail(std::string("insert: ") + sqlite3_errmsg(base));
			sqlite3_reset(insert.get());
		}
		run(base, "commit");
		out["insert_rows_per_s"] = set.rows / time.wall_seconds();
		out["insert_rows_per_cpu_s"] = set.rows / time.cpu_seconds();
		return out;
	}
	searcher *open(const std::string &, const std::string &) override
	{
		return new sqlite_searcher(base, set);
	}

private:
	const data_set &set;
	sqlite3 *base = nullptr;
};

} // namespace

bench::system *bench::make_system(const data_set &set, const std::map<std::string, std::string> &options)
{
	return new sqlite_system(set, options.at("extension"));
}
