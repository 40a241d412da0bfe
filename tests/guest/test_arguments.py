# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""What system calls point at: names, lists, buffers of several, sockets' addresses. The program
is knowncalls, one of the guest's, so that each byte is known."""

import collections
import re
import pytest
from harness import Events
from test_entry import DATA, Lines, calls_of

ROUNDS = 20
ENOENT, EBADF, ENAMETOOLONG = -2, -9, -36
ABC = '"abc", '
ODD = '/tmp/a \\"b\\"\\\\\\n\\0012\\377'
FILE, LONG = "/no/such/file", 255
IN4 = "\\2\\0\\0P\\300\\0\\2\\21" + 8 * "\\0"
IN6 = "\\n\\0\\1\\273\\0\\0\\0\\0 \\1\\r\\270" + 11 * "\\0" + "\\1\\0\\0\\0\\0"
UNIX = '\\1\\0/tmp/known \\"socket\\"' + 89 * "\\0"


@pytest.fixture(name="pairs", scope="module")
def _pairs():
    """By guest: what test_arguments saw. One run of the program is enough for all tests."""
    return {}


def seen_in(pairs, guest):
    key = (guest.arch, guest.smp)
    if key not in pairs:
        with Events(guest, "sched", "syscalls") as seen:
            guest.sh(f"cp /bin/knowncalls /tmp/known; /tmp/known {ROUNDS}")
        calls = calls_of(seen, "/tmp/known")
        pairs[key] = [(e["event"].removeprefix("syscall_entry_"), e, back)
                      for e, back in zip(calls, calls[1:])
                      if back["event"] == e["event"].replace("_entry_", "_exit_")]
    return pairs[key]


def arguments(pairs, name, *fields, **want):
    """How often a call had these values, with what it returned and whether either was partial."""
    return collections.Counter(
        (*(back[f] if f in back else e[f] for f in fields),
         back["ret"], e["partial"] or back["partial"])
        for n, e, back in pairs if n == name and all(e[k] == v for k, v in want.items()))


def test_second_names(eventful, pairs):
    p = seen_in(pairs, eventful)
    assert arguments(p, "symlinkat", "oldname", "newname", oldname="to\\\\there") == {
        ("to\\\\there", ODD, 0, False): ROUNDS}
    assert arguments(p, "renameat2", "oldname", "newname", "flags") == {
        (ODD, "/tmp/known2", "0x0", 0, False): ROUNDS}
    assert arguments(p, "linkat", "oldname", "newdfd", "newname", "flags") == {
        ("/tmp/known2", -100, "/tmp/known3", "0x0", 0, False): ROUNDS}
    assert arguments(p, "mount", "dev_name", "dir_name", "type", "flags", "data") == {
        ("none", "/no/such/place", "tmpfs", "0x1", "0x0", ENOENT, False): ROUNDS}
    assert arguments(p, "utimensat", "filename", "utimes") == {("\\0", "0x0", 0, False): ROUNDS}


def test_names_are_cut(eventful, pairs):
    p = [x for x in seen_in(pairs, eventful) if x[2]["ret"] in (ENOENT, ENAMETOOLONG)]
    opens = arguments(p, "openat", "filename") + arguments(p, "open", "filename")
    assert {k: n for k, n in opens.items() if k[0].count("x") > 100} == {
        (LONG * "x" + "\\", ENAMETOOLONG, False): ROUNDS,
        (LONG * "x", ENOENT, False): ROUNDS,
        ("\\n" + (LONG - 2) * "x" + "\\", ENOENT, False): ROUNDS}


def test_what_programs_are_run_with(eventful, pairs):
    p = seen_in(pairs, eventful)
    start = '"sh", "-c", "'
    many = ", ".join(60 * ['"abc"'])
    assert arguments(p, "execve", "filename", "argv", "envp") == {
        (FILE, '"arg 0", "a\\"b\\n", ""', "0x0", ENOENT, False): ROUNDS,
        (FILE, (start + 300 * "y")[:254] + "\\", "0x0", ENOENT, False): ROUNDS,
        (FILE, many[:254] + "\\", "0x0", ENOENT, False): ROUNDS}
    assert arguments(p, "execveat", "fd", "filename", "argv", "flags") == {
        (-1, "no/such/file", '"a\\"b\\n", ""', "0x0", EBADF, False): ROUNDS}


def test_buffers_of_several(eventful, pairs):
    p = seen_in(pairs, eventful)
    first, ten = 'a\\"b\\\\c\\n\\t\\1', 'a\\"b\\\\c\\n\\t\\0012\\1'
    assert arguments(p, "writev", "vec", "iov_len", "vlen") == {
        (first, 8, 2, 32, False): ROUNDS, ("", 0, 0, 0, False): ROUNDS}
    assert arguments(p, "pwritev", "vec", "iov_len", "vlen") == {
        (DATA, 100, 1, 100, False): ROUNDS}
    assert arguments(p, "sendmsg", "msg", "iov_len", "iovlen") == {
        (first, 8, 2, 32, False): ROUNDS}
    assert arguments(p, "readv", "vec", "iov_len", "vlen") == {
        (ten, 10, 2, 100, False): ROUNDS, ("", 0, 2, 0, False): ROUNDS}
    assert arguments(p, "preadv", "vec", "iov_len") == {(DATA, 8192, 100, False): ROUNDS}
    assert arguments(p, "recvmsg", "msg", "iov_len") == {(DATA, 8192, 32, False): ROUNDS}


def test_addresses_of_sockets(eventful, pairs):
    p = seen_in(pairs, eventful)
    assert arguments(p, "connect", "fd", "addr", "addrlen") == {
        (-1, IN4, 16, EBADF, False): ROUNDS, (-1, IN6, 28, EBADF, False): ROUNDS,
        (-1, UNIX, 110, EBADF, False): ROUNDS}
    assert arguments(p, "bind", "addr", "addrlen") == {
        ("\\1\\0\\0known", 8, EBADF, False): ROUNDS}
    assert arguments(p, "sendto", "buff", "addr", "addr_len") == {
        ("datagram", IN4, 16, EBADF, False): ROUNDS, ("datagram", "\\0", 0, 8, False): ROUNDS}


LINES = (
    rf'symlinkat("to\\there", AT_FDCWD, "{ODD}") = 0',
    rf'renameat2(AT_FDCWD, "{ODD}", AT_FDCWD, "/tmp/known2", 0) = 0',
    'linkat(AT_FDCWD, "/tmp/known2", AT_FDCWD, "/tmp/known3", 0) = 0',
    'mount("none", "/no/such/place", "tmpfs", 0x1, 0) = -1 ENOENT (No such file or directory)',
    f'"{LONG * "x"}"..., O_RDONLY',
    f'"{LONG * "x"}", O_RDONLY',
    rf'execve("{FILE}", ["arg 0", "a\"b\n", ""], 0) = -1 ENOENT (No such file or directory)',
    f'execve("{FILE}", ["sh", "-c", "{241 * "y"}"...], 0) = -1 ENOENT',
    f'execve("{FILE}", [{36 * ABC}"a"...], 0) = -1 ENOENT',
    rf'[{{iov_base="a\"b\\c\n\t\1", iov_len=8}}, ...], 2) = 32',
    rf'[{{iov_base="{DATA}"..., iov_len=100}}], 1, 0, 0) = 100',
    rf'[{{iov_base="a\"b\\c\n\t\0012\1", iov_len=10}}, ...], 2) = 100',
    rf'[{{iov_base="{DATA}"..., iov_len=8192}}], 1, 0, 0) = 100',
    r', {msg_iov=[{iov_base="a\"b\\c\n\t\1", iov_len=8}, ...], msg_iovlen=2, ...}, 0) = 32',
    rf', {{msg_iov=[{{iov_base="{DATA}", iov_len=8192}}], ...}}, 0) = 32',
    'connect(-1, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.17")}, 16)',
    'connect(-1, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), '
    'inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = -1 EBADF',
    r'connect(-1, {sa_family=AF_UNIX, sun_path="/tmp/known \"socket\""}, 110)',
    'bind(-1, {sa_family=AF_UNIX, sun_path=@"known"}, 8) = -1 EBADF (Bad file descriptor)',
    'sendto(-1, "datagram", 8, 0, {sa_family=AF_INET, sin_port=htons(80), '
    'sin_addr=inet_addr("192.0.2.17")}, 16) = -1 EBADF',
    '"datagram", 8, 0, NULL, 0) = 8',
)


def test_lines(eventful, tmp_path):
    with Lines(eventful, tmp_path / "out") as lines:
        eventful.sh(f"cp /bin/knowncalls /tmp/known; /tmp/known {ROUNDS}")
    # Results are lined up.
    text = re.sub(" += ", " = ", lines.text)
    for line in LINES:
        assert line in text, line
