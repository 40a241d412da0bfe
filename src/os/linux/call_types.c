/* SPDX-License-Identifier: MIT */
/* Event types of system calls: see call_types.h. They are made of the tables of arch/syscalls.c. */
#include "os/linux/call_types.h"

#include "os/linux/probes.h"

enum {
    DATA_TEXT = 4 * ARCH_SYSCALL_DATA, /* WIRE_OP_PUT_DATA */
    ADDRESS_TEXT = 4 * ARCH_SYSCALL_ADDRESS,
    FIELDS = 4 + ARCH_SYSCALL_ARGS, /* and what belongs to them */
};

const char *const *call_names(const struct linux_model *lm)
{
    return entry_riscv(lm) ? riscv64_syscalls : x86_64_syscalls;
}

enum arch_arg_kind call_kind(const struct arch_syscall_args *a, unsigned i)
{
    enum arch_arg_kind kind = a->args[i].kind;
    bool ok = true;

    switch (kind) {
    case ARCH_ARG_TEXT: ok = i <= CALL_TEXT_LAST; break;
    case ARCH_ARG_DATA:
    case ARCH_ARG_VECTOR:
    case ARCH_ARG_MESSAGE: ok = i == CALL_SPECIAL; break;
    case ARCH_ARG_LIST: ok = i == CALL_SPECIAL || i == CALL_LIST; break;
    case ARCH_ARG_SOCKADDR: ok = i == CALL_SPECIAL || i == CALL_SOCKADDR; break;
    case ARCH_ARG_BACK:
    case ARCH_ARG_VECTOR_BACK:
    case ARCH_ARG_MESSAGE_BACK: ok = false; break;
    default: break;
    }
    return ok ? kind : ARCH_ARG_HEX;
}

/* The first argument can't be it: on riscv64 its register has what the call returns. */
enum call_back call_back(const struct arch_syscall_args *a, unsigned *at)
{
    for (unsigned i = 1; i < a->n && i <= 2; i++) {
        if (at)
            *at = i;
        if (a->args[i].kind == ARCH_ARG_BACK)
            return i == 1 ? BACK_SECOND : BACK_THIRD;
        if (a->args[i].kind == ARCH_ARG_VECTOR_BACK && i == 1)
            return BACK_VECTOR;
        if (a->args[i].kind == ARCH_ARG_MESSAGE_BACK && i == 1)
            return BACK_MESSAGE;
    }
    return BACK_NONE;
}

/* The field of an argument, and those that belong to it: how many they are. */
static unsigned argument_fields(const char *name, enum arch_arg_kind kind, struct trace_field *out)
{
    static const struct trace_field length = {"iov_len", TRACE_U64, 0,
                                              "size of the first buffer of several"},
                                    buffers = {"iovlen", TRACE_U64, 0,
                                               "how many buffers there are"};
    static const char data[] = "the first of the bytes, as in C";

    out[1] = length;
    out[2] = buffers;
    switch (kind) {
    case ARCH_ARG_INT: *out = (struct trace_field){name, TRACE_S32}; return 1;
    case ARCH_ARG_UINT: *out = (struct trace_field){name, TRACE_U64}; return 1;
    case ARCH_ARG_TEXT: *out = (struct trace_field){name, TRACE_STRING, CALL_TEXT}; return 1;
    case ARCH_ARG_LIST:
        *out = (struct trace_field){name, TRACE_STRING, CALL_TEXT, "strings, as in C"};
        return 1;
    case ARCH_ARG_SOCKADDR:
        *out = (struct trace_field){name, TRACE_STRING, ADDRESS_TEXT, "its bytes, as in C"};
        return 1;
    case ARCH_ARG_DATA:
    case ARCH_ARG_VECTOR:
    case ARCH_ARG_MESSAGE:
        *out = (struct trace_field){name, TRACE_STRING, DATA_TEXT, data};
        return kind == ARCH_ARG_DATA ? 1 : kind == ARCH_ARG_VECTOR ? 2 : 3;
    default: *out = (struct trace_field){name, TRACE_HEX}; return 1;
    }
}

static struct oscope_error *add_types(struct trace_schema *s, unsigned nr, const char *name)
{
    struct trace_field fields[FIELDS];
    struct trace_field back[] = {
        {"ret", TRACE_S64, 0, "what it returned; a signal that is handled first replaces it"},
        {"", TRACE_STRING, DATA_TEXT, "the first of the bytes that it gave, as in C"},
        {"iov_len", TRACE_U64, 0, "size of the first buffer of several; 0: nothing was given"}};
    struct arch_syscall_args args;
    unsigned n = 0, nback = 1, at;

    arch_syscall_args(name, &args);
    for (unsigned i = 0; i < args.n; i++)
        n += argument_fields(args.args[i].name, call_kind(&args, i), fields + n);
    enum call_back given = call_back(&args, &at);
    if (given != BACK_NONE) {
        back[nback++].name = args.args[at].name;
        nback += given >= BACK_VECTOR;
    }
    return syscall_types_add(s, nr, name, (struct syscall_fields){fields, n},
                             (struct syscall_fields){back, nback});
}

struct oscope_error *linux_event_types(const struct linux_model *lm, struct trace_schema *schema)
{
    const char *const *names = call_names(lm);

    for (unsigned i = 0; i < ARCH_SYSCALLS; i++)
        if (i == CALL_UNKNOWN || names[i])
            TRY(add_types(schema, i, i == CALL_UNKNOWN ? "unknown" : names[i]));
    return NULL;
}
