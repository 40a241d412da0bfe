/* SPDX-License-Identifier: MIT */
/* Who wants which probes: see engine.h. */
#include "session/engine.h"

#include "base/clock.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct want {
    const void *user;       /* NULL: it stands under a name */
    struct probe_name name; /* else empty */
    struct probe_set set;
};

struct engine {
    struct control *control;
    VEC(struct want) wants;
    VEC(struct probe_name) disabled;
    struct probe_set wish; /* what was wanted when a wish was published last, disabled or not */
    struct control_counts before[WIRE_PROBES]; /* of slots, when their probe began */
    uint64_t since[WIRE_PROBES];               /* ns, when that was */
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

void engine_tell_start(struct engine *e, uint64_t started, bool reset)
{
    control_tell_start(e->control, started, reset);
}

void engine_close(struct engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->wants.len; i++)
        probe_set_free(&e->wants.data[i].set);
    vec_free(&e->wants);
    vec_free(&e->disabled);
    probe_set_free(&e->wish);
    control_close(e->control);
    free(e);
}

struct control *engine_control(struct engine *e)
{
    return e->control;
}

bool engine_was_used(const struct engine *e)
{
    return e->generation != 0;
}

bool engine_looks(const struct engine *e)
{
    return control_has_one_thread(e->control);
}

/* ---- wanting ---- */

static struct want *find_want(const struct engine *e, const void *user, const char *name)
{
    for (size_t i = 0; i < e->wants.len; i++) {
        struct want *w = &e->wants.data[i];
        if (user ? w->user == user : !w->user && !strcmp(w->name.text, name))
            return w;
    }
    return NULL;
}

static void forget(struct engine *e, struct want *w)
{
    probe_set_free(&w->set);
    *w = e->wants.data[--e->wants.len];
}

bool engine_wants(const struct engine *e, const void *user)
{
    return find_want(e, user, "") != NULL;
}

static struct oscope_error *want(struct engine *e, struct want w, struct probe_set *set)
{
    struct want *old = find_want(e, w.user, w.name.text);
    bool wanted = set->probes.len || set->heat, ok = true;

    if (old)
        forget(e, old);
    w.set = *set;
    if (wanted)
        ok = vec_push(&e->wants, w);
    if (!wanted || !ok)
        probe_set_free(set);
    *set = (struct probe_set){0};
    return ok ? NULL : error_nomem();
}

struct oscope_error *engine_want(struct engine *e, const void *user, struct probe_set *set)
{
    return want(e, (struct want){.user = user}, set);
}

struct oscope_error *engine_stand(struct engine *e, const char *name, struct probe_set *set)
{
    struct want w = {0};

    str_copy(w.name.text, sizeof w.name.text, name);
    return want(e, w, set);
}

bool engine_remove(struct engine *e, const char *name)
{
    struct want *w = find_want(e, NULL, name);

    if (w)
        forget(e, w);
    return w != NULL;
}

bool engine_reset(struct engine *e)
{
    bool changed = false;

    for (size_t i = e->wants.len; i--;) {
        struct want *w = &e->wants.data[i];
        if (w->user && !w->set.moves)
            continue;
        bool dropped = probe_set_drop_os(&w->set);
        changed |= dropped;
        if (dropped && !w->user)
            forget(e, w);
    }
    return changed;
}

uint64_t engine_resets(const struct engine *e)
{
    uint64_t started;

    return control_start(e->control, &started);
}

/* Index among the disabled names; their number: it is not. */
static size_t find_disabled(const struct engine *e, const char *name)
{
    size_t i = 0;

    while (i < e->disabled.len && strcmp(e->disabled.data[i].text, name) != 0)
        i++;
    return i;
}

struct oscope_error *engine_disable(struct engine *e, const char *name, bool disabled)
{
    size_t i = find_disabled(e, name);
    struct probe_name n = {0};

    if (disabled == (i < e->disabled.len))
        return NULL;
    if (!disabled) {
        e->disabled.data[i] = e->disabled.data[--e->disabled.len];
        return NULL;
    }
    str_copy(n.text, sizeof n.text, name);
    return e->disabled.len < WIRE_PROBES && vec_push(&e->disabled, n) ? NULL : error_nomem();
}

bool engine_has(const struct engine *e, const char *name)
{
    for (size_t i = 0; i < e->wish.names.len; i++)
        if (!strcmp(e->wish.names.data[i].text, name))
            return true;
    return false;
}

/* Publishes all of the set's probes but those that are disabled. */
static struct oscope_error *publish(struct engine *e, const struct probe_set *all)
{
    struct probe_set some = *all;
    size_t n = 0;

    some.probes.data = malloc(MAX(all->probes.len, (size_t)1) * sizeof *some.probes.data);
    if (!some.probes.data)
        return error_nomem();
    for (size_t i = 0; i < all->probes.len; i++)
        if (find_disabled(e, all->names.data[i].text) == e->disabled.len)
            some.probes.data[n++] = all->probes.data[i];
    some.probes.len = n;
    struct oscope_error *err = control_wish(e->control, &some, &e->generation);
    free(some.probes.data);
    return err;
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
        err = publish(e, &all);
    }
    if (err) {
        probe_set_free(&all);
        return err;
    }
    for (size_t i = 0; i < all.probes.len; i++)
        if (probe_set_find(&e->wish, &all, i) == e->wish.probes.len) {
            uint32_t slot = all.probes.data[i].slot;
            e->before[slot] = control_counts(e->control, slot);
            e->since[slot] = clock_ns();
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
    const char *name = e->wish.names.data[i].text;
    struct engine_probe out = {.name = name,
                               .site = p->site,
                               .address = p->address,
                               .size = p->value,
                               .disabled = find_disabled(e, name) < e->disabled.len,
                               .since = e->since[p->slot],
                               .counts = {.fired = now.fired - before->fired,
                                          .published = now.published - before->published,
                                          .faults = now.faults - before->faults,
                                          .dropped = now.dropped - before->dropped,
                                          .timed = now.timed - before->timed,
                                          .cost = now.cost - before->cost}};

    for (size_t k = 0; k < e->wants.len; k++) {
        const struct want *w = &e->wants.data[k];
        bool wanted = probe_set_find(&w->set, &e->wish, i) < w->set.probes.len;
        out.users += wanted && w->user;
        out.stands |= wanted && !w->user;
    }
    return out;
}

struct oscope_error *engine_settled(struct engine *e, bool *settled)
{
    return control_settled(e->control, e->generation, settled);
}
