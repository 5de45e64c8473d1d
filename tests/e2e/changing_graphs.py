"""Random include graphs, changed between compiles: every object, depfile, status and message is the
local compiler's at the same state. Graphs and changes are those of scan/include_graph_testing.h.

    changing_graphs.py [--cloud] [--meanwhile] [--graphs N] [--steps N] [--seed N]

With --meanwhile each change falls into a compile: what comes of it is of before or of after; if it
is not of after, it is no newer than the change, so that make will build it again; and the compile
that comes next is right.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

import emulated
import harness
from harness import Failure, expect, require_program

COMPILERS = ("gcc", "g++", "clang", "clang++")
# One says one thing at once: between its beginning and its end there is nothing to be seen.
ATOMIC = ("write the object", "replace", "remove link", "turn", "remove the link", "change the mode", "nothing")
COMPILE_TIMEOUT = 120


class Graph:
    """A project in a folder of its own, and the program that changes it."""

    def __init__(self, program, root, seed):
        root.mkdir(parents=True)
        self.root, self.seed, self.history = root, seed, []
        self.process = subprocess.Popen([program, root, str(seed)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        said = self._read()
        self.cwd, self.commands = said["cwd"], said["commands"]
        self.env = dict(variable.split("=", 1) for variable in said["env"])
        self.env.pop("PATH")

    def _read(self):
        return json.loads(self.process.stdout.readline())

    def _ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._read()[line]

    def change(self):
        self.history.append(self._ask("change"))
        return self.history[-1]

    def dump(self):
        return self._ask("dump")

    def fresh_files(self, since_ns):
        """Modification times of the files that were written to since."""
        times = []
        for folder, _, names in os.walk(self.root):
            for name in names:
                try:
                    times.append(os.lstat(os.path.join(folder, name)).st_mtime_ns)
                except FileNotFoundError:
                    pass
        return [t for t in times if t > since_ns]

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)


class Result:
    """What a compile left and said."""

    def __init__(self, status, out, err, files):
        self.status, self.out, self.err, self.files = status, out, err, files

    def difference(self, other):
        for what in ("status", "out", "err"):
            mine, theirs = getattr(self, what), getattr(other, what)
            if mine != theirs:
                return f"{what}: {mine!r}\nbut locally: {theirs!r}\nand it said {self.err!r}"
        for path, text in self.files.items():
            if text != other.files[path]:
                return f"{path} differs" + (f":\n{text}\n---\n{other.files[path]}"
                                            if path.endswith(".d") else "")
        return ""


class Compile:
    """One command of a graph, of one compiler, with outputs of its own."""

    def __init__(self, graph, compiler, args, chance):
        self.graph = graph
        folder = chance.choice(("", "", "../inc/", "../src/"))
        self.object = f"{folder}{chance.choice(('main', 'other'))}.o"
        self.argv = [compiler, "-w", "-c", *args, "-o", self.object]
        self.depfile = None
        if chance.random() < 0.5:
            self.depfile = self.object[:-2] + ".d"
            self.argv[1:1] = chance.choice((["-MD"], ["-MMD"], ["-MD", "-MP"], ["-MD", "-MF", self.depfile]))
        if chance.random() < 0.3:
            self.argv.insert(1, "-g")
        self.env = os.environ | graph.env

    def outputs(self):
        paths = [p for p in (self.object, self.depfile) if p]
        return {p: pathlib.Path(self.graph.cwd, p) for p in paths}

    def start(self, wrapper):
        before = [wrapper] if wrapper else []
        argv = [*before, shutil.which(self.argv[0], path="/usr/bin:/bin"), *self.argv[1:]]
        return subprocess.Popen(argv, cwd=self.graph.cwd, env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self, process):
        out, err = process.communicate(timeout=COMPILE_TIMEOUT)
        files = {p: path.read_bytes() if path.is_file() else None for p, path in self.outputs().items()}
        return Result(process.returncode, out, err, files)

    def local(self):
        return self.finish(self.start(None))


class Driver:
    """Runs within a build: compiles by the wrapper, and holds each against the local compiler."""

    def __init__(self, options):
        self.options = options
        self.wrapper = pathlib.Path(options.bin) / "llamacc"
        self.chance = random.Random(options.seed)
        self.counts = collections.Counter()
        self.compilers = [c for c in COMPILERS if shutil.which(c, path="/usr/bin:/bin")]
        self.usual_s = 0.1
        self.graph, self.compiles, self.at = None, {}, None
        self.suspects = []  # wrong, if they ran remotely: what runs here may see half of a change

    def run(self):
        for seed in range(self.options.seed, self.options.seed + self.options.graphs):
            root = pathlib.Path(self.options.folder) / str(seed)
            self.graph = Graph(pathlib.Path(self.options.bin) / "changing_graph", root, seed)
            self.compiles = {}
            for step in range(self.options.steps):
                self.step(step)
            self.graph.end()
        print(json.dumps(self.counts))
        print(json.dumps(self.suspects))

    def pick(self, step):
        """Some commands several times in a row, some after all the others."""
        if step % 3 == 0:
            self.at = (self.chance.choice(self.compilers),
                       self.chance.randrange(len(self.graph.commands)), self.chance.randrange(2))
        if self.at not in self.compiles:
            compiler, command, _ = self.at
            self.compiles[self.at] = Compile(self.graph, compiler, self.graph.commands[command], self.chance)
        return self.compiles[self.at]

    def step(self, step):
        compile_ = self.pick(step)
        if self.options.meanwhile:
            self.change_meanwhile(compile_)
        elif step > 0:
            for _ in range(self.chance.randrange(1, 4)):
                self.graph.change()
        for _ in range(self.chance.randrange(1, 3)):
            self.compare(compile_)

    def remote(self, compile_):
        begin = time.monotonic()
        result = compile_.finish(compile_.start(self.wrapper))
        self.counts["compiles"] += 1
        took = time.monotonic() - begin
        self.usual_s += (min(took, 1) - self.usual_s) / 10
        return result

    def compare(self, compile_):
        remote = self.remote(compile_)
        local = compile_.local()
        if local.status != 0:
            self.counts["failed"] += 1
        self.hold(remote.difference(local), compile_, remote)

    def change_meanwhile(self, compile_):
        before = compile_.local()
        # What stands there is of before, and must not be taken for what the compile makes.
        for path in compile_.outputs().values():
            if path.is_file():
                path.unlink()
        started_ns = time.time_ns()
        process = compile_.start(self.wrapper)
        time.sleep(self.chance.uniform(0, 1.2) * self.usual_s)
        begin_ns = time.time_ns()
        change = self.graph.change()
        end_ns = time.time_ns()
        fresh = self.graph.fresh_files(begin_ns - 10**7)
        made = compile_.finish(process)
        self.counts["compiles"] += 1
        object_ = compile_.outputs()[compile_.object]
        made_ns = object_.stat().st_mtime_ns if object_.exists() else None
        after = compile_.local()
        if not made.difference(after):
            self.counts["of after"] += bool(before.difference(after))
            return
        wrong = made.difference(before)
        self.counts["of before" if not wrong else "of between"] += 1
        if wrong and change.startswith(ATOMIC):
            self.suspect(started_ns, f"neither of before nor of after: {wrong}", compile_)
        fresh = [t for t in fresh if t != made_ns]
        changed_ns = min([end_ns, *fresh])
        if made_ns is not None and made_ns > changed_ns:
            self.suspect(started_ns, f"not of after, and {(made_ns - changed_ns) / 1e6:.2f} ms newer than the change: "
                         + made.difference(after), compile_)

    def suspect(self, started_ns, wrong, compile_):
        self.suspects.append([started_ns, time.time_ns(), wrong + "\n" + self.describe(compile_)])

    def hold(self, wrong, compile_, made):
        """Ends all of it if something is wrong; what the wrapper made stays beside the folder."""
        if not wrong:
            return
        for path, text in made.files.items():
            pathlib.Path(self.options.folder, pathlib.Path(path).name + ".made").write_bytes(text or b"")
        sys.exit(wrong + "\n" + self.describe(compile_))

    def describe(self, compile_):
        argv = " ".join(f"'{a}'" for a in compile_.argv)
        env = " ".join(f"{k}='{v}'" for k, v in self.graph.env.items())
        return (f"seed {self.graph.seed}, after {len(self.graph.history)} changes:\n"
                + "\n".join(self.graph.history[-12:]) + f"\ncd {self.graph.cwd} && {env} {argv}\n"
                + self.graph.dump())


def summary(compiles):
    """What the trace says of all of them."""
    ways, reasons, rungs, extras = (collections.Counter() for _ in range(4))
    for compile_ in compiles:
        ways["remote" if compile_.remote else "local"] += 1
        if not compile_.remote:
            reasons[f"{compile_.reason} {compile_.fields.get('reason_detail', '')[-60:]}".strip()] += 1
        for span in compile_.spans:
            if span["name"] == "scan":
                rung = span["fields"].get("rung", "none")
                why = span["fields"].get("rung_reason", "").rpartition(": ")[2] if rung != "superset" else ""
                rungs[f"{rung} {why.split('/')[0]}".strip()] += 1
            if span["name"] == "verify":
                extras["foretold"] += span["fields"].get("foretold") is True
                extras["corrected"] += "corrected" in span["fields"]
    return ways, [dict(c.most_common(8)) for c in (ways, reasons, rungs, extras)]


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cloud", action="store_true")
    parser.add_argument("--meanwhile", action="store_true")
    parser.add_argument("--graphs", type=int, default=8)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drive", action="store_true", help="as a part of the build")
    parser.add_argument("--bin")
    parser.add_argument("--folder")
    return parser.parse_args()


def scenario(scene, options):
    require_program("gcc")
    if options.cloud:
        emulated.require_namespaces()
        emulated.use(scene)
    command = [sys.executable, "-B", __file__, "--drive", "--bin", scene.bin, "--folder", scene.dir / "graphs",
               "--graphs", options.graphs, "--steps", options.steps, "--seed", options.seed]
    if options.meanwhile:
        command.append("--meanwhile")
    done = scene.llama_build("graphs", command, timeout=None)
    if done.status != 0:
        raise Failure(done.err.decode(errors="replace"))
    compiles = scene.compiles("graphs")
    ways, said = summary(compiles)
    counts, suspects = done.out.decode().splitlines()[:2]
    print(counts, *said, sep="\n")
    for begin_ns, end_ns, wrong in json.loads(suspects):
        ran_here = any(begin_ns < c.root["begin"] < end_ns and not c.remote for c in compiles)
        expect(ran_here, wrong)
    expect(ways["remote"] > ways["local"], "most compiles ran here")


def main():
    options = parse()
    if options.drive:
        Driver(options).run()
    else:
        harness.run(lambda scene: scenario(scene, options))


if __name__ == "__main__":
    main()
