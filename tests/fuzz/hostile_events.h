/* SPDX-License-Identifier: MIT */
/*
 * Events as nobody would send them: each HOSTILE_EVENT bytes of the input are one of any type,
 * time, vCPU and task, after a loss or not. Names of devices and registers are those that
 * interrupts are followed by.
 */
#ifndef FUZZ_HOSTILE_EVENTS_H
#define FUZZ_HOSTILE_EVENTS_H

#include "trace/reader.h"

#include "capture/wire.h"

enum { HOSTILE_EVENT = 8, HOSTILE_BYTES = 2048 };

/* System calls, which are no built-in types. */
static inline void hostile_types(struct trace_schema *s)
{
    static const struct trace_field fields[] = {{"tid", TRACE_S32}, {"ret", TRACE_S64}};
    static const char *const names[] = {"syscall_entry_a", "syscall_exit_a", "syscall_entry_b"};

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        struct trace_type t = {(uint16_t)(4096 + i), 2, names[i], NULL, NULL, fields};
        if (trace_schema_add(s, &t))
            abort();
    }
}

static inline const char *hostile_text(const struct trace_field *f, const uint8_t *p, char own[4])
{
    static const char *const devices[] = {"apic-msi", "riscv.sifive.plic", "riscv.aclint.swi"};
    static const char *const registers[] = {"claim[1]", "complete[1]", "msip[0]", "EOI",
                                            "ICR_low",  "message[0]",  ""};

    memcpy(own, p + 5, 3);
    own[3] = 0;
    if (!strcmp(f->name, "device") && p[5] % 4 < 3)
        return devices[p[5] % 4];
    return strcmp(f->name, "register") ? own : registers[p[6] % ARRAY_SIZE(registers)];
}

/* The type's fields are small numbers, the same ones often. */
static inline void hostile_fill(struct trace_event *ev, uint8_t bytes[HOSTILE_BYTES],
                                const uint8_t *p)
{
    const struct trace_type *t = ev->type;
    char own[4];

    for (unsigned i = 0; i < t->nfields; i++) {
        const struct trace_field *f = &t->fields[i];
        int64_t v = (int8_t)p[3 + i % 5] % 16;
        if (!strcmp(f->name, "cause") && p[4] & 0x80)
            v = 0x8000 | (p[4] & 15);
        const char *text = f->kind == TRACE_STRING ? hostile_text(f, p, own) : NULL;
        size_t n = text ? strlen(text) + 1 : trace_kind_size(f->kind);
        ev->own[i] = ev->size;
        memcpy(bytes + ev->size, text ? (const void *)text : &v, n);
        ev->size = (uint16_t)(ev->size + n);
    }
    ev->bytes = bytes;
    ev->at = ev->own;
}

/* The next one; time: of the one before. */
static inline void hostile_event(struct trace_event *ev, uint8_t bytes[HOSTILE_BYTES],
                                 const struct trace_schema *s, const uint8_t p[HOSTILE_EVENT],
                                 uint64_t *time)
{
    *ev = (struct trace_event){.flags = p[1] & 0x40 ? WIRE_EVENT_FAULT : 0,
                               .gap = (p[1] & 0xf0) == 0x80};
    for (unsigned i = p[0]; !ev->type; i++)
        if (s->by_id[i * 31 % s->nids])
            ev->type = &s->by_id[i * 31 % s->nids]->type;
    *time += p[2] == 255 ? UINT64_C(1) << 40 : p[2];
    ev->time = p[1] & 0x10 ? *time - p[2] : *time;
    ev->cpu = p[1] & 8 ? TRACE_CPU_NONE : p[1] & 0x20 ? p[1] * 20u : p[1] & 3;
    hostile_fill(ev, bytes, p);
}

#endif
