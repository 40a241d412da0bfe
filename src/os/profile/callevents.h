/* SPDX-License-Identifier: MIT */
/*
 * System calls as events: a pair of event types for each call, and the program of the
 * one that begins, which is the same for all: what the arguments are it takes from tables by the
 * call's number.
 *
 * A call's number is kept (WIRE_OP_KEEP) under its task from entry to exit, where no register has
 * it any more.
 */
#ifndef OS_PROFILE_CALLEVENTS_H
#define OS_PROFILE_CALLEVENTS_H

#include "os/syscall_type.h"
#include "probe/build.h"

/* Adds both types of a call; those that are there already stay. */
struct oscope_error *call_add_types(struct trace_schema *s, unsigned nr, const char *name,
                                    const struct arch_syscall_args *args) WARN_UNUSED;

/*
 * Calls have numbers; event types and the program's tables have room for ARCH_SYSCALLS. A number
 * below `above` is its own place there. Of higher ones those that are near each other form a block,
 * that lies in the places from `above` on: first + i has place at + i.
 */
enum { CALL_BLOCKS = 4, CALL_NUMBERS = 1 << 16 };
struct call_map {
    unsigned above, nblocks;
    struct call_block {
        unsigned first, n, at;
    } blocks[CALL_BLOCKS];
};
/* Of n numbers below CALL_NUMBERS, in any order. False: they are too many, or too far apart; then
 * those that found no place have none. */
bool call_map_make(const unsigned *numbers, size_t n, struct call_map *out);
/* CALL_UNKNOWN: it has none. */
unsigned call_map_place(const struct call_map *m, uint64_t number);

/* By the call's place: the number that its event types go by, and what the program needs to know
 * of its arguments. */
struct call_tables {
    struct probe_table numbers, classes;
    struct call_map map;
};
/* All unknown, with the arguments of unknown calls. */
void call_tables_init(struct call_tables *t, const struct call_map *map);
void call_tables_set(struct call_tables *t, unsigned place, const struct arch_syscall_args *args);

/* Where the program has its values from. */
struct call_source {
    /* Puts the caller's id, 4 bytes, of the task in that slot. */
    void (*put_id)(void *arg, struct probe_set *s, unsigned task);
    /* Loads argument i into a slot. */
    void (*argument)(void *arg, struct probe_set *s, unsigned into, unsigned i);
    void *arg;
};

/* Slots of the program, which has few. */
struct call {
    unsigned zero, one, two, three; /* constants */
    unsigned raw, task;             /* the call's number as the task gave it, and the task */
    unsigned kinds, count;          /* of the arguments that are left */
    unsigned value, kind;           /* of the one that is put */
};

void call_constants(struct probe_set *s, struct call *c);
/* The event of a call that begins; c has its constants, number (which is used up) and task. The
 * number + 1 of its event type is kept in that variable under the task. */
void call_put(struct probe_set *s, struct call *c, const struct call_tables *t, unsigned variable,
              const struct call_source *from);

#endif
