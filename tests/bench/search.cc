// SPDX-License-Identifier: Apache-2.0
/*
 * Times exact searches of one data set by VexFS, FAISS Flat and AVX2 brute force in
 * turns, in one process on one CPU: queries one by one, and 100 in a call.
 *
 * Usage: search_bench FILE ROWS QUERIES DIM f32|u8 l2|ip ROUNDS SINGLES ANSWERS
 * FILE is made on VexFS from ROWS; ROWS and QUERIES are bare matrices of the type.
 * Prints a line for each run: SYSTEM single|batch QUERIES SECONDS CPU-SECONDS, and
 * "agree SYSTEM SHARE" for the share of VexFS' results that the others have too;
 * VexFS' answers of the batch go to ANSWERS, to be judged elsewhere.
 */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <time.h>
#include <unistd.h>
#include <vector>

#include <faiss/IndexFlat.h>
#include <omp.h>

#include <vexfs.h>

#include "brute_avx2.h"

namespace {

constexpr uint32_t neighbours = 10;
constexpr uint32_t batch = 100;

struct setting {
	std::string file;
	std::vector<char> rows, queries;
	uint32_t dim;
	bool bytes, inner_product;
	uint64_t count;
	size_t row_bytes;
};

[[noreturn]] void fail(const std::string &what)
{
	fprintf(stderr, "search_bench: %s\n", what.c_str());
	exit(1);
}

void check(enum vexfs_operation operation, int error, const std::string &file)
{
	char text[512];

	if (!error)
		return;
	vexfs_explain(operation, error, file.c_str(), VEXFS_UNKNOWN, text, sizeof(text));
	fail(text);
}

std::vector<char> load(const char *name)
{
	std::ifstream in(name, std::ios::binary);

	if (!in)
		fail(std::string("cannot read ") + name);
	return { std::istreambuf_iterator<char>(in), {} };
}

double seconds_of(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

std::vector<float> widen(const std::vector<char> &data, bool bytes)
{
	std::vector<float> wide(bytes ? data.size() : data.size() / sizeof(float));

	if (!bytes)
		memcpy(wide.data(), data.data(), data.size());
	for (size_t i = 0; bytes && i < wide.size(); i++)
		wide[i] = static_cast<uint8_t>(data[i]);
	return wide;
}

/* One of the systems: answers queries first .. first + count - 1 with ids. */
class searcher {
public:
	virtual ~searcher() = default;
	virtual const char *name() const = 0;
	virtual void search(uint32_t first, uint32_t count, std::vector<uint64_t> &ids) = 0;
};

class vexfs_searcher : public searcher {
public:
	explicit vexfs_searcher(const setting &set) : set(set)
	{
		fd = open(set.file.c_str(), O_RDWR | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			fail("cannot make " + set.file);
		schema.dim = set.dim;
		schema.element = set.bytes ? VEXFS_ELEMENT_U8 : VEXFS_ELEMENT_F32;
		schema.metric = set.inner_product ? VEXFS_METRIC_IP : VEXFS_METRIC_L2;
		schema.ids = VEXFS_IDS_AUTO;
		check(VEXFS_OPERATION_SCHEMA_SET, vexfs_schema_set(fd, &schema), set.file);
		for (uint64_t row = 0; row < set.count; row += 1000) {
			uint64_t part = std::min<uint64_t>(1000, set.count - row);

			check(VEXFS_OPERATION_INSERT,
			      vexfs_insert(fd, set.rows.data() + row * set.row_bytes,
					   part * set.row_bytes, part, nullptr, nullptr, nullptr),
			      set.file);
		}
		fsync(fd);
		check(VEXFS_OPERATION_SCHEMA_GET, vexfs_schema_get(fd, &schema), set.file);
	}
	~vexfs_searcher() override
	{
		close(fd);
	}
	const char *name() const override
	{
		return "vexfs";
	}
	void search(uint32_t first, uint32_t count, std::vector<uint64_t> &ids) override
	{
		struct vexfs_knn_search search;

		results.resize(count * neighbours);
		vexfs_knn_init(&search, &schema, 0, set.queries.data() + first * set.row_bytes, count,
			       neighbours, results.data(), nullptr);
		search.flags = VEXFS_SEARCH_EXACT;
		check(VEXFS_OPERATION_KNN, vexfs_knn(fd, &search), set.file);
		ids.resize(results.size());
		for (size_t i = 0; i < results.size(); i++)
			ids[i] = results[i].id;
	}
	std::vector<vexfs_result> results;

private:
	const setting &set;
	struct vexfs_schema schema = {};
	int fd;
};

class faiss_searcher : public searcher {
public:
	explicit faiss_searcher(const setting &set)
		: dim(set.dim), queries(widen(set.queries, set.bytes)),
		  index(set.dim, set.inner_product ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2)
	{
		index.add(set.count, widen(set.rows, set.bytes).data());
	}
	const char *name() const override
	{
		return "faiss-flat";
	}
	void search(uint32_t first, uint32_t count, std::vector<uint64_t> &ids) override
	{
		distances.resize(count * neighbours);
		labels.resize(count * neighbours);
		index.search(count, queries.data() + size_t(first) * dim, neighbours, distances.data(),
			     labels.data());
		ids.assign(labels.begin(), labels.end());
	}

private:
	uint32_t dim;
	std::vector<float> queries, distances;
	std::vector<faiss::Index::idx_t> labels;
	faiss::IndexFlat index;
};

class avx2_searcher : public searcher {
public:
	explicit avx2_searcher(const setting &set) : set(set)
	{
		base = { set.rows.data(), set.count, set.dim, set.bytes, set.inner_product };
	}
	const char *name() const override
	{
		return "avx2";
	}
	void search(uint32_t first, uint32_t count, std::vector<uint64_t> &ids) override
	{
		results.resize(count * neighbours);
		brute_avx2_search(&base, set.queries.data() + first * set.row_bytes, count, neighbours,
				  results.data());
		ids.resize(results.size());
		for (size_t i = 0; i < results.size(); i++)
			ids[i] = results[i].id;
	}

private:
	const setting &set;
	struct brute_base base;
	std::vector<brute_result> results;
};

void time_run(searcher &system, uint32_t singles, bool print)
{
	std::vector<uint64_t> ids;

	for (uint32_t count : { 1u, batch }) {
		uint32_t total = count == 1 ? singles : batch;
		double begin = seconds_of(CLOCK_MONOTONIC);
		double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);

		for (uint32_t query = 0; query < total; query += count)
			system.search(query, count, ids);
		cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		if (print)
			printf("%s %s %u %.9f %.9f\n", system.name(), count == 1 ? "single" : "batch",
			       total, seconds_of(CLOCK_MONOTONIC) - begin, cpu);
		fflush(stdout);
	}
}

/* The share of ids of the first batch that both have; float32 may differ in a tie. */
double agreement(searcher &one, searcher &other)
{
	std::vector<uint64_t> a, b;
	size_t same = 0;

	one.search(0, batch, a);
	other.search(0, batch, b);
	for (uint32_t query = 0; query < batch; query++) {
		std::set<uint64_t> found(b.begin() + query * neighbours, b.begin() + (query + 1) * neighbours);

		for (uint32_t i = 0; i < neighbours; i++)
			same += found.count(a[query * neighbours + i]);
	}
	return double(same) / a.size();
}

/* For each query a count and its results, as tests/recall reads them. */
void save(const char *name, const std::vector<vexfs_result> &results)
{
	std::ofstream out(name, std::ios::binary);
	uint64_t count = neighbours;

	for (size_t i = 0; i < results.size(); i += neighbours) {
		out.write(reinterpret_cast<const char *>(&count), sizeof(count));
		out.write(reinterpret_cast<const char *>(&results[i]), neighbours * sizeof(results[i]));
	}
	if (!out.flush())
		fail(std::string("cannot write ") + name);
}

} // namespace

int main(int argc, char **argv)
{
	if (argc != 10)
		fail("Usage: search_bench FILE ROWS QUERIES DIM f32|u8 l2|ip ROUNDS SINGLES ANSWERS");
	setting set = {};
	set.file = argv[1];
	set.rows = load(argv[2]);
	set.queries = load(argv[3]);
	set.dim = strtoul(argv[4], nullptr, 10);
	set.bytes = !strcmp(argv[5], "u8");
	set.inner_product = !strcmp(argv[6], "ip");
	set.row_bytes = set.dim * (set.bytes ? 1 : sizeof(float));
	set.count = set.rows.size() / set.row_bytes;
	unsigned long rounds = strtoul(argv[7], nullptr, 10), singles = strtoul(argv[8], nullptr, 10);

	omp_set_num_threads(1);
	vexfs_searcher vexfs(set);
	faiss_searcher faiss(set);
	avx2_searcher avx2(set);
	searcher *systems[] = { &vexfs, &faiss, &avx2 };

	for (searcher *system : systems)
		time_run(*system, std::max(1ul, singles / 4), false);
	for (unsigned long round = 0; round < rounds; round++)
		for (unsigned long i = 0; i < 3; i++)
			time_run(*systems[(i + round) % 3], singles, true);
	printf("agree faiss-flat %.5f\n", agreement(vexfs, faiss));
	printf("agree avx2 %.5f\n", agreement(vexfs, avx2));
	save(argv[9], vexfs.results);
	return 0;
}
