"""Compares what two runs left in a folder: names, kinds, modes, link targets and bytes."""
import fnmatch
import os
import stat


def entries(root):
    """{relative path: lstat} of everything below root."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root)] = os.lstat(path)
    return found


def read(path):
    with open(path, "rb") as file:
        return file.read()


def difference(one, other, a, b):
    """How two paths differ, or None."""
    if stat.S_IFMT(a.st_mode) != stat.S_IFMT(b.st_mode):
        return "kinds differ"
    if stat.S_ISLNK(a.st_mode):
        return None if os.readlink(one) == os.readlink(other) else "link targets differ"
    if a.st_mode != b.st_mode:
        return f"modes differ: {a.st_mode:o} {b.st_mode:o}"
    if (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino):
        return None
    if stat.S_ISREG(a.st_mode) and (a.st_size != b.st_size or read(one) != read(other)):
        return f"contents differ ({a.st_size} and {b.st_size} bytes)"
    return None


def compare(one, other, ignore=(), only=()):
    """Lines that say how the folders differ. Patterns are matched against names without folders."""
    a, b = entries(one), entries(other)
    faults = []
    for path in sorted(a.keys() | b.keys()):
        name = os.path.basename(path)
        if any(fnmatch.fnmatch(name, p) for p in ignore):
            continue
        if only and not any(fnmatch.fnmatch(name, p) for p in only):
            continue
        if path not in b:
            faults.append(f"{path}: only in the first")
        elif path not in a:
            faults.append(f"{path}: only in the second")
        else:
            found = difference(os.path.join(one, path), os.path.join(other, path), a[path], b[path])
            if found:
                faults.append(f"{path}: {found}")
    return faults


def count(root, pattern):
    return sum(fnmatch.fnmatch(os.path.basename(p), pattern) for p in entries(root))
