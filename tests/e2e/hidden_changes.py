"""Small projects, and changes to them that are hard to see. Each is a generator: the first thing that it
gives is a command line (and the folder to be in), and between any two it makes a change.
"""
import os
import shutil
import subprocess


class Place:
    """The project of one case, below a folder of its own."""

    def __init__(self, root):
        self.root = root
        root.mkdir(parents=True)

    def path(self, name):
        return self.root / name

    def write(self, name, text):
        """In place."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def replace(self, name, text):
        self.write(name + ".new", text)
        self.path(name + ".new").rename(self.path(name))

    def move(self, name, other):
        os.rename(self.path(name), self.path(other))

    def remove(self, name):
        path = self.path(name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def link(self, name, target):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        if self.path(name).is_symlink():
            os.symlink(target, self.path(name + "~"))
            os.rename(self.path(name + "~"), self.path(name))
        else:
            os.symlink(target, self.path(name))

    def hard_link(self, name, other):
        self.path(other).parent.mkdir(parents=True, exist_ok=True)
        os.link(self.path(name), self.path(other))

    def sh(self, script):
        subprocess.run(["sh", "-ec", script], cwd=self.root, check=True, stdout=subprocess.DEVNULL)


def value(n):
    return f"static const int value = {n};\n"


USE = "int used = value;\n"
# What is there if its name is.
ASK = '#if __has_include("{0}")\n#include "{0}"\n#else\n' + value(-1) + "#endif\n" + USE


def shadowing(p):
    """A file that comes to stand before another in the search path, and goes."""
    p.write("a.c", "#include <a.h>\n" + USE)
    p.write("two/a.h", value(2))
    yield "-Ione -Itwo -c a.c"
    p.write("one/a.h", value(1))
    yield
    p.remove("one/a.h")
    yield
    p.remove("one")
    yield
    p.write("elsewhere/a.h", value(3))
    p.move("elsewhere", "one")
    yield
    p.move("one", "none")
    yield
    p.link("one", "none")
    yield
    p.link("one", "two")
    yield


def folder_gone(p):
    """A folder goes with all that is in it, comes as a link, and goes again."""
    p.write("a.c", ASK.format("sub/deep/x.h"))
    p.write("inc/sub/deep/x.h", value(1))
    p.write("inc/sub/deep/beside.h", value(9))
    p.write("inc/b.h", "int b;\n")
    p.write("b.c", '#include "b.h"\n#include "sub/deep/beside.h"\n')
    yield "-Iinc -c a.c"
    p.move("inc/sub", "inc/away")
    yield
    p.link("inc/sub", "away")
    yield
    p.remove("inc/sub")
    yield
    p.link("inc/sub", "nowhere")
    yield
    p.write("other/deep/x.h", value(2))
    p.link("inc/sub", "../other")
    yield
    p.remove("inc/sub")
    p.path("inc/sub").mkdir()
    yield
    p.remove("inc/sub")
    p.write("inc/sub", "a file")
    yield


def ancestor_moved(p):
    """A folder far above is another from one moment to the next."""
    p.write("top/x/y/inc/a.h", value(1))
    p.write("other/x/y/inc/a.h", value(2))
    p.write("a.c", "#include <a.h>\n" + USE)
    yield "-Itop/x/y/inc -c a.c"
    for _ in range(3):
        p.move("top", "was")
        p.move("other", "top")
        yield
        p.move("top", "other")
        p.move("was", "top")
        yield
    p.move("top", "was")
    yield
    p.link("top", "was")
    yield
    p.link("top", "other")
    yield


def linked_ancestor(p):
    """The source and its folders are reached through a link, which turns."""
    for n in (1, 2):
        p.write(f"v{n}/src/a.c", '#include "a.h"\n#include "../inc/b.h"\nint used = value + other;\n')
        p.write(f"v{n}/src/a.h", value(n))
        p.write(f"v{n}/inc/b.h", f"static const int other = {10 * n};\n")
    p.link("current", "v1")
    yield "-Icurrent/inc -c current/src/a.c"
    for n in (2, 1, 2):
        p.link("current", f"v{n}")
        yield
    p.link("again", "v1")
    p.link("current", "again")
    yield
    p.link("again", "v2")
    yield


def kinds(p):
    """A header becomes a folder, a link, a link to a folder, and a header again."""
    p.write("a.c", "#include <a.h>\n" + USE)
    p.write("two/a.h", value(2))
    p.write("one/a.h", value(1))
    yield "-Ione -Itwo -c a.c"
    p.remove("one/a.h")
    p.path("one/a.h").mkdir()
    yield
    p.remove("one/a.h")
    p.link("one/a.h", "../two")
    yield
    p.link("one/a.h", "../third.h")
    yield
    p.write("third.h", value(3))
    yield
    p.replace("one/a.h", value(4))
    yield
    p.sh("rm one/a.h; mkfifo one/fifo; ln -s none one/a.h")
    yield


def hard_links(p):
    """A header is written through another name of it, of a folder that nobody knows."""
    p.write("inc/a.h", value(1))
    p.hard_link("inc/a.h", "unknown/deep/other.h")
    p.write("a.c", "#include <a.h>\n" + USE)
    yield "-Iinc -c a.c"
    for n in range(2, 5):
        p.write("unknown/deep/other.h", value(n))
        yield
    p.write("new.h", value(5))
    p.sh("ln -f new.h inc/a.h")
    yield
    p.write("new.h", value(6))
    yield


def without_a_trace(p):
    """Same size, same times."""
    p.write("inc/a.h", value(1))
    p.write("a.c", "#include <a.h>\n" + USE)
    yield "-Iinc -c a.c"
    for n in range(2, 5):
        p.sh(f"touch -r inc/a.h t; sed s/[0-9]/{n}/ inc/a.h > n; cat n > inc/a.h; touch -r t inc/a.h")
        yield
    p.sh("touch -r inc/a.h t; sed s/[0-9]/7/ inc/a.h > n; touch -r t n; mv n inc/a.h")
    yield


def precompiled(p):
    """A precompiled header appears beside a header, and where there is none."""
    p.write("inc/a.h", value(1))
    p.write("a.c", "#include <a.h>\n" + USE)
    yield "-Iearlier -Iinc -c a.c"
    p.write("other.h", value(2))
    p.sh("$CC -x $LANGUAGE-header other.h -o inc/a.h.gch")
    yield
    p.remove("inc/a.h.gch")
    yield
    p.path("earlier").mkdir()
    p.sh("$CC -x $LANGUAGE-header other.h -o earlier/a.h.gch")
    yield
    p.write("inc/a.h", value(3))
    yield
    p.remove("earlier")
    yield
    p.sh("mkdir inc/a.h.gch; $CC -x $LANGUAGE-header other.h -o inc/a.h.gch/one")
    yield


def generated(p):
    """As with VPATH: what is generated into the build folder shadows what came with the sources."""
    p.write("src/a.c", '#include "config.h"\n#include <gen.h>\nint used = value + gen;\n')
    p.write("src/config.h", value(1))
    p.write("src/include/gen.h", "static const int gen = 1;\n")
    p.path("build").mkdir()
    yield "-I. -Iinclude -I../src -I../src/include -c ../src/a.c", "build"
    p.write("build/gen.h", "static const int gen = 2;\n")
    yield
    p.write("build/include/gen.h", "static const int gen = 3;\n")
    yield
    p.remove("build/gen.h")
    yield
    p.write("build/config.h", value(4))
    yield
    p.replace("src/config.h", value(5))
    yield
    p.sh("rm -r build; mkdir build")
    yield


def own_output(p):
    """A source that reads what its own compile writes: object, depfile and their neighbours."""
    p.write("a.c", '#if __has_include("a.d")\nint has_d;\n#endif\n#if __has_include("a.i")\n#include "a.i"\n#endif\n'
                   '#if __has_include("a.o")\nint has_o;\n#endif\n'
                   '#if __has_include("main.d")\nint has_main;\n#endif\nint x;\n')
    yield "-MD -c a.c"
    yield
    p.write("a.i", "int i = 1;\n")
    yield
    p.replace("a.i", "int i = 2;\n")
    yield
    p.remove("a.i")
    yield
    p.remove("a.d")
    yield
    p.remove("a.o")
    yield
    p.write("main.d", "")
    yield
    p.remove("main.d")
    yield


def embeds_own_object(p):
    """The object of before is a part of the object."""
    p.write("a.c", 'extern int x;\nint x = 1;\n#if __has_include("a.bin")\n__asm__(".incbin \\"a.bin\\"");\n#endif\n')
    yield "-c a.c"
    for _ in range(3):
        p.sh("cp a.o a.bin")
        yield
    p.remove("a.bin")
    yield


def others_output(p):
    """An output of one command is an input of another."""
    p.write("b.c", "int b = 1;\n")
    p.write("a.c", '__asm__(".incbin \\"out/b.o\\"");\n')
    p.path("out").mkdir()
    p.sh("$CC -c b.c -o out/b.o")
    yield "-Iout -c a.c"
    for n in range(2, 5):
        p.write("b.c", f"int b = {n};\n")
        p.sh("$CC -c b.c -o out/b.o")
        yield
    p.remove("out/b.o")
    yield


def crowded(p):
    """More happens in the folders at once than the kernel keeps of it."""
    p.write("inc/a.h", value(1))
    p.write("a.c", "#include <a.h>\n" + USE)
    p.path("earlier").mkdir()
    yield "-Iearlier -Iinc -c a.c"
    for n in range(2, 4):
        crowd(p)
        p.write("inc/a.h", value(n))
        yield
        crowd(p)
        p.write("earlier/a.h", value(10 * n))
        yield
        p.write("earlier/a.h", value(20 * n))
        crowd(p)
        yield
        p.remove("earlier/a.h")
        crowd(p)
        yield


def crowd(p):
    one, two = (os.open(p.path(f"inc/{n}"), os.O_CREAT | os.O_WRONLY) for n in ("one", "two"))
    for _ in range(10_000):
        os.write(one, b"x")
        os.write(two, b"x")
    os.close(one)
    os.close(two)


def unreadable(p):
    """A folder may not be entered any more. (Nothing to root.)"""
    p.write("inc/a.h", value(1))
    p.write("two/a.h", value(2))
    p.write("a.c", "#include <a.h>\n" + USE)
    yield "-Iinc -Itwo -c a.c"
    p.sh("chmod 0 inc")
    yield
    p.sh("chmod 755 inc; chmod 0 inc/a.h")
    yield
    p.sh("chmod 644 inc/a.h")
    yield


def mounted(p):
    """Folders are mounted over, and come to light again."""
    p.write("top/inc/a.h", value(1))
    p.write("other/inc/a.h", value(2))
    p.write("other/a.h", value(3))
    p.write("a.c", "#include <a.h>\n" + USE)
    yield "-Itop/inc -Iother/inc -c a.c"
    p.sh("mount --bind other top")
    yield
    p.sh("umount top")
    yield
    p.sh("mount --bind other top/inc")
    yield
    p.write("other/a.h", value(4))
    yield
    p.sh("mount -t tmpfs none top")
    yield
    p.write("top/inc/a.h", value(5))
    yield
    p.sh("umount top; umount top/inc")
    yield
    p.sh("touch f; mount --bind other/a.h top/inc/a.h")
    yield
    p.write("other/a.h", value(6))
    yield
    p.sh("umount top/inc/a.h")
    yield


CASES = (shadowing, folder_gone, ancestor_moved, linked_ancestor, kinds, hard_links, without_a_trace, precompiled,
         generated, own_output, embeds_own_object, others_output, crowded, unreadable)
