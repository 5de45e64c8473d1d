"""What `llama report` says bounded a build is what bounded it.

    findings.py CASE       a function of this file

Each build has one thing wrong with it, by far larger than what a busy machine adds; that must be
named first, and none of these things in a build that has nothing wrong.
"""
import os
import pathlib
import random
import string
import sys

import emulated
import synthetic
from harness import expect, finish, read_proc, run

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


def small(scene, name="small", units=12, functions=5):
    """Units whose compile takes next to nothing, so that what is injected is what there is."""
    folder = scene.dir / name
    synthetic.write(folder, count=units, functions=functions)
    return folder


def noise(count, seed=1):
    """Letters that no compression makes much shorter."""
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=count))


def with_data(folder, count):
    """So many bytes of data in each object."""
    for source in folder.glob("*.c"):
        with source.open("a") as file:
            file.write(f'const char data_{source.stem}[] = "{noise(count, source.stem)}";\n')
    return folder


def show(report):
    for finding in report["findings"]:
        print(f"  {finding['share']:5.0%} {finding['kind']}: {finding['text']}")
    if not report["findings"]:
        print("  nothing stands out")


def expect_partition(report):
    """Bounds and findings share the wall clock out: no time is told twice."""
    expect(sum(report["bounds"]["totals_ns"].values()) == report["wall_ns"],
           "the bounds do not add up to the wall clock")
    told = sum(finding["cost_ns"] for finding in report["findings"])
    # Each is rounded to nanoseconds.
    expect(told <= report["wall_ns"] + len(report["findings"]), f"the findings cost {told} of {report['wall_ns']} ns")


def kinds_of(report, kind):
    return [finding for finding in report["findings"] if finding["kind"] == kind]


def expect_named(report, *kinds):
    """The first findings, in whatever order."""
    show(report)
    expect_partition(report)
    # What else this machine does while the test runs is no part of the case.
    named = [f["kind"] for f in report["findings"] if f["kind"] != "other-programs"]
    expect(set(named[:len(kinds)]) == set(kinds),
           f"{' and '.join(kinds)} are not named first: {named}; bounds: {report['bounds']['totals_ns']}")
    return [kinds_of(report, kind)[0] for kind in kinds]


def expect_first(report, kind):
    return expect_named(report, kind)[0]


def failed_requests(cloud, since, operation_of):
    return sum(1 for r in cloud.requests()[since:] if r["fault"] in ("500", "503") and operation_of(r))


def expect_figure(finding, name, known):
    """What was injected is what is told, but for what a busy machine adds."""
    told = (finding["evidence"] | finding)[name]
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
    (folder / "s3.c").write_text(synthetic.source(3, 2000))
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


def store_with_latency(scene, latency, local=()):
    """Headers that the store has not seen yet, too many to travel with each job, on warm workers."""
    cloud = emulated.use(scene)
    warm(scene, project(scene, "one", units=12))
    cloud.set_model(s3__put__latency=latency, s3__get__latency="4s")
    folder = project(scene)
    more = "".join(f"#define UNUSED_{n} {n}\n" for n in range(4000))
    (folder / "shared.h").write_text("#define SHARED 1\n" + more)
    return build(scene, "store", folder, local=local)


def slow_store(scene):
    """Every request of the store takes seconds, however small."""
    finding = expect_first(store_with_latency(scene, "4s"), "store")
    expect_figure(finding, "request_ns", 4e9)
    expect_figure(finding, "fetch_ns", 4e9)


def store_in_vain(scene):
    """An upload is given up after 5 s, and again: units don't wait for it, or find the store failing."""
    finding = expect_first(store_with_latency(scene, "15s", ("slow-upload", "sync", "cloud-unavailable")), "failures")
    expect("no answer within 5000 ms" in finding["text"], "what failed is not told")


def cold_starts(scene):
    cloud = emulated.use(scene)
    warm(scene, small(scene, "one", units=1), 1)
    cloud.set_model(lambda__cold_start="6s")
    report = build(scene, "cold", small(scene))
    finding = expect_first(report, "cold-starts")
    expect(not kinds_of(report, "slow-unit"), "a unit that waits for a worker is to be split")
    expect(finding["evidence"]["cold_starts"] >= JOBS - 1, "the storm is not counted")
    expect_figure(finding, "cost_ns", 6e9)


def latency(scene):
    cloud = emulated.use(scene)
    folder = small(scene)
    warm(scene, folder, 4)
    cloud.set_model(lambda__invoke__latency="2s")
    finding = expect_first(build(scene, "far", folder, 4), "transit")
    expect_figure(finding, "transit_ns", 2e9)
    expect("-j" in finding["advice"], f"more at once would help: {finding['advice']}")


def errors(scene):
    """Half of the invocations answer 500: with this seed more than half, and not all are in the first."""
    cloud = emulated.use(scene)
    folder = small(scene)
    warm(scene, folder, 4)
    cloud.set_model(seed=19, lambda__error__500="50%", lambda__invoke__latency="400ms")
    since = len(cloud.requests())
    report = build(scene, "errors", folder, 4, local=("invoke",))
    finding = expect_first(report, "failures")
    expect(not kinds_of(report, "workers"), "requests that fail are taken for a lack of concurrency")
    failed = failed_requests(cloud, since, lambda r: r["service"] == "lambda")
    evidence = finding["evidence"]
    expect(evidence["repeated_requests"] + evidence["failed_attempts"] == failed,
           f"{failed} requests failed, the finding says {evidence}")


def store_errors(scene):
    """Of the store's requests some answer 503: with this seed the first four, which is one upload."""
    cloud = emulated.use(scene)
    warm(scene, small(scene, "one"), 4)
    cloud.set_model(seed=24, s3__error__503="40%", s3__put__latency="800ms", s3__get__latency="800ms")
    folder = small(scene)
    (folder / "shared.h").write_text(f"#define SHARED 1\n#define UNUSED {noise(200_000)}\n")
    since = len(cloud.requests())
    finding = expect_first(build(scene, "errors", folder, 4), "failures")
    failed = failed_requests(cloud, since, lambda r: r["service"] == "s3")
    expect(finding["evidence"]["repeated_store_requests"] == failed,
           f"{failed} requests failed, the finding says {finding['evidence']}")


def slow_downlink(scene):
    cloud = emulated.use(scene)
    folder = with_data(small(scene, units=8), 400_000)
    warm(scene, folder, 4)
    cloud.set_model(bandwidth__total__down="4Mbit/s")
    finding = expect_first(build(scene, "downlink", folder, 4), "downlink")
    expect_figure(finding, "bytes_per_second", 0.5e6)


def first_fill(scene):
    cloud = emulated.use(scene)
    since = len(cloud.requests())
    finding = expect_first(build(scene, "fill", small(scene), 4), "fill")
    puts = sum(r["bytes_in"] for r in cloud.requests()[since:] if r["operation"] == "PutObject")
    expect_figure(finding, "uploaded_bytes", puts)
    expect(finding["evidence"]["new_workers"] >= 4, f"{finding['evidence']}")


def concurrency(scene):
    cloud = emulated.use(scene)
    folder = project(scene, units=12)
    warm(scene, folder)
    cloud.set_model(lambda__concurrency=2)
    finding = expect_first(build(scene, "two", folder), "workers")
    expect(finding["evidence"]["most_at_work"] == 2, f"{finding['evidence']}")


def recursive(scene, parts=8):
    """A make a folder, one after the other: two units each, of four slots."""
    top = scene.dir / "recursive"
    top.mkdir()
    for number in range(parts):
        synthetic.write(top / f"d{number}", count=2, functions=60)
    (top / "Makefile").write_text(
        f"all:\n\t@for d in {' '.join(f'd{n}' for n in range(parts))}; do $(MAKE) -s -C $$d || exit 1; done\n")
    return top


def clean_recursive(top):
    for folder in top.glob("d*"):
        clean(folder)


def recursive_make(scene):
    emulated.use(scene)
    top = recursive(scene)
    build(scene, "warm", top, 4)
    clean_recursive(top)
    finding = expect_first(build(scene, "recursive", top, 4), "make")
    expect_figure(finding, "mean_units", 2)


def cpu_seconds(pid):
    """User and system time so far, by proc(5)."""
    fields = read_proc(pid, "stat").rpartition(b") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def other_programs(scene):
    """Two of them on each processor, while functions of this machine compile."""
    folder = project(scene)
    warm(scene, folder, 4)
    hogs = [scene.start(["sh", "-c", "while :; do :; done"]) for _ in range(2 * os.cpu_count())]
    scene.at_end.append(lambda: [hog.kill() or hog.wait() for hog in hogs])
    before = sum(cpu_seconds(hog.pid) for hog in hogs)
    report = build(scene, "beside", folder, 4)
    used = sum(cpu_seconds(hog.pid) for hog in hogs) - before
    show(report)
    expect_partition(report)
    found = kinds_of(report, "other-programs")
    expect(found, f"others are not named: {report['bounds']['totals_ns']}")
    # Whatever else this machine does is other programs', too; and not all of the time is bound by processors.
    share = report["bounds"]["totals_ns"]["cpu"] / report["wall_ns"]
    expect(found[0]["evidence"]["cpu_ns"] >= 0.85 * used * share * 1e9,
           f"they took {used:.1f} s, in {share:.0%} of the time: {found[0]['text']}")
    for hog in hogs:
        hog.kill()


def other_builds(scene):
    """Two builds of one daemon: each is told of the other, whose functions run on this machine, too."""
    folders = [project(scene, name) for name in ("one", "two")]
    for folder in folders:
        build(scene, f"warm {folder.name}", folder, 4)
        clean(folder)
    builds = [scene.start_build(folder.name, ["make", "-s", "-j4"], cwd=folder) for folder in folders]
    for process in builds:
        finish(process).expect_status(0)
    for folder in folders:
        report = scene.report(folder.name)
        show(report)
        expect_partition(report)
        found = kinds_of(report, "other-builds")
        expect(found, f"the other build is not named: {report['bounds']['totals_ns']}")
        cpu = next(row for row in report["use"] if row["resource"] == "cpu")
        ratio = cpu["other_builds_ns"] / cpu["workers_ns"]
        expect(0.5 < ratio < 2, f"they are alike, but the other took {ratio:.1f} times as much: {found[0]['text']}")


def latency_and_cold_starts(scene):
    cloud = emulated.use(scene)
    warm(scene, small(scene, "one", units=1), 1)
    cloud.set_model(lambda__invoke__latency="1s", lambda__cold_start="4s")
    far, cold = expect_named(build(scene, "both", small(scene, units=16), 4), "transit", "cold-starts")
    expect_figure(far, "transit_ns", 1e9)
    expect(cold["evidence"]["cold_starts"] >= 3, f"{cold['evidence']}")


def errors_and_concurrency(scene):
    cloud = emulated.use(scene)
    folder = small(scene, units=16, functions=100)
    warm(scene, folder)
    cloud.set_model(seed=19, lambda__error__500="50%", lambda__invoke__latency="300ms", lambda__concurrency=2)
    since = len(cloud.requests())
    report = build(scene, "both", folder, local=("invoke",))
    failures, workers = expect_named(report, "failures", "workers")
    failed = failed_requests(cloud, since, lambda r: r["service"] == "lambda")
    evidence = failures["evidence"]
    # A throttle may be the last that an attempt gets.
    told = evidence["repeated_requests"] + evidence["failed_attempts"]
    expect(failed <= told <= 1.15 * failed + 1, f"{failed} requests failed, the finding says {evidence}")
    expect(workers["evidence"]["most_at_work"] <= 2, f"{workers['evidence']}")


def slow_downlink_and_slow_unit(scene):
    cloud = emulated.use(scene)
    folder = with_data(small(scene, units=8), 200_000)
    warm(scene, folder, 4)
    # The last to start: much work, and a small answer.
    (folder / "s7.c").write_text(synthetic.source(7, 1500))
    with (folder / "Makefile").open("a") as makefile:
        makefile.write("s7.o: s7.c\n\tgcc -O2 -c $< -o $@\n")
    cloud.set_model(bandwidth__total__down="4Mbit/s")
    down, slow = expect_named(build(scene, "both", folder, 4), "downlink", "slow-unit")
    expect_figure(down, "bytes_per_second", 0.5e6)
    expect(slow["subject"] == "s7.c", f"{slow['subject']} is named")


def slow_uplink_and_cold_starts(scene):
    """A header of 3 MB goes up in 3 s, and then new workers start."""
    cloud = emulated.use(scene)
    warm(scene, small(scene, "one", units=1), 1)
    folder = small(scene, units=8)
    (folder / "shared.h").write_text(f"#define SHARED 1\n/* {noise(4_000_000)} */\n")
    cloud.set_model(bandwidth__total__up="8Mbit/s", lambda__cold_start="4s")
    up, cold = expect_named(build(scene, "both", folder, 4), "uplink", "cold-starts")
    expect_figure(up, "bytes_per_second", 1e6)
    expect(cold["evidence"]["cold_starts"] >= 3, f"{cold['evidence']}")


def recursive_make_and_latency(scene):
    cloud = emulated.use(scene)
    top = recursive(scene)
    build(scene, "warm", top, 4)
    clean_recursive(top)
    cloud.set_model(lambda__invoke__latency="300ms")
    far, make = expect_named(build(scene, "both", top, 4), "transit", "make")
    expect_figure(far, "transit_ns", 0.3e9)
    expect_figure(make, "mean_units", 2)


CASES = (healthy, slow_unit, serial_dependency, slow_uplink, slow_store, cold_starts, latency, errors, store_errors,
         store_in_vain, slow_downlink, first_fill, concurrency, recursive_make, other_programs, other_builds,
         latency_and_cold_starts, errors_and_concurrency, slow_downlink_and_slow_unit, slow_uplink_and_cold_starts,
         recursive_make_and_latency)


def scenario(scene):
    {case.__name__: case for case in CASES}[sys.argv[1]](scene)


run(scenario)
