#!/usr/bin/env python3
"""What AWS's latencies cost a build, and what it uploads: redis on `llama emulator`, over HTTPS.

    bench/cloud_overhead.py [--build DIR] [--project redis] [--rounds 3] [--jobs N] [--json]

The same cold build (new state folder, empty bucket, no warm function) runs alternately with a model
that costs nothing and with AWS's latencies (`--profile aws`), limits and signatures in both. What
the latencies make unavoidable is one chain: PUT of the toolchain, cold start, GET, invocation; the
rest should disappear behind other jobs' work. Prints the walls, their ratio to (wall without
latencies + that chain), what went up by what it was, store requests, and AWS's price.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "tests" / "e2e"))

import emulated  # noqa: E402
import harness  # noqa: E402
import sources  # noqa: E402

CHAIN_SECONDS = 0.030 + 0.300 + 0.020 + 0.015


def zstd_bytes(files):
    """What all of them take as one compressed stream, at the level that layers have."""
    listing = b"\0".join(os.fsencode(f) for f in files)
    tar = subprocess.run(["tar", "--null", "-T", "-", "-cf", "-"], input=listing, capture_output=True, check=False)
    return len(subprocess.run(["zstd", "-3", "-c"], input=tar.stdout, capture_output=True, check=True).stdout)


def one_build(options, latencies, second=False):
    """A cold build; with `second`, the same again afterwards from clean objects."""
    build_dir = pathlib.Path(options.build)
    with tempfile.TemporaryDirectory(prefix="llama-bench-") as folder:
        scene = harness.Scene("bench", build_dir)
        scene.dir = pathlib.Path(folder)
        scene.llama_dir, scene.tmp = scene.dir / "state", scene.dir / "tmp"
        scene.tmp.mkdir()
        (scene.dir / "home").mkdir()
        try:
            cloud = emulated.use(scene)
            if not latencies:
                cloud.admin("PUT", "model", "profile = none\n")
            tree = scene.dir / "tree"
            results = []
            for name in ("first", "second")[:2 if second else 1]:
                subprocess.run(["rm", "-rf", tree], check=True)
                sources.copy(sources.fetch_package(options.project), tree)
                before = len(cloud.requests())
                begin = time.monotonic()
                scene.llama_build(name, ["make", f"-j{options.jobs}"], cwd=tree, timeout=3600).expect_status(0)
                wall = time.monotonic() - begin
                report = scene.report(name)
                log = cloud.requests()[before:]
                results.append({
                    "wall_s": wall,
                    "largest_bytes": max((r["bytes_in"] for r in log if r["operation"] == "PutObject"), default=0),
                    "layer_bytes": sum(r["bytes_in"] for r in log if r["operation"] == "PutObject"),
                    "invoke_bytes": sum(r["bytes_in"] for r in log if r["operation"] == "Invoke"),
                    "puts": sum(r["operation"] == "PutObject" for r in log),
                    "gets": sum(r["operation"] == "GetObject" for r in log),
                    "invocations": sum(r["operation"] == "Invoke" for r in log),
                    "report": report,
                })
            return results
        finally:
            scene.end()


LISTING_COMPILER = """#!/bin/sh
# Compiles, and notes which files are read: sources by name, headers as -H tells them.
compiler=$1; shift
for word; do
  case $word in *.c|*.cc|*.cpp) echo "$PWD/$word";; esac
done >> "$INPUTS"
"$compiler" -H "$@" 2> "$INPUTS.$$"
status=$?
sed -n 's/^\\.\\.* //p' "$INPUTS.$$" | sed "s|^[^/]|$PWD/&|" >> "$INPUTS"
rm -f "$INPUTS.$$"
exit $status
"""


def compressed_inputs(options):
    """What the build's compiles read, sources and all headers, as one compressed stream."""
    with tempfile.TemporaryDirectory(prefix="llama-bench-") as folder:
        folder = pathlib.Path(folder)
        tree, script, inputs = folder / "tree", folder / "cc", folder / "inputs"
        script.write_text(LISTING_COMPILER)
        script.chmod(0o755)
        sources.copy(sources.fetch_package(options.project), tree)
        subprocess.run(["make", f"-j{options.jobs}", f"CC={script} gcc", f"CXX={script} g++"], cwd=tree, check=True,
                       env=dict(os.environ, INPUTS=str(inputs)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = {os.path.realpath(line) for line in inputs.read_text().splitlines()}
        return zstd_bytes(sorted(f for f in found if os.path.isfile(f)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=CHECKOUT / "build" / "release")
    parser.add_argument("--project", default="redis")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2 * os.cpu_count())
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    walls = {False: [], True: []}
    for number in range(options.rounds):
        for latencies in (False, True):
            results = one_build(options, latencies, second=latencies and number == 0)
            walls[latencies].append(results[0]["wall_s"])
            if latencies and number == 0:
                cold, warm = results
    without, with_them = statistics.median(walls[False]), statistics.median(walls[True])
    out = {
        "project": options.project, "rounds": options.rounds, "jobs": options.jobs,
        "wall_without_latencies_s": without, "wall_with_latencies_s": with_them,
        "ratio_to_unavoidable": with_them / (without + CHAIN_SECONDS),
        "walls": {"without": walls[False], "with": walls[True]},
    }
    for name, result in (("cold", cold), ("second", warm)):
        out[name] = {key: result[key] for key in ("layer_bytes", "invoke_bytes", "puts", "gets", "invocations")}
        out[name]["toolchain_bytes"] = result["largest_bytes"] if name == "cold" else 0
        out[name]["cost_usd"] = sum(v for k, v in result["report"]["cost"].items() if k == "total_usd")
    out["sources_and_headers_zstd_bytes"] = compressed_inputs(options)
    if options.json:
        print(json.dumps(out, indent=1))
        return
    print(f"{options.project}, -j{options.jobs}, median of {options.rounds}: {without:.1f} s without latencies, "
          f"{with_them:.1f} s with AWS's: {out['ratio_to_unavoidable']:.3f} of what is unavoidable")
    inputs = out["sources_and_headers_zstd_bytes"]
    print(f"sources and headers: {inputs / 1e6:.2f} MB compressed")
    for name in ("cold", "second"):
        r = out[name]
        beyond = r["layer_bytes"] + r["invoke_bytes"] - r["toolchain_bytes"]
        print(f"{name} build: {r['layer_bytes'] / 1e6:.2f} MB in layers, of which the largest (the toolchain) "
              f"{r['toolchain_bytes'] / 1e6:.2f}; {r['invoke_bytes'] / 1e6:.2f} MB in invocations; beyond the toolchain "
              f"{beyond / inputs:.2f} of the inputs; {r['puts']} PUT, {r['gets']} GET, "
              f"{r['invocations']} invocations, ${r['cost_usd']:.4f}")


if __name__ == "__main__":
    main()
