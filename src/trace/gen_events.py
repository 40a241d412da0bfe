#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes of events.toml the table in C or the reference page.

    gen_events.py header EVENTS.toml OUT.h    ids as an enum
    gen_events.py table EVENTS.toml OUT.c     trace_types[]
    gen_events.py docs EVENTS.toml OUT.md     docs/EVENTS.md
"""
import re
import sys
import tomllib

SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "s8": 1, "s16": 2, "s32": 4, "s64": 8, "hex": 8,
         "string": 0}
USER_FIRST = 4096   # trace/schema.h
FIELDS = 32
RECORD = 2048       # WIRE_RECORD, of which the header takes 7
HEADER = 7
INTRODUCTION = """\
Every event has a time (ns, the host's CLOCK_MONOTONIC), the vCPU it happened on, and flags: 1 says
that something the event should hold could not be read and stands as 0.

Kinds: `u8` … `u64` unsigned, `s8` … `s64` signed, of so many bits; `hex` 64 bits shown in base 16;
`string(n)` at most n bytes.
"""
IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*\Z")


def check(events):
    """Exits with what is wrong in the file, if anything is."""
    def need(ok, what):
        if not ok:
            sys.exit(f"events.toml: {event.get('name', event)}: {what}")

    ids, names = set(), set()
    for event in events:
        need(set(event) == {"id", "name", "set", "doc", "fields"}, "id name set doc fields")
        need(0 < event["id"] < USER_FIRST and event["id"] not in ids, "id is taken or too large")
        need(IDENTIFIER.match(event["name"]) and event["name"] not in names, "name")
        need(len(event["fields"]) <= FIELDS, "too many fields")
        ids.add(event["id"])
        names.add(event["name"])
        seen, size = set(), HEADER
        for field in event["fields"]:
            string = field.get("kind") == "string"
            need(set(field) - {"most", "names", "bits"} == {"name", "kind", "doc"},
                 "fields have name kind doc")
            for key in {"names", "bits"} & set(field):
                need(not string and len({"names", "bits"} & set(field)) == 1, f"{key}: for numbers")
                need(all(v >= 0 and re.fullmatch(r"[\w/+-]+", n) for v, n in field[key]),
                     f"{field['name']}: {key} are [value, name]")
            need(("most" in field) == string, f"{field['name']}: most is for strings")
            need(field["kind"] in SIZES, f"{field['name']}: kind")
            need(IDENTIFIER.match(field["name"]) and field["name"] not in seen, "field's name")
            need(not string or field["most"] > 0, "a string of no bytes")
            seen.add(field["name"])
            size += field["most"] + 1 if string else SIZES[field["kind"]]
        need(size <= RECORD, "too large")
        for text in [event["doc"]] + [f["doc"] for f in event["fields"]]:
            need(text.isascii() and text.isprintable() and "*/" not in text and "|" not in text,
                 f"doc: {text}")


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def header(events):
    yield "/* Made by gen_events.py from events.toml. */"
    yield "#ifndef TRACE_EVENTS_H\n#define TRACE_EVENTS_H\n"
    yield "enum trace_event_id {"
    for event in events:
        yield f"    TRACE_{event['name'].upper()} = {event['id']},"
    yield "};\n\n#endif"


def table(events):
    yield "/* Made by gen_events.py from events.toml. */"
    yield '#include "trace/schema.h"\n'
    for event in events:
        for f in event["fields"]:
            for key in {"names", "bits"} & set(f):
                values = " ".join(f"{{{v:#x}, {c_string(n)}}}," for v, n in f[key])
                yield (f"static const struct trace_names names_{event['name']}_{f['name']} = "
                       f"{{{'true' if key == 'bits' else 'false'}, {{{values} {{0, 0}}}}}};")
        yield f"static const struct trace_field fields_{event['name']}[] = {{"
        for f in event["fields"]:
            yield (f"    {{\"{f['name']}\", TRACE_{f['kind'].upper()}, {f.get('most', 0)},"
                   f" {c_string(f['doc'])}, "
                   + (f"&names_{event['name']}_{f['name']}" if {"names", "bits"} & set(f) else "0")
                   + "},")
        yield "};"
    yield "\nconst struct trace_type trace_types[] = {"
    for event in events:
        yield (f"    {{{event['id']}, {len(event['fields'])}, \"{event['name']}\","
               f" \"{event['set']}\", {c_string(event['doc'])}, fields_{event['name']}}},")
    yield "};\nconst unsigned trace_ntypes = sizeof trace_types / sizeof trace_types[0];"


SYSCALLS = """## Set `syscalls`

### syscall_entry_NAME, syscall_exit_NAME

One pair of types for each system call of the guest's ABI, made when the set is switched on. The
first has the caller's `tid` and the call's arguments by their names in the kernel: 4 bytes where the
argument is an int, 8 else, and the text where it is a path; calls whose arguments are not known have
`arg0` to `arg5`. The second has `tid` and `ret` (s64), an error number if it is in
-4095 … -1; a signal that is handled before the call returns shows its handler's argument there.
Data is in the place of its address: as the call begins that of `write`, `pwrite64` and `sendto`, as it
returns that of `read`, `pread64`, `recvfrom`, `readlink` and `readlinkat`, under the argument's name.
It is a string with the first 32 bytes as strace prints them: the inside of a string literal in C.
Of several buffers (`readv`, `preadv`, `preadv2`, `recvmsg`, `writev`, `pwritev`, `pwritev2`, `sendmsg`)
it is what lies in the first, whose size follows as `iov_len`; that of a call that gave nothing is 0.
`sendmsg` has the number of buffers, too: `iovlen`.

Paths (the second ones of `renameat2`, `linkat` and so on, too) are such strings of at most 255
characters; when there is more, a backslash stands alone at the end. `\\0`, which no path gives, is a
null pointer. `argv` of `execve` and `execveat` is of the same kind: `"sh", "-c", "a \\"b\\""`. The address
that `connect`, `bind` and `sendto` are given is a string of its first 110 bytes (of a null pointer `\\0`).

Ids are 1024 and 1536 plus the call's number; those of unknown numbers are `syscall_entry_unknown`, with
`nr`, and `syscall_exit_unknown`. A call that a task was in when the set was switched on has no exit.
"""


def docs(events):
    yield "# Event types\n"
    yield "Made from `src/trace/events.toml` by `src/trace/gen_events.py`; don't edit.\n"
    yield INTRODUCTION
    for name in dict.fromkeys(event["set"] for event in events):
        yield f"## Set `{name}`\n"
        for event in (e for e in events if e["set"] == name):
            yield f"### {event['name']}\n\n{event['doc']} Id {event['id']}.\n"
            yield "| field | kind | |\n|---|---|---|"
            for f in event["fields"]:
                kind = f"string({f['most']})" if "most" in f else f["kind"]
                yield f"| `{f['name']}` | {kind} | {f['doc']} |"
            yield ""
    yield SYSCALLS


def main():
    form, source, out = sys.argv[1:]
    with open(source, "rb") as file:
        events = sorted(tomllib.load(file)["event"], key=lambda event: event["id"])
    check(events)
    make = {"header": header, "table": table, "docs": docs}[form]
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(make(events)).rstrip("\n") + "\n")


main()
