"""A case of a seed and a number: always the same."""
import dataclasses
import os
import random
import re
import subprocess
import tempfile

from differential import options, texts
from differential.case import ROOTS, Case

SOURCE_NAMES = ["a"] * 12 + ["a b", "a=b", "ä", "a.b", "a,b", "a$b", "a'b", "a#b", "a%b", "a:b", "a@b", "-a", "a(b", "a*b",
                             os.fsdecode(b"a\xff"), "a\\b", "a;b", "a\"b", "a\nb", "a\tb", "@a", "a+"]
SUFFIXES = {"c": "c", "cc": "cc", "cpp": "cc", "cxx": "cc", "C": "cc", "i": "c", "ii": "cc", "s": "s", "S": "S", "sx": "S",
            "h": "c", "txt": "c", "m": "c", "bc": "c"}
HEADER_FOLDERS = [".", ".", "inc", "inc", "sys", "in c", "i=c", "ä", "inc/deep"]


@dataclasses.dataclass
class Compilers:
    """Words for a compiler, by its family; those of a masquerade are sought in PATH."""
    words: dict
    flags: dict  # by family: what its own --help lists
    known: dict = dataclasses.field(default_factory=dict)

    def takes(self, name, entry):
        """Whether a compiler has such an option; those that name files are not tried."""
        if not entry.startswith(("-f", "-g", "-m", "-W", "-s", "-O", "-p", "-u", "-t")) or "{" in entry:
            return True
        key = name, entry
        if key not in self.known:
            ask = [f"/usr/bin/{name}", *words(entry), "-fsyntax-only", "-x", "c++" if "++" in name else "c", "/dev/null"]
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(ask, cwd=folder, env={"PATH": "/usr/bin:/bin", "LANG": "C"}, capture_output=True,
                                      check=False)
            self.known[key] = done.returncode == 0 and b"unused during" not in done.stderr
        return self.known[key]

    @staticmethod
    def find(links):
        words = {}
        for name in ("gcc", "g++", "clang", "clang++"):
            path = f"/usr/bin/{name}"
            if not os.path.exists(path):
                continue
            made = [os.path.join(links, "plain", name), os.path.join(links, "a b=c", name)]
            for link in made:
                os.makedirs(os.path.dirname(link), exist_ok=True)
                os.symlink(path, link)
            words[name] = [name] * 8 + [path] * 2 + made
            for other in (f"/usr/bin/x86_64-linux-gnu-{name}", os.path.realpath(path)):
                if os.path.exists(other):
                    words[name].append(other)
        return Compilers(words, {name: listed_flags(name) for name in words})


def listed_flags(name):
    ask = ["--help-hidden"] if name.startswith("clang") else [f"--help={k}" for k in ("common", "optimizers", "warnings", "target", "c", "c++")]
    said = subprocess.run([f"/usr/bin/{name}", *ask], capture_output=True, text=True, check=False).stdout
    return sorted(set(re.findall(r"^  (-[fWmg][\w+-]+)(?=\s|$)", said, re.M)))


class Maker:
    def __init__(self, compilers, seed, number):
        self.chance = random.Random(f"{seed}/{number}")
        self.compilers = compilers
        self.name = f"{seed}/{number}"
        self.case = Case(self.name, [])
        self.headers = []  # (as it is found, its path)
        self.include_folders = []

    def often(self, share):
        return self.chance.random() < share

    def make(self):
        chance, case = self.chance, self.case
        case.root = chance.choice(["plain"] * 12 + list(ROOTS))
        self.suffix = chance.choices(list(SUFFIXES), [90, 45, 20, 6, 4, 3, 3, 8, 10, 2, 2, 2, 1, 1])[0]
        self.kind = SUFFIXES[self.suffix]
        names = list(self.compilers.words)
        usual = [n for n in names if ("++" in n) == (self.kind == "cc")]
        self.family = chance.choice(usual * 6 + names)
        self.make_headers()
        self.make_source()
        self.make_folders()
        command = self.make_command()
        case.steps = [["run", *command]]
        if self.often(0.12):
            self.more_steps(command)
        self.make_environment()
        return case

    def make_headers(self):
        chance = self.chance
        for number in range(chance.choice([0, 1, 1, 2, 2, 3])):
            folder = chance.choice(HEADER_FOLDERS)
            name = f"h{number}.h" if self.often(0.9) else chance.choice(["h h.h", "ä.h", "a=b.h", "stddef.h", "a.h", "h0.h", "h$x.h",
                                                                           "h#.h", "h:.h", "h%.h"])
            path = os.path.normpath(os.path.join(folder, name))
            if path in self.case.files:
                continue
            self.headers.append((name, path))
            if folder != "." and folder not in self.include_folders:
                self.include_folders.append(folder)
            self.case.files[path] = b""
        self.names = texts.Names(chance, self.headers, ["b.bin"])
        for number, (_, path) in enumerate(self.headers):
            self.names.headers = self.headers[number + 1:] if self.often(0.95) else self.headers
            tables = [texts.COMMON, texts.HEADER_LINES] + ([texts.ERRORS] if self.often(0.05) else [])
            self.case.files[path] = texts.text(chance, tables, chance.choice([0, 1, 2, 3, 4]), self.names)
        self.names.headers = self.headers
        if len(self.headers) > 1 and self.often(0.08):  # of one content
            self.case.files[self.headers[0][1]] = self.case.files[self.headers[1][1]]

    def make_source(self):
        chance = self.chance
        errors = [texts.ERRORS] if self.often(0.1) else []
        if self.kind in ("c", "cc"):
            own = texts.C_ONLY if self.kind == "c" else texts.CXX_ONLY
            tables = [texts.COMMON, own] + errors
        else:
            tables = [texts.ASSEMBLER] + ([texts.ASSEMBLER_WITH_CPP] if self.kind == "S" else [])
        lines = chance.choice([0, 1, 2, 3, 3, 4, 5, 6, 8])
        text = texts.text(chance, tables, lines, self.names)
        folder = chance.choice([""] * 6 + ["src/", "src/deep/", "s s/", "../w/" if self.case.root == "plain" else ""])
        self.source = folder + chance.choice(SOURCE_NAMES) + "." + self.suffix
        self.case.files[os.path.normpath(self.source) if not folder.startswith("..") else self.source[5:]] = text
        if b"b.bin" in b"".join(self.case.files.values()):
            self.case.files["b.bin"] = b"some bytes\0\xff"
            self.case.files["b.bin.inc"] = chance.choice([b"# nothing\n", b".ident \"included\"\n", b".warning \"included\"\n"])

    def make_folders(self):
        case, chance = self.case, self.chance
        case.folders += ["out"]
        case.links["linkdir"] = chance.choice(self.include_folders or ["out"])
        if self.often(0.1):  # a source or a header by a link, or by a second name
            path = chance.choice([p for p in case.files if not p.startswith("b.bin")])
            kept = os.path.join(os.path.dirname(path), "kept", "x" + os.path.basename(path))
            way = chance.choice(["link", "absolute link", "folder link", "hard link", "copy"])
            text = case.files[path]
            if way == "copy":
                case.files[kept] = text
            elif way == "hard link":
                case.hard_links[kept + "2"] = path
                case.folders.append(os.path.dirname(kept))
            elif way == "folder link" and "/" in path:
                folder = path.split("/")[0]
                moved = {p: t for p, t in case.files.items() if p.startswith(folder + "/")}
                for p, t in moved.items():
                    del case.files[p]
                    case.files["real/" + p] = t
                case.folders = [f for f in case.folders if not f.startswith(folder)]
                case.links[folder] = "real/" + folder
            else:
                del case.files[path]
                case.files[kept] = text
                target = "kept/x" + os.path.basename(path)
                case.links[path] = target if way == "link" else "{dir}/" + os.path.dirname(path) + "/" + target

    def pick(self, table):
        entry = self.chance.choice(table)
        for _ in range(3):
            if self.compilers.takes(self.family, entry) or self.often(0.1):
                break
            entry = self.chance.choice(table)
        header = self.chance.choice(self.headers)[1] if self.headers else "missing.h"
        folder = self.chance.choice(self.include_folders or ["inc"])
        return [w.replace("\0", " ").replace("{h}", header).replace("{i}", folder) for w in words(entry)]

    def make_command(self):
        chance, case = self.chance, self.case
        args = []
        for share, table in ((0.6, options.OPTIMISE), (0.45, options.WARNINGS), (0.15, options.WARNINGS), (0.4, options.DEBUG),
                             (0.12, options.DEBUG), (0.15, options.MACHINE), (0.35, options.CODE), (0.1, options.CODE), (0.08, options.ODD),
                             (0.12, options.DIAGNOSTICS), (0.12, options.SIDES), (0.35, options.DEPFILES), (0.12, options.MAPS),
                             (0.2, options.MACROS)):
            if self.often(share):
                args.append(self.pick(table))
        for folder in self.include_folders:
            if self.often(0.95):
                args.append([f"-I{folder}"] if self.often(0.7) else self.pick(options.FOLDERS))
        if any("/" not in path for _, path in self.headers) and self.often(0.6):
            args.append([self.chance.choice(["-I.", "-I{dir}", "-iquote."])])
        if self.often(0.08):
            args.append(self.pick(options.FOLDERS))
        if self.often(0.15):
            args.append(self.pick(options.C_STANDARDS if "++" not in self.family else options.CXX_STANDARDS))
        if self.often(0.1):
            args.append(self.pick(self.compilers.flags[self.family]))
        if any(a[0].startswith(("-flto", "--cov", "-cov", "-ftest", "-fprofile")) for a in args) and self.often(0.9):
            args.append(["-frandom-seed=1"])
        action = words(chance.choice(options.ACTIONS))
        chance.shuffle(args)
        source = self.spell(self.source)
        language = words(chance.choice(options.LANGUAGES[self.kind])) if self.often(0.06) else []
        if self.suffix in ("txt", "h") and not language:
            language = words(chance.choice(options.LANGUAGES[self.kind][:2]))
        args.insert(chance.randrange(len(args) + 1), [*language, source])
        args.insert(chance.randrange(len(args) + 1), action)
        if self.often(0.5):
            args.insert(chance.randrange(len(args) + 1), self.pick(options.OUTPUTS))
        self.make_targets(" ".join(w for a in args for w in a))
        flat = [w for a in args for w in a]
        if self.often(0.06) and len(flat) > 2:
            flat = self.through_file(flat)
        return [self.compiler(), *flat]

    def compiler(self):
        return self.chance.choice(self.compilers.words[self.family])

    def spell(self, path):
        """A path as a command line may have it."""
        if path.startswith(("-", "@")):
            path = "./" + path
        if path.startswith("../"):
            return path
        way = self.chance.choice(["plain"] * 10 + ["absolute"] * 3 + ["link", "dot", "dots", "double"])
        return {"plain": path, "absolute": "{dir}/" + path, "link": "{link}/" + path, "dot": "./" + path,
                "dots": "out/../" + path, "double": ".//" + path}[way]

    def make_targets(self, line):
        """What options may name as outputs is there, of odd kinds."""
        case = self.case
        made = {"existing.o": b"old", "readonly.o": b"old", "hard.o": b"old", "existing.d": b"old", "readonly.d": b"old",
                "locked/old.o": b"old"}
        for name, text in made.items():
            if name in line:
                case.files[name] = text
        if "readonly.o" in line:
            case.modes["readonly.o"] = 0o444
        if "readonly.d" in line:
            case.modes["readonly.d"] = 0o400
        if "existing" in line:
            for name in ("existing.o", "existing.d"):
                if name in case.files and self.often(0.5):
                    case.modes[name] = self.chance.choice([0o600, 0o777, 0o640, 0o666])
        if "hard.o" in line:
            case.hard_links["hard2.o"] = "hard.o"
        if "locked" in line:
            case.folders.append("locked")
            case.modes["locked"] = 0o555
        if "linked.o" in line or "linked.d" in line:
            for suffix in (".o", ".d"):
                case.links["linked" + suffix] = "out/target" + suffix
                case.files["out/target" + suffix] = b"old"
        if "linked_out.o" in line:
            case.links["linked_out.o"] = "{dir}/out/new.o"
        if "dangling" in line:
            case.links["dangling.o"] = case.links["dangling.d"] = "out/none"
        if self.often(0.1):  # what stood there before
            stem = os.path.basename(self.source).rsplit(".", 1)[0]
            case.files[stem + self.chance.choice([".o", ".o", ".d", ".s", ".i", ".gcno", ".dwo", ".su"])] = b"old"

    def through_file(self, flat):
        begin = self.chance.randrange(len(flat))
        end = self.chance.randrange(begin + 1, len(flat) + 1)
        quote = self.chance.choice([lambda w: re.sub(r"([\s'\"\\])", r"\\\1", w) or "''", lambda w: "'" + w.replace("'", "'\\''") + "'",
                                    lambda w: '"' + re.sub(r'(["\\])', r"\\\1", w) + '"'])
        text = self.chance.choice([" ", "\n", "\n\n", "\t"]).join(quote(w) for w in flat[begin:end])
        self.case.files["args"] = os.fsencode(text + self.chance.choice(["", "\n"]))
        if self.often(0.2):
            self.case.files["args2"] = b"@args"
            return [*flat[:begin], "@args2", *flat[end:]]
        return [*flat[:begin], self.chance.choice(["@args", "@{dir}/args"]), *flat[end:]]

    def more_steps(self, command):
        """The same again; again with another header; with a precompiled header; or a second source."""
        case, chance = self.case, self.chance
        way = chance.choice(["again", "again", "changed", "in secret", "new", "removed", "precompiled", "link", "link"])
        header = chance.choice(self.headers)[1] if self.headers else "late.h"
        if header in case.links or header not in case.files and header != "late.h":
            way = "again"
        if way == "again":
            case.steps.append(case.steps[0])
        elif way == "changed":
            case.steps += [["write", header, b"int changed_header;\n"], case.steps[0]]
        elif way == "in secret" and header in case.files:
            text = case.files[header]
            same = text.replace(b"1", b"2")  # of the same size
            case.steps += [["rewrite", header, same], case.steps[0]]
        elif way == "link":
            case.steps += [["link", "linkdir", chance.choice([*self.include_folders, "out", "missing"])], case.steps[0]]
        elif way == "new":
            case.steps += [["write", os.path.basename(header), b"int new_header;\n"], case.steps[0]]
        elif way == "removed" and header in case.files:
            case.steps += [["remove", header], case.steps[0]]
        elif way == "precompiled" and header in case.files:
            language = "c++-header" if "++" in self.family else "c-header"
            made = header + (".pch" if self.family.startswith("clang") and self.often(0.5) else ".gch")
            optimise = [w for w in command[1:] if w.startswith(("-O", "-g", "-std"))]
            case.steps = [["run", command[0], *optimise, "-x", language, header, "-o", made],
                          ["run", *command, "-include", header]]

    def make_environment(self):
        case, chance = self.case, self.chance
        case.umask = chance.choice([0o022] * 50 + [0o077, 0o002, 0, 0o027] * 4 + [0o777, 0o333])
        for _ in range(chance.choice([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])):
            name, values = chance.choice(options.VARIABLES if self.often(0.5) else options.USUAL_VARIABLES)
            folder = chance.choice(self.include_folders or ["inc"])
            case.env[name] = chance.choice(values).replace("{i}", folder)
        if "locked" in str(case.env) and "locked" not in case.folders:
            case.folders.append("locked")
            case.modes["locked"] = 0o555
        if any(b"__TIME__" in t or b"__DATE__" in t for t in case.files.values()) or self.often(0.2):
            case.env.setdefault("SOURCE_DATE_EPOCH", "1700000000")
        case.times = chance.choice(["rising"] * 4 + ["falling"] * 2 + ["equal"])
        if self.often(0.06):
            case.terminal = chance.choice(["err", "err", "out", "out err"]) + " " + chance.choice(["80", "40", "200", "0"])
            case.env.setdefault("TERM", "xterm-256color")
        elif self.often(0.03):
            case.redirect = chance.choice(["2>&-", ">&-", "<&-", "2>&1", ">/dev/full", "2>/dev/full", ">out/stdout 2>out/stderr"])
        if self.often(0.02) and self.headers:
            case.modes[chance.choice(self.headers)[1]] = chance.choice([0, 0o200, 0o444])
        elif self.often(0.01) and self.include_folders:
            case.modes[chance.choice(self.include_folders)] = chance.choice([0o300, 0o600, 0o500, 0])
        if self.often(0.08):
            case.cwd, case.pwd = "{link}", chance.choice(["{link}", "{dir}", "-", "/proc/self/cwd", "/missing", ".", "{link}/"])
        elif self.often(0.06):
            case.pwd = chance.choice(["{link}", "-", "{dir}/.", "{link}/out/..", "/", "/proc/self/cwd"])
        elif self.often(0.05):
            case.cwd = "out"
            case.steps = [[s[0], *(("../" + w if w in (self.source,) else w) for w in s[1:])] if s[0] == "run" else s
                          for s in case.steps]


def words(entry):
    """An entry's words; a backslash keeps a space."""
    if not entry:
        return []
    parts = [w.replace("\0", " ") for w in entry.replace("\\ ", "\0").split(" ")]
    if entry.startswith(("-D", "-o ", "-MD -MQ", "--param")) and entry in _WHOLE:
        return _WHOLE[entry]
    return parts


_WHOLE = {"-DD=a b": ["-DD=a b"], "-o a b.o": ["-o", "a b.o"], '-MD -MF ""': ["-MD", "-MF", ""]}


def make(compilers, seed, number):
    return Maker(compilers, seed, number).make()
