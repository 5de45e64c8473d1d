"""Builds on an emulated AWS that fails, refuses, expires or listens.

    cloud.py CASE [PROJECT]       a function of this file; lua or redis

In every case the build succeeds and its objects are those of the local compiler.
"""
import os
import pathlib
import re
import sys
import time

import emulated
import sources
import trees
from harness import expect, run

# Source package, target, objects at least.
PROJECTS = {"lua": ("lua5.4", "linux", 30), "redis": ("redis", "all", 100)}


def build_both(scene, cloud, name="build"):
    """A project by plain make and through llama; the seconds of each. Fails unless all files are equal."""
    package, target, objects = PROJECTS[sys.argv[2] if len(sys.argv) > 2 else "lua"]
    pristine = sources.fetch_package(package)
    tree, plain = scene.dir / f"{name}.tree", scene.dir / f"{name}.plain"
    make = ["make", f"-j{2 * os.cpu_count()}", target]
    env = scene.env(PATH=f"{scene.bin}:{os.environ['PATH']}")
    seconds = []
    for with_llama in (False, True):
        sources.copy(pristine, tree)
        begin = time.monotonic()
        done = (scene.llama_build(name, make, cwd=tree, env=env, timeout=1500) if with_llama
                else scene.run(make, cwd=tree, env=env, timeout=1500))
        seconds.append(time.monotonic() - begin)
        done.expect_status(0)
        if not with_llama:
            tree.rename(plain)
    faults = trees.compare(plain, tree, ("config.log", "configure.log"), ())
    expect(not faults, "\n".join(faults[:20]))
    expect(trees.count(plain, "*.o") >= objects, f"{package} is not built at all")
    return seconds, done


def faults(scene):
    """One request in twenty fails: reset, 500, 503, 429, cut short, stalled."""
    cloud = emulated.use(scene)
    cloud.set_model(error__any="5%", stall__time="3s")
    build_both(scene, cloud)
    # The model draws by its seed; more than a handful of requests hit something.
    failed = {r["fault"] for r in cloud.requests() if r["fault"]}
    cloud.set_model(error__any="25%", stall__time="3s")
    build_both(scene, cloud, "worse")
    failed |= {r["fault"] for r in cloud.requests() if r["fault"]}
    expect(len(failed) >= 4, f"only these faults occurred: {failed}")
    print("faults seen: " + ", ".join(sorted(failed)))


def dead(scene):
    """Every request fails: the build is a local one, and says so in one line."""
    cloud = emulated.use(scene)
    cloud.set_model(error__any="100%", stall__time="3s")
    (plain, llama), done = build_both(scene, cloud)
    compiles = scene.compiles("build")
    expect(compiles and not any(c.remote for c in compiles), "a compile was remote")
    expect(all(c.reason for c in compiles), "a local run without a reason")
    told = [line for line in done.err.decode().splitlines() if "compiling locally" in line]
    expect(len(told) <= 1, f"told {len(told)} times")
    # From here on the circuit is open, or a probe a few seconds long is all that is tried.
    (plain, llama), done = build_both(scene, cloud, "open")
    print(f"plain make {plain:.2f} s, through llama with everything failing {llama:.2f} s")


def expiring(scene):
    """Keys that last for seconds are renewed in the midst of the build."""
    cloud = emulated.use(scene, "--expire-after", "4")
    build_both(scene, cloud)
    compiles = [c for c in scene.compiles("build") if c.source]
    remote = [c for c in compiles if c.remote]
    expect(len(remote) >= PROJECTS["lua"][2], f"only {len(remote)} of {len(compiles)} compiles were remote")


def refused(scene):
    """Keys that are wrong: a local build, and one line that says why."""
    cloud = emulated.use(scene)
    scene.llama("daemon", "stop")
    scene.extra_env["AWS_SECRET_ACCESS_KEY"] = "not-the-secret"
    _, done = build_both(scene, cloud)
    compiles = scene.compiles("build")
    expect(not any(c.remote for c in compiles), "a compile was remote")
    reasons = {c.reason for c in compiles if c.source}
    expect(reasons <= {"sync", "cloud-unavailable", "link", "no-source"}, f"reasons: {reasons}")
    expect(b"not-the-secret" not in done.out + done.err, "the key is in the output")


def readable_files(folder):
    return [p for p in pathlib.Path(folder).rglob("*") if p.is_file() and not p.is_symlink()]


def secrets(scene):
    """Keys are in no log, trace, state file, core state or command line."""
    cloud = emulated.use(scene)
    scene.extra_env["LLAMA_LOG"] = "debug"
    lines = []
    env = scene.env(PATH=f"{scene.bin}:{os.environ['PATH']}")
    tree = scene.dir / "tree"
    sources.copy(sources.fetch_package("lua5.4"), tree)
    process = scene.start_build("secrets", ["make", "-j4", "linux"], cwd=tree, env=env)
    while process.poll() is None:
        for pid in (p for p in os.listdir("/proc") if p.isdigit()):
            try:
                lines.append(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
            except OSError:
                pass
        time.sleep(0.05)
    out, err = process.communicate()
    expect(process.returncode == 0, err.decode(errors="replace")[-2000:])
    told = out + err
    for command in (["config"], ["config", "--json"], ["doctor"], ["daemon", "status"], ["report"]):
        done = scene.llama(*command, timeout=120)
        told += done.out + done.err
    places = {"a command line": b"\0".join(set(lines)), "what was printed": told}
    for path in readable_files(scene.llama_dir):
        data = path.read_bytes()
        if path.suffix == ".zst":
            data = scene.run(["zstd", "-dcq", path]).out
        places[str(path.relative_to(scene.dir))] = data
    places["the emulator's log"] = (cloud.dir / "requests.ndjson").read_bytes()
    expect(any(name.endswith("daemon.log") for name in places), "no log was looked at")
    expect(any(name.endswith(".zst") for name in places), "no trace was looked at")
    for name, secret in cloud.secrets().items():
        for place, data in places.items():
            expect(secret.encode() not in data, f"{name} is in {place}")
    signatures = re.compile(rb"Signature=[0-9a-f]{64}")
    for place, data in places.items():
        expect(not signatures.search(data), f"a signature is in {place}")


def scenario(scene):
    {f.__name__: f for f in (faults, dead, expiring, refused, secrets)}[sys.argv[1]](scene)


run(scenario)
