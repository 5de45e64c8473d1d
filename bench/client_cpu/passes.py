"""What is measured of one project: floors and peers, llama one compile after the other, and many at once by replay."""
import json
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import time

from client_cpu import accounts, peers

TRIVIAL = {".c": ("gcc", "int a;\n"), ".cc": ("g++", "int a;\n")}

# Compiles under way, from the wrapper's start to its end.
MOST_AT_ONCE = """
    SELECT max(n) AS most FROM (SELECT sum(step) OVER (ORDER BY at, step) AS n FROM (
        SELECT start_ns AS at, 1 AS step FROM compiles UNION ALL SELECT end_ns, -1 FROM compiles))"""


class Bench:
    """One project's units, and a folder for all that is written."""

    def __init__(self, project, units, bin_folder, work):
        self.project, self.units, self.work = project, units, work
        self.llama, self.wrapper = bin_folder / "llama", bin_folder / "llamacc"
        self.objects = work / "objects"
        self.objects.mkdir()
        drop = ("LLAMA", "MAKE", "CCACHE", "DISTCC", "ICECC", "TRACEPARENT")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
        self.env["LLAMA_DIR"] = str(work / "state")

    def object(self, number):
        return str(self.objects / f"{number}.o")

    def sequential(self, command, env=None, prefix=()):
        """CPU ms of what is started here, of each unit; `command` makes the words of a unit and its object."""
        return [accounts.command_ms([*prefix, *command(unit, self.object(number))], self.project.cwd, env or self.env)
                for number, unit in enumerate(self.units)]

    def told(self, *words):
        return json.loads(subprocess.run([self.llama, *words], env=self.env, check=True, capture_output=True).stdout)

    # Floors.

    def compile_here(self):
        """CPU ms of `gcc -c` of each unit. Units that don't compile are left out from here on."""
        good, ms = [], []
        for unit in self.units:
            try:
                ms.append(accounts.command_ms(unit.compile(self.object(len(good))), self.project.cwd, self.env))
                good.append(unit)
            except subprocess.CalledProcessError:
                continue
        self.units = good
        return ms

    def floors(self, short):
        compiled = self.compile_here()
        out = {"gcc -M": self.sequential(lambda unit, _: unit.dependencies())}
        if not short:
            out["gcc -E"] = self.sequential(lambda unit, _: unit.preprocess())
        out["gcc -c"] = compiled
        if not short:
            out["true (any process)"] = self.sequential(lambda _unit, _output: ["true"])
        return out

    def mean_object_bytes(self):
        return statistics.fmean(os.path.getsize(self.object(number)) for number in range(len(self.units)))

    def keep_objects(self):
        """What `gcc -c` gave, for peers that shall not compile."""
        self.ready = self.work / "ready"
        shutil.copytree(self.objects, self.ready)

    # llama, one after the other.

    def one_by_one(self, daemon):
        """CPU ms of wrapper and daemon for each unit, and whether it was disturbed: while it was compiled, or the one
        before, somebody touched the compilers, and the daemon asked and hashed them anew for half a second."""
        seen, touched = accounts.compilers(), False
        for number, unit in enumerate(self.units):
            before = daemon.cpu_ms()
            own = accounts.command_ms([self.wrapper, *unit.compile(self.object(number))], self.project.cwd, self.env)
            its = daemon.cpu_ms() - before
            now, touched_before = accounts.compilers(), touched
            seen, touched = now, now != seen
            yield {"wrapper": own, "daemon": its, "disturbed": touched or touched_before}

    @staticmethod
    def mean(units, settling):
        """Of those that were not disturbed, if there are any, and their share of what the daemon did after all."""
        counted = [unit for unit in units if not unit["disturbed"]] or units
        return {"wrapper": statistics.fmean(unit["wrapper"] for unit in counted),
                "daemon": statistics.fmean(unit["daemon"] for unit in counted) + settling / len(units),
                "disturbed": len(units) - len(counted)}

    @staticmethod
    def settling(daemon):
        before = daemon.cpu_ms()
        time.sleep(accounts.SETTLE_SECONDS)
        return daemon.cpu_ms() - before

    def first_pass(self, daemon):
        """Of those that were compiled by a worker. The others are left out from here on: their wrapper becomes the
        compiler."""
        remote, counted, local = [], [], daemon.status()["local_done"]
        for number, unit in enumerate(self.one_by_one(daemon)):
            status = daemon.status()["local_done"]
            if status == local:
                remote.append(number)
                counted.append(unit)
            local = status
        if not remote:
            raise RuntimeError(f"no unit of {self.project.name} was compiled by a worker")
        return remote, self.mean(counted, self.settling(daemon))

    def through_llama(self, daemon):
        """The same, once more."""
        local = daemon.status()["local_done"]
        units = list(self.one_by_one(daemon))
        return self.mean(units, self.settling(daemon)) | {"local": daemon.status()["local_done"] - local}

    def warm(self, daemon, rounds):
        return [self.through_llama(daemon) for _ in range(rounds)]

    def toolchains(self, daemon):
        """What comes before all: a trivial compile in each language, ms shared by all units."""
        before, own = daemon.cpu_ms(), 0
        for suffix in {pathlib.Path(unit.source).suffix for unit in self.units}:
            compiler, text = TRIVIAL[".c" if suffix == ".c" else ".cc"]
            source = self.work / f"trivial{suffix}"
            source.write_text(text)
            own += accounts.command_ms([self.wrapper, compiler, "-c", "-o", self.object("trivial"), source], self.work,
                                       self.env)
        time.sleep(accounts.SETTLE_SECONDS)
        return {"wrapper": own / len(self.units), "daemon": (daemon.cpu_ms() - before) / len(self.units)}

    # Many at once.

    def makefile(self, name, jobs, prefix):
        """`jobs` targets: the units again and again, each with its own object as always."""
        path = self.work / name
        lines = [f"all: {' '.join(map(str, range(jobs)))}", f".PHONY: all {' '.join(map(str, range(jobs)))}"]
        for job in range(jobs):
            number = job % len(self.units)
            words = [*prefix, *self.units[number].compile(self.object(number))]
            lines += [f"{job}:", "\t@" + shlex.join(map(str, words)).replace("$", "$$")]
        path.write_text("\n".join(lines) + "\n")
        return path

    def make(self, makefile, jobs):
        return ["make", "-s", f"-j{jobs}", "-C", self.project.cwd, "-f", makefile]

    def build(self, name, daemon, options, makefile, jobs, count):
        """What a build cost, by its trace and the accounts."""
        daemon.peak_mb()
        before, begin = daemon.cpu_ms(), time.monotonic()
        command = [self.llama, "build", "--name", name, "--no-summary", "--no-progress", *options, "--",
                   *self.make(makefile, jobs)]
        own = accounts.command_ms(command, self.work, self.env)
        wall = time.monotonic() - begin
        time.sleep(accounts.SETTLE_SECONDS)
        report = self.told("report", "--json", name)
        wrappers = self.told("sql", "--json", "--build", name, MOST_AT_ONCE)[0]["most"]
        invoke = next(phase for phase in report["phases"] if phase["name"] == "invoke")
        return {"jobs": count, "wall_s": wall, "per_s": count / wall, "daemon": (daemon.cpu_ms() - before) / count,
                "make_and_wrapper": own / count, "peak_in_flight": report["max_in_flight"], "local": report["local"],
                "mean_in_flight": report["mean_in_flight"], "peak_wrappers": wrappers,
                "peak_mb": daemon.peak_mb(),
                "mean_job_s": invoke["sum_ns"] / invoke["count"] / 1e9}

    def at_once(self, daemon, jobs):
        """A recorded build, replayed: without any time for a job, and with a second on average."""
        recording = self.work / "recording"
        once = self.makefile("once.mk", len(self.units), [self.wrapper])
        recorded = self.build("recorded", daemon, ["--record", recording], once, os.cpu_count(), len(self.units))
        count = max(2 * jobs, len(self.units))
        many = self.makefile("many.mk", count, [self.wrapper])
        nothing = self.makefile("nothing.mk", count, ["true"])
        out = {"recorded": recorded,
               "make": accounts.command_ms(self.make(nothing, jobs), self.work, self.env) / count}
        for name, speed in (("no_time", 0), ("one_second", recorded["mean_job_s"])):
            options = ["--replay", recording, "--workers", jobs, "--speed", f"{speed:.6f}"]
            out[name] = self.build(name, daemon, options, many, jobs, count)
        return out


def measure(project, units, bin_folder, work, rounds, jobs, short):
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    bench = Bench(project, units, bin_folder, work)
    floors = bench.floors(short)
    out = {"project": project.name, "note": project.note, "not_compiled": len(units) - len(bench.units)}
    if not short:
        bench.keep_objects()
        floors |= {name: peer(bench) for name, peer in peers.PEERS.items()}
    daemon = accounts.Daemon(bench.llama, bench.env)
    try:
        out["toolchains"] = bench.toolchains(daemon) | {"peak_mb": daemon.peak_mb()}
        remote, out["first"] = bench.first_pass(daemon)
        out["local"] = [unit.source for number, unit in enumerate(bench.units) if number not in remote]
        bench.units = [bench.units[number] for number in remote]
        out["floors"] = {name: ms if isinstance(ms, str) else statistics.fmean(ms[number] for number in remote)
                         for name, ms in floors.items()}
        out["units"] = len(remote)
        out["warm"] = bench.warm(daemon, rounds)
        out["object_bytes"] = bench.mean_object_bytes()
        out["peak_mb"] = daemon.peak_mb()
        if not short and jobs > 0:
            out["at_once"] = bench.at_once(daemon, jobs)
    finally:
        daemon.stop()
    return out
