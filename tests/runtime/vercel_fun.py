#!/usr/bin/env python3
"""The worker under npm's @vercel/fun, an independent Runtime API: it leaves out the trace header, sends a deadline
that is no time of day, and freezes the worker between invocations.

    vercel_fun.py LLAMA_RUNTIME ENVELOPE_TOOL PROBE NODE_MODULES

Looks for the package in $LLAMA_NODE_MODULES, then in NODE_MODULES; exits 77 (skipped) where it is missing.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

RUNTIME, TOOL, PROBE, DEFAULT_MODULES = sys.argv[1:5]


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def main():
    node = shutil.which("node") or skip("no node")
    modules = pathlib.Path(os.environ.get("LLAMA_NODE_MODULES", DEFAULT_MODULES))
    if not (modules / "@vercel/fun").is_dir():
        skip(f"no @vercel/fun in {modules} (npm install --prefix {modules.parent} @vercel/fun)")
    job = subprocess.run([TOOL, "job", PROBE, "fun"], stdout=subprocess.PIPE, check=True).stdout
    payloads = [job, b'{"llama":1,"ping":true}\n', b'{"what":"else"}\n', b"{}\n", job]
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="llama-fun-"))
    try:
        (scratch / "function").mkdir()
        shutil.copy2(RUNTIME, scratch / "function" / "bootstrap")
        # Of its own: the package keeps runtimes in the user's cache folder.
        env = dict(os.environ, NODE_PATH=str(modules), XDG_CACHE_HOME=str(scratch / "cache"), HOME=str(scratch))
        script = pathlib.Path(__file__).with_name("vercel_fun.cjs")
        out = subprocess.run([node, str(script), str(scratch / "function")], input=b"".join(payloads), env=env,
                             stdout=subprocess.PIPE, check=True, timeout=100).stdout
    finally:
        shutil.rmtree(scratch)
    results = [json.loads(line) for line in out.splitlines()]
    check(results)
    print(f"{len(results)} invocations under @vercel/fun")


def check(results):
    assert len(results) == 11, results
    _, pong, foreign, empty = results[:4]
    assert pong["answer"]["llama"] == 1 and pong["answer"]["memory_mb"] == 512, pong
    for result in (foreign, empty):
        assert "runs jobs of llama" in result["error"], result
    for result in [results[0]] + results[4:]:
        envelope = json.dumps(result["answer"]).encode()
        answer = subprocess.run([TOOL, "answer"], input=envelope, stdout=subprocess.PIPE, check=True).stdout.decode()
        assert f"outcome 0\nerror \nstatus {7 << 8}\n" in answer and " fun\n" in answer, answer
        assert "output /folder/output.txt written" in answer, answer


if __name__ == "__main__":
    main()
