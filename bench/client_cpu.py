#!/usr/bin/env python3
"""What a remote compile costs the build host: wrapper and daemon, against `gcc -M` and the compile
itself in the same run.

    bench/client_cpu.py BIN-FOLDER [--units N] [--rounds N] [--json FILE]
    bench/client_cpu.py BIN-FOLDER --projects redis,llvm,protobuf,kernel-tiny,kernel-def [--jobs N]

Compiles units of real projects, one after the other, through the embedded cloud in a private state
folder. Counted are the wrapper, the daemon, and the processes that the daemon waited for (its runs of
`cc -M`), not the workers: they are what a function would do. Without --projects it is redis, and that
alone. With it, also peers (ccache and distcc's pump, where installed), and as many at once as --jobs
says, by replay: no worker runs then, and nothing of the invocation is left in the daemon.

"First pass" is a new state folder's, with what each language's toolchain costs; "after trivial" leaves
out what a trivial compile of each language had paid before: the toolchain is known and uploaded then, and
nothing of any header, no digest and no directive. Sources come from
tools/debian_source.sh; a project is prepared once (client_cpu/projects.py), below build/client_cpu/.
"""
import argparse
import json
import pathlib
import statistics
import sys

from client_cpu import passes, projects


def rows_of(result):
    """(name, CPU ms a unit) in the order in which they are read."""
    toolchains, first = result["toolchains"], result["first"]
    yield from result["floors"].items()
    for part in ("wrapper", "daemon"):
        yield f"llamacc, first pass: {part}", toolchains[part] + first[part]
    for part in ("wrapper", "daemon"):
        yield f"llamacc, after trivial: {part}", first[part]
    for part in ("wrapper", "daemon"):
        yield f"llamacc, warm: {part}", statistics.median(r[part] for r in result["warm"])
    if "at_once" in result:
        at_once = result["at_once"]
        for name, text in (("no_time", "0 s"), ("one_second", "1 s")):
            yield f"at once, {text}: make and wrapper", at_once[name]["make_and_wrapper"]
            yield f"at once, {text}: daemon", at_once[name]["daemon"]
        yield "at once, make with true", at_once["make"]


def show(result):
    print(f"{result['units']} units of {result['project']}, CPU ms per unit, and as a multiple of gcc -M")
    for name, value in rows_of(result):
        if isinstance(value, str):
            print(f"{name:32}  {value}")
        else:
            print(f"{name:32}{value:9.2f}{value / result['floors']['gcc -M']:9.2f}")
    local = [("a warm pass", r["local"]) for r in result["warm"]]
    if "at_once" in result:
        print(f"{result['note']}: objects of {result['object_bytes'] / 1e3:.0f} kB")
        print(f"daemon's memory at most: {result['toolchains']['peak_mb']:.0f} MB while a toolchain goes up, "
              f"{result['peak_mb']:.0f} MB one at a time")
        for name, text in (("no_time", "0 s"), ("one_second", "1 s")):
            r = result["at_once"][name]
            print(f"at once, {text} a job: {r['jobs']} jobs in {r['wall_s']:.2f} s, {r['per_s']:.0f} a second, "
                  f"at most {r['peak_wrappers']} wrappers and {r['peak_in_flight']} invocations at once "
                  f"({r['mean_in_flight']:.0f} on average), daemon {r['peak_mb']:.0f} MB")
            local.append((f"the replay, {text} a job", r["local"]))
    first = result["first"]
    if disturbed := sum(r["disturbed"] for r in result["warm"]) + first["disturbed"]:
        print(f"{disturbed - first['disturbed']} of {len(result['warm']) * result['units']} warm compiles were left out: somebody touched the "
              f"compilers; of the first pass {first['disturbed']} of {result['units']}")
    if result["not_compiled"] > 0:
        print(f"{result['not_compiled']} more don't compile")
    if result["local"]:
        print(f"{len(result['local'])} more are compiled here, not by a worker")
    for name, count in local:
        if count > 0:
            print(f"{count} compiles of {name} ran here")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--projects", help=f"of {', '.join(projects.PROJECTS)}; separated by commas")
    parser.add_argument("--units", type=int, help="of each project (default: 20 of redis, 120 with --projects)")
    parser.add_argument("--rounds", type=int, default=3, help="warm passes; their median counts")
    parser.add_argument("--jobs", type=int, default=400, help="at once, by replay; 0: none of that")
    parser.add_argument("--short", action="store_true", help="as without --projects: llama one at a time, no peers")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="every figure")
    args = parser.parse_args()
    short = args.short or not args.projects
    names = args.projects.split(",") if args.projects else ["redis"]
    if unknown := set(names) - projects.PROJECTS.keys():
        parser.error(f"no project {', '.join(sorted(unknown))}; there are {', '.join(projects.PROJECTS)}")
    count = args.units or (120 if args.projects else 20)
    results, missing = [], 0
    for name in names:
        try:
            project = projects.load(name)
        except projects.Unavailable as why:
            print(f"{name}: {why}", file=sys.stderr)
            missing += 1
            continue
        # Redis' commands are what was always measured.
        units = project.units[:count] if name == "redis" else project.spread(count)
        work = projects.TREES.parent / "run" / name
        result = passes.measure(project, units, args.bin.resolve(), work, args.rounds, args.jobs, short)
        results.append(result)
        show(result)
        sys.stdout.flush()
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    sys.exit(1 if missing else 0)


main()
