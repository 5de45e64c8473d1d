#!/usr/bin/env python3
"""What recording spans costs the build host: CPU of wrapper and daemon with LLAMA_TRACE=off and
without, on a build of many small compiles.

    bench/recording_cost.py BIN-FOLDER [--units N] [--rounds N] [--json]

Two daemons, one that records and one that does not, compile the same units by turns, through the
embedded cloud, so that whatever else the machine does meets both alike. The workers are not counted:
they are what a function would do.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HEADERS = 40
FLAGS = ["-O1", "-I."]


def cpu_ms(pid):
    """Of a process that runs, all its threads: the kernel's clock of it, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | 2) * 1000


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


class Side:
    def __init__(self, bin_folder, state, record):
        self.llama, self.wrapper = bin_folder / "llama", bin_folder / "llamacc"
        self.env = {**os.environ, "LLAMA_DIR": str(state)}
        self.env.pop("LLAMA_TRACE", None)
        if not record:
            self.env["LLAMA_TRACE"] = "off"
        subprocess.run([self.llama, "daemon", "start"], env=self.env, check=True)
        self.pid = daemon_pid(state)
        self.rounds = []

    def run(self, units, cwd):
        """One round: CPU ms per unit of the wrapper, and of the daemon with what it still writes."""
        before_daemon, before = cpu_ms(self.pid), children_ms()
        for unit in units:
            subprocess.run([self.wrapper, "gcc", *FLAGS, "-c", unit, "-o", "unit.o"], cwd=cwd,
                           env=self.env, check=True)
        wrapper = children_ms() - before
        time.sleep(1.5)  # the daemon flushes once a second
        self.rounds.append((wrapper + cpu_ms(self.pid) - before_daemon) / len(units))

    def stop(self):
        subprocess.run([self.llama, "daemon", "stop"], env=self.env, check=False)


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
        sides = []
        try:
            for record in (True, False):
                state = work / ("on" if record else "off")
                sides.append(Side(args.bin.resolve(), state, record))
            for side in sides:  # what is only done once
                side.run(units, work)
                side.rounds.clear()
            for i in range(args.rounds):
                for side in sides if i % 2 == 0 else sides[::-1]:
                    side.run(units, work)
        finally:
            for side in sides:
                side.stop()
    on, off = (side.rounds for side in sides)
    # The least of several rounds is what the work itself takes; medians show the noise.
    result = {"units": args.units, "rounds": args.rounds,
              "recording_ms": min(on), "off_ms": min(off),
              "recording_median_ms": statistics.median(on), "off_median_ms": statistics.median(off)}
    result["cost_percent"] = 100 * (min(on) / min(off) - 1)
    if args.json:
        print(json.dumps(result))
        return
    print(f"CPU of wrapper and daemon per compile, {args.units} units, least of {args.rounds} rounds")
    print(f"recording {result['recording_ms']:.3f} ms, off {result['off_ms']:.3f} ms: "
          f"{result['cost_percent']:+.2f} %")
    print(f"medians   {result['recording_median_ms']:.3f} ms, off {result['off_median_ms']:.3f} ms")


main()
