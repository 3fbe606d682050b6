// SPDX-License-Identifier: Apache-2.0
/*
 * pgvector: the index "hnsw", m=16, ef_construction=200; effort "ef=N". Runs a private
 * PostgreSQL server of the programs in "programs=", below /tmp, as the user postgres.
 */
#include "worker.h"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

namespace {

using namespace bench;

constexpr int start_seconds = 120;

struct clear_result {
	void operator()(PGresult *result) const { PQclear(result); }
};
using result = std::unique_ptr<PGresult, clear_result>;

/* pgvector's binary form: dimension, zero, elements; all of them big-endian. */
std::string binary_of(const float *row, uint32_t dim)
{
	std::string out(4 + dim * sizeof(float), 0);
	uint16_t number = htons(dim);

	memcpy(&out[0], &number, sizeof(number));
	for (uint32_t i = 0; i < dim; i++) {
		uint32_t word;

		memcpy(&word, &row[i], sizeof(word));
		word = htonl(word);
		memcpy(&out[4 + i * sizeof(word)], &word, sizeof(word));
	}
	return out;
}

template <typename T> void append(std::string &to, T value)
{
	to.append(reinterpret_cast<const char *>(&value), sizeof(value));
}

class pgvector_system : public bench::system {
public:
	pgvector_system(const data_set &set, const std::string &programs);
	~pgvector_system() override;
	std::string version() const override
	{
		return PQgetvalue(run("select extversion from pg_extension where extname = 'vector'").get(), 0, 0);
	}
	std::string isa() const override
	{
		return "as built";
	}
	bool works_elsewhere() const override
	{
		return true;
	}
	figures build(const std::string &) override;
	searcher *open(const std::string &, const std::string &effort) override;

	const data_set &set;
	const char *order;
	PGconn *server = nullptr;
	std::vector<std::string> queries;

private:
	result run(const std::string &text) const
	{
		result got(PQexec(server, text.c_str()));
		ExecStatusType status = PQresultStatus(got.get());

		if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
			fail(text + ": " + PQerrorMessage(server));
		return got;
	}
	void copy(const std::string &data) const
	{
		if (PQputCopyData(server, data.data(), data.size()) != 1)
			fail(PQerrorMessage(server));
	}
	void start(const std::string &programs);

	std::string directory = "/tmp/bench-pgvector-XXXXXX";
	pid_t process = 0;
};

class pgvector_searcher : public searcher {
public:
	explicit pgvector_searcher(pgvector_system &base) : base(base)
	{
	}
	void search(uint32_t first, uint32_t count, uint32_t k, uint64_t *ids, double *) override
	{
		for (uint32_t i = 0; i < count; i++) {
			std::string limit = std::to_string(k);
			const char *values[] = { base.queries[first + i].data(), limit.c_str() };
			int lengths[] = { int(base.queries[first + i].size()), 0 }, formats[] = { 1, 0 };
			result got(PQexecPrepared(base.server, "nearest", 2, values, lengths, formats, 0));

			if (PQresultStatus(got.get()) != PGRES_TUPLES_OK)
				fail(PQerrorMessage(base.server));
			for (int rank = 0; rank < PQntuples(got.get()); rank++)
				ids[uint64_t(i) * k + rank] = strtoull(PQgetvalue(got.get(), rank, 0), nullptr, 10);
		}
	}

private:
	pgvector_system &base;
};

pgvector_system::pgvector_system(const data_set &set, const std::string &programs)
	: set(set), order(set.metric == "l2" ? "<->" : set.metric == "ip" ? "<#>" : "<=>")
{
	for (uint32_t i = 0; i < set.queries; i++)
		queries.push_back(binary_of(&set.query[uint64_t(i) * set.dim], set.dim));
	start(programs);
	run("create extension vector");
	run("create table v (id int, e vector(" + std::to_string(set.dim) + "))");
	run("alter table v alter column e set storage plain");
}

pgvector_system::~pgvector_system()
{
	PQfinish(server);
	if (process > 0) {
		kill(process, SIGINT);
		waitpid(process, nullptr, 0);
	}
	if (::system(("rm -rf " + directory).c_str()))
		fprintf(stderr, "pgvector: %s stays\n", directory.c_str());
}

void pgvector_system::start(const std::string &programs)
{
	const std::string as_user = "setpriv --reuid=postgres --regid=postgres --clear-groups ";
	std::string data, make;

	if (!mkdtemp(&directory[0]))
		fail("cannot make " + directory);
	data = directory + "/data";
	make = "chown postgres:postgres " + directory + " && cd " + directory + " && " + as_user + programs +
	       "/initdb -D " + data + " -A trust --no-sync -U postgres >/dev/null";
	if (::system(make.c_str()))
		fail("no PostgreSQL cluster: " + make);
	make = "cd " + directory + " && exec " + as_user + programs + "/postgres -D " + data + " -k " + directory +
	       " -c listen_addresses= -c fsync=off -c shared_buffers=" +
	       std::to_string(256 + 3 * set.rows * set.dim * sizeof(float) / (1 << 20)) +
	       "MB -c maintenance_work_mem=2GB -c max_wal_size=8GB -c max_parallel_maintenance_workers=0"
	       " -c max_parallel_workers_per_gather=0 -c jit=off -c log_min_messages=fatal";
	process = fork();
	if (!process) {
		execl("/bin/sh", "sh", "-c", make.c_str(), nullptr);
		_exit(127);
	}
	stopwatch time;
	do {
		PQfinish(server);
		usleep(100000);
		server = PQconnectdb(("host=" + directory + " user=postgres dbname=postgres").c_str());
	} while (PQstatus(server) != CONNECTION_OK && time.wall_seconds() < start_seconds);
	if (PQstatus(server) != CONNECTION_OK)
		fail(std::string("no PostgreSQL server: ") + PQerrorMessage(server));
}

figures pgvector_system::build(const std::string &)
{
	static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
	std::vector<float> rows = set.read_floats(false);
	const char *kind = set.metric == "l2" ? "l2" : set.metric == "ip" ? "ip" : "cosine";
	figures out;

	stopwatch insert;
	run("copy v from stdin (format binary)");
	copy(std::string(header, sizeof(header) - 1));
	for (uint64_t row = 0; row < set.rows; row++) {
		std::string vector = binary_of(&rows[row * set.dim], set.dim), line;

		append(line, htons(2));
		append(line, htonl(sizeof(uint32_t)));
		append(line, htonl(row));
		append(line, htonl(vector.size()));
		copy(line + vector);
	}
	if (PQputCopyEnd(server, nullptr) != 1)
		fail(PQerrorMessage(server));
	while (result got{ PQgetResult(server) })
		if (PQresultStatus(got.get()) != PGRES_COMMAND_OK)
			fail(PQerrorMessage(server));
	out["insert_rows_per_s"] = set.rows / insert.wall_seconds();
	stopwatch time;
	run("create index on v using hnsw (e vector_" + std::string(kind) + "_ops) with (m = 16, ef_construction = 200)");
	out["build_rows_per_s"] = set.rows / time.wall_seconds();
	out["bytes_per_row_disk"] =
		strtod(PQgetvalue(run("select pg_total_relation_size('v')").get(), 0, 0), nullptr) / set.rows;
	run("vacuum analyze v");
	run("set enable_seqscan = off");
	result made(PQprepare(server, "nearest",
			      (std::string("select id from v order by e ") + order + " $1::vector limit $2::int").c_str(), 0,
			      nullptr));
	if (PQresultStatus(made.get()) != PGRES_COMMAND_OK)
		fail(PQerrorMessage(server));
	return out;
}

searcher *pgvector_system::open(const std::string &, const std::string &effort)
{
	run("set hnsw.ef_search = " + std::to_string(std::min(effort_of(effort, "ef", 40), 1000l)));
	return new pgvector_searcher(*this);
}

} // namespace

bench::system *bench::make_system(const data_set &set, const std::map<std::string, std::string> &options)
{
	return new pgvector_system(set, options.at("programs"));
}
