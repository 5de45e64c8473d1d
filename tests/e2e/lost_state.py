"""Parts of the state folder are lost under a running daemon: people remove it to begin anew.

    lost_state.py remove|truncate|garble|replace|close|rename [PART…]
                             to each of these parts (or of all), before and in mid-build
    lost_state.py reset      by hand, while everything is watched

Whatever is done, a build's objects are the local compiler's, and the build after it is remote again.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import time

import harness
import synthetic
import trees
from harness import Skip, expect, wait_until

NOBODY = 65534
COUNT = 6
MAKE = ["make", "-j3"]
# A part is a file or a folder with all that is in it; "." is the state folder itself.
PARTS = (".", "run", "run/daemon.sock", "run/daemon.lock", "run/start.lock", "pool", "store",
         "store/layers", "store/~", "cache", "cache/digests", "cache/layers", "cache/directives",
         "builds", "masquerade", "daemon.log")
# What workers compile from is theirs: it is looked at before a worker begins anew, not while it works.
NOT_MEANWHILE = {("truncate", "pool"), ("garble", "pool"), ("truncate", "."), ("garble", ".")}


def files_of(path):
    found = [path] if path.is_file() and not path.is_symlink() else []
    for folder, _, names in os.walk(path):
        found += [pathlib.Path(folder, name) for name in names]
    return [p for p in found if p.is_file() and not p.is_symlink()]


def overwrite(path, change):
    try:
        data = path.read_bytes()
        mode = path.stat().st_mode
        path.chmod(mode | 0o600)
        with open(path, "r+b") as file:
            change(file, data)
        path.chmod(mode)
    except FileNotFoundError:
        pass  # a worker or the daemon was quicker


def halve(file, data):
    file.truncate(len(data) // 2)


def flip(file, data):
    # Every 50th byte: heads, lengths and contents alike.
    changed = bytearray(data)
    for at in range(7, len(changed), 50):
        changed[at] ^= 0x55
    file.write(changed)


def remove(path):
    if path.is_dir() and not path.is_symlink():
        # Somebody may be writing there.
        for _ in range(100):
            shutil.rmtree(path, ignore_errors=True)
            if not path.exists():
                return
    elif os.path.lexists(path):
        path.unlink()


def do_remove(path):
    remove(path)


def do_truncate(path):
    for file in files_of(path):
        overwrite(file, halve)


def do_garble(path):
    for file in files_of(path):
        overwrite(file, flip)


def do_replace(path):
    remove(path)
    path.write_text("this is no part of llama's state\n")


def do_close(path):
    if os.path.lexists(path):
        path.chmod(0)


def do_rename(path):
    gone = path.parent / (path.name + ".gone")
    remove(gone)
    if os.path.lexists(path):
        path.rename(gone)


ACTIONS = {name[3:]: function for name, function in globals().items() if name.startswith("do_")}


class Project:
    """A tree, and the objects that plain make makes of it."""

    def __init__(self, scene, folder):
        self.scene, self.tree, self.plain = scene, folder / "tree", folder / "plain"
        synthetic.write(self.tree, count=COUNT, functions=40)
        if scene.user is not None:
            shutil.chown(self.tree, NOBODY, NOBODY)
        scene.run(MAKE, cwd=self.tree).expect_status(0)
        shutil.copytree(self.tree, self.plain)
        self.number = 0

    def clear(self):
        for path in [*self.tree.glob("*.o"), *self.tree.glob("*.d")]:
            path.unlink()

    def change(self):
        """Something that the store does not have yet, and too much to travel with a job."""
        self.number += 1
        self.clear()
        unused = "".join(f"#define UNUSED_{n}_{self.number} {n}\n" for n in range(3000))
        for tree in (self.tree, self.plain):
            (tree / "shared.h").write_text("#define SHARED 1\n" + unused)

    def check(self, done, what):
        expect(done.status == 0, f"{what}: status {done.status}\n"
                                 + (done.out + done.err)[-2000:].decode(errors="replace"))
        faults = trees.compare(self.plain, self.tree)
        expect(not faults, f"{what}: " + "\n".join(faults))

    def build(self, what):
        """From nothing; says how the compiles ran."""
        self.change()
        env = self.scene.env(LLAMACC_VERBOSE=1)
        done = self.scene.llama_build(f"build {self.number}", MAKE, cwd=self.tree, env=env)
        self.check(done, what)
        return [line.removeprefix("llamacc: gcc: ")
                for line in done.err.decode(errors="replace").splitlines()
                if line.startswith("llamacc: gcc: ran ")]

    def build_with(self, damage, what):
        """The damage is done once two objects are there."""
        self.change()
        process = self.scene.start_build(f"build {self.number}", MAKE, cwd=self.tree)
        wait_until(lambda: process.poll() is not None or len(list(self.tree.glob("*.o"))) >= 2, 120,
                   "objects")
        damage()
        self.check(harness.finish(process), what)

    def expect_remote(self, what):
        ran = self.build(what)
        expect(ran == ["ran remotely"] * COUNT, f"after {what}: {ran}")


def become_nobody(scene):
    """To root nothing is closed."""
    if os.geteuid() != 0:
        return
    os.chmod(scene.dir, 0o777)
    for folder in (scene.tmp, scene.dir / "home"):
        os.chown(folder, NOBODY, NOBODY)
    if subprocess.run(["test", "-x", scene.bin / "llamacc"], user=NOBODY, group=NOBODY,
                      extra_groups=[], check=False).returncode != 0:
        raise Skip("the build folder is closed to an ordinary user")
    scene.user = NOBODY
    scene.llama_dir = scene.dir / "home" / "state"


def one_daemon(scene, what):
    """Who has lost its socket ends when its jobs have."""
    wait_until(lambda: len(scene.daemons()) <= 1, 20, f"the old daemon's end, after {what}")


def each_part(scene, action, parts):
    if action == "close":
        become_nobody(scene)
    project = Project(scene, scene.dir)
    project.expect_remote("nothing")
    for part in parts:
        path = scene.llama_dir / part if part != "." else scene.llama_dir
        what = f"{action} of {part}"
        if action == "replace" and part == ".":
            continue  # where the folder itself is a file, there is nothing that llama may remove
        if not path.parent.is_dir():
            # Kept in memory meanwhile; the next daemon makes the folder anew.
            scene.llama("daemon", "stop")
            project.expect_remote(f"a new daemon after {action}")
            expect(path.parent.is_dir(), f"{path.parent} is not made anew")
        ACTIONS[action](path)
        if action in ("truncate", "garble") and part in ("pool", "."):
            time.sleep(2.5)  # as long as a worker must be idle to look again
        project.build(f"{what} before the build")
        one_daemon(scene, what)
        project.expect_remote(f"{what} before a build")
        if (action, part) in NOT_MEANWHILE:
            continue
        project.build_with(lambda: ACTIONS[action](path), f"{what} in mid-build")
        one_daemon(scene, what)
        if action == "close" and path.exists():
            path.chmod(0o700 if path.is_dir() else 0o600)
        project.expect_remote(f"{what} in mid-build")
    for gone in list(scene.dir.rglob("*.gone")):
        remove(gone)


def reset(scene):
    """The state folder goes in mid-build: the next compile has a new daemon within a second or so."""
    project = Project(scene, scene.dir)
    project.expect_remote("nothing")
    old, = scene.daemons()
    slow = scene.dir / "slow"
    slow.mkdir()
    (slow / "shared.h").write_text("#define SHARED 1\n")
    (slow / "slow.c").write_text(synthetic.source(1, 3000))
    (slow / "tiny.c").write_text("int tiny;\n")
    wrapped = [scene.bin / "llamacc", "gcc", "-O2", "-c"]
    busy = scene.start([*wrapped, "slow.c"], cwd=slow)
    wait_until(lambda: any("cc1" in line for line in scene.processes().values()), 60, "a remote cc1")
    (scene.llama_dir / "run" / "daemon.sock").unlink()
    begin = time.monotonic()
    env = scene.env(LLAMACC_VERBOSE=1)
    done = scene.run([*wrapped, "tiny.c"], cwd=slow, env=env).expect_status(0)
    took = time.monotonic() - begin
    expect(b"ran remotely" in done.err, f"{done.err} after {took:.1f} s")
    expect(busy.poll() is None, "the slow compile ended too soon to show anything")
    expect(len(scene.daemons()) == 2, f"daemons: {scene.daemons()}")
    pools = os.listdir(scene.llama_dir / "pool")
    expect(len(pools) == 2, f"each daemon has a pool of its own: {pools}")
    harness.finish(busy).expect_status(0)
    wait_until(lambda: old not in scene.daemons(), 20, "the old daemon's end")
    # It took its own along, and nothing of the other's.
    wait_until(lambda: len(os.listdir(scene.llama_dir / "pool")) == 1, 20, "the old pool's end")
    done = scene.run([*wrapped, "tiny.c"], cwd=slow, env=env).expect_status(0)
    expect(b"ran remotely" in done.err, done.err)
    print(f"a compile {took:.2f} s after the socket was gone")

    # A daemon that is killed leaves its pool; the next one sweeps it.
    killed, = scene.daemons()
    os.kill(killed, 9)
    wait_until(lambda: not scene.workers(), 20, "the workers' end")
    (scene.llama_dir / "pool" / "left").mkdir()
    project.expect_remote("a killed daemon")
    pools = os.listdir(scene.llama_dir / "pool")
    expect(len(pools) == 1, f"left behind: {pools}")


def scenario(scene):
    if sys.argv[1] == "reset":
        reset(scene)
    else:
        each_part(scene, sys.argv[1], sys.argv[2:] or PARTS)


harness.run(scenario)
