"""The status line of llama build below a command that overprints one of its own (ninja), as a
terminal of 60, 80 and 200 columns shows it; and nothing of it where stdout is no terminal.

    progress.py LLAMA
"""
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time

LLAMA = str(pathlib.Path(sys.argv[1]).resolve())
ROWS = 14
STATUS = re.compile(r"\[\d+:\d\d\] \d+ compiled")
STEP = re.compile(r"\[\d+/12\] STEP s\d+")


def expect(condition, what):
    if not condition:
        sys.exit(f"golden progress: {what}")


class Screen:
    """As much of a VT100 as ninja and llama use."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = [""] * ROWS
        self.row = self.column = 0
        self.saved = (0, 0)

    def index(self):
        if self.row + 1 < ROWS:
            self.row += 1
        else:
            self.lines = self.lines[1:] + [""]

    def control(self, sequence):
        if sequence == "\x1b[K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif sequence == "\x1b[A":
            self.row = max(0, self.row - 1)
        elif sequence == "\x1b[B":
            self.row = min(ROWS - 1, self.row + 1)
        elif sequence == "\x1bD":
            self.index()
        elif sequence == "\x1b7":
            self.saved = (self.row, self.column)
        elif sequence == "\x1b8":
            self.row, self.column = self.saved
        else:
            expect(re.fullmatch(r"\x1b\[[0-9;]*m", sequence), f"{sequence!r} is not understood here")

    def feed(self, text):
        for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|\x1b.|.", text, re.DOTALL):
            if part.startswith("\x1b"):
                self.control(part)
            elif part == "\r":
                self.column = 0
            elif part == "\n":
                self.index()
            else:
                if self.column == self.columns:
                    self.column = 0
                    self.index()
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[:self.column] + part + line[self.column + 1:]
                self.column += 1

    def text(self):
        return [line.rstrip() for line in self.lines]


def on_terminal(command, columns, env, cwd, look):
    """The last screen; `look` is called with each."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execve(command[0], command, env)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    screen = Screen(columns)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([fd], [], [], 0.1)[0]:
            look(screen.text())
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        screen.feed(data.decode())
        look(screen.text())
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    expect(os.waitstatus_to_exitcode(status) == 0, f"status {status}: {screen.text()}")
    return screen.text()


def below_ninja(columns, env, folder):
    for made in folder.glob("s*.o"):
        made.unlink()
    seen = []

    def look(lines):
        for above, line in zip(lines, lines[1:]):
            if STATUS.match(line):
                expect(len(line) < columns, f"{len(line)} columns: {line}")
                if STEP.match(above):
                    seen.append((above, line))
        statuses = [line for line in lines if STATUS.search(line)]
        expect(len(statuses) <= 1 and all(STATUS.match(line) for line in statuses), f"garbled: {lines}")

    last = on_terminal([LLAMA, "build", "--no-summary", "--", "ninja", "-j1"], columns, env, folder, look)
    expect(len({above for above, _ in seen}) >= 2, f"at {columns} columns: {seen}")
    expect(not any(STATUS.search(line) for line in last), f"left behind: {last}")
    shown = [line for line in last if line]
    expect(shown[-1].startswith("[12/12] STEP s11") and "said by s5" in shown, last)


with tempfile.TemporaryDirectory() as temp:
    if shutil.which("ninja") is None:
        print("no ninja here")
        sys.exit(77)
    folder = pathlib.Path(temp)
    env = dict(os.environ, LLAMA_DIR=f"{temp}/state", TERM="xterm", NO_COLOR="1")
    env.pop("NINJA_STATUS", None)
    rules = "rule step\n  command = sleep 0.3; echo said by $out >> $out.log; $say touch $out\n  description = STEP $name\n"
    for number in range(12):
        say = "echo said by s5; " if number == 5 else ""
        rules += f"build s{number}.o: step\n  name = s{number}\n  say = {say}\n"
    (folder / "build.ninja").write_text(rules)
    try:
        for columns in (60, 80, 200):
            below_ninja(columns, env, folder)
        # Where stdout is no terminal, ninja prints lines, and nothing else is there.
        for made in folder.glob("s*.o"):
            made.unlink()
        plain = subprocess.run(["ninja", "-j1"], cwd=folder, env=env, capture_output=True, text=True, timeout=120)
        for made in folder.glob("s*.o"):
            made.unlink()
        built = subprocess.run([LLAMA, "build", "--no-summary", "--", "ninja", "-j1"], cwd=folder, env=env,
                               capture_output=True, text=True, timeout=120)
        expect((built.stdout, built.stderr) == (plain.stdout, plain.stderr), f"{built.stdout}{built.stderr}")
    finally:
        subprocess.run([LLAMA, "daemon", "stop"], env=env, timeout=60, check=False)
