"""A case as a shell script, which needs nothing but the compilers, or llamacc before them in $WRAP."""
import os
import re

from differential.case import ROOTS


def quote(text):
    if isinstance(text, str):
        text = os.fsencode(text)
    if re.fullmatch(rb"[\w@%+=:,./-]+", text):
        return text.decode()
    plain = all(32 <= b < 127 for b in text)
    if plain:
        return "'" + text.decode().replace("'", "'\\''") + "'"
    return "$'" + "".join(chr(b) if 32 <= b < 127 and b not in b"'\\" else
                          "\\n" if b == 10 else f"\\x{b:02x}" if not chr(b) in "'\\" else "\\" + chr(b) for b in text) + "'"


def with_folders(text):
    """Quoted, the case's folders as variables of the script."""
    if isinstance(text, str):
        text = os.fsencode(text)
    pieces = re.split(rb"(\{dir\}|\{link\})", text)
    named = {b"{dir}": '"$D"', b"{link}": '"$L"'}
    return "".join(named.get(p) or quote(p) for p in pieces if p) or "''"


def printed(text):
    """A command that prints a text."""
    if not text:
        return ":"
    if b"\0" in text:
        return "printf '" + "".join(f"\\{b:03o}" for b in text) + "'"
    return f"printf %s {with_folders(text)}"


def script(case, place):
    root, link = os.path.join(place, ROOTS[case.root]), os.path.join(place, "link")
    lines = [f"D={quote(root)} L={quote(link)}; umask 022; rm -rf \"$D\" \"$L\"",
             f"mkdir -p \"$D\"; ln -s {quote(ROOTS[case.root])} \"$L\"; cd \"$D\""]
    folders = set(case.folders)
    for name in [*case.files, *case.links, *case.hard_links]:
        folders.add(os.path.dirname(name))
    folders = sorted(f for f in folders if f and f != "." and f not in case.links)
    if folders:
        lines.append("mkdir -p " + " ".join(quote(f) for f in folders))
    for name, text in case.files.items():
        lines.append(f"{printed(text)} > {quote('./' + name)}")
    for name, target in case.links.items():
        lines.append(f"ln -s {with_folders(target)} {quote('./' + name)}")
    for name, of in case.hard_links.items():
        lines.append(f"ln {quote('./' + of)} {quote('./' + name)}")
    if case.times != "rising":
        lines.append(f"# the times of the files, in this order, are {case.times}")
    for name, mode in case.modes.items():
        lines.append(f"chmod {mode:o} {quote('./' + name)}")
    env = [f"{k}={with_folders(v)}" for k, v in case.env.items()]
    if case.pwd == "-":
        env.insert(0, "-u PWD")
    elif case.pwd:
        env.append(f"PWD={with_folders(case.pwd)}")
    if case.umask != 0o022:
        lines.append(f"umask {case.umask:04o}")
    if case.cwd != ".":
        lines.append(f"cd {with_folders(case.cwd)}")
    for step in case.steps:
        if step[0] == "run":
            before = f"env {' '.join(env)} " if env else ""
            lines.append(f"{before}$WRAP " + " ".join(with_folders(w) for w in step[1:])
                         + (f" {case.redirect}" if case.redirect else "")
                         + (f"  # on a terminal: {case.terminal} columns" if case.terminal else ""))
        elif step[0] == "link":
            lines.append(f"ln -sfn {with_folders(step[2])} \"$D\"/{quote(step[1])}")
        elif step[0] in ("write", "rewrite"):
            lines.append(f"rm -f \"$D\"/{quote(step[1])}; {printed(step[2])} > \"$D\"/{quote(step[1])}")
        else:
            lines.append(f"rm \"$D\"/{quote(step[1])}")
    return "\n".join(lines)
