#!/usr/bin/env python3
"""What clang alone finds, over the sources that a configured build folder knows, in parallel.

  tools/clang_checks.py locks [BUILD]    -Wthread-safety, of the programs' sources that have to do
                                         with locks
  tools/clang_checks.py syntax [BUILD]   all of a compiler's warnings and -Wthread-safety, of every
                                         source, tests too
  tools/clang_checks.py tidy [BUILD]     clang-tidy with .clang-tidy's list, of the programs' sources

BUILD is build/each-source, which is configured here: every source alone, not the groups that a build
compiles as one. Precompiled headers are left out, so that a source that lacks an #include of its own
fails here (but for locks, which would take four times as long without). Exits 1 with what the tools
say if they say anything, 2 if clang isn't there.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOCKS = re.compile(r"\b(Mutex|MutexLock|CondVar|GUARDED_BY|REQUIRES|EXCLUDES)\b")
TEST = re.compile(r"_(test|bench|fuzz)\.cc$")
THREAD_SAFETY = ["-Wthread-safety", "-Werror"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wnon-virtual-dtor",
            "-Wold-style-cast"]
STANDARD = ["-std=c++20", "-pthread"]
# What of a recorded command says how a source reads: the rest is another compiler's.
KEPT = re.compile(r"-(D|I).+")


def configure(build: pathlib.Path) -> None:
    """Makes a build folder whose commands are those of single sources."""
    command = ["cmake", "--preset", "release", "-D", "LLAMA_TOGETHER=1", "-B", str(build)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def read_commands(build: pathlib.Path) -> dict:
    """Sources of ours to the arguments that clang needs for them."""
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if path.suffix != ".cc" or not path.is_relative_to(ROOT) or path.is_relative_to(build):
            continue
        words = shlex.split(entry["command"])
        kept = [word for word in words if KEPT.fullmatch(word)]
        kept += [part for at, word in enumerate(words) if word == "-isystem" for part in words[at:at + 2]]
        commands[path] = kept
    return commands


def is_programs(path: pathlib.Path) -> bool:
    return path.relative_to(ROOT).parts[0] in ("src", "apps") and not TEST.search(path.name)


def has_locks(path: pathlib.Path) -> bool:
    header = path.with_suffix(".h")
    return any(file.exists() and LOCKS.search(file.read_text()) for file in (path, header))


def precompile(build: pathlib.Path) -> list:
    """clang's arguments for beginning with cmake/precompiled.h, which it compiles for that."""
    header, compiled = ROOT / "cmake/precompiled.h", build / "clang_locks.pch"
    subprocess.run(["clang++", *STANDARD, "-x", "c++-header", str(header), "-o", str(compiled)], check=True)
    return ["-include-pch", str(compiled)]


def run(command: list) -> str:
    """What the command says, or an empty text if it succeeds."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return ""
    return done.stdout + done.stderr or f"{shlex.join(command)}: exit {done.returncode}\n"


def main() -> int:
    mode = sys.argv[1] if len(sys.argv) in (2, 3) else ""
    if mode not in ("locks", "syntax", "tidy"):
        print(__doc__, file=sys.stderr)
        return 2
    tool = "clang-tidy" if mode == "tidy" else "clang++"
    if not shutil.which(tool):
        print(f"clang_checks: no {tool} here", file=sys.stderr)
        return 2
    build = ROOT / "build/each-source"
    if len(sys.argv) == 3:
        build = pathlib.Path(sys.argv[2]).resolve()
    else:
        configure(build)
    commands = read_commands(build)
    if mode != "syntax":
        commands = {path: words for path, words in commands.items() if is_programs(path)}
    if mode == "locks":
        commands = {path: words for path, words in commands.items() if has_locks(path)}

    precompiled = precompile(build) if mode == "locks" else []

    def command_of(path: pathlib.Path) -> list:
        if mode == "tidy":
            return [tool, "--quiet", str(path), "--", *STANDARD, *commands[path]]
        warnings = WARNINGS if mode == "syntax" else []
        return [tool, "-fsyntax-only", *warnings, *THREAD_SAFETY, *precompiled, *STANDARD,
                *commands[path], str(path)]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = [text for text in pool.map(lambda path: run(command_of(path)), sorted(commands)) if text]
    print("".join(said) if said else f"clang, {mode}: {len(commands)} sources, nothing found")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
