"""Builds a real project with and without llama, in the same folder, and compares all that is left.

    project_identity.py PROJECT [--bare-root | --cloud]     one of the table below

--bare-root: workers in roots that hold nothing. --cloud: on S3 and Lambda as the emulator has them.

Everything that either build leaves is compared, not objects alone, but for logs that hold times.
Then the trace is checked: no compile of the project ran locally for want of understanding, and
every compile's spans are one whole tree.
"""
import dataclasses
import os
import sys

import bare_root
import emulated
import harness
import sources
import trace_check
import trees
from harness import expect

# Why a compiler that is called by these projects may run here: it is no -c compile of one source,
# or the code has an error that the local compiler has to report.
ALLOWED_LOCALLY = ("link", "preprocess", "assembly", "dependencies", "several-sources",
                   "no-source", "stdin", "query", "assembler", "preprocess-failed")

# Options that configure scripts try and that no compiler has.
PROBES = ("unknown-option:-herror_on_warning",)


@dataclasses.dataclass
class Project:
    source: str  # a source package, or a glob of a folder or tarball
    steps: list
    objects: int  # at least so many must come out of it
    env: dict = dataclasses.field(default_factory=dict)  # of both builds
    llama_env: dict = dataclasses.field(default_factory=dict)
    ignore: tuple = ("config.log", "configure.log")
    only: tuple = ()
    needs: tuple = ()
    max_store_requests: float = 0.0  # per compile, of the whole cold build; 0: not looked at


MAKE = ["make", f"-j{2 * os.cpu_count()}"]
KERNEL_ENV = {"KBUILD_BUILD_TIMESTAMP": "2026-01-01", "KBUILD_BUILD_USER": "user",
              "KBUILD_BUILD_HOST": "host", "KBUILD_BUILD_VERSION": "1"}
PROJECTS = {
    "lua": Project("lua5.4", [[*MAKE, "linux"]], objects=30),
    # Called as CC=llamacc, which its Makefile and logs then hold.
    "zlib": Project("zlib", [["./configure"], MAKE], objects=18, llama_env={"CC": "llamacc"},
                    ignore=("configure.log", "Makefile")),
    "zstd": Project("libzstd", [[*MAKE, "lib-release", "zstd-release"]], objects=50),
    "redis": Project("redis", [MAKE], objects=100, max_store_requests=0.2),
    "sqlite3": Project("sqlite3", [["./configure"], MAKE], objects=2, needs=("tclsh",)),
    # As CMake's compiler launcher. Its own files name the launcher: only what it builds counts.
    "googletest": Project(
        "/usr/src/googletest",
        [["cmake", "-S", ".", "-B", "out", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
         ["cmake", "--build", "out", "-j4"]],
        objects=4, only=("*.o", "*.a", "*.d"), needs=("cmake",),
        llama_env={"CMAKE_C_COMPILER_LAUNCHER": "llamacc", "CMAKE_CXX_COMPILER_LAUNCHER": "llamacc"}),
    "clang": Project("lua5.4", [[*MAKE, "linux"]], objects=30, needs=("clang",)),
    "kernel": Project("/usr/src/linux-source-*.tar.*", [["make", "tinyconfig"], MAKE], objects=300,
                      env=KERNEL_ENV, needs=("flex", "bison", "bc")),
}


def build(scene, project, tree, with_llama):
    path = f"{scene.bin}:{os.environ['PATH']}"
    env = scene.env(PATH=path, **project.env, **(project.llama_env if with_llama else {}))
    for number, step in enumerate(project.steps):
        if with_llama:
            result = scene.llama_build(f"step {number}", step, cwd=tree, env=env, timeout=1500)
        else:
            result = scene.run(step, cwd=tree, env=env, timeout=1500)
        result.expect_status(0)


def may_run_locally(compile_):
    # The kernel asks a compiler what it can do by compiling nothing.
    is_probe = compile_.reason in PROBES or compile_.source == "/dev/null"
    return is_probe or compile_.reason.split(":")[0] in ALLOWED_LOCALLY


def check_trace(spans):
    faults = trace_check.check_build(spans)
    for compile_ in trace_check.compiles(spans):
        if not compile_.remote and not may_run_locally(compile_):
            faults.append(f"{compile_.source}: ran locally because of {compile_.reason}")
    return faults


def scenario(scene):
    name = sys.argv[1]
    project = PROJECTS[name]
    pristine = sources.fetch(project.source, project.needs)
    tree, plain = scene.dir / "tree", scene.dir / "plain"
    if "--bare-root" in sys.argv:
        bare_root.use(scene)
    cloud = emulated.use(scene) if "--cloud" in sys.argv else None
    if name == "clang":
        project.steps = [step + ["CC=clang"] for step in project.steps]

    sources.copy(pristine, tree)
    build(scene, project, tree, with_llama=False)
    tree.rename(plain)
    objects = trees.count(plain, "*.o")
    expect(objects >= project.objects, f"only {objects} objects: is {name} built at all?")

    sources.copy(pristine, tree)
    build(scene, project, tree, with_llama=True)
    faults, remote = trees.compare(plain, tree, project.ignore, project.only), 0
    for number in range(len(project.steps)):
        spans = scene.spans(f"step {number}")
        faults += check_trace(spans)
        remote += sum(c.remote for c in trace_check.compiles(spans))
    if project.max_store_requests:
        report = scene.report("step 0")
        requests = report["store_puts"] + report["store_gets"]
        if requests > project.max_store_requests * remote:
            faults.append(f"{requests} store requests for {remote} compiles")
    expect(not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:40]))
    if "--bare-root" in sys.argv:
        bare_root.check(scene)
    if cloud:
        emulated.check_used(cloud, remote)
    print(f"{name}: {objects} objects the same, {remote} compiles remote")


harness.run(scenario)
