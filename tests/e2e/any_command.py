"""Any command, remotely: `llama invoke`, `llama xargs`, `llama store`, `llama get`.

The same cases run with the local pool's ordinary workers and with workers in bare roots, where
nothing of this machine is to be found.
"""
import argparse
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib

import bare_root
import emulated
import harness
import trace_check
from harness import expect

PYTHON = "/usr/bin/python3"


class Folder:
    """A case's own working folder, and llama run in it."""

    def __init__(self, scene, name):
        self.scene = scene
        self.path = scene.dir / name
        self.path.mkdir()

    def write(self, name, content, mode=0o644):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    def read(self, name):
        return (self.path / name).read_bytes()

    def llama(self, *args, input=b"", **kwargs):
        env = kwargs.pop("env", None) or self.scene.env()
        done = subprocess.run([str(self.scene.bin / "llama"), *map(os.fsencode, args)],
                              cwd=self.path, env=env, input=input, capture_output=True,
                              timeout=kwargs.pop("timeout", 300))
        return harness.Finished(args, done.returncode, done.stdout, done.stderr)

    def names(self):
        return sorted(os.listdir(self.path))


def sha256(content):
    return hashlib.sha256(content).hexdigest()


# llama invoke


def invoke_basics(scene):
    f = Folder(scene, "basics")
    f.write("a.txt", "hello\n")
    f.write("sub/b.txt", "world\n")
    done = f.llama("invoke", "-f", "a.txt", "-f", "sub", "-o", "both", "--", "sh", "-c",
                   "cat a.txt sub/b.txt > both; echo said; echo complained >&2; exit 3")
    done.expect_status(3)
    expect(done.out == b"said\n" and done.err == b"complained\n", f"{done.out} {done.err}")
    expect(f.read("both") == b"hello\nworld\n", "wrong output")
    done = f.llama("invoke", "-f", "a.txt:/data/in", "-o", "/data/out:deep/new/copy", "--", "cp",
                   "/data/in", "/data/out").expect_status(0)
    expect(f.read("deep/new/copy") == b"hello\n", "no file under another name")
    done = f.llama("invoke", "--stdin", "--", "tr", "a-z", "A-Z", input=b"shout\n")
    expect(done.expect_status(0).out == b"SHOUT\n", "stdin was not given")
    done = f.llama("invoke", "--env", "WORD=a b", "--", "sh", "-c", 'printf %s "$WORD"')
    expect(done.expect_status(0).out == b"a b", "--env was not given")
    done = f.llama("invoke", "--", "pwd").expect_status(0)
    expect(done.out.strip() == os.fsencode(f.path), f"pwd says {done.out}")
    done = f.llama("invoke", "-o", "tree/", "--", "sh", "-c",
                   "mkdir -p tree/x; echo 1 > tree/one; echo 2 > tree/x/two; ln -s one tree/link")
    done.expect_status(0)
    expect(f.read("tree/one") == b"1\n" and f.read("tree/x/two") == b"2\n", "tree not taken")
    expect(not os.path.lexists(f.path / "tree/link"), "a link was taken")
    # An input that is an output as well may be written to; others stay as they are.
    f.write("inout", "1\n")
    f.llama("invoke", "-f", "inout", "-o", "inout", "--", "sh", "-c",
            "echo 2 >> inout").expect_status(0)
    expect(f.read("inout") == b"1\n2\n", f"in and out: {f.read('inout')}")
    # A command of another job finds nothing of this one's.
    done = f.llama("invoke", "--", "ls", "-A").expect_status(0)
    expect(done.out == b"", f"left from jobs before: {done.out}")


def invoke_statuses(scene):
    f = Folder(scene, "statuses")
    f.write("plain", "no program\n")
    f.llama("invoke", "--", "no-such-command").expect_status(127)
    f.llama("invoke", "--", "./plain").expect_status(126)
    f.llama("invoke", "--", "sh", "-c", "kill -9 $$").expect_status(137)
    done = f.llama("invoke", "--timeout", "1", "--", "sleep", "30").expect_status(124)
    expect(b"time is up" in done.err, f"{done.err}")
    done = f.llama("invoke", "-o", "made", "-o", "missing", "--", "touch", "made").expect_status(1)
    expect(b"missing" in done.err and os.path.exists(f.path / "made"), f"{done.err}")
    done = f.llama("invoke", "-o", "dir", "--", "mkdir", "dir").expect_status(1)
    expect(b"directory" in done.err and not os.path.exists(f.path / "dir"), f"{done.err}")
    f.llama("invoke", "-o", "missing", "--", "sh", "-c", "exit 7").expect_status(7)
    f.llama("invoke", "-f", "nowhere", "--", "true").expect_status(125)
    f.llama("invoke", "--no-such-option", "--", "true").expect_status(125)
    big = b"x" * ((64 << 20) + 1)
    done = f.llama("invoke", "--stdin", "--", "wc", "-c", input=big).expect_status(125)
    expect(b"64 MiB" in done.err, f"{done.err}")


def invoke_programs(scene):
    f = Folder(scene, "programs")
    f.write("words.txt", "b\na\n")
    if os.path.exists(PYTHON):
        code = ("import json, hashlib, subprocess, os\n"
                "print(json.dumps(hashlib.sha256(open('words.txt','rb').read()).hexdigest()))\n"
                "print(subprocess.run(['sort', 'words.txt'], capture_output=True).stdout)\n"
                "os.system('/bin/echo by the shell')\n")
        f.write("job.py", code)
        f.write("run", "#!" + PYTHON + "\n" + code, 0o755)
        f.write("env-run", "#!/usr/bin/env -S sh\ncat words.txt\n", 0o755)
        digest = sha256(f.read("words.txt")).encode()
        for command in ([PYTHON, "job.py"], ["./run"]):
            done = f.llama("invoke", "-f", "words.txt", "-f", "job.py", "--", *command)
            done.expect_status(0)
            for part in (digest, b"b'a\\nb\\n'", b"by the shell"):
                expect(part in done.out, f"{command}: {done.out} {done.err}")
        done = f.llama("invoke", "-f", "words.txt", "--", "./env-run").expect_status(0)
        expect(done.out == b"b\na\n", f"{done.out}")
    if shutil.which("perl") == "/usr/bin/perl":
        done = f.llama("invoke", "--", "perl", "-MList::Util=sum", "-MPOSIX=floor", "-e",
                       "print sum(1, 2, floor(3.5)), qx(uname -s)").expect_status(0)
        expect(done.out == b"6Linux\n", f"perl: {done.out}")
    done = f.llama("invoke", "--", "/bin/sh", "-c", "/usr/bin/env printf %s absolute")
    expect(done.expect_status(0).out == b"absolute", f"{done.out}")


def privacy(scene):
    """Only what is named and what comes with the system is sent."""
    f = Folder(scene, "private")
    f.write("secret", "do not send\n")
    f.write("tool/show", "#!/bin/sh\ncat ../secret secret .hidden 2>/dev/null; exit 0\n", 0o755)
    f.write("tool/.hidden", "nor this\n")
    done = f.llama("invoke", "-v", "--", "tool/show").expect_status(0)
    expect(b"not" not in done.out and b"nor" not in done.out, f"sent: {done.out}")
    done = f.llama("invoke", "-v", "--", PYTHON, "-c",
                   f"import os; print(os.path.exists({str(f.path / 'secret')!r}))")
    expect(done.expect_status(0).out == b"False\n", f"it was sent: {done.out}")
    expect(b"secret: looked for" in done.err, f"not told: {done.err}")
    done = f.llama("invoke", "--env", "KEY=hunter2hunter2", "--", "sh", "-c", "exit 0")
    done.expect_status(0)
    for folder, _, names in os.walk(scene.llama_dir):
        for name in names:
            content = (open(os.path.join(folder, name), "rb").read()
                       if os.path.isfile(os.path.join(folder, name)) else b"")
            expect(b"hunter2hunter2" not in content, f"a value of --env stands in {name}")


def or_local(scene):
    f = Folder(scene, "local")
    env = scene.env(LLAMA_WORKER_LAUNCHER="/bin/false")
    f.write("in", "x\n")
    scene.llama("daemon", "stop")
    f.llama("invoke", "-f", "in", "-o", "out", "--", "cp", "in", "out", env=env).expect_status(125)
    f.llama("invoke", "--or-local", "-f", "in", "-o", "out", "--", "cp", "in", "out",
            env=env).expect_status(0)
    expect(f.read("out") == b"x\n", "did not run here")
    done = f.llama("invoke", "--or-local", "--stdin", "--", "sh", "-c", "cat; exit 4", input=b"y",
                   env=env).expect_status(4)
    expect(done.out == b"y", "stdin did not get there")
    scene.llama("daemon", "stop")


# llama xargs


def thousand_sums(scene):
    f = Folder(scene, "thousand")
    names = [f"file-{i}.txt" for i in range(1000)]
    for i, name in enumerate(names):
        f.write(name, f"content of {i}\n" * (i % 50))
    start = time.monotonic()
    f.llama("xargs", "-j", "64", "--name", "thousand", "--", "sh", "-c",
            "sha256sum < {i:f} > {o:f.sum}", input="\n".join(names).encode()).expect_status(0)
    seconds = time.monotonic() - start
    for name in names:
        expect(f.read(name + ".sum") == f"{sha256(f.read(name))}  -\n".encode(), f"{name}.sum")
    spans = scene.spans("thousand")
    roots = [s for s in spans if s["name"] == "command"]
    expect(len(roots) == 1000, f"{len(roots)} spans of commands")
    expect(all(s["fields"]["remote"] and s["fields"]["status"] == 0 for s in roots), "a status")
    expect(len(f.names()) == 2000, "something else came back")
    print(f"1000 sums in {seconds:.1f} s")


def png(width, height, seed):
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes(((x * seed) & 255, (y * seed) & 255, (x ^ y) & 255))
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(rows), 1)) + chunk(b"IEND", b""))


def optimised_pngs(scene):
    if not shutil.which("optipng"):
        print("optipng is not installed: its case is left out")
        return
    f = Folder(scene, "pngs")
    names = [f"p{i}.png" for i in range(150)]
    for i, name in enumerate(names):
        f.write(name, png(24, 16, i + 1))
    f.llama("xargs", "-j", "64", "--", "optipng", "-quiet", "-out", "{o:{.}.min.png}", "{i:f}",
            input="\n".join(names).encode()).expect_status(0)
    for name in names[::10]:
        here = f.path / "here.png"
        here.unlink(missing_ok=True)
        subprocess.run(["optipng", "-quiet", "-out", here, f.path / name], check=True)
        expect(here.read_bytes() == f.read(name[:-4] + ".min.png"), f"{name}: not as here")


HOSTILE = ["a b", "it's", 'say "hi"', "$(touch pwned)", "`touch pwned`", "; touch pwned", "-n",
           "two\nlines", "back\\slash", "*", "ümläut", "#x", "a&b|c>d"]


def hostile_names(scene):
    f = Folder(scene, "hostile")
    for name in HOSTILE:
        f.write(name, "in " + name)
    items = "\0".join(HOSTILE).encode()
    f.llama("xargs", "-0", "--", "sh", "-c", "cat < {i:f} > {o:f.out}; : '{}' \"{}\" \"$(echo {})\"",
            input=items).expect_status(0)
    for name in HOSTILE:
        expect(f.read(name + ".out") == ("in " + name).encode(), f"{name!r}: wrong content")
        os.unlink(f.path / (name + ".out"))
    f.llama("xargs", "-0", "--", "cp", "{i:{}}", "{o:{}.copy}", input=items).expect_status(0)
    for name in HOSTILE:
        expect(f.read(name + ".copy") == ("in " + name).encode(), f"{name!r}: not copied")
    done = f.llama("xargs", "-0", "-k", "--", "printf", "%s\\n", "<{}>", input=items).expect_status(0)
    expect(done.out == "".join(f"<{n}>\n" for n in HOSTILE).encode(), f"{done.out}")
    done = f.llama("xargs", "-0", "-k", "--", "sh", "-c", "printf '[%s]' {} \"x{}\" 'y{}'",
                   input=items).expect_status(0)
    expect(done.out == "".join(f"[{n}][x{n}][y{n}]" for n in HOSTILE).encode(), f"{done.out}")
    expect(not os.path.exists(f.path / "pwned"), "an item was run as code")


def failures(scene):
    f = Folder(scene, "failures")
    items = b"1\n2\n3\n4\n5\n"
    done = f.llama("xargs", "-k", "--joblog", "log", "--", "sh", "-c",
                   "echo {}; test {} != 3 || exit 9; test {} != 4 || kill -15 $$", input=items)
    done.expect_status(2)
    expect(done.out == b"1\n2\n3\n4\n5\n", f"out of order: {done.out}")
    lines = [line.split("\t") for line in f.read("log").decode().splitlines()]
    expect(lines[0] == ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval",
                        "Signal", "Command"], f"{lines[0]}")
    by_seq = {int(line[0]): (line[6], line[7]) for line in lines[1:]}
    expect(by_seq == {1: ("0", "0"), 2: ("0", "0"), 3: ("9", "0"), 4: ("0", "15"), 5: ("0", "0")},
           f"{by_seq}")
    done = f.llama("xargs", "--", "sh", "-c", "test {} = 2 || : > {o:f.out}", input=items)
    done.expect_status(1)
    expect(b"missing output" in done.err and b"2.out" in done.err, f"{done.err}")
    # What --halt leaves out was never started.
    done = f.llama("xargs", "-j", "1", "--halt", "soon,fail=1", "--joblog", "halted", "--", "false",
                   input=items)
    done.expect_status(1)
    expect(len(f.read("halted").splitlines()) == 2, f"{f.read('halted')}")
    done = f.llama("xargs", "-j", "1", "--retries", "3", "--name", "retried", "--", "false",
                   input=b"1\n")
    done.expect_status(1)
    tries = [s for s in scene.spans("retried") if s["name"] == "command"]
    expect(len(tries) == 3, f"{len(tries)} tries")
    f.llama("xargs", "--", "no-such-command", input=items).expect_status(127)
    f.llama("xargs", "--", "true", input=b"").expect_status(0)
    f.llama("xargs", "-j", "0", "--", "true", input=b"").expect_status(125)


def killed_and_resumed(scene):
    f = Folder(scene, "resumed")
    count = 40
    for i in range(count):
        f.write(f"i{i}", f"{i}\n")
    items = "\n".join(f"i{i}" for i in range(count)).encode()
    f.write("items", items)
    command = ["xargs", "-j", "2", "-a", "items", "--joblog", "log", "--", "sh", "-c",
               "cat {i:f} > {o:f.out}; sleep 0.05"]
    process = subprocess.Popen([scene.bin / "llama", *command], cwd=f.path, env=scene.env(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    log = f.path / "log"
    harness.wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") > 5, 60, "some jobs")
    process.send_signal(signal.SIGKILL)
    process.wait()
    done_before = log.read_bytes().count(b"\n") - 1
    expect(done_before < count, "it ended before it was killed")
    for name in f.names():
        if name.endswith(".out"):
            expect(f.read(name) == f.read(name[:-4]), f"{name} is not whole")
    f.llama(*command[:7], "--resume", "--name", "resumed", *command[7:]).expect_status(0)
    for i in range(count):
        expect(f.read(f"i{i}.out") == f"{i}\n".encode(), f"i{i}.out")
    ran = [s for s in scene.spans("resumed") if s["name"] == "command"]
    expect(len(ran) == count - done_before, f"{len(ran)} ran, {done_before} were done before")
    f.llama(*command[:7], "--resume", "--", "echo", "{}").expect_status(125)
    # The polite way: the record is ended, the status says how.
    f.write("slow", "\n".join(str(i) for i in range(100)))
    process = subprocess.Popen([scene.bin / "llama", "xargs", "-a", "slow", "--name", "stopped",
                                "--joblog", "log2", "--", "sleep", "0.2"], cwd=f.path,
                               env=scene.env(), stdin=subprocess.DEVNULL)
    harness.wait_until(lambda: (f.path / "log2").exists(), 60, "the log")
    process.send_signal(signal.SIGTERM)
    expect(process.wait(30) == -signal.SIGTERM, f"it ended with {process.returncode}")
    builds = scene.llama("builds").expect_status(0).out
    expect(b"signal 15" in builds, f"{builds}")


# llama store, llama get


def stored_files(scene):
    f = Folder(scene, "stored")
    content = os.urandom(100_000)
    f.write("a", content)
    f.write("empty", "")
    done = f.llama("store", "a", "empty").expect_status(0)
    digest = sha256(content)
    expect(done.out == f"{digest}  a\n{sha256(b'')}  empty\n".encode(), f"{done.out}")
    expect(f.llama("get", digest).expect_status(0).out == content, "other bytes came back")
    f.llama("get", "-o", "b", digest).expect_status(0)
    expect(f.read("b") == content, "other bytes in the file")
    f.llama("get", digest, sha256(b"")).expect_status(0)
    expect(f.read(digest) == content and f.read(sha256(b"")) == b"", "files by digest")
    f.llama("get", "-o", "c", "0" * 64).expect_status(1)
    expect(not os.path.exists(f.path / "c"), "a file for nothing")
    f.llama("get", "xyz").expect_status(2)
    f.llama("store", "nowhere").expect_status(1)
    if not (scene.llama_dir / "store").exists():
        return  # in a bucket, where nothing is damaged from here
    stored = [p for p in (scene.llama_dir / "store").rglob("*") if digest in p.name]
    expect(len(stored) == 1, f"{stored}")
    stored[0].chmod(0o600)
    stored[0].write_bytes(content[:-1] + b"x")
    done = f.llama("get", "-o", "d", digest).expect_status(1)
    expect(b"damaged" in done.err and not os.path.exists(f.path / "d"), f"{done.err}")
    f.llama("store", "--verify", "a").expect_status(0)
    expect(f.llama("get", digest).expect_status(0).out == content, "not repaired")


def record(scene):
    """A job is a build of its own, or belongs to the one that it runs in."""
    f = Folder(scene, "record")
    f.llama("invoke", "--name", "alone", "--", "true").expect_status(0)
    spans = scene.spans("alone")
    trace_check.check(spans) if hasattr(trace_check, "check") else None
    root = [s for s in spans if s["name"] == "command"][0]
    names = [s["name"] for s in spans if s["parent_id"] == root["span_id"]]
    for phase in ("send", "parse", "scan", "sync", "invoke", "verify", "write", "reply"):
        expect(phase in names, f"no span {phase}: {names}")
    invoke = [s for s in spans if s["name"] == "invoke"][0]["fields"]
    expect(invoke["cost_usd"] > 0 and invoke["billed_ms"] > 0, f"{invoke}")
    scene.llama_build("together", [scene.bin / "llama", "invoke", "--", "true"], cwd=f.path)
    expect([s["name"] for s in scene.spans("together")].count("command") == 1, "not in the build")


CASES = {case.__name__: case for case in
         (invoke_basics, invoke_statuses, invoke_programs, privacy, thousand_sums, optimised_pngs,
          hostile_names, failures, killed_and_resumed, stored_files, record, or_local)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bare-root", action="store_true")
    parser.add_argument("--cloud", action="store_true", help="on the emulated AWS, in a bare root there")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()

    def scenario(scene):
        if args.bare_root:
            bare_root.use(scene)
        if args.cloud:
            emulated.use(scene)
        for name in args.cases or CASES:
            start = time.monotonic()
            if (args.bare_root or args.cloud) and name == "or_local":
                continue
            CASES[name](scene)
            print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)
        if args.bare_root:
            bare_root.check(scene)

    harness.run(scenario)


if __name__ == "__main__":
    sys.exit(main())
