/* SPDX-License-Identifier: MIT */
/*
 * Sessions of a GDB stub. There is no broker: each view connects, reads, and disconnects. Stubs
 * serve one client, so the commands of a session take turns by a lock on a file in its folder.
 */
#include "target/gdb.h"

#include "base/clock.h"
#include "base/util.h"
#include "session/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

enum { LOCK_MS = 20000, LOCK_STEP_MS = 10 };

static enum gdb_memory memory_of(const char *name)
{
    if (!strcmp(name, "physical"))
        return GDB_MEMORY_PHYSICAL;
    return !strcmp(name, "linear") ? GDB_MEMORY_LINEAR : GDB_MEMORY_ASK;
}

struct oscope_error *session_open_gdb(struct oscope_session *s)
{
    const struct session_desc *d = &s->own->desc;
    AUTO_FREE struct gdb_range *ram = calloc(d->nregions + 1, sizeof *ram);
    struct gdb_desc desc = {
        .address = d->gdb,
        .arch = d->arch,
        .memory = memory_of(d->memory),
        .stay = d->stay,
        .ram = ram,
        .nram = d->nregions,
    };

    if (!ram)
        return error_nomem();
    for (size_t i = 0; i < d->nregions; i++)
        ram[i] = (struct gdb_range){d->regions[i].gpa, d->regions[i].size, d->regions[i].hva};
    TRY(target_open_gdb(&desc, &s->target));
    return asprintf(&s->guest, "GDB stub at %s", d->gdb) < 0 ? error_nomem() : NULL;
}

/* Waits for the session's other commands. */
static struct oscope_error *take_lock(struct oscope_session *s)
{
    const struct timespec step = {0, LOCK_STEP_MS * 1000000L};
    uint64_t deadline = clock_ns() + (uint64_t)LOCK_MS * 1000000;
    AUTO_FREE char *path = NULL;

    if (!s->dir || asprintf(&path, "%s/gdb.lock", s->dir) < 0)
        return error_nomem();
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(errno, "'%s'", path);
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_errno(errno, "'%s'", path);
        if (clock_ns() > deadline)
            return error_new(OSCOPE_E_BUSY, "session %s: another command reads its target", s->id);
        nanosleep(&step, NULL);
    }
    s->own->lock = fd;
    fd = -1;
    return NULL;
}

static void drop_lock(struct oscope_session *s)
{
    if (s->own->lock >= 0)
        close(s->own->lock);
    s->own->lock = -1;
}

struct oscope_error *session_gdb_begin(struct oscope_session *s)
{
    TRY(take_lock(s));
    struct oscope_error *err = s->target->ops->pause(s->target, true);
    if (err) {
        drop_lock(s);
        return error_prefix(err, "session %s", s->id);
    }
    s->own->paused = s->target->stopped = true;
    target_refresh(s->target);
    return NULL;
}

void session_gdb_end(struct oscope_session *s, struct os_list *list)
{
    if (!s->own->paused)
        return;
    struct oscope_error *trouble = target_gdb_trouble(s->target);
    struct oscope_error *err = s->target->ops->pause(s->target, false);

    if (trouble)
        os_list_note(list, "%s: what is shown may lack something", trouble->message);
    if (err)
        os_list_note(list, "%s", err->message);
    else if (s->own->desc.stay)
        os_list_note(list, "the target stands still, as it is said to have before");
    else
        os_list_note(list, "the target stood still for %.0f ms while it was read",
                     (double)target_gdb_stopped(s->target) * 1e-6);
    oscope_error_free(trouble);
    oscope_error_free(err);
    s->own->paused = s->target->stopped = false;
    drop_lock(s);
}
