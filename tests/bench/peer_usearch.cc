// SPDX-License-Identifier: Apache-2.0
/* usearch: the index "hnsw" of float32, M=16, expansion_add=200; effort "ef=N". */
#include "worker.h"

#include <usearch/index_dense.hpp>

namespace {

using namespace bench;
using unum::usearch::index_dense_config_t;
using unum::usearch::index_dense_t;
using unum::usearch::metric_kind_t;
using unum::usearch::metric_punned_t;
using unum::usearch::scalar_kind_t;

constexpr size_t links = 16, build_effort = 200;

class usearch_searcher : public searcher {
public:
	usearch_searcher(const index_dense_t &graph, const data_set &set) : graph(graph), set(set)
	{
	}
	void search(uint32_t first, uint32_t count, uint32_t k, uint64_t *ids, double *) override
	{
		for (uint32_t i = 0; i < count; i++) {
			auto found = graph.search(&set.query[uint64_t(first + i) * set.dim], k);

			if (!found)
				fail("usearch: a search failed");
			for (size_t rank = 0; rank < found.size(); rank++)
				ids[uint64_t(i) * k + rank] = found[rank].member.key;
		}
	}

private:
	const index_dense_t &graph;
	const data_set &set;
};

class usearch_system : public bench::system {
public:
	explicit usearch_system(const data_set &set) : set(set), kind(metric())
	{
	}
	std::string version() const override
	{
		return std::to_string(USEARCH_VERSION_MAJOR) + "." + std::to_string(USEARCH_VERSION_MINOR) + "." +
		       std::to_string(USEARCH_VERSION_PATCH);
	}
	std::string isa() const override
	{
		return kind.isa_name();
	}
	figures build(const std::string &) override
	{
		std::vector<float> rows = set.read_floats(false);
		index_dense_config_t config(links);
		figures out;

		config.expansion_add = build_effort;
		auto made = index_dense_t::make(kind, config);
		if (!made)
			fail("usearch: no index");
		graph = std::move(made.index);
		stopwatch time;
		if (!graph.try_reserve({ set.rows, 1 }))
			fail("usearch: no memory");
		for (uint64_t row = 0; row < set.rows; row++)
			if (!graph.add(row, &rows[row * set.dim]))
				fail("usearch: a row was not added");
		out["build_rows_per_s"] = set.rows / time.wall_seconds();
		out["build_rows_per_cpu_s"] = set.rows / time.cpu_seconds();
		return out;
	}
	searcher *open(const std::string &, const std::string &effort) override
	{
		graph.change_expansion_search(effort_of(effort, "ef", 64));
		return new usearch_searcher(graph, set);
	}

private:
	metric_punned_t metric() const
	{
		return metric_punned_t(set.dim,
				       set.metric == "l2" ? metric_kind_t::l2sq_k :
				       set.metric == "ip" ? metric_kind_t::ip_k :
							    metric_kind_t::cos_k,
				       scalar_kind_t::f32_k);
	}
	const data_set &set;
	metric_punned_t kind;
	index_dense_t graph;
};

} // namespace

bench::system *bench::make_system(const data_set &set, const std::map<std::string, std::string> &)
{
	return new usearch_system(set);
}
