"""Cases (command_cases.py) of what a compiler sees besides its arguments and its files' contents:
times, which files are one, standard streams, pipes, outputs that stand there already."""
import os

from command_cases import Case, c, remove, write

# With a time in its object.
STAMP = "const char *s = __TIMESTAMP__;\n"
NAMED_STAMP = "const char *s = STAMP;\n"
ONCE = "#pragma once\nstruct s { int x; };\n"
TWICE = '#include "a/h.h"\n#include "b/h.h"\nstruct s v;\n'
UNUSED = "int f(int x) { int used; return x + 0x1234567 + 0x1234567 + 0x1234567 + 0x1234567; }\n"


def sh(script):
    """One compile, by a shell; "$CC" is the compiler."""
    return ["sh", script]


def on_terminal(columns, *args):
    """Its standard error and input on a terminal of so many columns."""
    return ["terminal", str(columns), *args]


def dated(*paths, year=2020, days=0):
    def step(folder):
        seconds = (year - 1970) * 31556952 + days * 86400
        for path in paths:
            os.utime(folder / path, (seconds, seconds))

    return step


def changed_mode(path, mode):
    return lambda folder: os.chmod(folder / path, mode)


def linked(path, target):
    return lambda folder: os.link(folder / target, folder / path)


TIMES = [
    Case("timestamp", [dated("a.c"), c("-c", "a.c"), dated("a.c", year=2001), c("-c", "a.c", "-o", "b.o")],
         files={"a.c": STAMP}, remote=2),
    Case("timestamp-zone", [dated("a.c"), c("-c", "a.c")], files={"a.c": STAMP}, env={"TZ": "PST8PDT,M3.2.0,M11.1.0"}),
    # The rules of today, and those of before.
    Case("timestamp-in-zone", [step for year in (1975, 2005, 2020) for days in (20, 80, 300)
                               for step in (dated("a.c", year=year, days=days),
                                            c("-c", "a.c", "-o", f"{year}-{days}.o"))],
         files={"a.c": STAMP}, env={"TZ": "America/New_York"}, remote=9),
    Case("timestamp-in-header", [dated("a.c"), dated("a.h", year=2010), c("-c", "a.c")],
         files={"a.c": '#include "a.h"\n', "a.h": STAMP}),
    Case("timestamp-defined", [dated("a.c"), c("-c", "-DSTAMP=__TIMESTAMP__", "a.c")], files={"a.c": NAMED_STAMP}),
    Case("timestamp-forced", [dated("a.c", "a.h"), c("-c", "-include", "a.h", "a.c"), dated("a.c", year=2010),
                              c("-c", "-imacros", "a.h", "a.c", "-o", "b.o")],
         files={"a.c": NAMED_STAMP, "a.h": "#define STAMP __TIMESTAMP__\n"}, remote=2),
    Case("timestamp-response", [dated("a.c"), c("-c", "@r.rsp", "a.c")],
         files={"a.c": NAMED_STAMP, "r.rsp": "-DSTAMP=__TIMESTAMP__\n"}),
    Case("timestamp-pasted", [dated("a.c"), c("-c", "a.c")],
         files={"a.c": "#define C(a, b) a##b\nconst char *s = C(__TIME, STAMP__);\n"}),
    Case("timestamp-pasted-of-three", [dated("a.c"), c("-c", "-DC(a,b,c)=a##b##c", "a.c")],
         files={"a.c": "const char *s = C(__, TIMESTAMP, __), *t = C(__TIME, STAMP, __);\n"}),
    Case("timestamp-split", [dated("a.c"), c("-c", "a.c")], files={"a.c": "const char *s = __TIME\\\nSTAMP__;\n"}),
    Case("touched-header", [dated("a.c", "a.h"), c("-c", "a.c"), dated("a.h", year=2015), c("-c", "a.c", "-o", "b.o")],
         files={"a.c": '#include "a.h"\n', "a.h": STAMP}, remote=2),
    Case("dependency", [dated("y", year=2022), dated("old.c", year=2020), dated("new.c", year=2024),
                        c("-c", "old.c"), c("-c", "new.c"), c("-Werror", "-c", "old.c", "-o", "x.o"),
                        c("-Werror", "-c", "new.c", "-o", "y.o")],
         files={"y": "x\n", "old.c": '#pragma GCC dependency "y" rerun it\nint x;\n',
                "new.c": '#pragma GCC dependency "y" rerun it\nint x;\n'}, remote=None),
    Case("once-copies", [dated("a/h.h", year=2001), dated("b/h.h", year=2002), c("-c", "a.c")],
         files={"a.c": TWICE, "a/h.h": ONCE, "b/h.h": ONCE}, remote=None),
    Case("once-copies-of-one-time", [dated("a/h.h", "b/h.h"), c("-c", "a.c")],
         files={"a.c": TWICE, "a/h.h": ONCE, "b/h.h": ONCE}, remote=None),
    Case("once-copies-touched", [dated("a/h.h", "b/h.h"), c("-c", "a.c"), dated("b/h.h", year=2002),
                                 c("-c", "a.c", "-o", "b.o")],
         files={"a.c": TWICE, "a/h.h": ONCE, "b/h.h": ONCE}, remote=None),
    Case("once-hard-links", [linked("b/h.h", "a/h.h"), dated("a/h.h"), c("-c", "a.c"), remove("b/h.h"),
                             write("b/h.h", ONCE), c("-c", "a.c", "-o", "b.o")],
         files={"a.c": TWICE, "a/h.h": ONCE, "b/x": ""}, remote=None),
    Case("once-link", [c("-c", "a.c")], files={"a.c": TWICE, "a/h.h": ONCE, "b/x": ""}, links={"b/h.h": "../a/h.h"}),
    Case("import-copies", [dated("a/h.h", year=2001), dated("b/h.h", year=2002), c("-w", "-c", "a.c")],
         files={"a.c": TWICE.replace("include", "import"), "a/h.h": "struct s { int x; };\n",
                "b/h.h": "struct s { int x; };\n"}, remote=None),
    Case("import-hard-links", [linked("b/h.h", "a/h.h"), c("-w", "-g", "-MD", "-c", "a.c")],
         files={"a.c": TWICE.replace("include", "import"), "a/h.h": "struct s { int x; };\n", "b/x": ""}),
    Case("equal-headers", [c("-g", "-MD", "-c", "a.c"), remove("b/h.h"), linked("b/h.h", "a/h.h"),
                           c("-g", "-MD", "-c", "a.c", "-o", "b.o")],
         files={"a.c": '#define N f\n#include "a/h.h"\n#undef N\n#define N g\n#include "b/h.h"\n',
                "a/h.h": "const char *N(void) { return __FILE__; }\n",
                "b/h.h": "const char *N(void) { return __FILE__; }\n"}, remote=2),
]

STREAMS = [
    Case("terminal", [on_terminal(60, "-Wall", "-c", "a.c"), on_terminal(200, "-Wall", "-c", "a.c"),
                      on_terminal(60, "-Wall", "-fdiagnostics-color=auto", "-c", "a.c"),
                      on_terminal(60, "-Wall", "-fdiagnostics-color=never", "-c", "a.c"),
                      on_terminal(0, "-Wall", "-fdiagnostics-color=always", "-c", "a.c"),
                      on_terminal(60, "-Wall", "-fmessage-length=40", "-c", "a.c")],
         files={"a.c": UNUSED}, env={"TERM": "xterm-256color"}, remote=6),
]
STREAMS += [
    Case("terminal-" + name, [on_terminal(100, "-Wall", "-c", "a.c")], files={"a.c": UNUSED},
         env={"TERM": "xterm-256color", **env})
    for name, env in [("columns", {"COLUMNS": "50"}), ("no-color", {"NO_COLOR": "1"}), ("dumb", {"TERM": "dumb"}),
                      ("colors", {"GCC_COLORS": "error=01;32:warning=34"}), ("no-colors", {"GCC_COLORS": ""}),
                      ("urls", {"GCC_URLS": "st"}), ("no-urls", {"TERM_URLS": "no"}), ("unknown", {"TERM": "nothing"}),
                      ("other", {"COLORTERM": "truecolor", "TERM": "linux"})]
]
STREAMS += [
    Case("recorded-on-terminal", [on_terminal(60, "-Wall", "-g", "-frecord-gcc-switches", "-c", "a.c")],
         files={"a.c": UNUSED}, env={"TERM": "xterm"}, gcc_only=True),
    Case("closed-input", [sh('"$CC" -Wall -c a.c <&-')], files={"a.c": UNUSED}),
    *(Case(f"closed-{name}", [sh(f'"$CC" -Wall -c a.c {how}')], files={"a.c": UNUSED}, remote=0)
      for name, how in [("output", ">&-"), ("error", "2>&-"), ("both", ">&- 2>&-"), ("all", "<&- >&- 2>&-")]),
    Case("full-disk-for-messages", [sh('"$CC" -Wall -c a.c 2>/dev/full; echo $?')], files={"a.c": UNUSED},
         remote=None),
    Case("reader-went-away", [sh('{ "$CC" -Wall -c a.c 2>&1; echo $? >&9; } 9>&1 | head -n 1 >/dev/null')],
         files={"a.c": "".join(f"int f{i}(int x) {{ int used; return x; }}\n" for i in range(2000))}, remote=None),
]

PIPES = [
    Case("pipe-forced", [sh('mkfifo p; (cat m.h > p) & "$CC" -include ./p -c a.c; wait; rm p')],
         files={"a.c": "int x = X;\n", "m.h": "#define X 2\n"}, remote=0),
    Case("pipe-included", [sh('mkfifo p; (cat m.h > p) & "$CC" -c a.c; wait; rm p')],
         files={"a.c": '#include "p"\nint x = X;\n', "m.h": "#define X 2\n"}, remote=0),
    Case("descriptor-forced", [sh('"$CC" -include /dev/fd/3 -c a.c 3<m.h')],
         files={"a.c": "int x = X;\n", "m.h": "#define X 2\n"}, remote=0),
    Case("input-included", [sh('"$CC" -c a.c <m.h')],
         files={"a.c": '#include "/dev/stdin"\nint x = X;\n', "m.h": "#define X 2\n"}, remote=0),
    Case("pipe-of-arguments", [sh('mkfifo p; (echo -DX=2 > p) & "$CC" @p -c a.c; wait; rm p')],
         files={"a.c": "int x = X;\n"}, remote=0),
]

STANDING = [
    Case(f"{kind}-{mode:o}", [changed_mode(f"a.{kind}", mode), c("-MD", "-c", "a.c")],
         files={"a.c": "int x;\n", f"a.{kind}": text}, remote=None)
    for mode in (0o600, 0o664, 0o444, 0o755) for kind, text in (("o", "old"), ("d", "old"))
]
STANDING += [
    Case("empty-object", [changed_mode("a.o", 0o600), c("-c", "a.c")], files={"a.c": "int x;\n", "a.o": ""}, remote=None),
    Case("object-umask", [c("-MD", "-c", "a.c")], files={"a.c": "int x;\n", "a.o": "old", "a.d": "old"}, umask=0o002,
         remote=None),
    Case("hard-linked-outputs", [linked("o", "a.o"), linked("d", "a.d"), c("-MD", "-c", "a.c")],
         files={"a.c": "int x;\n", "a.o": "old", "a.d": "old"}, remote=0),
    Case("linked-outputs", [c("-MD", "-c", "a.c")], files={"a.c": "int x;\n", "o": "old", "d": "old"},
         links={"a.o": "o", "a.d": "d"}, remote=0),
    Case("side-file-mode", [changed_mode("a.su", 0o600), c("-fstack-usage", "-c", "a.c")],
         files={"a.c": "int f(void) { return 1; }\n", "a.su": "old"}, remote=0, gcc_only=True),
]

FOLDER = [
    Case("own-folder-as-pwd", [c("-g", "-MD", "-Ii", "-c", "a.c"), c("-g", "-I/proc/self/cwd/i", "-c", "a.c", "-o", "b.o")],
         files={"a.c": '#include "b.h"\nint v = B;\n', "i/b.h": "#define B 1\n"}, env={"PWD": "/proc/self/cwd"}, remote=2),
]

CASES = FOLDER + TIMES + STREAMS + PIPES + STANDING
