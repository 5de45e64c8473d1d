"""What a person is told of a build that fails, that has nothing to do, or that llama doesn't see.

    what_is_shown.py CASE       a function of this file
"""
import os
import pty
import re
import struct
import sys
import fcntl
import termios

from harness import expect, finish, require_program, run

MAKEFILE = """
prog: main.o
\tcc main.o -o $@
%.o: %.c
\tcc -c $< -o $@
x.o: x.s
\tcc -c x.s -o $@
generated:
\t@./no-such-tool
"""
NINJA = """
rule cc
  command = cc -c $in -o $out
rule link
  command = cc $in -o $out
build bad.o: cc bad.c
build a.o: cc a.c
build b.o: cc b.c
build prog: link bad.o a.o b.o
"""
FILES = {
    "Makefile": MAKEFILE,
    "build.ninja": NINJA,
    "main.c": "int foo(void);\nint main(void) { return foo(); }\n",
    "bad.c": "int fine;\nint x = ;\n",
    "missing.c": '#include "no/such.h"\n',
    "x.s": "  no_such_instruction\n",
    "a.c": "int a;\n",
    "b.c": "int b;\n",
}


def project(scene, files=None):
    folder = scene.dir / "project"
    folder.mkdir()
    for name, text in (files or FILES).items():
        (folder / name).write_text(text)
    return folder


def last_lines(text):
    """Of a summary: the line that tells the outcome, which stands before the last."""
    return text.decode().rstrip("\n").split("\n")[-2:]


def failing_make(scene):
    folder = project(scene)
    for target, told in {
            "bad.o": "FAILED bad.c:2 expected expression before ‘;’ token; making bad.o",
            "missing.o": "FAILED missing.c:1 no/such.h: No such file or directory; making missing.o",
            "prog": "FAILED main.c undefined reference to `foo'; making prog",
            "x.o": "FAILED x.s:1 no such instruction: `no_such_instruction'; making x.o",
            "generated": "FAILED make: ./no-such-tool: No such file or directory; making generated",
            "none.o": "FAILED No rule to make target 'none.o'",
    }.items():
        done = scene.llama_build(target, ["make", target], cwd=folder).expect_status(2)
        outcome, more = last_lines(done.err)
        expect(outcome == told, f"{outcome!r}, not {told!r}")
        expect(more.startswith("More: llama report "), more)
        text = scene.llama("report", scene.build_folder(target).name).expect_status(0).out.decode()
        expect(text.split("\n")[1] == told, f"the report begins with {text[:300]}")
    failure = scene.report("bad.o")["failure"]
    expect(failure["place"] == "bad.c:2" and failure["target"] == "bad.o", f"{failure}")
    (unit,) = scene.compiles("bad.o")
    expect(unit.fields["diagnostic"].startswith("bad.c:2:9: error: "), f"{unit.root}")
    compared = scene.llama("compare", "x.o", "prog").expect_status(0).out.decode()
    for told in ("A FAILED x.s:1 no such", "B FAILED main.c undefined"):
        expect(told in compared and compared.index(told) < compared.index("what was different"),
               compared[:600])


def failing_ninja(scene):
    require_program("ninja")
    folder = project(scene)
    told = "FAILED bad.c:2 expected expression before ‘;’ token; making bad.o; 3 steps not run"
    # To pipes, to a terminal, to a file; with one job ninja has not begun the others.
    finished = scene.llama_build("pipe", ["ninja", "-j1"], cwd=folder).expect_status(1)
    expect(last_lines(finished.err)[0] == told, f"{finished.err.decode()}")
    status, shown = on_terminal(scene, 60, [scene.bin / "llama", "build", "--", "ninja", "-j1"], folder)
    expect(status == 1, f"status {status}")
    words = " ".join(shown.split())
    expect(told in words, f"{shown}")
    log = scene.dir / "file"
    argv = ["sh", "-c", f"{scene.bin}/llama build --name file -- ninja -j1 >{log} 2>&1"]
    scene.run(argv, cwd=folder).expect_status(1)
    expect(told in log.read_text(), log.read_text())


def failing_cmake_build(scene):
    """The same as by ninja, whose graph is kept, too."""
    for program in ("ninja", "cmake"):
        require_program(program)
    folder = project(scene, FILES | {
        "CMakeLists.txt": "cmake_minimum_required(VERSION 3.13)\nproject(p C)\n"
                          "add_library(p STATIC bad.c a.c b.c)\nadd_library(other STATIC a.c)\n"})
    scene.llama_build("configure", ["cmake", "-G", "Ninja", "-B", "out"], cwd=folder).expect_status(0)
    done = scene.llama_build("build", ["cmake", "--build", "out", "--target", "p", "-j1"],
                             cwd=folder).expect_status(1)
    shown = " ".join(done.err.decode().split())  # the line is wrapped
    # Both other compiles and the archive, or fewer if ninja has begun with them.
    told = r"FAILED bad\.c:2 expected expression .*; making CMakeFiles/p\.dir/bad\.c\.o; [123] steps? not run"
    expect(re.search(told, shown), shown)
    graph = scene.build_folder("build").joinpath("graph").read_bytes()
    expect(b"libp.a" in graph and b"libother.a" not in graph, f"{graph}")


def nothing_to_do(scene):
    folder = project(scene, FILES | {"bad.c": "int x;\n", "a.c": "int main(void) { return 0; }\n"})
    for command in (["make", "a.o"], [require_program("ninja")]):
        scene.run([scene.bin / "llama", "build", "--", *command], cwd=folder).expect_status(0)
        again = scene.run([scene.bin / "llama", "build", "--", *command], cwd=folder).expect_status(0)
        told = again.err.decode()
        expect(re.fullmatch(r"\nnothing to do: all was up to date \(.*\)\n", told), f"{told!r}")


def absolute_compilers(scene):
    for program in ("ninja", "cmake"):
        require_program(program)
    # Long enough to be seen.
    heavy = "#include <regex>\nbool f(const char* s) { return std::regex_match(s, std::regex(s)); }\n"
    folder = project(scene, {
        "CMakeLists.txt": "cmake_minimum_required(VERSION 3.17)\nproject(p CXX)\n"
                          "add_library(p STATIC a.cc b.cc)\n", "a.cc": heavy,
        "b.cc": heavy.replace("f(", "g(")})
    cxx = require_program("c++")
    configure = ["cmake", "-G", "Ninja", "-B", "old", f"-DCMAKE_CXX_COMPILER={cxx}"]
    scene.run(configure, cwd=folder).expect_status(0)
    unseen = scene.llama_build("unseen", ["ninja", "-C", "old"], cwd=folder).expect_status(0)
    shown = " ".join(unseen.err.decode().split())
    expect(f"since the build called {cxx} by its path" in shown, shown)
    expect(scene.report("unseen")["unseen_compiler"] == cxx, "it is not recorded")
    # What it says mends the tree; a new one is right from the beginning, whatever its compiler.
    mend = f"-DCMAKE_CXX_COMPILER_LAUNCHER={scene.bin}/llamacc"
    scene.run(["cmake", mend, "old"], cwd=folder).expect_status(0)
    scene.llama_build("mended", ["ninja", "-C", "old"], cwd=folder).expect_status(0)
    expect(scene.report("mended")["remote"] == 2, f"{scene.report('mended')}")
    configure[configure.index("old")] = "new"
    scene.llama_build("configure", configure, cwd=folder).expect_status(0)
    scene.llama_build("new", ["ninja", "-C", "new"], cwd=folder).expect_status(0)
    expect(scene.report("new")["remote"] == 2, f"{scene.report('new')}")
    # The same where the compiler is llamacc already.
    configure[-1] = f"-DCMAKE_CXX_COMPILER={scene.bin}/llamac++"
    configure[configure.index("new")] = "twice"
    scene.llama_build("configure twice", configure, cwd=folder).expect_status(0)
    scene.llama_build("twice", ["ninja", "-C", "twice"], cwd=folder).expect_status(0)
    expect(scene.report("twice")["remote"] == 2, f"{scene.report('twice')}")


def unseen_for_long(scene):
    """Said while it runs, once, after five seconds."""
    folder = project(scene)
    compiler = folder / "gcc"
    compiler.write_bytes(open("/bin/sleep", "rb").read())
    compiler.chmod(0o755)
    process = scene.start_build("long", [compiler, "60"], cwd=folder)
    line = process.stderr.readline().decode()
    expect(f"the build runs {compiler} by its path" in line and "CC=llamacc" in line, line)
    os.killpg(process.pid, 2)
    finished = finish(process, 30)
    expect(b"by its path, so nothing" not in finished.err, finished.err.decode())


def on_terminal(scene, columns, argv, folder):
    """(exit status, what was shown) of a command on a terminal so wide, without its control codes."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.chdir(folder)
        os.execve(argv[0], [str(word) for word in argv], scene.env(TERM="xterm"))
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # its last writer has gone
            break
        if not piece:
            break
        shown += piece
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    return os.waitstatus_to_exitcode(status), text.replace("\r\n", "\n")


def narrow_terminals(scene):
    folder = project(scene)
    scene.llama_build("a", ["make", "a.o", "b.o"], cwd=folder).expect_status(0)
    scene.llama_build("b", ["make", "bad.o", "CFLAGS=-O2"], cwd=folder).expect_status(2)
    for columns in (60, 80, 200):
        for argv in (["report", "a"], ["report", "b"], ["compare", "a", "b"]):
            status, shown = on_terminal(scene, columns, [scene.bin / "llama", *argv], folder)
            expect(status == 0, f"{argv}: status {status}")
            wide = [line for line in shown.split("\n") if len(line) > columns]
            expect(not wide, f"{argv} on {columns} columns: {wide}")


def closed_descriptors(scene):
    """What is for standard error does not reach what was opened in its place: the daemon's socket."""
    command = ["sh", "-c", '"$0" "$@" <&- >&- 2>&-', scene.bin / "llama", "build", "--", "sh", "-c", "exit 3"]
    scene.run(command).expect_status(3)
    log = (scene.llama_dir / "daemon.log").read_text()
    expect(" WARN " not in log, log)


def scenario(scene):
    cases = (failing_make, failing_ninja, failing_cmake_build, nothing_to_do, absolute_compilers, unseen_for_long,
             narrow_terminals, closed_descriptors)
    {case.__name__: case for case in cases}[sys.argv[1]](scene)


run(scenario)
