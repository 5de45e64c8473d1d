"""Changes that are hard to see, each between two compiles that are otherwise the same: what the
wrapper makes is what the local compiler makes at that moment.

    changing_cases.py COMPILER [--cloud] [--on overlay|tmpfs|mount] [--case NAME]

--on: the project is on such a file system, mounted for this scenario alone. `mount` is a tmpfs that
folders are mounted over while the daemon runs.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import emulated
import harness
import hidden_changes
from harness import Failure, expect

NOBODY = 65534
# What an assembler calls the file that it is given.
TEMPORARY = re.compile(rb"\bcc\w{6}\.s\b|\ba-\w{6,8}\.s\b")


class Driver:
    """Runs within a build."""

    def __init__(self, options):
        self.wrapper = pathlib.Path(options.bin) / "llamacc"
        self.folder = pathlib.Path(options.folder)
        self.compiler = options.compiler
        self.cases = [hidden_changes.mounted] if options.on == "mount" else hidden_changes.CASES
        if options.case:
            self.cases = [case for case in hidden_changes.CASES if case.__name__ == options.case]
        self.compiles = 0

    def run(self):
        faults = []
        real = local_compiler(self.compiler)
        os.environ.update(CC=real, LANGUAGE="c++" if "++" in self.compiler else "c")
        for case in self.cases:
            faults += self.run_case(case, hidden_changes.Place(self.folder / case.__name__), real)
        print(json.dumps({"compiles": self.compiles}))
        if faults:
            sys.exit("\n".join(faults))

    def run_case(self, case, place, real):
        faults, cwd, argv = [], place.root, None
        for number, command in enumerate(case(place)):
            if number == 0:
                words, *folders = (command,) if isinstance(command, str) else command
                argv = [real, "-w", *words.split()]
                cwd = place.path(folders[0]) if folders else place.root
                subprocess.run([self.wrapper, *argv, "-o", "warm.o"], cwd=cwd, check=False, capture_output=True)
            # Twice: the second time it is known what is looked up.
            for again in range(2):
                wrong = self.compare(argv, cwd)
                if wrong:
                    faults.append(f"{case.__name__}, {self.compiler}, state {number}, compile {again}: {wrong}")
        return faults

    def compare(self, argv, cwd):
        self.compiles += 1
        names = ("a.o", "a.d")
        before = read(cwd, names)
        made = run(argv, cwd, names, [self.wrapper])
        for name, text in before.items():
            if text is None:
                (cwd / name).unlink(missing_ok=True)
            elif text != made[3][name]:
                (cwd / name).write_bytes(text)
        local = run(argv, cwd, names, [])
        for what, mine, theirs in zip(("status", "out", "err", "files"), made, local):
            if mine != theirs:
                return f"{what}: {mine!r}"[:1500] + "\nbut locally " + f"{theirs!r}"[:1500]
        return ""


def local_compiler(name):
    """Not the wrapper, which a build has before it in PATH."""
    return shutil.which(name, path="/usr/bin:/bin")


def read(cwd, names):
    return {name: (cwd / name).read_bytes() if (cwd / name).is_file() else None for name in names}


def run(argv, cwd, names, before):
    done = subprocess.run([*before, *argv], cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
                          check=False)
    return done.returncode, done.stdout, TEMPORARY.sub(b"temporary.s", done.stderr), read(cwd, names)


def mounting(kind, folder):
    """The words that stand before a command so that `folder` is on that file system."""
    if kind is None:
        return []
    harness.require_root("to mount")
    script = f"mount -t tmpfs none {folder}"
    if kind == "overlay":
        script += f"; cd {folder}; mkdir lower upper work m; mount -t overlay none -o lowerdir=lower,upperdir=upper," \
                  f"workdir=work m"
    words = ["unshare", "-m", "sh", "-ec", script + '; cd /; exec "$@"', "sh"]
    if subprocess.run([*words, "true"], check=False, capture_output=True).returncode != 0:
        raise harness.Skip(f"can't mount {kind} here")
    return words


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("compiler")
    parser.add_argument("--cloud", action="store_true")
    parser.add_argument("--case")
    parser.add_argument("--on", choices=("overlay", "tmpfs", "mount"))
    parser.add_argument("--drive", action="store_true", help="as a part of the build")
    parser.add_argument("--bin")
    parser.add_argument("--folder")
    return parser.parse_args()


def scenario(scene, options):
    if local_compiler(options.compiler) is None:
        raise harness.Skip(f"no {options.compiler} here")
    if options.cloud:
        emulated.require_namespaces()
        emulated.use(scene)
    folder = scene.dir / "cases"
    folder.mkdir()
    words = mounting(options.on, folder)
    if options.on == "overlay":
        folder = folder / "m"
    # All of it in the same mounts, the daemon too.
    python = sys.executable
    if options.case == "unreadable":
        # One that everybody may run.
        python = shutil.which("python3", path="/usr/bin:/bin") or python
    drive = [python, "-B", __file__, options.compiler, "--drive", "--bin", scene.bin, "--folder", folder]
    if options.on:
        drive += ["--on", options.on]
    if options.case:
        drive += ["--case", options.case]
    if options.case == "unreadable":
        harness.require_root("to be somebody else")
        scene.user = NOBODY
        subprocess.run(["chown", "-R", str(NOBODY), scene.dir], check=True)
    done = scene.run([*words, scene.bin / "llama", "build", "--name", "cases", "--", *drive], timeout=None)
    if done.status != 0:
        raise Failure(done.err.decode(errors="replace"))
    compiles = scene.compiles("cases")
    remote = sum(c.remote for c in compiles)
    foretold = sum(s["fields"].get("foretold") is True for c in compiles for s in c.spans if s["name"] == "verify")
    print(f"{len(compiles)} compiles: {remote} remote, {foretold} foretold; the others:",
          sorted({c.reason for c in compiles if not c.remote}))
    expect(remote > len(compiles) / 2, "most compiles ran here")
    expect(foretold > 0 or options.on == "overlay" or options.case, "nothing was foretold")


def main():
    options = parse()
    if options.drive:
        Driver(options).run()
    else:
        harness.run(lambda scene: scenario(scene, options))


if __name__ == "__main__":
    main()
