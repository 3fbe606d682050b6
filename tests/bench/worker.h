// SPDX-License-Identifier: Apache-2.0
/*
 * What a searching system must offer to be measured. worker.cc owns the protocol,
 * the clocks and the judgement of answers, the same for every system; a system
 * only builds and searches.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <cmath>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/* One data set: a directory with "set", "base", "queries" and the ground truth. */
struct data_set {
	std::string directory, name, metric; /* l2, ip or cosine */
	uint64_t rows = 0;
	uint32_t dim = 0, queries = 0, depth = 0; /* depth: neighbours known of each query */
	double slack = 0; /* relative difference of distances that is a tie */
	bool bytes = false; /* rows and queries are whole numbers of 0 to 255 */
	std::vector<float> query;
	std::vector<uint32_t> truth_ids;
	std::vector<double> truth;

	uint64_t row_bytes() const { return dim * (bytes ? 1 : sizeof(float)); }
	/* Rows as they are in the file: float32, or uint8 if @bytes. */
	std::vector<char> read_rows() const;
	/* Rows as float32; of length 1 if @normal and the metric is cosine. */
	std::vector<float> read_floats(bool normal) const;
};

/* Figures by name, as they go into the reply. */
using figures = std::map<std::string, double>;

/* One thread's way to search; made once for each thread of a run. */
class searcher {
public:
	virtual ~searcher() = default;
	/*
	 * Answer queries @first .. @first + @count - 1 with @k ids each, nearest first;
	 * UINT64_MAX for none. @distances may be left alone by systems whose
	 * distances are not to be judged.
	 */
	virtual void search(uint32_t first, uint32_t count, uint32_t k, uint64_t *ids,
			    double *distances) = 0;
};

class system {
public:
	virtual ~system() = default;
	virtual std::string version() const = 0;
	virtual std::string isa() const = 0;
	/* Build @index of the whole set; returns what it has to tell beside times. */
	virtual figures build(const std::string &index) = 0;
	/* A searcher of @index at @effort, text that means something to this system. */
	virtual searcher *open(const std::string &index, const std::string &effort) = 0;
	/* Whether the distances that searches return are the metric's and binary64. */
	virtual bool judges_distances() const { return false; }
	/* Whether another process does the work: then only elapsed time is known. */
	virtual bool works_elsewhere() const { return false; }
	/* Seconds that the kernel has searched with an index so far, where it counts them. */
	virtual double kernel_seconds(const std::string &) const { return NAN; }
	/* A measurement that only this system has. */
	virtual figures special(const std::vector<std::string> &words);
};

/* Nanoseconds that a piece of work took by two clocks. */
struct stopwatch {
	double wall, cpu;

	stopwatch();
	double wall_seconds() const;
	double cpu_seconds() const;
};

/* The values at three ranks, sorted as a side effect: p50, p95, p99. */
void add_percentiles(figures &into, const std::string &prefix, std::vector<double> &values);

/* Vectors of @metric cosine are compared by their directions alone. */
void normalize(float *rows, uint64_t count, uint32_t dim);

/* The number after "NAME=" in an effort such as "nprobe=8,refine=10". */
long effort_of(const std::string &effort, const std::string &name, long otherwise);

/* What the compiler was allowed to use for this program. */
std::string compiled_isa();

/* The set cannot have such an index: it is left out, all else goes on. */
struct unavailable : std::runtime_error {
	using runtime_error::runtime_error;
};

[[noreturn]] void fail(const std::string &what);

/* Made by the one system that is linked into a worker. */
system *make_system(const data_set &set, const std::map<std::string, std::string> &options);

} // namespace bench

#endif
