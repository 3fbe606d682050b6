#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check the core's distances against rational arithmetic.

Generates hostile cases from a seed, runs tests/unit/distance_tool.c's program
over them, and compares every answer with exact integers and fractions: no
floating point number is computed here.

A case on the tool's input: eight little-endian u32 (row type, query type,
metric, dim, queries, rows, k, radii), then the queries, the rows and the radii
(binary64 bit patterns).
"""

import argparse
import functools
import random
import struct
import subprocess
import sys
from fractions import Fraction

F32, F16, I8, U8 = 1, 2, 3, 4
L2, IP, COSINE, L1 = 1, 2, 3, 4
WIDTH = {F32: 4, F16: 2, I8: 1, U8: 1}
TYPE_NAME = {F32: "f32", F16: "f16", I8: "i8", U8: "u8"}
METRIC_NAME = {L2: "l2", IP: "ip", COSINE: "cosine", L1: "l1"}
SCALE = 149  # every element is an integer times 2^-149


def element(kind, bits):
    """An element as an integer multiple of 2^-149."""
    if kind == F32:
        e, m = bits >> 23 & 255, bits & 0x7FFFFF
        value = (m | 0x800000) << (e - 1) if e else m
        return -value if bits >> 31 else value
    if kind == F16:
        e, m = bits >> 10 & 31, bits & 0x3FF
        value = (m | 0x400) << (e - 1) if e else m
        value <<= SCALE - 24
        return -value if bits >> 15 else value
    if kind == I8 and bits >= 128:
        bits -= 256
    return bits << SCALE


def pack(kind, bits):
    code = {F32: "I", F16: "H", I8: "B", U8: "B"}[kind]
    return struct.pack("<%d%s" % (len(bits), code), *bits)


def double_fraction(bits):
    e, m = bits >> 52 & 2047, bits & (1 << 52) - 1
    m, e = (m | 1 << 52, e) if e else (m, 1)
    value = Fraction(m) * Fraction(2) ** (e - 1075)
    return -value if bits >> 63 else value


def key_bits(key):
    return key if key >= 0 else (key ^ (1 << 63) - 1) & (1 << 64) - 1


def sign(x):
    return (x > 0) - (x < 0)


class Distance:
    """An exact distance: compares with fractions and with its like."""

    def __init__(self, metric, query, row):
        self.metric = metric
        if metric == L2:
            self.value = Fraction(sum((x - q) ** 2 for x, q in zip(row, query)), 1 << 2 * SCALE)
        elif metric == L1:
            self.value = Fraction(sum(abs(x - q) for x, q in zip(row, query)), 1 << SCALE)
        else:
            dot = sum(x * q for x, q in zip(row, query) if x and q)
            self.value = Fraction(-dot, 1 << 2 * SCALE)
        if metric == COSINE:
            norms = sum(x * x for x in row) * sum(q * q for q in query)
            # the cosine is sign * sqrt(square)
            self.sign = sign(dot) if norms else 0
            self.square = Fraction(dot * dot, norms) if norms else Fraction(0)
            self.order = -self.sign * self.square
        else:
            self.order = self.value

    def versus(self, number):
        """-1, 0, 1 as the distance is below, equal to, above a fraction."""
        if self.metric != COSINE:
            return sign(self.value - number)
        # 1 - c against number: c against t with the order turned round
        t = 1 - number
        if self.sign != sign(t):
            return -sign(self.sign - sign(t))
        return -self.sign * sign(self.square - t * t)

    def within_keys(self, lo, hi):
        lo_bits, hi_bits = key_bits(lo), key_bits(hi)
        low_ok = lo_bits == 0xFFF << 52 or self.versus(double_fraction(lo_bits)) >= 0
        high_ok = hi_bits == 0x7FF << 52 or self.versus(double_fraction(hi_bits)) <= 0
        return low_ok and high_ok

    def rounded(self, bits):
        """Is this binary64 the distance, rounded as promised?"""
        number = double_fraction(bits)
        if self.metric == COSINE:
            slack = Fraction(1, 1 << 50)
            return self.versus(number * (1 - slack)) >= 0 and self.versus(number * (1 + slack)) <= 0
        if self.value == 0:
            return bits == 0
        magnitude = bits & (1 << 63) - 1
        below = (double_fraction(magnitude - 1) + double_fraction(magnitude)) / 2
        above = (double_fraction(magnitude + 1) + double_fraction(magnitude)) / 2
        if sign(number) != sign(self.value):
            return False
        size = abs(self.value)
        if size in (below, above):
            return magnitude % 2 == 0
        return below < size < above


def narrow(lo, hi, metric, exact):
    """Is an interval that exact arithmetic made as narrow as promised?"""
    if metric != COSINE:
        return hi == lo or (hi == lo + 1 and exact)
    if lo == hi:
        return True
    lo_value, hi_value = double_fraction(key_bits(lo)), double_fraction(key_bits(hi))
    return hi_value - lo_value <= hi_value / (1 << 50)


# ---- cases -------------------------------------------------------------


def f32_bits(rng, low, high):
    """A random finite binary32 with an exponent field in low..high."""
    return rng.getrandbits(1) << 31 | rng.randint(low, high) << 23 | rng.getrandbits(23)


def integer_bits(value):
    """A small integer as binary32."""
    size = abs(value)
    if not size:
        return 0
    length = size.bit_length() - 1
    return (value < 0) << 31 | (127 + length) << 23 | (size << 23 - length) & 0x7FFFFF


def f32_vector(rng, style, dim):
    if style == "embedding":
        return [f32_bits(rng, 114, 124) for _ in range(dim)]
    if style == "integers":
        return [integer_bits(rng.choice((0, 0, rng.randint(0, 255)))) for _ in range(dim)]
    if style == "subnormal":
        return [rng.getrandbits(1) << 31 | rng.getrandbits(23) for _ in range(dim)]
    if style == "sparse":
        return [f32_bits(rng, 100, 140) if rng.random() < 0.05 else 0 for _ in range(dim)]
    if style == "mixed":
        return [f32_bits(rng, *rng.choice(((26, 28), (125, 128), (226, 228), (0, 0)))) for _ in range(dim)]
    if style == "any":
        return [f32_bits(rng, 0, 254) for _ in range(dim)]
    if style == "tiny":
        return [f32_bits(rng, 26, 28) for _ in range(dim)]
    if style == "huge":
        return [f32_bits(rng, 252, 254) for _ in range(dim)]
    if style == "tail":
        return [f32_bits(rng, 120, 124) if rng.random() < 0.9 else f32_bits(rng, 60, 100) for _ in range(dim)]
    if style == "zero":
        return [rng.choice((0, 1 << 31)) for _ in range(dim)]
    if style == "one":
        vector = [0] * dim
        vector[rng.randrange(dim)] = f32_bits(rng, 1, 254)
        return vector
    raise ValueError(style)


F32_STYLES = ("embedding", "embedding", "integers", "subnormal", "sparse", "mixed", "any", "tiny", "huge", "tail",
              "zero", "one")


def vector(rng, kind, style, dim):
    if kind == F32:
        return f32_vector(rng, style, dim)
    if style == "zero":
        return [0] * dim
    if kind == F16:
        if style == "subnormal":
            return [rng.getrandbits(1) << 15 | rng.getrandbits(10) for _ in range(dim)]
        if style in ("any", "mixed", "one"):
            return [rng.getrandbits(1) << 15 | rng.randint(0, 30) << 10 | rng.getrandbits(10) for _ in range(dim)]
        return [rng.getrandbits(1) << 15 | rng.randint(8, 14) << 10 | rng.getrandbits(10) for _ in range(dim)]
    if style == "huge":
        return [rng.choice((0, 127, 128, 255)) for _ in range(dim)]
    if style == "sparse":
        return [rng.getrandbits(8) if rng.random() < 0.1 else 0 for _ in range(dim)]
    return [rng.getrandbits(8) for _ in range(dim)]


def neighbour(rng, kind, base):
    """Nearly the same vector: cancellation, and cosines next to 1."""
    out = list(base)
    for _ in range(rng.choice((1, 1, 3))):
        i = rng.randrange(len(out))
        if kind in (I8, U8):
            out[i] = out[i] ^ 1
        elif out[i] & 0x3FF:
            out[i] ^= 1
    return out


def scaled(kind, base, rng):
    """The same direction: f32 with every exponent moved."""
    if kind != F32:
        return list(base)
    by = rng.choice((-3, 1, 20))
    moved = [b + (by << 23) for b in base]
    if all(1 <= (b >> 23 & 255) and 1 <= (b >> 23 & 255) + by <= 254 for b in base):
        return moved
    return list(base)


class Case:
    def __init__(self, rng, dim, metric, kind, query_kind, rows, queries):
        self.dim, self.metric, self.kind, self.query_kind = dim, metric, kind, query_kind
        self.k = rng.choice((1, 3, 10))
        style = rng.choice(F32_STYLES)
        self.style = style
        mix = rng.random() < 0.3
        self.queries = [vector(rng, query_kind, rng.choice(F32_STYLES) if mix or rng.random() < 0.1 else style, dim)
                        for _ in range(queries)]
        base = vector(rng, kind, style, dim)
        self.rows = []
        for _ in range(rows):
            kinds = rng.random()
            like = self.queries[rng.randrange(queries)] if kind == query_kind else base
            if kinds < 0.1 and self.rows:
                row = list(rng.choice(self.rows))
            elif kinds < 0.2:
                row = neighbour(rng, kind, like)
            elif kinds < 0.3:
                row = neighbour(rng, kind, base)
            elif kinds < 0.35:
                row = scaled(kind, like, rng)
            elif kinds < 0.4:
                row = vector(rng, kind, "zero", dim)
            elif kinds < 0.43:
                row = list(like)
            else:
                row = vector(rng, kind, rng.choice(F32_STYLES) if mix else style, dim)
            self.rows.append(row)
        if rng.random() < 0.05:
            self.rows = [base] * rows
        self.radii = [0, 0x7FF << 52, 1, 0x3FF << 52, 0xBFF << 52, 1 << 63]
        self.exact_queries = [[element(query_kind, b) for b in q] for q in self.queries]
        self.exact_rows = [[element(kind, b) for b in r] for r in self.rows]
        self.distances = [[Distance(metric, q, r) for r in self.exact_rows] for q in self.exact_queries]
        self.radii += [self.radius_near(rng) for _ in range(4)]

    def radius_near(self, rng):
        """A radius at, or one unit beside, some row's distance."""
        distance = rng.choice(rng.choice(self.distances))
        bits = nearest_below(distance)
        return bits if rng.random() < 0.5 else bits + 1

    def bytes(self):
        head = struct.pack("<8I", self.kind, self.query_kind, self.metric, self.dim, len(self.queries),
                           len(self.rows), self.k, len(self.radii))
        return (head + b"".join(pack(self.query_kind, q) for q in self.queries) +
                b"".join(pack(self.kind, r) for r in self.rows) + struct.pack("<%dQ" % len(self.radii), *self.radii))

    def row_id(self, row):
        return 1000000 - row if self.dim & 1 else row

    def nearest(self, query):
        def order(a, b):
            x, y = self.distances[query][a].order, self.distances[query][b].order
            return sign(x - y) or self.row_id(a) - self.row_id(b)

        ranked = sorted(range(len(self.rows)), key=functools.cmp_to_key(order))
        return [self.row_id(r) for r in ranked[:self.k]]

    def __str__(self):
        return "%s query %s %s dim %d style %s" % (TYPE_NAME[self.kind], TYPE_NAME[self.query_kind],
                                                   METRIC_NAME[self.metric], self.dim, self.style)


def nearest_below(distance):
    """Bits of the greatest binary64 not above a distance, by bisection."""
    negative = distance.versus(Fraction(0)) < 0
    low, high = 0, (0x7FE << 52) + (1 << 52) - 1
    while low < high:
        middle = (low + high + 1) // 2
        value = double_fraction(middle)
        inside = distance.versus(-value) <= 0 if negative else distance.versus(value) >= 0
        low, high = (middle, high) if inside else (low, middle - 1)
    return low | negative << 63


# ---- the check -----------------------------------------------------------


class Score:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.loose = 0
        self.unrounded = 0

    def check(self, good, case, what):
        if good:
            self.passed += 1
            return
        self.failed += 1
        if self.failed <= 20:
            print("FAILED: %s: %s" % (case, what))


def check_distance(case, words, score):
    query, row = int(words[0]), int(words[1])
    keys = [int(w) for w in words[2:10]]
    distance = case.distances[query][row]
    for name, i in (("row", 0), ("batch", 2), ("pieces", 4), ("exact", 6)):
        score.check(distance.within_keys(keys[i], keys[i + 1]), case,
                    "query %d row %d: %s interval %d %d misses the distance" % (query, row, name, keys[i], keys[i + 1]))
    for name, i in (("row", 0), ("batch", 2)):
        lo, hi = (double_fraction(key_bits(k)) for k in keys[i:i + 2])
        if hi - lo > max(abs(lo), abs(hi)) / (1 << 24):
            score.loose += 1
    score.check(narrow(keys[6], keys[7], case.metric, True), case, "query %d row %d: wide exact interval" % (query, row))
    score.check(distance.rounded(int(words[10], 16)), case, "query %d row %d: distance %s" % (query, row, words[10]))
    for name, word in zip(("row", "batch", "pieces"), words[11:]):
        if word == "-":
            score.unrounded += 1
        else:
            score.check(distance.rounded(int(word, 16)), case, "query %d row %d: %s says %s" % (query, row, name, word))


def check_line(case, line, score):
    kind, *words = line.split()
    if kind == "d":
        check_distance(case, words, score)
    elif kind == "l":
        query, row, lo, hi = map(int, words)
        score.check(case.distances[query][row].within_keys(lo, hi), case,
                    "query %d row %d: limited interval %d %d misses the distance" % (query, row, lo, hi))
    elif kind == "c":
        query, a, b, result = map(int, words)
        want = sign(case.distances[query][a].order - case.distances[query][b].order)
        score.check(result == want, case, "compare query %d rows %d %d: %d, not %d" % (query, a, b, result, want))
    elif kind == "w":
        query, row, radius, within = map(int, words)
        bits = case.radii[radius]
        want = bits == 0x7FF << 52 or case.distances[query][row].versus(double_fraction(bits)) <= 0
        score.check(bool(within) == want, case, "query %d row %d radius %x: %d" % (query, row, bits, within))
    elif kind == "t":
        query, *ids = map(int, words)
        score.check(ids == case.nearest(query), case, "query %d: nearest %s, not %s" % (query, ids, case.nearest(query)))


def check_cases(tool, cases, score):
    run = subprocess.run([tool], input=b"".join(c.bytes() for c in cases), stdout=subprocess.PIPE, check=False)
    lines = run.stdout.decode().splitlines()
    score.check(run.returncode == 0, "the tool", "exit status %d" % run.returncode)
    i = 0
    if run.returncode:
        lines = lines[:-1]  # what it was printing when it died
    for line in lines:
        if line == "end":
            i += 1
        else:
            check_line(cases[i], line, score)
    score.check(i == len(cases), "the tool", "%d of %d cases answered" % (i, len(cases)))


def make_cases(rng, count, large):
    pairs = [(F32, F32)] * 5 + [(F16, F16), (F16, F32), (I8, I8), (I8, F32), (U8, U8), (U8, F32)]
    for n in range(count):
        dim = rng.choice((1, 2, 3, 5, 8, 17, 31, 100, 127, 128, 300))
        if n % 50 == 7:
            dim = rng.choice((784, 1000))
        kind, query_kind = rng.choice(pairs)
        yield Case(rng, dim, rng.choice((L2, IP, COSINE, L1)), kind, query_kind, rng.randint(1, 14), rng.randint(1, 3))
    for n in range(large):
        kind, query_kind = pairs[n % len(pairs)] if n >= 4 else (F32, F32)
        yield Case(rng, 65535, 1 + n % 4, kind, query_kind, 4, 1 + n % 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool", help="the program built from tests/unit/distance_tool.c")
    parser.add_argument("--cases", type=int, default=1500, help="cases of up to 1,000 dimensions (default %(default)s)")
    parser.add_argument("--large", type=int, default=8, help="cases of 65,535 dimensions (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the cases (default %(default)s)")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    score = Score()
    batch = []
    for case in make_cases(rng, options.cases, options.large):
        batch.append(case)
        if len(batch) == 50 or case.dim > 1000:
            check_cases(options.tool, batch, score)
            batch = []
    if batch:
        check_cases(options.tool, batch, score)
    print("intervals wider than 2^-24 relative: %d; without a rounded distance: %d" % (score.loose, score.unrounded))
    print("%d passed, %d failed" % (score.passed, score.failed))
    return 1 if score.failed else 0


if __name__ == "__main__":
    sys.exit(main())
