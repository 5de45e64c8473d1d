#!/usr/bin/env python3
"""The whole table of a cloud in trouble, in one run: what each trouble took, beside plain make, and the bar.

    fault_table.py [--build DIR] [--only CASE…] [--mixtures N] [--seed N]

Runs every case of bounded_waits.py and N mixtures of fault_mixtures.py (seeds from --seed on), one after
another, each beside a plain make of its own. A row is printed as it ends; what a case said goes to
<build>/e2e/table/CASE.log, and its folder stays if it failed. Exits with 1 if any bar was missed. docs/faults.md has
the latest table.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
MEASURED = re.compile(r"^plain ([\d.]+) s, llama ([\d.]+) s, bar ([\d.]+) s = (.*)$", re.M)
SKIPPED = 77
LIMIT = 600


def cases():
    """In the order of issue and page: the order in which the file has them."""
    text = (HERE / "bounded_waits.py").read_text()
    names = []
    for name in re.findall(r"^def case_(\w+)\(|^(HOSTILE) = ", text, re.M):
        if name[1]:
            listed = re.search(r"^HOSTILE = \((.*?)\)", text, re.M | re.S).group(1)
            names += [f"hostile_{word}" for word in re.findall(r'"(\w+)"', listed)]
        else:
            names.append(name[0])
    return names


def run(build, name, command, log_dir):
    """The row of one case: plain, llama, bar, its formula, verdict."""
    log = log_dir / f"{name}.log"
    env = os.environ | {"LLAMA_E2E_NAME": f"table.{name}", "LLAMA_E2E_BUILD": str(build)}
    with open(log, "wb") as out:
        try:
            status = subprocess.run([sys.executable, "-B", *command], env=env, stdout=out, stderr=out,
                                    timeout=LIMIT, check=False).returncode
        except subprocess.TimeoutExpired:
            status = -1
    text = log.read_text(errors="replace")
    measured = MEASURED.search(text)
    plain, took, bar = (float(measured.group(i)) for i in (1, 2, 3)) if measured else (None, None, None)
    verdict = {0: "ok", SKIPPED: "skipped"}.get(status, "FAILED")
    if status not in (0, SKIPPED) and measured and took > bar:
        verdict = "MISSED"
    return plain, took, bar, measured.group(4) if measured else "", verdict, text


def print_row(name, row):
    plain, took, bar, formula, verdict, text = row
    shown = f"{plain:7.1f} {took:7.1f} {bar:7.1f}" if took is not None else " " * 23
    print(f"{name:24} {shown}  {verdict:8} {formula}", flush=True)
    if verdict == "FAILED":
        print("    " + "\n    ".join(text.strip().splitlines()[-6:]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, 
                        default=os.environ.get("LLAMA_E2E_BUILD", CHECKOUT / "build" / "release"))
    parser.add_argument("--only", nargs="*", help="these cases; none: only the mixtures")
    parser.add_argument("--mixtures", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    log_dir = options.build / "e2e" / "table"
    log_dir.mkdir(parents=True, exist_ok=True)
    commands = [(name, [str(HERE / "bounded_waits.py"), name])
                for name in (cases() if options.only is None else options.only)]
    commands += [(f"mixture {seed}", [str(HERE / "fault_mixtures.py"), str(seed)])
                 for seed in range(options.seed, options.seed + options.mixtures)]
    print(f"{'':24} {'plain':>7} {'llama':>7} {'bar':>7}", flush=True)
    rows = []
    for name, command in commands:
        rows.append(run(options.build, name.replace(" ", "_"), command, log_dir))
        print_row(name, rows[-1])
        if name.startswith("mixture"):
            print("    " + rows[-1][5].split("\n", 1)[0], flush=True)
    verdicts = [row[4] for row in rows]
    print(", ".join(f"{verdicts.count(v)} {v}" for v in sorted(set(verdicts))))
    used = [row[1] / row[2] for row in rows if row[1] is not None]
    if used:
        print(f"of its bar a case used {statistics.median(used):.0%} (median), {max(used):.0%} at most")
    return 0 if set(verdicts) <= {"ok", "skipped"} else 1


sys.exit(main())
