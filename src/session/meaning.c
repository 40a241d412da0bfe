/* SPDX-License-Identifier: MIT */
/*
 * Names for numbers: see meaning.h. Those that are the same for all guests stand in events.toml;
 * causes of traps are the architecture's or the OS's; what arguments of system calls stand for is
 * Linux's, by the argument's name in the kernel (arch/syscalls.c).
 *
 * Sources: include/uapi/asm-generic/{fcntl,mman-common,mman,signal}.h,
 * include/uapi/linux/{fcntl,fs, mman}.h of Linux 6.12, which riscv64 and x86_64 share as far as it
 * stands here (x86's signal numbers are the generic ones, too); x86's page-fault error code: Intel
 * SDM volume 3, "Page-Fault Exceptions".
 */
#include "session/meaning.h"

#include "arch/syscalls.h"
#include "base/util.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_FAULT = 14, O_ACCESS = 3 };

struct words {
    char *at;
    size_t room;
};

/* Keeps a text; NULL: it has no room. */
static const char *keep(struct words *w, const char *text)
{
    size_t n = strlen(text) + 1;
    char *at = w->at;

    if (n > w->room)
        return NULL;
    memcpy(at, text, n);
    w->at += n;
    w->room -= n;
    return at;
}

/* "A|B|0x40" of the bits; NULL: none of them has a name. */
static const char *bit_names(struct words *w, const struct trace_value *values, uint64_t v,
                             const char *first)
{
    char text[160];
    int n = snprintf(text, sizeof text, "%s", first);
    bool named = n > 0;

    for (; values->name && v; values++) {
        if (!values->value || (v & values->value) != values->value || n >= (int)sizeof text)
            continue;
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%s", n ? "|" : "", values->name);
        v &= ~values->value;
        named = true;
    }
    if (v && n < (int)sizeof text)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s0x%" PRIx64, n ? "|" : "", v);
    return named && n < (int)sizeof text ? keep(w, text) : NULL;
}

static const char *value_name(const struct trace_value *values, uint64_t v)
{
    for (; values->name; values++)
        if (values->value == v)
            return values->name;
    return NULL;
}

static const char *by_names(struct words *w, const struct trace_names *names, uint64_t v)
{
    return names->bits && v ? bit_names(w, names->values, v, "") : value_name(names->values, v);
}

/* ---- traps ---- */

static const char *trap_cause(const struct os_model *os, uint64_t cause)
{
    struct os_trap trap = {0};

    if (os->ops->trap && os->ops->trap(os->arch, (unsigned)cause, &trap) && trap.name)
        return trap.name;
    return os->arch->trap_name ? os->arch->trap_name((unsigned)cause) : NULL;
}

static const char *trap_error(struct words *w, const struct trace_event *from,
                              const struct os_model *os, uint64_t error)
{
    static const struct trace_value names[] = {
        {0x1, "PRESENT"},      {0x2, "WRITE"}, {0x4, "USER"},          {0x8, "RESERVED"},
        {0x10, "INSTRUCTION"}, {0x20, "PKEY"}, {0x40, "SHADOW_STACK"}, {0, NULL}};
    int cause = trace_field_index(from->type, "cause");

    if (strncmp(os->arch->name, "x86", 3) != 0 || cause < 0 ||
        trace_event_u64(from, (unsigned)cause) != PAGE_FAULT)
        return NULL;
    return bit_names(w, names, error, "");
}

/* ---- arguments of system calls ---- */

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

static const char *open_text(struct words *w, uint64_t v)
{
    static const char *const access[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

    return bit_names(w, open_flags, v & ~(uint64_t)O_ACCESS, access[v & O_ACCESS]);
}

static const char *octal(struct words *w, uint64_t v)
{
    char text[32];

    snprintf(text, sizeof text, "0%03" PRIo64, v);
    return keep(w, text);
}

static bool is_one(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names;
}

/* What argument `name` of a call says; its kernel's type is int where directories are. */
static const char *argument(struct words *w, const char *call, const char *name, uint64_t v)
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
        return v ? bit_names(w, prot_flags, v, "") : "PROT_NONE";
    if (!strcmp(name, "flags") && !strcmp(call, "mmap"))
        return bit_names(w, map_flags, v, "");
    if (!strcmp(name, "whence"))
        return value_name(whences, v);
    if (!strcmp(name, "how") && !strcmp(call, "rt_sigprocmask"))
        return value_name(masks, v);
    if (!strcmp(name, "sig") && strcmp(call, "pselect6") != 0 && strcmp(call, "rseq") != 0)
        return value_name(signals, v);
    return NULL;
}

/* Data that a call takes has its length behind it. */
static void call_begins(struct words *w, struct oscope_event *to, const char *call)
{
    struct arch_syscall_args args;

    arch_syscall_args(call, &args);
    for (size_t i = 1; i < to->nfields && i - 1 < args.n; i++) {
        struct oscope_field *f = &to->fields[i];
        if (f->kind != OSCOPE_FIELD_TEXT)
            f->meaning = argument(w, call, f->name, f->value.u);
        else if (args.args[i - 1].kind == ARCH_ARG_DATA && i + 1 < to->nfields)
            f->cut = !to->partial && to->fields[i + 1].value.u > ARCH_SYSCALL_DATA;
        f->later = f->kind == OSCOPE_FIELD_HEX && args.args[i - 1].kind == ARCH_ARG_BACK;
    }
}

static const char *after(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

void meaning_fill(struct oscope_event *to, const struct trace_event *from,
                  const struct os_model *os, char *buf, size_t room)
{
    struct words w = {buf, room};
    const char *call = after(to->name, "syscall_entry_");

    for (size_t i = 0; i < to->nfields; i++) {
        struct oscope_field *f = &to->fields[i];
        const struct trace_names *names = from->type->fields[i].names;
        f->meaning = names ? by_names(&w, names, f->value.u) : NULL;
        f->cut = f->later = false;
        if (os && !strcmp(f->name, "cause") && after(to->name, "trap_entry"))
            f->meaning = trap_cause(os, f->value.u);
        else if (os && !strcmp(f->name, "cause") && after(to->name, "firmware_entry"))
            f->meaning = os->arch->trap_name ? os->arch->trap_name((unsigned)f->value.u) : NULL;
        else if (os && f->value.u && !strcmp(f->name, "error") && after(to->name, "trap_entry"))
            f->meaning = trap_error(&w, from, os, f->value.u);
    }
    if (call)
        call_begins(&w, to, call);
    else if (after(to->name, "syscall_exit_") && to->nfields > 2)
        to->fields[2].cut = !to->partial && to->fields[1].value.i > ARCH_SYSCALL_DATA;
}
