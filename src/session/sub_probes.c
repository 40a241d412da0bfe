/* SPDX-License-Identifier: MIT */
/*
 * Probes that a subscription wants: see sub_probes.h. Which ones depends on the kernel, so that a
 * reset makes them stale until the one after it is found.
 */
#include "session/sub_probes.h"

#include "base/clock.h"
#include "base/util.h"
#include "capture/qemutrace/sets.h"
#include "session/cputraps.h"
#include "session/events.h"
#include "session/private.h"
#include "session/probes_json.h"

bool sub_probes_needed(const struct subscription *sub)
{
    return sub->probes || sub->cputraps || sub->share;
}

/* ---- writing ---- */

/* Does the OS model write the set's probes? */
static bool is_of_model(const char *set)
{
    unsigned share;

    return !qemutrace_set(set) && !heat_set(set, &share) && !cputraps_set(set);
}

/* Of several sets, those that can't be had are noted; the error of the first of them. */
static struct oscope_error *note_refusal(struct subscription *sub, const char *set,
                                         struct oscope_error *err, struct oscope_error *first)
{
    os_list_note(&sub->notes, SESSION_REFUSED "%s", set, err->message);
    if (!first)
        return err;
    oscope_error_free(err);
    return first;
}

/* An error if none can be had, or the OS model fails. */
static struct oscope_error *write_sets(struct subscription *sub, struct os_model *m,
                                       struct probe_set *out)
{
    struct oscope_error *first = NULL;
    uint64_t lacking = 0;
    bool had = false;

    for (size_t i = 0; i < sub->nsets; i++) {
        const char *set = sub->sets[i];
        if (!is_of_model(set))
            continue;
        struct oscope_error *err = m->ops->probes(m, set, out, &sub->schema, &sub->notes);
        had |= !err;
        if (err && err->code != OSCOPE_E_UNSUPPORTED) {
            oscope_error_free(first);
            return err;
        }
        if (err) {
            first = note_refusal(sub, set, err, first);
            lacking |= i < 64 ? BIT(i) : 0;
        }
    }
    if (!had)
        return first;
    sub->lacking = lacking;
    oscope_error_free(first);
    return NULL;
}

static struct oscope_error *write_probes(struct subscription *sub, struct probe_set *out)
{
    struct os_model *m;

    TRY(sub->control && !sub->opened ? wait_for_os(sub->session, sub->control, &m)
                                     : session_os(sub->session, &m));
    TRY(os_ready_probes(m));
    out->moves = !m->ops->moves || m->ops->moves(m);
    probe_of_os(out, true);
    struct oscope_error *err = write_sets(sub, m, out);
    probe_of_os(out, false);
    return err;
}

struct oscope_error *sub_probes_write(struct subscription *sub, struct probe_set *out)
{
    if (sub->probes)
        TRY(write_probes(sub, out));
    if (sub->cputraps)
        TRY(cputraps_want(sub->session, out));
    if (sub->share)
        heat_want(sub->session, sub->share, out, &sub->notes);
    return probe_set_finish(out);
}

struct oscope_error *sub_probes_ask(struct subscription *sub)
{
    json_t *request = json_pack("{s:s,s:o,s:I}", "op", "subscribe", "set",
                                probes_to_json(&sub->set), "resets", (json_int_t)sub->resets);
    json_t *answer = NULL;

    if (!request)
        return error_nomem();
    struct oscope_error *err = broker_request(&sub->link, request, BROKER_TIMEOUT_MS, &answer);
    json_decref(request);
    if (!err && !json_is_true(json_object_get(answer, "settled")))
        os_list_note(&sub->notes,
                     "the probes are not in force yet: the guest stands still, its BIOS runs, or "
                     "a vCPU has not gone idle since");
    probes_note_disabled(json_object_get(answer, "disabled"), &sub->set, &sub->notes);
    json_decref(answer);
    return err;
}

/* ---- another kernel ---- */

/*
 * After a reset another kernel boots, perhaps elsewhere: its probes are written once it is found.
 * Those that are in force the broker withdraws at once if the kernel before might have lain
 * elsewhere: they would fire at code that is something else. A kernel that stays where it was
 * linked to is most often followed by itself, and its probes see it from its first step on.
 */
void sub_probes_check_reset(struct subscription *sub)
{
    uint64_t started, resets = control_start(sub->control, &started);

    if (resets == sub->resets)
        return;
    sub->resets = resets;
    os_list_note(
        &sub->notes,
        sub->set.moves
            ? "the guest was reset: events go on when its kernel is found"
            : "the guest was reset: until its kernel is found the one before is taken for it");
    if (sub->set.moves)
        probe_set_drop_os(&sub->set); /* what a new broker is told */
    sub->stale = true;
    sub->wait = (struct wait){.sought = clock_ns()};
}

/* A kernel that was found while it started has more to be found by now. */
static bool is_whole(const struct subscription *sub)
{
    struct os_model *os = sub->session->os;

    return os && os->ops->still_there(os);
}

/* The probes' kernel is gone, and nobody saw a reset. */
static void lose_kernel(struct subscription *sub)
{
    os_list_note(&sub->notes, "the guest's kernel is no more: events go on when one is found");
    sub->stale = true;
    sub->wait = (struct wait){.sought = clock_ns()};
    if (sub->set.moves && probe_set_drop_os(&sub->set))
        oscope_error_free(sub_probes_ask(sub));
}

/* Has the set the probe of that name at that address? */
static bool stands_there(const struct probe_set *s, const char *name, uint64_t address)
{
    for (size_t i = 0; i < s->probes.len; i++)
        if (s->probes.data[i].address == address && !strcmp(s->names.data[i].text, name))
            return true;
    return false;
}

/* Asking for what is in force would stop the vCPUs for nothing. */
static bool same_set(const struct probe_set *a, const struct probe_set *b)
{
    json_t *one = probes_to_json(a), *other = probes_to_json(b);
    bool same = one && json_equal(one, other);

    json_decref(one);
    json_decref(other);
    return same;
}

/* Has a set that stayed in force told of another kernel than the one that was there? */
static void compare_kernels(struct subscription *sub, const struct probe_set *now)
{
    for (size_t i = 0; i < now->probes.len && !sub->set.moves; i++)
        if (!stands_there(&sub->set, now->names.data[i].text, now->probes.data[i].address)) {
            os_list_note(&sub->notes, "it is another kernel, or lies elsewhere: some events since "
                                      "the reset may be wrong");
            return;
        }
}

struct oscope_error *sub_probes_check_kernel(struct subscription *sub)
{
    struct probe_set set;

    if (sub->stale ? !wait_is_due(&sub->wait, sub->session, clock_ns()) : is_whole(sub))
        return NULL;
    probe_set_init(&set);
    target_refresh(sub->session->target);
    struct oscope_error *err = sub_probes_write(sub, &set);
    if (err) { /* it boots still */
        if (!sub->stale)
            lose_kernel(sub);
        oscope_error_free(err);
        probe_set_free(&set);
        return NULL;
    }
    if (!sub->stale && same_set(&sub->set, &set)) { /* nothing more was found */
        probe_set_free(&set);
        return NULL;
    }
    if (sub->stale && !sub->wait.seen && set.moves) { /* what the one before left, as like as not */
        probe_set_free(&set);
        return NULL;
    }
    if (sub->stale)
        compare_kernels(sub, &set);
    probe_set_free(&sub->set);
    sub->set = set;
    sub->found += sub->stale;
    sub->stale = sub->stale && sub->wait.blind; /* it may be what the one before left */
    err = sub_probes_ask(sub);
    if (err && err->code == OSCOPE_E_TIMEOUT) { /* QEMU is busy: again, soon */
        sub->stale = true;
        oscope_error_free(err);
        err = NULL;
    }
    return err;
}
