#!/usr/bin/env python3
"""Checks every #include "module/…" line under src/ and apps/ against the module table below.

The table is the one of ARCHITECTURE.md; change it here, deliberately. Exits 1 with one line a violation.
"""
import pathlib
import re
import sys

TABLE = {
    "base": [],
    "trace": ["base"],
    "wire": ["base", "trace"],
    "compiler": ["base"],
    "scan": ["base", "compiler"],
    "store": ["base", "trace"],
    "tree": ["base", "store"],
    "http": ["base"],
    "signing": ["base"],
    "aws": ["base", "trace", "signing", "wire", "store"],
    "worker": ["base", "trace", "http", "signing", "wire", "store", "tree"],
    "cloud": ["base", "trace", "http", "wire", "store", "worker"],
    "emulator": ["base", "trace", "http", "signing", "wire", "store", "cloud"],
    "daemon": ["base", "trace", "wire", "compiler", "scan", "store", "tree", "aws", "cloud"],
    "client": ["base", "trace", "wire"],
    "report": ["base", "trace"],
    "exports": ["base", "trace", "report", "aws"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/[^"]+"')


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    bad = []
    for path in sorted((root / "src").rglob("*.[hc]*")):
        module = path.relative_to(root / "src").parts[0]
        if module not in TABLE:
            bad.append(f"{path.relative_to(root)}: no module {module} in the table")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match.group(1) != module and match.group(1) not in TABLE[module]:
                bad.append(f"{path.relative_to(root)}:{number}: {module} may not use {match.group(1)}")
    print("\n".join(bad) if bad else "layering: all includes follow the module table")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
