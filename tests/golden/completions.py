"""Every command can be completed: after `llama`, after `llama help`, in bash and in zsh.

    completions.py LLAMA
"""
import pathlib
import re
import subprocess
import sys

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


def in_bash(*words):
    script = f'. "{FOLDER / "llama.bash"}"; COMP_WORDS=("$@" ""); COMP_CWORD=$#; _llama; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, f"{words}: {done.stderr}")
    return set(done.stdout.split())


def in_zsh_help():
    line = re.search(r"^  help\) _values 'command' (.*) ;;$", (FOLDER / "_llama").read_text(), re.MULTILINE)
    expect(line, "_llama completes no help")
    return set(line.group(1).split())


wanted = commands()
for offered, where in ((in_bash("llama"), "bash"), (in_bash("llama", "help"), "help in bash"),
                       (in_zsh_help(), "help in zsh")):
    expect(wanted <= offered, f"{where} lacks {wanted - offered}")
    expect(where == "bash" or offered <= wanted, f"{where} knows {offered - wanted}, which is no command")
