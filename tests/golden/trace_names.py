#!/usr/bin/env python3
"""Holds src/trace/names.h, docs/trace_format.md and the lists of src/sql to each other.

A span or field that one of them has and another has not is a failure: a name that is documented and
not written, one that is written and not documented, or one that SQL does not know.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONSTANT = re.compile(r'string_view (k\w+)\s*=\s*"([^"]+)"', re.S)
ANY = "any span"
NO_FIELDS = {"kEmbeddedFunction"}  # a value


def names_of_header():
    """{span: {field}} by the comments "On `span`, …" above each group; {constant: name}; spans."""
    spans, fields = (ROOT / "src/trace/names.h").read_text().split("namespace llama::trace::field {")
    by_span, constants, heads = {}, {}, []
    for block in re.split(r"\n\n", fields):
        head = re.match(r"\s*// On (any span|(?:`\w+`(?:, )?)+)", block)
        if head:
            heads = re.findall(r"`(\w+)`", head[1]) or [ANY]
        for constant, name in CONSTANT.findall(block):
            if constant in NO_FIELDS:
                continue
            constants[constant] = name
            for span in heads:
                by_span.setdefault(span, set()).add(name)
    return by_span, constants, {name for _, name in CONSTANT.findall(spans)}


def fields_of_cell(cell):
    """`cpu.user_ns`, `.system_ns` → cpu.user_ns, cpu.system_ns; what is no name is none."""
    found, last = set(), ""
    for word in re.findall(r"`([a-z_.]+)(?:<key>)?`", cell):
        word = last.split(".")[0] + word if word.startswith(".") else word
        found.add(word)
        last = word
    return found


def names_of_document():
    text = (ROOT / "docs/trace_format.md").read_text()
    text = text[text.index("## Names and fields"):text.index("## Reading a trace")]
    by_span, spans, current = {}, set(), None
    for line in text.splitlines():
        if head := re.match(r"`(\w+)`:", line):
            current = head[1]
            spans.add(current)
        if re.match(r"\| (span|span of the worker) \| is \| fields \|", line):
            current = "phases"
        elif line.startswith("| reason |"):
            current = None
        elif line.startswith("Any span may have"):
            by_span[ANY] = fields_of_cell(line)
        elif line.startswith("| `") and current:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if current == "phases":
                span = cells[0].strip(" `")
                spans.add(span)
                # The names that describe come before a parenthesis or colon, or are all of the cell.
                cell = re.sub(r"\([^)]*\)", "", cells[2])
                by_span.setdefault(span, set()).update(fields_of_cell(cell))
            else:
                by_span.setdefault(current, set()).update(fields_of_cell(cells[0]))
                if "on `scan`, too" in line:
                    by_span.setdefault("scan", set()).update(fields_of_cell(cells[0]))
                if current == "machine":  # "disk.busy_ns: of the busiest" stands in the second
                    by_span[current].update(f for f in fields_of_cell(cells[1]) if "." in f)
    return by_span, spans


def list_of(path, name):
    text = (ROOT / path).read_text()
    body = text[text.index(name):]
    return re.findall(r"trace::field::(k\w+)", body[:body.index("});")])


def main():
    header, constants, header_spans = names_of_header()
    document, document_spans = names_of_document()
    wrong = [f"span {name}: only in {where}" for names, where in
             ((header_spans - document_spans, "names.h"), (document_spans - header_spans, "trace_format.md"))
             for name in sorted(names)]
    for span in sorted(set(header) | set(document)):
        ours, theirs = header.get(span, set()), document.get(span, set())
        wrong += [f"{span}: {name} is only in names.h" for name in sorted(ours - theirs)]
        wrong += [f"{span}: {name} is only in trace_format.md" for name in sorted(theirs - ours)]
    known = list_of("src/sql/names.cc", "kKnownFields")
    machine = list_of("src/sql/session.cc", "kMachineFields")
    missing = set(constants) - set(known) - set(machine) - {"kTagsPrefix"}
    wrong += [f"src/sql does not know {name}" for name in sorted(missing)]
    of_machine = {c for c, name in constants.items() if name in header["machine"]} - {"kBuildId"}
    wrong += [f"the table machine: {name}" for name in sorted(of_machine ^ set(machine))]
    for line in wrong:
        print(line)
    if not constants or len(header_spans) < 10:
        sys.exit("read nothing")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
