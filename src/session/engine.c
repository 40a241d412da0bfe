/* SPDX-License-Identifier: MIT */
/* Who wants which probes: see engine.h. */
#include "session/engine.h"

#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct want {
    const void *user;
    struct probe_set set;
};

struct engine {
    struct control *control;
    VEC(struct want) wants;
    struct probe_set wish;                     /* what was published last */
    struct control_counts before[WIRE_PROBES]; /* of slots, when their probe began */
    uint64_t generation;
    bool heat_on;
};

/* ---- finding it ---- */

int engine_find_fd(pid_t pid, const char *name)
{
    char path[64], link[64], want[64];
    int found = -1;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    snprintf(want, sizeof want, "/memfd:%s", name);
    DIR *d = opendir(path);
    if (!d)
        return -1;
    for (struct dirent *e; found < 0 && (e = readdir(d));) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
        if (n <= 0)
            continue;
        link[n] = '\0';
        if (!strncmp(link, want, strlen(want)))
            found = atoi(e->d_name);
    }
    closedir(d);
    return found;
}

struct oscope_error *engine_file(pid_t pid, bool write, struct control **out)
{
    char path[64];
    int n = engine_find_fd(pid, CONTROL_NAME);

    if (n < 0)
        return error_hint(
            error_new(OSCOPE_E_NOT_FOUND, "QEMU (process %d) runs without oscope's probe engine",
                      (int)pid),
            "probes need a guest started with `oscope run`, and QEMU's TCG with plugins; events "
            "of mmio, uart and blk do not");
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, n);
    AUTO_CLOSE int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0)
        return error_errno(errno, "open the probe engine's memory of process %d", (int)pid);
    return control_open(fd, write, out);
}

struct oscope_error *engine_open(pid_t pid, struct engine **out)
{
    struct engine *e = calloc(1, sizeof *e);

    if (!e)
        return error_nomem();
    struct oscope_error *err = engine_file(pid, true, &e->control);
    if (err) {
        free(e);
        return err;
    }
    probe_set_init(&e->wish);
    e->generation = control_wished(e->control);
    *out = e;
    return NULL;
}

void engine_close(struct engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->wants.len; i++)
        probe_set_free(&e->wants.data[i].set);
    vec_free(&e->wants);
    probe_set_free(&e->wish);
    control_close(e->control);
    free(e);
}

bool engine_was_used(const struct engine *e)
{
    return e->generation != 0;
}

/* ---- wanting ---- */

static struct want *find_want(const struct engine *e, const void *user)
{
    for (size_t i = 0; i < e->wants.len; i++)
        if (e->wants.data[i].user == user)
            return &e->wants.data[i];
    return NULL;
}

bool engine_wants(const struct engine *e, const void *user)
{
    return find_want(e, user) != NULL;
}

struct oscope_error *engine_want(struct engine *e, const void *user, struct probe_set *set)
{
    struct want *w = find_want(e, user);
    bool any = set->probes.len || set->heat;

    if (w) {
        probe_set_free(&w->set);
        *w = e->wants.data[--e->wants.len];
    }
    if (any && !vec_push(&e->wants, (struct want){user, *set})) {
        probe_set_free(set);
        return error_nomem();
    }
    if (!any)
        probe_set_free(set);
    *set = (struct probe_set){0};
    return NULL;
}

struct oscope_error *engine_wish(struct engine *e)
{
    struct oscope_error *err = NULL;
    struct probe_set all;

    probe_set_init(&all);
    for (size_t i = 0; !err && i < e->wants.len; i++)
        err = probe_set_add(&all, &e->wants.data[i].set);
    if (!err) {
        probe_set_slots(&all, &e->wish);
        all.heat_on = e->heat_on;
        err = control_wish(e->control, &all, &e->generation);
    }
    if (err) {
        probe_set_free(&all);
        return err;
    }
    for (size_t i = 0; i < all.probes.len; i++)
        if (probe_set_find(&e->wish, &all, i) == e->wish.probes.len) {
            uint32_t slot = all.probes.data[i].slot;
            e->before[slot] = control_counts(e->control, slot);
        }
    probe_set_free(&e->wish);
    e->wish = all;
    return NULL;
}

unsigned engine_heat(const struct engine *e)
{
    unsigned most = 0;

    for (size_t i = 0; i < e->wants.len; i++)
        most = MAX(most, e->wants.data[i].set.heat);
    return most;
}

unsigned engine_heat_users(const struct engine *e)
{
    unsigned n = 0;

    for (size_t i = 0; i < e->wants.len; i++)
        n += e->wants.data[i].set.heat != 0;
    return n;
}

void engine_heat_now(struct engine *e, bool on)
{
    e->heat_on = on;
}

size_t engine_nprobes(const struct engine *e)
{
    return e->wish.probes.len;
}

struct engine_probe engine_probe(const struct engine *e, size_t i)
{
    const struct wire_probe *p = &e->wish.probes.data[i];
    const struct control_counts *before = &e->before[p->slot];
    struct control_counts now = control_counts(e->control, p->slot);
    struct engine_probe out = {.name = e->wish.names.data[i].text,
                               .site = p->site,
                               .address = p->address,
                               .counts = {.fired = now.fired - before->fired,
                                          .published = now.published - before->published,
                                          .faults = now.faults - before->faults}};

    for (size_t k = 0; k < e->wants.len; k++) {
        const struct probe_set *set = &e->wants.data[k].set;
        out.users += probe_set_find(set, &e->wish, i) < set->probes.len;
    }
    return out;
}

struct oscope_error *engine_settled(struct engine *e, bool *settled)
{
    return control_settled(e->control, e->generation, settled);
}
