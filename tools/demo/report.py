#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Judges what the demo's machine answered, and tells the user.

Owns the comparison with the expected answers, the table, result.json and the
contact sheet neighbours.png. Exits with 1 if anything is not exactly right, or
the default mode's recall too low.
"""

import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

NEIGHBOURS = 10
RECALL_FLOOR = 0.99
ANSWER = np.dtype([("id", "<u8"), ("distance", "<f8")])

# The contact sheet, in pixels.
SHEET_QUERIES = 12
SIDE = 28
SCALE = 2
FRAME = 3
GAP = 5
TILE = SIDE * SCALE + 2 * FRAME
STEP = TILE + GAP
MARGIN = 30
PAPER = (255, 255, 255)
INK = (60, 60, 60)
QUERY_FRAME = (40, 90, 200)
SAME_FRAME = (40, 160, 70)
OTHER_FRAME = (215, 60, 50)

# Characters of 3 by 5 dots, a line after the other.
GLYPHS = {
    "0": "111101101101111",
    "1": "010110010010111",
    "2": "111001111100111",
    "3": "111001111001111",
    "4": "101101111001001",
    "5": "111100111001111",
    "6": "111100111101111",
    "7": "111001001001001",
    "8": "111101111101111",
    "9": "111101111001111",
    "?": "111001011000010",
}


def read_values(path):
    """The lines NAME=VALUE of a file."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def compare(answers, ids, distances):
    """Recall, and the number of queries whose answer is not exactly the expected one."""
    found = [len(np.intersect1d(a, b)) for a, b in zip(answers["id"], ids)]
    right = (answers["id"] == ids) & (answers["distance"] == distances)
    return sum(found) / ids.size, int((~right.all(axis=1)).sum())


def write_text(sheet, text, x, y, size=3):
    for place, character in enumerate(text):
        dots = np.array([int(dot) for dot in GLYPHS[character]], bool).reshape(5, 3)
        dots = dots.repeat(size, 0).repeat(size, 1)
        left = x + place * 4 * size
        sheet[y : y + 5 * size, left : left + 3 * size][dots] = INK


def put_image(sheet, image, row, column, frame):
    y, x = MARGIN + row * STEP, MARGIN + column * STEP + (GAP if column else 0)
    sheet[y : y + TILE, x : x + TILE] = frame
    pixels = image.reshape(SIDE, SIDE).repeat(SCALE, 0).repeat(SCALE, 1)
    sheet[y + FRAME : y + TILE - FRAME, x + FRAME : x + TILE - FRAME] = pixels[:, :, None]


def write_png(path, sheet):
    height, width, _ = sheet.shape
    lines = b"".join(b"\0" + line.tobytes() for line in sheet)

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )


def draw_sheet(path, expected, answers):
    """A line for each of some queries: the query image, then its nearest in order."""
    count = min(SHEET_QUERIES, len(answers))
    sheet = np.empty((2 * MARGIN + count * STEP, 2 * MARGIN + (NEIGHBOURS + 1) * STEP, 3), np.uint8)
    sheet[:] = PAPER
    for column in range(NEIGHBOURS + 1):
        name = str(column) if column else "?"
        center = MARGIN + column * STEP + (GAP if column else 0) + TILE // 2
        write_text(sheet, name, center - 6 * len(name) + 1, 8)
    for row, query in enumerate(np.linspace(0, len(answers) - 1, count).astype(int)):
        put_image(sheet, expected["asked"][query], row, 0, QUERY_FRAME)
        for column, found in enumerate(answers["id"][query], 1):
            same = expected["labels"][found] == expected["asked_labels"][query]
            image = expected["images"][found]
            put_image(sheet, image, row, column, SAME_FRAME if same else OTHER_FRAME)
    write_png(path, sheet)


def print_table(result):
    lines = [
        ("rows", f"{result['rows']:,} of {result['dim']} float32", ""),
        ("insert", f"{result['insert_rows_per_s']:,.0f}", "rows/s"),
        ("insert, fsync each 1,000", f"{result['fsync_insert_rows_per_s']:,.0f}", "rows/s"),
        ("search, exact, one thread", f"{result['qps']:,.1f}", "queries/s"),
        ("  latency, P50 and P95", f"{result['p50_us']:,.0f} {result['p95_us']:,.0f}", "us"),
        ("  recall@10", f"{result['recall_at_10']:.4f}", ""),
        ("  wrong answers", f"{result['wrong_answers']}", f"of {result['queries']:,}"),
        ("search, default, one thread", f"{result['default_qps']:,.1f}", "queries/s"),
        ("  latency, P50 and P95", f"{result['default_p50_us']:,.0f} {result['default_p95_us']:,.0f}", "us"),
        ("  recall@10", f"{result['default_recall_at_10']:.4f}", ""),
        ("matrix has source's sha256", "yes" if result["sha256_match"] else "NO", ""),
    ]
    wide = max(len(value) for _, value, _ in lines)
    print()
    print(f"  {result['dataset']} on {result['device']}, Linux {result['kernel']}")
    print()
    for name, value, unit in lines:
        print(f"  {name:<28}{value:>{wide}} {unit}".rstrip())
    print()


def main():
    measured, target, device = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    expected = dict(np.load(target / "expected.npz"))
    seconds = np.loadtxt(measured / "seconds", ndmin=1)
    answers = np.fromfile(measured / "answers", ANSWER).reshape(-1, NEIGHBOURS)
    count = len(answers)
    recall, wrong = compare(answers, expected["ids"][:count], expected["distances"][:count])
    default_seconds = np.loadtxt(measured / "seconds-default", ndmin=1)
    default_answers = np.fromfile(measured / "answers-default", ANSWER).reshape(-1, NEIGHBOURS)
    default_recall, _ = compare(default_answers, expected["ids"][:count], expected["distances"][:count])
    machine = read_values(measured / "machine")
    result = {
        "kernel": machine["kernel"],
        "device": machine["device"] + (f" ({device})" if device else ""),
        "dataset": "Fashion-MNIST",
        "rows": len(expected["images"]),
        "dim": expected["images"].shape[1],
        "insert_rows_per_s": float(read_values(measured / "insert")["rows_per_s"]),
        "fsync_insert_rows_per_s": float(read_values(measured / "insert-fsync")["rows_per_s"]),
        "queries": count,
        "qps": round(count / seconds.sum(), 2),
        "p50_us": round(float(np.percentile(seconds, 50)) * 1e6, 1),
        "p95_us": round(float(np.percentile(seconds, 95)) * 1e6, 1),
        "recall_at_10": recall,
        "wrong_answers": wrong,
        "default_qps": round(count / default_seconds.sum(), 2),
        "default_p50_us": round(float(np.percentile(default_seconds, 50)) * 1e6, 1),
        "default_p95_us": round(float(np.percentile(default_seconds, 95)) * 1e6, 1),
        "default_recall_at_10": default_recall,
        "sha256_match": (measured / "sha256").read_text().split()[0] == str(expected["sha256"]),
    }
    (target / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    draw_sheet(target / "neighbours.png", expected, answers)
    print_table(result)
    if wrong or recall != 1 or not result["sha256_match"]:
        sys.exit("demo: FAILED: the kernel's answers are not those of the brute force (see above)")
    if default_recall < RECALL_FLOOR:
        sys.exit(f"demo: FAILED: the default mode's recall is below {RECALL_FLOOR}")


main()
