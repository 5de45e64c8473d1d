"""Every environment variable that docs/operations.md names has the effect that it promises.

    settings.py

One case a variable. A variable without a case is a failure, and so is a case without a variable.
"""
import os
import pathlib
import re
import shutil

import synthetic
from harness import expect, run, wait_until

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "operations.md"
REMOTELY = b"ran remotely"
# A compiler that notes how it was called before it is one.
NOTING = """#!/bin/sh
echo "{word} slot=$LLAMACC_SLOT" >> {notes}
exec {compiler} "$@"
"""
# A linker that takes its time, and notes when.
LINKER = """#!/bin/sh
echo begin >> {notes}
sleep 0.3
echo end >> {notes}
exec /usr/bin/ld "$@"
"""


class Bench:
    """A folder with sources, and a daemon anew for every case."""

    def __init__(self, scene):
        self.scene = scene
        self.dir = scene.dir / "work"
        self.notes = scene.dir / "notes"
        synthetic.write(self.dir, count=4, functions=20)
        (self.dir / "a.S").write_text(".globl a\na: ret\n")
        (self.dir / "main.c").write_text("int main(void) { return 0; }\n")
        (self.dir / "main.cc").write_text("int main() { return 0; }\n")
        # gcc's C alone takes this longer than a second.
        (self.dir / "slow.c").write_text(synthetic.source(9, 4000))

    def anew(self):
        self.scene.llama("daemon", "stop")
        # It may hold that a start failed a moment ago.
        (self.scene.llama_dir / "run" / "start.lock").unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)

    def compile(self, *words, program="llamacc", **variables):
        """What the wrapper said, with LLAMACC_VERBOSE unless told otherwise."""
        env = self.scene.env(**({"LLAMACC_VERBOSE": 1} | variables))
        return self.scene.run([self.scene.bin / program, *words], cwd=self.dir, env=env).expect_status(0).err

    def make(self, name, jobs=4, **variables):
        for path in self.dir.glob("*.o"):
            path.unlink()
        done = self.scene.llama_build(name, ["make", "-s", f"-j{jobs}"], cwd=self.dir,
                                      env=self.scene.env(**variables))
        done.expect_status(0)

    def executable(self, name, text, **words):
        path = self.scene.dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(notes=self.notes, **words))
        path.chmod(0o755)
        return path

    def noted(self):
        return self.notes.read_text().splitlines() if self.notes.exists() else []


SOURCE = ("gcc", "-c", "main.c", "-o", "main.o")


def case_LLAMACC_LOCAL(bench):
    said = bench.compile(*SOURCE, LLAMACC_LOCAL=1)
    expect(REMOTELY not in said and not bench.scene.daemons(), f"{said}, {bench.scene.daemons()}")


def case_LLAMACC_VERBOSE(bench):
    expect(REMOTELY in bench.compile(*SOURCE), "nothing was said")
    quiet = bench.scene.run([bench.scene.bin / "llamacc", *SOURCE], cwd=bench.dir).expect_status(0)
    expect(quiet.out + quiet.err == b"", f"without it: {quiet.out + quiet.err}")


def case_LLAMACC_LOCAL_CC(bench):
    compiler = bench.executable("my-cc", NOTING, word="C", compiler="/usr/bin/gcc")
    bench.compile("-c", "main.c", LLAMACC_LOCAL=1, LLAMACC_LOCAL_CC=compiler)
    expect(len(bench.noted()) == 1, bench.noted())


def case_LLAMACC_LOCAL_CXX(bench):
    compiler = bench.executable("my-c++", NOTING, word="C++", compiler="/usr/bin/g++")
    bench.compile("-c", "main.cc", program="llamac++", LLAMACC_LOCAL=1, LLAMACC_LOCAL_CXX=compiler)
    expect(len(bench.noted()) == 1, bench.noted())


def case_LLAMACC_REMOTE_ASSEMBLE(bench):
    words = ("gcc", "-c", "a.S", "-o", "a.o")
    expect(REMOTELY in bench.compile(*words), "assembler sources run here anyway")
    said = bench.compile(*words, LLAMACC_REMOTE_ASSEMBLE=0)
    expect(b"runs locally" in said, f"not kept here: {said}")


def case_LLAMACC_LOCAL_PREPROCESS(bench):
    expect(REMOTELY in bench.compile(*SOURCE, LLAMACC_LOCAL_PREPROCESS=1), "it is not ignored")


def case_LLAMACC_FILTER_WARNINGS(bench):
    (bench.dir / "warns.c").write_text("int f(void) { int unused; return 0; }\n")
    said = bench.compile("gcc", "-Wall", "-c", "warns.c", LLAMACC_FILTER_WARNINGS="unused-variable")
    expect(b"-Wunused-variable" in said and REMOTELY in said, f"it is not ignored: {said}")


def case_LLAMACC_BUILD_ID(bench):
    """Set by `llama build` for those below it: what a command there compiles belongs to the build."""
    script = f"echo $LLAMACC_BUILD_ID > {bench.notes}; gcc -c main.c"
    bench.scene.llama_build("with id", ["sh", "-c", script], cwd=bench.dir).expect_status(0)
    identifier, = bench.noted()
    expect(bench.scene.build_folder("with id").name == identifier, f"the id told is {identifier!r}")
    expect(len(bench.scene.compiles("with id")) == 1, "the compile is in no build")


def case_LLAMACC_SLOT(bench):
    bench.compile(*SOURCE)
    compiler = bench.executable("slot-cc", NOTING, word="C", compiler="/usr/bin/gcc")
    bench.compile(compiler, "main.o", "-o", "main")  # a link, which runs here
    expect(any(re.search(r"slot=\d+$", line) for line in bench.noted()), bench.noted())


def case_TRACEPARENT(bench):
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    bench.make("traced", TRACEPARENT=f"00-{trace}-{parent}-01")
    root, = (span for span in bench.scene.spans("traced") if span["name"] == "build")
    expect((root["trace_id"], root["parent_id"]) == (trace, parent), f"the build's root: {root}")


def case_LLAMA_DIR(bench):
    other = bench.scene.dir / "other-state"
    expect(REMOTELY in bench.compile(*SOURCE, LLAMA_DIR=other), "not remote")
    expect((other / "run" / "daemon.sock").exists(), "the state is elsewhere")
    bench.scene.llama("daemon", "stop", env=bench.scene.env(LLAMA_DIR=other)).expect_status(0)
    shutil.rmtree(other)


def case_LLAMA_WORKERS(bench):
    bench.make("one worker", LLAMA_WORKERS=1)
    expect(len(bench.scene.workers()) == 1, bench.scene.workers())


def case_LLAMA_LOCAL_SLOTS(bench):
    bench.compile(*SOURCE)
    bench.anew()
    linker = bench.executable("bin/ld", LINKER)
    env = bench.scene.env(LLAMA_LOCAL_SLOTS=1)
    argv = [bench.scene.bin / "llamacc", "gcc", "-B", linker.parent, "main.o", "-o"]
    links = [bench.scene.start([*argv, f"main{n}"], cwd=bench.dir, env=env) for n in range(4)]
    for link in links:
        out, err = link.communicate(timeout=60)
        expect(link.returncode == 0, out + err)
    expect(bench.noted() == ["begin", "end"] * 4, f"more than one at once: {bench.noted()}")


def rungs(bench, name):
    return {span["fields"]["rung"] for span in bench.scene.spans(name) if "rung" in span["fields"]}


def case_LLAMA_SCAN(bench):
    bench.make("scan by cc -M", LLAMA_SCAN="cc-M")
    expect(rungs(bench, "scan by cc -M") == {"cc-M"}, rungs(bench, "scan by cc -M"))
    bench.anew()
    bench.make("scan")
    expect("cc-M" not in rungs(bench, "scan"), rungs(bench, "scan"))


def case_LLAMA_DISK(bench):
    """What was used least recently goes: here something that fills its half alone."""
    big = bench.scene.llama_dir / "store" / "layers" / ("0" * 64 + "~")

    def is_swept(**variables):
        bench.anew()
        with open(big, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 600 << 20)
        os.utime(big, (1, 1))
        # Something new goes up.
        unused = "".join(f"#define UNUSED_{n}_{len(variables)} {n}\n" for n in range(9000))
        (bench.dir / "shared.h").write_text("#define SHARED 1\n" + unused)
        bench.make(f"disk {len(variables)}", **variables)
        return not big.exists()

    expect(not is_swept(), "20 GiB are not full of 0.6")
    expect(is_swept(LLAMA_DISK=1), "it stays, beyond what was allowed")
    big.unlink(missing_ok=True)


def case_LLAMA_JOB_TIMEOUT(bench):
    said = bench.compile("gcc", "-O2", "-c", "slow.c", LLAMA_JOB_TIMEOUT=1)
    expect(b"runs locally" in said, f"not given up: {said}")


def case_LLAMA_IDLE_TIMEOUT(bench):
    bench.compile(*SOURCE, LLAMA_IDLE_TIMEOUT=1)
    wait_until(lambda: not bench.scene.daemons(), 20, "the idle daemon's end")


def case_LLAMA_LOG(bench):
    log = bench.scene.llama_dir / "daemon.log"

    def told(level):
        bench.anew()
        log.unlink(missing_ok=True)
        bench.compile("gcc", "main.c", "-o", "main", LLAMA_LOG=level)
        return re.findall(r"Z (\w+) ", log.read_text())

    expect("DEBUG" in told("debug"), log.read_text())
    expect(set(told("info")) == {"INFO"}, log.read_text())
    expect(told("error") == [], log.read_text())


def case_LLAMA_TRACE(bench):
    builds = bench.scene.llama_dir / "builds"
    before = set(os.listdir(builds))
    bench.make("unrecorded", LLAMA_TRACE="off")
    traces = [path for name in set(os.listdir(builds)) - before for path in (builds / name).glob("*.zst")]
    expect(not traces, f"recorded: {traces}")


def case_LLAMA_OBJECT_STORE(bench):
    folder = bench.scene.dir / "objects"
    expect(REMOTELY in bench.compile(*SOURCE, LLAMA_OBJECT_STORE=folder), "not remote")
    expect(any(path.is_file() for path in folder.rglob("*")), "the objects are elsewhere")
    shutil.rmtree(folder)


def case_LLAMACC_FUNCTION(bench):
    """The embedded cloud has no other function, and that is said."""
    said = bench.compile(*SOURCE, LLAMACC_FUNCTION="another")
    expect(b"runs locally" in said and b"function another" in said, f"it is not read: {said}")


def case_LLAMA_WORKER_LAUNCHER(bench):
    launcher = bench.executable("launcher", '#!/bin/sh\necho launched >> {notes}\nexec "$@"\n')
    expect(REMOTELY in bench.compile(*SOURCE, LLAMA_WORKER_LAUNCHER=launcher), "not remote")
    expect("launched" in bench.noted(), "the launcher was not run")


def documented():
    """The variables that stand first in the tables, or are told of below them."""
    text = DOCS.read_text().split("## The state folder")[0]
    return set(re.findall(r"\b(?:LLAMA(?:CC)?_[A-Z_]+|TRACEPARENT)\b", text))


def scenario(scene):
    cases = {name.removeprefix("case_"): case for name, case in globals().items() if name.startswith("case_")}
    expect(cases.keys() == documented(), f"documented, or tried, alone: {cases.keys() ^ documented()}")
    bench = Bench(scene)
    for name, case in cases.items():
        bench.anew()
        print(name, flush=True)
        case(bench)


run(scenario)
