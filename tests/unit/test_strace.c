/* SPDX-License-Identifier: MIT */
/* System calls in strace's form, and what numbers of events stand for. */
#include "draw/calls.h"
#include "session/meaning.h"

#include "arch/arch.h"
#include "base/util.h"
#include "capture/wire.h"
#include "os/linux/linux.h"
#include "os/words.h"
#include "trace/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct out out;
    struct calls calls;
    uint64_t time;
};

static void begin(struct fixture *x)
{
    *x = (struct fixture){.time = 1000000000};
    out_init(&x->out, -1);
    x->calls = (struct calls){.out = &x->out, .utf8 = true, .whole = true};
}

/* Compares and forgets what was written. */
static void written(struct fixture *x, const char *text)
{
    out_char(&x->out, '\0');
    assert_string_equal(x->out.buf, text);
    x->out.len = 0;
}

static void end(struct fixture *x)
{
    calls_free(&x->calls);
    out_free(&x->out);
}

static struct oscope_field number(const char *name, int64_t v)
{
    return (struct oscope_field){.name = name, .kind = OSCOPE_FIELD_INT, .value.i = v};
}

static struct oscope_field address(const char *name, uint64_t v, bool later)
{
    return (struct oscope_field){
        .name = name, .kind = OSCOPE_FIELD_HEX, .value.u = v, .later = later};
}

static struct oscope_field text(const char *name, const char *v, bool cut)
{
    return (struct oscope_field){
        .name = name, .kind = OSCOPE_FIELD_TEXT, .value.text = v, .cut = cut};
}

static struct oscope_field result(int64_t v, const char *meaning, const char *detail)
{
    return (struct oscope_field){.name = "ret",
                                 .kind = OSCOPE_FIELD_INT,
                                 .value.i = v,
                                 .meaning = meaning,
                                 .detail = detail};
}

static struct oscope_field meant(struct oscope_field f, const char *meaning, bool inner)
{
    f.meaning = meaning;
    f.inner = inner;
    return f;
}

static bool put(struct fixture *x, const char *name, bool partial, size_t n,
                const struct oscope_field *fields)
{
    struct oscope_event e = {.time = x->time += 1000, .cpu = 1, .name = name, .partial = partial};

    e.nfields = n;
    e.final = !strcmp(name, "syscall_entry_exit_group");
    memcpy(e.fields, fields, n * sizeof *fields);
    return calls_event(&x->calls, &e);
}
#define PUT(name, partial, ...)                                                                    \
    put(x, name, partial,                                                                          \
        sizeof(struct oscope_field[]){__VA_ARGS__} / sizeof(struct oscope_field),                  \
        (struct oscope_field[]){__VA_ARGS__})

static void enter_read(struct fixture *x, int64_t tid)
{
    assert_true(PUT("syscall_entry_read", false, number("tid", tid), number("fd", 3),
                    address("buf", 0x1000, true), number("count", 100)));
}

static void leave_read(struct fixture *x, int64_t tid)
{
    assert_true(PUT("syscall_exit_read", false, number("tid", tid), number("ret", 5),
                    text("buf", "a\\n\\\"", false)));
}

static void test_one_line(void **state)
{
    struct fixture fixture, *x = &fixture;

    begin(x);
    assert_true(PUT("syscall_entry_write", false, number("tid", 17), number("fd", 1),
                    text("buf", "hello\\n", false), number("count", 6)));
    PUT("syscall_exit_write", false, number("tid", 17), number("ret", 6));
    written(x, "      1.000001000 [001] [17] write(1, \"hello\\n\", 6)                  = 6\n");
    enter_read(x, 17);
    leave_read(x, 17);
    written(x, "      1.000003000 [001] [17] read(3, \"a\\n\\\"\", 100)                   = 5\n");
    x->calls.narrow = true;
    PUT("syscall_entry_openat", false, number("tid", 2), number("dfd", -100),
        text("filename", "/a", false), address("flags", 0, false));
    PUT("syscall_exit_openat", true, number("tid", 2),
        result(-2, "-1 ENOENT", "No such file or directory"));
    written(x, "      1.000005000 [001] [2] openat(-100, \"/a\", 0) = -1 ENOENT (partial)\n");
    x->calls.narrow = false;
    PUT("syscall_entry_brk", false, number("tid", 2), address("brk", 0, false));
    PUT("syscall_exit_brk", false, number("tid", 2), result(0x4000, "0x4000", NULL));
    written(x, "      1.000007000 [001] [2] brk(0)                                  = 0x4000\n");
    PUT("syscall_entry_getpid", true, number("tid", 2));
    PUT("syscall_exit_getpid", false, number("tid", 2),
        result(-1, "-1 EPERM", "Operation not permitted"));
    written(x, "      1.000009000 [001] [2] getpid()                                = -1 EPERM "
               "(Operation not permitted) (partial)\n");
    PUT("syscall_entry_exit_group", false, number("tid", 2), number("error_code", 3));
    written(x, "      1.000011000 [001] [2] exit_group(3) = ?\n");
    calls_finish(&x->calls);
    written(x, "");
    end(x);
}

/* What a field's meaning tells stands in its place, and that of the fields it has from. */
static void test_meanings_stand_for_fields(void **state)
{
    struct fixture fixture, *x = &fixture;

    begin(x);
    x->calls.narrow = true;
    PUT("syscall_entry_writev", false, number("tid", 2), number("fd", 1),
        meant(text("vec", "ab", true), "[{iov_base=\"ab\", iov_len=2}, ...]", false),
        meant(number("iov_len", 2), NULL, true), number("vlen", 3));
    PUT("syscall_exit_writev", false, number("tid", 2), number("ret", 6));
    written(x,
            "      1.000001000 [001] [2] writev(1, [{iov_base=\"ab\", iov_len=2}, ...], 3) = 6\n");
    PUT("syscall_entry_recvmsg", false, number("tid", 2), number("fd", 1),
        address("msg", 0x1000, true), address("flags", 0, false));
    PUT("syscall_exit_recvmsg", false, number("tid", 2), number("ret", 2),
        meant(text("msg", "ab", false), "{msg_iov=[]}", false),
        meant(number("iov_len", 9), NULL, true));
    written(x, "      1.000003000 [001] [2] recvmsg(1, {msg_iov=[]}, 0) = 2\n");
    end(x);
}

static void test_unfinished(void **state)
{
    struct fixture fixture, *x = &fixture;

    begin(x);
    enter_read(x, 17);
    enter_read(x, 18);
    leave_read(x, 17);
    leave_read(x, 18);
    written(x, "      1.000001000 [001] [17] read(3, <unfinished ...>\n"
               "      1.000002000 [001] [18] read(3, <unfinished ...>\n"
               "      1.000003000 [001] [17] <... read resumed>\"a\\n\\\"\", 100)         = 5\n"
               "      1.000004000 [001] [18] <... read resumed>\"a\\n\\\"\", 100)         = 5\n");
    PUT("syscall_entry_write", false, number("tid", 17), number("fd", 1), text("buf", "x", true));
    assert_false(PUT("vcpu_idle", false, number("n", 1)));
    PUT("syscall_exit_write", false, number("tid", 17), number("ret", 6));
    written(x, "      1.000005000 [001] [17] write(1, \"x\"... <unfinished ...>\n"
               "      1.000007000 [001] [17] <... write resumed>)                    = 6\n");
    /* began before the first event; another call than the one that is known; a task that ended */
    leave_read(x, 20);
    enter_read(x, 21);
    PUT("syscall_exit_write", false, number("tid", 21), number("ret", 6));
    written(x, "      1.000008000 [001] [20] <... read resumed>\"a\\n\\\"\")              = 5\n"
               "      1.000009000 [001] [21] read(3, <unfinished ...>\n"
               "      1.000010000 [001] [21] <... write resumed>)                    = 6\n");
    enter_read(x, 22);
    PUT("sched_process_exit", false, text("comm", "sh", false), number("tid", 22));
    calls_finish(&x->calls);
    written(x, "      1.000011000 [001] [22] read(3, <unfinished ...>\n");
    end(x);
}

static void test_the_end(void **state)
{
    struct fixture fixture, *x = &fixture;

    begin(x);
    enter_read(x, 17);
    enter_read(x, 18);
    calls_finish(&x->calls);
    written(x, "      1.000001000 [001] [17] read(3, <unfinished ...>\n"
               "      1.000002000 [001] [18] read(3, <unfinished ...>\n"
               "      1.000002000 [---] [17] <... read resumed> <unfinished ...>) = ?\n"
               "      1.000002000 [---] [18] <... read resumed> <unfinished ...>) = ?\n");
    enter_read(x, 17);
    calls_forget(&x->calls); /* its end may be among what was lost */
    calls_finish(&x->calls);
    written(x, "      1.000003000 [001] [17] read(3, <unfinished ...>\n");
    x->calls.whole = false; /* a filter may have left out its end */
    enter_read(x, 17);
    calls_finish(&x->calls);
    written(x, "      1.000004000 [001] [17] read(3, <unfinished ...>\n");
    /* more calls than are remembered: the oldest are not */
    for (int i = 0; i < 5000; i++) {
        enter_read(x, i);
        x->out.len = 0;
    }
    leave_read(x, 4999);
    written(x, " \"a\\n\\\"\", 100)                   = 5\n");
    leave_read(x, 4000);
    written(x, "      1.005006000 [001] [4000] <... read resumed>\"a\\n\\\"\", 100)         = 5\n");
    leave_read(x, 1);
    written(x, "      1.005007000 [001] [1] <... read resumed>\"a\\n\\\"\")              = 5\n");
    end(x);
}

/* ---- meanings ---- */

/* What the field of an event stands for; fields of the event are numbers but for texts. */
static const char *meaning(const struct trace_type *type, const char *arch, const char *field,
                           uint64_t value, uint64_t cause)
{
    static char buf[1024];
    static struct oscope_event to;
    struct os_model os = {.arch = arch_find(arch), .ops = os_find("linux")};
    uint8_t bytes[256] = {0};
    struct trace_event from = {.type = type, .bytes = bytes, .at = from.own};
    int at = trace_field_index(type, field);

    assert_true(at >= 0);
    to = (struct oscope_event){.name = type->name, .nfields = type->nfields};
    for (unsigned i = 0, pos = 0; i < type->nfields; i++) {
        const struct trace_field *f = &type->fields[i];
        uint64_t v = (int)i == at ? value : !strcmp(f->name, "cause") ? cause : 0;
        from.own[i] = (uint16_t)pos;
        memcpy(bytes + pos, &v, trace_kind_size(f->kind));
        pos += f->kind == TRACE_STRING ? 1 : trace_kind_size(f->kind);
        to.fields[i] = (struct oscope_field){.name = f->name, .kind = OSCOPE_FIELD_HEX};
        to.fields[i].value.u = v;
        if (f->kind == TRACE_STRING) {
            to.fields[i].kind = OSCOPE_FIELD_TEXT;
            to.fields[i].value.text = "";
        }
    }
    meaning_fill(&to, &from, arch ? &os : NULL, NULL, buf, sizeof buf);
    return to.fields[at].meaning ? to.fields[at].meaning : "-";
}

static void test_numbers(void **state)
{
    static const struct {
        uint16_t type;
        const char *arch, *field;
        uint64_t value, cause;
        const char *text;
    } cases[] = {
        {TRACE_SCHED_SWITCH, "riscv64", "prev_state", 0, 0, "R"},
        {TRACE_SCHED_SWITCH, NULL, "prev_state", 1, 0, "S"},
        {TRACE_SCHED_SWITCH, NULL, "prev_state", 0x82, 0, "D|I"},
        {TRACE_SCHED_SWITCH, NULL, "prev_state", 0x1001, 0, "S|0x1000"},
        {TRACE_SCHED_SWITCH, NULL, "prev_state", 0x1000, 0, "-"},
        {TRACE_SCHED_SWITCH, NULL, "prev_prio", 1, 0, "-"},
        {TRACE_IRQ_SOFTIRQ_ENTRY, NULL, "vec", 9, 0, "RCU"},
        {TRACE_IRQ_SOFTIRQ_ENTRY, NULL, "vec", 10, 0, "-"},
        {TRACE_PAGE_FAULT_SIGNAL, NULL, "signal", 11, 0, "SIGSEGV"},
        {TRACE_PAGE_FAULT_ENTRY, NULL, "flags", 0x41, 0, "WRITE|USER"},
        {TRACE_PAGE_FAULT_ENTRY, NULL, "area", 2, 0, "heap"},
        {TRACE_PAGE_FAULT_EXIT, NULL, "result", 4, 0, "MAJOR"},
        {TRACE_PAGE_FAULT_EXIT, NULL, "result", 0, 0, "-"},
        {TRACE_TRAP_ENTRY_EXCEPTION, "riscv64", "cause", 13, 0, "load page fault"},
        {TRACE_TRAP_ENTRY, "riscv64", "cause", 0x8005, 0, "supervisor timer interrupt"},
        {TRACE_TRAP_ENTRY, NULL, "cause", 0x8005, 0, "-"},
        {TRACE_TRAP_ENTRY, "riscv64", "cause", 0x7000, 0, "-"},
        {TRACE_TRAP_ENTRY, "x86_64", "cause", 0xec, 0, "local timer interrupt"},
        {TRACE_TRAP_ENTRY_EXCEPTION, "x86_64", "error", 6, 14, "WRITE|USER"},
        {TRACE_TRAP_ENTRY_EXCEPTION, "x86_64", "error", 6, 13, "-"},
        {TRACE_TRAP_ENTRY_EXCEPTION, "riscv64", "error", 6, 14, "-"},
        {TRACE_FIRMWARE_ENTRY, "riscv64", "cause", 9, 0, "environment call from S"},
        {TRACE_FIRMWARE_EXIT, "riscv64", "to", 3, 0, "M"},
        {TRACE_TRAP_ENTRY, "riscv64", "from", 1, 0, "S"},
        {TRACE_TRAP_ENTRY, "riscv64", "from", 2, 0, "-"},
        {TRACE_TRAP_ENTRY, "riscv64", "from", 4, 0, "-"},
        {TRACE_TRAP_EXIT, "x86_64", "to", 3, 0, "user"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(meaning(trace_builtin_type(cases[i].type), cases[i].arch,
                                    cases[i].field, cases[i].value, cases[i].cause),
                            cases[i].text);
}

static void test_arguments(void **state)
{
    static const struct {
        const char *call, *field;
        uint64_t value;
        const char *text;
    } cases[] = {
        {"openat", "dfd", (uint32_t)-100, "AT_FDCWD"},
        {"openat", "dfd", 3, "-"},
        {"openat", "flags", 0, "O_RDONLY"},
        {"openat", "flags", 02001101, "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC"},
        {"openat", "flags", 020200002, "O_RDWR|O_TMPFILE"},
        {"openat", "flags", 04010000, "O_RDONLY|O_SYNC"},
        {"openat", "flags", 1 << 30, "O_RDONLY|0x40000000"},
        {"openat", "mode", 0644, "0644"},
        {"openat", "mode", 0, "0000"},
        {"faccessat", "mode", 4, "-"},
        {"mmap", "prot", 3, "PROT_READ|PROT_WRITE"},
        {"mprotect", "prot", 0, "PROT_NONE"},
        {"mmap", "flags", 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"},
        {"lseek", "whence", 2, "SEEK_END"},
        {"lseek", "whence", 9, "-"},
        {"kill", "sig", 15, "SIGTERM"},
        {"kill", "sig", 0, "-"},
        {"rt_sigprocmask", "how", 2, "SIG_SETMASK"},
        {"clone", "flags", 0x22, "-"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char name[64];
        const struct trace_field fields[] = {{"tid", TRACE_S32}, {cases[i].field, TRACE_HEX}};
        const struct trace_type type = {2000, 2, name, "syscalls", NULL, fields};
        snprintf(name, sizeof name, "syscall_entry_%s", cases[i].call);
        assert_string_equal(meaning(&type, "riscv64", cases[i].field, cases[i].value, 0),
                            cases[i].text);
    }
}

/* An event of a call, whose fields are those given. */
static struct oscope_event *event_of(const char *name, bool partial, size_t n,
                                     const struct oscope_field *fields)
{
    static struct oscope_event e;
    static char buf[4096];
    struct os_words w = {buf, sizeof buf};

    e = (struct oscope_event){.name = name, .partial = partial, .nfields = n};
    memcpy(e.fields, fields, n * sizeof *fields);
    os_find("linux")->call_words(&e, &w);
    return &e;
}
#define EVENT_OF(name, partial, ...)                                                               \
    event_of(name, partial,                                                                        \
             sizeof(struct oscope_field[]){__VA_ARGS__} / sizeof(struct oscope_field),             \
             (struct oscope_field[]){__VA_ARGS__})

static const char *mean(const struct oscope_event *e, size_t field)
{
    return e->fields[field].meaning ? e->fields[field].meaning : "-";
}

static const char *address_of(const char *bytes)
{
    const struct oscope_event *e =
        EVENT_OF("syscall_entry_connect", false, number("tid", 1), number("fd", 3),
                 text("addr", bytes, false), number("addrlen", 28));
    return mean(e, 2);
}

static void test_texts(void **state)
{
    const struct oscope_event *e;

    e = EVENT_OF("syscall_entry_symlinkat", false, number("tid", 1), text("oldname", "\\0", false),
                 number("newdfd", -100), text("newname", "a\\\\\\n\\", false));
    assert_string_equal(mean(e, 1), "NULL");
    assert_string_equal(mean(e, 2), "AT_FDCWD");
    assert_string_equal(mean(e, 3), "\"a\\\\\\n\"...");
    assert_true(e->fields[3].cut);
    e = EVENT_OF("syscall_entry_rename", false, number("tid", 1), text("oldname", "a\\\\", false),
                 text("newname", "", false));
    assert_string_equal(mean(e, 1), "-");
    assert_false(e->fields[1].cut);
    assert_string_equal(mean(e, 2), "-");

    static const struct {
        const char *list, *text;
    } lists[] = {
        {"\\0", "NULL"},
        {"", "[]"},
        {"\"sh\", \"a\\\"b\"", "[\"sh\", \"a\\\"b\"]"},
        {"\"sh\", \"a\\\"b\\", "[\"sh\", \"a\\\"b\"...]"},
        {"\"sh\"\\", "[\"sh\", ...]"},
        {"\"s\\\\\"\\", "[\"s\\\\\", ...]"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        e = EVENT_OF("syscall_entry_execve", false, number("tid", 1), text("filename", "/a", false),
                     text("argv", lists[i].list, false), address("envp", 0, false));
        assert_string_equal(mean(e, 2), lists[i].text);
    }

    e = EVENT_OF("syscall_entry_writev", false, number("tid", 1), number("fd", 3),
                 text("vec", "ab\\n", false), number("iov_len", 3), number("vlen", 1));
    assert_string_equal(mean(e, 2), "[{iov_base=\"ab\\n\", iov_len=3}]");
    assert_true(e->fields[3].inner && !e->fields[4].inner && !e->fields[2].cut);
    e = EVENT_OF("syscall_entry_writev", false, number("tid", 1), number("fd", 3),
                 text("vec", "ab", false), number("iov_len", 33), number("vlen", 2));
    assert_string_equal(mean(e, 2), "[{iov_base=\"ab\"..., iov_len=33}, ...]");
    e = EVENT_OF("syscall_entry_writev", false, number("tid", 1), number("fd", 3),
                 text("vec", "", false), number("iov_len", 0), number("vlen", 0));
    assert_string_equal(mean(e, 2), "[]");
    e = EVENT_OF("syscall_entry_sendmsg", false, number("tid", 1), number("fd", 3),
                 text("msg", "ab", false), number("iov_len", 2), number("iovlen", 2),
                 address("flags", 0, false));
    assert_string_equal(mean(e, 2),
                        "{msg_iov=[{iov_base=\"ab\", iov_len=2}, ...], msg_iovlen=2, ...}");
    assert_true(e->fields[3].inner && e->fields[4].inner && !e->fields[5].inner);
    e = EVENT_OF("syscall_entry_sendmsg", false, number("tid", 1), number("fd", 3),
                 text("msg", "ab", false)); /* a hostile schema's */
    assert_string_equal(mean(e, 2), "-");
    e = EVENT_OF("syscall_entry_readv", false, number("tid", 1), number("fd", 3),
                 address("vec", 0x1000, false), number("vlen", 1));
    assert_true(e->fields[2].later);

    static const struct {
        const char *bytes, *text;
    } addresses[] = {
        {"\\0", "NULL"},
        {"", "\"\"..."},
        {"\\1", "\"\\1\"..."},
        {"\\2\\0\\0P\\300\\0\\2\\21\\0\\0\\0\\0\\0\\0\\0\\0",
         "{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"192.0.2.17\")}"},
        {"\\2\\0\\0P\\300\\0\\2", "{sa_family=AF_INET, sa_data=\"\\0P\\300\\0\\2\"}"},
        {"\\n\\0\\1\\273\\0\\0\\0\\0 \\1\\r\\270\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\1\\2\\0\\0\\0",
         "{sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), "
         "inet_pton(AF_INET6, \"2001:db8::1\", &sin6_addr), sin6_scope_id=2}"},
        {"\\1\\0/tmp/\\\"x\\0\\0\\0", "{sa_family=AF_UNIX, sun_path=\"/tmp/\\\"x\"}"},
        {"\\1\\0\\0known\\0x", "{sa_family=AF_UNIX, sun_path=@\"known\\0x\"}"},
        {"\\1\\0", "{sa_family=AF_UNIX}"},
        {"\\20\\0\\0\\0\\1\\2\\0\\0\\5\\0\\0\\0",
         "{sa_family=AF_NETLINK, nl_pid=513, nl_groups=00000005}"},
        {"\\21\\0ab", "{sa_family=AF_PACKET, sa_data=\"ab\"}"},
        {"c\\0ab", "{sa_family=99, sa_data=\"ab\"}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
        assert_string_equal(address_of(addresses[i].bytes), addresses[i].text);
}

static void test_results(void **state)
{
    const struct oscope_event *e;

    e = EVENT_OF("syscall_exit_mmap", false, number("tid", 1), number("ret", 0x4000));
    assert_string_equal(mean(e, 1), "0x4000");
    e = EVENT_OF("syscall_exit_mmap", false, number("tid", 1), number("ret", -12));
    assert_string_equal(mean(e, 1), "-1 ENOMEM");
    assert_string_equal(e->fields[1].detail, "Cannot allocate memory");
    e = EVENT_OF("syscall_exit_lseek", false, number("tid", 1), number("ret", -4096));
    assert_string_equal(mean(e, 1), "-");
    e = EVENT_OF("syscall_exit_read", false, number("tid", 1), number("ret", -512));
    assert_string_equal(mean(e, 1), "-"); /* the kernel's own */
    e = EVENT_OF("syscall_exit_read", false, number("tid", 1), number("ret", 33),
                 text("buf", "x", false));
    assert_true(e->fields[2].cut);
    e = EVENT_OF("syscall_exit_read", true, number("tid", 1), number("ret", 33),
                 text("buf", "x", false));
    assert_false(e->fields[2].cut);
    e = EVENT_OF("syscall_exit_readv", false, number("tid", 1), number("ret", 33),
                 text("vec", "x", false), number("iov_len", 33));
    assert_string_equal(mean(e, 2), "[{iov_base=\"x\"..., iov_len=33}]");
    e = EVENT_OF("syscall_exit_readv", false, number("tid", 1), number("ret", 33),
                 text("vec", "x", false), number("iov_len", 1));
    assert_string_equal(mean(e, 2), "[{iov_base=\"x\", iov_len=1}, ...]");
    e = EVENT_OF("syscall_exit_recvmsg", false, number("tid", 1), number("ret", 1),
                 text("msg", "x", false), number("iov_len", 64));
    assert_string_equal(mean(e, 2), "{msg_iov=[{iov_base=\"x\", iov_len=64}], ...}");
    e = EVENT_OF("syscall_exit_readv", false, number("tid", 1), number("ret", -11),
                 text("vec", "", false), number("iov_len", 0));
    assert_string_equal(mean(e, 2), "[]");
    assert_true(EVENT_OF("syscall_entry_exit", false, number("tid", 1))->final);
    assert_false(EVENT_OF("syscall_entry_read", false, number("tid", 1))->final);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line),  cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_the_end),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_results),   cmocka_unit_test(test_meanings_stand_for_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
