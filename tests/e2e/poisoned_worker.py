"""A command that alters the worker's mirror never changes what a later job makes.

    poisoned_worker.py
"""
import textwrap
import time

import harness
import trace_check
from harness import expect

# What each of the harms below begins with. The command is shown its own paths, but it can find out
# what the worker's root is, and paths below that are the kernel's; forge puts other bytes of the same size in a file's place, and the times back.
PREAMBLE = r"""
root=$LLAMA_LOOKUP_ROOT
test -d "$root$LOCAL" || { echo "no root in '$root'"; exit 9; }
evil() { tr 1 2 < "$1"; }
forge() {
  evil "$1" > forged; touch -r "$1" times; mode=$(stat -c %a "$1")
  chmod 644 "$1"; cat forged > "$1"; touch -r times "$1"; chmod "$mode" "$1"
}
blobs() { grep -ls '^#define VALUE 1' "$root"/../blobs/*; }
"""

HARMS = {
    "written in place": 'forge first/../b.h; cat b.h',
    "written among the blobs": 'for b in $(blobs); do forge "$b"; cat "$b"; done',
    "written through a link elsewhere": """
        for b in $(blobs); do ln "$b" link; forge link; cat link; rm link; done""",
    "renamed over": """
        for b in $(blobs) b.h; do
          evil "$b" > forged; touch -r "$b" forged; chmod 444 forged; mv -f forged "$b"; cat "$b"
        done""",
    "a header that shadows": 'evil b.h > first/b.h; cat first/b.h',
    "a directory replaced by a link": """
        mkdir "$root/other"; evil b.h > "$root/other/b.h"; cat "$root/other/b.h"
        mv second was; ln -s "$root/other" second""",
    "modes": """
        for b in $(blobs); do chmod 0 "$b"; done; chmod 0 second; echo '#define VALUE 2'""",
    "a process that stays": """
        echo '#define VALUE 2'
        (setsid sh -c 'n=0
          while [ $n -lt 40 ]; do n=$((n + 1)); sleep 0.1
            for b in $(grep -ls "^#define VALUE 1" "'"$root"'"/../blobs/*); do
              chmod 644 "$b"; echo "#define VALUE 2" > "$b"
            done
            mkdir -p first; echo "#define VALUE 2" > first/b.h
          done' > /dev/null 2>&1 &)""",
    "the recorder": """
        for r in "$root"/../../recorder/*.so; do cp b.h copy; mv -f copy "$r"; done
        echo '#define VALUE 2'""",
    "the mirror's own folders": """
        mv "$root/../blobs" "$root/../was"; cp -r "$root/../was" "$root/../blobs"
        for b in $(blobs); do forge "$b"; cat "$b"; done""",
}


PLUGIN = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int plugin_is_GPL_compatible;
int plugin_init(void *name, void *version) {
  if (getenv("LLAMA_LOOKUP_ROOT") == NULL) return 0;
  int fd = OPEN;
  if (write(fd, "#define VALUE 2\n", 16) != 16) abort();
  return close(fd);
}
"""
PLUGINS = {
    "a plugin that writes by libc": 'open("second/b.h", O_WRONLY | O_TRUNC)',
    "a plugin that writes unseen": '(int)syscall(SYS_openat, AT_FDCWD, "second/b.h", O_WRONLY | O_TRUNC, 0)',
}


def compile_and_compare(scene, folder, name):
    (folder / "a.o").unlink(missing_ok=True)
    scene.llama_build(name, ["gcc", "-Ifirst", "-Isecond", "-c", "a.c"],
                      cwd=folder).expect_status(0)
    ran = [c.describe() for c in trace_check.compiles(scene.spans(name))]
    expect(ran == ["remote"], f"{name}: {ran}")
    expect((folder / "a.o").read_bytes() == (folder / "plain.o").read_bytes(),
           f"{name}: a wrong object")


def poison(scene, folder, name, script):
    done = scene.run([scene.bin / "llama", "invoke", "--env", f"LOCAL={folder}", "-f", "b.h",
                      "-f", "first", "-f", "second", "--", "sh", "-c",
                      PREAMBLE + textwrap.dedent(script)], cwd=folder)
    done.expect_status(0)
    expect(b"#define VALUE 2" in done.out, f"{name}: did no harm: {done.out} {done.err}")


def scenario(scene):
    scene.extra_env["LLAMA_WORKERS"] = "1"
    folder = scene.dir / "unit"
    for part in ("first", "second"):
        (folder / part).mkdir(parents=True)
    (folder / "first" / "c.h").write_text("#define C 5\n")
    for header in ("b.h", "second/b.h"):
        (folder / header).write_text("#define VALUE 1\n")
    (folder / "a.c").write_text("#include <b.h>\n#include <c.h>\nint v = VALUE + C;\n")
    scene.run(["gcc", "-Ifirst", "-Isecond", "-c", "a.c", "-o", "plain.o"],
              cwd=folder).expect_status(0)
    compile_and_compare(scene, folder, "sound")
    for name, script in HARMS.items():
        poison(scene, folder, name, script)
        compile_and_compare(scene, folder, f"after {name}")
    # What was left running would have done it by now.
    poison(scene, folder, "again", HARMS["a process that stays"])
    time.sleep(0.5)
    compile_and_compare(scene, folder, "after all")
    # A plugin that a compile loads is the user's code as well. The harm is done where there is a root: not here.
    for name, opening in PLUGINS.items():
        (folder / "plugin.c").write_text(PLUGIN.replace("OPEN", opening))
        scene.run(["gcc", "-shared", "-fPIC", "-o", "plugin.so", "plugin.c"], cwd=folder).expect_status(0)
        scene.llama_build(name, ["gcc", "-fplugin=./plugin.so", "-Ifirst", "-Isecond", "-c", "a.c", "-o", "other.o"],
                          cwd=folder).expect_status(0)
        ran = [c.describe() for c in trace_check.compiles(scene.spans(name))]
        # What is written where no outputs are expected is seen, if libc does it.
        expect(len(ran) == 1 and ran[0].startswith("local:outputs" if "libc" in name else "remote"), f"{name}: {ran}")
        compile_and_compare(scene, folder, f"after {name}")
    # What would run instead of the compiler is not sent.
    (folder / "wrapper").write_text('#!/bin/sh\nexec "$@"\n')
    (folder / "wrapper").chmod(0o755)
    scene.llama_build("a wrapper", ["gcc", "-wrapper", "./wrapper", "-Ifirst", "-Isecond", "-c", "a.c", "-o", "other.o"],
                      cwd=folder).expect_status(0)
    ran = [c.describe() for c in trace_check.compiles(scene.spans("a wrapper"))]
    expect(ran and all(r.startswith("local") for r in ran), f"a wrapper: {ran}")



harness.run(scenario)
