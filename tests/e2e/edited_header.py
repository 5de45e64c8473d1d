"""A header is edited while its compile is under way, at any moment: the object is that of the new
header, or is not newer than it, so that make will build it again.

    edited_header.py COMPILER [--cloud] [--rounds N]
"""
import argparse
import random
import time

import emulated
import harness
from harness import expect, require_program

SOURCE = '#include "edited.h"\nint value = VALUE;\n'


def write_header(folder, value):
    """By rename, as editors do, or in place, as scripts do."""
    header = folder / "edited.h"
    text = f"#define VALUE {value}\n"
    if value % 4 < 2:
        header.write_text(text)
    else:
        other = folder / "edited.h.new"
        other.write_text(text)
        other.rename(header)


def one_round(scene, folder, compiler, number, delay_s):
    old, new = 0x51000000 + 2 * number, 0x51000000 + 2 * number + 1
    write_header(folder, old)
    target = folder / f"{number}.o"
    process = scene.start([scene.bin / "llamacc", compiler, "-c", "a.c", "-o", target.name], cwd=folder)
    time.sleep(delay_s)
    write_header(folder, new)
    edited_ns = (folder / "edited.h").stat().st_mtime_ns
    harness.finish(process, 60).expect_status(0)
    holds_new = new.to_bytes(4, "little") in target.read_bytes()
    made_ns = target.stat().st_mtime_ns
    expect(holds_new or made_ns <= edited_ns,
           f"round {number}, edited after {delay_s * 1e3:.1f} ms: the object holds the old value and is "
           f"{(made_ns - edited_ns) / 1e6:.2f} ms newer than the header")
    target.unlink()
    return holds_new


def scenario(scene):
    parser = argparse.ArgumentParser()
    parser.add_argument("compiler")
    parser.add_argument("--cloud", action="store_true")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    require_program(options.compiler)
    if options.cloud:
        emulated.require_namespaces()
        emulated.use(scene)
    folder = scene.dir / "edited"
    folder.mkdir()
    (folder / "a.c").write_text(SOURCE)
    # The first brings the compiler there; the others say how long one takes.
    times = []
    for number in range(4):
        begin = time.monotonic()
        one_round(scene, folder, options.compiler, number, 0)
        times.append(time.monotonic() - begin)
    usual = sorted(times[1:])[1]
    chance = random.Random(1)
    new = sum(one_round(scene, folder, options.compiler, 10 + number, chance.uniform(0, 1.1) * usual)
              for number in range(options.rounds))
    print(f"{options.rounds} rounds of {usual * 1e3:.0f} ms: {new} objects of the new header, "
          f"{options.rounds - new} of the old one and not newer than the new")
    expect(0 < new < options.rounds, "the edit never fell into the compile")
    scene.llama("daemon", "stop")


if __name__ == "__main__":
    harness.run(scenario)
