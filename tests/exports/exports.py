"""Exports of llama in readers that nobody here wrote, and against schemas of what they read.

    exports.py LLAMA BUILD-FOLDER schemas|perfetto|otlp|trace_engine|chromium|sending
"""
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

import receiver

HERE = pathlib.Path(__file__).resolve().parent
LLAMA, BUILD = sys.argv[1], pathlib.Path(sys.argv[2])
SKIPPED = 77
START_NS = 1_795_335_650_000_000_000


class Trace:
    """A build of made-up compiles: some in workers, some with children that overlap each other."""

    def __init__(self, compiles=120):
        self.random = random.Random(7)
        self.spans = []
        self.build = self.add(1, None, "build", 0, 4_000_000_000, {"global.build_id": "b", "name": "made \"up\""})
        for second in range(4):
            self.add(1, self.build, "machine", second * 10**9, 10**9, {"cpu.user_ns": second * 10**8, "workers": 3})
        for number in range(compiles):
            self.add_compile(2 + number)

    def add(self, trace, parent, name, start, duration, fields=None):
        span = {"trace_id": f"{trace:032x}", "span_id": f"{len(self.spans) + 1:016x}",
                "parent_id": parent["span_id"] if parent else "", "name": name,
                "start": self.time(start), "duration": duration, "fields": fields or {}, "at": start}
        self.spans.append(span)
        return span

    @staticmethod
    def time(ns):
        seconds, rest = divmod(START_NS + ns, 10**9)
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"

    def add_compile(self, trace):
        start, length = self.random.randrange(3 * 10**9), self.random.randrange(1000, 900_000_000)
        root = self.add(trace, None, "llamacc", start, length,
                        {"global.build_id": "b", "source": f"src/ünit <{trace}>.c", "remote": True,
                         "link.trace_id": self.build["trace_id"], "link.span_id": self.build["span_id"]})
        invoke = self.add(trace, root, "invoke", start, length // 2, {"function": "local", "cost_usd": 1.5e-7})
        self.add(trace, invoke, "worker", start + 10, length // 4, {"worker_id": f"w{trace % 3}", "cold_start": False})
        for _ in range(self.random.randrange(4)):  # at the same time as each other, and beyond the root
            self.add(trace, root, "fetch", start + self.random.randrange(length), self.random.randrange(length),
                     {"list": [1, {"a": None}], "none": None, "error": "it's gone\x1b[31m", "big": 2**60})

    def text(self):
        keys = ("trace_id", "span_id", "parent_id", "name", "start", "duration", "fields")
        return "".join(json.dumps({key: span[key] for key in keys}) + "\n" for span in self.spans)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def expect(condition, what):
    if not condition:
        sys.exit(f"exports: {what}")


def node(script, *words):
    if not shutil.which("node"):
        skip("no node here")
    modules = os.environ.get("NODE_PATH") or str(BUILD / "node_modules")
    done = subprocess.run(["node", str(HERE / script), *map(str, words)], capture_output=True, text=True, timeout=200,
                          env=dict(os.environ, NODE_PATH=modules))
    if done.returncode == SKIPPED:
        skip(done.stderr.strip())
    expect(done.returncode == 0, f"{script}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


class Scene:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.trace = Trace()
        self.file = self.folder / "trace.ndjson"
        self.file.write_text(self.trace.text())

    def run(self, *words, env=None):
        return subprocess.run([LLAMA, "export", *map(str, words), str(self.file)], capture_output=True, text=True,
                              timeout=120, env=dict(os.environ, LLAMA_DIR=str(self.folder), **(env or {})))

    def export(self, name, *words):
        path = self.folder / f"out.{name}"
        done = self.run("--format", name, *words, "-o", path)
        expect(done.returncode == 0, f"{name}: {done.stderr}")
        return path

    def named(self, name):
        return [span for span in self.trace.spans if span["name"] == name]


def validate(documents, schema):
    try:
        import jsonschema
    except ImportError:
        skip("no python3-jsonschema here")
    validator = jsonschema.Draft202012Validator(json.loads((HERE / "schemas" / f"{schema}.json").read_text()))
    for document in documents:
        for wrong in validator.iter_errors(document):
            sys.exit(f"exports: {schema}: {wrong.json_path}: {wrong.message[:500]}")


def schemas(scene):
    wanted = sorted(span["span_id"] for span in scene.trace.spans)
    zipkin = json.loads(scene.export("zipkin").read_text())
    validate([zipkin], "zipkin")
    expect(sorted(span["id"] for span in zipkin) == wanted, "zipkin: other spans")
    honeycomb = json.loads(scene.export("honeycomb").read_text())
    validate([honeycomb], "honeycomb")
    expect(sorted(event["data"]["trace.span_id"] for event in honeycomb) == wanted, "honeycomb: other spans")
    xray = [json.loads(line) for line in scene.export("xray").read_text().splitlines()]
    validate(xray, "xray")
    expect(sorted(document["id"] for document in xray) == wanted, "xray: other spans")
    jaeger = json.loads(scene.export("jaeger").read_text())
    validate([jaeger], "jaeger")
    found = [span for trace in jaeger["data"] for span in trace["spans"]]
    expect(sorted(span["spanID"] for span in found) == wanted, "jaeger: other spans")
    for trace in jaeger["data"]:
        expect({span["processID"] for span in trace["spans"]} <= set(trace["processes"]), "jaeger: unknown process")


def blocks(text):
    """Protobuf's text format as nested lists of (key, value)."""
    top = []
    stack = [top]
    for line in text.splitlines():
        line = line.strip()
        if line.endswith("{"):
            stack[-1].append((line[:-1].strip(), []))
            stack.append(stack[-1][-1][1])
        elif line == "}":
            stack.pop()
        elif line:
            key, value = line.split(":", 1)
            stack[-1].append((key, value.strip()))
    return top


def check_nesting(packets):
    """As Perfetto does: by time, and of the same time in the file's order."""
    tracks, open_slices, begun = {}, {}, 0
    for packet in packets:
        descriptor = packet.get("track_descriptor")
        if descriptor is not None:
            tracks[dict(descriptor)["uuid"]] = dict(descriptor)
    events = [(int(packet.get("timestamp", "0")), dict(packet["track_event"])) for packet in packets
              if "track_event" in packet]
    for time, event in sorted(events, key=lambda entry: entry[0]):
        track = tracks.get(event["track_uuid"])
        expect(track is not None, "perfetto: a track that was not described")
        slices = open_slices.setdefault(event["track_uuid"], [])
        if event["type"] == "SLICE_BEGIN":
            begun += 1
            slices.append(time)
        elif event["type"] == "SLICE_END":
            expect(slices and slices.pop() <= time, "perfetto: an end without a beginning")
        else:
            expect(event["type"] == "COUNTER" and "counter" in track, "perfetto: a counter on no counter's track")
    expect(not any(open_slices.values()), "perfetto: slices without an end")
    return begun, tracks


def perfetto(scene):
    if not shutil.which("protoc"):
        skip("no protoc here")

    def decode(path):
        done = subprocess.run(["protoc", f"--proto_path={HERE}", "--decode=Trace", str(HERE / "perfetto.proto")],
                              input=path.read_bytes(), capture_output=True, timeout=120)
        expect(done.returncode == 0, f"perfetto: {done.stderr}")
        text = done.stdout.decode()
        expect(not re.search(r"^\s*\d+[: ]", text, re.M), "perfetto: fields that the schema does not know")
        return [dict(packet) for _, packet in blocks(text)]

    packets = decode(scene.export("perfetto"))
    begun, tracks = check_nesting(packets)
    slices = len(scene.trace.spans) - len(scene.named("machine"))
    expect(begun == slices, f"perfetto: {begun} slices of {slices}")
    names = {track.get("name") for track in tracks.values()}
    expect({'"build"', '"job 1"', '"overlapping 1"', '"in flight"', '"workers"'} <= names, f"perfetto: {names}")
    # Cut anywhere, it still nests.
    whole = scene.export("perfetto").stat().st_size
    for limit in range(1000, whole, whole // 7):
        path = scene.export("perfetto", "--max-bytes", limit)
        expect(path.stat().st_size <= limit, f"perfetto: more than {limit} bytes")
        check_nesting(decode(path))


def otlp(scene):
    for name, encoding in (("otlp", "pb"), ("otlp-json", "json")):
        spans = {span["id"]: span for span in node("otlp.cjs", scene.export(name), encoding)}
        expect(len(spans) == len(scene.trace.spans), f"{name}: {len(spans)} spans")
        for span in scene.trace.spans:
            found = spans[span["span_id"]]
            start = START_NS + span["at"]
            expect((found["trace"], found["parent"], found["name"], found["start"], found["end"], found["attributes"])
                   == (span["trace_id"], span["parent_id"], span["name"], str(start), str(start + span["duration"]),
                       len(span["fields"])), f"{name}: {found} for {span}")
            expect(found["service"] == ("llama-runtime" if span["name"] == "worker" else "llama"), f"{name}: {found}")


def trace_engine(scene):
    threads = node("trace_engine.mjs", scene.export("chrome"))
    entries = [entry for thread in threads for entry in thread["entries"]]
    expect(len(entries) == len(scene.trace.spans) - len(scene.named("machine")), f"chrome: {len(entries)} entries")
    for thread in threads:
        ends = []  # exactly: DevTools does not draw a slice that ends a hair after the next begins
        for entry in sorted(thread["entries"], key=lambda e: (e["ts"], -e["dur"])):
            while ends and ends[-1] <= entry["ts"]:
                ends.pop()
            expect(not ends or entry["ts"] + entry["dur"] <= ends[-1], f"chrome: {entry} does not nest")
            ends.append(entry["ts"] + entry["dur"])


def chromium(scene):
    if not os.path.exists(os.environ.get("CHROMIUM", "/usr/bin/chromium")):
        skip("no chromium here")
    profile = scene.export("speedscope")
    said = node("viewers.mjs", "speedscope", profile, scene.folder / "speedscope.png")
    expect(not said["wrong"] and said["title"].startswith("all jobs, summed"), f"speedscope: {said}")
    profiles = len(json.loads(profile.read_text())["profiles"])
    expect(f"(1/{profiles})" in said["text"], f"speedscope: {said}")
    expect(node("viewers.mjs", "devtools", scene.export("chrome"), scene.folder / "devtools.png")["loaded"], "DevTools")


def sending(scene):
    wanted = len(scene.trace.spans)
    for name in ("otlp-json", "zipkin", "honeycomb", "otlp"):
        for compressed in (True, False):
            with receiver.Receiver(fail_first=2) as server:
                words = ["--format", name, "--to", server.url, "--header-env", "X-Key=THE_KEY"]
                done = scene.run(*words, *([] if compressed else ["--no-gzip"]), env={"THE_KEY": "s3cret"})
            expect(done.returncode == 0, f"{name}: {done.stderr}")
            expect("s3cret" not in done.stdout + done.stderr, f"{name} shows the key")
            expect("2 retries" in done.stderr, f"{name}: {done.stderr}")
            expect({request.path for request in server.taken} == {receiver.PATHS[name]}, f"{name}: path")
            for request in server.taken:
                expect(request.headers["x-key"] == "s3cret" and request.compressed == compressed, f"{name}: headers")
            check_sent(scene, name, server.taken, wanted)
    with receiver.Receiver(refuse=True) as server:
        done = scene.run("--format", "honeycomb", "--to", server.url)
        expect(done.returncode == 1 and "refused 1 span" in done.stderr, done.stderr)
    with receiver.Receiver(fail_first=1, status=401) as server:
        done = scene.run("--format", "otlp", "--to", server.url)
        expect(done.returncode == 1 and "401" in done.stderr and len(server.seen) == 1, done.stderr)


def check_sent(scene, name, taken, wanted):
    if name in ("zipkin", "honeycomb"):
        batches = [json.loads(request.body) for request in taken]
        validate(batches, name)
        expect(sum(map(len, batches)) == wanted, f"{name}: {sum(map(len, batches))} spans of {wanted}")
    elif name == "otlp-json":
        spans = [span for request in taken for resource in json.loads(request.body)["resourceSpans"]
                 for scope in resource["scopeSpans"] for span in scope["spans"]]
        expect(len({span["spanId"] for span in spans}) == wanted, f"{name}: {len(spans)} spans of {wanted}")
    else:
        # Pieces of a protobuf message, one after the other, are the message.
        body = b"".join(request.body for request in taken)
        expect(body == scene.export("otlp").read_bytes(), "otlp: not what the file holds")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="llama-exports-") as scratch:
        {"schemas": schemas, "perfetto": perfetto, "otlp": otlp, "trace_engine": trace_engine,
         "chromium": chromium, "sending": sending}[sys.argv[3]](Scene(scratch))
