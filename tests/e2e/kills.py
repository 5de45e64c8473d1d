"""Kills parts of llama in mid-build: the build ends as it should, and leaves nothing wrong.

    kills.py daemon|workers|wrappers|interrupt|hung|herd
"""
import os
import random
import shutil
import signal
import sys
import time

import harness
import synthetic
import trace_check
import trees
from harness import expect, wait_until

MAKE = ["make", "-j8"]


def plain_build(scene):
    """Builds the project with gcc alone, and lays a fresh copy in its place."""
    tree, plain = scene.dir / "tree", scene.dir / "plain"
    synthetic.write(tree)
    scene.run(MAKE, cwd=tree).expect_status(0)
    tree.rename(plain)
    synthetic.write(tree)
    return tree, plain


def object_count(tree):
    return len(list(tree.glob("*.o")))


def start(scene, tree, objects):
    """A build of which so many objects are there."""
    build = scene.start_build("killed", MAKE, cwd=tree)
    wait_until(lambda: build.poll() is not None or object_count(tree) >= objects, 120, "objects")
    expect(build.poll() is None, "the build ended before anything could be killed")
    return build


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def expect_same(tree, plain):
    faults = trees.compare(plain, tree)
    expect(not faults, "\n".join(faults))


def expect_nothing_wrong(tree, plain):
    """What is there is whole and right, though not all need be there."""
    faults = [f for f in trees.compare(plain, tree) if "only in the first" not in f]
    expect(not faults, "\n".join(faults))


def rebuild(scene, tree, plain):
    scene.llama_build("again", MAKE, cwd=tree).expect_status(0)
    expect_same(tree, plain)


def expect_remote(scene, at_least):
    """So that what was killed had something to do."""
    found = [c.describe() for c in scene.compiles("killed")]
    expect(found.count("remote") >= at_least, f"hardly any ran remotely: {found}")


def kill_daemon(scene, tree, plain):
    build = start(scene, tree, 4)
    killed = scene.daemons()
    expect(len(killed) == 1, f"{len(killed)} daemons")
    kill(killed[0])
    harness.finish(build).expect_status(0)
    expect_same(tree, plain)
    expect_remote(scene, 1)


def kill_workers(scene, tree, plain):
    build = start(scene, tree, 2)
    killed = set()
    while build.poll() is None:
        # Each worker dies once, some objects after the one before it.
        wanted = object_count(tree) + 2
        wait_until(lambda: build.poll() is not None or object_count(tree) >= wanted
                   or object_count(tree) == synthetic.COUNT, 120, "the build to go on")
        fresh = [pid for pid in scene.workers() if pid not in killed]
        killed.update(pid for pid in fresh[:1] if kill(pid))
    harness.finish(build).expect_status(0)
    expect(len(killed) >= 3, f"only {len(killed)} workers killed")
    expect_same(tree, plain)
    expect_remote(scene, 4)
    faults = trace_check.check_build(scene.spans("killed"))
    expect(not faults, "\n".join(faults))


def wrappers(scene):
    return [pid for pid in scene.processes() if harness.executable(pid) == str(scene.bin / "llamacc")]


def kill_wrappers(scene, tree, plain):
    choose = random.Random(6).choice
    build = start(scene, tree, 4)
    for _ in range(3):
        found = wait_until(lambda: wrappers(scene) or build.poll() is not None, 60, "a wrapper")
        if found is not True:
            kill(choose(found))
    # As make does with a gcc that was killed.
    harness.finish(build).expect_status(2)
    expect_remote(scene, 4)
    expect_nothing_wrong(tree, plain)
    rebuild(scene, tree, plain)


def interrupt(scene, tree, plain):
    build = start(scene, tree, 4)
    os.killpg(build.pid, signal.SIGINT)
    harness.finish(build).expect_status(-signal.SIGINT)
    wait_until(lambda: not wrappers(scene), 20, "the wrappers' end")
    expect_nothing_wrong(tree, plain)
    faults = trace_check.check_build(scene.spans("killed"))
    expect(not faults, "\n".join(faults))
    rebuild(scene, tree, plain)


def hung(scene, tree, plain):
    """The daemon is stopped in mid-build: waited for once, then left alone, then used again."""
    build = start(scene, tree, 4)
    daemon, = scene.daemons()
    begin = time.monotonic()
    kill(daemon, signal.SIGSTOP)
    try:
        harness.finish(build).expect_status(0)
        took = time.monotonic() - begin
        expect_same(tree, plain)
        (tree / "tiny.c").write_text("int tiny;\n")
        compile_one = ["-c", "tiny.c", "-o", "tiny.obj"]
        env = scene.env(LLAMACC_VERBOSE=1)

        def timed(argv):
            start_s = time.monotonic()
            result = scene.run(argv, cwd=tree, env=env).expect_status(0)
            return time.monotonic() - start_s, result.err.decode()

        timed([scene.bin / "llamacc", "gcc", *compile_one])  # the note may be old by now
        local = min(timed(["gcc", *compile_one])[0] for _ in range(5))
        left = [timed([scene.bin / "llamacc", "gcc", *compile_one]) for _ in range(5)]
        print(f"stopped: the build's rest took {took:.1f} s; a compile {min(left)[0] * 1000:.0f} ms, "
              f"gcc alone {local * 1000:.0f} ms")
        expect(all("runs locally" in said for _, said in left), left)
        # One of them may be the one that tries again, for a second.
        expect(sorted(left)[3][0] < local + 0.5, f"{left}, gcc alone {local}")
        # Once for those in flight, which another's note cuts short; not once for each.
        expect(took < 45, f"the build took {took} s behind a daemon that hangs")
    finally:
        kill(daemon, signal.SIGCONT)
    wait_until(lambda: "ran remotely" in timed([scene.bin / "llamacc", "gcc", *compile_one])[1], 20,
               "the daemon to be used again")
    expect(scene.daemons() == [daemon], "another daemon was started")


def herd(scene, tree, plain):
    """There is no daemon and can be none: all that had counted on it do not compile here at once."""
    alone = scene.dir / "alone"
    alone.mkdir()
    shutil.copy2(scene.bin / "llamacc", alone)
    log, compiler = scene.dir / "running", scene.dir / "slow-cc"
    compiler.write_text(f"#!/bin/sh\necho + >> {log}\nsleep 0.1\necho - >> {log}\n")
    compiler.chmod(0o755)
    wrappers = [scene.start([alone / "llamacc", compiler, "-c", "a.c"], cwd=tree) for _ in range(40)]
    for wrapper in wrappers:
        harness.finish(wrapper).expect_status(0)
    running = most = 0
    marks = log.read_text().split()
    for mark in marks:
        running += 1 if mark == "+" else -1
        most = max(most, running)
    expect(marks.count("+") == 40 and running == 0, f"{marks.count('+')} compiles")
    print(f"40 compiles without a daemon: {most} at once on {os.cpu_count()} cores")
    expect(most <= os.cpu_count(), f"{most} at once")


KILLS = {"hung": hung, "herd": herd, "daemon": kill_daemon, "workers": kill_workers, "wrappers": kill_wrappers,
         "interrupt": interrupt}


def scenario(scene):
    KILLS[sys.argv[1]](scene, *plain_build(scene))


harness.run(scenario)
