"""What every end-to-end scenario stands on.

A Scene is a folder of its own below the build folder with a private LLAMA_DIR, TMPDIR and HOME in
it. When it ends, the daemon is stopped, and nothing may be left: no process that knows the folder,
no socket, no worker's folder, no temporary file. A scenario is a script whose main calls run().
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import trace_check

SKIPPED = 77  # ctest's SKIP_RETURN_CODE
POLL_SECONDS = 0.01


class Skip(Exception):
    """This machine can't run the scenario; the message says why."""


class Failure(Exception):
    """What llama did wrong."""


def expect(condition, message):
    if not condition:
        raise Failure(message)


def wait_until(condition, timeout, what):
    """Polls for something that another process does, and returns its first true value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"waited {timeout} s in vain for {what}")
        time.sleep(POLL_SECONDS)


def require_root(why):
    if os.geteuid() != 0:
        raise Skip(f"needs root {why}")


def require_program(name):
    path = shutil.which(name)
    if not path:
        raise Skip(f"no {name} here")
    return path


class Finished:
    """A process that ended: its status, and its output as bytes."""

    def __init__(self, argv, status, out, err):
        self.argv, self.status, self.out, self.err = argv, status, out, err

    def expect_status(self, status):
        if self.status != status:
            tail = (self.out[-2000:] + self.err[-4000:]).decode(errors="replace")
            raise Failure(f"{' '.join(map(str, self.argv))}: status {self.status}, not {status}\n{tail}")
        return self


class Scene:
    def __init__(self, name, build):
        self.build_dir = pathlib.Path(build)
        self.bin = self.build_dir / "bin"
        self.dir = self.build_dir / "e2e" / name
        self.llama_dir = self.dir / "state"
        self.tmp = self.dir / "tmp"
        self.user = None  # run commands as this uid
        self.extra_env = {}
        self.at_end = []  # called, last first, once the daemon has stopped
        self._clear()
        for folder in (self.dir, self.tmp, self.dir / "home"):
            folder.mkdir(parents=True)

    def _clear(self):
        if self.dir.exists():
            shutil.rmtree(self.dir)

    def env(self, **changes):
        """The environment of a command: ours without what steers make, llama or a compiler."""
        drop = ("LLAMA", "MAKE", "MFLAGS", "TRACEPARENT", "CC", "CXX", "CFLAGS", "CXXFLAGS", "CMAKE_", "LC_",
                "LANGUAGE", "TZ", "CPATH", "CDPATH", "LANG")
        env = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
        env.update(LLAMA_DIR=str(self.llama_dir), TMPDIR=str(self.tmp), LANG="C.UTF-8",
                   HOME=str(self.dir / "home"), SOURCE_DATE_EPOCH="1700000000",
                   # Projects put the commit of the checkout that they stand in into their version.
                   GIT_CEILING_DIRECTORIES=str(self.dir))
        env.update({k: str(v) for k, v in (self.extra_env | changes).items()})
        return env

    def start(self, argv, cwd=None, env=None, **popen):
        return subprocess.Popen([str(a) for a in argv], cwd=cwd or self.dir, env=env or self.env(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, start_new_session=True, user=self.user,
                                group=self.user, extra_groups=None if self.user is None else [],
                                **popen)

    def run(self, argv, cwd=None, env=None, timeout=600, **popen):
        return finish(self.start(argv, cwd, env, **popen), timeout)

    def llama(self, *args, timeout=60, **kwargs):
        return self.run([self.bin / "llama", *args], timeout=timeout, **kwargs)

    def llama_build(self, name, argv, **kwargs):
        return self.run([self.bin / "llama", "build", "--name", name, "--", *argv], **kwargs)

    def start_build(self, name, argv, **kwargs):
        return self.start([self.bin / "llama", "build", "--name", name, "--", *argv], **kwargs)

    def spans(self, name):
        """The spans of the build of that name, read as anyone would: zstd, JSON lines."""
        return trace_check.read_build(self.build_folder(name))

    def compiles(self, name):
        return trace_check.compiles(self.spans(name))

    def build_folder(self, name):
        folders = [p.parent for p in (self.llama_dir / "builds").glob("*/build.json")
                   if json.loads(p.read_text())["name"] == name]
        expect(len(folders) == 1, f"{len(folders)} builds named {name} below {self.llama_dir}")
        return folders[0]

    def report(self, name):
        out = self.llama("report", "--json", self.build_folder(name).name).expect_status(0).out
        return json.loads(out)

    def processes(self):
        """{pid: command line} of every process that knows this scene's folder."""
        found = {}
        for pid in (int(p) for p in os.listdir("/proc") if p.isdigit()):
            if pid != os.getpid() and self._knows_scene(pid):
                found[pid] = read_proc(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")
        return found

    def _knows_scene(self, pid):
        mark = str(self.dir).encode() + b"/"
        if mark in read_proc(pid, "cmdline") or mark in read_proc(pid, "environ"):
            return read_proc(pid, "cmdline") != b""  # a zombie has none, and is its parent's affair
        for link in ("cwd", "root"):
            try:
                if os.readlink(f"/proc/{pid}/{link}").startswith(str(self.dir) + "/"):
                    return True
            except OSError:
                pass
        return False

    def daemons(self):
        return [pid for pid, line in self.processes().items() if "daemon run" in line]

    def workers(self):
        return [pid for pid, line in self.processes().items() if "llama-runtime" in line]

    def end(self):
        """Stops the daemon and checks that nothing is left behind."""
        if self.llama_dir.is_dir() and self.daemons():
            self.llama("daemon", "stop")
        while self.at_end:
            self.at_end.pop()()
        deadline = time.monotonic() + 20
        while self.processes() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        left = self.processes()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        expect(not left, f"processes left behind: {left}")
        expect(not os.listdir(self.tmp), f"left in TMPDIR: {os.listdir(self.tmp)}")
        expect(not self._litter(), f"left in LLAMA_DIR: {self._litter()}")

    def _litter(self):
        litter = []
        for folder, _, files in os.walk(self.llama_dir):
            for file in files:
                path = os.path.join(folder, file)
                inside = os.path.relpath(path, self.llama_dir)
                if ".tmp" in file or file.endswith(".sock") or inside.startswith("pool/"):
                    litter.append(inside)
        return litter


def read_proc(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def executable(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def finish(process, timeout=600):
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise Failure(f"{process.args} did not end within {timeout} s\n"
                      + (out[-2000:] + err[-2000:]).decode(errors="replace"))
    return Finished(process.args, process.returncode, out, err)


def run(scenario):
    """Runs scenario(scene) in the scene that ctest names, and exits as ctest wants it."""
    scene = Scene(os.environ["LLAMA_E2E_NAME"], os.environ["LLAMA_E2E_BUILD"])
    try:
        try:
            scenario(scene)
        finally:
            scene.end()
    except Skip as skip:
        print(f"skipped: {skip}")
        sys.exit(SKIPPED)
    except Failure as failure:
        log = scene.llama_dir / "daemon.log"
        if log.exists():
            print("daemon.log ends with:\n" + log.read_text(errors="replace")[-3000:])
        print(f"FAILED: {failure}")
        sys.exit(1)
    scene._clear()
    sys.exit(0)
