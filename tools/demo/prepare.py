#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the demo's inputs and the answers to expect, on the host and without VexFS.

Owns the reading of the Fashion-MNIST files, the matrices as float32 bytes, and a
brute force in float64: pixels are integers, so every distance is exact and ties
are true ties, decided by the smaller id.
"""

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np

NEIGHBOURS = 10
BLOCK = 50


def read_idx(path):
    """The array in an IDX file of bytes: its magic number counts the dimensions."""
    data = gzip.decompress(path.read_bytes())
    if data[:3] != b"\0\0\x08":
        sys.exit(f"prepare.py: {path} is not an IDX file of bytes")
    dims = data[3]
    shape = np.frombuffer(data, ">u4", dims, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dims).reshape(shape)


def nearest(base, queries):
    """Ids and squared distances of the nearest rows of each query, in float64."""
    base = base.astype(np.float64)
    queries = queries.astype(np.float64)
    norms = np.einsum("ij,ij->i", base, base)
    ids = np.empty((len(queries), NEIGHBOURS), np.uint64)
    distances = np.empty((len(queries), NEIGHBOURS), np.float64)
    for first in range(0, len(queries), BLOCK):
        block = queries[first : first + BLOCK]
        squares = norms - 2 * (block @ base.T) + np.einsum("ij,ij->i", block, block)[:, None]
        for query, row in enumerate(squares, first):
            limit = np.partition(row, NEIGHBOURS - 1)[NEIGHBOURS - 1]
            near = np.flatnonzero(row <= limit)
            near = near[np.argsort(row[near], kind="stable")][:NEIGHBOURS]
            ids[query] = near
            distances[query] = row[near]
    return ids, distances


def main():
    source, target, queries = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    target.mkdir(parents=True, exist_ok=True)
    base = read_idx(source / "train-images-idx3-ubyte.gz").reshape(-1, 784)
    asked = read_idx(source / "t10k-images-idx3-ubyte.gz").reshape(-1, 784)[:queries]
    labels = read_idx(source / "train-labels-idx1-ubyte.gz")
    asked_labels = read_idx(source / "t10k-labels-idx1-ubyte.gz")[:queries]
    matrix = base.astype("<f4").tobytes()
    (target / "images.f32").write_bytes(matrix)
    asked.astype("<f4").tofile(target / "queries.f32")
    ids, distances = nearest(base, asked)
    np.savez(
        target / "expected.npz",
        sha256=hashlib.sha256(matrix).hexdigest(),
        ids=ids,
        distances=distances,
        labels=labels,
        asked_labels=asked_labels,
        images=base,
        asked=asked,
    )


main()
