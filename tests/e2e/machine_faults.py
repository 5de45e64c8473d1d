"""What goes wrong on the machine rather than in the code: every effect is the local compiler's.

    machine_faults.py FAULT     one of the functions below that begin with fault_
"""
import os
import re
import signal
import subprocess
import sys

import harness
import synthetic
import trace_check
from harness import Skip, expect, wait_until

SCRATCH = re.compile(rb"/cc[A-Za-z0-9]{6}\b")
NOBODY = 65534


def wrapped(scene, *words):
    return [scene.bin / "llamacc", "gcc", *words]


def effects(done, *outputs):
    """What a compile leaves: status, what it printed, and the outputs that are there."""
    return (done.status, SCRATCH.sub(b"/ccXXXXXX", done.out), SCRATCH.sub(b"/ccXXXXXX", done.err),
            [path.read_bytes() if path.exists() else None for path in outputs])


def expect_same_effects(scene, folder, words, outputs=(), **kwargs):
    """Runs the command with gcc, then through llama, both from the same state of the folder."""
    paths = [folder / o for o in outputs]
    plain = effects(scene.run(["gcc", *words], cwd=folder, **kwargs), *paths)
    for path in paths:
        path.unlink(missing_ok=True)
    ours = effects(scene.run(wrapped(scene, *words), cwd=folder, **kwargs), *paths)
    expect(plain == ours, f"{words}: expected {plain}, not {ours}")
    return plain


def fresh(scene, name, **files):
    folder = scene.dir / name
    folder.mkdir()
    for file, text in files.items():
        (folder / f"{file[:-2]}.{file[-1]}").write_text(text)
    if scene.user is not None:
        os.chown(folder, scene.user, scene.user)
        for file in folder.iterdir():
            os.chown(file, scene.user, scene.user)
    return folder


def slow_source(functions=1500):
    return synthetic.source(1, functions).replace('#include "shared.h"\n', "#define SHARED 1\n")


def compilers_proper(scene):
    """The running cc1 processes of the scene's jobs, remote and local."""
    return [pid for pid, line in scene.processes().items() if "/cc1 " in line]


def remote_compilers(scene):
    """Those that run in a worker's mirror, where the compiler's programs are copies."""
    mirrors = str(scene.llama_dir)
    return [pid for pid in compilers_proper(scene) if harness.executable(pid).startswith(mirrors)]


def fault_full_disk(scene):
    harness.require_root("to mount a small file system")
    folder = fresh(scene, "full", big_c="char big[300000] = {1};\n")
    small = folder / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=False,
                             capture_output=True)
    if mounted.returncode != 0:
        raise Skip(f"mount fails here: {mounted.stderr.decode().strip()}")
    try:
        status, _, err, _ = expect_same_effects(scene, folder, ["-c", "big.c", "-o", "small/big.o"],
                                                ["small/big.o"])
        expect(status == 1 and b"No space" in err, f"the disk did not fill: {err}")
        expect(not os.listdir(small), f"left behind: {os.listdir(small)}")
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def fault_unreadable_header(scene):
    if os.geteuid() == 0:
        reachable = subprocess.run(["test", "-x", scene.bin / "llamacc", "-a", "-w", scene.tmp],
                                   user=NOBODY, group=NOBODY, extra_groups=[], check=False)
        if reachable.returncode != 0:
            os.chmod(scene.dir, 0o777)
            for folder in (scene.tmp, scene.dir / "home"):
                os.chown(folder, NOBODY, NOBODY)
            if subprocess.run(["test", "-x", scene.bin / "llamacc"], user=NOBODY, group=NOBODY,
                              extra_groups=[], check=False).returncode != 0:
                raise Skip("the build folder is closed to an ordinary user")
        scene.user = NOBODY
    # A state folder that this user may write.
    scene.extra_env["LLAMA_DIR"] = str(scene.dir / "home" / "state")
    try:
        folder = fresh(scene, "unreadable", a_c='#include "b.h"\nint v = B;\n', b_h="#define B 1\n")
        os.chmod(folder / "b.h", 0)
        status, _, err, _ = expect_same_effects(scene, folder, ["-c", "a.c"], ["a.o"])
        expect(status == 1 and b"Permission denied" in err, f"gcc could read it: {err}")
        # A folder on the search path that can't be entered: gcc passes over it.
        (folder / "closed").mkdir(mode=0)
        (folder / "i").mkdir()
        (folder / "i" / "c.h").write_text("#define B 2\n")
        (folder / "a.c").write_text("#include <c.h>\nint v = B;\n")
        expect_same_effects(scene, folder, ["-Iclosed", "-Ii", "-c", "a.c"], ["a.o"])
        scene.llama("daemon", "stop").expect_status(0)
    finally:
        scene.user = None
        del scene.extra_env["LLAMA_DIR"]


def launch_after(scene, command):
    """From the next daemon on, workers start after `command` ran: between scan and compile."""
    scene.llama("daemon", "stop")
    launcher = scene.dir / "launch"
    launcher.write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin\n{command}\nexec "$@"\n')
    launcher.chmod(0o755)
    return scene.env(LLAMA_WORKER_LAUNCHER=launcher)


def fault_vanishing_source(scene):
    """The source is gone when the worker starts: either it was read before, or it is missing."""
    folder = fresh(scene, "vanishing", a_c="int v = 1;\n")
    scene.run(["gcc", "-c", "a.c", "-o", "plain.o"], cwd=folder).expect_status(0)
    source = (folder / "a.c").read_text()
    env = launch_after(scene, f"rm -f '{folder}/a.c'")
    done = scene.run(wrapped(scene, "-c", "a.c"), cwd=folder, env=env)
    if done.status == 0:
        expect((folder / "a.o").read_bytes() == (folder / "plain.o").read_bytes(), "a wrong object")
        expect(done.err == b"", f"printed {done.err}")
    else:
        plain = scene.run(["gcc", "-c", "a.c"], cwd=folder)
        expect(effects(done) == effects(plain), f"{effects(done)}, not {effects(plain)}")
        expect(not (folder / "a.o").exists(), "an object without a source")
    (folder / "a.c").write_text(source)
    scene.llama("daemon", "stop")


def fault_header_rewritten_meanwhile(scene):
    """A header changes between scan and compile: the object is of the one or of the other."""
    folder = fresh(scene, "rewritten", a_c='#include "b.h"\nint v = B;\n', b_h="#define B 1\n")
    valid = []
    for value in (2, 1):
        (folder / "b.h").write_text(f"#define B {value}\n")
        scene.run(["gcc", "-c", "a.c", "-o", "plain.o"], cwd=folder).expect_status(0)
        valid.append((folder / "plain.o").read_bytes())
    env = launch_after(scene, f"echo '#define B 2' > '{folder}/b.h'")
    done = scene.run(wrapped(scene, "-c", "a.c"), cwd=folder, env=env).expect_status(0)
    expect(done.err == b"", f"printed {done.err}")
    expect((folder / "a.o").read_bytes() in valid, "an object of neither header")
    # From now on it is the new one.
    scene.run(wrapped(scene, "-c", "a.c"), cwd=folder, env=env).expect_status(0)
    expect((folder / "a.o").read_bytes() == valid[0], "an object of the old header")
    scene.llama("daemon", "stop")


def fault_compiler_crashes(scene):
    deep = "int x = " + "(" * 400_000 + "1" + ")" * 400_000 + ";\n"
    folder = fresh(scene, "crash", a_c=deep)
    status, _, err, _ = expect_same_effects(scene, folder, ["-c", "a.c"], ["a.o"])
    expect(status != 0 and b"internal compiler error" in err, f"gcc did not crash: {err[:200]}")


def fault_compiler_killed_once(scene):
    """As the out-of-memory killer does to a worker: the local machine has the last word."""
    folder = fresh(scene, "killed_once", a_c=slow_source())
    scene.run(["gcc", "-O2", "-c", "a.c", "-o", "plain.o"], cwd=folder).expect_status(0)
    process = scene.start(wrapped(scene, "-O2", "-c", "a.c"), cwd=folder)
    os.kill(wait_until(lambda: remote_compilers(scene), 60, "a remote cc1")[0], signal.SIGKILL)
    done = harness.finish(process).expect_status(0)
    expect(done.out + done.err == b"", f"printed {done.out + done.err}")
    expect((folder / "a.o").read_bytes() == (folder / "plain.o").read_bytes(), "another object")


def kill_all_compilers(scene, process):
    while process.poll() is None:
        for pid in compilers_proper(scene):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    return harness.finish(process)


def fault_compiler_killed_always(scene):
    folder = fresh(scene, "killed_always", a_c=slow_source())
    words = ["-O2", "-c", "a.c"]
    plain = effects(kill_all_compilers(scene, scene.start(["gcc", *words], cwd=folder)), folder / "a.o")
    ours = effects(kill_all_compilers(scene, scene.start(wrapped(scene, *words), cwd=folder)),
                   folder / "a.o")
    expect(b"Killed" in plain[2], f"gcc was not killed: {plain}")
    expect(plain == ours, f"expected {plain}, not {ours}")


def fault_wrapper_terminated(scene):
    """The job ends with its wrapper, which dies of the signal as gcc does."""
    folder = fresh(scene, "terminated", a_c=slow_source(6000))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
        process = scene.start(wrapped(scene, "-O2", "-c", "a.c"), cwd=folder)
        wait_until(lambda: remote_compilers(scene), 60, "a remote cc1")
        os.kill(process.pid, number)
        harness.finish(process, 30).expect_status(-number)
        wait_until(lambda: not compilers_proper(scene), 30, "the cc1's end")
        expect(sorted(os.listdir(folder)) == ["a.c"], f"left behind: {os.listdir(folder)}")


def fault_compiler_dies_of_signal(scene):
    folder = fresh(scene, "signal", a_c="int v;\n")
    fake = folder / "gcc"
    fake.write_text("#!/bin/sh\nkill -SEGV $$\n")
    fake.chmod(0o755)
    for words in (["-c", "a.c"], ["a.c"]):
        scene.run([scene.bin / "llamacc", fake, *words], cwd=folder).expect_status(-signal.SIGSEGV)


def fault_no_daemon_possible(scene):
    """A state folder that can't be: the real compiler runs, and nothing is said."""
    folder = fresh(scene, "no_daemon", a_c="#include <stdio.h>\nint v;\n")
    env = scene.env(LLAMA_DIR=folder / "a.c" / "state")
    expect_same_effects(scene, folder, ["-c", "a.c"], ["a.o"], env=env)


def fault_told_to_stay_local(scene):
    folder = fresh(scene, "local", a_c="#include <stdio.h>\nint v;\n")
    state = folder / "state"
    expect_same_effects(scene, folder, ["-c", "a.c"], ["a.o"],
                        env=scene.env(LLAMA_DIR=state, LLAMACC_LOCAL=1))
    expect(not state.exists(), "LLAMACC_LOCAL=1 made a state folder")


def fault_no_such_compiler(scene):
    folder = fresh(scene, "no_compiler", a_c="int v;\n")
    scene.run(wrapped(scene, "-c", "a.c"), cwd=folder, env=scene.env(PATH="/nowhere")).expect_status(127)


def fault_lost_objects(scene):
    """The store lost everything between two daemons: that is found out, and the jobs are remote."""
    folder = scene.dir / "lost"
    synthetic.write(folder, count=6)
    scene.llama_build("before the loss", ["make", "-j2"], cwd=folder).expect_status(0)
    scene.llama("daemon", "stop").expect_status(0)
    objects = [p for p in (scene.llama_dir / "store").rglob("*") if p.is_file()]
    expect(objects, "no objects in the folder store")
    for path in objects:
        path.unlink()
    for path in folder.glob("*.o"):
        path.unlink()
    scene.llama_build("after the loss", ["make", "-j2"], cwd=folder).expect_status(0)
    spans = scene.spans("after the loss")
    ran = [c.describe() for c in trace_check.compiles(spans)]
    expect(ran == ["remote"] * 6, f"not all remote: {ran}")
    faults = trace_check.check_build(spans)
    expect(not faults, "\n".join(faults))


def fault_restart_keeps_the_store(scene):
    """A new daemon knows what the store has: nothing but the changed header is uploaded again."""
    folder = scene.dir / "restart"
    synthetic.write(folder, count=6)
    scene.llama_build("before restart", ["make", "-j2"], cwd=folder).expect_status(0)
    scene.llama("daemon", "stop").expect_status(0)
    for path in folder.glob("*.o"):
        path.unlink()
    scene.llama_build("after restart", ["make", "-j2"], cwd=folder).expect_status(0)
    uploads = sum(span["fields"].get("uploaded_bytes", 0) for span in scene.spans("after restart"))
    expect(uploads == 0, f"{uploads} bytes were uploaded again")


def scenario(scene):
    globals()["fault_" + sys.argv[1]](scene)


harness.run(scenario)
