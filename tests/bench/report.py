# SPDX-License-Identifier: Apache-2.0
"""What tests/bench/rounds.py measured, as records, as a table and as plots."""

import json
import math
import statistics
import sys

from systems import MANY

MORE = ("encode_rows_per_s", "index_bytes_per_row")
LEVELS = (0.95, 0.99)
CLOCKS = ("qps_cpu", "qps_wall")
TIMES = ("p50_us", "p95_us", "p99_us")
KEYS = ("run", "dataset", "rows", "dim", "metric", "system", "version", "isa", "index", "parameters", "k", "recall_at_10",
        "qps_cpu", "qps_wall", "p50_us", "p95_us", "p99_us", "threads", "build_rows_per_s", "insert_rows_per_s",
        "bytes_per_row_disk", "bytes_per_row_memory", "cold")
BUILD = ("build_rows_per_s", "insert_rows_per_s", "bytes_per_row_disk", "bytes_per_row_memory")


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def median(replies, value):
    return statistics.median(value(reply) for reply in replies)


def record_of(run, k):
    """One run's rounds as one record."""
    replies = run["replies"]
    record = {
        "index": run["index"], "parameters": run["effort"], "k": k, "batch": run["batch"], "threads": run["threads"],
        "recall_at_10": round(sum(reply["hits"] for reply in replies) / sum(reply["queries"] for reply in replies) / k, 5),
        "qps_cpu": median(replies, lambda reply: reply["queries"] / reply["cpu"]),
        "qps_wall": median(replies, lambda reply: reply["queries"] / reply["wall"]),
        "wrong": sum(reply["wrong"] for reply in replies), "cold": False,
    }
    for name in TIMES:
        record[name] = median(replies, lambda reply, name=name: reply[name])
    if all("kernel" in reply for reply in replies):
        record["kernel_qps"] = median(replies, lambda reply: reply["queries"] / reply["kernel"])
    record.update(run.get("kernel_reply", {}))
    return record


def records_of(measured, info, run_name, where, k):
    """All records of one place: the machine, or native."""
    about = {one["worker"]: one for one in measured if one["kind"] == "about"}
    builds = {(one["worker"], one["index"]): one for one in measured if one["kind"] == "build"}
    records = []
    for one in measured:
        worker = one["worker"]
        base = {**dict.fromkeys(KEYS), "run": run_name, "dataset": info["name"], "rows": info["rows"], "dim": info["dim"],
                "metric": info["metric"], "system": worker, "version": about[worker]["version"], "isa": about[worker]["isa"],
                "where": where}
        if one["kind"] == "run":
            build = builds.get((worker, one["index"]), {})
            records.append({**base, **{name: build.get(name) for name in BUILD}, **record_of(one, k)})
        elif one["kind"] == "build":
            records.append({**base, "index": one["index"], "parameters": "build", **{name: one.get(name) for name in (*BUILD, *MORE)}})
        elif one["kind"] == "special":
            values = {name: value for name, value in one.items() if name not in ("kind", "worker", "words")}
            records.append({**base, "k": k, "cold": one["special"] == "cold", **values})
    return records


def key_of(record):
    return tuple(record.get(name) for name in ("system", "index", "parameters", "batch", "threads", "special"))


def best_places(guest, native):
    """Of every run of a peer the place where it was faster, per CPU second; likewise for builds.

    A peer that could not run in the machine is judged by its native runs.
    """
    other = {key_of(record): record for record in native}
    chosen = []
    for record in guest:
        rival = other.get(key_of(record))
        for name in ("qps_cpu", "build_rows_per_s", "insert_rows_per_s"):
            if rival and record.get(name) and (rival.get(name) or 0) > record[name]:
                if name == "qps_cpu":
                    record = {**rival, **{own: max(record[own] or 0, rival[own] or 0) or None for own in BUILD[:2]}}
                else:
                    record = {**record, name: rival[name]}
        chosen.append(record)
    here = {key_of(record) for record in guest}
    return chosen + [record for record in native if key_of(record) not in here]


def check(records):
    """A wrong answer ends it all; a flat peer that misses rows is no peer."""
    for record in records:
        if record["recall_at_10"] is None:
            continue
        what = f"{record['dataset']}: {record['system']} {record['index']}"
        if record["system"] == "vexfs" and (record["wrong"] or record["index"] == "exact" and record["recall_at_10"] < 1):
            sys.exit(f"bench: WRONG ANSWER: {what}: recall {record['recall_at_10']}, {record['wrong']} wrong distances")
        if record["index"] == "flat" and record["recall_at_10"] < 0.999:
            sys.exit(f"bench: {what} has {record['recall_at_10']:.2%} of the right rows only: it is no peer")


def frontier(records, value):
    """The records that no other beats in both recall and speed, by recall."""
    best, kept = 0.0, []
    for record in sorted(records, key=lambda one: (-one["recall_at_10"], -(one.get(value) or 0))):
        if (record.get(value) or 0) > best:
            best = record[value]
            kept.append(record)
    return kept[::-1]


def speed_at(records, level, value):
    """Queries a second at a recall: between two points of the frontier by its logarithm."""
    line = frontier(records, value)
    above = [record for record in line if record["recall_at_10"] >= level]
    if not above:
        return None
    below = [record for record in line if record["recall_at_10"] < level]
    if not below:
        return above[0][value]
    low, high = below[-1], above[0]
    share = (level - low["recall_at_10"]) / (high["recall_at_10"] - low["recall_at_10"])
    return math.exp((1 - share) * math.log(low[value]) + share * math.log(high[value]))


def curves(records, batch=1):
    """Runs of so many queries a call on one thread, by (system, index without its sizes)."""
    lines = {}
    for record in records:
        if record.get("batch") == batch and record["threads"] == 1:
            lines.setdefault((record["system"], record["index"].split("/")[0]), []).append(record)
    return lines


def show(value, form=",.0f"):
    return format(value, form) if value else "-"


def print_curves(lines, title):
    print(f"  {title:<30}{'recall':>8}{'qps at':>10}{'qps at':>10}{'P50 us':>9}{'P99 us':>9}  {'in the kernel: qps at':>24}")
    print(f"  {'':<30}{'at most':>8}{'.95':>10}{'.99':>10}{'at .95':>9}{'at .95':>9}  {'.95':>12}{'.99':>12}")
    for (system, index), records in sorted(lines.items(), key=lambda item: -(speed_at(item[1], 0.95, "qps_cpu") or 0)):
        near = min((one for one in records if one["recall_at_10"] >= 0.95), key=lambda one: one["p50_us"], default={})
        places = {record["where"] for record in records}
        name = f"{system} {index}" + (" (native)" if places == {"native"} else "")
        print(f"  {name:<30}{max(one['recall_at_10'] for one in records):>8.4f}"
              + "".join(f"{show(speed_at(records, level, 'qps_cpu')):>10}" for level in LEVELS)
              + f"{show(near.get('p50_us')):>9}{show(near.get('p99_us')):>9}  "
              + "".join(f"{show(speed_at(records, level, 'kernel_qps')):>12}" for level in LEVELS))


def print_ratios(lines):
    """VexFS by its best index beside each peer, and beside the best of all."""
    own = [record for (system, _), records in lines.items() if system == "vexfs" for record in records]
    peers = {key: records for key, records in lines.items() if key[0] != "vexfs"}
    if not own or not peers:
        return
    for level in LEVELS:
        rates = {key: speed_at(records, level, "qps_cpu") for key, records in peers.items()}
        rates = {key: rate for key, rate in rates.items() if rate}
        mine, kernel = (speed_at(own, level, value) for value in ("qps_cpu", "kernel_qps"))
        if not rates or not mine:
            continue
        print(f"  recall {level}: vexfs {mine:,.0f}, in the kernel {show(kernel)}; ratio to "
              + ", ".join(f"{' '.join(key)} {mine / rate:.2f}" + (f" ({kernel / rate:.2f})" if kernel else "")
                          for key, rate in sorted(rates.items(), key=lambda item: -item[1])[:4]))


def print_latency(lines):
    """Of each index of VexFS the cheapest run that finds enough, as the kernel counts."""
    for (system, index), records in lines.items():
        last = None
        for level in LEVELS:
            near = [one for one in records if one["recall_at_10"] >= level and one.get("kernel_p50_us")]
            one = min(near, key=lambda one: one["kernel_p50_us"], default=None)
            if one and one is not last:
                last = one
                print(f"  {system} {index} at {level}: in the kernel P50 {one['kernel_p50_us']:,.1f} us, P95 {one['kernel_p95_us']:,.1f},"
                      f" P99 {one['kernel_p99_us']:,.1f}; around the call P50 {one['p50_us']:,.1f}, P95 {one['p95_us']:,.1f}"
                      f" (recall {one['recall_at_10']:.4f}, {one['parameters']})")


def print_flat(records):
    """Without an index: VexFS exactly and by default, beside those that look at every row."""
    for batch in sorted({record["batch"] for record in records if "batch" in record}):
        some = {(one["system"], one["index"]): one for one in records
                if one.get("batch") == batch and one["threads"] == 1 and one["parameters"] == "-"}
        peers = {key: one for key, one in some.items() if key[1] == "flat"}
        for (system, index), own in some.items():
            if system != "vexfs" or index not in ("exact", "scan") or not peers:
                continue
            name = f"{'default, ' if index == 'scan' else ''}{index}, {batch} a call"
            print(f"  vexfs {name}: {own['qps_cpu']:,.1f} (recall {own['recall_at_10']:.4f}); ratio to "
                  + ", ".join(f"{' '.join(key)} {own['qps_cpu'] / one['qps_cpu']:.2f} ({one['qps_cpu']:,.1f})"
                              for key, one in sorted(peers.items(), key=lambda item: -item[1]["qps_cpu"])))


def print_builds(records):
    for record in records:
        if record["parameters"] != "build":
            continue
        figures = [f"{record[name]:,.0f} {text}" for name, text in (
            ("build_rows_per_s", "rows/s built"), ("insert_rows_per_s", "rows/s inserted"),
            ("encode_rows_per_s", "rows/s inserted and encoded"), ("bytes_per_row_disk", "B a row on disk"),
            ("bytes_per_row_memory", "B a row in memory"), ("index_bytes_per_row", "B a row of codes and index"))
            if record.get(name)]
        if figures:
            print(f"  {record['system']} {record['index']}: " + ", ".join(figures))


def print_build_ratios(records):
    builds = {(one["system"], one["index"].split("/")[0]): one for one in records if one["parameters"] == "build"}
    for own, peer, name, what in (("hnsw", ("hnswlib", "hnsw"), "build_rows_per_s", "graph built"),
                                  ("ivf", ("vexfs", "hnsw"), "build_rows_per_s", "lists built"),
                                  ("exact", ("faiss", "flat"), "insert_rows_per_s", "inserted")):
        mine, rival = (builds.get(key, {}).get(name) for key in (("vexfs", own), peer))
        if mine and rival:
            print(f"  {what}: vexfs {own} / {' '.join(peer)} {mine / rival:.2f}")


def print_specials(records):
    for record in records:
        if record.get("special"):
            print(f"  {record['system']} {record['special']}, {record['index']}: " + ", ".join(
                f"{name} {value:,.0f}" for name, value in record.items()
                if name in (*TIMES, *CLOCKS, "first_us", "build_rows_per_s", "insert_rows_per_s", "encode_rows_per_s") and value))


def print_threads(records):
    def key(record):
        return tuple(record.get(name) for name in ("system", "index", "parameters", "batch"))

    alone = {key(record): record["qps_wall"] for record in records if record["threads"] == 1 and record.get("qps_wall")}
    for record in records:
        if (record["threads"] or 1) > 1 and record.get("qps_wall"):
            one = alone.get(key(record))
            print(f"  {record['threads']} processes: {record['system']} {record['index']} {record['parameters']}"
                  f" {record['qps_wall']:,.0f} queries a second of wall time"
                  + (f", {record['qps_wall'] / one:.2f} x one" if one else ""))


def print_set(info, records):
    print(f"\n{info['name']}: {info['rows']:,} x {info['dim']} {info['type']}, {info['metric']}; 10 nearest, qps per CPU second")
    lines = curves(records)
    print_curves(lines, "one query a call")
    print_ratios(lines)
    print_latency(lines)
    many = curves(records, MANY)
    if many:
        print_curves(many, f"{MANY} queries a call, latency of all")
        # the others take one query at a time
        print_ratios({**{key: some for key, some in lines.items() if key[0] not in ("vexfs", "faiss", "faiss-named")}, **many})
    print_flat(records)
    print_builds(records)
    print_build_ratios(records)
    print_threads(records)
    print_specials(records)


def plot_set(info, records, target):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 6))
    for (system, index), some in sorted(curves(records).items()):
        line = frontier(some, "qps_cpu")
        axes.plot([one["recall_at_10"] for one in line], [one["qps_cpu"] for one in line], marker="o", markersize=4,
                  linewidth=2.5 if system == "vexfs" else 1, label=f"{system} {index}")
    for (system, index), some in sorted(curves(records, MANY).items()):
        line = frontier(some, "qps_cpu")
        axes.plot([one["recall_at_10"] for one in line], [one["qps_cpu"] for one in line], linestyle="--",
                  linewidth=2.5 if system == "vexfs" else 1, label=f"{system} {index}, {MANY} a call")
    axes.set(xlabel="recall@10", ylabel="queries per CPU second, one thread", yscale="log", xlim=(0.8, 1.002),
             title=f"{info['name']}: {info['rows']:,} x {info['dim']}, {info['metric']}")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(target, dpi=110, bbox_inches="tight")
    pyplot.close(figure)


def plot_scale(records, target):
    """Cost of a query over rows, of the sets that differ in rows alone."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    by_line = {}
    names = sorted({(record["rows"], record["dataset"]) for record in records if record["dataset"].startswith("clustered")})
    for rows, name in names:
        for key, some in curves([record for record in records if record["dataset"] == name]).items():
            rate = speed_at(some, 0.95, "qps_cpu")
            if rate:
                by_line.setdefault(key, []).append((rows, 1e6 / rate))
    if len(names) < 2:
        return False
    figure, axes = pyplot.subplots(figsize=(9, 6))
    for (system, index), points in sorted(by_line.items()):
        axes.plot(*zip(*points), marker="o", linewidth=2.5 if system == "vexfs" else 1, label=f"{system} {index}")
    axes.set(xlabel="rows", ylabel="CPU microseconds a query at recall .95", xscale="log", yscale="log",
             title="clustered synthetic rows of 128 dimensions")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(target, dpi=110, bbox_inches="tight")
    pyplot.close(figure)
    return True
