"""Every command can be completed: after `llama`, after `llama help`, in bash, zsh and fish.

    completions.py LLAMA
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LLAMA = sys.argv[1]
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "apps" / "llama" / "completions"


def expect(condition, what):
    if not condition:
        sys.exit(f"golden completions: {what}")


def commands():
    text = subprocess.run([LLAMA, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.findall(r"^  ([a-z]+)  +\S", text, re.MULTILINE)
    expect({"build", "sql", "export"} <= set(found), f"commands of --help: {found}")
    return set(found) - {"help"}


HELP_TOPICS = {"names"}


def bash_lines(*words, cwd=None, env=None):
    """What is offered for the last of the words."""
    script = (f'. "{FOLDER / "llama.bash"}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _llama; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, timeout=60,
                          cwd=cwd, env=env)
    expect(done.returncode == 0 and not done.stderr, f"{words}: {done.stderr}")
    return [line for line in done.stdout.splitlines() if line]


def in_bash(*words):
    return set(bash_lines(*words, ""))


def completes_builds():
    with tempfile.TemporaryDirectory() as folder:
        state = pathlib.Path(folder, "state")
        for number, name in enumerate(("before", "two words", "before", "a\x1bb", "")):
            build = state / "builds" / f"20261122-{number}"
            build.mkdir(parents=True)
            record = {"id": build.name, "name": name, "start_ns": number + 1, "command": ["make"]}
            (build / "build.json").write_text(json.dumps(record))
        pathlib.Path(folder, "beside.ndjson").touch()
        env = dict(os.environ, LLAMA_DIR=str(state),
                   PATH=f"{pathlib.Path(LLAMA).resolve().parent}:{os.environ['PATH']}")
        ids = [f"20261122-{number}" for number in (4, 3, 2, 1, 0)]

        def offered(*words):
            return bash_lines("llama", *words, cwd=folder, env=env)
        for words in (("builds", "rm"), ("builds", "rename"), ("builds", "tag")):
            expect(offered(*words, "") == ["latest", *ids[:2], "before", ids[2], "two\\ words", *ids[3:]],
                   f"{words}: {offered(*words, '')}")
        for words in (("report",), ("compare",), ("compare", "before"), ("sql",), ("export",), ("sql", "--build"),
                      ("report", "--build"), ("export", "--build")):
            expect(offered(*words, "be") == ["beside.ndjson", "before"], f"{words}: {offered(*words, 'be')}")
        expect(offered("compare", "--a", "before,tw") == ["before,two\\ words"], offered("compare", "--a", "before,tw"))
        expect(offered("sql", "--si") == ["--since"] and offered("sql", "--since", "") == [], "--since")


def in_zsh_help():
    line = re.search(r"^  help\) _values 'command' (.*) ;;$", (FOLDER / "_llama").read_text(), re.MULTILINE)
    expect(line, "_llama completes no help")
    return set(line.group(1).split())


FISH = (FOLDER / "llama.fish").read_text()


def in_fish():
    return set(re.findall(r"-n __fish_use_subcommand -f -a ([a-z]+) -d", FISH))


def in_fish_help():
    return set(re.search(r"-n '__llama_is help' -f -a '(.*)'", FISH).group(1).split())


def options_in_fish(command):
    """With those of its loops."""
    out = set()
    for loop in re.finditer(r"^for option in (.*)\n\s+complete -c llama -n '__llama_is ([^']*)' ", FISH, re.MULTILINE):
        out |= set(loop.group(1).split()) if command in loop.group(2).split() else set()
    for one in re.finditer(r"^complete -c llama -n '__llama_is ([^']*)' -l ([a-z-]+)", FISH, re.MULTILINE):
        out |= {one.group(2)} if command in one.group(1).split() else set()
    return out | {"help"}


def fish_knows_the_options_of_bash():
    for command in wanted:
        for line in bash_lines("llama", command, "-"):
            if line.startswith("--") and line != "--":
                expect(line[2:] in options_in_fish(command), f"{command} {line} is not known in fish")
    if fish := shutil.which("fish"):
        done = subprocess.run([fish, "--no-execute", FOLDER / "llama.fish"], capture_output=True, text=True, timeout=60)
        expect(done.returncode == 0, done.stderr)


wanted = commands()
for offered, where in ((in_bash("llama"), "bash"), (in_bash("llama", "help"), "help in bash"),
                       (in_zsh_help(), "help in zsh"), (in_fish() - {"help"}, "fish"), (in_fish_help(), "help in fish")):
    expect(wanted <= offered, f"{where} lacks {wanted - offered}")
    expect(where == "bash" or offered <= wanted | HELP_TOPICS,
           f"{where} knows {offered - wanted}, which is no command")
completes_builds()
fish_knows_the_options_of_bash()
