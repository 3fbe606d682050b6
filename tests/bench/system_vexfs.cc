// SPDX-License-Identifier: Apache-2.0
/*
 * VexFS, in the directory that "directory=" names: "exact" is provably so, "scan" its
 * default without an index. Efforts: "effort=N", "recall=N" (in 1/10,000), or "-".
 *
 * special kernel INDEX EFFORT K COUNT   latencies as the kernel counts them
 * special cold INDEX EFFORT K COUNT     latencies with nothing in the page cache
 * special ingest K                      inserts while another thread searches
 * special build THREADS                 builds the graph anew (build hnsw takes one thread)
 */
#include "worker.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>

#include <vexfs.h>

namespace {

using namespace bench;

constexpr uint64_t insert_bytes = 1 << 20;
constexpr uint64_t ingest_bytes = 512 << 20;
constexpr double ingest_seconds = 1;
constexpr double encode_patience = 5;
constexpr uint32_t kernel_warm = 100;

void check(enum vexfs_operation operation, int error, const std::string &file)
{
	char text[512];

	if (!error)
		return;
	vexfs_explain(operation, error, file.c_str(), VEXFS_UNKNOWN, text, sizeof(text));
	fail(text);
}

/* A vector file, open for reading and writing. */
class vector_file {
public:
	vector_file(const data_set &set, const std::string &name) : name(name), set(set)
	{
		fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			fail("cannot make " + name);
		schema.dim = set.dim;
		schema.element = set.bytes ? VEXFS_ELEMENT_U8 : VEXFS_ELEMENT_F32;
		schema.metric = vexfs_metric_parse(set.metric.c_str());
		schema.ids = VEXFS_IDS_AUTO;
		check(VEXFS_OPERATION_SCHEMA_SET, vexfs_schema_set(fd, &schema), name);
		check(VEXFS_OPERATION_SCHEMA_GET, vexfs_schema_get(fd, &schema), name);
	}
	~vector_file()
	{
		close(fd);
		unlink(name.c_str());
	}
	vector_file(const vector_file &) = delete;

	void insert(const std::vector<char> &rows)
	{
		uint64_t batch = std::max<uint64_t>(insert_bytes / set.row_bytes(), 1);

		for (uint64_t row = 0; row < set.rows; row += batch) {
			uint64_t count = std::min(batch, set.rows - row);

			check(VEXFS_OPERATION_INSERT,
			      vexfs_insert(fd, &rows[row * set.row_bytes()], count * set.row_bytes(), count,
					   nullptr, nullptr, nullptr),
			      name);
		}
	}
	struct vexfs_index_status status() const
	{
		struct vexfs_index_status status;

		check(VEXFS_OPERATION_INDEX, vexfs_index_status(fd, &status), name);
		return status;
	}
	/* Wait until all rows have sketches, or none gets one any more. */
	void wait_encoded() const
	{
		stopwatch idle;
		uint64_t before = 0, now;

		for (; (now = status().rows_encoded) < set.rows; usleep(1000)) {
			if (now != before)
				idle = stopwatch();
			else if (idle.wall_seconds() > encode_patience)
				return;
			before = now;
		}
	}
	void flush()
	{
		if (fsync(fd))
			fail("cannot flush " + name);
	}
	double search_seconds() const
	{
		struct vexfs_search_stats stats;

		check(VEXFS_OPERATION_STATS, vexfs_stats(fd, &stats), name);
		return stats.search_ns * 1e-9;
	}

	const std::string name;
	const data_set &set;
	struct vexfs_schema schema = {};
	int fd;
};

/* How an index is asked for, and how much effort. */
struct way {
	uint32_t flags = 0, index = VEXFS_INDEX_AUTO, effort = 0, target_recall = 0;

	void apply(struct vexfs_knn_search &search) const
	{
		search.flags = flags;
		search.index = index;
		search.effort = effort;
		search.target_recall = target_recall;
	}
};

class vexfs_searcher : public searcher {
public:
	vexfs_searcher(vector_file &file, const std::vector<char> &queries, way how)
		: file(file), queries(queries), how(how)
	{
	}
	void search(uint32_t first, uint32_t count, uint32_t k, uint64_t *ids, double *distances) override
	{
		struct vexfs_knn_search search;

		results.resize(uint64_t(count) * k);
		found.resize(count);
		vexfs_knn_init(&search, &file.schema, 0, &queries[first * file.set.row_bytes()], count, k,
			       results.data(), found.data());
		how.apply(search);
		check(VEXFS_OPERATION_KNN, vexfs_knn(file.fd, &search), file.name);
		for (uint32_t i = 0; i < count; i++)
			for (uint32_t rank = 0; rank < found[i]; rank++) {
				uint64_t at = uint64_t(i) * k + rank;

				ids[at] = results[at].id;
				memcpy(&distances[at], &results[at].distance, sizeof(double));
			}
	}

private:
	vector_file &file;
	const std::vector<char> &queries;
	way how;
	std::vector<struct vexfs_result> results;
	std::vector<uint32_t> found;
};

class vexfs_system : public bench::system {
public:
	vexfs_system(const data_set &set, const std::string &directory) : set(set), directory(directory)
	{
		if (set.bytes) {
			queries.assign(set.query.begin(), set.query.end());
		} else {
			queries.resize(set.query.size() * sizeof(float));
			memcpy(queries.data(), set.query.data(), queries.size());
		}
	}
	std::string version() const override
	{
		return vexfs_version();
	}
	std::string isa() const override
	{
		return "integer";
	}
	bool judges_distances() const override
	{
		return true;
	}
	double kernel_seconds(const std::string &index) const override
	{
		return file_of(index).search_seconds();
	}
	figures build(const std::string &index) override;
	searcher *open(const std::string &index, const std::string &effort) override
	{
		return new vexfs_searcher(file_of(index), queries, way_of(index, effort));
	}
	figures special(const std::vector<std::string> &words) override;

private:
	static way way_of(const std::string &index, const std::string &effort)
	{
		way how;

		if (index == "exact") {
			how.flags = VEXFS_SEARCH_EXACT;
		} else {
			how.index = vexfs_index_parse(index.c_str());
			how.effort = effort_of(effort, "effort", 0);
			how.target_recall = effort_of(effort, "recall", 0);
		}
		return how;
	}
	/* Lists have a file of their own: one file has one index. */
	vector_file &file_of(const std::string &index) const
	{
		const auto &file = index == "ivf" ? lists : rows;

		if (!file)
			fail("nothing was built");
		return *file;
	}
	double used_bytes() const
	{
		struct statvfs volume;

		sync();
		if (statvfs(directory.c_str(), &volume))
			fail("cannot look at " + directory);
		return double(volume.f_blocks - volume.f_bfree) * volume.f_frsize;
	}
	figures fill(std::unique_ptr<vector_file> &file, const std::string &name);
	figures build_index(vector_file &file, const std::string &index, uint32_t threads);
	figures kernel(const std::vector<std::string> &words);
	figures cold(const std::vector<std::string> &words);
	figures ingest(uint32_t k);

	const data_set &set;
	const std::string directory;
	std::vector<char> queries;
	std::unique_ptr<vector_file> rows, lists;
	double disk = 0; /* used before the file was made */
};

/* Twice: what the first round takes from the module's own holders, the second frees. */
void drop_caches()
{
	for (int i = 0; i < 2; i++) {
		std::ofstream file("/proc/sys/vm/drop_caches");

		sync();
		file << "3";
		if (!file.flush())
			fail("cannot drop the caches");
	}
}

/* Insert all rows, and wait for their sketches. */
figures vexfs_system::fill(std::unique_ptr<vector_file> &file, const std::string &name)
{
	std::vector<char> data = set.read_rows();
	figures out;

	drop_caches();
	disk = used_bytes();
	file = std::make_unique<vector_file>(set, directory + "/" + name);
	stopwatch time;
	file->insert(data);
	out["insert_rows_per_s"] = set.rows / time.wall_seconds();
	out["insert_rows_per_cpu_s"] = set.rows / time.cpu_seconds();
	file->wait_encoded();
	out["encode_rows_per_s"] = file->status().rows_encoded / time.wall_seconds();
	file->flush();
	return out;
}

figures vexfs_system::build_index(vector_file &file, const std::string &index, uint32_t threads)
{
	struct vexfs_build_index build = {};
	struct vexfs_index_status status;
	figures out;

	build.type = vexfs_index_parse(index.c_str());
	build.threads = threads;
	stopwatch time;
	int error = vexfs_index_build(file.fd, &build);
	if (error == -EOPNOTSUPP)
		throw unavailable("these rows cannot have an index " + index);
	check(VEXFS_OPERATION_INDEX, error, file.name);
	check(VEXFS_OPERATION_INDEX, vexfs_index_wait(file.fd, &status, nullptr, nullptr), file.name);
	out["build_rows_per_s"] = set.rows / time.wall_seconds();
	out["build_rows_per_cpu_s"] = out["build_rows_per_s"];
	file.flush();
	return out;
}

figures vexfs_system::build(const std::string &index)
{
	figures out;

	if (index != "hnsw")
		out = fill(index == "ivf" ? lists : rows, set.name + "." + index);
	if (index != "exact")
		out.merge(build_index(file_of(index), index, index == "hnsw" ? 1 : 0));
	struct vexfs_index_status status = file_of(index).status();
	out["index_bytes_per_row"] = double(status.bytes + status.sketch_bytes) / set.rows;
	out["bytes_per_row_disk"] = (used_bytes() - disk) / set.rows;
	out["bytes_per_row_memory"] = set.row_bytes() + out["index_bytes_per_row"];
	return out;
}

figures vexfs_system::special(const std::vector<std::string> &words)
{
	if (words.size() == 5 && words[0] == "kernel")
		return kernel(words);
	if (words.size() == 5 && words[0] == "cold")
		return cold(words);
	if (words.size() == 2 && words[0] == "ingest")
		return ingest(std::stoul(words[1]));
	if (words.size() == 2 && words[0] == "build")
		return build_index(file_of("hnsw"), "hnsw", std::stoul(words[1]));
	return system::special(words);
}

/* The time within the kernel, query by query: without the system call's own. */
figures vexfs_system::kernel(const std::vector<std::string> &words)
{
	std::unique_ptr<searcher> one(open(words[1], words[2]));
	uint32_t k = std::stoul(words[3]), count = std::stoul(words[4]);
	std::vector<uint64_t> ids(k);
	std::vector<double> distances(k), latency;
	figures out;

	for (uint32_t i = 0; i < std::min(count, kernel_warm); i++)
		one->search(i % set.queries, 1, k, ids.data(), distances.data());
	for (uint32_t i = 0; i < count; i++) {
		double before = file_of(words[1]).search_seconds();

		one->search(i % set.queries, 1, k, ids.data(), distances.data());
		latency.push_back((file_of(words[1]).search_seconds() - before) * 1e6);
	}
	add_percentiles(out, "kernel_", latency);
	return out;
}

figures vexfs_system::cold(const std::vector<std::string> &words)
{
	std::unique_ptr<searcher> one(open(words[1], words[2]));
	uint32_t k = std::stoul(words[3]), count = std::stoul(words[4]);
	std::vector<uint64_t> ids(k);
	std::vector<double> distances(k), latency;
	figures out;

	drop_caches();
	stopwatch all;
	for (uint32_t i = 0; i < count; i++) {
		stopwatch time;

		one->search(i % set.queries, 1, k, ids.data(), distances.data());
		latency.push_back(time.wall_seconds() * 1e6);
	}
	out["qps_wall"] = count / all.wall_seconds();
	out["first_us"] = latency[0];
	add_percentiles(out, "", latency);
	return out;
}

/* The set's rows, again and again, into a file that another thread searches meanwhile. */
figures vexfs_system::ingest(uint32_t k)
{
	std::vector<char> data = set.read_rows();
	vector_file file(set, directory + "/" + set.name + ".ingest");
	vexfs_searcher one(file, queries, way_of("exact", ""));
	std::atomic<bool> over(false);
	std::atomic<uint64_t> asked(0);
	std::exception_ptr failed;
	figures out;

	std::thread thread([&] {
		std::vector<uint64_t> ids(k);
		std::vector<double> distances(k);

		try {
			for (; !over; asked++)
				one.search(asked % set.queries, 1, k, ids.data(), distances.data());
		} catch (...) {
			failed = std::current_exception();
		}
	});
	stopwatch time;
	uint64_t inserted = 0;
	do {
		file.insert(data);
		inserted += set.rows;
	} while (time.wall_seconds() < ingest_seconds && inserted * set.row_bytes() < ingest_bytes);
	over = true;
	out["insert_rows_per_s"] = inserted / time.wall_seconds();
	out["qps_wall"] = asked / time.wall_seconds();
	thread.join();
	if (failed)
		std::rethrow_exception(failed);
	return out;
}

} // namespace

bench::system *bench::make_system(const data_set &set, const std::map<std::string, std::string> &options)
{
	return new vexfs_system(set, options.at("directory"));
}
