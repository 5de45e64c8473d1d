"""What `llama report` says bounded a build is what bounded it.

    findings.py CASE       a function of this file

Each build has one thing wrong with it, by far larger than what a busy machine adds; that must be
named first, and none of these things in a build that has nothing wrong.
"""
import pathlib
import sys

import emulated
import synthetic
from harness import expect, run

UNITS = 24
JOBS = 6
# Kinds of findings that a healthy build must not have.
FAULTS = {"slow-unit", "serial-chain", "uplink", "downlink", "store", "cold-starts", "failures", "slow-worker"}


def project(scene, name="project", units=UNITS):
    folder = scene.dir / name
    synthetic.write(folder, count=units, functions=60)
    return folder


def clean(folder):
    for path in pathlib.Path(folder).glob("*.[od]"):
        path.unlink()


def build(scene, name, folder, jobs=JOBS, command=("make", "-s"), local=()):
    """`local`: reasons for which units may run here."""
    scene.llama_build(name, [*command, f"-j{jobs}"], cwd=folder).expect_status(0)
    report = scene.report(name)
    reasons = set(report["local_reasons"])
    expect(reasons <= set(local), f"{report['remote']} compiles were remote: {report['local_reasons']}")
    return report


def warm(scene, folder, jobs=JOBS):
    """Fills the store and starts the workers."""
    build(scene, "warm", folder, jobs)
    clean(folder)


def show(report):
    for finding in report["findings"]:
        print(f"  {finding['share']:5.0%} {finding['kind']}: {finding['text']}")
    if not report["findings"]:
        print("  nothing stands out")


def expect_first(report, kind):
    show(report)
    kinds = [finding["kind"] for finding in report["findings"]]
    expect(kinds[:1] == [kind], f"{kind} is not named first: {kinds}; bounds: {report['bounds']['totals_ns']}")
    expect(sum(report["bounds"]["totals_ns"].values()) == report["wall_ns"],
           "the bounds do not add up to the wall clock")
    return report["findings"][0]


def expect_figure(finding, name, known):
    """What was injected is what is told, but for what a busy machine adds."""
    told = finding["evidence"][name]
    expect(abs(told - known) <= 0.15 * known, f"{finding['kind']}: {name} is told as {told:g}, it is {known:g}")


def healthy(scene):
    emulated.use(scene)
    folder = project(scene)
    warm(scene, folder)
    report = build(scene, "healthy", folder)
    show(report)
    wrong = FAULTS & {finding["kind"] for finding in report["findings"]}
    expect(not wrong, f"a healthy build has {wrong}")
    weighted = sum(unit["weighted_ns"] for unit in report["weighted"])
    idle = report["parallelism"]["idle_ns"]
    expect(weighted + idle == report["wall_ns"], "weighted time and idle time are not the wall clock")


def slow_unit(scene):
    emulated.use(scene)
    folder = project(scene)
    warm(scene, folder)
    # All others have ended long before.
    (folder / "s3.c").write_text(synthetic.source(3, 4000))
    finding = expect_first(build(scene, "slow", folder), "slow-unit")
    expect(finding["subject"] == "s3.c", f"{finding['subject']} is named")


def serial_dependency(scene):
    emulated.use(scene)
    folder = project(scene)
    warm(scene, folder)
    with (folder / "Makefile").open("a") as makefile:
        for number in range(1, UNITS):
            makefile.write(f"s{number}.o: s{number - 1}.o\n")
    expect_first(build(scene, "chain", folder), "serial-chain")


def slow_uplink(scene):
    """The first build: compiler and headers go up through a thin line."""
    cloud = emulated.use(scene)
    folder = project(scene)
    cloud.set_model(bandwidth__total__up="8Mbit/s")
    report = build(scene, "uplink", folder, local=("slow-upload",))
    finding = expect_first(report, "uplink")
    # Who would have to wait for the whole toolchain is compiled here instead.
    expect(finding["evidence"].get("local_runs") == report["local"], f"{report['local']} units ran here")
    expect_figure(finding, "bytes_per_second", 1e6)


def slow_store(scene):
    """Every request of the store takes so long that it is given up."""
    cloud = emulated.use(scene)
    warm(scene, project(scene, "one", units=2))
    cloud.set_model(s3__put__latency="15s", s3__get__latency="5s")
    # Headers that the store has not seen yet: too many to travel with each job.
    folder = project(scene)
    more = "".join(f"#define UNUSED_{n} {n}\n" for n in range(4000))
    (folder / "shared.h").write_text("#define SHARED 1\n" + more)
    expect_first(build(scene, "store", folder, local=("slow-upload", "sync", "cloud-unavailable")), "store")


def cold_starts(scene):
    cloud = emulated.use(scene)
    one = project(scene, "one", units=1)
    warm(scene, one, 1)
    cloud.set_model(lambda__cold_start="15s")
    finding = expect_first(build(scene, "cold", project(scene)), "cold-starts")
    expect(finding["evidence"]["cold_starts"] >= JOBS - 1, "the storm is not counted")


def scenario(scene):
    cases = (healthy, slow_unit, serial_dependency, slow_uplink, slow_store, cold_starts)
    {case.__name__: case for case in cases}[sys.argv[1]](scene)


run(scenario)
