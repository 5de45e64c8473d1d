"""Workers in roots of their own that hold nothing: no compiler, no header, no library."""
import os
import stat

import harness
from harness import expect

# The pool runs this before the worker's command line; each worker gets a new root. Every path in it
# is absolute, since the pool gives its workers no PATH.
LAUNCHER = """#!/bin/sh
root=$(/usr/bin/mktemp -d {roots}/XXXXXX) || exit 1
/bin/cp "$1" "$root/worker"
/bin/mkdir -m 1777 "$root/tmp"
/bin/mkdir "$root/dev"
/bin/mknod -m 666 "$root/dev/null" c 1 3
/bin/chmod 755 "$root" "$root/dev" "$root/worker"
shift
{before}LLAMA_WORKER_DIR=/tmp/worker exec {inside}{chroot} --userspec=65534:65534 --groups= "$root" /worker "$@"
"""
# As on Lambda; seen by nobody but the worker.
MOUNT_PROC = """/bin/mkdir "$root/proc"
export root
"""
WITH_PROC = """/usr/bin/unshare --mount /bin/sh -c '/bin/mount -t proc proc "$root/proc" && exec "$@"' sh """


def use(scene, proc=False):
    """From now on the scene's daemon starts its workers as nobody in bare roots, which have /proc if asked for."""
    harness.require_root("for chroot and mknod")
    chroot = harness.require_program("chroot")
    roots = scene.dir / "roots"
    roots.mkdir()
    os.chmod(roots, 0o755)
    launcher = scene.dir / "launch"
    launcher.write_text(LAUNCHER.format(roots=roots, chroot=chroot, before=MOUNT_PROC if proc else "",
                                        inside=WITH_PROC if proc else ""))
    launcher.chmod(0o755)
    scene.extra_env["LLAMA_WORKER_LAUNCHER"] = str(launcher)


def check(scene):
    """After the work: it was done there."""
    roots = list((scene.dir / "roots").iterdir())
    expect(roots, "no worker was started in a bare root")
    for root in roots:
        expect(sorted(set(os.listdir(root)) - {"proc"}) == ["dev", "tmp", "worker"], f"{root}: {os.listdir(root)}")
        expect(stat.S_ISCHR(os.stat(root / "dev/null").st_mode), f"{root} has no /dev/null")
