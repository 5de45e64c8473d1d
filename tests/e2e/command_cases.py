"""Command lines whose every effect must be the same with and without llama.

A case is a scratch folder with files and steps. A step is a command, whose first word "cc" or "c++"
stands for the compiler under test and "{dir}" for the folder, or a function of the folder that
changes something in between.
`remote` says how many of the commands must have run remotely; the others must have a reason.
"""
import dataclasses
import os
import subprocess

HELLO = "#include <stdio.h>\nint main(void) { return printf(\"%s\\n\", __FILE__); }\n"
USES_HEADER = '#include "a.h"\nint value = A;\n'
CXX = """#include <map>
#include <regex>
#include <string>
template <class T> T Twice(T x) { return x + x; }
int Matches(const std::string& s) {
  std::map<std::string, int> seen{{s, Twice(1)}};
  return std::regex_match(s, std::regex("a+b*")) ? seen[s] : 0;
}
"""
ASSEMBLER = '#include "a.h"\n.text\n.globl f\nf: mov $A, %eax\nret\n'
INCBIN = 'asm(".globl blob\\nblob: .incbin \\"blob.bin\\"\\n");\nextern char blob[];\nchar *p = blob;\n'

# Where gcc would take the time of day for a stamp.
SEED = "-frandom-seed=1"


@dataclasses.dataclass
class Case:
    name: str
    steps: list
    files: dict = dataclasses.field(default_factory=lambda: {"a.c": HELLO})
    links: dict = dataclasses.field(default_factory=dict)  # path: target
    remote: int = 1
    env: dict = dataclasses.field(default_factory=dict)
    umask: int = 0o022
    gcc_only: bool = False


def c(*args):
    return ["cc", *args]


def cxx(*args):
    return ["c++", *args]


def write(path, text):
    """Rewrites a file; its times say so even if the clock is too coarse to."""

    def step(folder):
        file = folder / path
        before = os.stat(file).st_mtime_ns if file.exists() else 0
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if before:
            os.utime(file, ns=(before + 10**9, before + 10**9))

    return step


def write_keeping_time(path, text):
    def step(folder):
        file = folder / path
        before = os.stat(file)
        file.write_text(text)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    return step


def run(program):
    return lambda folder: subprocess.run([folder / program], cwd=folder, capture_output=True, check=False)


def remove(path):
    return lambda folder: os.remove(folder / path)


def remove_precompiled(header):
    """By whatever name the compiler gave it: newer clangs say .pch."""

    def step(folder):
        made = [path for suffix in (".gch", ".pch") if (path := folder / (header + suffix)).exists()]
        assert made, f"no precompiled {header}"
        for path in made:
            path.unlink()

    return step


def with_header(**more):
    return {"a.c": USES_HEADER, "a.h": "#define A 1\n", **more}


OPTIONS = [
    Case("plain", [c("-c", "a.c")]),
    Case("object", [c("-O2", "-c", "a.c", "-o", "b.o")]),
    Case("joined-o", [c("-O2", "-c", "a.c", "-ob.o")]),
    Case("object-in-folder", [c("-c", "a.c", "-o", "out/b.o")], files={"a.c": HELLO, "out/x": ""}),
    Case("object-in-missing-folder", [c("-c", "a.c", "-o", "out/b.o")], remote=0),
    Case("debug", [c("-g", "-O2", "-c", "a.c")]),
    Case("debug-macros", [c("-g3", "-c", "a.c")]),
    Case("split-dwarf", [c("-g", "-gsplit-dwarf", "-c", "a.c", "-o", "a.o")]),
    Case("split-dwarf-default-name", [c("-g", "-gsplit-dwarf", "-c", "a.c")]),
    Case("coverage", [c("--coverage", SEED, "-c", "a.c", "-o", "a.o")]),
    Case("coverage-in-folder", [c("--coverage", SEED, "-c", "s/a.c", "-o", "out/b.o")],
         files={"s/a.c": HELLO, "out/x": ""}),
    Case("profile", [c("-fprofile-generate", SEED, "-O1", "-c", "a.c", "-o", "{dir}/a.o")]),
    Case("profile-used", [c("-fprofile-generate", SEED, "-O1", "-c", "a.c", "-o", "out/b.o"),
                          c("-fprofile-generate", "out/b.o", "-o", "b"), run("b"), remove("b"),
                          c("-fprofile-use", "-O2", "-c", "a.c", "-o", "out/b.o"), remove("out/b.gcda")],
         files={"a.c": HELLO, "out/x": ""}, remote=2, gcc_only=True),
    Case("stack-usage", [c("-fstack-usage", "-c", "a.c", "-o", "b.o")]),
    Case("split-dwarf-absolute", [c("-g", "-gsplit-dwarf", "-c", "a.c", "-o", "{dir}/b.o")]),
    Case("dwarf-4-absolute", [c("-gdwarf-4", "-c", "{dir}/a.c", "-o", "b.o")]),
    Case("lto", [c("-flto", SEED, "-O2", "-c", "a.c")]),
    Case("sanitizer", [c("-fsanitize=address,undefined", "-g", "-c", "a.c")]),
    Case("native-with-debug", [c("-march=native", "-O2", "-g", "-c", "a.c")]),
    Case("native-between", [c("-mno-sse4", "-march=native", "-mno-avx", "-g", "-c", "a.c")], gcc_only=True),
    Case("position-independent", [c("-fPIC", "-fvisibility=hidden", "-c", "a.c")]),
    Case("native", [c("-march=native", "-O2", "-c", "a.c")]),
    Case("pipe", [c("-pipe", "-c", "a.c")]),
    Case("language", [c("-x", "c", "-c", "a.txt")], files={"a.txt": HELLO}),
    Case("c-as-cxx", [cxx("-c", "a.c")]),
    Case("cxx", [cxx("-O2", "-g", "-c", "a.cc")], files={"a.cc": CXX}),
    Case("cxx-standard", [cxx("-std=c++20", "-O1", "-c", "a.cc")], files={"a.cc": CXX}),
    Case("response-file", [c("@flags", "-c", "a.c")], files={"a.c": HELLO, "flags": "-O2 @more\n",
                                                              "more": "'-DX=a b' -g\n"}),
    Case("prefix-map", [c("-g", "-ffile-prefix-map=a=b", "-c", "a.c")], gcc_only=True),
    Case("absolute-paths", [c("-g", "-MD", "-I{dir}", "-c", "{dir}/a.c", "-o", "{dir}/b.o")],
         files=with_header()),
    Case("save-temps", [c("-save-temps", "-c", "a.c")]),
    Case("save-temps-beside", [c("-save-temps=obj", "-g", "-c", "a.c", "-o", "out/b.o")],
         files={"a.c": HELLO, "out/x": ""}),
    Case("object-is-null", [c("-c", "a.c", "-o", "/dev/null")], remote=0),
    Case("object-is-link", [c("-c", "a.c", "-o", "b.o")], links={"b.o": "target.o"},
         files={"a.c": HELLO, "target.o": "old"}, remote=None),
    Case("object-exists", [c("-c", "a.c", "-o", "b.o")], files={"a.c": HELLO, "b.o": "old"}),
    Case("object-of-two-names", [lambda d: os.link(d / "b.o", d / "c.o"), c("-c", "a.c", "-o", "b.o")],
         files={"a.c": HELLO, "b.o": "old"}, remote=None),
    Case("assembler-object-of-two-names", [lambda d: os.link(d / "b.o", d / "c.o"), c("-c", "a.s", "-o", "b.o")],
         files={"a.s": ".byte 1\n", "b.o": "old"}, remote=None),
    Case("macro-in-preprocessed", [lambda d: os.utime(d / "a.i", (10**9, 10**9)), c("-c", "a.i")], remote=None,
         files={"a.i": '#include "a.h"\n#define S(x) __TIME##x\nconst char *p = S(STAMP__);\nint a = A;\n', "a.h": "#define A 1\n"}),
    Case("assembler-text-of-two-names", [lambda d: os.link(d / "b.s", d / "c.s"), c("-S", "a.c", "-o", "b.s")],
         files={"a.c": HELLO, "b.s": "old"}, remote=None),
    Case("long-forms", [c("--compile", "a.c", "--output=b.o", "--include-directory=i", "--include", "f.h",
                          "--define-macro", "X=1", "--write-dependencies")],
         files={"a.c": HELLO, "i/f.h": "int f = X;\n"}),
    Case("assembler-text", [c("-S", "-O2", "-g", "a.c")]),
    Case("assembler-text-elsewhere", [c("-S", "-MD", "a.c", "-o", "out/b.s")], files={"a.c": HELLO, "out/x": ""}),
    Case("sysroot", [c("--sysroot=/", "-I=/usr/include", "-g", "-c", "a.c")]),
    Case("programs-folder", [c("-B", "bin", "-g", "-c", "a.c")], links={"bin/as": "/usr/bin/as"},
         files={"a.c": HELLO, "bin/x": ""}),
    Case("specs", [c("-specs=my.specs", "-c", "a.c")], gcc_only=True,
         files={"a.c": HELLO, "my.specs": "*cc1_options:\n+ -DX=1\n\n"}),
    Case("optimisation-notes", [c("-O3", "-fopt-info-all=out/notes", "-c", "a.c")], gcc_only=True,
         files={"a.c": HELLO, "out/x": ""}),
    Case("notes-of-coverage", [c("-ftest-coverage", "-fprofile-note=out/n.gcno", SEED, "-c", "a.c")], gcc_only=True,
         files={"a.c": HELLO, "out/x": ""}),
    Case("declarations", [c("-aux-info", "out/d", "-c", "a.c")], gcc_only=True, files={"a.c": HELLO, "out/x": ""}),
    Case("assembler-folder", [c("-Wa,-Ii", "-c", "a.S")], files={"a.S": '.include "b.s"\n', "i/b.s": "nop\n"}),
    Case("preprocessed", [c("-fpreprocessed", "-fdirectives-only", "-c", "a.c")], gcc_only=True,
         files={"a.c": "#define X 1\nint x = 2;\n"}),
    Case("save-temps-and-response-file", [c("-save-temps", "-c", "a.c", "@flags")], remote=None,
         files={"a.c": HELLO, "flags": "-O2\n"}),
    Case("scratch-file-named", [c("-c", "a.c")], files={"a.c": 'asm(".warning \\"well\\"");\n'}),
    Case("scratch-file-elsewhere", [c("-c", "a.c")], env={"TMPDIR": "/tmp"},
         files={"a.c": 'asm(".warning \\"well\\"");\n'}),
    Case("scratch-file-in-debug-information", [c("-g", "-c", "a.S")], files={"a.S": '# 7 "b.s"\n.byte 1\n'}),
    Case("umask", [c("-c", "a.c", "-MD")], umask=0o077),
    Case("no-umask", [c("-c", "a.c", "-MD")], umask=0),
]

DEPENDENCIES = [
    Case("MD", [c("-MD", "-c", "a.c")], files=with_header()),
    Case("MMD-MF", [c("-MMD", "-MF", "d/x.d", "-c", "a.c")], files=with_header(**{"d/x": ""})),
    Case("MT", [c("-MD", "-MT", "one two", "-MT", "three", "-c", "a.c")], files=with_header()),
    Case("MQ", [c("-MD", "-MQ", "$(x) y", "-c", "a.c")], files=with_header()),
    Case("MP", [c("-MD", "-MP", "-c", "a.c", "-o", "x.o")], files=with_header()),
    Case("Wp-MD", [c("-Wp,-MD,x.d", "-c", "a.c")], files=with_header()),
    Case("Wp-MMD-MT", [c("-Wp,-MMD,x.d", "-Wp,-MT,target", "-c", "a.c")], files=with_header(),
         gcc_only=True),
    Case("MD-long-names", [c("-MD", "-I", "i" * 60, "-c", "a.c")],
         files={"a.c": "".join(f'#include "{n * 9}.h"\n' for n in "bcdefgh"),
                **{f"{'i' * 60}/{n * 9}.h": "" for n in "bcdefgh"}}),
    Case("MD-error", [c("-MD", "-c", "a.c")], files=with_header(**{"a.c": '#include "a.h"\nint;x'}),
         remote=None),
    Case("MD-twice", [c("-MD", "-c", "a.c"), write("a.h", "#define A 22\n"), c("-MD", "-c", "a.c")],
         files=with_header(), remote=2),
]

INCLUDES = [
    Case("quote-and-angle", [c("-Ii", "-isystem", "s", "-iquote", "q", "-c", "a.c")],
         files={"a.c": '#include <x.h>\n#include "y.h"\n#include <z.h>\n', "i/x.h": "int x;\n",
                "q/y.h": "int y;\n", "s/z.h": "int z;\n"}),
    Case("forced", [c("-include", "f.h", "-imacros", "m.h", "-c", "a.c")],
         files={"a.c": "int v = F + M;\n", "f.h": "#define F 1\n", "m.h": "#define M 1\n"}),
    Case("macro-valued", [c('-DH="a.h"', "-c", "a.c")],
         files={"a.c": "#include H\nint v = A;\n", "a.h": "#define A 4\n"}),
    Case("has-include-yes", [c("-c", "a.c")],
         files={"a.c": '#if __has_include("b.h")\nint yes;\n#endif\n', "b.h": "#error never read\n"}),
    Case("has-include-flips", [c("-c", "a.c"), write("b.h", ""), c("-c", "a.c"), remove("b.h"),
                               c("-c", "a.c", "-o", "c.o")],
         files={"a.c": '#define P(x) __has_include(x)\n#if P("b.h")\nint yes;\n#else\nint no;\n#endif\n'},
         remote=3),
    Case("include-next", [c("-I1", "-I2", "-I3", "-c", "a.c")],
         files={"a.c": "#include <x.h>\n", "1/x.h": "#include_next <x.h>\nint one;\n",
                "2/x.h": "#include_next <x.h>\nint two;\n", "3/x.h": "int three;\n"}),
    Case("shadowed-later", [c("-I1", "-I2", "-c", "a.c"), write("1/x.h", "int one;\n"),
                            c("-I1", "-I2", "-c", "a.c")],
         files={"a.c": "#include <x.h>\n", "1/other.h": "", "2/x.h": "int two;\n"}, remote=2),
    Case("folder-appears", [c("-I1", "-I2", "-c", "a.c"), write("1/x.h", "int one;\n"),
                            c("-I1", "-I2", "-c", "a.c")],
         files={"a.c": "#include <x.h>\n", "2/x.h": "int two;\n"}, remote=2),
    Case("header-changes", [c("-c", "a.c"), write("a.h", "#define A 2\n"), c("-c", "a.c", "-o", "b.o")],
         files=with_header(), remote=2),
    Case("header-changes-in-secret", [c("-c", "a.c"), write_keeping_time("a.h", "#define A 2\n"),
                                      c("-c", "a.c", "-o", "b.o")], files=with_header(), remote=2),
    Case("header-vanishes", [c("-c", "a.c"), remove("a.h"), c("-c", "a.c", "-o", "b.o")],
         files=with_header(), remote=2),
    Case("header-becomes-link", [c("-c", "a.c"), remove("a.h"),
                                 lambda d: os.symlink("b.h", d / "a.h"), c("-c", "a.c")],
         files=with_header(**{"b.h": "#define A 3\n"}), remote=2),
    Case("source-is-link", [c("-g", "-c", "a.c")], files={"s/b.c": '#include "a.h"\nint v = A;\n',
                                                          "a.h": "#define A 5\n"},
         links={"a.c": "s/b.c"}),
    Case("source-folder-is-link", [c("-g", "-MD", "-c", "l/a.c")],
         files={"s/t/a.c": '#include "../b.h"\nint v = B;\n', "s/b.h": "#define B 6\n",
                "b.h": "#error wrong one\n"}, links={"l": "s/t"}),
    Case("include-folder-is-link", [c("-Il", "-MD", "-c", "a.c")], files=with_header(
        **{"s/t/a.h": "", "a.c": "#include <b.h>\n", "s/t/b.h": "#include <../c.h>\n",
           "s/c.h": "int c;\n"}), links={"l": "s/t"}),
    Case("link-chain", [c("-I", "l1/l2", "-c", "a.c")],
         files={"a.c": "#include <b.h>\n", "x/y/b.h": "int b;\n"},
         links={"l1": "x", "x/l2": "./y/../y"}),
    Case("dot-dots", [c("-I", "i/../i/./", "-MD", "-c", "s/../a.c")],
         files={"a.c": "#include <../j/b.h>\n", "i/x": "", "j/b.h": "int b;\n", "s/x": ""}),
    Case("incbin", [c("-c", "a.c")], files={"a.c": INCBIN, "blob.bin": "some bytes"}, remote=None),
    Case("incbin-changes", [c("-c", "a.c"), write("blob.bin", "other bytes"), c("-c", "a.c")],
         files={"a.c": INCBIN, "blob.bin": "some bytes"}, remote=None),
    Case("assembler", [c("-c", "a.S")], files={"a.S": ASSEMBLER, "a.h": "#define A 7\n"}, remote=None),
    Case("no-standard-includes", [c("-nostdinc", "-c", "a.c")], files=with_header()),
    Case("CPATH", [c("-c", "a.c")], files={"a.c": "#include <b.h>\n", "i/b.h": "int b;\n"},
         env={"CPATH": "i"}),
    Case("missing-include-folder", [c("-Imissing", "-Wmissing-include-dirs", "-Werror", "-c", "a.c")],
         remote=None),
    Case("empty-include-folder", [lambda d: os.mkdir(d / "empty"),
                                  c("-Iempty", "-Wmissing-include-dirs", "-Werror", "-c", "a.c")]),
]

NAMES = [Case("name-" + kind, [c("-g", "-MD", "-MP", f"-I{name}", "-c", f"{name}.c", "-o", f"{name}.o")],
              files={f"{name}.c": '#include <' + name + '.h>\nconst char *f = __FILE__;\n',
                     f"{name}/{name}.h": "int h;\n"})
         for kind, name in [("space", "a b"), ("comma", "a,b"), ("dollar", "a$b"), ("utf8", "ä→字"),
                            ("quote", "a'b"), ("hash", "a#b"), ("percent", "a%b"), ("colon", "a:b"),
                            ("at", "a@b"), ("equals", "a=b"), ("star", "a*b"), ("paren", "a(b")]]
NAMES += [
    Case("name-newline", [c("-c", "a\nb.c")], files={"a\nb.c": "int x;\n"}, remote=None),
    Case("name-not-utf8", [c("-c", os.fsdecode(b"a\xff.c"))],
         files={os.fsdecode(b"a\xff.c"): "const char *f = __FILE__;\n"}, remote=None),
    Case("name-dash", [c("-c", "./-a.c")], files={"-a.c": "int x;\n"}),
    Case("name-like-option", [c("-c", "a.c", "-o", "-c.o")], remote=None),
]

DIAGNOSTICS = [
    Case("warning", [c("-Wall", "-Wextra", "-c", "a.c")], files={"a.c": "int f(int x) { int y; }\n"}),
    Case("warning-in-header", [c("-Wall", "-c", "a.c")],
         files={"a.c": '#include "a.h"\n', "a.h": "static int f(void) { int unused; }\n"}),
    Case("error", [c("-c", "a.c")], files={"a.c": "int f( { return x; }\n"}, remote=None),
    Case("error-in-cxx", [cxx("-c", "a.cc")], remote=None,
         files={"a.cc": "#include <vector>\nstruct S {}; std::vector<S> v = 7;\n"}),
    Case("error-with-old-object", [c("-c", "a.c", "-o", "a.o")],
         files={"a.c": "int f( {\n", "a.o": "old"}, remote=None),
    Case("error-in-utf8", [c("-c", "a.c")], files={"a.c": "int ä = \"字\";\n"}, remote=None),
    Case("locale-c", [c("-c", "a.c")], files={"a.c": "int f(void) { return undeclared; }\n"},
         env={"LANG": "C"}, remote=None),
    Case("locale-missing", [c("-Wall", "-c", "a.c")], files={"a.c": "static int unused;\n"},
         env={"LANG": "xx_YY.UTF-8"}, remote=None),
    Case("warnings-are-errors", [c("-Wall", "-Werror", "-c", "a.c")],
         files={"a.c": "static int unused;\n"}, remote=None),
    Case("hash-error", [c("-c", "a.c")], files={"a.c": "#error no\n"}, remote=None),
    Case("hash-warning", [c("-c", "a.c")], files={"a.c": "#warning well\nint x;\n"}),
    Case("missing-header", [c("-c", "a.c")], files={"a.c": "#include <missing.h>\n"}),
    Case("missing-header-of-a-header", [c("-MD", "-c", "a.c")],
         files={"a.c": '#include "a.h"\n', "a.h": '#include "missing.h"\n'}),
    Case("missing-forced-header", [c("-include", "missing.h", "-c", "a.c")], remote=None),
    Case("header-that-comes", [c("-c", "a.c"), write("missing.h", "int a;\n"), c("-c", "a.c")],
         files={"a.c": "#include \"missing.h\"\n"}, remote=2),
    Case("missing-source", [c("-c", "missing.c")], remote=0),
    Case("unknown-option", [c("-fno-such-thing", "-c", "a.c")], remote=None),
    Case("unknown-word", [c("--no-such-thing", "-c", "a.c")], remote=0),
    Case("colour", [c("-fdiagnostics-color=always", "-Wall", "-c", "a.c")],
         files={"a.c": "static int unused;\n"}),
    Case("fix-its", [c("-Wall", "-c", "a.c")], files={"a.c": "int f(void) { return printf(\"\"); }\n"}),
    Case("include-stack", [c("-c", "a.c")], remote=None,
         files={"a.c": '#include "a.h"\n', "a.h": '#include "b.h"\n', "b.h": "int x = y;\n"}),
]

LOCAL = [
    Case("link", [c("a.c", "-o", "a")], remote=0),
    Case("preprocess", [c("-E", "a.c")], remote=0),
    Case("dumps", [c("-fdump-tree-optimized", "-c", "a.c")], gcc_only=True, remote=0),
    Case("syntax-only", [c("-fsyntax-only", "a.c")], remote=0),
    Case("several-sources", [c("-c", "a.c", "b.c")], files={"a.c": HELLO, "b.c": "int b;\n"}, remote=0),
    Case("stdin", [c("-c", "-x", "c", "-")], remote=0),
    Case("version", [c("--version")], remote=0),
    Case("machine", [c("-dumpmachine")], remote=0),
    Case("version-number", [c("-dumpversion")], remote=0),
    Case("search-dirs", [c("-print-search-dirs")], remote=0),
    Case("verbose", [c("-v")], remote=0),
    Case("dependencies", [c("-MM", "a.c")], remote=0),
    Case("nothing", [c()], remote=0),
    Case("help", [c("--help")], remote=0),
    # The header's own bytes differ from run to run.
    Case("precompiled-header", [c("-x", "c-header", "a.h"), c("-c", "a.c"), remove_precompiled("a.h")],
         files=with_header(), remote=1),
    Case("precompiled-header-used", [c("-x", "c-header", "-O1", "a.h"),
                                     c("-O1", "-Winvalid-pch", "-H", "-MD", "-c", "a.c"), remove_precompiled("a.h")],
         files=with_header(), gcc_only=True),
    Case("precompiled-header-not-valid", [c("-x", "c-header", "a.h"), c("-DB", "-Winvalid-pch", "-c", "a.c"),
                                          remove_precompiled("a.h")],
         files=with_header(**{"a.h": "#ifdef B\n#endif\n#define A 1\n"}), gcc_only=True),
    Case("precompiled-header-forced", [c("-x", "c-header", "a.h"), c("-include", "a.h", "-Winvalid-pch", "-c", "b.c"),
                                       remove_precompiled("a.h")],
         files=with_header(**{"b.c": "int value = A;\n"}), gcc_only=True),
    Case("precompiled-header-twice", [c("-O2", "-g", "-x", "c-header", "a.h", "-o", "a.h.gch"),
                                     c("-O2", "-g", "-MD", "-H", "-Winvalid-pch", "-c", "a.c"),
                                     c("-O2", "-g", "-include", "{dir}/a.h", "-c", "b.c"), remove("a.h.gch")],
         files=with_header(**{"a.h": "#include <stdio.h>\n#define A 1\n", "b.c": "int b = A;\n"}), remote=2,
         gcc_only=True),
    Case("like-c", [c("-coverage", SEED, "a.c", "-o", "a")], remote=0),
    Case("link-objects", [c("-c", "a.c"), c("a.o", "-o", "a")]),
]

TWO_FOLDERS = [
    Case("two-folders", [c("-Ione", "-c", "one/a.c", "-o", "1.o"), c("-Itwo", "-c", "two/a.c", "-o", "2.o")],
         files={f"{d}/{n}": t for d, v in (("one", 1), ("two", 2))
                for n, t in (("a.c", USES_HEADER), ("a.h", f"#define A {v}\n"))}, remote=2),
]

CASES = OPTIONS + DEPENDENCIES + INCLUDES + NAMES + DIAGNOSTICS + LOCAL + TWO_FOLDERS
