#!/usr/bin/env python3
"""Random compiles, by the compiler and through llamacc: whatever one sees of them must be the same.

    tools/differential.py [BUILD-FOLDER] [--seed N] [--cases N | --seconds N | --case N[,N…]] [--jobs N]

A case (differential/generate.py) is a source with headers, options, a compiler, a layout of folders and an environment,
all drawn from tables by its seed and number. It runs in a folder twice: as it is, and through llamacc with workers that
are nobody in a root that holds nothing. Compared are exit status, both streams, and every file's name, kind, mode, link count and
bytes. What differs between two local runs as well does not count and is named at the end. What is found is reduced (options, files,
lines, layout) and printed as a small shell script. Everything runs as a user to whom modes apply: root without the capabilities
to pass over them. Needs root, for chroot and mknod.
"""
import argparse
import collections
import ctypes
import multiprocessing
import os
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "e2e")]

import bare_root  # noqa: E402
import harness  # noqa: E402
from differential import generate, reduce, shell  # noqa: E402
from differential.case import Place  # noqa: E402

PROGRESS_SECONDS = 20
SHOWN = 25  # of a list
LOCAL_RUNS = 3  # to compare, where there is a difference
MASQUERADED = ("3", "7")
REDUCED_OF_A_KIND = 1
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24


class Runner:
    """One process's part of the cases."""

    def __init__(self, options, number):
        self.options = options
        self.place = Place(os.path.join(options.folder, f"{number}"))
        self.compilers = options.compilers
        home = os.path.join(options.folder, "home")
        self.env = {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8", "TERM": "dumb"}
        self.wrapped = self.env | options.llama_env | {"LLAMACC_VERBOSE": "1"}
        self.wrapper = os.path.join(options.bin, "llamacc")

    def local(self, case):
        return self.place.run(case, self.env)

    def through_llama(self, case):
        """By the wrapper in front, or by links to it in PATH where a case's name ends so."""
        words = [step[1] for step in case.steps if step[0] == "run"]
        if case.name.endswith(MASQUERADED) and "PATH" not in case.env and not any("/" in word for word in words):
            return self.place.run(case, self.wrapped, search_path=f"{self.options.links}:{self.env['PATH']}")
        return self.place.run(case, self.wrapped, [self.wrapper])

    def compare(self, case):
        """(local, through llama, what differs, what differs between two local runs too)."""
        begin = time.monotonic()
        local = self.local(case)
        self.took = [time.monotonic() - begin]
        remote = self.through_llama(case)
        self.took.append(time.monotonic() - begin - self.took[0])
        differences = local.differences(remote)
        noise = []
        for _ in range(LOCAL_RUNS):  # programs of a pipe print in any order, mostly in the same
            if differences:
                again = self.local(case)
                noise += [d for d in differences if again.parts.get(d) != local.parts.get(d)]
                differences = [d for d in differences if d not in noise]
        return local, remote, differences, noise

    def differing(self, case):
        return reduce.kinds(self.compare(case)[2])


MASKED = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w\w\w [\d :]+|[\w./{}=-]*/[\w./{}=-]*|\d+")


def coarse(local, remote, differences):
    """One line for differences of one kind, to reduce few of each."""
    key = min(differences, key=lambda d: ("std" not in d, "status" not in d, d))
    ours, theirs = local.parts.get(key), remote.parts.get(key)
    mine, other = body(ours), body(theirs)
    if mine is None or other is None:
        line = f"{show(ours)[:30]} {show(theirs)[:30]}"
    elif mine == other:
        line = "attributes"
    elif "std" in key:
        line = next(b for a, b in zip(mine.split(b"\n") + [b""] * 9, other.split(b"\n") + [b""]) if a != b).decode(errors="replace")
    else:
        at = next((i for i, (a, b) in enumerate(zip(mine, other)) if a != b), 0)
        begin = max(mine.rfind(b"\0", 0, at), mine.rfind(b"\n", 0, at)) + 1
        line = repr(mine[begin:at + 30]) if at >= 64 else "size"
    what = sorted({k.split(" ")[0] for k in reduce.kinds(differences)})
    return " ".join(what) + " | " + (remote.ways() or ["?"])[-1] + " | " + MASKED.sub("_", line)[:60]


def first_error(seen):
    """Of the first command that fails, what it said; empty if none does."""
    for key, value in seen.parts.items():
        if key.endswith(" status") and value != 0:
            text = seen.parts[key.replace("status", "stderr")].decode(errors="replace")
            lines = [line for line in text.split("\n") if "rror" in line] or [text[:60] or "nothing"]
            return re.sub(r"\d+|[\w./]*/[\w./]*", "_", lines[0].split("rror: ")[-1])[:60]
    return ""


def work(options, number, numbers, results):
    runner = Runner(options, number)
    seen = collections.Counter()
    for at in numbers:
        if options.deadline and time.monotonic() > options.deadline:
            break
        try:
            case = generate.make(options.compilers, options.seed, at)
            local, remote, differences, noise = runner.compare(case)
        except Exception as error:  # of the case: a name that no file system has
            results.put(("broken", at, type(error).__name__))
            continue
        results.put(("case", at, remote.ways(), noise, first_error(local), runner.took))
        if not differences:
            continue
        kind = coarse(local, remote, differences)
        seen[kind] += 1
        reduced = None
        if seen[kind] <= REDUCED_OF_A_KIND and options.reduce_seconds:
            reduced = reduce.reduce(case, runner.differing, reduce.kinds(differences), options.reduce_seconds)
            shown = runner.compare(reduced)
            if shown[2]:
                local, remote, differences = shown[:3]
            else:
                reduced = None  # it shows only after what was before it
        results.put(("differs", at, kind, describe(runner, reduced or case, local, remote, differences,
                                                   reduced is not None)))
    runner.place.clear()
    results.put(("end", number))


def describe(runner, case, local, remote, differences, alone):
    lines = [f"--- case {case.name}: {', '.join(remote.ways())}" + ("" if alone else " (as it was drawn)"),
             shell.script(case, runner.place.base)]
    for key in differences[:6]:
        lines.append(f"  {key}: {show(local.parts.get(key))}\n    through llama: {show(remote.parts.get(key))}")
        ours, theirs = body(local.parts.get(key)), body(remote.parts.get(key))
        if ours is not None and theirs is not None and ours != theirs and len(ours) > 300:
            at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
            lines.append(f"    first at byte {at}: {ours[max(0, at - 20):at + 60]!r}\n    through llama: "
                         f"{theirs[max(0, at - 20):at + 60]!r}")
    return "\n".join(lines)


def body(part):
    return part if isinstance(part, bytes) else part[4] if isinstance(part, tuple) else None


def show(part):
    if part is None:
        return "none"
    if isinstance(part, tuple):
        kind, mode, links, first, what = part
        return f"kind {kind:o} mode {mode:o} links {links} {first} {len(what)} bytes {what[:80]!r}"
    return repr(part[:1500] if isinstance(part, bytes) else part)


class Summary:
    def __init__(self):
        self.begin = time.monotonic()
        self.cases = self.succeeded = 0
        self.ways, self.errors, self.noise, self.found, self.broken = (collections.Counter() for _ in range(5))
        self.took = [0, 0]  # seconds of all cases: alone, and through llama

    def take(self, message):
        if message[0] == "case":
            _, _, ways, noise, error, took = message
            self.took = [a + b for a, b in zip(self.took, took)]
            self.cases += 1
            self.succeeded += not error
            self.errors[error] += bool(error)
            self.ways.update(" ".join(w.split(" ")[:2]) for w in ways)
            self.noise.update(reduce.kind(n) for n in noise)
        elif message[0] == "broken":
            self.broken[message[2]] += 1
        elif message[0] == "differs":
            self.found[message[2]] += 1
            if self.found[message[2]] <= REDUCED_OF_A_KIND:
                print(message[3], flush=True)

    def line(self):
        took = time.monotonic() - self.begin
        compiles = sum(self.ways.values())
        return (f"{self.cases} cases in {took:.0f} s, {self.cases / max(took, .001):.1f} a second; {compiles} compiles, "
                f"{self.ways['remote'] / max(compiles, 1):.1%} remote; {self.succeeded / max(self.cases, 1):.0%} of the cases succeed; "
                f"{sum(self.found.values())} differ")

    def print(self):
        print(self.line())
        print("  a case takes %.0f ms, and %.0f ms through llama" % tuple(1000 * t / max(self.cases, 1) for t in self.took))
        total = sum(self.ways.values())
        for way, count in self.ways.most_common(SHOWN):
            print(f"  {count / total:6.2%} {way}")
        for error, count in self.errors.most_common(SHOWN):
            print(f"  {count} fail: {error}")
        for name, counter in (("differs between two local runs", self.noise), ("no case", self.broken), ("DIFFERS", self.found)):
            for what, count in counter.most_common(SHOWN):
                print(f"  {name}: {count} {what}")


def drive(options):
    """Runs as whom modes apply to."""
    options.compilers = generate.Compilers.find(os.path.join(options.folder, "compilers"))
    options.llama_env = dict(kv.split("=", 1) for kv in options.variable)
    options.links = os.path.join(options.folder, "links")
    os.makedirs(options.links)
    for name in options.compilers.words:
        os.symlink(os.path.join(options.bin, "llamacc"), os.path.join(options.links, name))
    options.deadline = time.monotonic() + options.seconds if options.seconds else None
    warm_up(options)
    results = multiprocessing.Queue()
    numbers = options.case or range(options.first, options.first + options.cases)
    workers = [multiprocessing.Process(target=work, args=(options, n, numbers[n::options.jobs], results))
               for n in range(options.jobs)]
    for worker in workers:
        worker.start()
    summary, left, told = Summary(), len(workers), time.monotonic()
    while left:
        message = results.get()
        left -= message[0] == "end"
        summary.take(message)
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            print(summary.line(), flush=True)
    for worker in workers:
        worker.join()
    summary.print()
    sys.exit(1 if summary.found else 0)


def warm_up(options):
    """The daemon is started by a plain environment, and knows its toolchains."""
    runner = Runner(options, 0)
    for name in options.compilers.words:
        case = generate.Case("warm", [["run", name, "-c", "a.c"]], {"a.c": b"int a;\n"})
        seen = runner.through_llama(case)
        harness.expect(seen.ways() == ["remote"], f"{name}: {seen.ways()}, {seen.parts}")


def drop_capabilities():
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def scenario(scene, options):
    for compiler in ("gcc", "g++"):
        harness.require_program(compiler)
    bare_root.use(scene, proc=True)
    variables = {"LLAMA_DIR": scene.llama_dir, "LLAMA_WORKERS": options.jobs, **scene.extra_env}
    command = [sys.executable, "-B", __file__, "--drive", "--bin", scene.bin, "--folder", scene.dir / "cases",
               *(f"--variable={k}={v}" for k, v in variables.items()), *options.given]
    done = os.spawnve(os.P_WAIT, sys.executable, [str(c) for c in command], os.environ | {"TMPDIR": str(scene.tmp)})
    scene.llama("daemon", "stop")
    harness.expect(done == 0, "there are differences")
    bare_root.check(scene)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default=os.environ.get("LLAMA_E2E_BUILD", "build/release"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--case", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--reduce-seconds", type=int, default=40)
    for hidden in ("--bin", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--variable", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--drive", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seconds and "--cases" not in sys.argv:
        options.cases = 10**6
    options.given = [a for a in sys.argv[1:] if a != options.build]
    return options


def main():
    options = parse()
    if options.drive:
        drop_capabilities()
        if os.environ.get("DROPPED") != "1":
            os.execve(sys.executable, [sys.executable, "-B", *sys.argv], os.environ | {"DROPPED": "1"})
        drive(options)
    else:
        os.environ.setdefault("LLAMA_E2E_NAME", "differential")
        os.environ["LLAMA_E2E_BUILD"] = os.path.abspath(options.build)
        harness.run(lambda scene: scenario(scene, options))


if __name__ == "__main__":
    main()
