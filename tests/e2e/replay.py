"""A recorded build, played again: the same objects, nothing run, as many at once as told.

    replay.py
"""
import shutil
import time

import synthetic
import trace_check
from harness import expect, run

COUNT = 24


def objects(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.o"))}


def clean(folder):
    for pattern in ("*.o", "*.d"):
        for path in folder.glob(pattern):
            path.unlink()


def functions_of(scene, name):
    """Who answered each compile's invocation."""
    return [span["fields"].get("function") for span in scene.spans(name) if span["name"] == "invoke"]


def scenario(scene):
    folder = scene.dir / "tree"
    synthetic.write(folder, count=COUNT, functions=60)
    record = scene.dir / "recording"

    def build(name, *options, jobs=4):
        clean(folder)
        begin = time.monotonic()
        done = scene.run([scene.bin / "llama", "build", "--name", name, *options, "--", "make", f"-j{jobs}"],
                         cwd=folder).expect_status(0)
        ran = [c.describe() for c in trace_check.compiles(scene.spans(name))]
        expect(ran == ["remote"] * COUNT, f"{name}: {ran}")
        return time.monotonic() - begin, objects(folder), done.err.decode()

    _, recorded, _ = build("recorded", "--record", record)
    expect(len(list(record.iterdir())) == COUNT, f"{len(list(record.iterdir()))} outcomes recorded")

    seconds, replayed, err = build("at once", "--replay", record, "--speed", 0, jobs=COUNT)
    expect(replayed == recorded, "replayed objects differ from recorded ones")
    expect("not in the recording" not in err, err)
    expect(functions_of(scene, "at once") == ["replay"] * COUNT, str(functions_of(scene, "at once")))

    # A tenth of a second each, one after the other: at least COUNT of them.
    slow, _, _ = build("one worker", "--replay", record, "--speed", 1e6, "--workers", 1, "--uplink", "100K",
                       jobs=COUNT)
    size = sum(path.stat().st_size for path in folder.glob("*.c"))
    expect(slow > size / 100e3 * 0.95, f"{size} bytes over 100 kB/s took {slow:.2f} s")

    # What is no longer as it was recorded is compiled.
    (folder / "s0.c").write_text((folder / "s0.c").read_text() + "int more;\n")
    _, edited, err = build("edited", "--replay", record, "--speed", 0)
    expect("1 action was not in the recording" in err, err)
    expect(edited["s0.o"] != recorded["s0.o"], "an edit was not compiled")
    del edited["s0.o"], recorded["s0.o"]
    expect(edited == recorded, "the others differ")

    # Compiled here as well, a wrong object is told and does not stay.
    _, _, err = build("audited", "--audit", "100%")
    expect(f"{COUNT} compiles here as well: all the same" in err, err)
    right = objects(folder)
    victim = max(record.iterdir(), key=lambda path: path.stat().st_size)
    raw = victim.read_bytes()
    victim.write_bytes(raw.replace(b"\x7fELF\x02\x01\x01\x00", b"\x7fELF\x02\x01\x01\x03"))
    expect(victim.read_bytes() != raw, "no object in the recording")
    _, audited, err = build("audited replay", "--replay", record, "--speed", 0, "--audit", "100")
    expect(f"{COUNT} compiles here as well: 1 DIFFER" in err and ".o" in err, err)
    expect(audited == right, "a wrong object stayed")

    # Not for the next build, and wrong ones are told at once.
    build("as ever")
    expect("replay" not in functions_of(scene, "as ever"), "a replay outlived its build")
    for options, why in ((["--speed", "2"], "--speed is for --replay"),
                         (["--replay", "x", "--record", "y"], "not both"),
                         (["--replay", str(record), "--workers", "0"], "--workers 0"),
                         (["--replay", str(record), "--uplink", "fast"], "--uplink fast"),
                         (["--audit", "101%"], "--audit 101"), (["--audit", "all"], "--audit all")):
        wrong = scene.run([scene.bin / "llama", "build", *options, "--", "true"]).expect_status(2)
        expect(why in wrong.err.decode(), wrong.err.decode())
    gone = scene.run([scene.bin / "llama", "build", "--no-summary", "--replay", scene.dir / "none", "--", "true"])
    expect(gone.status == 0 and "none" in gone.err.decode(), gone.err.decode())
    print(f"{COUNT} compiles replayed at once in {seconds:.2f} s")
    shutil.rmtree(record)


run(scenario)
