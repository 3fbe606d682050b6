#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures systems in turns: in the machine, or natively. Needs Python alone.

Usage: rounds.py PLAN OUTPUT. The plan (JSON) names workers and what to ask of them:
  {"workers": {NAME: COMMAND}, "set": {...}, "k": 10, "rounds": 7, "seconds": 0.3,
   "builds": [{"worker", "index"}],
   "runs": [{"worker", "index", "effort", "batch", "threads", "kernel", "ladder"}],
   "specials": [{"worker", "words", ...}]}
"kernel" asks for the time within the kernel too; runs of one ladder are in the order of
growing effort, and the rest is left out once nearly everything was found.
OUTPUT gets a JSON object a line: what was asked, and what the worker answered.
"""

import json
import os
import subprocess
import sys
import time

QUERIES_MAX = 20_000
ENOUGH = 0.9995
WARM_SECONDS = 0.03


class Ended(Exception):
    """A worker is gone; it said why on stderr."""


class Worker:
    """A process that carries out one line after the other."""

    def __init__(self, name, command):
        self.name, self.lost = name, False
        # one thread of BLAS and OpenMP, as of all others
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
        self.about = self.ask("about")

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        reply = self.process.stdout.readline()
        if not reply:
            raise Ended(f"{self.name} ended at: {line}")
        return json.loads(reply)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Run:
    """One system, index and effort, through all rounds."""

    def __init__(self, asked, plan, worker):
        self.asked, self.plan, self.worker = asked, plan, worker
        self.batch, self.threads = asked.get("batch", 1), asked.get("threads", 1)
        self.replies, self.count, self.warm, self.next, self.recall = [], self.batch, 0, 0, 0.0

    def ask(self, count, warm):
        reply = self.worker.ask(
            f"run {self.asked['index']} {self.asked['effort']} {self.plan['k']} {self.batch} {self.threads}"
            f" {self.next} {count} {warm}")
        self.next += count
        return reply

    def calibrate(self):
        """How many queries fit into a round; the first ones only warm up."""
        self.ask(self.batch, 0)
        reply = self.ask(max(self.batch, 20 // self.batch * self.batch), 0)
        rate = reply["queries"] / self.threads / reply["wall"]
        most = max(QUERIES_MAX, self.batch)
        self.count = int(min(max(rate * self.plan["seconds"], 10, self.batch), most))
        self.count -= self.count % self.batch
        self.warm = int(min(rate * WARM_SECONDS, self.count))
        self.next = 0
        reply = self.ask(self.count, 0)
        self.recall = reply["hits"] / reply["queries"] / self.plan["k"]
        self.next = 0

    def turn(self):
        self.replies.append(self.ask(self.count, self.warm))

    def carry_on(self, step):
        """Whether the system is still there after a step."""
        if not self.worker.lost:
            try:
                step()
            except Ended as why:
                lose(self.worker.name, why)
                self.worker.lost = True
        return not self.worker.lost

    def result(self):
        kernel = {}
        if self.asked.get("kernel") and self.batch == 1:
            kernel = self.worker.ask(f"special kernel {self.asked['index']} {self.asked['effort']} {self.plan['k']} {self.count}")
        return {"kind": "run", **self.asked, "batch": self.batch, "threads": self.threads, "replies": self.replies,
                "kernel_reply": kernel}


def lose(name, why):
    """Peers may fail, such as a server that does not start here; VexFS may not."""
    if name == "vexfs":
        raise why
    print(f"# without {name}: {why}", file=sys.stderr, flush=True)


def choose(runs):
    """Leaves out efforts beyond the one that finds nearly everything."""
    chosen, done = [], set()
    for run in runs:
        key = run.worker.name, run.asked["index"], run.batch, run.threads, run.asked.get("ladder")
        climbs = run.asked["effort"] != "-"
        if climbs and key in done:
            continue
        if not run.carry_on(run.calibrate):
            continue
        if climbs and run.recall >= ENOUGH:
            done.add(key)
        chosen.append(run)
    return chosen


def main():
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    begin = time.monotonic()
    with open(sys.argv[2], "w") as out:

        def put(record):
            out.write(json.dumps(record) + "\n")
            out.flush()

        def say(what):
            print(f"# {time.monotonic() - begin:6.0f} s  {plan['set']['name']}: {what}", file=sys.stderr, flush=True)

        workers, missing = {}, set()
        for name, command in plan["workers"].items():
            try:
                workers[name] = Worker(name, command)
                put({"kind": "about", "worker": name, **workers[name].about})
            except Ended as why:
                lose(name, why)
        for asked in plan["builds"]:
            name, index = asked["worker"], asked["index"]
            if name not in workers:
                missing.add((name, index))
                continue
            say(f"{name} builds {index}")
            try:
                reply = workers[name].ask(f"build {index}")
            except Ended as why:
                lose(name, why)
                reply = {"unavailable": why}
                workers.pop(name)
            if "unavailable" in reply:
                say(f"without {name} {index}: {reply['unavailable']}")
                missing.add((name, index))
                continue
            put({"kind": "build", **asked, **reply})
        for part in ("runs", "specials"):
            plan[part] = [asked for asked in plan[part]
                          if asked["worker"] in workers and (asked["worker"], asked["index"]) not in missing]
        runs = choose([Run(asked, plan, workers[asked["worker"]]) for asked in plan["runs"]])
        for number in range(plan["rounds"]):
            say(f"round {number + 1} of {plan['rounds']}, {len(runs)} runs")
            turn = number * len(runs) // plan["rounds"]
            for run in runs[turn:] + runs[:turn]:
                run.carry_on(run.turn)
        for run in runs:
            if not run.worker.lost:
                put(run.result())
        for asked in plan["specials"]:
            say(f"{asked['worker']}: {asked['words']}")
            put({"kind": "special", **asked, **workers[asked["worker"]].ask(f"special {asked['words']}")})
        for worker in workers.values():
            worker.close()


try:
    main()
except Ended as ended:
    sys.exit(f"bench: {ended}")
