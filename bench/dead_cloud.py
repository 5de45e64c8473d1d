#!/usr/bin/env python3
"""What a build through llama costs while its cloud is down: beside plain make, in one run.

    bench/dead_cloud.py [--build DIR] [--project lua5.4] [--rounds 5] [--jobs N] [--json]

Every request to the emulated AWS fails. A first build finds that out and opens the circuit; then
plain builds and builds through llama alternate, from clean objects. Prints the medians of their wall
and processor time (the daemon's included) and the ratios; llama's is to be within 1.05.
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

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "tests" / "e2e"))

import emulated  # noqa: E402
import harness  # noqa: E402
import sources  # noqa: E402

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def daemon_cpu(scene):
    status = json.loads(scene.llama("daemon", "status", "--json").expect_status(0).out)
    stat = pathlib.Path(f"/proc/{status['pid']}/stat").read_text()
    fields = stat.rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def measured(run):
    """Wall and processor time of the processes that `run` waits for."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run()
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def fresh(options, tree):
    subprocess.run(["rm", "-rf", tree], check=True)
    sources.copy(sources.fetch_package(options.project), tree)


def rounds(options, scene):
    tree = scene.dir / "tree"
    make = ["make", f"-j{options.jobs}"]
    cloud = emulated.use(scene)
    cloud.set_model(error__any="100%", stall__time="3s")
    fresh(options, tree)
    scene.llama_build("opens", make, cwd=tree, timeout=3600).expect_status(0)
    plain, llama = [], []
    for number in range(options.rounds):
        fresh(options, tree)
        plain.append(measured(lambda: subprocess.run(make, cwd=tree, env=scene.env(), check=True, timeout=3600,
                                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))
        fresh(options, tree)
        before = daemon_cpu(scene)
        wall, cpu = measured(lambda: scene.llama_build(f"down-{number}", make, cwd=tree,
                                                       timeout=3600).expect_status(0))
        llama.append((wall, cpu + daemon_cpu(scene) - before))
    return plain, llama


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=CHECKOUT / "build" / "release")
    parser.add_argument("--project", default="lua5.4")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llama-bench-") as folder:
        scene = harness.Scene("bench", pathlib.Path(options.build))
        scene.dir = pathlib.Path(folder)
        scene.llama_dir, scene.tmp = scene.dir / "state", scene.dir / "tmp"
        scene.tmp.mkdir()
        (scene.dir / "home").mkdir()
        try:
            plain, llama = rounds(options, scene)
        finally:
            scene.end()
    out = {"project": options.project, "rounds": options.rounds, "jobs": options.jobs}
    for index, name in ((0, "wall"), (1, "cpu")):
        of_plain = statistics.median(r[index] for r in plain)
        of_llama = statistics.median(r[index] for r in llama)
        out[name] = {"plain_s": of_plain, "llama_s": of_llama, "ratio": of_llama / of_plain,
                     "plain": [r[index] for r in plain], "llama": [r[index] for r in llama]}
    if options.json:
        print(json.dumps(out, indent=1))
        return
    for name in ("wall", "cpu"):
        print(f"{options.project}, -j{options.jobs}, median of {options.rounds}: {name} {out[name]['plain_s']:.2f} s plain, "
              f"{out[name]['llama_s']:.2f} s through llama with a dead cloud: {out[name]['ratio']:.3f}")


if __name__ == "__main__":
    main()
