/* SPDX-License-Identifier: MIT */
/*
 * What the files share that make probes of a profile: emit.c turns expressions into programs,
 * sites.c finds places in the kernel's code, probes.c has the scheduler's events, probes_entry.c
 * those of traps and privilege, probes_fault.c those of page faults, probes_irq.c those of devices'
 * interrupts, probes_calls.c those of system calls, probes_lock.c those of locks, probes_page.c
 * those of pages.
 */
#ifndef OS_PROFILE_PROBES_H
#define OS_PROFILE_PROBES_H

#include "base/vec.h"
#include "os/profile/profile.h"
#include "os/programs.h"
#include "trace/events.h"
#include "trace/schema.h"

/* A set of probes in the making. */
struct writer {
    struct profile_model *pm;
    struct probe_set *set;
    struct os_list *notes;
    const struct trace_type *type;  /* of the event that is being filled */
    unsigned field;                 /* its next */
    const struct site_store *store; /* at which the probe stands, or NULL */
    bool added;                     /* there are probes */
};

typedef VEC(uint64_t) addresses;

static inline void addresses_free(addresses *a)
{
    vec_free(a);
}
#define AUTO_ADDRESSES AUTO(addresses_free)

/* ---- emit.c ---- */

/*
 * Instructions that leave in a new slot what the expression yields; 0 where a null pointer or an
 * index beyond its array is on the way. task: the slot of what is `task` in it. Slots but for the
 * result's are free again.
 */
unsigned emit_access(struct probe_set *s, const struct access *a, unsigned task);
/* How many instructions that are; 0: more than a program can have. */
unsigned emit_cost(const struct access *a);
/* Does it need a task? */
bool access_uses_task(const struct access *a);

/* ---- sites.c ---- */

/* Appends the addresses that a key's expressions yield now. */
struct oscope_error *sites_of(struct profile_model *pm, enum profile_key key,
                              addresses *out) WARN_UNUSED;
/* Appends those of the instructions at which the functions of a key return. What can't be found is
 * noted. */
struct oscope_error *sites_returns(struct writer *w, enum profile_key key,
                                   addresses *out) WARN_UNUSED;

/* The same, and where they end by a jump to another function, whose result is not there yet. */
struct oscope_error *sites_ends(struct writer *w, enum profile_key key, addresses *out) WARN_UNUSED;

/* A store to a member of an object. */
struct site_store {
    uint64_t at;
    const char *object, *value; /* registers: the object's address; what is stored, NULL: */
    uint64_t number;            /* this */
};
typedef VEC(struct site_store) site_stores;

/* Appends the stores of so many bytes to that offset in the functions of a key. */
struct oscope_error *sites_stores(struct writer *w, enum profile_key key, uint64_t offset,
                                  unsigned size, site_stores *out) WARN_UNUSED;

/* ---- probes.c ---- */

/* A probe there that writes an event of a built-in type. */
void event_at(struct writer *w, uint16_t event, uint64_t at,
              void (*write)(struct writer *w, uint16_t event));
/* Notes that there are none for lack of a key. */
void event_missing(struct writer *w, uint16_t event, enum profile_key key);
/* Begins an event; puts its next field, as wide as its type has it. */
void event_begin(struct writer *w, uint16_t event);
void event_put(struct writer *w, unsigned slot);
/* The current task, in a new slot; 0: none, or it is not known. */
unsigned site_current(struct writer *w);
/* Is that the current thread of a task? Then it is for all that is about the current task. */
bool tells_threads(const struct writer *w);
/* What stands for the current task as a key of variables, and a part of its id (never 0), which
 * tells one from another in the same place. Without a profile its page table stands for it. */
unsigned site_caller(struct writer *w);
unsigned site_caller_id(struct writer *w, unsigned task);
/* What a key yields at a site, in a new slot. */
unsigned site_number(struct writer *w, enum profile_key key);
/* A number of the current task, which is in that slot, in a new slot; `otherwise` if the profile
 * lacks the key; its id. */
unsigned task_number(struct writer *w, enum profile_key key, unsigned task, int64_t otherwise);
unsigned task_id(struct writer *w, unsigned task);
/* Puts the id, or -1 if the profile does not tell the current task; its name. */
void event_put_tid(struct writer *w, unsigned task);
void event_put_comm(struct writer *w, unsigned task);
/* Can the current task be told? */
bool knows_current(const struct writer *w);

/* ---- probes_function.c ---- */

/* Appends where the functions of a key begin. */
struct oscope_error *sites_entries(const struct writer *w, enum profile_key key,
                                   addresses *out) WARN_UNUSED;
/* A field's value that is known here. */
void event_put_number(struct writer *w, int64_t v);
/* Both of the current task, if there is one; its name is empty if the profile does not tell it. */
void event_put_current(struct writer *w);
/* The register that is the stack pointer: the same where a function is entered and returns. */
const char *site_stack_pointer(const struct writer *w);
/* Where a function will return to or returns to: at its first instruction, and its last. */
void event_put_return_address(struct writer *w);

/* ---- probes_task.c ---- */

/* What a slot holds: the address of a task, or of a thread. */
struct who {
    unsigned slot;
    bool thread;
};

/* Where it is none (the scheduler's own context), 0. */
void who_only(struct writer *w, struct who who);
/* The current one; what a key yields. */
struct who who_current(struct writer *w);
struct who who_of(struct writer *w, enum profile_key key);
bool who_is_thread(const struct writer *w, enum profile_key key);
/* In a new slot: a number, as the key of [task] or the one of [thread] that is called the same says
 * it; the id, of a thread OSCOPE_THREAD's. */
unsigned who_number(struct writer *w, enum profile_key key, struct who who, int64_t otherwise);
unsigned who_id(struct writer *w, struct who who);
/* The event's next field: that number, the id, the id of its process, the name. */
void who_put(struct writer *w, enum profile_key key, struct who who);
void who_put_id(struct writer *w, struct who who);
void who_put_process(struct writer *w, struct who who);
void who_put_comm(struct writer *w, struct who who);

/* ---- the sets ---- */

struct oscope_error *entry_traps(struct writer *w) WARN_UNUSED;
struct oscope_error *entry_modes(struct writer *w) WARN_UNUSED;
struct oscope_error *irq_probes(struct writer *w) WARN_UNUSED;
struct oscope_error *fault_probes(struct writer *w) WARN_UNUSED;
struct oscope_error *call_probes(struct writer *w) WARN_UNUSED;
struct oscope_error *lock_probes(struct writer *w) WARN_UNUSED;
struct oscope_error *page_probes(struct writer *w) WARN_UNUSED;
/* The event types of system calls; those that are there stay. */
struct oscope_error *call_types(const struct profile_model *pm,
                                struct trace_schema *schema) WARN_UNUSED;

#endif
