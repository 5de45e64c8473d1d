#!/usr/bin/env python3
"""Holds every #include "room/…" line under src/ to the table of rooms in src/CMakeLists.txt.

A room's own arrows are USES; its tests, benchmarks, fuzz targets and *testing.h may use TEST_USES as
well. A room must be declared before it is used, so no circle of rooms can stand. Exits 1 with one
line a violation: an arrow that is not in the table, one in the table that nothing needs, a folder
with sources that is no room, a folder with too many of them, a row of ARCHITECTURE.md that says
otherwise, headers that include each other in a circle, a source that is too long and whose first
line gives no reason ("// Long: because …"). `--write` puts the arrows into ARCHITECTURE.md.
"""
import pathlib
import re
import sys

EVERYWHERE = ["base/text", "base", "trace"]  # each may use those before it
MAX_SOURCES = 40  # of a folder, tests apart (conventions: what one person can keep in mind)
MAX_LINES = 500  # of a source; past it it is probably two things
LONG = re.compile(r"(//|#) Long: \S")
SOURCES = ("src", "apps", "tests", "bench")
SUFFIXES = (".h", ".cc", ".c")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z0-9_/]+)/[^"/]+"', re.M)
INCLUDED = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
TEST_SOURCE = re.compile(r"(_test|_bench|_fuzz)\.cc$|testing\.h$|^fake_.*|.*_conformance\.h$")
NO_ROOM = ["worker/preload", "emulator/fake_function"]  # programs and a library of their own


def read_table(path: pathlib.Path) -> dict:
    table = {}
    text = re.sub(r"#[^\n]*", "", path.read_text())
    for call in re.findall(r"llama_room\(([^)]*)\)", text):
        words = call.split()
        lists = {"USES": [], "LIBS": [], "TEST_USES": [], "TEST_LIBS": []}
        current = None
        for word in words[1:]:
            if word in lists:
                current = lists[word]
            else:
                current.append(word)
        table[words[0]] = (lists["USES"], lists["TEST_USES"])
    return table


def check_table(table: dict) -> list:
    bad, seen = [], set()
    for room, (uses, test_uses) in table.items():
        bad += [f"src/CMakeLists.txt: {room} uses {other}, which stands further down"
                for other in uses if other not in seen]
        bad += [f"src/CMakeLists.txt: {room}: no room {other}" for other in test_uses if other not in table]
        seen.add(room)
    return bad


def check_room(root: pathlib.Path, room: str, table: dict) -> list:
    bad, needed = [], set()
    uses, test_uses = table[room]
    sources = 0
    for path in sorted((root / "src" / room).iterdir()):
        if path.suffix not in SUFFIXES:
            continue
        is_test = bool(TEST_SOURCE.search(path.name))
        sources += 0 if is_test else 1
        allowed = {room, *EVERYWHERE, *uses, *(test_uses if is_test else ())}
        if room in EVERYWHERE:
            allowed = set(EVERYWHERE[:EVERYWHERE.index(room) + 1])
        for other in INCLUDE.findall(path.read_text()):
            needed.add(other)
            if other in NO_ROOM:
                continue
            if other not in allowed:
                bad.append(f"{path.relative_to(root)}: {room} may not use {other}")
    bad += [f"src/CMakeLists.txt: {room} does not use {other}" for other in uses if other not in needed]
    if sources > MAX_SOURCES:
        bad.append(f"src/{room}: {sources} sources; more than {MAX_SOURCES} want rooms of their own")
    return bad


def uses_text(uses: list) -> str:
    return ", ".join(uses) or "–"


def check_document(path: pathlib.Path, table: dict, write: bool) -> list:
    """Each room has a row `| room | what it is | uses |`, in the table's order."""
    bad, found, lines = [], [], path.read_text().splitlines()
    for at, line in enumerate(lines):
        row = re.fullmatch(r"\| ([a-z0-9_/]+) \| (.*) \| (.*) \|", line)
        if not row or row[1] not in table:
            continue
        found.append(row[1])
        if row[3] != uses_text(table[row[1]][0]):
            bad.append(f"{path.name}:{at + 1}: {row[1]} uses {uses_text(table[row[1]][0])} (--write mends it)")
            lines[at] = f"| {row[1]} | {row[2]} | {uses_text(table[row[1]][0])} |"
    if write and bad:
        path.write_text("\n".join(lines) + "\n")
        bad = []
    if found != list(table):
        bad.append(f"{path.name}: its rooms are not those of src/CMakeLists.txt, or in another order: "
                   f"{sorted(set(found) ^ set(table))}")
    return bad


def find_circles(includes: dict) -> list:
    """Circles of `includes` (a file to those it includes), each once, as the files along it."""
    circles, done = [], set()

    def visit(name: str, way: list) -> None:
        if name in way:
            circles.append(way[way.index(name):] + [name])
        elif name not in done:
            for other in includes.get(name, ()):
                visit(other, way + [name])
            done.add(name)

    for name in sorted(includes):
        visit(name, [])
    return circles


def check_circles(root: pathlib.Path) -> list:
    # src/ and apps/ are the folders that #include lines start from.
    includes = {str(path.relative_to(root / base)): INCLUDED.findall(path.read_text())
                for base in ("src", "apps") for path in (root / base).rglob("*.h")}
    return ["headers in a circle: " + " -> ".join(circle) for circle in find_circles(includes)]


def check_lengths(root: pathlib.Path) -> list:
    bad = []
    for path in sorted(path for folder in SOURCES for path in (root / folder).rglob("*")):
        if path.suffix in (*SUFFIXES, ".py") and path.is_file():
            lines = path.read_text(errors="replace").splitlines()
            if len(lines) > MAX_LINES and not LONG.match(lines[0]):
                bad.append(f"{path.relative_to(root)}: {len(lines)} lines; past {MAX_LINES} the first "
                           "line gives the reason (Long: …)")
    return bad


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    table = read_table(root / "src" / "CMakeLists.txt")
    bad = check_table(table) + check_document(root / "ARCHITECTURE.md", table, "--write" in sys.argv[1:])
    for room in table:
        bad += check_room(root, room, table)
    folders = {str(path.parent.relative_to(root / "src")) for path in (root / "src").rglob("*.[hc]*")
               if path.suffix in SUFFIXES}
    bad += [f"src/{folder}: no such room in src/CMakeLists.txt" for folder in sorted(folders - set(table) - set(NO_ROOM))]
    bad += check_circles(root) + check_lengths(root)
    print("\n".join(bad) if bad else f"layering: the includes of {len(table)} rooms follow the table")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
