#!/usr/bin/env python3
"""What a remote compile costs the build host: wrapper and daemon, against `gcc -M` and the compile
itself in the same run.

    bench/client_cpu.py BIN-FOLDER [--units N] [--rounds N]

Compiles units of redis one after the other through the embedded cloud in a private state folder.
Counted are the wrapper, the daemon, and the processes that the daemon waited for (its runs of
`cc -M`), not the workers: they are what a function would do. The source comes from
tools/debian_source.sh.
"""
import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
FLAGS = ["-O2", "-g", "-std=c11", "-I../deps/hiredis", "-I../deps/linenoise", "-I../deps/lua/src",
         "-I../deps/hdr_histogram", "-DREDIS_STATIC="]
TICKS = os.sysconf("SC_CLK_TCK")


def children_ms():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


def daemon_ms(pid):
    """CPU of the daemon and of the children that it waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(f) for f in fields[11:15]) * 1000 / TICKS


def daemon_pid(state):
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes()
            if b"daemon\0run" in line and str(state).encode() in (entry / "environ").read_bytes():
                return int(entry.name)
        except OSError:
            continue
    sys.exit("no daemon runs")


def run_all(prefix, units, suffix, cwd, env):
    """CPU in ms per unit of the processes that were started here."""
    before = children_ms()
    for unit in units:
        subprocess.run([*prefix, "gcc", *FLAGS, *suffix, unit], cwd=cwd, env=env, check=True,
                       stdout=subprocess.DEVNULL)
    return (children_ms() - before) / len(units)


def through_llama(wrapper, units, cwd, env, state):
    """(wrapper, daemon) in ms per unit."""
    before = daemon_ms(daemon_pid(state))
    own = run_all([wrapper], units, ["-c", "-o", "unit.o"], cwd, env)
    return own, (daemon_ms(daemon_pid(state)) - before) / len(units)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--units", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    sources = CHECKOUT / "build" / "sources"
    subprocess.run([CHECKOUT / "tools" / "debian_source.sh", sources, "redis"], check=True)
    work = CHECKOUT / "build" / "bench"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(sources / "redis", work / "redis")
    cwd, state = work / "redis" / "src", work / "state"
    (cwd / "release.h").write_text("")
    units = sorted(p.name for p in cwd.glob("t_*.c"))
    # But what is other systems', which ae.c includes.
    units += sorted(p.name for p in cwd.glob("[a-d]*.c") if not p.name.startswith("ae_"))
    units = units[:args.units]
    env = {**os.environ, "LLAMA_DIR": str(state)}
    wrapper, llama = args.bin.resolve() / "llamacc", args.bin.resolve() / "llama"

    subprocess.run([llama, "daemon", "start"], env=env, check=True)
    try:
        floors = {"gcc -M": run_all([], units, ["-M"], cwd, env),
                  "gcc -c": run_all([], units, ["-c", "-o", "unit.o"], cwd, env)}
        cold = through_llama(wrapper, units, cwd, env, state)
        warm = [through_llama(wrapper, units, cwd, env, state) for _ in range(args.rounds)]
    finally:
        subprocess.run([llama, "daemon", "stop"], env=env, check=False)
    rows = {name: value for name, value in floors.items()}
    rows["llamacc, first pass: wrapper"], rows["llamacc, first pass: daemon"] = cold
    rows["llamacc, warm: wrapper"] = statistics.median(w for w, _ in warm)
    rows["llamacc, warm: daemon"] = statistics.median(d for _, d in warm)
    print(f"{len(units)} units of redis, CPU ms per unit, and as a multiple of gcc -M")
    for name, value in rows.items():
        print(f"{name:32}{value:9.2f}{value / rows['gcc -M']:9.2f}")


main()
