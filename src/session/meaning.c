/* SPDX-License-Identifier: MIT */
/*
 * Names for numbers: see meaning.h. Those that are the same for all guests stand in events.toml;
 * causes of traps are the architecture's or the OS's; what stands in a system call's event is the
 * OS's to say. x86's page-fault error code: Intel SDM volume 3, "Page-Fault Exceptions".
 */
#include "session/meaning.h"

#include "os/trap_names.h"
#include "os/words.h"

#include <string.h>

enum { PAGE_FAULT = 14 };

static const char *by_names(struct os_words *w, const struct trace_names *names, uint64_t v)
{
    return names->bits && v ? words_bits(w, names->values, v, "") : words_value(names->values, v);
}

/* ---- traps ---- */

static const char *trap_cause(struct os_words *w, const struct os_model *os, const char *names,
                              uint64_t cause)
{
    struct os_trap trap = {0};
    struct trap_name own;

    if (trap_names_find(names, (unsigned)cause, &own))
        return words_keep(w, own.name[0] ? own.name : arch_trap_kind_name(own.kind));
    if (os->ops->trap && os->ops->trap(os->arch, (unsigned)cause, &trap) && trap.name)
        return trap.name;
    return os->arch->trap_name ? os->arch->trap_name((unsigned)cause) : NULL;
}

static const char *trap_error(struct os_words *w, const struct trace_event *from,
                              const struct os_model *os, uint64_t error)
{
    static const struct trace_value names[] = {
        {0x1, "PRESENT"},      {0x2, "WRITE"}, {0x4, "USER"},          {0x8, "RESERVED"},
        {0x10, "INSTRUCTION"}, {0x20, "PKEY"}, {0x40, "SHADOW_STACK"}, {0, NULL}};
    int cause = trace_field_index(from->type, "cause");

    if (strncmp(os->arch->name, "x86", 3) != 0 || cause < 0 ||
        trace_event_u64(from, (unsigned)cause) != PAGE_FAULT)
        return NULL;
    return words_bits(w, names, error, "");
}

static const char *level(const struct arch *a, uint64_t number)
{
    return number < ARRAY_SIZE(a->levels) ? a->levels[number] : NULL;
}

/* ---- events ---- */

static const char *after(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

void meaning_fill(struct oscope_event *to, const struct trace_event *from,
                  const struct os_model *os, const char *trap_names, char *buf, size_t room)
{
    struct os_words w = {buf, room};
    bool trap = after(to->name, "trap_") || after(to->name, "firmware_");

    to->final = false;
    for (size_t i = 0; i < to->nfields; i++) {
        struct oscope_field *f = &to->fields[i];
        const struct trace_names *names = from->type->fields[i].names;
        f->meaning = names ? by_names(&w, names, f->value.u) : NULL;
        f->detail = NULL;
        f->cut = f->later = f->inner = false;
        if (os && !strcmp(f->name, "cause") && after(to->name, "trap_entry"))
            f->meaning = trap_cause(&w, os, trap_names, f->value.u);
        else if (os && !strcmp(f->name, "cause") && after(to->name, "firmware_entry"))
            f->meaning = os->arch->trap_name ? os->arch->trap_name((unsigned)f->value.u) : NULL;
        else if (os && f->value.u && !strcmp(f->name, "error") && after(to->name, "trap_entry"))
            f->meaning = trap_error(&w, from, os, f->value.u);
        else if (os && trap && (!strcmp(f->name, "from") || !strcmp(f->name, "to")))
            f->meaning = level(os->arch, f->value.u);
    }
    if (os && os->ops->call_words && after(to->name, "syscall_"))
        os->ops->call_words(to, &w);
}
