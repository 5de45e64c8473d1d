"""Real projects as lists of compiles: prepared once, below build/client_cpu/, each in one working folder.

What a project needs generated before its sources compile is made here as cheaply as it can be, and
nothing is linked. A unit is one that the compiler can at least find the headers of.
"""
import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = CHECKOUT / "build" / "sources"
TREES = CHECKOUT / "build" / "client_cpu" / "trees"
MOST_UNITS = 400  # of one project; each is tried once by `-M`


class Unavailable(Exception):
    """The project can't be prepared here; the message says why."""


@dataclasses.dataclass(frozen=True)
class Unit:
    compiler: tuple  # the program and its options, none of which names an output
    source: str
    depfile: str = ""  # the option before a depfile's name; empty: none is written

    def dependencies(self):
        return [*self.compiler, "-M", self.source]

    def preprocess(self):
        return [*self.compiler, "-E", "-o", "/dev/null", self.source]

    def compile(self, output):
        options = []
        if self.depfile == "-MF":
            options = ["-MD", "-MT", output, "-MF", output + ".d"]
        elif self.depfile:
            options = [f"{self.depfile}{output}.d"]
        return [*self.compiler, *options, "-c", "-o", output, self.source]


@dataclasses.dataclass(frozen=True)
class Project:
    name: str
    cwd: pathlib.Path
    units: list
    note: str  # what was compiled, and how

    def spread(self, count):
        """That many units, evenly over all."""
        count = min(count, len(self.units))
        return [self.units[i * len(self.units) // count] for i in range(count)]


def unit_of(words):
    """From a command line as a build system has it; None if it is no compile of one C or C++ file."""
    kept, depfile, source = [os.path.basename(words[0])], "", None
    words = iter(words[1:])
    for word in words:
        if word in ("-o", "-MF", "-MT", "-MQ"):
            next(words)
            depfile = "-MF" if word == "-MF" else depfile
        elif match := re.match(r"(-Wp,-MM?D,)", word):
            depfile = match[1]
        elif re.fullmatch(r"[^-].*\.(c|cc|cpp)", word):
            source = word
        elif word not in ("-c", "-MD", "-MMD", "-MP"):
            kept.append(word)
    return Unit(tuple(kept), source, depfile) if source else None


def run(argv, log, **options):
    """Quietly; a failure tells the end of what was printed."""
    with open(log, "ab") as file:
        status = subprocess.run([str(a) for a in argv], stdout=file, stderr=file, stdin=subprocess.DEVNULL, check=False,
                                **options).returncode
    if status != 0:
        tail = log.read_text(errors="replace")[-1500:]
        raise Unavailable(f"{shlex.join(map(str, argv))} failed\n{tail}")


def fetch(package):
    log = TREES / f"{package}.log"
    run([CHECKOUT / "tools" / "debian_source.sh", SOURCES, package], log)
    return SOURCES / package


def require(*programs_and_headers):
    missing = [p for p in programs_and_headers if not (shutil.which(p) or pathlib.Path(p).exists())]
    if missing:
        raise Unavailable(f"not installed: {', '.join(missing)}")


def redis(tree):
    if not tree.exists():
        shutil.copytree(fetch("redis"), tree, symlinks=True)
    cwd = tree / "src"
    (cwd / "release.h").write_text("")
    flags = ["-O2", "-g", "-std=c11", "-I../deps/hiredis", "-I../deps/linenoise", "-I../deps/lua/src",
             "-I../deps/hdr_histogram", "-DREDIS_STATIC="]
    # The commands' first: what is compiled by default. ae.c includes what is other systems'.
    names = sorted(p.name for p in cwd.glob("t_*.c"))
    names += sorted(p.name for p in cwd.glob("[a-z]*.c") if not p.name.startswith(("ae_", "t_")))
    return cwd, [Unit(("gcc", *flags), name) for name in names], "redis, -O2 -g"


LLVM_OPTIONS = """-DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG -DCMAKE_CXX_FLAGS_RELEASE=-DNDEBUG
    -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DLLVM_ENABLE_PROJECTS=clang
    -DLLVM_TARGETS_TO_BUILD=X86 -DLLVM_INCLUDE_TESTS=OFF -DLLVM_INCLUDE_BENCHMARKS=OFF -DLLVM_INCLUDE_EXAMPLES=OFF
    -DCLANG_INCLUDE_TESTS=OFF -DLLVM_ENABLE_ZLIB=OFF -DLLVM_ENABLE_TERMINFO=OFF -DLLVM_ENABLE_LIBXML2=OFF
    -DLLVM_ENABLE_BINDINGS=OFF""".split()


def llvm(tree):
    """Of llvm/lib/ and clang/lib/. Building both tablegens takes ten minutes: the headers that they
    generate come from the packages that were made of the same source, and units that need one which
    is not public (a target's, an option table's) are left out."""
    installed = pathlib.Path("/usr/lib/llvm-14/include")
    require("cmake", "ninja", installed / "llvm" / "IR" / "Attributes.inc")
    source = fetch("llvm-toolchain-14")
    env = {k: v for k, v in os.environ.items() if not k.endswith("_COMPILER_LAUNCHER")}
    run(["cmake", "-G", "Ninja", "-S", source / "llvm", "-B", tree, *LLVM_OPTIONS], tree.with_suffix(".log"), env=env)
    for project, includes in (("llvm", tree / "include"), ("clang", tree / "tools" / "clang" / "include")):
        for path in installed.glob(project + "/**/*"):
            name = path.relative_to(installed)
            target = includes / name
            if path.is_file() and not target.exists() and not (source / project / "include" / name).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    units = []
    for entry in json.loads((tree / "compile_commands.json").read_text()):
        if re.search(r"/(llvm|clang)/lib/.*\.cpp$", entry["file"]) and pathlib.Path(entry["directory"]) == tree:
            units.append(dataclasses.replace(unit_of(shlex.split(entry["command"])), depfile="-MF"))
    units.sort(key=lambda unit: unit.source)
    clang = " and clang" if (installed / "clang").exists() else " (hardly any of clang without libclang-14-dev)"
    return tree, units, f"llvm{clang}, no -O, no -g"


def protobuf(tree):
    """protobuf and abseil, as much of them as needs no other library."""
    protobuf_source, abseil_source = fetch("protobuf"), fetch("abseil")
    tree.mkdir(exist_ok=True)
    sources = sorted((protobuf_source / "src").glob("google/protobuf/**/*.cc"))
    sources += sorted((abseil_source / "absl").glob("**/*.cc"))
    test = re.compile(r"test|benchmark|mock|/testing/|_main\.cc")
    flags = ["-std=c++17", f"-I{protobuf_source}/src", f"-I{abseil_source}", "-DHAVE_PTHREAD=1", "-DHAVE_ZLIB=1"]
    units = [Unit(("g++", *flags), str(p), "-MF") for p in sources if not test.search(str(p.relative_to(SOURCES)))]
    return tree, units, "protobuf and abseil, no -O, no -g"


def kernel(config):
    def prepare(tree):
        require("flex", "bison", "bc", "/usr/include/gelf.h")
        source = fetch("linux")
        tree.mkdir(exist_ok=True)
        log = tree.with_suffix(".log")
        run(["make", "-s", "-C", source, f"O={tree}", config, "prepare"], log)
        folders = ["init/", "kernel/", "mm/", "fs/", "lib/", "drivers/", "net/", "block/", "crypto/", "security/",
                   "arch/x86/kernel/", "arch/x86/mm/"]
        listed = subprocess.run(["make", "-C", tree, "-n", "V=1", *folders], capture_output=True, text=True,
                                check=False)
        # What runs, not what is echoed before.
        commands = re.findall(r"; (gcc -Wp,-MMD,\S+ [^;]* -c -o \S+\.o \S+\.c)\s*;", listed.stdout)
        units = {words[-1]: unit_of(words) for words in map(shlex.split, commands) if "/scripts/" not in words[-1]}
        return tree, [units[source] for source in sorted(units)], f"linux {config}, -O2"
    return prepare


PROJECTS = {"redis": redis, "llvm": llvm, "protobuf": protobuf, "kernel-tiny": kernel("tinyconfig"),
            "kernel-def": kernel("defconfig")}


def compiles(unit, cwd):
    return subprocess.run(unit.dependencies(), cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def load(name):
    """A project, prepared if it isn't yet."""
    TREES.mkdir(parents=True, exist_ok=True)
    tree = TREES / name
    listing = TREES / f"{name}.json"
    if not listing.exists():
        cwd, units, note = PROJECTS[name](tree)
        count = min(len(units), MOST_UNITS)
        tried = Project(name, cwd, units, note).spread(count) if name != "redis" else units
        good = [unit for unit in tried if compiles(unit, cwd)]
        if not good:
            raise Unavailable(f"none of {len(units)} units of {name} can be compiled")
        listing.write_text(json.dumps({"cwd": str(cwd), "note": note, "tried": len(tried),
                                       "units": [dataclasses.astuple(unit) for unit in good]}))
    kept = json.loads(listing.read_text())
    units = [Unit(tuple(compiler), source, depfile) for compiler, source, depfile in kept["units"]]
    return Project(name, pathlib.Path(kept["cwd"]), units, kept["note"])
