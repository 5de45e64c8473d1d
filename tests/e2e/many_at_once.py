"""Crowds: 200 wrappers on a cold system, and two builds at a time."""
import concurrent.futures
import json

import harness
import synthetic
import trace_check
import trees
from harness import expect

WRAPPERS = 200


def sources(folder):
    folder.mkdir()
    for number in range(WRAPPERS):
        (folder / f"s{number}.c").write_text(f"#include <stdio.h>\nint v{number} = {number};\n")


def commands(prefix):
    return [[*prefix, "gcc", "-O1", "-c", f"s{n}.c", "-o", f"s{n}.o"] for n in range(WRAPPERS)]


def crowd(scene):
    """200 wrappers start one daemon, and each gets its object."""
    tree, plain = scene.dir / "tree", scene.dir / "plain"
    sources(tree)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in pool.map(lambda argv: scene.run(argv, cwd=tree), commands([])):
            done.expect_status(0)
    tree.rename(plain)
    sources(tree)
    running = [scene.start(argv, cwd=tree) for argv in commands([scene.bin / "llamacc"])]
    daemons = set()
    while any(process.poll() is None for process in running):
        daemons.update(scene.daemons())
    for process in running:
        done = harness.finish(process, 120).expect_status(0)
        expect(done.out + done.err == b"", f"a wrapper said {done.out + done.err}")
    expect(len(daemons) == 1, f"{len(daemons)} daemons ran: {daemons}")
    faults = trees.compare(plain, tree)
    expect(not faults, "\n".join(faults))
    status = json.loads(scene.llama("daemon", "status", "--json").expect_status(0).out)
    expect(status["remote_done"] == WRAPPERS, f"not all were remote: {status}")


def two_builds(scene):
    """Two builds at a time share the daemon, and each has its own trace."""
    names = ("left", "right")
    for name in names:
        synthetic.write(scene.dir / name, count=8 if name == "left" else 12)
    builds = [scene.start_build(name, ["make", "-j4"], cwd=scene.dir / name) for name in names]
    for build in builds:
        harness.finish(build).expect_status(0)
    for name, count in zip(names, (8, 12)):
        spans = scene.spans(name)
        faults = trace_check.check_build(spans)
        expect(not faults, "\n".join(faults))
        found = len(trace_check.compiles(spans))
        expect(found == count, f"{found} compiles in the trace of {name}, not {count}")


def scenario(scene):
    crowd(scene)
    two_builds(scene)


harness.run(scenario)
