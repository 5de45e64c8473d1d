"""Traces made to cost much: small files that would take memory or time out of proportion.

    hostile_traces.py LLAMA usual|all [ATTACK...]

Each attack is read by commands that read traces: the usual ones, or all in all their ways. Whatever the command makes of it, it ends within
MEGABYTES of memory and SECONDS of processor time, and not by a signal. What costs out of proportion costs ten times as much and more: so the usual
ones are given SLACK times as long, on machines of which nobody knows how slow they are, or what else they do.
"""
import gzip
import os
import shutil
import subprocess
import sys
import tempfile

LLAMA, IS_ALL = sys.argv[1], sys.argv[2] == "all"
MEGABYTES, SECONDS, SLACK = 300, 3, 3
START = '"start":"2026-01-01T00:00:00Z","duration":1'


def expect(condition, what):
    if not condition:
        sys.exit(f"golden traces: {what}")


def zipped(unit, megabytes, head="", tail=""):
    """A document of so many bytes in gzip: 260 MB of one text take 260 kB."""
    count = (megabytes << 20) // len(unit)
    return gzip.compress((head + unit * count + tail).encode(), 9)


def lines(count, line):
    return "".join(line(i) for i in range(1, count + 1)).encode()


def span(i, parent=0, trace=1, name="x", rest=""):
    above = f"{parent:016x}" if parent else ""
    return (f'{{"trace_id":"{trace:032x}","span_id":"{i:016x}","parent_id":"{above}","name":"{name}",{START}'
            f'{rest}}}\n')


def zstd(data):
    return subprocess.run(["zstd", "-19", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def zstd_zeros(gigabytes):
    """A frame of RLE blocks: 4 bytes are 128 KiB of newlines."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0x00, 0x58])  # no content size, window of 2 MiB
    block = ((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"\n"
    count = (gigabytes << 30) // (128 << 10)
    return head + block * (count - 1) + ((128 << 10) << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\n"


def broken_frames():
    """Frames that break after 64 MiB each, one inside the other's end."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0x00, 0x58])
    block = ((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"\n"
    return (head + block * 512 + b"\xff\xff\xff") * 100


def shuffled_fields(count, fields):
    """Every line has its fields in another order."""
    import random
    chance = random.Random(1)
    names = [f"{i:x}" for i in range(4000)]
    def line(i):
        chosen = chance.sample(names, fields)
        return span(i, rest=',"fields":{' + ",".join(f'"{name}":1' for name in chosen) + "}")
    return lines(count, line)


def field_rows(count):
    """Four thousand columns of numbers, all of them in each line."""
    fields = ',"fields":{' + ",".join(f'"{i:x}":1' for i in range(4090)) + "}"
    return lines(count, lambda i: span(i, rest=fields))


def texts(count):
    return lines(count, lambda i: span(i, rest=',"fields":{' + ",".join(
        f'"{field}":"{i:x}{field}"' for field in "abcdefghijkl") + "}"))


def compiles(count):
    """Each a unit of its own."""
    return lines(count, lambda i: span(i, trace=i, name="llamacc",
                                       rest=f',"fields":{{"source":"/x/{i}.c","remote":true,"cwd":"/x"}}'))


def build_of(count):
    build = span(1, trace=7, name="build", rest=',"fields":{"global.build_id":"b1","command":"make"}')
    return build.encode() + lines(count, lambda i: (
        f'{{"trace_id":"{i + 9:032x}","span_id":"{i + 9:016x}","parent_id":"","name":"llamacc",'
        f'"start":"2026-01-01T00:{i % 3600 // 60:02d}:{i % 60:02d}Z","duration":{i % 977}000000,'
        f'"fields":{{"global.build_id":"b1","source":"d{i % 999}/{i}.c","remote":{"true" if i % 3 else "false"}}}}}\n'))


ATTACKS = {
    # Chrome's format: the smallest events of each kind.
    "chrome_complete": lambda: zipped('{"ph":"X","ts":1},', 100, "[", "]"),
    "chrome_begin": lambda: zipped('{"ph":"B","ts":1},', 100, "[", "]"),
    "chrome_pairs": lambda: zipped('{"ph":"B","ts":1},{"ph":"E","ts":1},', 100, "[", "]"),
    "chrome_args": lambda: zipped('{"ph":"B","ts":1,"args":{"a":1,"b":2,"c":3}},', 100, "[", "]"),
    "chrome_empty": lambda: zipped("{},", 256, '[{"ph":"X","ts":1},', "]"),
    "chrome_tracks": lambda: gzip.compress(("[" + ",".join(
        f'{{"ph":"b","ts":1,"id":{i}}}' for i in range(400_000)) + "]").encode(), 1),
    "chrome_names": lambda: gzip.compress(("[" + ",".join(
        f'{{"ph":"M","name":"thread_name","pid":{i},"args":{{"name":"{i}"}}}}' for i in range(400_000)) +
        "]").encode(), 1),
    "chrome_blank": lambda: zipped(" ", 256, '{"traceEvents":[', "]}"),
    "chrome_one_string": lambda: zipped("x" * 4096, 256, '[{"ph":"X","ts":1,"name":"', '"}]'),
    "chrome_wide_args": lambda: zipped("1," * 2048, 15, '[{"ph":"X","ts":1,"args":{"a":[', '1]}}]'),
    "chrome_deep_args": lambda: zipped("[" * 4096, 15, '[{"ph":"X","ts":1,"args":{"a":'),
    # OTLP.
    "otlp_spans": lambda: zipped(f'{{"traceId":"{1:032x}","spanId":"{1:016x}","name":"x",'
                                 '"startTimeUnixNano":"1","endTimeUnixNano":"1"},', 256,
                                 '{"resourceSpans":[{"scopeSpans":[{"spans":[', "]}]}]}"),
    "otlp_documents": lambda: zipped('{"resourceSpans":[{}]}', 256),
    "otlp_deep": lambda: zipped('{"arrayValue":{"values":[' * 100, 15, '{"resourceSpans":[{"scopeSpans":[{"spans":['
                                f'{{"traceId":"{1:032x}","spanId":"{1:016x}","name":"x","startTimeUnixNano":"1",'
                                '"endTimeUnixNano":"1","attributes":[{"key":"a","value":'),
    "otlp_wide": lambda: zipped('{"intValue":1},' * 100, 15, '{"resourceSpans":[{"scopeSpans":[{"spans":['
                                f'{{"traceId":"{1:032x}","spanId":"{1:016x}","name":"x","startTimeUnixNano":"1",'
                                '"endTimeUnixNano":"1","attributes":[{"key":"a","value":{"arrayValue":{"values":[',
                                '{"intValue":1}]}}}]}]}]}]}'),
    "otlp_pairs": lambda: zipped('{"key":"a","value":{"intValue":"1"}},' * 100, 15,
                                 '{"resourceSpans":[{"scopeSpans":[{"spans":['
                                 f'{{"traceId":"{1:032x}","spanId":"{1:016x}","name":"x","startTimeUnixNano":"1",'
                                 '"endTimeUnixNano":"1","attributes":[', '{}]}]}]}]}'),
    # Lines.
    "lines_same": lambda: gzip.compress(span(1).encode() * 2_000_000, 9),
    "lines_spans": lambda: gzip.compress(lines(300_000, span), 1),
    "lines_traces": lambda: gzip.compress(lines(250_000, lambda i: span(i, trace=i)), 1),
    "lines_names": lambda: gzip.compress(lines(250_000, lambda i: span(i, name=f"{i:x}")), 1),
    "lines_chain": lambda: gzip.compress(lines(250_000, lambda i: span(i, parent=i - 1)), 1),
    "lines_chain_workers": lambda: gzip.compress(lines(200_000, lambda i: span(
        i, parent=i - 1, name="worker" if i == 1 else "exec")), 1),
    "lines_chain_names": lambda: gzip.compress(lines(250_000, lambda i: span(i, parent=i - 1, name=f"{i:x}")), 1),
    "lines_chain_long_names": lambda: gzip.compress(lines(2_000, lambda i: span(
        i, parent=i - 1, name=f"{i:x}" * 4_000)), 6),
    "lines_builds": lambda: gzip.compress(lines(300_000, lambda i: span(
        i, trace=i, rest=f',"fields":{{"global.build_id":"{i:x}"}}')), 1),
    "lines_shapes": lambda: gzip.compress(shuffled_fields(800, 1_000), 1),
    "lines_fields": lambda: gzip.compress(field_rows(1_000), 1),
    "lines_texts": lambda: gzip.compress(texts(200_000), 1),
    "lines_compiles": lambda: gzip.compress(compiles(200_000), 1),
    "lines_build": lambda: gzip.compress(build_of(200_000), 1),
    "line_wide": lambda: gzip.compress((span(1)[:-2] + ',"fields":{"a":[' + "1," * 8_000_000 + "1]}}\n").encode(), 9),
    "line_deep": lambda: gzip.compress((span(1)[:-2] + ',"fields":{"a":' + "[" * 8_000_000 + "]" * 8_000_000 +
                                        "}}\n").encode(), 9),
    "line_keys": lambda: gzip.compress((span(1)[:-2] + ',"fields":{' + ",".join(
        f'"{i:x}":1' for i in range(1_600_000)) + "}}\n").encode(), 1),
    "line_same_key": lambda: gzip.compress((span(1)[:-2] + ',"fields":{' + ",".join(
        f'"{i % 4000:x}":1' for i in range(1_300_000)) + "}}\n").encode(), 1),
    "line_text": lambda: gzip.compress((span(1)[:-2] + ',"fields":{"a":"' + "\\u0001" * 2_300_000 + '"}}\n').encode(), 9),
    "newlines": lambda: zipped("\n" * 4096, 256),
    # Compression.
    "zstd_newlines": lambda: zstd_zeros(8),
    "zstd_broken": broken_frames,
    "zstd_spans": lambda: zstd(span(1).encode() * 2_000_000),
    "zstd_chrome": lambda: zstd(b"[" + b'{"ph":"B","ts":1},' * 14_000_000 + b"]"),
    # Not compressed.
    "plain_chrome": lambda: b"[" + b'{"ph":"B","ts":1},' * 400_000 + b"]",
    "plain_shapes": lambda: shuffled_fields(800, 1_000),
}


def commands(path, folder):
    yield "report", path
    yield "sql", path, "SELECT path, count(*), sum(self_ns) FROM spans GROUP BY path ORDER BY 2 DESC LIMIT 10"
    yield "export", "--format", "csv", "-o", os.path.join(folder, "out"), path
    if not IS_ALL:
        return
    yield "report", "--json", path
    yield "sql", path, "SELECT * FROM spans ORDER BY duration_ns DESC LIMIT 10"
    yield "sql", path, "SELECT * FROM compiles LIMIT 10"
    yield "compare", path, path + "2"
    for format_name in ("chrome", "otlp-json", "perfetto", "parquet", "sqlite", "speedscope", "jaeger"):
        yield "export", "--format", format_name, "-o", os.path.join(folder, "out"), path


def cost(words, folder):
    """Status, processor seconds, peak megabytes, and what it said."""
    with open(os.path.join(folder, "said"), "w+b") as said:
        pid = os.posix_spawn(LLAMA, [LLAMA, *words], dict(os.environ, LLAMA_DIR="/nonexistent"),
                             file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
                                           (os.POSIX_SPAWN_DUP2, said.fileno(), 2)])
        _, status, usage = os.wait4(pid, 0)
        said.seek(0)
        return (os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024,
                said.read(400).decode(errors="replace"))


def write(name, path):
    """In a process of its own: a child's peak counts what its parent had when it began."""
    pid = os.fork()
    if pid == 0:
        with open(path, "wb") as file:
            file.write(ATTACKS[name]())
        os._exit(0)
    expect(os.waitpid(pid, 0)[1] == 0, f"{name} could not be made")


def main():
    bad = []
    worst = [(0, ""), (0, "")]
    names = sys.argv[3:] or ATTACKS
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name)
            write(name, path)
            shutil.copy(path, path + "2")
            for words in commands(path, folder):
                status, seconds, megabytes, said = cost(words, folder)
                what = f"{name} ({os.path.getsize(path) >> 10} kB): {' '.join(words[:3]).replace(folder, '')}"
                worst = [max(worst[0], (megabytes, what)), max(worst[1], (seconds, what))]
                if os.environ.get("VERBOSE"):
                    print(f"{what}: status {status}, {seconds:.2f} s, {megabytes:.0f} MB {said[:150]!r}", flush=True)
                if status < 0 or seconds > SECONDS * (1 if IS_ALL else SLACK) or megabytes > MEGABYTES:
                    bad.append(f"{what}: status {status}, {seconds:.1f} s, {megabytes:.0f} MB")
    print(f"{len(names)} attacks; most memory {worst[0][0]:.0f} MB ({worst[0][1]}), "
          f"most time {worst[1][0]:.1f} s ({worst[1][1]})")
    expect(not bad, "beyond the bounds:\n  " + "\n  ".join(bad))


main()
