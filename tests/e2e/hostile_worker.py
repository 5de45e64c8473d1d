"""Nothing of this machine leaves it because a worker names it, and nothing on it is overwritten.

    hostile_worker.py [--cloud]

The worker (tests/runtime/hostile_worker.cc) claims that the compile looked up files that are none
of its own, one after the other and all at once, and tells every file that it is sent. It returns files
that no option asked for, answers that are small on their way alone, and text that a terminal would obey.
"""
import argparse
import os
import pathlib
import re
import shutil
import time

import emulated
import harness
from harness import expect

SECONDS, KILOBYTES = 3, 300 << 10  # of the daemon, for one compile's lies


def make_targets(scene, folder):
    """Forty names of what is none of the compile's, whatever it may be."""
    home, other = scene.dir / "home", scene.dir / "other"
    secrets = [home / ".ssh/id_rsa", home / ".aws/credentials", home / ".netrc", home / ".bash_history",
               home / "letter.txt", other / "a.h", other / "b.c", folder / ".git/config", folder / ".env"]
    for secret in secrets:
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text("secret\n")
    for sparse in (other / "sparse.h", folder / "sparse.h"):
        with open(sparse, "wb") as file:
            file.truncate(1 << 40)
    os.mkfifo(folder / "fifo.h")
    os.mkfifo(other / "fifo.h")
    (folder / "letter.h").symlink_to(home / "letter.txt")
    (folder / "shadow.h").symlink_to("/etc/shadow")
    (folder / "loop.h").symlink_to("loop.h")
    targets = [str(path) for path in secrets]
    targets += [str(other / "sparse.h"), str(folder / "sparse.h"), str(folder / "fifo.h"), str(other / "fifo.h"),
                str(folder / "letter.h"), str(folder / "shadow.h"), str(folder / "loop.h"),
                f"{folder}/../home/letter.txt", f"{folder}/./../other/b.c", str(scene.llama_dir / "daemon.log"),
                "/etc/shadow", "/etc/passwd", "/etc/gshadow", "/etc/hostname", "/root/.bashrc", "/proc/kcore",
                "/proc/self/environ", "/proc/self/mem", "/proc/1/environ", "/proc/self/maps", "/dev/zero",
                "/dev/mem", "/dev/stdin", "/sys/kernel/notes", "/run/utmp", "/var/log/dpkg.log",
                "/var/lib/dpkg/status", "/boot/vmlinuz",
                "/etc/sudoers", "/etc/ssl/private/key.pem", "/home/someone/letter.h", "/srv/data"]
    return targets


def peak_kb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


class Lies:
    """Compiles in `folder` with a worker that lies."""

    def __init__(self, scene, folder, is_cloud):
        self.scene, self.folder, self.is_cloud = scene, folder, is_cloud

    def compile(self, lines):
        text = "\n".join(["// hostile", *(f"// {line}" for line in lines), '#include "a.h"', "int b = A;", ""])
        (self.folder / "a.c").write_text(text)
        begin = time.monotonic()
        done = self.scene.run([self.scene.bin / "llamacc", "gcc", "-c", "a.c", "-o", "a.o"], cwd=self.folder,
                              env=self.scene.env(LLAMACC_VERBOSE="1"), timeout=60).expect_status(0)
        self.said = done.err
        return time.monotonic() - begin

    def received(self):
        """The paths of all files that its worker was sent so far."""
        if self.is_cloud:
            text = self.scene.llama("function", "logs").expect_status(0).out.decode()
        else:
            text = "".join(log.read_text() for log in (self.scene.llama_dir / "pool").glob("*/*.log"))
        return set(re.findall(r"received (/.*)", text))

    def check(self, name, targets):
        """Of what came, all is the toolchain's or stands in the command line's reach."""
        received = self.received()
        expect(str(self.folder / "a.c") in received, f"{name}: the worker was not asked")
        stolen = received & {os.path.normpath(target) for target in targets}
        own = {str(self.folder / own) for own in ("a.c", "a.h")} | {str(self.folder)}
        below = {path for path in received if path.startswith(str(self.scene.dir) + "/")}
        expect(not stolen and below <= own, f"{name}: sent {sorted(stolen | (below - own))[:5]}")


def check_side_files(lies):
    """A user's own files beside the object, by names that compilers write to when they are asked to."""
    names = ["a.s", "a.i", "a.ii", "a.json", "a.d", "a.dwo", "a.gcno", "a.su", "a.bc", "a.c.006t.gimple", "a.h"]
    before = {name: (lies.folder / name).read_text() if name == "a.h" else f"mine: {name}" for name in names}
    for name, text in before.items():
        (lies.folder / name).write_text(text)
        lies.compile([f"write {name}"])
    for name, text in before.items():
        expect((lies.folder / name).read_text() == text, f"{name} was overwritten")


def check_text(lies):
    """What a worker says reaches no terminal as it is."""
    lies.compile(["escape TOLD"])
    log = (lies.scene.llama_dir / "daemon.log").read_bytes()
    expect(b"TOLD" in lies.said, f"the reason was not told: {lies.said}")
    expect(b"\x1b" not in lies.said, f"the wrapper passed an escape sequence on: {lies.said}")
    expect(b"\x1b" not in log, "the log has an escape sequence")


def scenario(scene):
    parser = argparse.ArgumentParser()
    parser.add_argument("--cloud", action="store_true")
    worker = scene.build_dir / "bin" / "hostile_worker"
    folder = scene.dir / "unit"
    folder.mkdir()
    (folder / "a.h").write_text("#define A 1\n")
    targets = make_targets(scene, folder)
    expect(len(targets) >= 40, f"only {len(targets)}")
    is_cloud = parser.parse_args().cloud
    if is_cloud:
        emulated.Cloud(scene, "--profile", "aws")
        scene.llama("bootstrap", "--yes", "--zip", worker, timeout=120).expect_status(0)
    else:
        scene.extra_env["LLAMA_WORKER_LAUNCHER"] = worker
        scene.extra_env["LLAMA_WORKERS"] = "1"
    lies = Lies(scene, folder, is_cloud)
    lies.compile([])  # brings the compiler there
    pid = scene.daemons()[0]
    before_kb = peak_kb(pid)
    for target in targets:
        for verb in ("found", "absent"):
            lies.compile([f"{verb} {target}"])
        lies.check(target, targets)
    seconds = lies.compile([f"{verb} {target}" for target in targets for verb in ("found", "absent")])
    expect(seconds < SECONDS, f"all at once: {seconds:.1f} s")
    for where in (scene.dir / "other", folder, "/proc/self/fd", "/usr/include"):
        seconds = lies.compile([f"forge 10000 {where}"])
        expect(seconds < SECONDS, f"ten thousand in {where}: {seconds:.1f} s")
    check_side_files(lies)
    check_text(lies)
    # The worker's own packing of them takes most of the time; what they cost here is memory.
    for megabytes in (30, 100):
        lies.compile([f"zeros {megabytes}"])
    # Nor does what was named then go along with a later job.
    lies.compile([])
    lies.check("in the end", targets)
    grown_kb = peak_kb(pid) - before_kb
    expect(grown_kb < KILOBYTES, f"the daemon grew by {grown_kb} KB")
    expect(scene.daemons() == [pid], "the daemon did not live through it")
    print(f"{len(targets)} files by two claims each, ten thousand at once: nothing left; "
          f"{seconds:.2f} s, {grown_kb / 1024:.0f} MB")
    shutil.rmtree(folder)


if __name__ == "__main__":
    harness.run(scenario)
