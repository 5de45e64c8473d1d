"""Makes a case that shows a difference smaller, while it shows one of the same kind."""
import re
import subprocess
import time


def kind(difference):
    """What differs, without names: a step's stream, or a file's suffix."""
    if difference.startswith("file "):
        name = re.sub(r"\.\d+[rti]\.\w+$", ".dump", difference.rsplit("/", 1)[-1])
        return "file ." + name.rsplit(".", 1)[-1] if "." in name else "file"
    return re.sub(r"^\d+ ", "", difference)


def kinds(differences):
    return {kind(d) for d in differences}


def smaller(case):
    """Cases with one thing less, those that lose most first."""
    for number in range(len(case.steps)):
        if len(case.steps) > 1:
            yield case.copy(steps=case.steps[:number] + case.steps[number + 1:])
    for number, step in enumerate(case.steps):
        if step[0] == "run":
            for length in (4, 3, 2, 1):
                for at in range(2, len(step) - length + 1):
                    yield with_step(case, number, step[:at] + step[at + length:])
            for at in range(1, len(step)):
                plain = step[at].replace("{dir}/", "").replace("{link}/", "")
                if plain != step[at]:
                    yield with_step(case, number, step[:at] + [plain] + step[at + 1:])
    for field in ("hard_links", "links", "files", "env", "modes"):
        for name in getattr(case, field):
            yield case.copy(**{field: {k: v for k, v in getattr(case, field).items() if k != name}})
    for name in case.folders:
        yield case.copy(folders=[f for f in case.folders if f != name])
    for field, plain in (("umask", 0o022), ("root", "plain"), ("cwd", "."), ("pwd", ""), ("times", "rising"), ("terminal", ""),
                         ("redirect", "")):
        if getattr(case, field) != plain:
            yield case.copy(**{field: plain})
    for name, text in case.files.items():
        lines = text.split(b"\n")
        for size in (len(lines) // 2, 1):
            for at in range(0, len(lines), max(size, 1)):
                less = b"\n".join(lines[:at] + lines[at + max(size, 1):])
                if less != text:
                    yield case.copy(files=case.files | {name: less})


def with_step(case, number, step):
    return case.copy(steps=case.steps[:number] + [step] + case.steps[number + 1:])


def reduce(case, differs, found, seconds):
    """`differs(case)` gives the set of kinds in which it differs; `found` are those of the case."""
    deadline = time.monotonic() + seconds
    progress = True
    while progress and time.monotonic() < deadline:
        progress = False
        for candidate in smaller(case):
            if time.monotonic() > deadline:
                break
            try:
                seen = differs(candidate)
            except (OSError, ValueError, subprocess.SubprocessError):
                continue
            if seen and seen <= found:
                case, progress = candidate, True
                break
    return case
