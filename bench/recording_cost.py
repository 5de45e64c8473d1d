#!/usr/bin/env python3
"""What recording spans costs the build host: its CPU with LLAMA_TRACE=off and without, on a build of
many small compiles.

    bench/recording_cost.py BIN-FOLDER [--units N] [--rounds N] [--json]

In each round two daemons, one that records and one that does not, compile the same units, a few at a
time as make does, through the embedded cloud; the next round has new daemons, since two of the same kind differ by
a percent or two all their life. Counted are the wrapper, the daemon, and what it runs to find a compile's
inputs. The workers are not: they are what a function would do.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HEADERS = 40
FLAGS = ["-O1", "-I."]
JOBS = 2 * os.cpu_count()


def cpu_ms(pid):
    """Of a process that runs, all its threads: the kernel's clock of it, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | 2) * 1000


def waited_ms(pid):
    """Of the children that a process has waited for: what finds inputs; the workers still live."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) * 1000 / os.sysconf("SC_CLK_TCK")


def children_ms():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


def daemon_pid(state):
    for entry in pathlib.Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            if b"daemon\0run" in line and str(state).encode() in (entry / "environ").read_bytes():
                return int(entry.name)
        except OSError:
            continue
    sys.exit("no daemon runs")


def make_units(folder, count):
    for i in range(HEADERS):
        (folder / f"h{i}.h").write_text(f"#pragma once\nint f{i}(int);\n")
    includes = "".join(f'#include "h{i}.h"\n' for i in range(HEADERS))
    names = [f"u{i}.c" for i in range(count)]
    for i, name in enumerate(names):
        (folder / name).write_text(f"{includes}int unit{i}(int x) {{ return f{i % HEADERS}(x); }}\n")
    return names


def measure(bin_folder, state, record, units, cwd):
    """CPU ms per unit: of wrapper and daemon, with what the daemon still writes; and with what it runs."""
    llama, wrapper = bin_folder / "llama", bin_folder / "llamacc"
    env = {**os.environ, "LLAMA_DIR": str(state)}
    env.pop("LLAMA_TRACE", None)
    if not record:
        env["LLAMA_TRACE"] = "off"
    subprocess.run([llama, "daemon", "start"], env=env, check=True)
    try:
        pid = daemon_pid(state)
        for warm in (True, False):
            before = cpu_ms(pid) + children_ms(), waited_ms(pid)
            with concurrent.futures.ThreadPoolExecutor(JOBS) as jobs:
                list(jobs.map(lambda unit: subprocess.run([wrapper, "gcc", *FLAGS, "-c", unit], cwd=cwd, env=env, check=True),
                              units[:20] if warm else units))
            time.sleep(1.5)  # the daemon flushes once a second
            own = cpu_ms(pid) + children_ms() - before[0]
            all_ = own + waited_ms(pid) - before[1]
        return own / len(units), all_ / len(units)
    finally:
        subprocess.run([llama, "daemon", "stop"], env=env, check=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        units = make_units(work, args.units)
        runs = {True: [], False: []}
        for number in range(args.rounds):
            for record in (True, False) if number % 2 == 0 else (False, True):
                state = work / f"state-{number}-{record}"
                runs[record].append(measure(args.bin.resolve(), state, record, units, work))
                shutil.rmtree(state)
    result = {"units": args.units, "rounds": args.rounds}
    for index, name in ((0, "own"), (1, "all")):
        on, off = (statistics.median(run[index] for run in runs[record]) for record in (True, False))
        result[name] = {"recording_ms": on, "off_ms": off, "cost_percent": 100 * (on / off - 1),
                        "recording": [run[index] for run in runs[True]], "off": [run[index] for run in runs[False]]}
    if args.json:
        print(json.dumps(result))
        return
    print(f"CPU per compile, {args.units} units, median of {args.rounds} rounds")
    for name, text in (("own", "wrapper and daemon"), ("all", "and finding the inputs")):
        r = result[name]
        print(f"{text:24}recording {r['recording_ms']:.3f} ms, off {r['off_ms']:.3f} ms: {r['cost_percent']:+.2f} %")


main()
