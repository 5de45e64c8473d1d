"""The daemon's metrics, as a scraper meets them: read by a parser that holds them to the text
exposition format 0.0.4 and to Prometheus' rules for names, as promtool does.

    metrics.py LLAMA LLAMACC
"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

LLAMA, LLAMACC = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:3])
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.]+(?:[eE][+-]?[0-9]+)?)")
UNITS = {"seconds", "bytes", "ratio", "usd"}
# Of what is not counted in a base unit, and so has to end otherwise.
FORBIDDEN = ("_ms", "_milliseconds", "_ns", "_nanoseconds", "_kb", "_kilobytes", "_minutes", "_percent", "_count",
             "_sum", "_bucket", "_gauge", "_counter")


def expect(condition, what):
    if not condition:
        sys.exit(f"golden metrics: {what}")


def parse(text):
    """{(name, labels): value}; fails for whatever breaks a rule."""
    expect(text.endswith("\n") and "\r" not in text, "the last line has no end")
    samples, types, helps, current = {}, {}, {}, None
    for line in text.splitlines():
        if meta := re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.+)", line):
            kind, name, rest = meta.groups()
            known = helps if kind == "HELP" else types
            expect(name not in known, f"a second {kind}: {line}")
            expect(kind == "HELP" or rest in ("counter", "gauge"), line)
            expect(kind == "HELP" or name in helps and current == name, f"TYPE without HELP before it: {line}")
            expect(kind == "TYPE" or not any(key[0] == name for key in samples), f"HELP after samples: {line}")
            known[name] = rest
            current = name
            continue
        expect(not line.startswith("#") and line, f"neither comment nor sample: {line!r}")
        sample = SAMPLE.fullmatch(line)
        expect(sample, f"no sample: {line!r}")
        name, labels, value = sample.group(1), sample.group(2) or "", float(sample.group(sample.lastindex))
        expect(name == current and name in types, f"not with its HELP and TYPE: {line}")
        pairs = tuple(sorted((found[0], found[1]) for found in re.findall(LABEL, labels)))
        expect(len(dict(pairs)) == len(pairs), f"a label twice: {line}")
        expect(not any(label.startswith("__") for label, _ in pairs), f"a reserved label: {line}")
        expect((name, pairs) not in samples, f"a sample twice: {line}")
        samples[name, pairs] = value
    check_names(samples, types)
    return samples


def check_names(samples, types):
    for name, kind in types.items():
        expect(name.startswith("llama_") and name == name.lower(), name)
        expect(name.endswith("_total") == (kind == "counter"), f"{name} is a {kind}")
        stem = name.removesuffix("_total")
        expect(not stem.endswith(FORBIDDEN) and "__" not in name, name)
        for unit in UNITS:
            expect(unit not in stem.split("_") or stem.endswith(unit), f"{name}: the unit comes last")
    labels = {}
    for (name, pairs), value in samples.items():
        expect(types[name] != "counter" or value >= 0, f"{name} {value}")
        names = tuple(label for label, _ in pairs)
        expect(labels.setdefault(name, names) == names, f"{name}: labels differ")


def parser_is_strict():
    good = '# HELP llama_x_total X.\n# TYPE llama_x_total counter\nllama_x_total{a="b"} 1\n'
    for old, new in (("llama_x_total{", "llama_y_total{"), ("} 1", "} one"), ('a="b"', 'a="b'), ("\n# TYPE", "\n#TYPE"),
                     (" counter", " gauge"), ('{a="b"}', '{a="b",a="c"}'), ("1\n", "1"), ("} 1\n", "} 1\n\n"),
                     ("} 1\n", '} 1\nllama_x_total{a="b"} 2\n'), ("} 1\n", '} 1\nllama_x_total 2\n')):
        broken = subprocess.run([sys.executable, "-B", __file__, LLAMA, LLAMACC, "--parse"], text=True,
                                input=good.replace(old, new), capture_output=True, timeout=60)
        expect(broken.returncode == 1, f"took {good.replace(old, new)!r}")
    expect(parse(good) == {("llama_x_total", (("a", "b"),)): 1}, "the good one")


def scrape(path, request):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(path)
        client.sendall(request)
        answer = b""
        while part := client.recv(65536):
            answer += part
        return answer.decode()


def main():
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, LLAMA_DIR=f"{folder}/state", LLAMACC_LOCAL_CC="cc")

        def run(*words, status=0):
            done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
            expect(done.returncode == status, f"{words}: {done.returncode} {done.stderr}")
            return done.stdout if status == 0 else done.stderr

        expect("llama daemon: " in run(LLAMA, "daemon", "metrics", status=1), "without a daemon")
        run(LLAMA, "daemon", "start")
        try:
            before = parse(run(LLAMA, "daemon", "metrics"))
            expect(before["llama_builds_running", ()] == 0 and before["llama_daemon_connections", ()] == 1, before)
            pathlib.Path(folder, "a.c").write_text("int main(void) { return 0; }\n")
            run(LLAMACC, "-c", "a.c", "-o", "a.o")
            run(LLAMACC, "a.o", "-o", "a")
            # The compiler has replaced the wrapper; the daemon hears of its end by the hang-up.
            for _ in range(100):
                after = parse(run(LLAMA, "daemon", "metrics"))
                ended = {pairs: value for (name, pairs), value in after.items() if name == "llama_jobs_total"}
                if sum(ended.values()) == 2:
                    break
            outcomes = {dict(pairs)["outcome"]: value for pairs, value in ended.items()}
            expect(ended[(("outcome", "local"), ("reason", "link"))] == 1, ended)
            expect(sum(outcomes.values()) == 2, ended)
            if "remote" in outcomes:
                expect(after["llama_sent_bytes_total", ()] > 0 and after["llama_cold_starts_total", ()] == 1, after)
                expect(sum(value for (name, _), value in after.items()
                           if name == "llama_remote_cpu_seconds_total") > 0, after)
            for key, value in before.items():
                expect(not key[0].endswith("_total") or after[key] >= value, f"{key} fell")
            # Over the socket, as a scraper gets it.
            path = f"{folder}/state/run/daemon.sock"
            head, body = scrape(path, b"GET /metrics HTTP/1.1\r\nHost: llama\r\nAccept: */*\r\n\r\n").split("\r\n\r\n", 1)
            expect(head.startswith("HTTP/1.1 200 ") and
                   "Content-Type: text/plain; version=0.0.4; charset=utf-8" in head and
                   f"Content-Length: {len(body.encode())}" in head, head)
            expect({key[0] for key in parse(body)} == {key[0] for key in after}, "the same")
            expect(scrape(path, b"GET / HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 404 "), "404")
            documented = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
            for name in {key[0] for key in after}:
                expect(f"`{name}`" in documented, f"docs/operations.md has no {name}")
        finally:
            run(LLAMA, "daemon", "stop")


if sys.argv[3:] == ["--parse"]:
    parse(sys.stdin.read())
else:
    parser_is_strict()
    main()
