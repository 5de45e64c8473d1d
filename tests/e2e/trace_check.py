"""Reads a build's trace and checks what docs/trace_format.md promises of it.

Independent of llama's own reader on purpose: zstd's command line and a JSON parser are all it uses.

    trace_check.py BUILD-FOLDER     prints what is wrong, or the counts
"""
import collections
import datetime
import json
import pathlib
import subprocess
import sys

ROOT = "llamacc"
COVERED = 0.95


class Compile:
    """One trace of a compile: its root span, and all of its spans."""

    def __init__(self, root, spans):
        self.root, self.spans = root, spans
        self.fields = root["fields"]
        self.remote = self.fields.get("remote") is True
        self.reason = self.fields.get("reason", "")
        self.source = self.fields.get("source", "")

    def describe(self):
        return "remote" if self.remote else "local:" + self.reason


def start_ns(span):
    """Nanoseconds since the epoch of an RFC 3339 time with up to nine digits."""
    text, fraction = span["start"].rstrip("Z"), "0"
    if "." in text:
        text, fraction = text.split(".")
    seconds = datetime.datetime.fromisoformat(text + "+00:00").timestamp()
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


def read_build(folder):
    """Every span below a build's folder; fails on a whole line that is no JSON."""
    spans = []
    for path in sorted(pathlib.Path(folder).glob("*.zst")):
        # A daemon that was killed may leave a file that ends in mid-frame: what is before it counts.
        text = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False).stdout
        spans += [json.loads(line) for line in text[:text.rfind(b"\n") + 1].split(b"\n") if line]
    for span in spans:
        span["begin"] = start_ns(span)
        span["end"] = span["begin"] + span["duration"]
    return spans


def by_trace(spans):
    traces = collections.defaultdict(list)
    for span in spans:
        traces[span["trace_id"]].append(span)
    return traces


def is_root(span, ids):
    return span["parent_id"] not in ids and span["name"] in (ROOT, "build")


def compiles(spans):
    found = []
    for trace in by_trace(spans).values():
        roots = [s for s in trace if s["name"] == ROOT]
        found += [Compile(root, trace) for root in roots]
    return sorted(found, key=lambda c: c.root["begin"])


def covered(root, children):
    """The share of root's duration in which one of its children was under way."""
    total, reached = 0, root["begin"]
    for child in sorted(children, key=lambda s: s["begin"]):
        total += max(0, child["end"] - max(child["begin"], reached))
        reached = max(reached, child["end"])
    return total / max(1, root["duration"])


def check_trace(trace):
    """The faults of one trace: it must be one tree with every child inside its parent."""
    ids = {s["span_id"]: s for s in trace}
    faults = []
    if len(ids) != len(trace):
        faults.append("a span id occurs twice")
    roots = [s for s in trace if is_root(s, ids)]
    if len(roots) != 1:
        faults.append(f"{len(roots)} roots")
    for span in trace:
        parent = ids.get(span["parent_id"])
        if parent is None:
            if span not in roots:
                faults.append(f"{span['name']} is an orphan")
        elif span["begin"] < parent["begin"] or span["end"] > parent["end"]:
            early, late = parent["begin"] - span["begin"], span["end"] - parent["end"]
            faults.append(f"{span['name']} reaches {max(early, late)} ns out of {parent['name']}")
    return faults


def check_compile(compile_):
    faults = check_trace(compile_.spans)
    root = compile_.root
    if compile_.remote:
        children = [s for s in compile_.spans if s["parent_id"] == root["span_id"]]
        share = covered(root, children)
        if share < COVERED:
            names = ", ".join(s["name"] for s in children)
            faults.append(f"phases cover {share:.1%} of {root['duration']} ns: {names}")
        if not any(s["name"] == "exec" for s in compile_.spans):
            faults.append("no span of the worker's exec")
    elif not compile_.reason:
        faults.append("ran locally without a reason")
    return [f"{compile_.source or root['span_id']}: {fault}" for fault in faults]


def check_build(spans, killed=False):
    """Every fault of a build's trace. A killed daemon may leave compiles without their root."""
    faults = []
    for compile_ in compiles(spans):
        faults += check_compile(compile_)
    if not killed:
        for trace_id, trace in by_trace(spans).items():
            if not any(s["name"] in (ROOT, "build") for s in trace):
                faults.append(f"trace {trace_id} has no root: {[s['name'] for s in trace]}")
    builds = [s for s in spans if s["name"] == "build"]
    if len(builds) != 1:
        faults.append(f"{len(builds)} build spans")
    return faults


def main():
    spans = read_build(sys.argv[1])
    faults = check_build(spans)
    found = compiles(spans)
    print("\n".join(faults) if faults else
          f"{len(spans)} spans, {sum(c.remote for c in found)} remote compiles, "
          f"{sum(not c.remote for c in found)} local ones")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
