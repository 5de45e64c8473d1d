"""llama sql as a user meets it, over a small trace: answers, formats, errors, the prompt.

    sql.py LLAMA answers|formats|errors|prompt|several
"""
import csv
import difflib
import io
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent / "sql"
TRACE = str(HERE / "trace.ndjson")
LLAMA = sys.argv[1]
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;"


def sql(*words, stdin="", state="/nonexistent"):
    return subprocess.run([LLAMA, "sql", *words], input=stdin, capture_output=True, text=True,
                          timeout=60, env=dict(os.environ, LLAMA_DIR=state))


def expect(condition, what):
    if not condition:
        sys.exit(f"golden sql: {what}")


def answers():
    done = sql(TRACE, stdin=(HERE / "questions.sql").read_text())
    expected = (HERE / "answers.txt").read_text()
    difference = "".join(difflib.unified_diff(expected.splitlines(True), done.stdout.splitlines(True)))
    expect(done.returncode == 0 and not difference, f"{done.returncode}\n{difference}{done.stderr}")
    expect("1 of 40 lines are no spans" in done.stderr, done.stderr)
    # The same from a pipe.
    piped = sql("-", "SELECT count(*) FROM spans", stdin=pathlib.Path(TRACE).read_text())
    expect(piped.stdout == "count(*)\n      39\n", piped.stdout + piped.stderr)


def formats():
    statement = ("SELECT file, c.duration_ns, c.cost_usd, c.reason, fields "
                 "FROM compiles c JOIN spans USING (id)")
    rows = list(csv.DictReader(io.StringIO(sql("--csv", TRACE, statement).stdout), strict=True))
    objects = json.loads(sql(TRACE, "--json", statement).stdout)
    expect(len(rows) == len(objects) == 7, f"{len(rows)} and {len(objects)} rows")
    for row, item in zip(rows, objects):
        expect(list(row) == list(item), f"{list(row)} and {list(item)}")
        expect(row["file"] == (item["file"] or ""), f"{row} and {item}")
        expect(int(row["duration_ns"]) == item["duration_ns"], f"{row} and {item}")
        expect(float(row["cost_usd"]) == item["cost_usd"], f"{row} and {item}")
        expect(json.loads(row["fields"]) == json.loads(item["fields"]), f"{row} and {item}")
    lines = sql("--markdown", TRACE, "SELECT 'a|b' AS x, 1 AS n").stdout
    vertical = sql("--vertical", TRACE, "SELECT 'a' AS x, 1 AS number; SELECT 2 AS y").stdout
    expect(vertical == "-[ row 1 ]-\nx       a\nnumber  1\n-[ row 1 ]-\ny  2\n", vertical)
    switched = sql(TRACE, stdin=".vertical\nSELECT 1 AS n;\n.vertical\nSELECT 1 AS n;\n").stdout
    expect(switched.count("-[ row 1 ]-\nn  1\n") == 1 and switched.endswith("n\n1\n"), switched)
    expect(lines == "| x | n |\n| --- | ---: |\n| a\\|b | 1 |\n", lines)


def errors():
    cases = [
        ([TRACE, "SELECT nix FROM spans"], 1, "(line 1, column 8)\n  SELECT nix FROM spans\n         ^\n"),
        ([TRACE, "DELETE FROM spans"], 1, "spans"),
        ([TRACE, "ATTACH 'x.db' AS x"], 1, "only queries"),
        ([TRACE, ".nix"], 1, "no command .nix"),
        ([TRACE, ".schema nix"], 1, "no table nix"),
        (["/nonexistent/trace.ndjson", "SELECT 1"], 1, "/nonexistent/trace.ndjson"),
        (["--build", "none", "SELECT 1"], 1, "none"),
        (["SELECT 1", "SELECT 2"], 2, "one argument"),
        (["--csv", "--json", "SELECT 1"], 2, "one of"),
        (["--csv", "--vertical", "SELECT 1"], 2, "one of"),
        (["--build", "a", TRACE, "SELECT 1"], 1, "no build 'a'"),
        (["--all", "--build", "a", "SELECT 1"], 2, "either --all or builds"),
        (["--all", "SELECT 1"], 1, "no build is recorded in /nonexistent"),
        (["--since", "2x", "SELECT 1"], 2, "'2x' is no age"),
        (["--since", "2d", TRACE, "SELECT 1"], 1, "--since is for builds"),
        (["--nix"], 2, "unknown option --nix"),
        (["-"], 2, "standard input"),
    ]
    for words, status, message in cases:
        done = sql(*words)
        expect(done.returncode == status and message in done.stderr and not done.stdout,
               f"{words}: {done.returncode}, {done.stdout}{done.stderr}")
    done = sql(TRACE, stdin="SELECT 1;\n.tables\n\nSELECT\n  nix;\nSELECT 2;\n")
    expect(done.returncode == 1 and "(line 5, column 3)" in done.stderr, done.stderr)
    expect(not done.stdout.endswith("2\n"), "went on after an error")


class Terminal:
    """llama sql on a pseudo terminal."""

    def __init__(self, state):
        self.shown = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(LLAMA_DIR=state, TERM="vt100", LC_ALL="C.UTF-8", NO_COLOR="1")
            os.execv(LLAMA, [LLAMA, "sql", TRACE])

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self, text, since=0, meanwhile=""):
        deadline = time.monotonic() + 60
        while text.encode() not in self.shown[since:]:
            expect(time.monotonic() < deadline, f"no {text!r} in {self.shown[since:]!r}")
            if not select.select([self.fd], [], [], 3)[0]:
                self.type(meanwhile)
                continue
            try:
                self.shown += os.read(self.fd, 4096)
            except OSError:  # it ended
                break
        expect(text.encode() in self.shown[since:], f"no {text!r} in {self.shown[since:]!r}")
        return self.shown.index(text.encode(), since) + len(text)

    def end(self):
        """Types Ctrl-D until it ends: one that comes before the prompt reads by the character is lost."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            self.type("\x04")
            try:
                if select.select([self.fd], [], [], 0.5)[0]:
                    os.read(self.fd, 4096)
            except OSError:  # it ended
                pass
        expect(False, "it does not end")

    def close(self):
        os.close(self.fd)
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def prompt():
    with tempfile.TemporaryDirectory() as state:
        terminal = Terminal(state)
        try:
            terminal.wait("llama> ")
            terminal.type("SELECT count(*)\n")
            terminal.wait("...> ")
            terminal.type("FROM mach\t;\n")  # completed
            terminal.wait("(1 row, ")
            at = len(terminal.shown)
            terminal.type("SELECT nix FROM spans;\n")
            at = terminal.wait("no such column", at)
            at = terminal.wait("llama> ", at)
            # Ctrl-C before the query begins drops its line, and then it is typed again.
            interrupted = False
            while not interrupted:
                terminal.type(ENDLESS + "\n")
                at = terminal.wait("FROM n;\r\n", at)
                terminal.type("\x03")
                end = terminal.wait("llama> ", at, meanwhile="\x03")
                interrupted = b"interrupted" in terminal.shown[at:end]
                at = end
            terminal.type("SELECT 1; SELECT 2 UNION SELECT 3;\n")
            at = terminal.wait("(1 row, ", at)  # each statement for itself
            at = terminal.wait("(2 rows, ", at)
            at = terminal.wait("llama> ", at)
            terminal.type("SELECT 6 * 7;\n")
            at = terminal.wait("42", at)
            at = terminal.wait("llama> ", at)
            terminal.type("\x1b[A\n")  # the last line again
            at = terminal.wait("42", at)
            terminal.wait("llama> ", at)
            expect(terminal.end() == 0, "another status")
            history = pathlib.Path(state, "sql_history")
            expect("SELECT" in history.read_text(), history.read_text())
            expect(history.stat().st_mode & 0o77 == 0, "others may read what was typed")
        finally:
            terminal.close()


def several():
    """Builds by patterns, all of them, those of the last days; one without a trace is no obstacle."""
    with tempfile.TemporaryDirectory() as folder:
        state = pathlib.Path(folder)
        now = time.time_ns()
        for name, days in (("redis-a", 10), ("redis-b", 1), ("zlib", 1), ("zlib-old", 40)):
            build = state / "builds" / name
            build.mkdir(parents=True)
            start = now - days * 86_400 * 10**9
            (build / "build.json").write_text(json.dumps({"id": name, "name": name, "start_ns": start}))
            text = json.dumps({"trace_id": f"{days:032x}", "span_id": f"{1:016x}", "name": "build",
                               "start": "2026-01-01T00:00:00Z", "duration": days,
                               "fields": {"global.build_id": name}})
            (build / "trace.ndjson.zst").write_text(text + "\n")
        for name in ("never-began", "redis-never-began"):
            (state / "builds" / name).mkdir()
        for words, wanted in ((["--all"], ["redis-a", "redis-b", "zlib", "zlib-old"]),
                              (["--since", "2d"], ["redis-b", "zlib"]),
                              (["--all", "--since", "2w"], ["redis-a", "redis-b", "zlib"]),
                              (["--build", "redis*"], ["redis-a", "redis-b"]),
                              (["redis*", "--build", "zlib"], ["redis-a", "redis-b", "zlib"]),
                              (["--build", "redis*", "--since", "2d"], ["redis-b"]),
                              (["--build", "*-[ab]"], ["redis-a", "redis-b"])):
            done = sql("--json", *words, "SELECT build FROM builds ORDER BY build", state=folder)
            expect(done.returncode == 0 and [row["build"] for row in json.loads(done.stdout)] == wanted,
                   f"{words}: {done.stdout}{done.stderr}")
        done = sql("--since", "1h", "SELECT 1", state=folder)
        expect(done.returncode == 1 and "no such build began in the last 1h" in done.stderr, done.stderr)


{"several": several, "answers": answers, "formats": formats, "errors": errors, "prompt": prompt}[sys.argv[2]]()
