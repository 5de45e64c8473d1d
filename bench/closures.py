#!/usr/bin/env python3
"""Closures held against the truth: every file that `gcc -M` and `clang -M` name, for every compile
of real projects (bench/corpora.py). Says what is missing, how much larger closures are, how long
they take, and why the scanner passed a compile to the rung below.

    bench/closures.py [--bin build/release/bin] [--compilers gcc,clang] [--most N] [--jobs N]
                      [CORPUS...]

What compilers say is kept in build/corpora/truth until it is removed: sources don't change. A unit
whose preprocessing fails, also with the headers that its build would generate taken as there (-MG),
has no truth and is skipped. Details are left in build/corpora/results; the exit code is 1 if any
file is missing.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

import corpora

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
CLANG = {"gcc": "clang", "g++": "clang++"}
# Of no -M: dependencies and outputs of the build's own.
WITH_VALUE = {"-o", "-MF", "-MT", "-MQ"}
ALONE = {"-c", "-S", "-MD", "-MMD", "-MP", "-MG", "-M", "-MM"}


def preprocessing_args(args):
    out = []
    rest = iter(args)
    for arg in rest:
        if arg in WITH_VALUE:
            next(rest, None)
        elif arg not in ALONE and not re.match(r"-Wp,-M|-M[FTQ].", arg):
            out.append(arg)
    return out


def rule_names(rule):
    """What stands behind the colon of a make rule."""
    text = rule.replace("\\\n", " ")
    text = text[text.index(": ") + 2:]
    names = re.findall(r"(?:[^\s\\]|\\.)+", text)
    return [re.sub(r"\\([ #\\:])", r"\1", name).replace("$$", "$") for name in names]


def source_of(argv):
    """Of a compile as corpora.py gives it: for people to read."""
    return next((a for a in argv[::-1] if re.search(r"\.(c|cc|cpp|cxx|S)$", a)), argv[-1])


def ask_compiler(cwd, argv):
    """What -M names, as it is spelt; None: the code cannot be preprocessed."""
    args = preprocessing_args(argv[1:])
    for options in (["-M"], ["-M", "-MG"]):
        done = subprocess.run([argv[0], *args, "-w", *options], cwd=cwd, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode == 0:
            names = rule_names(done.stdout.decode(errors="surrogateescape"))
            return {"names": names, "has_generated": len(options) > 1}
    return {"error": done.stderr.decode(errors="replace")[:500]}


def without_unknown_options(compiles):
    """clang's form of gcc's compiles: without the options that it refuses."""
    refused = {}
    out = []
    for cwd, argv in compiles:
        driver = CLANG[argv[0]]
        flags = tuple(a for a in argv[1:] if a.startswith("-") and not a.startswith(("-D", "-I")))
        if flags not in refused:
            refused[flags] = set()
            checked = [a for a in flags if a.startswith(("-f", "-m", "-W", "-s", "-O", "-g"))
                       and not a.startswith("-Wp,")]
            done = subprocess.run([driver, *checked, "-fsyntax-only", "-x", "c", "/dev/null"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for named in re.findall(r"error: .*'(-[^']*)'", done.stderr):
                refused[flags] |= {a for a in checked if a == named or a.startswith(named)}
        out.append((cwd, [driver, *(a for a in argv[1:] if a not in refused[flags])]))
    return out


class Truth:
    """What compilers said, kept in a file for each corpus and compiler."""

    def __init__(self, path):
        self.path = path
        self.known = json.loads(path.read_text()) if path.exists() else {}

    @staticmethod
    def key(compile):
        return hashlib.sha256("\0".join([compile[0], *compile[1]]).encode()).hexdigest()

    def ask(self, compiles, jobs):
        missing = {self.key(c): c for c in compiles if self.key(c) not in self.known}
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            said = pool.map(lambda c: ask_compiler(*c), missing.values())
            for key, answer in zip(missing, said):
                self.known[key] = answer
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.known))
        return [self.known[self.key(c)] for c in compiles]


def closures_of(program, compiles):
    """Of each compile what the scanner says, and {path: ms} of every file."""
    lines = "".join("\x1f".join([cwd, shutil.which(argv[0]), *argv[1:]]) + "\n"
                    for cwd, argv in compiles)
    done = subprocess.run([program], input=lines.encode(errors="surrogateescape"),
                          stdout=subprocess.PIPE, check=True)
    paths, units, file_ms = {}, [], {}

    def named(numbers):
        return {paths[n] for n in numbers.split(",") if n}
    for line in done.stdout.decode(errors="surrogateescape").splitlines():
        what, *fields = line.split("\t")
        if what == "path":
            paths[fields[0]] = fields[1]
        elif what == "file":
            file_ms[paths[fields[0]]] = float(fields[1])
        elif fields[1] == "found":
            cold, warm, daemon = map(float, fields[2:5])
            units.append({"cold": cold, "warm": warm, "daemon": daemon,
                          "files": named(fields[5]), "links": named(fields[6])})
        elif fields[1] == "passed":
            units.append({"passed": fields[2], "cold": float(fields[3])})
        else:
            units.append({fields[1]: fields[2]})
    return units, file_ms


def links_on_the_way(path, known):
    """The links that the kernel walks through to an absolute path, by canonical name."""
    out = set()
    place = "/"
    pending = path.split("/")[::-1]
    while pending:
        part = pending.pop()
        if part in ("", "."):
            continue
        if part == "..":
            place = os.path.dirname(place)
            continue
        step = os.path.join(place, part)
        if step not in known:
            known[step] = os.readlink(step) if os.path.islink(step) else None
        target = known[step]
        if target is None:
            place = step
            continue
        out.add(step)
        pending += target.split("/")[::-1]
        if target.startswith("/"):
            place = "/"
    return out


def reason_kind(message):
    """A reason without the paths in it."""
    return re.sub(r"computed include: .*", "computed include", re.sub(r"/[^ :]*(: )?", "", message))


def compare(name, compiler, compiles, args):
    truth = Truth(corpora.WORK / "truth" / f"{name}-{compiler}.json").ask(compiles, args.jobs)
    units, file_ms = closures_of(args.bin / "closures", compiles)
    result = collections.Counter()
    ratios, misses, passed, slow = [], [], [], []
    known_links = {}
    for (cwd, argv), said, unit in zip(compiles, truth, units):
        result["compiles"] += 1
        if "error" in said:
            result["failed"] += 1
            continue
        result["units"] += 1
        result["with generated headers"] += said["has_generated"]
        label = f"{cwd} {source_of(argv)}"
        if "files" not in unit:
            slow.append((unit.get("cold", 0), label))
            reason = unit.get("passed") or "command line: " + unit["local"]
            passed.append((reason_kind(reason), label, reason))
            continue
        spelt = {os.path.join(cwd, n) for n in said["names"]}
        spelt = {path for path in spelt if os.path.isfile(path)}
        files = {os.path.realpath(path) for path in spelt}
        ratios.append((len(unit["files"]) / max(len(files), 1), len(files), len(unit["files"]),
                       label))
        slow.append((unit["cold"], label))
        links = set().union(*(links_on_the_way(path, known_links) for path in spelt))
        for miss in sorted(files - unit["files"]) + sorted(links - unit["links"]):
            misses.append((label, miss))
    ratios.sort()
    slow.sort()
    found = [unit for unit in units if "files" in unit]
    slowest_file = max(file_ms.items(), key=lambda item: item[1], default=("", 0))
    details = {"counts": result, "misses": misses, "passed": passed, "largest": ratios[-20:],
               "slowest units": slow[-20:],
               "slowest files": sorted(file_ms.items(), key=lambda item: -item[1])[:20],
               "failed": [(source_of(c[1]), t["error"]) for c, t in zip(compiles, truth) if "error" in t]}
    out = corpora.WORK / "results" / f"{name}-{compiler}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(details, indent=1))
    reasons = collections.Counter(reason for reason, _, _ in passed)
    row = [name, compiler, result["units"], result["failed"], len(misses),
           f"{statistics.median(r[0] for r in ratios):.2f}" if ratios else "–",
           f"{ratios[-1][0]:.2f}" if ratios else "–",
           f"{statistics.median(s[0] for s in slow):.1f}" if slow else "–",
           f"{slow[-1][0]:.0f}" if slow else "–",
           f"{statistics.median(u['daemon'] for u in found):.2f}" if found else "–",
           f"{slowest_file[1]:.1f}",
           ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "–"]
    print("| " + " | ".join(map(str, row)) + " |", flush=True)
    return len(misses)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, default=CHECKOUT / "build" / "release" / "bin")
    parser.add_argument("--compilers", default="gcc,clang")
    parser.add_argument("--most", type=int, default=0, help="compiles of each corpus, evenly taken")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("corpora", nargs="*", default=list(corpora.CORPORA))
    args = parser.parse_args()
    columns = ["corpus", "compiler", "units", "failed", "missing", "size, median", "size, worst",
               "ms cold, median", "worst", "ms in a daemon, median", "ms of a file, worst",
               "passed down"]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns), flush=True)
    missing = 0
    for name in args.corpora:
        compiles = corpora.CORPORA[name]()
        if args.most and len(compiles) > args.most:
            step = len(compiles) / args.most
            compiles = [compiles[int(i * step)] for i in range(args.most)]
        for compiler in args.compilers.split(","):
            of_compiler = compiles if compiler == "gcc" else without_unknown_options(compiles)
            missing += compare(name, compiler, of_compiler, args)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
