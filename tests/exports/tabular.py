"""Tabular exports, read by programs that nobody here wrote: python's csv, sqlite3, hyparquet and
DuckDB. What they read is what was in the trace.

    tabular.py csv|ndjson|sqlite|parquet_hyparquet|parquet_duckdb
"""
import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ["LLAMA_E2E_BUILD"])
LLAMA = str(BUILD / "bin" / "llama")
GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden" / "sql" / "trace.ndjson"
SKIPPED = 77

# Whatever a field may be, and is not in every span.
STRANGE = {
    "text": 'a "quoted", word;\r\nand\ta line\u0001\u007f\u0000end', "blanks": "  x ", "empty": "",
    "unicode": "größe 大 \U0001f999", "truth": True, "lie": False, "nothing": None, "zero": 0,
    "large": 9007199254740993, "least": -9223372036854775808, "beyond": 18446744073709551616,
    "real": 0.1, "whole": 2.0, "tiny": 5e-324, "list": [1, "two", None], "tree": {"a": {"b": 1}},
    "it's": "x", 'a"b': 1, "name": "not the span's", "Name": "nor this",
}
MIXED = [1, "1", 1.5, True, None, [1]]  # values of one field
NUMBERS = [1, 2.5]


def expect(condition, what):
    if not condition:
        sys.exit(f"exports: {what}")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def line(number, name, fields):
    return json.dumps({
        "trace_id": f"{5:032x}", "span_id": f"{number:016x}",
        "parent_id": "" if number == 1 else f"{1:016x}", "name": name,
        "start": f"2026-11-22T08:20:50.{number:09d}Z", "duration": 1000 - number,
        "fields": fields}, separators=(",", ":")) + "\n"


def trace(folder):
    """The golden trace, without its line that is no span, and spans with strange fields."""
    path = os.path.join(folder, "trace.ndjson")
    lines = [text for text in GOLDEN.read_text().splitlines(True) if text.startswith("{")]
    lines.append(line(1, "strange, \"name\"", STRANGE))
    for i, value in enumerate(MIXED):
        lines.append(line(2 + i, "mixed", {"mixed": value}))
    for i, value in enumerate(NUMBERS):
        lines.append(line(20 + i, "numbers", {"number": value}))
    pathlib.Path(path).write_text("".join(lines))
    return path


def llama(*words, env=None):
    done = subprocess.run([LLAMA, *words], capture_output=True, timeout=100,
                          env=dict(os.environ, LLAMA_DIR="/nonexistent", **(env or {})))
    expect(done.returncode == 0, f"{words}: {done.returncode} {done.stderr.decode()}")
    return done.stdout.decode()


def spans(path):
    """By trace and span id, as the file has them."""
    read = [json.loads(text) for text in pathlib.Path(path).read_text().splitlines()]
    return {(span["trace_id"], span["span_id"]): span for span in read}


def as_text(value):
    if isinstance(value, (list, dict)):
        return json.dumps(value, separators=(",", ":"))
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def column_of(field):
    return {"name": "name_field", "Name": "Name_field_2"}.get(field, field)


def read_csv(folder):
    path = trace(folder)
    text = llama("export", "--format", "csv", "-o", "-", path)
    expect(text.endswith("\r\n") and text.count("\r\n") == len(spans(path)) + 2, "ends of lines")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    wanted = spans(path)
    expect(len(rows) == len(wanted), len(rows))
    for row in rows:
        span = wanted[row["trace_id"], row["span_id"]]
        expect(None not in row and None not in row.values(), row)
        for key in ("name", "parent_id", "start"):
            expect(row[key] == span[key], f"{key}: {row[key]!r}, {span[key]!r}")
        expect(int(row["duration_ns"]) == span["duration"], row)
        for field, value in span["fields"].items():
            shown = row[column_of(field)]
            same = float(shown) == value if isinstance(value, float) else shown == as_text(value)
            expect(same, f"{field}: {shown!r}, {value!r}")
        filled = sum(1 for key in list(row)[12:] if row[key] != "")
        told = [value for value in span["fields"].values() if value is not None and value != ""]
        expect(filled == len(told), row)


def refused(*words):
    done = subprocess.run([LLAMA, "export", *words], capture_output=True, text=True, timeout=100)
    expect(done.returncode == 2, f"{words}: {done.returncode} {done.stderr}")
    return done.stderr


def read_ndjson(folder):
    path = trace(folder)
    unwritten = os.path.join(folder, "unwritten")
    for words, message in ((["--format", "csv", "--corrected-clocks"], "--corrected-clocks is for ndjson, not for csv"),
                           (["--format", "ndjson", "--duckdb", "x"], "--duckdb is for parquet, not for ndjson"),
                           (["--format", "csv", "--no-gzip"], "--no-gzip needs a --to URL")):
        told = refused(*words, "-o", unwritten, path)
        expect(message in told and not os.path.exists(unwritten), f"{words}: {told}")
    again = os.path.join(folder, "again.ndjson")
    llama("export", "--format", "ndjson", "-o", again, path)
    expect(spans(again) == spans(path), "not what was exported")
    for key, span in spans(again).items():
        kinds = {field: type(value) for field, value in span["fields"].items()}
        expect(kinds == {f: type(v) for f, v in spans(path)[key]["fields"].items()}, kinds)
    thrice = llama("export", "--format", "ndjson", "-o", "-", again)
    expect(thrice == pathlib.Path(again).read_text(), "the second export is another")


def read_sqlite(folder):
    program = shutil.which("sqlite3")
    if program is None:
        skip("no sqlite3")
    path = trace(folder)
    database = os.path.join(folder, "build.db")
    llama("export", "--format", "sqlite", "-o", database, path)

    def ask(sql):
        done = subprocess.run([program, "-readonly", "-json", database, sql], capture_output=True,
                              text=True, timeout=60)
        expect(done.returncode == 0, f"{sql}: {done.stderr}")
        return json.loads(done.stdout or "[]")

    expect(ask("PRAGMA integrity_check") == [{"integrity_check": "ok"}], "integrity")
    expect(ask("PRAGMA foreign_key_check") == [], "foreign keys")
    wanted = spans(path)
    rows = ask("SELECT s.*, p.span_id AS above FROM spans s LEFT JOIN spans p ON s.parent = p.id")
    expect(len(rows) == len(wanted), len(rows))
    for row in rows:
        span = wanted[row["trace_id"], row["span_id"]]
        expect((row["name"], row["duration_ns"], row["above"] or "") ==
               (span["name"], span["duration"], span["parent_id"]), row)
        expect(json.loads(row["fields"]) == span["fields"], row["fields"])
    # The views answer as llama sql does.
    for table, order in (("compiles", "id"), ("builds", "build"), ("machine", "start_ns"),
                         ("phases", "build, name"), ("commands", "id")):
        sql = f"SELECT * FROM {table} ORDER BY {order}"
        here = json.loads(llama("sql", "--json", path, sql))
        there = ask(sql)
        expect(len(here) == len(there), f"{table}: {len(here)} rows, {len(there)}")
        for a, b in zip(here, there):
            expect(list(a) == list(b), f"{table}: {list(a)}, {list(b)}")
            for key in a:
                x, y = a[key], b[key]
                if isinstance(x, (dict, list)):
                    y = json.loads(y)
                close = isinstance(x, float) and abs(x - y) <= 1e-9 * max(abs(x), 1)
                expect(x == y or close, f"{table}.{key}: {x!r}, {y!r}")
        # Also of a number with a text that reads as one.
        terms = ", ".join(f"sum(\"{key}\" = '{value}') AS \"{key}\"" for key, value in here[0].items()
                          if isinstance(value, int)) if here else "1"
        sql = f"SELECT {terms} FROM {table}"
        expect(json.loads(llama("sql", "--json", path, sql)) == ask(sql), f"{table}: {ask(sql)}")
    expect(len(ask("SELECT * FROM compiles")) == 7, "compiles")
    # Part of it is whole in itself.
    llama("export", "--format", "sqlite", "--top", "1", "--no-args", "-o", database, path)
    expect(ask("SELECT count(*) AS n, count(DISTINCT trace_id) AS t, max(fields) AS f FROM spans")
           == [{"n": 6, "t": 1, "f": "{}"}], "the slowest trace")
    expect([row["file"] for row in ask("SELECT file FROM compiles")] == ["a.c"], "one compile")
    expect(ask("PRAGMA foreign_key_check") == [], "foreign keys")


def duckdb_library():
    for root in (BUILD / "node_modules", pathlib.Path(os.environ.get("LLAMA_NODE_MODULES", "/"))):
        found = root / "@duckdb" / "node-bindings-linux-x64" / "libduckdb.so"
        if found.exists():
            return str(found)
    return skip("no DuckDB library; tools/node_packages.sh gets one")


def node(script, *words):
    program = shutil.which("node")
    if program is None:
        skip("no node")
    done = subprocess.run([program, "--input-type=module", "-e", script, "--", *words],
                          capture_output=True, text=True, timeout=100)
    expect(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


def check_table(rows, path):
    wanted = spans(path)
    expect(len(rows) == len(wanted), len(rows))
    for row in rows:
        span = wanted[row["trace_id"], row["span_id"]]
        expect((row["name"], row["parent_id"] or "", int(row["duration_ns"])) ==
               (span["name"], span["parent_id"], span["duration"]), row)
        expect(int(row["start_ns"]) % 10**9 == int(span["start"][20:29]), row["start_ns"])
        for field, value in span["fields"].items():
            shown = row[column_of(field)]
            if field == "mixed":
                expect(value is None and shown is None or json.loads(shown) == value, shown)
            elif isinstance(value, (list, dict)) or field == "beyond":
                expect(json.loads(shown) == value, f"{field}: {shown!r}")
            elif isinstance(value, bool) or value is None or isinstance(value, str):
                expect(shown == value, f"{field}: {shown!r}, {value!r}")
            else:  # integers come as text, so that none is rounded
                same = float(shown) == value if isinstance(value, float) else int(shown) == value
                expect(same, f"{field}: {shown!r}, {value!r}")


def written(folder):
    path = trace(folder)
    table = os.path.join(folder, "it's.parquet")
    llama("export", "--format", "parquet", "-o", table, path,
          env={"LLAMA_DUCKDB": duckdb_library()})
    return path, table


def read_parquet_hyparquet(folder):
    library = pathlib.Path(duckdb_library())
    reader = library.parents[2] / "hyparquet" / "src" / "node.js"
    if not reader.exists():
        skip("no hyparquet; tools/node_packages.sh gets it")
    path, table = written(folder)
    check_table(node("""
        const { asyncBufferFromFile, parquetReadObjects } = await import(process.argv[1]);
        const rows = await parquetReadObjects({ file: await asyncBufferFromFile(process.argv[2]) });
        const plain = (_, v) => typeof v === "bigint" ? String(v) : v;
        console.log(JSON.stringify(rows, plain));
    """, str(reader), table), path)


def read_parquet_duckdb(folder):
    library = pathlib.Path(duckdb_library())
    path, table = written(folder)
    # DuckDB itself, by its C interface.
    import ctypes
    duckdb = ctypes.CDLL(str(library))

    class Result(ctypes.Structure):
        _fields_ = [("a", ctypes.c_uint64), ("b", ctypes.c_uint64), ("c", ctypes.c_uint64),
                    ("d", ctypes.c_void_p), ("e", ctypes.c_void_p), ("f", ctypes.c_void_p)]

    database, connection, result = ctypes.c_void_p(), ctypes.c_void_p(), Result()
    duckdb.duckdb_value_varchar.restype = ctypes.c_void_p
    duckdb.duckdb_value_varchar.argtypes = [ctypes.POINTER(Result), ctypes.c_uint64,
                                            ctypes.c_uint64]
    duckdb.duckdb_result_error.restype = ctypes.c_char_p
    expect(duckdb.duckdb_open(None, ctypes.byref(database)) == 0, "duckdb_open")
    expect(duckdb.duckdb_connect(database, ctypes.byref(connection)) == 0, "duckdb_connect")

    def ask(sql):
        failed = duckdb.duckdb_query(connection, sql.encode(), ctypes.byref(result))
        expect(failed == 0, duckdb.duckdb_result_error(ctypes.byref(result)))
        text = duckdb.duckdb_value_varchar(ctypes.byref(result), 0, 0)
        return ctypes.string_at(text).decode()

    quoted = "'" + table.replace("'", "''") + "'"
    wanted = spans(path)
    expect(ask(f"SELECT count(*) FROM {quoted}") == str(len(wanted)), "rows")
    total = sum(span["duration"] for span in wanted.values())
    expect(ask(f"SELECT sum(duration_ns) FROM {quoted}") == str(total), "durations")
    expect(ask(f"SELECT least FROM {quoted} WHERE least IS NOT NULL") == str(STRANGE["least"]),
           "the least integer")
    expect(ask(f"SELECT typeof(start) FROM {quoted} LIMIT 1") == "TIMESTAMP_NS", "type of start")
    types = ask("SELECT string_agg(column_name || ' ' || column_type, ', ' ORDER BY column_name) "
                f"FROM (DESCRIBE SELECT truth, large, real, mixed, number, list FROM {quoted})")
    expect(types == "large BIGINT, list VARCHAR, mixed VARCHAR, number DOUBLE, real DOUBLE, "
                    "truth BOOLEAN", types)


with tempfile.TemporaryDirectory() as scene:
    {"csv": read_csv, "ndjson": read_ndjson, "sqlite": read_sqlite,
     "parquet_hyparquet": read_parquet_hyparquet,
     "parquet_duckdb": read_parquet_duckdb}[sys.argv[1]](scene)
