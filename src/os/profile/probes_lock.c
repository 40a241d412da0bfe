/* SPDX-License-Identifier: MIT */
/*
 * Set "lock" of a kernel that a profile describes. A lock is wanted where the function that takes
 * it is entered, and had where that returns; it is given back where the other function is entered,
 * so that its next owner's event comes later.
 *
 * Which lock it was no register tells at the return. It is kept under the stack pointer, which is
 * the same at both ends of a call and belongs to nobody else meanwhile: neither to an interrupt's
 * handler nor to another task, however long this one sleeps. A variable holds 16 bits, so three
 * of them, under keys that are never stack pointers: these are multiples of 4.
 */
#include "os/profile/probes.h"

#include "base/util.h"

enum { VAR_LOCK = 7, PARTS = 3, PART_BITS = 16, KIND_SPIN = 1, KIND_SLEEP = 2 };

/* One of the two sections. */
struct kind {
    unsigned number;
    enum profile_key acquire, release, lock, name, result;
};

static const struct kind kinds[] = {
    {KIND_SPIN, KEY_SPIN_ACQUIRE, KEY_SPIN_RELEASE, KEY_SPIN_LOCK, KEY_SPIN_NAME, KEY_SPIN_RESULT},
    {KIND_SLEEP, KEY_SLEEP_ACQUIRE, KEY_SLEEP_RELEASE, KEY_SLEEP_LOCK, KEY_SLEEP_NAME,
     KEY_SLEEP_RESULT},
};

/* ---- which lock ---- */

static void keep_lock(struct writer *w, unsigned lock)
{
    struct probe_set *s = w->set;
    unsigned mark = probe_mark(s), key = probe_reg(s, site_stack_pointer(w));
    unsigned one = probe_imm(s, 1), bits = probe_imm(s, PART_BITS), left = probe_slot(s);

    probe_mov(s, left, lock);
    for (int i = 0; i < PARTS; i++) {
        probe_alu(s, WIRE_OP_ADD, key, one);
        probe_keep(s, VAR_LOCK, key, left);
        probe_alu(s, WIRE_OP_SHR, left, bits);
    }
    probe_release(s, mark);
}

/* In a new slot; 0: none was kept. It is forgotten. Addresses are 48 bits, sign-extended. */
static unsigned recall_lock(struct writer *w)
{
    struct probe_set *s = w->set;
    unsigned lock = probe_imm(s, 0), mark = probe_mark(s);
    unsigned key = probe_reg(s, site_stack_pointer(w)), one = probe_imm(s, 1);
    unsigned zero = probe_imm(s, 0), bits = probe_imm(s, PART_BITS);

    probe_alu(s, WIRE_OP_ADD, key, probe_imm(s, PARTS));
    for (int i = 0; i < PARTS; i++) { /* the highest first */
        unsigned inner = probe_mark(s), part = probe_recall(s, VAR_LOCK, key);
        probe_alu(s, WIRE_OP_SHL, lock, bits);
        probe_alu(s, WIRE_OP_OR, lock, part);
        probe_keep(s, VAR_LOCK, key, zero);
        probe_alu(s, WIRE_OP_SUB, key, one);
        probe_release(s, inner);
    }
    if (w->pm->base.arch->ptr_size == 8) {
        unsigned sign = probe_imm(s, BIT(PARTS * PART_BITS - 1));
        probe_alu(s, WIRE_OP_XOR, lock, sign);
        probe_alu(s, WIRE_OP_SUB, lock, sign);
    }
    probe_release(s, mark);
    return lock;
}

/* ---- the events ---- */

static void put_name(struct writer *w, enum profile_key key, unsigned lock)
{
    struct probe_set *s = w->set;
    const struct access *a = &w->pm->access[key];
    unsigned mark = probe_mark(s), most = w->type->fields[w->field++].most;

    if (!a->n) {
        probe_put_chars(s, "", most);
        return;
    }
    if (a->object && a->size < most)
        most = (unsigned)a->size;
    unsigned text = emit_access(s, a, lock), zero = probe_imm(s, 0);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, text, zero);
    probe_put_str(s, text, most);
    unsigned done = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, none);
    probe_put_chars(s, "", most);
    probe_label(s, done);
    probe_release(s, mark);
}

/* All four have the same fields. */
static void put_fields(struct writer *w, const struct kind *k, unsigned lock)
{
    event_put(w, lock);
    put_name(w, k->name, lock);
    event_put_number(w, k->number);
    event_put_current(w);
    event_put_return_address(w);
}

static void wanted(struct writer *w, const struct kind *k)
{
    unsigned lock = site_number(w, k->lock);

    keep_lock(w, lock);
    event_begin(w, TRACE_LOCK_ACQUIRE);
    put_fields(w, k, lock);
}

/* lock_acquired, or lock_failed if there is a result that says so. */
static void returned(struct writer *w, const struct kind *k)
{
    struct probe_set *s = w->set;
    unsigned lock = recall_lock(w), none = probe_jump(s, WIRE_OP_JEQ, lock, probe_imm(s, 0));
    unsigned more = probe_imm(s, 0);

    if (profile_has(w->pm, k->result)) {
        unsigned mark = probe_mark(s), result = site_number(w, k->result);
        unsigned has = probe_jump(s, WIRE_OP_JNE, result, probe_imm(s, 0));
        probe_imm_into(s, more, TRACE_LOCK_FAILED - TRACE_LOCK_ACQUIRED);
        probe_label(s, has);
        probe_release(s, mark);
    }
    w->type = trace_builtin_type(TRACE_LOCK_ACQUIRED); /* the other one has the same fields */
    w->field = 0;
    probe_event_of(s, TRACE_LOCK_ACQUIRED, more);
    put_fields(w, k, lock);
    probe_label(s, none);
}

static void released(struct writer *w, const struct kind *k)
{
    unsigned lock = site_number(w, k->lock);

    event_begin(w, TRACE_LOCK_RELEASE);
    put_fields(w, k, lock);
}

static void at_each(struct writer *w, const addresses *at, const char *name, const struct kind *k,
                    void (*write)(struct writer *w, const struct kind *k))
{
    for (size_t i = 0; i < at->len; i++) {
        probe_exec(w->set, name, at->data[i]);
        write(w, k);
        probe_end(w->set);
        w->added = true;
    }
}

static struct oscope_error *one_kind(struct writer *w, const struct kind *k)
{
    AUTO_ADDRESSES addresses entries = {0}, returns = {0}, releases = {0};

    if (!profile_value(w->pm, k->acquire) && !profile_value(w->pm, k->release))
        return NULL;
    TRY(profile_need(w->pm, k->lock, "locks"));
    TRY(sites_entries(w, k->acquire, &entries));
    TRY(profile_has(w->pm, k->result) ? sites_returns(w, k->acquire, &returns)
                                      : sites_ends(w, k->acquire, &returns));
    TRY(sites_entries(w, k->release, &releases));
    at_each(w, &entries, "lock_acquire", k, wanted);
    at_each(w, &returns, "lock_acquired", k, returned);
    at_each(w, &releases, "lock_release", k, released);
    return NULL;
}

struct oscope_error *lock_probes(struct writer *w)
{
    w->added = false;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        TRY(one_kind(w, &kinds[i]));
    if (w->added)
        return NULL;
    return profile_need(w->pm, KEY_SPIN_LOCK, "locks");
}
