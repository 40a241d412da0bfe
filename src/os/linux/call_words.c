/* SPDX-License-Identifier: MIT */
/*
 * System calls in words: what their arguments stand for, by their names in the kernel
 * (arch/syscalls.c), and what they return. No guest is looked into.
 *
 * Sources: include/uapi/asm-generic/{fcntl,mman-common,mman,signal,errno}.h,
 * include/uapi/linux/{fcntl,fs,mman}.h of Linux 6.12, which riscv64 and x86_64 share as far as it
 * stands here (x86's signal numbers are the generic ones, too). Errors have their names from the
 * host's C library, whose numbers are the same.
 */
#include "os/linux/call_words.h"

#include "base/util.h"
#include "os/linux/call_types.h"

#include <oscope/events.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    O_ACCESS = 3,
    ERRORS = 4096,   /* include/linux/err.h: MAX_ERRNO is one less */
    TEXT_SIZE = 512, /* longer than what an event has of any but an address, CALL_TEXT */
};

/* ---- numbers ---- */

static const struct trace_value open_flags[] = {{0100, "O_CREAT"},
                                                {0200, "O_EXCL"},
                                                {0400, "O_NOCTTY"},
                                                {01000, "O_TRUNC"},
                                                {02000, "O_APPEND"},
                                                {04000, "O_NONBLOCK"},
                                                {04010000, "O_SYNC"},
                                                {010000, "O_DSYNC"},
                                                {040000, "O_DIRECT"},
                                                {0100000, "O_LARGEFILE"},
                                                {020200000, "O_TMPFILE"},
                                                {0200000, "O_DIRECTORY"},
                                                {0400000, "O_NOFOLLOW"},
                                                {01000000, "O_NOATIME"},
                                                {02000000, "O_CLOEXEC"},
                                                {010000000, "O_PATH"},
                                                {0, NULL}};
static const struct trace_value prot_flags[] = {
    {0, "PROT_NONE"}, {1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"}, {0, NULL}};
static const struct trace_value map_flags[] = {{0x3, "MAP_SHARED_VALIDATE"},
                                               {0x1, "MAP_SHARED"},
                                               {0x2, "MAP_PRIVATE"},
                                               {0x10, "MAP_FIXED"},
                                               {0x20, "MAP_ANONYMOUS"},
                                               {0x100, "MAP_GROWSDOWN"},
                                               {0x800, "MAP_DENYWRITE"},
                                               {0x2000, "MAP_LOCKED"},
                                               {0x4000, "MAP_NORESERVE"},
                                               {0x8000, "MAP_POPULATE"},
                                               {0x20000, "MAP_STACK"},
                                               {0x40000, "MAP_HUGETLB"},
                                               {0x100000, "MAP_FIXED_NOREPLACE"},
                                               {0, NULL}};
static const struct trace_value whences[] = {{0, "SEEK_SET"},  {1, "SEEK_CUR"},  {2, "SEEK_END"},
                                             {3, "SEEK_DATA"}, {4, "SEEK_HOLE"}, {0, NULL}};
static const struct trace_value masks[] = {
    {0, "SIG_BLOCK"}, {1, "SIG_UNBLOCK"}, {2, "SIG_SETMASK"}, {0, NULL}};
static const struct trace_value signals[] = {
    {1, "SIGHUP"},     {2, "SIGINT"},   {3, "SIGQUIT"},   {4, "SIGILL"},   {5, "SIGTRAP"},
    {6, "SIGABRT"},    {7, "SIGBUS"},   {8, "SIGFPE"},    {9, "SIGKILL"},  {10, "SIGUSR1"},
    {11, "SIGSEGV"},   {12, "SIGUSR2"}, {13, "SIGPIPE"},  {14, "SIGALRM"}, {15, "SIGTERM"},
    {16, "SIGSTKFLT"}, {17, "SIGCHLD"}, {18, "SIGCONT"},  {19, "SIGSTOP"}, {20, "SIGTSTP"},
    {21, "SIGTTIN"},   {22, "SIGTTOU"}, {23, "SIGURG"},   {24, "SIGXCPU"}, {25, "SIGXFSZ"},
    {26, "SIGVTALRM"}, {27, "SIGPROF"}, {28, "SIGWINCH"}, {29, "SIGIO"},   {30, "SIGPWR"},
    {31, "SIGSYS"},    {0, NULL}};

static const char *open_text(struct os_words *w, uint64_t v)
{
    static const char *const access[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

    return words_bits(w, open_flags, v & ~(uint64_t)O_ACCESS, access[v & O_ACCESS]);
}

static const char *octal(struct os_words *w, uint64_t v)
{
    char text[32];

    snprintf(text, sizeof text, "0%03" PRIo64, v);
    return words_keep(w, text);
}

static bool is_one(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names;
}

/* What argument `name` of a call says; its kernel's type is int where directories are. */
static const char *argument(struct os_words *w, const char *call, const char *name, uint64_t v)
{
    static const char *const folders[] = {"dfd", "olddfd", "newdfd", NULL};
    static const char *const opens[] = {"open", "openat", NULL};
    enum { AT_CWD = -100 };

    if (is_one(name, folders))
        return (int32_t)v == AT_CWD ? "AT_FDCWD" : NULL;
    if (!strcmp(name, "flags") && is_one(call, opens))
        return open_text(w, v);
    if (!strcmp(name, "mode") && strcmp(call, "fallocate") != 0)
        return strstr(call, "access") ? NULL : octal(w, v);
    if (!strcmp(name, "prot"))
        return v ? words_bits(w, prot_flags, v, "") : "PROT_NONE";
    if (!strcmp(name, "flags") && !strcmp(call, "mmap"))
        return words_bits(w, map_flags, v, "");
    if (!strcmp(name, "whence"))
        return words_value(whences, v);
    if (!strcmp(name, "how") && !strcmp(call, "rt_sigprocmask"))
        return words_value(masks, v);
    if (!strcmp(name, "sig") && strcmp(call, "pselect6") != 0 && strcmp(call, "rseq") != 0)
        return words_value(signals, v);
    return NULL;
}

/* ---- texts ---- */

/* Strings in quotes: cut in the midst of one, or between two of them. */
static const char *list(struct os_words *w, struct oscope_field *f)
{
    const char *s = f->value.text, *at = s;
    size_t n = words_length(s);
    bool inside = false;
    char text[TEXT_SIZE];

    if (!strcmp(s, "\\0"))
        return "NULL";
    while (at < s + n) {
        inside ^= *at == '"';
        words_byte(&at);
    }
    f->cut = s[n];
    snprintf(text, sizeof text, "[%.*s%s]", (int)n, s, inside ? "\"..." : f->cut ? ", ..." : "");
    return words_keep(w, text);
}

/* The bytes of one buffer and its size; more: what stands behind it. */
static const char *vector(struct os_words *w, const struct oscope_field *f, bool cut, bool more,
                          bool message, const char *tail)
{
    char text[TEXT_SIZE], buffer[TEXT_SIZE] = "";

    if (f[1].value.u || f->value.text[0])
        snprintf(buffer, sizeof buffer, "{iov_base=\"%.256s\"%s, iov_len=%" PRIu64 "}%s",
                 f->value.text, cut ? "..." : "", f[1].value.u, more ? ", ..." : "");
    snprintf(text, sizeof text, message ? "{msg_iov=[%.400s], %s...}" : "[%.400s]%s", buffer, tail);
    return words_keep(w, text);
}

/* At the beginning both kinds have the number of buffers two fields on. */
static void vector_begins(struct os_words *w, struct oscope_field *f, bool message, bool partial)
{
    uint64_t count = f[2].value.u;
    bool cut = !partial && f[1].value.u > ARCH_SYSCALL_DATA;
    char tail[64] = "";

    if (message)
        snprintf(tail, sizeof tail, "msg_iovlen=%" PRIu64 ", ", count);
    f->meaning = vector(w, f, cut, count > 1, message, tail);
    f->cut = cut || count > 1;
    f[1].inner = true;
    f[2].inner = message;
}

/* ---- events ---- */

/* An argument's field, with those that belong to it: how many they are. n: of the event, from f. */
static size_t call_argument(struct os_words *w, const char *call, enum arch_arg_kind kind,
                            struct oscope_field *f, size_t n, bool partial)
{
    if (f->kind != OSCOPE_FIELD_TEXT) {
        f->meaning = argument(w, call, f->name, f->value.u);
        f->later =
            f->kind == OSCOPE_FIELD_HEX && (kind == ARCH_ARG_BACK || kind == ARCH_ARG_VECTOR_BACK ||
                                            kind == ARCH_ARG_MESSAGE_BACK);
        return 1;
    }
    switch (kind) {
    case ARCH_ARG_TEXT: f->meaning = words_string(w, f->value.text, &f->cut); return 1;
    case ARCH_ARG_LIST: f->meaning = list(w, f); return 1;
    case ARCH_ARG_SOCKADDR:
        f->meaning = n > 1 ? linux_sockaddr(w, f->value.text, f[1].value.u) : NULL;
        return 1;
    case ARCH_ARG_DATA: /* its length stands behind it */
        f->cut = n > 1 && !partial && f[1].value.u > ARCH_SYSCALL_DATA;
        return 1;
    case ARCH_ARG_VECTOR:
    case ARCH_ARG_MESSAGE:
        if (n < 3)
            return 1;
        vector_begins(w, f, kind == ARCH_ARG_MESSAGE, partial);
        return kind == ARCH_ARG_MESSAGE ? 3 : 2;
    default: return 1;
    }
}

static void call_begins(struct os_words *w, struct oscope_event *e, const char *call)
{
    struct arch_syscall_args args;
    size_t at = 1 + !strcmp(call, "unknown"); /* tid; nr */

    e->final = !arch_syscall_returns(call);
    arch_syscall_args(call, &args);
    for (unsigned i = 0; i < args.n && at < e->nfields; i++)
        at +=
            call_argument(w, call, args.args[i].kind, &e->fields[at], e->nfields - at, e->partial);
}

static void returned(struct os_words *w, struct oscope_field *f, const char *call)
{
    static const char *const addresses[] = {"mmap", "mremap", "brk", "shmat", NULL};
    bool failed = f->value.i < 0 && f->value.i > -ERRORS;
    const char *error = failed ? strerrorname_np((int)-f->value.i) : NULL;
    char text[64] = "";

    if (error) {
        snprintf(text, sizeof text, "-1 %s", error);
        f->detail = strerrordesc_np((int)-f->value.i);
    } else if (is_one(call, addresses)) {
        snprintf(text, sizeof text, "0x%" PRIx64, f->value.u);
    }
    f->meaning = text[0] ? words_keep(w, text) : NULL;
}

static void call_ends(struct os_words *w, struct oscope_event *e, const char *call)
{
    struct oscope_field *ret = &e->fields[1], *data = &e->fields[2];
    struct arch_syscall_args args;

    if (e->nfields < 2)
        return;
    returned(w, ret, call);
    arch_syscall_args(call, &args);
    enum call_back back = call_back(&args, NULL);
    if (e->nfields < 3 || data->kind != OSCOPE_FIELD_TEXT)
        return;
    if (e->nfields > 3 && back >= BACK_VECTOR) {
        uint64_t got = ret->value.i > 0 ? ret->value.u : 0, size = data[1].value.u;
        bool cut = !e->partial && MIN(got, size) > ARCH_SYSCALL_DATA;
        data->meaning = vector(w, data, cut, got > size, back == BACK_MESSAGE, "");
        data->cut = cut || got > size;
        data[1].inner = true;
    } else {
        data->cut = !e->partial && ret->value.i > ARCH_SYSCALL_DATA;
    }
}

void linux_call_words(struct oscope_event *e, struct os_words *w)
{
    static const char entry[] = "syscall_entry_", leave[] = "syscall_exit_";

    if (!strncmp(e->name, entry, sizeof entry - 1))
        call_begins(w, e, e->name + sizeof entry - 1);
    else if (!strncmp(e->name, leave, sizeof leave - 1))
        call_ends(w, e, e->name + sizeof leave - 1);
}
