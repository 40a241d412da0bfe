/* SPDX-License-Identifier: MIT */
/* The sessions of this user. */
#include "session/session.h"

#include "base/util.h"
#include "session/client.h"
#include "session/describe.h"
#include "session/runtime.h"
#include "target/hostproc.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { STATUS_TIMEOUT_MS = 1000 };

static const char *live_status(const char *dir, const struct session_desc *d)
{
    struct broker_link link = {dir, -1};
    json_t *answer;

    if (!host_alive(d->pid, d->start_time))
        return "gone";
    struct oscope_error *err = broker_call(&link, "status", STATUS_TIMEOUT_MS, &answer);
    const char *status = "no broker";
    if (!err) {
        status = json_is_true(json_object_get(answer, "running")) ? "running" : "paused";
        json_decref(answer);
    } else if (err->code == OSCOPE_E_TIMEOUT) {
        status = "silent";
    }
    oscope_error_free(err);
    broker_hang_up(&link);
    return status;
}

static uint64_t ram_of(const struct session_desc *d)
{
    uint64_t sum = 0;
    struct target *t;

    for (size_t i = 0; i < d->nregions; i++)
        sum += d->regions[i].size;
    if (!d->core)
        return sum;
    struct oscope_error *err = target_open_core(d->core, &t);
    if (err) {
        oscope_error_free(err);
        return OSCOPE_UNKNOWN;
    }
    sum = target_ram_total(t);
    target_close(t);
    return sum;
}

static struct oscope_error *add_row(struct os_list *list, const char *dir,
                                    const struct session_desc *d)
{
    struct oscope_session_row *r = os_list_add(list);
    uint64_t now = (uint64_t)time(NULL);

    if (!r)
        return error_nomem();
    r->id = arena_strdup(&list->strings, d->id);
    r->kind = arena_strdup(&list->strings, d->kind);
    r->pid = d->core || d->gdb ? -1 : d->pid;
    r->arch = arena_strdup(&list->strings, d->arch);
    r->name = arena_strdup(&list->strings, d->name ? d->name : "");
    r->ram = ram_of(d);
    if (d->core)
        r->status = r->ram == OSCOPE_UNKNOWN ? "gone" : "dump";
    else if (d->gdb)
        r->status = "not asked"; /* which would stop it */
    else
        r->status = live_status(dir, d);
    r->age = now > d->created ? (now - d->created) * 1000000000u : 0;
    return r->id && r->kind && r->arch && r->name ? NULL : error_nomem();
}

static struct oscope_error *fill(struct os_list *list, const struct runtime_ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        AUTO_FREE char *dir = NULL;
        struct session_desc d;

        TRY(runtime_dir(ids->ids[i], &dir));
        struct oscope_error *err = session_desc_load(dir, &d);
        if (err) {
            os_list_note(list, "session %s: %s", ids->ids[i], err->message);
            oscope_error_free(err);
            continue;
        }
        err = add_row(list, dir, &d);
        session_desc_free(&d);
        TRY(err);
    }
    return NULL;
}

struct oscope_error *session_list(struct os_list *list)
{
    struct runtime_ids ids;

    TRY(runtime_ids(&ids));
    struct oscope_error *err = fill(list, &ids);
    runtime_ids_free(&ids);
    return err;
}
