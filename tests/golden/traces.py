"""Traces that are not ours, or not what they should be: every command that reads traces takes what
there is, says what it could not take, and has a fitting exit status.

    traces.py LLAMA original|malformed|unreadable|several|foreign
"""
import csv
import gzip
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
LLAMA = sys.argv[1]
ORIGINAL = str(HERE / "traces" / "original.ndjson")


def run(*words, stdin=b""):
    done = subprocess.run([LLAMA, *words], input=stdin, capture_output=True, timeout=100,
                          env=dict(os.environ, LLAMA_DIR="/nonexistent"))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def readers(path):
    """Each command that reads a trace."""
    yield "report", path
    yield "report", "--json", path
    yield "sql", path, "SELECT count(*) FROM spans"
    yield "export", "--format", "csv", "-o", "-", path
    yield "compare", path, ORIGINAL


def expect(condition, what):
    if not condition:
        sys.exit(f"golden traces: {what}")


def ask(path, sql):
    status, out, err = run("sql", "--json", path, sql)
    expect(status == 0, f"{sql}: {err}")
    return json.loads(out)


def original():
    """llamacc 0…2250 ms > InvokeWithFiles 11…2211 > upload 31…211, Invoke 211…2111 >
    runtime.Execute 311…2011 > exec 411…1911; and an older one, with metrics and labels."""
    with tempfile.TemporaryDirectory() as folder:
        for words in readers(shutil.copy(ORIGINAL, folder)):
            status, out, err = run(*words)
            expect(status == 0 and out and not err, f"{words}: {status} {err}")
    rows = ask(ORIGINAL, "SELECT path, start, duration_ns / 1000000 AS ms, self_ns / 1000000 AS self "
                         "FROM spans ORDER BY start_ns, depth")
    expect([(r["path"], r["ms"], r["self"]) for r in rows] == [
        ("llamacc", 750, 750),
        ("llamacc", 2250, 50),
        ("llamacc>InvokeWithFiles", 2200, 120),
        ("llamacc>InvokeWithFiles>upload", 180, 180),
        ("llamacc>InvokeWithFiles>Invoke", 1900, 200),
        ("llamacc>InvokeWithFiles>Invoke>runtime.Execute", 1700, 200),
        ("llamacc>InvokeWithFiles>Invoke>runtime.Execute>exec", 1500, 1500),
    ], rows)
    expect(rows[1]["start"] == "2021-02-03T12:34:56.789012345Z", rows[1])
    expect(ask(ORIGINAL, "SELECT trace_id, build, file, inflight FROM spans "
                         "WHERE file IS NOT NULL ORDER BY file") == [
        {"trace_id": "00000000000000005f0c8a1be2d34f77", "build": "linux-5.10",
         "file": "/src/a.c", "inflight": 3},
        {"trace_id": "000000000000000000c1d2e3f4a5b697", "build": "linux-5.10",
         "file": "/src/b.c", "inflight": 1.5},
    ], "fields")
    report = json.loads(run("report", "--json", ORIGINAL)[1])
    # The one that was invoked was remote, though it does not say so; of the other nothing is known.
    counts = [report[key] for key in ("compiles", "remote", "local")]
    expect(counts == [2, 1, 1], counts)
    expect(report["local_reasons"] == {"unknown": 1}, report["local_reasons"])
    expect([(unit["remote"], unit["duration_ns"]) for unit in report["weighted"]] ==
           [(True, 2_250_000_000), (False, 750_000_000)], report["weighted"])
    rows = ask(ORIGINAL, "SELECT remote, duration_ns / 1000000 AS ms FROM compiles ORDER BY ms")
    expect(rows == [{"remote": None, "ms": 750}, {"remote": 1, "ms": 2250}], rows)
    # In compiles they have what ours would have.
    rows = ask(ORIGINAL, "SELECT file, output, sync_ns/1000000 AS sync, invoke_ns/1000000 AS invoke, "
                         "worker_ns/1000000 AS worker, exec_ns/1000000 AS exec, collect_ns, invocations "
                         "FROM compiles ORDER BY file")
    expect(rows == [{"file": "/src/a.c", "output": "/src/a.o", "sync": 180, "invoke": 1900, "worker": 1700,
                     "exec": 1500, "collect_ns": None, "invocations": 1},
                    {"file": "/src/b.c", "output": None, "sync": None, "invoke": None, "worker": None,
                     "exec": None, "collect_ns": None, "invocations": 0}], rows)
    status, text, _ = run("report", "--section", "phases", ORIGINAL)
    names = [re.match(r" *([A-Za-z.]+)", line) for line in text.splitlines()]
    indents = {found.group(1): len(found.group(0)) - len(found.group(1)) for found in names if found}
    order = [found.group(1) for found in names if found]
    expect(order[-6:] == ["llamacc", "InvokeWithFiles", "Invoke", "runtime.Execute", "exec", "upload"], text)
    expect([indents[name] - indents["llamacc"] for name in order[-6:]] == [0, 2, 4, 6, 8, 4], text)
    slow = report["slowest"][0]
    expect(slow["remote"] is True, slow)
    expect((slow["longest_phase"], slow["longest_phase_ns"]) == ("exec", 1_500_000_000), slow)
    phases = {phase["name"]: phase["self_ns"] for phase in report["phases"]}
    expect(phases["llamacc"] == 800_000_000 and phases["upload"] == 180_000_000, phases)
    rows = list(csv.DictReader(io.StringIO(run("export", "--format", "csv", "-o", "-", ORIGINAL)[1],
                                           newline=""), strict=True))
    expect(sorted(row["files"] for row in rows) == [""] * 6 + ["37"], rows)


def span(number, parent=0, rest='"name":"x","start":"2026-01-01T00:00:00Z","duration":1'):
    above = f"{parent:016x}" if parent else ""
    return f'{{"trace_id":"{1:032x}","span_id":"{number:016x}","parent_id":"{above}",{rest}}}\n'


def malformed():
    """What a line may be instead of a span; the good ones around it are read all the same."""
    name, start = '"name":"x"', '"start":"2026-01-01T00:00:00Z"'
    lines = {
        "wrong type": [span(9, rest=f'{name},{start},"duration":"1"'),
                       span(9, rest=f'"name":1,{start},"duration":1'),
                       span(9, rest=f'{name},"start":5,"duration":1'),
                       span(9, rest=f'{name},{start},"duration":1,"fields":[]')],
        "negative": [span(9, rest=f'{name},{start},"duration":-1')],
        "huge": [span(9, rest=f'{name},{start},"duration":31622400000000001'),
                 span(9, rest=f'{name},{start},"duration":99999999999999999999')],
        "no time": [span(9, rest=f'{name},"start":"2026-13-01T00:00:00Z","duration":1'),
                    span(9, rest=f'{name},"start":"now","duration":1')],
        "no id": [span(9).replace(f"{1:032x}", "0" * 32), span(9).replace(f"{9:016x}", "xyz")],
        "nul": ["\0\n", span(9)[:40] + "\0" + span(9)[41:]],
        "not JSON": ["{\n", "]\n", '"text"\n', "[" * 100_000 + "\n", "\x1b[2J\n"],
        "not UTF-8": [b'{"trace_id":"\xff\xfe"}\n'],
        "too long": ["a" * 100_000_000 + "\n"],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.ndjson")
        for what, wrong in lines.items():
            with open(path, "wb") as out:
                for line in [span(1), *wrong, span(2, 1)]:
                    out.write(line if isinstance(line, bytes) else line.encode())
            told = f"{len(wrong)} of {len(wrong) + 2} lines are no spans"
            for words in readers(path):
                status, out, err = run(*words)
                expect(status == 0 and out, f"{what}: {words[0]}: {status} {err}")
                expect(told in err and f"{path}:2: " in err, f"{what}: {words[0]}: {err}")
                expect("\0" not in err and "\x1b" not in err and len(err) < 5000, f"{what}: {err!r}")
            expect(ask(path, "SELECT count(*) AS n FROM spans") == [{"n": 2}], what)

        # Lines that are spans, but strange ones.
        kept = {
            "below itself": (span(1, 2) + span(2, 1), 2),
            "a parent that is not there": (span(1, 7), 1),
            "2 spans are below themselves, and count as": (
                span(1, 2) + span(2, 1) + span(3, 4) + span(4, 3), 4),
            "2 spans have parents that are not there, and count as": (span(1, 7) + span(2, 8), 2),
            "more than once": (span(1) + span(1), 1),
            "": (span(1, rest=f'{name},"start":"2026-01-01T05:30:00+05:30","duration":'
                              "31622400000000000"), 1),
            "broken off": (span(1) + span(2, 1)[:50], 1),
        }
        for told, (text, count) in kept.items():
            pathlib.Path(path).write_text(text)
            for words in readers(path):
                status, out, err = run(*words)
                expect(status == 0 and out and told in err, f"{told}: {words[0]}: {status} {err}")
            rows = ask(path, "SELECT start, self_ns FROM spans")
            expect(len(rows) == count, f"{told}: {rows}")
            expect(all(row["start"].startswith("2026-01-01T00:00:00") for row in rows), rows)


def unreadable():
    with tempfile.TemporaryDirectory() as folder:
        def made(name, data):
            path = os.path.join(folder, name)
            pathlib.Path(path).write_bytes(data)
            return path

        noise = bytes(i * i * 31 % 251 for i in range(3000))
        cases = [
            (made("empty", b""), "empty, no spans"),
            (made("blank", b"\n \n\n"), "empty, no spans"),
            (made("prose", b"all is well\n" * 9), "no span in it"),
            (made("noise", noise), "nothing in it can be read"),
            (made("frame.zst", b"\x28\xb5\x2f\xfd" + noise), "nothing in it can be read"),
            (os.path.join(folder, "none"), "No such file or directory"),
            (folder + "/", "No such file or directory"),
            ("/proc/self/mem", "Input/output error"),
        ]
        for path, told in cases:
            for words in readers(path):
                status, out, err = run(*words)
                expect(status == 1 and not out and told in err, f"{words}: {status} {out}{err}")
                expect(len(err) < 2000, err)
        # A pipe is read to its end, and once.
        pipe = os.path.join(folder, "pipe")
        os.mkfifo(pipe)
        for words in list(readers(pipe))[:4]:
            writer = threading.Thread(
                target=lambda: pathlib.Path(pipe).write_bytes(pathlib.Path(ORIGINAL).read_bytes()))
            writer.start()
            status, out, err = run(*words)
            writer.join()
            expect(status == 0 and out and not err, f"{words}: {status} {err}")


def several():
    """Two builds in one file: what reports, takes the last that began."""
    def build(number, name, hour, compiles):
        line = {"parent_id": "0" * 16, "fields": {"global.build_id": name}}
        yield dict(line, trace_id=f"{number:032x}", span_id=f"{1:016x}", name="build",
                   start=f"2026-01-01T{hour:02}:00:00Z", duration=10**10)
        for i in range(1, compiles + 1):
            yield dict(line, trace_id=f"{number + i:032x}", span_id=f"{1:016x}", name="llamacc",
                       start=f"2026-01-01T{hour:02}:00:0{i}Z", duration=10**9)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "two.ndjson")
        lines = [*build(100, "later", 2, 3), *build(200, "earlier", 1, 1)]
        pathlib.Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines))
        for words, shown, compiles in [((), "later", 3), (("--build", "ear"), "earlier", 1)]:
            status, out, err = run("report", "--json", *words, path)
            expect(status == 0 and f"has 2 builds; shown is {shown} " in err, err)
            report = json.loads(out)
            expect((report["build_id"], report["compiles"], report["other_builds"]) ==
                   (shown, compiles, 1), report)
        status, out, err = run("report", "--build", "none", path)
        expect(status == 1 and not out and "it has later earlier" in err, err)
        expect(ask(path, "SELECT count(*) AS n FROM compiles") == [{"n": 4}], "sql has all")
    # What an unset variable makes of a name is no build.
    for words in (("report", ""), ("report", "--build", "", ORIGINAL)):
        status, out, err = run(*words)
        expect(status == 2 and not out, f"{words}: {status} {err}")


def foreign():
    """Chrome's and OTLP's JSON are read wherever ours is; others are named for what they are."""
    trace = str(HERE / "sql" / "trace.ndjson")
    summary = json.loads(run("report", "--json", "--build", "b1", trace)[1])
    question = ("SELECT trace_id, span_id, parent_id, name, path, start_ns, duration_ns, build, "
                "CASE name WHEN 'build' THEN 0 ELSE self_ns END AS self FROM spans "
                "WHERE name <> 'machine' ORDER BY trace_id, start_ns, span_id")
    spans = ask(trace, question)
    compiles = ask(trace, "SELECT file, output, remote, exec_ns, cost_usd, reason FROM compiles ORDER BY start_ns, file")
    with tempfile.TemporaryDirectory() as folder:
        def made(name, data):
            path = os.path.join(folder, name)
            pathlib.Path(path).write_bytes(data)
            return path

        for kind in ("chrome", "otlp-json"):
            path = os.path.join(folder, kind + ".json")
            expect(run("export", "--format", kind, "-o", path, trace)[0] == 0, kind)
            document = pathlib.Path(path).read_bytes()
            forms = [path, made(kind + ".json.gz", gzip.compress(document))]
            if kind == "chrome":
                forms.append(made("array.json", json.dumps(json.loads(document)["traceEvents"]).encode()))
            else:
                lines = b"".join(json.dumps({"resourceSpans": [part]}).encode() + b"\n"
                                 for part in json.loads(document)["resourceSpans"])
                forms.append(made("lines.json", lines))
                forms.append(made("pretty.json", json.dumps(json.loads(document), indent=1).encode()))
            for form in forms:
                for words in readers(form):
                    status, out, err = run(*words)
                    expect(status == 0 and out and "Error" not in err, f"{words}: {status} {err}")
                got = ask(form, question)
                if form.endswith("array.json"):  # which has no place for when its times begin
                    shift = spans[0]["start_ns"] - got[0]["start_ns"]
                    got = [dict(row, start_ns=row["start_ns"] + shift) for row in got]
                expect(got == spans, f"{form}: {[pair for pair in zip(got, spans) if pair[0] != pair[1]][:1]}")
                expect(ask(form, "SELECT file, output, remote, exec_ns, cost_usd, reason FROM compiles "
                                 "ORDER BY start_ns, file") == compiles, form)
                report = json.loads(run("report", "--json", "--build", "b1", form)[1])
                for key in ("compiles", "remote", "local", "wall_ns", "phases", "cost"):
                    expect(report[key] == summary[key], f"{form}: {key}: {report[key]} and {summary[key]}")
            status, out, err = run("sql", "--csv", "-", "SELECT count(*) FROM spans", stdin=gzip.compress(document))
            expect(status == 0 and int(out.split()[1]) >= len(spans), f"{kind} from a pipe: {out}{err}")
        # What a tool that is not ours writes: clang's -ftime-trace.
        path = made("clang.json", json.dumps({"traceEvents": [
            {"pid": 1, "tid": 1, "ph": "X", "ts": 0, "dur": 3000, "name": "ExecuteCompiler"},
            {"pid": 1, "tid": 1, "ph": "X", "ts": 100, "dur": 2000, "name": "Source", "args": {"detail": "a.h"}},
            {"cat": "", "pid": 1, "tid": 1, "ts": 0, "ph": "M", "name": "process_name", "args": {"name": "clang"}}],
            "beginningOfTime": 1795335650000000}).encode())
        rows = ask(path, "SELECT path, start, duration_ns, detail, process FROM spans ORDER BY start_ns")
        expect(rows == [{"path": "ExecuteCompiler", "start": "2026-11-22T08:20:50.000000000Z", "duration_ns": 3000000,
                         "detail": None, "process": "clang"},
                        {"path": "ExecuteCompiler>Source", "start": "2026-11-22T08:20:50.000100000Z",
                         "duration_ns": 2000000, "detail": "a.h", "process": "clang"}], rows)
        # Where it can't be sent is wrong usage, and found before anything is read.
        for words in (("otlp", "ftp://x"), ("otlp", "localhost:4318"), ("otlp", "http:///v1"), ("chrome", "http://x")):
            status, out, err = run("export", "--format", words[0], "--to", words[1], path)
            expect(status == 2 and not out and "see 'llama help export'" in err, f"{words}: {status} {err}")
        # The others, as llama itself writes them.
        for kind, told in (("jaeger", "Jaeger's JSON"), ("zipkin", "Zipkin's JSON"), ("perfetto", "a protobuf"),
                           ("otlp", "a protobuf"), ("speedscope", "speedscope's"), ("honeycomb", "Honeycomb's"),
                           ("xray", "AWS X-Ray's"), ("sqlite", "an SQLite database")):
            path = os.path.join(folder, kind)
            expect(run("export", "--format", kind, "-o", path, trace)[0] == 0, kind)
            for words in readers(path):
                status, out, err = run(*words)
                expect(status == 1 and not out and f"{path}: not read, since this is {told}" in err,
                       f"{words}: {status} {out[:200]}{err}")


{"foreign": foreign, "original": original, "malformed": malformed, "unreadable": unreadable,
 "several": several}[sys.argv[2]]()
