# SPDX-License-Identifier: Apache-2.0
"""Brute force in float64 with numpy, and the judgement of answers by it.

Where rows and queries are integers, float64 is exact and answers must be equal to
the last bit and id. Elsewhere two rows may be nearer to each other than float64
can tell: such a pair counts as right in either order.
"""

import hashlib

import numpy as np

RESULT = np.dtype([("id", "<u8"), ("distance", "<f8")])
BLOCK = 40
TOLERANCE = 2.0**-20
ROUNDING = 1e-13


class Wrong(Exception):
    """An answer that is not right; the text says which."""


def distances(base, query, metric):
    """Of one query to every row."""
    if metric == "l2":
        return np.square(base - query).sum(1)
    if metric == "l1":
        return np.abs(base - query).sum(1)
    dots = base @ query
    if metric == "ip":
        return -dots
    norms = np.sqrt(np.square(base).sum(1) * np.square(query).sum())
    return 1 - np.divide(dots, norms, out=np.zeros_like(dots), where=norms > 0)


def blocks(base, queries, metric):
    """Distances of all queries, a row of them at a time."""
    if metric == "l1":
        for query in queries:
            yield distances(base, query, metric)
        return
    squares = np.einsum("ij,ij->i", base, base)
    for first in range(0, len(queries), BLOCK):
        block = queries[first : first + BLOCK]
        values = -(block @ base.T)
        norms = np.einsum("ij,ij->i", block, block)[:, None]
        if metric == "l2":
            values = squares + 2 * values + norms
        elif metric == "cosine":
            scale = np.sqrt(squares * norms)
            values = 1 + np.divide(values, scale, out=np.zeros_like(values), where=scale > 0)
        yield from values


def nearest(base, ids, queries, metric, most, cache):
    """Ids and distances of the nearest rows of each query, ties by id."""
    most = min(most, len(base))
    mark = hashlib.sha1(b"%d %s" % (most, metric.encode()))
    for array in (base, ids, queries):
        mark.update(str(array.dtype).encode() + np.ascontiguousarray(array).tobytes())
    saved = cache / f"nearest-{mark.hexdigest()}.npz"
    if saved.exists():
        found = np.load(saved)
        return found["ids"], found["distances"]
    near_ids = np.empty((len(queries), most), np.uint64)
    near = np.empty((len(queries), most))
    wide, wide_queries = base.astype(np.float64), queries.astype(np.float64)
    for query, row in enumerate(blocks(wide, wide_queries, metric)):
        limit = np.partition(row, most - 1)[most - 1]
        rows = np.flatnonzero(row <= limit)
        rows = rows[np.lexsort((ids[rows], row[rows]))][:most]
        near_ids[query], near[query] = ids[rows], row[rows]
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(saved, ids=near_ids, distances=near)
    return near_ids, near


def read_answers(path):
    """What the client wrote: for each query a count and its results."""
    data, offset, answers = path.read_bytes(), 0, []
    while offset < len(data):
        count = int.from_bytes(data[offset : offset + 8], "little")
        answers.append(np.frombuffer(data, RESULT, count, offset + 8))
        offset += 8 + count * RESULT.itemsize
    return answers


def rounding_of(base, query, metric):
    """How far float64 may be off for these rows, absolutely."""
    if metric == "l1":
        return ROUNDING * (np.abs(base).sum(1).max() + np.abs(query).sum())
    if metric == "cosine":
        return ROUNDING
    return ROUNDING * (np.square(base).sum(1).max() + np.square(query).sum())


def check_exact(query, got, ids, near):
    bad = np.flatnonzero((got["id"] != ids) | (got["distance"] != near))
    if len(bad):
        rank = bad[0]
        raise Wrong(
            f"query {query} rank {rank}: id {got['id'][rank]} at {got['distance'][rank]!r},"
            f" not id {ids[rank]} at {near[rank]!r} ({len(bad)} ranks differ)"
        )


def check_close(query, got, rows, wide_query, metric, slack):
    """The distances of these rows are right; returns the greatest relative error."""
    right = distances(rows, wide_query, metric)
    error = np.abs(got["distance"] - right)
    bad = np.flatnonzero(error > TOLERANCE * np.abs(right) + slack)
    if len(bad):
        rank = bad[0]
        raise Wrong(f"query {query} id {got['id'][rank]}: distance {got['distance'][rank]!r}, not {right[rank]!r}")
    return float(np.max(error / np.maximum(np.abs(right), slack), initial=0)), right


def rows_of(query, got, ids):
    order = np.argsort(ids)
    place = np.minimum(np.searchsorted(ids[order], got["id"]), len(ids) - 1)
    rows = order[place]
    if (ids[rows] != got["id"]).any():
        raise Wrong(f"query {query}: id {got['id'][ids[rows] != got['id']][0]} names no live row")
    if len(np.unique(rows)) != len(rows):
        raise Wrong(f"query {query}: an id is there twice")
    return rows


def judge_nearest(answers, base, ids, queries, metric, k, exact, cache, floor=1):
    """Check answers of KNN_SEARCH; returns a sentence, or raises Wrong.

    With a floor below 1 rows may be missing, but distances may not be wrong."""
    exact = exact and floor == 1
    near_ids, near = nearest(base, ids, queries, metric, 1000, cache)
    k, hits, worst = min(k, len(base)), 0, 0.0
    if len(answers) != len(queries):
        raise Wrong(f"{len(answers)} answers to {len(queries)} queries")
    for query, got in enumerate(answers):
        if len(got) != k:
            raise Wrong(f"query {query}: {len(got)} results, not {k}")
        if exact:
            check_exact(query, got, near_ids[query, :k], near[query, :k])
            continue
        rows = base[rows_of(query, got, ids)].astype(np.float64)
        asked = queries[query].astype(np.float64)
        slack = rounding_of(rows, asked, metric)
        error, right = check_close(query, got, rows, asked, metric, slack)
        worst = max(worst, error)
        if (np.diff(got["distance"]) < 0).any():
            raise Wrong(f"query {query}: the results are not in order")
        hits += int((right <= near[query, k - 1] + slack).sum())
    if exact:
        return f"{len(queries)} queries, every id and distance equal"
    recall = hits / (k * len(queries))
    if recall < floor:
        raise Wrong(f"recall@{k} is {recall:.6f}")
    return f"{len(queries)} queries, recall {recall:.4f}, distances within {worst:.0e}"


def pick_radius(row, rank, exact, slack):
    """A radius at a rank: the distance there, or the middle of a gap that float64 sees."""
    order = np.sort(row)
    while not exact and rank + 1 < len(order) and order[rank + 1] - order[rank] <= 4 * slack:
        rank += 1
    if exact or rank + 1 == len(order):
        return order[rank] + (0 if exact else 4 * slack)
    return (order[rank] + order[rank + 1]) / 2


def pick_radii(base, queries, metric, exact):
    """For each query a radius: some select nothing, a few rows, many, and all."""
    wide, radii = base.astype(np.float64), []
    for number, query in enumerate(queries.astype(np.float64)):
        row = distances(wide, query, metric)
        slack = rounding_of(wide, query, metric)
        if number % 5 == 3:
            radii.append(row.min() - 1)
        elif number % 5 == 4:
            radii.append(np.inf)
        else:
            radii.append(pick_radius(row, min((0, 99, 2499)[number % 5], len(row) - 1), exact, slack))
    return np.array(radii)


def judge_range(answers, base, ids, queries, metric, radii):
    """Check answers of RANGE_SEARCH; returns a sentence, or raises Wrong."""
    wide, total = base.astype(np.float64), 0
    for query, got in enumerate(answers):
        asked = queries[query].astype(np.float64)
        right = distances(wide, asked, metric)
        rows = np.flatnonzero(right <= radii[query])
        if len(got) != len(rows) or (got["id"] != ids[rows]).any():
            raise Wrong(f"query {query} radius {radii[query]!r}: {len(got)} results, not the {len(rows)} of brute force")
        check_close(query, got, wide[rows], asked, metric, rounding_of(wide, asked, metric))
        total += len(got)
    if len(answers) != len(queries):
        raise Wrong(f"{len(answers)} answers to {len(queries)} queries")
    return f"{len(queries)} queries, {total} results, the very set"
