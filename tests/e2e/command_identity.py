"""Runs every case of command_cases.py with and without llama and compares all effects: standard
output, standard error, exit status, and every file with its mode.

    command_identity.py [--compiler gcc|clang|copied|others] [--called masquerade|launcher]
                        [--bare-root] [--every N] [CASE...]

--every 4 takes each fourth case: what another way to call the compiler changes shows in few of them.
--compiler copied is a copy of gcc's files below a folder with a space in its name; others are all
the versions that are installed besides those that gcc and clang stand for.
"""
import argparse
import base64
import fcntl
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import termios

import bare_root
import command_cases
import harness
import seen_cases
import trace_check
import trees
from harness import expect

CASES = command_cases.CASES + seen_cases.CASES

# Names that mkstemp made, in diagnostics.
SCRATCH = re.compile(rb"/cc[A-Za-z0-9]{6}\b")


def lay_out(case, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, target in case.links.items():
        os.symlink(target, folder / name)


def run_steps(case, folder, compilers):
    """What a case's commands print and return, as JSON can hold it."""
    results = []
    os.umask(case.umask)
    for step in case.steps:
        if callable(step):
            step(folder)
            continue
        words = [w.replace("{dir}", str(folder)) for w in step[1:]]
        env = {**os.environ, **case.env}
        if step[0] == "terminal":
            status, *texts = run_on_terminal(int(words[0]), [*compilers["cc"], *words[1:]], folder, env)
        else:
            done = subprocess.run(command_of(step[0], words, compilers), cwd=folder, stdin=subprocess.DEVNULL,
                                  capture_output=True, check=False, env=env)
            status, *texts = done.returncode, done.stdout, done.stderr
        results.append([status, *(base64.b64encode(SCRATCH.sub(b"/ccXXXXXX", text)).decode() for text in texts)])
    return results


def command_of(word, words, compilers):
    if word != "sh":
        return [*compilers[word], *words]
    call = " ".join(map(shlex.quote, compilers["cc"]))
    return ["sh", "-c", words[0].replace('"$CC"', call)]


def run_on_terminal(columns, command, folder, env):
    """Its status, its standard output, and what it wrote on the terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with tempfile.TemporaryFile() as out:
        with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=out, stderr=theirs, env=env) as process:
            os.close(theirs)
            said = b""
            while True:
                try:
                    some = os.read(ours, 65536)
                except OSError:  # nobody has it open any more
                    break
                said += some
            os.close(ours)
        out.seek(0)
        return process.returncode, out.read(), said


def compilers_of(args, scene):
    """Of each compiler to try, {word of a case: command to run}; or Skip."""
    if args.compiler == "copied":
        return [copy_of_gcc(scene)]
    if args.compiler == "others":
        return other_versions()
    if args.compiler == "clang":
        harness.require_program("clang")
        return [{"cc": ["clang"], "c++": ["clang++"]}]
    return [{"cc": ["gcc"], "c++": ["g++"]}]


def other_versions():
    found = []
    for c_name, cxx_name in (("gcc", "g++"), ("clang", "clang++")):
        usual = shutil.which(c_name) and os.path.realpath(shutil.which(c_name))
        for path in sorted(pathlib.Path("/usr/bin").glob(f"{c_name}-*")):
            version = path.name.removeprefix(f"{c_name}-")
            has_cxx = shutil.which(f"{cxx_name}-{version}")
            if version.isdigit() and has_cxx and os.path.realpath(path) != usual:
                found.append({"cc": [path.name], "c++": [f"{cxx_name}-{version}"]})
    if not found:
        raise harness.Skip("of gcc and of clang no more than one version is installed")
    return found


def copy_of_gcc(scene):
    """gcc finds its own parts relative to its driver, so a copy of them is a whole gcc."""
    driver = pathlib.Path(shutil.which("gcc")).resolve()

    def ask(question):
        return pathlib.Path(subprocess.check_output([driver, question], text=True).strip())

    # Programs and libraries; since gcc 13 Debian has the former below /usr/libexec.
    parts = {ask("-print-prog-name=cc1").parent, ask("-print-libgcc-file-name").parent}
    expect(all(p.is_relative_to("/usr") for p in parts), f"{driver}: parts in {parts}, not in /usr")
    home = scene.dir / "my gcc"
    for source in (driver, driver.parent / driver.name.replace("gcc", "g++")):
        target = home / source.resolve().relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source.resolve(), target)
    version = ask("-dumpversion")
    headers = [pathlib.Path("/usr/include/c++") / version,
               pathlib.Path("/usr/include") / ask("-print-multiarch") / "c++" / version]
    for folder in (*parts, *headers):
        shutil.copytree(folder, home / folder.relative_to("/"), symlinks=True, dirs_exist_ok=True)
    gcc = home / driver.relative_to("/")
    gxx = next(gcc.parent.glob("*g++*"))
    return {"cc": [str(gcc)], "c++": [str(gxx)]}


def inner(case_name, folder, compilers, result):
    case = next(c for c in CASES if c.name == case_name)
    results = run_steps(case, pathlib.Path(folder), json.loads(compilers))
    pathlib.Path(result).write_text(json.dumps(results))


def check_case(scene, case, compilers, prefix, index):
    """The faults of one case."""
    folder, plain, result = scene.dir / "case", scene.dir / "plain", scene.dir / "result.json"

    def command(which):
        return [sys.executable, "-B", __file__, "--inner", case.name, folder, json.dumps(which), result]

    def expectations():
        return [(status, base64.b64decode(out), base64.b64decode(err))
                for status, out, err in json.loads(result.read_text())]

    lay_out(case, folder)
    scene.run(command(compilers)).expect_status(0)
    expected = expectations()
    shutil.rmtree(plain, ignore_errors=True)
    folder.rename(plain)

    lay_out(case, folder)
    build = f"case {index}"
    wrapped = {word: prefix + command for word, command in compilers.items()}
    scene.llama_build(build, command(wrapped), timeout=120).expect_status(0)
    faults = [f"step {i}: expected {e}, not {g}"
              for i, (e, g) in enumerate(zip(expected, expectations())) if e != g]
    faults += trees.compare(plain, folder)
    spans = scene.spans(build)
    faults += trace_check.check_build(spans)
    found = trace_check.compiles(spans)
    remote = sum(c.remote for c in found)
    if case.remote is not None and remote != case.remote:
        faults.append(f"{remote} remote, not {case.remote}: {[c.describe() for c in found]}")
    if len(found) != sum(not callable(s) for s in case.steps):
        faults.append(f"{len(found)} compiles in the trace")
    return [f"{case.name}: {fault}" for fault in faults]


def scenario(scene, args):
    compilers = compilers_of(args, scene)
    if args.bare_root:
        bare_root.use(scene)
    prefix = []
    if args.called == "launcher" or args.compiler == "copied":
        prefix = [str(scene.bin / "llamacc")]
    faults, count = [], 0
    for compiler in compilers:
        name = compiler["cc"][0]
        for case in CASES[::args.every]:
            wanted = not args.cases or case.name in args.cases
            if wanted and not (case.gcc_only and name.startswith("clang")):
                found = check_case(scene, case, compiler, prefix, count)
                faults += [f"{name}: {fault}" for fault in found]
                count += 1
    expect(not faults, f"{len(faults)} faults:\n" + "\n".join(faults))
    if args.bare_root:
        bare_root.check(scene)
    print(f"{count} cases the same, by", ", ".join(c["cc"][0] for c in compilers))


def main():
    if sys.argv[1:2] == ["--inner"]:
        inner(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", choices=("gcc", "clang", "copied", "others"), default="gcc")
    parser.add_argument("--called", choices=("masquerade", "launcher"), default="masquerade")
    parser.add_argument("--bare-root", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    harness.run(lambda scene: scenario(scene, args))


main()
