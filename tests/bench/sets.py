# SPDX-License-Identifier: Apache-2.0
"""Data sets of the benchmarks, as directories that tests/bench/worker.cc reads.

Each holds "set" (a line: NAME ROWS DIM f32|u8 METRIC QUERIES DEPTH SLACK), the bare
matrices "base" and "queries", and the ground truth: "truth.ids" (uint32) and
"truth.distances" (float64), DEPTH nearest rows of each query. They are made once and
kept in .cache/bench.
"""

import hashlib
import shutil
import sys
from pathlib import Path

import numpy as np

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/recall"))
import brute  # noqa: E402
import datasets  # noqa: E402
import harvest  # noqa: E402

CACHE = TOP / ".cache/bench"
QUERIES = 1000
DEPTH = 100
CLUSTER_ROWS = 100
# float32 systems round: rows nearer to each other than this share are a tie
SLACK = 1e-6
KINDS = {".fvecs": "<f4", ".bvecs": "u1"}


def fashion(kind):
    rows, queries = datasets.fashion()
    return rows.astype(kind), queries[:QUERIES].astype(kind), "l2"


def sift10k(kind):
    rows, queries = datasets.sift10k()
    return rows.astype(kind), queries.astype(kind), "l2"


def words(rows, metric="cosine"):
    """The first so many words; 1,000 of all are held out, at random, as queries."""
    matrix = datasets.all_words()
    held = np.random.default_rng(1).choice(len(matrix), QUERIES, replace=False)
    return np.delete(matrix, held, axis=0)[:rows], matrix[held], metric


def clustered(rows):
    """Gaussian clusters of 16 dimensions and a little noise in 128; for scale alone."""
    dim, inner, random = 128, 16, np.random.default_rng(rows)
    centres = random.standard_normal((rows // CLUSTER_ROWS, dim), np.float32)
    planes = random.standard_normal((len(centres) // 10 + 1, inner, dim), np.float32)

    def draw(count):
        own = np.sort(random.integers(len(centres), size=count))
        drawn = centres[own] + 0.1 * random.standard_normal((count, dim), np.float32)
        within = random.standard_normal((count, inner), np.float32)
        for plane in range(len(planes)):
            mine = own // 10 == plane
            drawn[mine] += 0.25 * within[mine] @ planes[plane]
        return random.permutation(drawn)

    return draw(rows), draw(QUERIES), "l2"


SETS = {
    "fashion": lambda: fashion("<f4"),
    "fashion-u8": lambda: fashion("u1"),
    "sift10k": lambda: sift10k("<f4"),
    "sift10k-u8": lambda: sift10k("u1"),
    "words100k": lambda: words(100_000),
    "words340k": lambda: words(None),
    "words100k-l2": lambda: words(100_000, "l2"),
    "words100k-ip": lambda: words(100_000, "ip"),
    "sift": harvest.sift,
    "sentences": harvest.sentences,
    "clustered10k": lambda: clustered(10_000),
    "clustered100k": lambda: clustered(100_000),
    "clustered1m": lambda: clustered(1_000_000),
}


def find_one(directory, words_in_name):
    """The one vecs file of a directory whose name holds one of the words."""
    found = [path for path in sorted(directory.iterdir())
             if path.suffix in (*KINDS, ".ivecs") and any(word in path.name.lower() for word in words_in_name)]
    if len(found) != 1:
        raise datasets.Unavailable(f"{directory}: one file of {' or '.join(words_in_name)} is wanted, not {len(found)}")
    return found[0]


def from_directory(directory, metric):
    """Rows, queries and ground truth of a directory laid out as the TEXMEX sets are."""
    base, query = find_one(directory, ("base", "train")), find_one(directory, ("query", "queries", "test"))
    truth = find_one(directory, ("groundtruth", "truth", "gt"))
    rows = datasets.read_vecs(base, KINDS[base.suffix])
    queries = datasets.read_vecs(query, KINDS[query.suffix])[:QUERIES]
    return rows, queries, metric, datasets.read_vecs(truth, "<i4")[:QUERIES]


def check_given(name, given, rows, queries, metric, near):
    """The ground truth that came with a set, against brute force: distances, not ids, decide."""
    depth = min(given.shape[1], near.shape[1], 10)
    for query in range(len(queries)):
        own = brute.distances(rows[given[query, :depth]].astype(np.float64), queries[query].astype(np.float64), metric)
        if not np.allclose(np.sort(own), near[query, :depth], rtol=1e-5, atol=1e-6):
            raise datasets.Unavailable(f"{name}: its ground truth is not that of {metric}, see query {query}")


def check_sample(rows, queries, metric, ids, near):
    """A few queries once more, by differences and without matrix products."""
    wide = rows.astype(np.float64)
    for query in range(0, len(queries), max(1, len(queries) // 5)):
        row = brute.distances(wide, queries[query].astype(np.float64), metric)
        right = np.sort(row)[: near.shape[1]]
        if not (np.allclose(right, near[query], rtol=1e-9, atol=1e-9)
                and np.allclose(row[ids[query]], near[query], rtol=1e-9, atol=1e-9)):
            sys.exit(f"bench: two ways to compute the ground truth disagree at query {query}")


def make(name, rows, queries, metric, given=None):
    """The directory of a set; only what is not there yet is computed."""
    mark = hashlib.sha256(f"1 {name} {metric} {rows.dtype} {rows.shape}".encode())
    for array in (rows, queries):
        mark.update(np.ascontiguousarray(array))
    target = CACHE / f"{name}-{mark.hexdigest()[:16]}"
    if (target / "set").exists():
        return target
    print(f"# {name}: ground truth of {len(queries)} queries in {len(rows)} rows", flush=True)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    depth = min(DEPTH, len(rows))
    ids, near = brute.nearest(rows, np.arange(len(rows), dtype=np.uint64), queries, metric, depth, target)
    check_sample(rows, queries, metric, ids, near)
    if given is not None:
        check_given(name, given, rows, queries, metric, near)
    for saved in target.glob("nearest-*"):
        saved.unlink()
    rows.tofile(target / "base")
    queries.tofile(target / "queries")
    ids.astype("<u4").tofile(target / "truth.ids")
    near.tofile(target / "truth.distances")
    kind, slack = ("u8", 0) if rows.dtype == np.uint8 else ("f32", SLACK)
    line = f"{name} {len(rows)} {rows.shape[1]} {kind} {metric} {len(queries)} {depth} {slack}\n"
    (target / "set").write_text(line)
    return target


def prepare(name):
    return make(name, *SETS[name]())


def prepare_directory(directory, metric):
    return make(directory.resolve().name, *from_directory(directory, metric))


def describe(directory):
    words_of = (directory / "set").read_text().split()
    return {"name": words_of[0], "rows": int(words_of[1]), "dim": int(words_of[2]), "type": words_of[3],
            "metric": words_of[4], "queries": int(words_of[5])}
