/* SPDX-License-Identifier: MIT */
/*
 * RAM is found in two steps: `info mtree -f` says which guest-physical ranges are RAM, gpa2hva
 * where each lies in the QEMU process. Both ends of a range are asked about, and /proc/PID/maps
 * must agree (live_resolve()), before the range is believed.
 */
#include "session/machine.h"

#include "base/util.h"
#include "target/hostproc.h"
#include "target/mtree.h"

#include <stdio.h>

enum { REGIONS_MAX = 4096 };

struct oscope_error *machine_running(struct qmp *q, bool *running)
{
    json_t *ret;

    TRY(qmp_query(q, "query-status", &ret));
    *running = json_is_true(json_object_get(ret, "running"));
    json_decref(ret);
    return NULL;
}

struct oscope_error *machine_pid(struct qmp *q, pid_t *out)
{
    pid_t peer = qmp_peer_pid(q);
    json_t *ret;

    TRY(qmp_query(q, "query-cpus-fast", &ret));
    pid_t tid = (pid_t)json_integer_value(json_object_get(json_array_get(ret, 0), "thread-id"));
    json_decref(ret);

    pid_t process = tid > 0 ? host_process_of(tid) : 0;
    char comm[32];
    if (process && process != peer) {
        /* A thread id of another PID namespace may name a stranger here. */
        host_comm(process, comm, sizeof comm);
        if (!strstr(comm, "qemu") && !strstr(comm, "kvm"))
            process = 0;
    }
    *out = process ? process : peer;
    if (*out > 0 && host_start_time(*out))
        return NULL;
    return error_hint(
        error_new(OSCOPE_E_NOT_FOUND, "the QEMU behind the socket is not visible here"),
        "run oscope in the PID namespace (container) of that QEMU, or on its host");
}

static struct oscope_error *hva_of(struct qmp *q, uint64_t gpa, uint64_t *out)
{
    AUTO_FREE char *text = NULL;
    char line[64];

    snprintf(line, sizeof line, "gpa2hva 0x%llx", (unsigned long long)gpa);
    TRY(qmp_hmp(q, line, &text));
    *out = mtree_parse_hva(text);
    if (!*out)
        return error_new(OSCOPE_E_BAD_DATA, "QEMU knows no host address for its RAM at 0x%llx",
                         (unsigned long long)gpa);
    return NULL;
}

static struct oscope_error *locate(struct qmp *q, pid_t pid, const struct mtree_ram *from,
                                   struct live_region *r)
{
    uint64_t last_page = (from->size - 1) & ~(uint64_t)(TARGET_PAGE_SIZE - 1), last;

    *r = (struct live_region){.gpa = from->gpa, .size = from->size, .fd = -1};
    str_copy(r->name, sizeof r->name, from->name);
    TRY(hva_of(q, from->gpa, &r->hva));
    TRY(hva_of(q, from->gpa + last_page, &last));
    if (last != r->hva + last_page)
        return error_new(OSCOPE_E_BAD_DATA, "RAM at 0x%llx is in pieces in the QEMU process",
                         (unsigned long long)from->gpa);
    return live_resolve(pid, r);
}

static struct oscope_error *learn_ram(struct qmp *q, struct session_desc *d)
{
    AUTO_FREE char *text = NULL;
    struct mtree map;
    struct oscope_error *err = NULL;

    TRY(qmp_hmp(q, "info mtree -f", &text));
    TRY(mtree_parse(text, &map));
    size_t max = MIN(map.nram, (size_t)REGIONS_MAX);
    d->regions = calloc(max, sizeof *d->regions);
    if (!d->regions)
        err = error_nomem();
    for (size_t i = 0; i < max && !err; i++) {
        /* What is not whole pages can be no page of the guest's OS. */
        if ((map.ram[i].gpa | map.ram[i].size) & (TARGET_PAGE_SIZE - 1))
            continue;
        err = locate(q, d->pid, &map.ram[i], &d->regions[d->nregions++]);
    }
    mtree_free(&map);
    return err;
}

static struct oscope_error *learn_string(struct qmp *q, const char *command, const char *key,
                                         char **out)
{
    json_t *ret;

    TRY(qmp_query(q, command, &ret));
    const char *s = json_string_value(json_object_get(ret, key));
    *out = s ? strdup(s) : NULL;
    json_decref(ret);
    return NULL;
}

struct oscope_error *machine_learn(struct qmp *q, struct session_desc *d)
{
    char comm[32];

    TRY(learn_string(q, "query-target", "arch", &d->arch));
    TRY(learn_string(q, "query-name", "name", &d->name));
    host_comm(d->pid, comm, sizeof comm);
    if (!d->name)
        d->name = strdup(comm);
    d->version = strdup(qmp_version(q));
    if (!d->arch || !d->name || !d->version)
        return error_nomem();
    return error_prefix(learn_ram(q, d), "guest RAM");
}
