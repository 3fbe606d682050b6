// SPDX-License-Identifier: Apache-2.0
/*
 * FAISS: indexes "flat", "ivfflat/LISTS", "hnsw", "pq4fs/PARTS" and
 * "ivfpq4fs/LISTS/PARTS"; the last two re-rank exactly. Efforts: "nprobe=N", "ef=N",
 * "refine=N" (how many times k rows are looked at exactly), with commas between.
 */
#include "worker.h"

#include <algorithm>
#include <memory>
#include <sstream>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQFastScan.h>
#include <faiss/IndexPQFastScan.h>
#include <faiss/IndexRefine.h>
#include <faiss/utils/utils.h>
#include <omp.h>

namespace {

using namespace bench;

constexpr uint64_t insert_bytes = 1 << 20;
constexpr int links = 16, build_effort = 200;

struct built {
	std::unique_ptr<faiss::IndexFlat> coarse;
	std::unique_ptr<faiss::Index> index;
	std::unique_ptr<faiss::IndexRefineFlat> refined;

	faiss::Index &top() { return refined ? *refined : *index; }
};

class faiss_searcher : public searcher {
public:
	faiss_searcher(faiss::Index &index, const std::vector<float> &queries, uint32_t dim)
		: index(index), queries(queries), dim(dim)
	{
	}
	void search(uint32_t first, uint32_t count, uint32_t k, uint64_t *ids, double *) override
	{
		distances.resize(uint64_t(count) * k);
		labels.resize(uint64_t(count) * k);
		index.search(count, &queries[uint64_t(first) * dim], k, distances.data(), labels.data());
		std::copy(labels.begin(), labels.end(), ids);
	}

private:
	faiss::Index &index;
	const std::vector<float> &queries;
	std::vector<float> distances;
	std::vector<int64_t> labels;
	uint32_t dim;
};

class faiss_system : public bench::system {
public:
	explicit faiss_system(const data_set &set) : set(set), queries(set.query)
	{
		omp_set_num_threads(1);
		if (set.metric == "cosine")
			normalize(queries.data(), set.queries, set.dim);
	}
	std::string version() const override
	{
		return std::to_string(FAISS_VERSION_MAJOR) + "." + std::to_string(FAISS_VERSION_MINOR) + "." +
		       std::to_string(FAISS_VERSION_PATCH);
	}
	std::string isa() const override
	{
		std::string options = faiss::get_compile_options();

		return options.find("AVX512") != std::string::npos ? "avx512" :
		       options.find("AVX2") != std::string::npos   ? "avx2" :
								     "sse2";
	}
	figures build(const std::string &name) override
	{
		std::vector<float> rows = set.read_floats(true);
		built &one = indexes[name];
		figures out;

		make(name, one);
		stopwatch train;
		one.top().train(set.rows, rows.data());
		out["train_seconds"] = train.wall_seconds();
		uint64_t batch = std::max<uint64_t>(insert_bytes / sizeof(float) / set.dim, 1);
		for (uint64_t row = 0; row < set.rows; row += batch) {
			uint64_t count = std::min(batch, set.rows - row);

			one.top().add(count, &rows[row * set.dim]);
		}
		out[name == "flat" ? "insert_rows_per_s" : "build_rows_per_s"] = set.rows / train.wall_seconds();
		out[name == "flat" ? "insert_rows_per_cpu_s" : "build_rows_per_cpu_s"] = set.rows / train.cpu_seconds();
		return out;
	}
	searcher *open(const std::string &name, const std::string &effort) override
	{
		built &one = indexes.at(name);

		if (auto *ivf = dynamic_cast<faiss::IndexIVF *>(one.index.get()))
			ivf->nprobe = effort_of(effort, "nprobe", 1);
		if (auto *hnsw = dynamic_cast<faiss::IndexHNSW *>(one.index.get()))
			hnsw->hnsw.efSearch = effort_of(effort, "ef", 16);
		if (one.refined)
			one.refined->k_factor = effort_of(effort, "refine", 1);
		return new faiss_searcher(one.top(), queries, set.dim);
	}

private:
	faiss::MetricType metric() const
	{
		return set.metric == "l2" ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT;
	}
	/* Rows of length 1 have the same neighbours by l2, which suits product quantisers better. */
	faiss::MetricType metric_of_codes() const
	{
		return set.metric == "ip" ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
	}
	void make(const std::string &name, built &one)
	{
		std::istringstream in(name);
		std::string kind, number;
		std::vector<size_t> numbers;

		std::getline(in, kind, '/');
		while (std::getline(in, number, '/'))
			numbers.push_back(std::stoul(number));
		numbers.resize(2);
		if (kind == "flat")
			one.index = std::make_unique<faiss::IndexFlat>(set.dim, metric());
		else if (kind == "hnsw")
			one.index = make_graph();
		else if (kind == "pq4fs")
			one.index = std::make_unique<faiss::IndexPQFastScan>(set.dim, numbers[0], 4, metric_of_codes());
		else if (kind != "ivfflat" && kind != "ivfpq4fs")
			fail("no such index: " + name);
		if (!one.index) {
			one.coarse = std::make_unique<faiss::IndexFlat>(
				set.dim, kind == "ivfflat" ? metric() : metric_of_codes());
			if (kind == "ivfflat")
				one.index = std::make_unique<faiss::IndexIVFFlat>(one.coarse.get(), set.dim,
										  numbers[0], metric());
			else
				one.index = std::make_unique<faiss::IndexIVFPQFastScan>(
					one.coarse.get(), set.dim, numbers[0], numbers[1], 4, metric_of_codes());
		}
		if (kind == "pq4fs" || kind == "ivfpq4fs")
			one.refined = std::make_unique<faiss::IndexRefineFlat>(one.index.get());
	}
	std::unique_ptr<faiss::Index> make_graph() const
	{
		auto graph = std::make_unique<faiss::IndexHNSWFlat>(set.dim, links, metric());

		graph->hnsw.efConstruction = build_effort;
		return graph;
	}
	const data_set &set;
	std::vector<float> queries;
	std::map<std::string, built> indexes;
};

} // namespace

bench::system *bench::make_system(const data_set &set, const std::map<std::string, std::string> &)
{
	return new faiss_system(set);
}
