# SPDX-License-Identifier: Apache-2.0
"""Hostile inputs, judged by rational arithmetic.

Owns the cases that float64 cannot judge: each is a small file of rows and a few
queries. Order and distances of the kernel's answers are compared with Fractions
(the classes of tests/oracle/distance_oracle.py, which compute no floating point
number).
"""

import functools
import random
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracle"))
from distance_oracle import (  # noqa: E402
    COSINE, F16, F32, I8, IP, L1, L2, METRIC_NAME, TYPE_NAME, U8, Case, Distance, double_fraction, element,
    nearest_below, pack, sign,
)

from brute import Wrong  # noqa: E402

METRICS = (L2, IP, COSINE, L1)
RANDOM_DIMS = (1, 2, 3, 7, 16, 33, 100, 129, 300)


def f32(*values):
    return [struct.unpack("<I", struct.pack("<f", value))[0] for value in values]


class Hostile:
    """Rows and queries as bit patterns, under one name."""

    def __init__(self, name, kind, rows, queries, query_kind=None, metrics=METRICS, ids=None):
        self.name, self.kind, self.rows, self.queries = name, kind, rows, queries
        self.query_kind = query_kind or kind
        self.metrics = metrics
        self.ids = ids
        self.dim = len(rows[0])

    def id_of(self, row):
        return self.ids[row] if self.ids else row

    def row_bytes(self):
        return b"".join(pack(self.kind, row) for row in self.rows)

    def query_bytes(self):
        return b"".join(pack(self.query_kind, query) for query in self.queries)

    @functools.cached_property
    def exact(self):
        """The distances of each metric, query and row."""
        rows = [[element(self.kind, bits) for bits in row] for row in self.rows]
        queries = [[element(self.query_kind, bits) for bits in query] for query in self.queries]
        return {m: [[Distance(m, query, row) for row in rows] for query in queries] for m in self.metrics}

    def ranked(self, metric, query):
        found = self.exact[metric][query]

        def order(a, b):
            return sign(found[a].order - found[b].order) or sign(self.id_of(a) - self.id_of(b))

        return sorted(range(len(self.rows)), key=functools.cmp_to_key(order))

    def radius(self, metric, query):
        """The bits of the double at or just below a distance in the middle."""
        middle = self.ranked(metric, query)[len(self.rows) // 2]
        return nearest_below(self.exact[metric][query][middle])

    def check_distances(self, metric, query, got, rows):
        for result, row in zip(got, rows):
            bits = int(result["distance"].view("<u8"))
            if not self.exact[metric][query][row].rounded(bits):
                raise Wrong(f"query {query} id {result['id']}: distance {float(result['distance'])!r} ({bits:#x}) is not"
                            " the rounded exact one")

    def judge_nearest(self, metric, k, answers):
        if len(answers) != len(self.queries):
            raise Wrong(f"{len(answers)} answers to {len(self.queries)} queries")
        for query, got in enumerate(answers):
            rows = self.ranked(metric, query)[:k]
            ids = [self.id_of(row) for row in rows]
            if [int(i) for i in got["id"]] != ids:
                rank = next((r for r, i in enumerate(got["id"]) if r >= len(ids) or i != ids[r]), len(got))
                raise Wrong(f"query {query}: {len(got)} results, the first wrong one at rank {rank}:"
                            f" {[int(i) for i in got['id'][rank:rank + 4]]}, not {ids[rank:rank + 4]}")
            self.check_distances(metric, query, got, rows)

    def judge_range(self, metric, radii, answers):
        for query, got in enumerate(answers):
            limit = double_fraction(radii[query])
            rows = [row for row, d in enumerate(self.exact[metric][query]) if d.versus(limit) <= 0]
            if [int(i) for i in got["id"]] != [self.id_of(row) for row in rows]:
                raise Wrong(f"query {query} radius {radii[query]:#x}: {len(got)} results, not {len(rows)}")
            self.check_distances(metric, query, got, rows)


def bits_vectors(rng, count, dim, low, high):
    """float32 bit patterns with exponent fields in low..high."""
    return [[rng.getrandbits(1) << 31 | rng.randint(low, high) << 23 | rng.getrandbits(23) for _ in range(dim)]
            for _ in range(count)]


def mixed(rng, count, dim):
    """Magnitudes 1e-30, 1 and 1e30 in the rows of one file, and within a row."""
    fields = (27, 127, 226)
    rows = []
    for number in range(count):
        span = (fields[number % 4],) if number % 4 < 3 else fields
        rows.append([rng.getrandbits(1) << 31 | rng.choice(span) << 23 | rng.getrandbits(23) for _ in range(dim)])
    return rows


def cancelling(rng, count, dim):
    """Great terms that cancel and leave what a small one decides."""
    rows = []
    for number in range(count):
        great = [rng.choice((1e18, 3e22, 5e27)) for _ in range(dim // 2 - 1)]
        row = great + [-value for value in great] + [1.0, rng.choice((-1, 1)) * number * 2.0**-60]
        rows.append(f32(*row))
    return rows


def near_ties(rng, base, count):
    """Rows at exactly or almost the same distance: steps of one unit in the last place."""
    rows = []
    for _ in range(count):
        row = list(base)
        for place in rng.sample(range(len(base)), 2):
            row[place] ^= 1 << rng.choice((0, 0, 1))
        rows.append(row)
    return rows


def wide_rows(rng, dim):
    """Rows of the greatest dimension, of which two differ in the last element only."""
    rows = bits_vectors(rng, 3, dim, 118, 126)
    rows.append(rows[0][:-1] + [rows[0][-1] ^ 1])
    rows.append([0] * dim)
    return rows


def special_cases(rng):
    ones = f32(1.0, 2.0, 3.0)
    yield Hostile("equal-rows", F32, [ones] * 50, [ones, f32(0, 0, 0), f32(-1e30, 1e-30, 5)],
                  ids=rng.sample(range(1 << 60), 50))
    yield Hostile("denormals", F32, bits_vectors(rng, 40, 16, 0, 0), bits_vectors(rng, 3, 16, 0, 0))
    yield Hostile("signed-zeros", F32, [[rng.choice((0, 1 << 31, 1)) for _ in range(9)] for _ in range(30)],
                  [[0] * 9, [1 << 31] * 9])
    yield Hostile("mixed-magnitudes", F32, mixed(rng, 48, 24), mixed(rng, 8, 24))
    yield Hostile("mixed-in-one-dimension", F32, mixed(rng, 48, 1), mixed(rng, 8, 1))
    yield Hostile("greatest-floats", F32, bits_vectors(rng, 30, 20, 254, 254), bits_vectors(rng, 3, 20, 254, 254))
    yield Hostile("cancellation", F32, cancelling(rng, 40, 16), cancelling(rng, 4, 16) + [f32(*[1.0] * 16)])
    base = bits_vectors(rng, 1, 64, 118, 126)[0]
    yield Hostile("near-ties", F32, near_ties(rng, base, 60) + [base], [base] + near_ties(rng, base, 2))
    yield Hostile("one-dimension", F32, bits_vectors(rng, 60, 1, 0, 254), bits_vectors(rng, 4, 1, 0, 254))
    yield Hostile("three-dimensions", F32, bits_vectors(rng, 60, 3, 100, 150), bits_vectors(rng, 4, 3, 100, 150))
    rows = wide_rows(rng, 65535)
    yield Hostile("65535-dimensions", F32, rows, [rows[0], bits_vectors(rng, 1, 65535, 118, 126)[0]])
    yield Hostile("65535-dimensions-u8", U8, [[rng.getrandbits(8) for _ in range(65535)] for _ in range(4)],
                  [[rng.getrandbits(8) for _ in range(65535)]])
    few = bits_vectors(rng, 10, 12, 120, 126)
    yield Hostile("duplicates", F32, few * 8, [few[3], bits_vectors(rng, 1, 12, 120, 126)[0]],
                  ids=[rng.getrandbits(62) for _ in range(80)])
    some = bits_vectors(rng, 20, 8, 110, 130)
    yield Hostile("zero-vectors", F32, some + [[0] * 8, [1 << 31] * 8] * 5, [[0] * 8, some[2]])
    yield Hostile("parallel-vectors", F32, [[b + (step << 23) for b in some[0]] for step in range(-8, 9)],
                  [some[0], [b ^ 1 << 31 for b in some[0]]])
    halves = [[rng.getrandbits(1) << 15 | rng.getrandbits(10) for _ in range(20)] for _ in range(40)]
    yield Hostile("f16-subnormals", F16, halves, halves[:2] + [[rng.getrandbits(10) for _ in range(20)]])
    every = [[rng.getrandbits(1) << 15 | rng.randint(0, 30) << 10 | rng.getrandbits(10) for _ in range(20)] for _ in range(40)]
    yield Hostile("f16-all-exponents", F16, every, every[:2])
    yield Hostile("f16-asked-in-f32", F16, every, bits_vectors(rng, 3, 20, 100, 150), F32)
    ends = [[rng.choice((0, 127, 128, 255)) for _ in range(33)] for _ in range(50)]
    for kind in (I8, U8):
        yield Hostile(f"{TYPE_NAME[kind]}-extremes", kind, ends, ends[:3])
        yield Hostile(f"{TYPE_NAME[kind]}-asked-in-f32", kind, ends, mixed(rng, 4, 33), F32)


def random_cases(rng, count):
    for number in range(count):
        kind = rng.choice((F32, F32, F32, F16, I8, U8))
        query_kind = rng.choice((kind, F32))
        metric = rng.choice(METRICS)
        case = Case(rng, rng.choice(RANDOM_DIMS), metric, kind, query_kind, rng.randint(1, 40), 3)
        yield Hostile(f"random-{number}-{case.style}-{TYPE_NAME[kind]}-{case.dim}", kind, case.rows, case.queries,
                      query_kind, (metric,))


def cases(seed, count):
    """The named cases, then so many random ones."""
    yield from special_cases(random.Random(seed))
    yield from random_cases(random.Random(seed + 1), count)


def metric_name(metric):
    return METRIC_NAME[metric]


def type_name(kind):
    return TYPE_NAME[kind]
