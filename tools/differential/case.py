"""A case: files in a folder, an environment, and commands; and how it is laid out, run and looked at.

In texts, arguments, link targets and variables "{dir}" stands for the case's folder, and "{link}" for a link to it.
Names are text, with surrogates for bytes that are no UTF-8.
"""
import dataclasses
import fcntl
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import termios
import threading
import tty

TIMEOUT_SECONDS = 20
# Names of scratch files, and times of programs, which differ from run to run.
SCRATCH = re.compile(rb"(?m:^# \w+ \d+\.\d\d \d+\.\d\d$)|/cc[A-Za-z0-9]{6}\b|/[\w.+ -]+?-[0-9a-f]{6,8}(?=\.(?:s|o|i|ii|S|c|cc|cpp)\b)")
SAYS = re.compile(rb"llamacc: [^\n]*?: (ran remotely|runs locally: [^\n]*)\n")
MODIFIED_NS = 1_650_000_000_123_456_789


@dataclasses.dataclass
class Case:
    name: str
    steps: list  # ["run", word…], ["write", path, bytes], ["rewrite", path, bytes] (its times stay), ["remove", path],
    # ["link", path, target]
    files: dict = dataclasses.field(default_factory=dict)  # path: bytes
    links: dict = dataclasses.field(default_factory=dict)  # path: target
    hard_links: dict = dataclasses.field(default_factory=dict)  # path: path of a file
    folders: list = dataclasses.field(default_factory=list)
    modes: dict = dataclasses.field(default_factory=dict)
    env: dict = dataclasses.field(default_factory=dict)
    umask: int = 0o022
    root: str = "plain"  # a name of ROOTS
    cwd: str = "."
    pwd: str = ""  # what PWD says, if not the folder; "-": it is not set
    times: str = "rising"  # of the files in their order: rising, falling, equal
    terminal: str = ""  # of "out" and "err" those that are one, and its columns: "err 80"
    redirect: str = ""  # by a shell: "2>&-"

    def copy(self, **changes):
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields = {k: v.copy() if isinstance(v, (dict, list)) else v for k, v in fields.items()}
        return Case(**(fields | changes))


ROOTS = {"plain": "w", "space": "w w", "equals": "w=1", "utf8": "wäß", "dots": "w.d/x..y"}


class Place:
    """The folder of one process, where it runs one case after the other."""

    def __init__(self, base):
        self.base = base
        os.makedirs(base, exist_ok=True)
        self.root = self.link = ""

    def fill(self, text):
        if isinstance(text, bytes):
            if b"{" not in text:
                return text
            return text.replace(b"{dir}", os.fsencode(self.root)).replace(b"{link}", os.fsencode(self.link))
        return text.replace("{dir}", self.root).replace("{link}", self.link) if "{" in text else text

    def clear(self):
        if os.path.isdir(self.base):
            for folder, folders, _ in os.walk(self.base):
                for name in folders:
                    path = os.path.join(folder, name)
                    if not os.path.islink(path):
                        os.chmod(path, 0o755)
            shutil.rmtree(self.base)

    def lay_out(self, case):
        self.clear()
        self.root = os.path.join(self.base, ROOTS[case.root])
        self.link = os.path.join(self.base, "link")
        os.makedirs(self.root)
        os.symlink(ROOTS[case.root], self.link)
        for name in case.folders:
            os.makedirs(self.path(name), exist_ok=True)
        for name, text in case.files.items():
            path = self.path(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write(path, self.fill(text))
        for name, target in case.links.items():
            path = self.path(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(self.fill(target), path)
        for name, of in case.hard_links.items():
            os.link(self.path(of), self.path(name))
        for number, name in enumerate(case.files):
            when = MODIFIED_NS + number * {"rising": 1, "falling": -1, "equal": 0}[case.times] * 1_000_000_007
            os.utime(self.path(name), ns=(when, when))
        for name, mode in case.modes.items():
            os.chmod(self.path(name), mode)

    def path(self, name):
        return os.path.join(self.root, name) if name != "." else self.root

    def run(self, case, env, prefix=(), search_path=None):
        """What the case's commands say and leave."""
        self.lay_out(case)
        cwd = os.path.normpath(self.path(self.fill(case.cwd)))
        env = env | {k: self.fill(v) for k, v in case.env.items()}
        if case.pwd != "-":
            env["PWD"] = self.fill(case.pwd) or cwd
        if search_path:
            env["PATH"] = search_path
        seen, says = {}, []
        for number, step in enumerate(case.steps):
            if step[0] == "run":
                argv = [*prefix, *(self.fill(word) for word in step[1:])]
                if case.redirect:
                    argv = ["/bin/sh", "-c", f'"$@" {case.redirect}', "sh", *argv]
                done = (on_terminal if case.terminal else command)(argv, cwd, env, case)
                seen[f"{number} status"] = done[0]
                for what, text in zip(("stdout", "stderr"), done[1:]):
                    says += SAYS.findall(text)
                    seen[f"{number} {what}"] = without_noise(text)
            else:
                self.change(step)
        return Seen(seen | snapshot(self.root), [s.decode(errors="replace") for s in says])

    def change(self, step):
        path = self.path(step[1])
        when = MODIFIED_NS + 10**11
        if os.path.lexists(path):
            if step[0] == "rewrite":
                when = os.stat(path).st_mtime_ns
            os.unlink(path)
        if step[0] == "link":
            os.symlink(self.fill(step[2]), path)
        elif step[0] != "remove":
            write(path, self.fill(step[2]))
            os.utime(path, ns=(when, when))


def without_noise(text):
    return SCRATCH.sub(b"/ccXXXXXX", SAYS.sub(b"", text) if b"llamacc: " in text else text)


def write(path, text):
    with open(path, "wb") as file:
        file.write(text)


def command(argv, cwd, env, case):
    return finish(subprocess.Popen(argv, cwd=cwd, env=env, umask=case.umask, stdin=subprocess.DEVNULL, start_new_session=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE))


def finish(process):
    try:
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        # With what it has started: a header that includes itself twice takes cc1 for ever.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, out or b"", err or b""


def on_terminal(argv, cwd, env, case):
    *streams, columns = case.terminal.split(" ")
    master, slave = os.openpty()
    tty.setraw(slave)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(columns), 0, 0))
    shown = []
    process = subprocess.Popen(argv, cwd=cwd, env=env, umask=case.umask, stdin=subprocess.DEVNULL, start_new_session=True,
                               stdout=slave if "out" in streams else subprocess.PIPE,
                               stderr=slave if "err" in streams else subprocess.PIPE)
    os.close(slave)
    reader = threading.Thread(target=read_terminal, args=(master, shown))
    reader.start()
    status, out, err = finish(process)
    reader.join()
    os.close(master)
    text = b"".join(shown)
    return (status, out, text) if "err" in streams else (status, text, err)


def read_terminal(master, shown):
    try:
        while text := os.read(master, 65536):
            shown.append(text)
    except OSError:  # its last writer has gone
        pass


def snapshot(root):
    """{path: (kind, mode, links, the first name of this file, target or bytes)} below a folder."""
    found, names = {}, {}
    for folder, folders, files in os.walk(root):
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            st = os.lstat(path)
            inside = os.fsdecode(SCRATCH.sub(b"/ccXXXXXX", b"/" + os.fsencode(os.path.relpath(path, root)))[1:])
            kind, what, first = stat.S_IFMT(st.st_mode), b"", ""
            links = 0
            if stat.S_ISLNK(kind):
                what = os.fsencode(os.readlink(path))
            elif stat.S_ISREG(kind):
                links = st.st_nlink
                if links > 1:
                    first = names.setdefault(st.st_ino, inside)
                what = read(path, st)
            found["file " + inside] = (kind, stat.S_IMODE(st.st_mode), links, first, what)
    return found


def read(path, st):
    if not st.st_mode & 0o400:
        os.chmod(path, 0o400 | stat.S_IMODE(st.st_mode))
    with open(path, "rb") as file:
        return without_noise(file.read())


class Seen:
    """What a run said and left; and what llama said of it."""

    def __init__(self, parts, says):
        self.parts, self.says = parts, says

    def differences(self, other):
        keys = self.parts.keys() | other.parts.keys()
        return sorted(k for k in keys if self.parts.get(k) != other.parts.get(k))

    def ways(self):
        return ["remote" if s == "ran remotely" else "local " + s.removeprefix("runs locally: ") for s in self.says]
