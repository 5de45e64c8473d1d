"""The critical path goes through what the build system and the compilers say that a unit needs.

    build_graph.py CASE       a function of this file
"""
import sys

import synthetic
from harness import expect, require_program, run

JOBS = 4
# A generator that is compiled, linked and run; what it writes is read by a.c and b.c.
TOOL = '#include <stdio.h>\nint main(void) { puts("#define MADE 1"); return 0; }\n'
MAIN = '#include "made.h"\nint main(void) { return MADE - 1; }\n'
NINJA = """
rule cc
  command = gcc -O2 -MMD -MF $out.d -c $in -o $out
  deps = gcc
  depfile = $out.d
rule link
  command = gcc $in -o $out
rule run
  command = ./$in > made.h && touch stamp
build tool.o: cc tool.c
build tool: link tool.o
build made.h stamp: run tool
build a.o: cc a.c || stamp
build b.o: cc b.c | made.h
build app: link a.o b.o
build other.o: cc b.c || stamp
default other.o
"""
MAKE = """
app: a.o b.o
\tgcc a.o b.o -o $@
b.o: b.c
\tgcc -O2 -MMD -MF deps/b.dep -c b.c -o $@
a.o: made.h
\tgcc -O2 -MMD -MF deps/a.dep -c a.c -o $@
made.h: made.c
\tgcc -E -P made.c -o $@
"""


def project(scene):
    folder = scene.dir / "project"
    synthetic.write(folder, count=0)
    (folder / "a.c").write_text('#include "made.h"\n' + synthetic.source(1, 300))
    (folder / "b.c").write_text(MAIN)
    (folder / "tool.c").write_text(TOOL)
    return folder


def path_of(scene, name):
    path = scene.report(name)["critical_path"]
    links = [(link["kind"], link["unit"]) for link in path["links"]]
    expect(not path["estimated"], f"the path is an estimate: {links}")
    return links


def graph_of(scene, name):
    """{output: inputs} of the file `graph`, read as docs/trace_format.md has it."""
    magic, _, steps = scene.build_folder(name).joinpath("graph").read_bytes().partition(b"\n")
    expect(magic == b"llamagr1", f"the graph begins with {magic}")
    steps = [step.decode().split("\0") for step in steps.split(b"\0\0") if step]
    return {output: inputs for output, *inputs in steps}


def ninja(scene):
    require_program("ninja")
    folder = project(scene)
    (folder / "build.ninja").write_text(NINJA)
    scene.llama_build("ninja", ["ninja", f"-j{JOBS}", "-C", folder.name, "app"],
                      cwd=scene.dir).expect_status(0)
    links = path_of(scene, "ninja")
    # The path goes through whichever of the two that need the header took longer.
    expect(links in ([("start", "tool.c"), ("dependency", "tool"), ("dependency", middle),
                      ("dependency", "app")] for middle in ("a.c", "b.c")), f"{links}")
    graph = graph_of(scene, "ninja")
    expect(f"{folder}/stamp" in graph[f"{folder}/a.o"], f"the build file's edge is missing: {graph}")
    # Only ninja's log knows of it.
    expect(f"{folder}/made.h" in graph[f"{folder}/a.o"], f"the header's edge is missing: {graph}")
    expect(f"{folder}/other.o" not in graph, f"no target of this build: {graph}")


def depfiles(scene):
    folder = project(scene)
    (folder / "Makefile").write_text(MAKE)
    (folder / "b.c").write_text("int main(void) { return 0; }\n")
    (folder / "made.c").write_text("#define MADE 1\nint made = MADE;\n")
    (folder / "deps").mkdir()
    scene.llama_build("make", ["make", f"-j{JOBS}"], cwd=folder).expect_status(0)
    links = path_of(scene, "make")
    expect(links == [("start", "made.c"), ("dependency", "a.c"), ("dependency", "app")], f"{links}")


def scenario(scene):
    {case.__name__: case for case in (ninja, depfiles)}[sys.argv[1]](scene)


run(scenario)
