"""Pristine sources of the projects that are built: Debian source packages, tarballs, folders."""
import glob
import pathlib
import shutil
import subprocess

import harness
from harness import Skip

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = CHECKOUT / "build" / "sources"


def fetch(source, needs=()):
    """The folder of the pristine sources: of a source package, or of a glob of a folder or tarball."""
    for program in needs:
        harness.require_program(program)
    if not source.startswith("/"):
        return fetch_package(source)
    found = sorted(glob.glob(source))
    if not found:
        raise Skip(f"no {source} here")
    path = pathlib.Path(found[-1])
    return path if path.is_dir() else unpack(path)


def fetch_package(name):
    harness.require_program("dpkg-source")
    tool = CHECKOUT / "tools" / "debian_source.sh"
    result = subprocess.run([tool, SOURCES, name], capture_output=True, check=False)
    if result.returncode != 0:
        raise Skip(f"can't fetch the source package {name}: {result.stderr.decode()}")
    return SOURCES / name


def unpack(tarball):
    SOURCES.mkdir(parents=True, exist_ok=True)
    target = SOURCES / tarball.name.split(".tar")[0]
    if not target.exists():
        scratch = SOURCES / f".unpack-{tarball.name}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        subprocess.run(["tar", "-xf", tarball, "-C", scratch, "--strip-components=1"], check=True)
        scratch.rename(target)
    return target


def copy(pristine, tree):
    # Hard links where there are many files: what a build writes anew has another inode then.
    linked = ["-l"] if pristine.name.startswith("linux") else []
    subprocess.run(["cp", "-a", *linked, pristine, tree], check=True)
