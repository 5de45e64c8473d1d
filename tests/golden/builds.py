"""llama report, compare and builds as a user meets them, over a state folder made by hand.

    builds.py LLAMA report|compare|list|remove|names
"""
import datetime
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import tempfile

LLAMA = sys.argv[1]
SECOND = 1_000_000_000
START = 1_795_335_650 * SECOND  # 2026-11-22T08:20:50Z


def span(trace, number, parent, kind, start_ms, duration_ms, **fields):
    time = datetime.datetime.fromtimestamp((START + start_ms * 1_000_000) // SECOND,
                                           datetime.timezone.utc)
    text = time.strftime("%Y-%m-%dT%H:%M:%S") + f".{start_ms % 1000:03d}Z"
    return json.dumps({
        "trace_id": f"{trace:032x}", "span_id": f"{number:016x}",
        "parent_id": f"{parent:016x}" if parent else "", "name": kind, "start": text,
        "duration": duration_ms * 1_000_000,
        "fields": {key.replace("__", "."): value for key, value in fields.items()}}) + "\n"


def make_build(state, build_id, name, start_s, compile_ms, tags=None, status=0):
    """A build of one compile and a second of nothing."""
    folder = state / "builds" / build_id
    folder.mkdir(parents=True)
    wall = compile_ms + 1000
    record = {"id": build_id, "name": name, "tags": tags or {}, "command": ["make", "-j2"],
              "cwd": "/src", "start_ns": START + start_s * SECOND, "status": status,
              "end_ns": START + start_s * SECOND + wall * 1_000_000 if status is not None else None,
              "cpus": 2, "version": "0", "unnamed": False}
    (folder / "build.json").write_text(json.dumps(record))
    lines = span(1, 1, 0, "build", start_s * 1000, wall, command="make -j2", cwd="/src", status=0,
                 name="recorded", **{"global__build_id": build_id})
    lines += span(2, 1, 0, "llamacc", start_s * 1000 + 500, compile_ms, source="a.c",
                  object="/src/a.o", remote=True)
    lines += span(2, 2, 1, "exec", start_s * 1000 + 500, compile_ms - 100)
    (folder / "trace.ndjson.zst").write_text(lines)


def expect(condition, what):
    if not condition:
        sys.exit(f"golden builds: {what}")


class State:
    def __init__(self, folder):
        self.path = pathlib.Path(folder)
        make_build(self.path, "20261122-b1", "before", 0, 2000, {"branch": "main"})
        make_build(self.path, "20261122-b2", "after", 100, 3000, {"branch": "x"})
        make_build(self.path, "20261122-b3", "after", 200, 5000, {"branch": "x"}, status=2)

    def run(self, *words, status=0, stdin="", cwd=None, stderr=""):
        """stdout, or of a failing one stderr. `stderr` is what it must say there even so."""
        done = subprocess.run([LLAMA, *words], input=stdin, capture_output=True, text=True,
                              timeout=60, cwd=cwd, env=dict(os.environ, LLAMA_DIR=str(self.path)))
        expect(stderr in done.stderr, f"{words}: {done.stderr}")
        expect(done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout if status == 0 else done.stderr

    def ids(self, *words):
        return [build["id"][-2:] for build in json.loads(self.run("builds", "--json", *words))]


def report(state):
    summary = json.loads(state.run("report", "--json", "before"))
    expect(summary["wall_ns"] == 3 * SECOND, summary["wall_ns"])
    expect(summary["name"] == "before", "the record's name counts, not the trace's")
    phases = {phase["name"]: phase for phase in summary["phases"]}
    expect(phases["exec"]["sum_ns"] == 1_900_000_000, phases)
    expect(phases["exec"]["share"] == 0.95, phases)
    expect(json.loads(state.run("report", "--json"))["build_id"] == "20261122-b3", "the latest")
    text = state.run("report", "--section", "phases", "before")
    expect("time by phase" in text and "resources" not in text, text)
    # The same trace by its path, by its folder, and from a pipe.
    folder = state.path / "builds" / "20261122-b1"
    trace = folder / "trace.ndjson.zst"
    for words, stdin in (([str(trace)], ""), ([str(folder)], ""), (["-"], trace.read_text())):
        other = json.loads(state.run("report", "--json", *words, stdin=stdin))
        expect(other["phases"] == summary["phases"], words)
    for words, status, message in (
            (["nix"], 1, "no build 'nix'"), (["a", "b"], 2, "llama compare"),
            (["--section", "nix"], 2, "there are findings"),
            (["--json", "--section", "use"], 2, "--section is for text"),
            (["/nonexistent/trace"], 1, "/nonexistent/trace")):
        message_given = state.run("report", *words, status=status)
        expect(message in message_given, message_given)


def compare(state):
    result = json.loads(state.run("compare", "--json", "before", "after"))
    expect([result["a"][0]["id"], result["b"][0]["id"]] == ["20261122-b1", "20261122-b3"],
           "the latest of that name")
    for whole, total in (("wall", 3 * SECOND), ("work", 3 * SECOND)):
        parts = result[whole]["parts"]
        expect(result[whole]["delta_ns"] == total, result[whole])
        expect(sum(part["delta_ns"] for part in parts) == total, result[whole])
    unit = result["units"]["all"][0]
    expect((unit["name"], unit["change"]) == ("a.o ← a.c", "regressed"), unit)
    groups = json.loads(state.run("compare", "--json", "--a", "before", "--b",
                                  "20261122-b2,20261122-b3"))
    wall = groups["figures"][0]
    expect((wall["a"], wall["b"]) == (3 * SECOND, 5 * SECOND), wall)  # of 4 s and 6 s
    expect(wall["verdict"] == "unknown", wall)
    text = state.run("compare", "before", "after")
    expect("B − A" in text and "tags.branch" in text and "can't be known" in text, text)
    for words, message in (([], "two builds"), (["before"], "two builds"),
                           (["--a", "before"], "--a and --b"), (["--a", "x,", "--b", "y"], "empty"),
                           (["-", "-"], "one trace")):
        expect(message in state.run("compare", *words, status=2), words)
    expect("no build 'nix'" in state.run("compare", "before", "nix", status=1), "nix")
    # One build by several names is not several.
    folder = str(state.path / "builds" / "20261122-b1")
    (state.path / "link").symlink_to(folder)
    for words, message in (
            (["before", "before"], "'before' is given more than once"),
            (["before", "20261122-b1"], "'before' and '20261122-b1' are the same build"),
            (["before", folder], "same build"), (["before", str(state.path / "link")], "same build"),
            ([folder + "/trace.ndjson.zst", "before"], "same build"),
            (["--a", "before,before", "--b", "after"], "more than once"),
            (["--a", "after", "--b", "before,20261122-b3"], "same build")):
        told = state.run("compare", *words, status=2)
        expect(message in told, f"{words}: {told}")


def list_builds(state):
    expect(state.ids() == ["b1", "b2", "b3"], state.ids())
    for words, ids in ((["--name", "b*"], ["b1"]), (["--tag", "branch=x"], ["b2", "b3"]),
                       (["--status", "failed"], ["b3"]), (["--limit", "1"], ["b3"]),
                       (["--limit", "9"], ["b1", "b2", "b3"]), (["--since", "9999w"], ["b1", "b2", "b3"])):
        expect(state.ids(*words) == ids, f"{words}: {state.ids(*words)}")
    for words in (["rename", "after", "x"], ["tag", "after", "k=v"]):
        expect("2 builds are called 'after': 20261122-b2, 20261122-b3" in
               state.run("builds", *words, status=1), words)
    expect(state.ids("--name", "after", "--tag", "k=v") == state.ids("--name", "x") == [], "unchanged")
    state.run("builds", "rename", "20261122-b2", "between")
    state.run("builds", "tag", "between", "branch=", "cc=gcc")
    record = json.loads(state.run("builds", "--json", "--name", "between"))[0]
    expect(record["tags"] == {"cc": "gcc"}, record)
    expect(json.loads(state.run("report", "--json", "between"))["name"] == "between", "renamed")
    expect("exit 2" in state.run("builds"), "status")
    for words, message in ((["nix"], "there are rm"), (["rename", "a"], "a name"), (["rename", "", "x"], "empty"),
                           (["tag", "a", "b"], "KEY=VALUE"), (["prune"], "--older-than"),
                           (["--status", "nix"], "--status is"), (["--since", "1x"], "no age"),
                           (["rm"], "needs builds"), (["--keep", "1"], "not for this")):
        expect(message in state.run("builds", *words, status=2), words)


def remove(state):
    state.run("builds", "prune", "--keep", "1", "--dry-run")
    expect(state.ids() == ["b1", "b2", "b3"], "a dry run removes nothing")
    for words in (["after"], ["before", "after"], ["--force", "after"], ["--dry-run", "after"]):
        expect("20261122-b2, 20261122-b3" in state.run("builds", "rm", *words, status=1), words)
    expect(state.ids() == ["b1", "b2", "b3"], "a name that two builds have removes neither")
    # Whoever records holds a lock on the folder.
    held = os.open(state.path / "builds" / "20261122-b1", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    expect("still running" in state.run("builds", "rm", "before", status=1), "running")
    expect("still running" in state.run("builds", "rename", "before", "x", status=1), "running")
    state.run("builds", "prune", "--keep", "1")
    expect(state.ids() == ["b1", "b3"], state.ids())
    expect(state.ids("--status", "running") == ["b1"], "running")
    os.close(held)
    expect("no build 'nix'" in state.run("builds", "rm", "before", "nix", status=1), "nix")
    expect(state.ids() == ["b1", "b3"], "a wrong name removes none of the others")
    state.run("builds", "rm", "before", "20261122-b1")
    state.run("builds", "prune", "--max-bytes", "0")
    expect(os.listdir(state.path / "builds") == [], "all are gone")
    expect("No builds yet" in state.run("builds"), "empty")


def ids_of(state, *words, cwd, stdin="", stderr=""):
    """The builds that each command that looks at builds takes these words for."""
    rows = json.loads(state.run("sql", "--json", *words, "SELECT build FROM spans WHERE name = 'build'", cwd=cwd, stdin=stdin,
                                stderr=stderr))
    by_option = json.loads(state.run("sql", "--json", *(f"--build={word}" for word in words),
                                     "SELECT build FROM spans WHERE name = 'build'", cwd=cwd, stdin=stdin))
    expect(rows == by_option, f"{words}: {rows} and {by_option}")
    for options in (words, [f"--build={word}" for word in words]):
        lines = state.run("export", "--format", "ndjson", "-o", "-", *options, cwd=cwd, stdin=stdin)
        exported = {json.loads(line)["fields"].get("global.build_id") for line in lines.splitlines()} - {None}
        expect(exported == {row["build"] for row in rows}, f"{options}: {exported}")
    return [row["build"][-2:] for row in rows]


def names(state):
    """One way to name builds and traces, whatever the command."""
    with tempfile.TemporaryDirectory() as cwd:
        folder = pathlib.Path(cwd)
        trace = (state.path / "builds" / "20261122-b1" / "trace.ndjson.zst").read_text()
        for number in (1, 2):  # or it could not stand beside another build in one question
            trace = trace.replace(f"{number:032x}", f"{number + 10:032x}")
        (folder / "y2").write_text(trace)
        one = {(): "b3", ("latest",): "b3", ("before",): "b1", ("after",): "b3", ("20261122-b2",): "b2",
               ("20261122-b1",): "b1", ("y2",): "b1", ("./y2",): "b1", (str(folder / "y2"),): "b1",
               (str(state.path / "builds" / "20261122-b2"),): "b2", ("be*",): "b1", ("-",): "b1"}
        for words, wanted in one.items():
            stdin = trace if "-" in words else ""
            expect(ids_of(state, *words, cwd=cwd, stdin=stdin) == [wanted], words)
            forms = [words, [f"--build={word}" for word in words]]
            for form in forms:
                report = json.loads(state.run("report", "--json", *form, cwd=cwd, stdin=stdin))
                expect(report["build_id"][-2:] == wanted, f"report {form}: {report['build_id']}")
            other = "before" if wanted != "b1" else "20261122-b3"
            if words:
                compared = json.loads(state.run("compare", "--json", *words, other, cwd=cwd, stdin=stdin))
                expect(compared["a"][0]["wall_ns"] == report["wall_ns"], f"compare {words}")
        # Several: in order, each once.
        for words, wanted in ((("before", "after"), ["b1", "b3"]), (("*",), ["b1", "b2", "b3"]),
                              (("after", "before", "latest"), ["b1", "b3"]), (("2026*-b[12]",), ["b1", "b2"]),
                              (("y2", "after"), ["b1", "b3"])):
            expect(sorted(ids_of(state, *words, cwd=cwd)) == wanted, words)
        groups = json.loads(state.run("compare", "--json", "before", "20261122-b[23]", cwd=cwd))
        expect([build["id"][-2:] for build in groups["b"]] == ["b2", "b3"], groups["b"])
        expect("'20261122-b3' is given more than once" in
               state.run("compare", "20261122-b[13]", "20261122-b[23]", status=2, cwd=cwd), "in both groups")
        # A build before a file, and said so.
        (folder / "before").write_text(trace.replace("20261122-b1", "20261122-f1"))
        expect(ids_of(state, "before", cwd=cwd, stderr="'before' is a build and a file: the build is meant; "
                      "./before is the file") == ["b1"], "a build before a file")
        expect(ids_of(state, "./before", cwd=cwd) == ["f1"], "the file by its path")
        # What is not there is named, with what is near, and so in every command.
        for words, message in ((("beforf",), "no build 'beforf' in"), (("beforf",), "near are: before;"),
                               (("20261122-b",), "begins the ids of 3 builds: 20261122-b1, 20261122-b2, 20261122-b3"),
                               (("nix*",), "no build is like 'nix*'"), (("./nix",), "./nix: No such file")):
            for command in (("report",), ("report", "--build"), ("sql", "--build"), ("export", "--format=csv", "-o", "-"),
                            ("export", "--format=csv", "-o", "-", "--build"), ("compare", "before"),
                            ("builds", "rm"), ("builds", "tag")):
                if message.startswith("./nix") and command[0] == "builds":
                    continue
                rest = ("k=v",) if command == ("builds", "tag") else ("SELECT 1",) if command[0] == "sql" else ()
                told = state.run(*command, *words, *rest, status=1, cwd=cwd)
                expect(message in told, f"{command} {words}: {told}")
        expect("2 builds are like 'af*', and one is wanted: 20261122-b2, 20261122-b3" in
               state.run("report", "af*", status=1), "one is wanted")
        for command in (["report", ""], ["export", "--format=csv", "-o", "-", ""], ["sql", "--build", "", "SELECT 1"]):
            state.run(*command, status=2)
        expect(state.run("builds", "--names").split() ==
               ["after", "20261122-b3", "20261122-b2", "before", "20261122-b1"], "names to complete")
        # Changes mean recorded builds only.
        (folder / "20261122-b4").write_text(trace)
        expect("no build '20261122-b4'" in state.run("builds", "rm", "20261122-b4", status=1, cwd=cwd), "a file")
        state.run("builds", "tag", "latest", "k=v")
        expect(state.ids("--tag", "k=v") == ["b3"], "the latest")
        expect("2 builds are like 'af*'; one at a time" in
               state.run("builds", "rename", "af*", "x", status=1), "rename takes one")
        state.run("builds", "rm", "af*")
        expect(state.ids() == ["b1"], state.ids())
        expect("latest" in state.run("help", "names"), "help names")


with tempfile.TemporaryDirectory() as temp:
    {"report": report, "compare": compare, "list": list_builds, "remove": remove, "names": names}[sys.argv[2]](
        State(temp))
