"""llama explain as a user meets it: of commands of the compilers here, and of recorded compiles.

    explain.py LLAMA
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

LLAMA = sys.argv[1]


def expect(condition, what):
    if not condition:
        sys.exit(f"golden explain: {what}")


class Folder:
    def __init__(self, folder):
        self.path = pathlib.Path(folder)
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("LLAMA", "LC_", "LANG"))}
        self.env["LLAMA_DIR"] = str(self.path / "state")

    def run(self, *words, status=0):
        done = subprocess.run([LLAMA, "explain", *words], capture_output=True, text=True, timeout=60, cwd=self.path,
                              env=self.env)
        expect(done.returncode == status, f"{words}: exits with {done.returncode}: {done.stdout}{done.stderr}")
        expect(not done.stderr if status == 0 else not done.stdout, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout if status == 0 else done.stderr

    def of(self, *command):
        return json.loads(self.run("--json", "--", *command))


def explains_commands(folder):
    (folder.path / "a.c").write_text('#include "x.h"\nint f(void) { return X; }\n')
    (folder.path / "h").mkdir()
    (folder.path / "h" / "x.h").write_text("#define X 1\n")
    before = sorted(folder.path.iterdir())
    for compiler in filter(shutil.which, ("gcc", "g++", "clang", "clang++")):
        it = folder.of(compiler, "-O2", "-Ih", "-MD", "-gsplit-dwarf", "-c", "a.c")
        expect(it["remote"] and not it["reasons"], it)
        expect(it["compiler"] == shutil.which(compiler) and it["version"], it)
        kinds = {option["text"]: option["kind"] for option in it["options"]}
        expect(kinds == {"-O2": "plain", "-Ih": "folder-in", "-MD": "output", "-gsplit-dwarf": "output",
                         "-c": "action", "a.c": "source"}, kinds)
        here = str(folder.path)
        expect({f"{here}/a.c", f"{here}/h/x.h"} <= set(it["inputs"]["files"]), it["inputs"])
        expect(it["inputs"]["rung"] == "superset", it["inputs"])
        expect({"folder": f"{here}/h", "files": 1, "bytes": 12} in it["inputs"]["from"], it["inputs"])
        expect(it["shipped"]["with_job"]["bytes"] == 41 and it["shipped"]["compiler"]["bytes"] > 1_000_000, it)
        expect({"path": f"{here}/a.o", "what": "object"} in it["outputs"], it["outputs"])
        expect({"path": f"{here}/a.d", "what": "depfile"} in it["outputs"], it["outputs"])
        expect({"path": f"{here}/a*.dwo", "what": "beside it"} in it["outputs"], it["outputs"])
        expect(folder.of("llamacc", "ccache", compiler, "-c", "a.c", "-Ih")["compiler"] == it["compiler"], "ccache")
        it = folder.of(compiler, "a.c", "-o", "a", "-wrapper", "x", "--no-such-option")
        reasons = [reason["reason"] for reason in it["reasons"]]
        expect(reasons == ["link", "unsafe-option:-wrapper", "unknown-option:--no-such-option"], reasons)
        expect(all(reason["meaning"] for reason in it["reasons"]), it["reasons"])
        pinned = [option["text"] for option in it["options"] if option["keeps_here"]]
        expect(pinned == ["-wrapper x", "--no-such-option"], pinned)
        expect("inputs" not in it, it)
        reasons = folder.of(compiler, "-c", "none.c")["reasons"]
        expect([reason["reason"] for reason in reasons] == ["source-not-regular"], reasons)
    text = folder.run("--inputs", "--", "gcc", "-Ih", "-c", "a.c")
    expect(text.startswith("Runs remotely\n") and f"    {folder.path}/h/x.h\n" in text, text)
    (folder.path / "script").write_text("#!/bin/sh\nexec true\n")
    (folder.path / "script").chmod(0o755)
    reasons = folder.of("./script", "-c", "a.c")["reasons"]
    expect([reason["reason"] for reason in reasons] == ["toolchain"], reasons)
    (folder.path / "script").unlink()
    expect(sorted(folder.path.iterdir()) == before, "it leaves files")


def refuses_what_is_wrong(folder):
    for words in ((), ("--",), ("--", ""), ("a", "b"), ("a", "--", "gcc"), ("--jsno", "a"), ("",),
                  ("--inputs", "a.o"), ("--build", "x", "--", "gcc"), ("--build", "", "a.o")):
        expect("llama help explain" in folder.run(*words, status=2), words)
    expect("no build is recorded" in folder.run("a.o", status=1), "no build")
    folder.run("--", "no-such-compiler-1", "-c", "a.c", status=1)


def span(number, parent, name, **fields):
    return json.dumps({"trace_id": f"{1:032x}", "span_id": f"{number:016x}",
                       "parent_id": f"{parent:016x}" if parent else "", "name": name,
                       "start": "2026-11-22T08:20:50Z", "duration": 2_000_000, "fields": fields}) + "\n"


def explains_past_compiles(folder):
    for number, reason in ((1, "link"), (2, "host-native:-march=native")):
        build = folder.path / "state" / "builds" / f"20261122-b{number}"
        build.mkdir(parents=True)
        (build / "build.json").write_text(json.dumps(
            {"id": build.name, "name": f"n{number}", "start_ns": number, "command": ["make"], "cwd": "/p"}))
        (build / "trace.ndjson.zst").write_text(
            span(1, 0, "llamacc", source="a.c", object="a.o", cwd=str(folder.path), remote=False, reason=reason) +
            span(2, 1, "parse") +
            (span(3, 0, "llamacc", source="old.c", object="old.o", cwd="/p", remote=True) if number == 1 else ""))
    text = folder.run("a.o")
    expect(text.startswith("Ran here: a.c\n  reason          host-native:-march=native\n"), text)
    expect("  to change it    name the processor" in text and "20261122-b2" in text, text)
    for words in (("--build", "n1", "a.c"), ("--build", "20261122-b1", f"{folder.path}/a.c")):
        (it,) = json.loads(folder.run("--json", *words))
        expect(it["reasons"][0]["reason"] == "link" and it["build"] == "20261122-b1", it)
        expect([phase["name"] for phase in it["phases"]] == ["parse"], it)
    (it,) = json.loads(folder.run("--json", "old.o"))
    expect(it["remote"] and it["build"] == "20261122-b1" and it["reasons"] == [], it)
    expect("no compile is recorded of b.c" in folder.run("b.c", status=1), "b.c")
    folder.run("--build", "n3", "a.c", status=1)


with tempfile.TemporaryDirectory() as name:
    world = Folder(name)
    refuses_what_is_wrong(world)
    explains_commands(world)
    explains_past_compiles(world)
