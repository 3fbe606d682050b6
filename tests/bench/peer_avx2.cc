// SPDX-License-Identifier: Apache-2.0
/* The brute force of brute_avx2.c: the index "flat", on bytes where the set has bytes. */
#include "worker.h"

#include <algorithm>

#include "brute_avx2.h"

namespace {

using namespace bench;

class avx2_searcher : public searcher {
public:
	avx2_searcher(const brute_base &base, const char *queries) : base(base), queries(queries)
	{
	}
	void search(uint32_t first, uint32_t count, uint32_t k, uint64_t *ids, double *) override
	{
		results.resize(uint64_t(count) * k);
		brute_avx2_search(&base, queries + first * row_bytes, count, k, results.data());
		std::transform(results.begin(), results.end(), ids, [](const brute_result &one) { return one.id; });
	}

private:
	const brute_base &base;
	const uint64_t row_bytes = base.dim * (base.bytes ? 1 : sizeof(float));
	const char *queries;
	std::vector<brute_result> results;
};

class avx2_system : public bench::system {
public:
	explicit avx2_system(const data_set &set)
		: set(set), queries(set.query), narrow(set.query.begin(), set.query.end())
	{
		if (set.metric == "cosine")
			normalize(queries.data(), set.queries, set.dim);
	}
	std::string version() const override
	{
		return "1";
	}
	std::string isa() const override
	{
		return "avx2";
	}
	figures build(const std::string &) override
	{
		bytes = set.bytes && set.metric != "cosine";
		if (bytes)
			raw = set.read_rows();
		else
			rows = set.read_floats(true);
		base = { bytes ? static_cast<void *>(raw.data()) : rows.data(), set.rows, set.dim, bytes,
			 set.metric != "l2" };
		return {};
	}
	searcher *open(const std::string &, const std::string &) override
	{
		return new avx2_searcher(base, bytes ? reinterpret_cast<const char *>(narrow.data()) :
						       reinterpret_cast<const char *>(queries.data()));
	}

private:
	const data_set &set;
	std::vector<float> queries, rows;
	std::vector<uint8_t> narrow;
	std::vector<char> raw;
	bool bytes = false;
	brute_base base = {};
};

} // namespace

bench::system *bench::make_system(const data_set &set, const std::map<std::string, std::string> &)
{
	return new avx2_system(set);
}
