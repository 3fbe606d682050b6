// SPDX-License-Identifier: Apache-2.0
/*
 * One system under measurement, as a process that is told what to do line by line:
 * it measures times and judges the answers against the set's ground truth.
 *
 * Usage: WORKER SET-DIRECTORY [NAME=VALUE]... <COMMANDS >REPLIES
 *   about
 *   build INDEX
 *   run INDEX EFFORT K BATCH THREADS FIRST COUNT WARM
 *   special WORD...
 * Each reply is a JSON object on one line. "run" asks WARM queries that do not count,
 * then COUNT queries from number FIRST on (wrapping around), BATCH in a call, in
 * each of THREADS processes of one thread: user-mode Linux runs the threads of a
 * process one at a time. Latencies are read off the processor's time stamp counter,
 * because a system call is slow in user-mode Linux.
 */
#include "worker.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <malloc.h>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

namespace bench {

void fail(const std::string &what)
{
	throw std::runtime_error(what);
}

namespace {

double seconds_of(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

/* What a clock moves on by, at least. */
double smallest_step(clockid_t clock)
{
	double begin = seconds_of(clock), now, start = seconds_of(CLOCK_MONOTONIC);

	while ((now = seconds_of(clock)) == begin)
		if (seconds_of(CLOCK_MONOTONIC) > start + 1)
			return 1;
	return now - begin;
}

uint64_t ticks()
{
#ifdef __x86_64__
	return __rdtsc();
#else
	return uint64_t(seconds_of(CLOCK_MONOTONIC) * 1e9);
#endif
}

template <typename T> std::vector<T> read_file(const std::string &path)
{
	std::ifstream in(path, std::ios::binary | std::ios::ate);
	std::vector<T> data;

	if (!in)
		fail("cannot read " + path);
	data.resize(uint64_t(in.tellg()) / sizeof(T));
	in.seekg(0);
	if (!in.read(reinterpret_cast<char *>(data.data()), data.size() * sizeof(T)))
		fail("cannot read " + path);
	return data;
}

data_set read_set(const std::string &directory)
{
	std::ifstream in(directory + "/set");
	std::string type;
	data_set set;

	set.directory = directory;
	if (!(in >> set.name >> set.rows >> set.dim >> type >> set.metric >> set.queries >> set.depth >>
	      set.slack))
		fail("no set in " + directory);
	set.bytes = type == "u8";
	if (set.bytes) {
		auto narrow = read_file<uint8_t>(directory + "/queries");

		set.query.assign(narrow.begin(), narrow.end());
	} else {
		set.query = read_file<float>(directory + "/queries");
	}
	set.truth_ids = read_file<uint32_t>(directory + "/truth.ids");
	set.truth = read_file<double>(directory + "/truth.distances");
	if (set.query.size() != uint64_t(set.queries) * set.dim ||
	    set.truth.size() != uint64_t(set.queries) * set.depth || set.truth_ids.size() != set.truth.size())
		fail("the files of " + directory + " do not fit together");
	return set;
}

/* Bytes of this process that are in memory. */
double resident_bytes()
{
	std::ifstream in("/proc/self/statm");
	double total = 0, resident = 0;

	malloc_trim(0);
	in >> total >> resident;
	return resident * sysconf(_SC_PAGESIZE);
}

std::string quoted(const std::string &text)
{
	std::string out = "\"";

	for (char c : text) {
		if (c == '"' || c == '\\')
			out += '\\';
		out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
	}
	return out + '"';
}

void reply(const figures &values, const std::string &more = "")
{
	std::string text = more;
	char number[64];

	for (const auto &value : values) {
		if (!std::isfinite(value.second))
			continue;
		snprintf(number, sizeof(number), "%.12g", value.second);
		text += (text.empty() ? "" : ", ") + quoted(value.first) + ": " + number;
	}
	printf("{%s}\n", text.c_str());
	fflush(stdout);
}

struct answers {
	uint64_t hits = 0, wrong = 0;
};

/* A found row counts if no k others are nearer than it, by more than the set's slack. */
void judge_query(const data_set &set, uint32_t query, uint32_t k, const uint64_t *ids,
		 const double *distances, bool judge_distances, answers &into)
{
	const uint32_t *right = &set.truth_ids[uint64_t(query) * set.depth];
	const double *truth = &set.truth[uint64_t(query) * set.depth];
	double limit = truth[k - 1] + set.slack * std::fabs(truth[k - 1]);
	uint64_t hits = 0;

	for (uint32_t i = 0; i < k; i++) {
		if (std::find(ids, ids + i, ids[i]) != ids + i)
			continue;
		for (uint32_t j = 0; j < set.depth && truth[j] <= limit; j++) {
			if (right[j] != ids[i])
				continue;
			hits++;
			if (judge_distances && std::fabs(distances[i] - truth[j]) >
						       std::fabs(truth[j]) * 0x1p-20 + 1e-9)
				into.wrong++;
		}
	}
	into.hits += std::min<uint64_t>(hits, k);
}

struct request {
	std::string index, effort;
	uint32_t k, batch, threads, first, count, warm;
};

/* Memory that a process has in common with those that it forks. */
template <typename T> class shared_array {
public:
	explicit shared_array(uint64_t count) : bytes(count * sizeof(T))
	{
		void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			fail("no memory for answers");
		data = static_cast<T *>(memory);
	}
	~shared_array()
	{
		munmap(data, bytes);
	}
	shared_array(const shared_array &) = delete;
	T &operator[](uint64_t i)
	{
		return data[i];
	}

private:
	uint64_t bytes;
	T *data;
};

/* What one process found, in the order in which it asked. */
struct process_run {
	process_run(const request &asked)
		: ids(uint64_t(asked.count) * asked.k), latency(asked.count / asked.batch),
		  distances(uint64_t(asked.count) * asked.k), cpu(1)
	{
		for (uint64_t i = 0; i < uint64_t(asked.count) * asked.k; i++)
			ids[i] = UINT64_MAX;
	}

	shared_array<uint64_t> ids, latency;
	shared_array<double> distances, cpu; /* seconds */
};

/* When all processes begin. */
struct start_line {
	std::atomic<uint32_t> ready, go;
};

uint32_t query_at(const data_set &set, const request &asked, uint32_t number)
{
	return (asked.first + number) % (set.queries - set.queries % asked.batch);
}

void ask(const data_set &set, const request &asked, searcher &with, process_run &run)
{
	stopwatch time;

	for (uint32_t done = 0; done < asked.count; done += asked.batch) {
		uint64_t begin = ticks();

		with.search(query_at(set, asked, done), asked.batch, asked.k, &run.ids[uint64_t(done) * asked.k],
			    &run.distances[uint64_t(done) * asked.k]);
		run.latency[done / asked.batch] = ticks() - begin;
	}
	run.cpu[0] = time.cpu_seconds();
}

/* Queries whose answers and times do not count. */
void warm_up(const data_set &set, const request &asked, searcher &with)
{
	std::vector<uint64_t> ids(uint64_t(asked.batch) * asked.k);
	std::vector<double> distances(ids.size());

	for (uint32_t warm = 0; warm < asked.warm; warm += asked.batch)
		with.search(query_at(set, asked, warm), asked.batch, asked.k, ids.data(), distances.data());
}

/* A process that waits for the start, asks, and ends. */
pid_t fork_asker(system &one, const data_set &set, const request &asked, process_run &run, start_line &start)
{
	pid_t child = fork();

	if (child < 0)
		fail("cannot fork");
	if (child)
		return child;
	/* If the one that measures fails, nobody would say go. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	try {
		std::unique_ptr<searcher> own(one.open(asked.index, asked.effort));

		warm_up(set, asked, *own);
		start.ready++;
		while (!start.go)
			usleep(100);
		ask(set, asked, *own, run);
		_exit(0);
	} catch (const std::exception &error) {
		fprintf(stderr, "%s\n", error.what());
		_exit(1);
	}
}

void wait_ready(start_line &start, uint32_t askers)
{
	while (start.ready < askers) {
		if (waitpid(-1, nullptr, WNOHANG) > 0)
			fail("a process that was to search ended early");
		usleep(1000);
	}
}

void run(system &one, const data_set &set, request asked)
{
	std::vector<std::unique_ptr<process_run>> runs;
	shared_array<start_line> start(1);
	std::vector<pid_t> askers;
	std::vector<double> latency;
	figures out;
	answers judged;

	if (asked.batch > set.queries || !asked.batch || !asked.k || asked.k > set.depth || !asked.threads)
		fail("no such run");
	asked.count = std::max(asked.count / asked.batch, 1u) * asked.batch;
	asked.first -= asked.first % asked.batch;
	for (uint32_t i = 0; i < asked.threads; i++)
		runs.emplace_back(new process_run(asked));
	for (uint32_t i = 1; i < asked.threads; i++)
		askers.push_back(fork_asker(one, set, asked, *runs[i], start[0]));

	std::unique_ptr<searcher> own(one.open(asked.index, asked.effort));
	warm_up(set, asked, *own);
	wait_ready(start[0], asked.threads - 1);

	double kernel = one.kernel_seconds(asked.index);
	stopwatch time;
	uint64_t begin = ticks();
	start[0].go = 1;
	ask(set, asked, *own, *runs[0]);
	for (pid_t asker : askers) {
		int status;

		if (waitpid(asker, &status, 0) < 0 || status)
			fail("a process that searched failed");
	}
	uint64_t end = ticks();
	out["wall"] = time.wall_seconds();
	out["kernel"] = one.kernel_seconds(asked.index) - kernel;

	for (auto &each : runs) {
		out["cpu"] += one.works_elsewhere() ? out["wall"] : each->cpu[0];
		for (uint32_t i = 0; i < asked.count; i++)
			judge_query(set, query_at(set, asked, i), asked.k, &each->ids[uint64_t(i) * asked.k],
				    &each->distances[uint64_t(i) * asked.k], one.judges_distances(), judged);
		for (uint32_t i = 0; i < asked.count / asked.batch; i++)
			latency.push_back(each->latency[i] * out["wall"] / (end - begin) * 1e6);
	}
	add_percentiles(out, "", latency);
	out["queries"] = double(asked.count) * asked.threads;
	out["hits"] = judged.hits;
	out["wrong"] = judged.wrong;
	reply(out);
}

void build(system &one, const data_set &set, const std::string &index)
{
	double before = resident_bytes();
	stopwatch time;
	figures out;

	try {
		out = one.build(index);
	} catch (const unavailable &why) {
		reply({}, "\"unavailable\": " + quoted(why.what()));
		return;
	}
	out.emplace("build_wall", time.wall_seconds());
	out.emplace("build_cpu", time.cpu_seconds());
	if (!one.works_elsewhere())
		out.emplace("bytes_per_row_memory", (resident_bytes() - before) / set.rows);
	reply(out);
}

void carry_out(system &one, const data_set &set, const std::string &line)
{
	std::istringstream in(line);
	std::string command;
	request asked;

	in >> command;
	if (command == "about") {
		reply({}, "\"version\": " + quoted(one.version()) + ", \"isa\": " + quoted(one.isa()));
	} else if (command == "build") {
		in >> asked.index;
		build(one, set, asked.index);
	} else if (command == "run") {
		if (!(in >> asked.index >> asked.effort >> asked.k >> asked.batch >> asked.threads >> asked.first >>
		      asked.count >> asked.warm))
			fail("cannot understand: " + line);
		run(one, set, asked);
	} else if (command == "special") {
		reply(one.special({ std::istream_iterator<std::string>(in), {} }));
	} else {
		fail("no such command: " + line);
	}
}

} // namespace

std::vector<char> data_set::read_rows() const
{
	auto data = read_file<char>(directory + "/base");

	if (data.size() != rows * row_bytes())
		fail("the rows of " + directory + " are not all there");
	return data;
}

std::vector<float> data_set::read_floats(bool normal) const
{
	std::vector<char> raw = read_rows();
	std::vector<float> wide(rows * dim);

	for (uint64_t i = 0; bytes && i < wide.size(); i++)
		wide[i] = static_cast<uint8_t>(raw[i]);
	if (!bytes)
		memcpy(wide.data(), raw.data(), raw.size());
	if (normal && metric == "cosine")
		normalize(wide.data(), rows, dim);
	return wide;
}

figures system::special(const std::vector<std::string> &words)
{
	fail("this system cannot do: " + (words.empty() ? "nothing" : words[0]));
}

stopwatch::stopwatch() : wall(seconds_of(CLOCK_MONOTONIC)), cpu(seconds_of(CLOCK_PROCESS_CPUTIME_ID))
{
}

double stopwatch::wall_seconds() const
{
	return seconds_of(CLOCK_MONOTONIC) - wall;
}

/*
 * Where the clock of CPU time ticks a hundred times a second only, as in user-mode
 * Linux, elapsed time stands in for it: that is never less on one CPU.
 */
double stopwatch::cpu_seconds() const
{
	static const bool coarse = smallest_step(CLOCK_PROCESS_CPUTIME_ID) > 1e-3;

	if (coarse)
		return wall_seconds();
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

void add_percentiles(figures &into, const std::string &prefix, std::vector<double> &values)
{
	static const struct {
		const char *name;
		double share;
	} ranks[] = { { "p50_us", .5 }, { "p95_us", .95 }, { "p99_us", .99 } };

	std::sort(values.begin(), values.end());
	for (const auto &rank : ranks)
		if (!values.empty())
			into[prefix + rank.name] =
				values[std::min<size_t>(values.size() * rank.share, values.size() - 1)];
}

void normalize(float *rows, uint64_t count, uint32_t dim)
{
	for (uint64_t row = 0; row < count; row++, rows += dim) {
		double square = 0;

		for (uint32_t i = 0; i < dim; i++)
			square += double(rows[i]) * rows[i];
		for (uint32_t i = 0; square > 0 && i < dim; i++)
			rows[i] /= std::sqrt(square);
	}
}

long effort_of(const std::string &effort, const std::string &name, long otherwise)
{
	std::istringstream in(effort);
	std::string part;

	while (std::getline(in, part, ','))
		if (part.compare(0, name.size() + 1, name + "=") == 0)
			return strtol(part.c_str() + name.size() + 1, nullptr, 10);
	return otherwise;
}

std::string compiled_isa()
{
#if defined(__AVX512F__)
	return "avx512";
#elif defined(__AVX2__)
	return "avx2";
#elif defined(__x86_64__)
	return "sse2";
#else
	return "native";
#endif
}

} // namespace bench

int main(int argc, char **argv)
{
	std::map<std::string, std::string> options;
	std::string line;

	if (argc < 2) {
		fprintf(stderr, "Usage: %s SET-DIRECTORY [NAME=VALUE]... <COMMANDS\n", argv[0]);
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		if (equals)
			options[std::string(argv[i], equals)] = equals + 1;
	}
	try {
		bench::data_set set = bench::read_set(argv[1]);
		std::unique_ptr<bench::system> one(bench::make_system(set, options));

		while (std::getline(std::cin, line))
			bench::carry_out(*one, set, line);
	} catch (const std::exception &error) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], line.c_str(), error.what());
		return 1;
	}
	return 0;
}
