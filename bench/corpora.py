"""Real projects' compiles, for bench/closures.py: each corpus is a function that gives a list of
(folder, argv), as the project's own build runs them where a short configure gives it all that -M
needs, otherwise with options written here.

Sources come from tools/debian_source.sh, into build/sources; what is configured or altered is below
build/corpora. Compiles are gcc's.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = CHECKOUT / "build" / "sources"
WORK = CHECKOUT / "build" / "corpora"
COMPILERS = {"gcc", "g++", "cc", "c++"}


def source(package):
    subprocess.run([CHECKOUT / "tools" / "debian_source.sh", SOURCES, package], check=True)
    return SOURCES / package


def run(argv, folder, **options):
    subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL, **options)


def once(name, make):
    """The folder build/corpora/NAME, made by `make(folder)` if it is not there whole."""
    folder = WORK / name
    stamp = folder / ".made"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        stamp.touch()
    return folder


def with_flags(folder, paths, *flags, driver="gcc"):
    return [(str(folder), [driver, *flags, "-c", str(p), "-o", "unit.o"]) for p in paths]


def commands_of(shell_line):
    """A line of shell as commands, each a list of words; quoting that is none of ours ends it."""
    lexer = shlex.shlex(shell_line, posix=True, punctuation_chars=";&|()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words = []
    try:
        for word in lexer:
            if word and set(word) <= set(";&|()"):
                yield words
                words = []
            else:
                words.append(word)
    except ValueError:
        pass
    yield words


def as_compile(words):
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0]):
        words = words[1:]
    if not words or os.path.basename(words[0]) not in COMPILERS or "-c" not in words:
        return None
    driver = "g++" if os.path.basename(words[0]) in ("g++", "c++") else "gcc"
    return [driver, *words[1:]]


def dry_run(folder, *args):
    """The compiles that `make -n` says it would run."""
    out = subprocess.run(["make", "-n", "-k", "-w", *args], cwd=folder, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"}).stdout
    folders = [str(folder)]
    compiles = []
    for line in re.sub(r"\\\n", " ", out.decode(errors="replace")).splitlines():
        moved = re.match(r"make(?:\[\d+\])?: (Entering|Leaving) directory '(.*)'", line)
        if moved:
            folders = folders[:-1] if moved[1] == "Leaving" else [*folders, moved[2]]
            continue
        cwd = folders[-1]
        if not any(compiler in line for compiler in COMPILERS):
            continue
        for words in commands_of(line):
            if len(words) == 2 and words[0] == "cd":
                cwd = os.path.join(cwd, words[1])
            elif compile := as_compile(words):
                compiles.append((os.path.realpath(cwd), compile))
    return compiles


def libstdcxx(standard):
    roots = [p for p in (pathlib.Path("/usr/include/c++/12"),
                         pathlib.Path("/usr/include/x86_64-linux-gnu/c++/12")) if p.is_dir()]
    headers = sorted({str(p.relative_to(root)) for root in roots for p in root.rglob("*")
                      if p.is_file()})
    folder = WORK / "libstdcxx"
    folder.mkdir(parents=True, exist_ok=True)
    sources = []
    for header in headers:
        path = folder / (header.replace("/", "+") + ".cc")
        path.write_text(f"#include <{header}>\n")
        sources.append(path.name)
    return with_flags(folder, sources, f"-std={standard}", driver="g++")


def redis():
    folder = source("redis")
    made = once("redis", lambda made: (made / "release.h").write_text(""))
    flags = ["-std=c11", "-O2", "-g", f"-I{made}", "-I../deps/hiredis", "-I../deps/linenoise",
             "-I../deps/lua/src", "-I../deps/hdr_histogram", "-DREDIS_STATIC="]
    compiles = with_flags(folder / "src", sorted(p.name for p in (folder / "src").glob("*.c")),
                          *flags)
    for part in ("hiredis", "linenoise", "hdr_histogram", "lua/src"):
        path = folder / "deps" / part
        compiles += with_flags(path, sorted(p.name for p in path.glob("*.c")), "-std=c99", "-O2")
    return compiles


def freetype():
    folder = source("freetype")
    return with_flags(folder, sorted(str(p.relative_to(folder)) for p in folder.glob("src/*/*.c")),
                      "-Iinclude", "-DFT2_BUILD_LIBRARY", "-O2")


def git():
    original = source("git")

    def make(folder):
        shutil.copytree(original, folder, dirs_exist_ok=True, symlinks=True)
        run(["make", "-s", "command-list.h", "config-list.h", "hook-list.h"], folder)
    return dry_run(once("git", make), "V=1", "all")


def openssl():
    original = source("openssl")

    def make(folder):
        run(["perl", original / "Configure", "linux-x86_64", "no-asm"], folder)
        run(["make", "-s", "build_generated"], folder)
    return dry_run(once("openssl", make), "build_sw")


def boost():
    """Examples of the libraries' source, against the headers of libboost-dev."""
    original = source("boost1.74")

    def make(folder):
        run(["apt-get", "download", "-qq", "libboost1.74-dev"], folder)
        run(["sh", "-c", "dpkg-deb -x *.deb ."], folder)
    headers = once("libboost-dev", make) / "usr" / "include"
    compiles = []
    for path in sorted(original.glob("libs/**/example*/**/*.cpp")):
        compiles += with_flags(path.parent, [path.name], "-std=c++17", f"-I{headers}",
                               driver="g++")
    return compiles


def python():
    original = source("python3.11")
    folder = once("python3.11", lambda made: run([original / "configure", "-q"], made,
                                                 stderr=subprocess.DEVNULL))
    compiles = dry_run(folder, "all")
    known = {words[words.index("-c") + 1] for _, words in compiles}
    modules = [p for p in sorted(original.glob("Modules/**/*.c")) if str(p) not in known]
    return compiles + with_flags(folder, modules, "-O2", f"-I{original}/Include/internal", "-I.",
                                 f"-I{original}/Include", "-DPy_BUILD_CORE_MODULE")


def llvm():
    original = source("llvm-toolchain-14")

    def make(folder):
        run(["cmake", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DLLVM_TARGETS_TO_BUILD=X86",
             "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DCMAKE_C_COMPILER=gcc",
             "-DCMAKE_CXX_COMPILER=g++", original / "llvm"], folder, stderr=subprocess.DEVNULL)
    entries = json.loads((once("llvm", make) / "compile_commands.json").read_text())
    wanted = re.compile(r"/llvm/(lib/(Support|Demangle|TableGen|BinaryFormat|Option|DebugInfo|MC|"
                        r"Object|IR|Bitcode|Target/X86)|utils/TableGen|tools/llvm-\w+)/")
    return [(entry["directory"], as_compile(shlex.split(entry["command"])))
            for entry in entries if wanted.search(entry["file"])]


def ffmpeg():
    original = source("ffmpeg")
    folder = once("ffmpeg", lambda made: run(
        [original / "configure", "--disable-x86asm", "--disable-doc"], made))
    return dry_run(folder, "V=1", "all")


def linux():
    original = source("linux")

    def make(folder):
        run(["make", "-s", "-C", original, f"O={folder}", "defconfig"], folder)
        run(["make", "-s", "-j2", "-C", original, f"O={folder}", "prepare"], folder)
    return dry_run(once("linux", make), "V=1", "vmlinux")


CORPORA = {
    "libstdc++ c++17": lambda: libstdcxx("c++17"),
    "libstdc++ c++20": lambda: libstdcxx("c++20"),
    "redis": redis,
    "freetype": freetype,
    "git": git,
    "openssl": openssl,
    "boost": boost,
    "python3.11": python,
    "llvm": llvm,
    "ffmpeg": ffmpeg,
    "linux": linux,
}
