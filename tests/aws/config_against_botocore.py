"""Compares how llama reads AWS's config files, and splits shell lines, with botocore and shlex.

usage: config_against_botocore.py CONFIG-DUMP [COUNT]

Texts are made at random, of pieces that matter to a parser. Exits with 77 where botocore is missing.
"""
import json
import pathlib
import random
import shlex
import subprocess
import sys
import tempfile

try:
    import botocore.configloader
    import botocore.exceptions
except ImportError:
    print("skipped: no botocore here")
    sys.exit(77)

PIECES = ["[a]", "[profile b]", '[profile "c d"]', "[", "]", "[]", "k", "K", "region", "s3", "=", ":",
          "= ", " =", " ", "  ", "\t", "\n", "\n", "\n", "\n  ", "\n\t", "\r\n", "#", ";", "x", "v w",
          "\"", "'", "endpoint_url", "http://h:1", "\n\n", "\n[b]\n", "k = v\n", "n =\n  x = 1\n"]
LINE_PIECES = ["a", "b c", " ", "  ", "\t", "'", '"', "\\", "\\\\", '\\"', "$x", "`", "#", ";", "é", "\n"]


def by_botocore(path):
    try:
        parsed = botocore.configloader.raw_config_parse(str(path))
    except botocore.exceptions.ConfigParseError:
        return None
    # An empty nesting says no more than an empty value.
    return {section: {key: value if value != {} else "" for key, value in keys.items()}
            for section, keys in parsed.items()}


def by_shlex(path):
    try:
        return shlex.split(path.read_text())
    except ValueError:
        return None


def compare(program, mode, pieces, expected, count, rng):
    wrong = well_formed = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i in range(count):
            path = pathlib.Path(folder) / f"{i}"
            path.write_bytes("".join(rng.choices(pieces, k=rng.randint(1, 14))).encode())
            paths.append(path)
        out = subprocess.run([program, mode, *map(str, paths)], capture_output=True, check=True)
        for path, line in zip(paths, out.stdout.decode().splitlines(), strict=True):
            ours, theirs = json.loads(line), expected(path)
            well_formed += theirs is not None
            if ours != theirs:
                wrong += 1
                if wrong <= 5:
                    print(f"{path.read_bytes()!r}\n  ours:   {ours}\n  theirs: {theirs}")
    print(f"{mode}: {count} texts, {well_formed} of them well-formed, {wrong} read differently")
    return wrong


def main(program, count="3000"):
    rng = random.Random(7)
    wrong = compare(program, "config", PIECES, by_botocore, int(count), rng)
    wrong += compare(program, "words", LINE_PIECES, by_shlex, int(count), rng)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
