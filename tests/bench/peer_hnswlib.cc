// SPDX-License-Identifier: Apache-2.0
/* hnswlib: the index "hnsw", M=16, efConstruction=200; effort "ef=N". */
#include "worker.h"

#include <memory>

#include <hnswlib/hnswlib.h>

namespace {

using namespace bench;

constexpr size_t links = 16, build_effort = 200;

class hnswlib_searcher : public searcher {
public:
	hnswlib_searcher(hnswlib::HierarchicalNSW<float> &graph, const std::vector<float> &queries, uint32_t dim)
		: graph(graph), queries(queries), dim(dim)
	{
	}
	void search(uint32_t first, uint32_t count, uint32_t k, uint64_t *ids, double *) override
	{
		for (uint32_t i = 0; i < count; i++) {
			auto found = graph.searchKnn(&queries[uint64_t(first + i) * dim], k);

			/* the farthest comes first */
			for (size_t rank = found.size(); rank-- > 0; found.pop())
				ids[uint64_t(i) * k + rank] = found.top().second;
		}
	}

private:
	hnswlib::HierarchicalNSW<float> &graph;
	const std::vector<float> &queries;
	uint32_t dim;
};

class hnswlib_system : public bench::system {
public:
	hnswlib_system(const data_set &set, const std::string &number)
		: set(set), number(number), queries(set.query)
	{
		if (set.metric == "l2")
			space = std::make_unique<hnswlib::L2Space>(set.dim);
		else
			space = std::make_unique<hnswlib::InnerProductSpace>(set.dim);
		if (set.metric == "cosine")
			normalize(queries.data(), set.queries, set.dim);
	}
	std::string version() const override
	{
		return number;
	}
	std::string isa() const override
	{
		return compiled_isa();
	}
	figures build(const std::string &) override
	{
		std::vector<float> rows = set.read_floats(true);
		stopwatch time;
		figures out;

		graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(space.get(), set.rows, links, build_effort);
		for (uint64_t row = 0; row < set.rows; row++)
			graph->addPoint(&rows[row * set.dim], row);
		out["build_rows_per_s"] = set.rows / time.wall_seconds();
		out["build_rows_per_cpu_s"] = set.rows / time.cpu_seconds();
		return out;
	}
	searcher *open(const std::string &, const std::string &effort) override
	{
		graph->setEf(effort_of(effort, "ef", 100));
		return new hnswlib_searcher(*graph, queries, set.dim);
	}

private:
	const data_set &set;
	const std::string number; /* the headers do not tell */
	std::vector<float> queries;
	std::unique_ptr<hnswlib::SpaceInterface<float>> space;
	std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;
};

} // namespace

bench::system *bench::make_system(const data_set &set, const std::map<std::string, std::string> &options)
{
	return new hnswlib_system(set, options.at("version"));
}
