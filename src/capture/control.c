/* SPDX-License-Identifier: MIT */
/*
 * oscope's end of the engine's memory file: see control.h. A wish is written into the set that was
 * not published last, under a generation of 0, so that an engine that still copies it sees that it
 * changed.
 */
#include "capture/control.h"

#include "base/util.h"
#include "capture/layout.h"
#include "probe/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

struct control {
    struct wire_control *shared;
    size_t mapped;
    struct layout layout;
};

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW };

/* ---- making the file ---- */

/* A random UUID (RFC 9562, version 4). */
static struct oscope_error *make_uuid(uint8_t uuid[16])
{
    if (getrandom(uuid, 16, 0) != 16)
        return error_errno(errno, "get random bytes");
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    return NULL;
}

struct oscope_error *control_create(uint32_t vcpus, uint32_t packet_bytes, uint32_t packets,
                                    int *fd)
{
    struct wire_control head = {.magic = WIRE_MAGIC, .version = WIRE_VERSION};
    struct layout l;
    const char *wrong = layout_make(&l, vcpus, packet_bytes, packets);

    *fd = -1;
    if (wrong)
        return error_new(OSCOPE_E_USAGE, "memory for events: %s", wrong);
    head.packet_bytes = l.packet_bytes;
    head.packets = l.packets;
    head.rings = l.rings;
    head.sets_at = l.sets_at;
    head.rings_at = l.rings_at;
    head.ring_stride = l.ring_stride;
    head.bytes = l.bytes;
    TRY(make_uuid(head.uuid));
    AUTO_CLOSE int file = memfd_create(CONTROL_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0 || ftruncate(file, (off_t)l.bytes) < 0 ||
        pwrite(file, &head, sizeof head, 0) != sizeof head || fcntl(file, F_ADD_SEALS, SEALS) < 0)
        return error_errno(errno, "make memory for events");
    *fd = file;
    file = -1;
    return NULL;
}

struct oscope_error *control_one_thread(int fd, const struct wire_one_thread *how,
                                        uint64_t still_until)
{
    const off_t at = offsetof(struct wire_control, one_thread);
    const off_t until_at = offsetof(struct wire_control, still_until);

    return pwrite(fd, how, sizeof *how, at) == sizeof *how &&
                   pwrite(fd, &still_until, sizeof still_until, until_at) == sizeof still_until
               ? NULL
               : error_errno(errno, "write memory for events");
}

/* ---- opening it ---- */

struct oscope_error *control_open(int fd, bool write, struct control **out)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    *out = NULL;
    if (fstat(fd, &st) < 0)
        return error_errno(errno, "look at the probe engine's memory");
    if (seals < 0 || (seals & SEALS) != SEALS || st.st_size < (off_t)sizeof(struct wire_control))
        return error_new(OSCOPE_E_BAD_DATA, "the probe engine's memory: not a file of oscope");
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return error_nomem();
    c->mapped = (size_t)st.st_size;
    c->shared = mmap(NULL, c->mapped, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    if (c->shared == MAP_FAILED) {
        free(c);
        return error_errno(errno, "map the probe engine's memory");
    }
    const char *wrong = layout_read(&c->layout, c->shared, c->mapped);
    if (wrong) {
        control_close(c);
        return error_new(OSCOPE_E_BAD_DATA, "the probe engine's memory: %s", wrong);
    }
    *out = c;
    return NULL;
}

void control_close(struct control *c)
{
    if (!c)
        return;
    munmap(c->shared, c->mapped);
    free(c);
}

const struct wire_control *control_mapped(const struct control *c, size_t *mapped)
{
    *mapped = c->mapped;
    return c->shared;
}

struct wire_control *control_writable(const struct control *c, const struct layout **layout)
{
    *layout = &c->layout;
    return c->shared;
}

void control_rest(const struct control *c)
{
    madvise(c->shared, c->mapped, MADV_DONTNEED);
}

/* ---- wishes ---- */

uint64_t control_wished(const struct control *c)
{
    return atomic_load(&c->shared->wish);
}

bool control_has_one_thread(const struct control *c)
{
    return c->shared->one_thread.nsystem != 0;
}

bool control_can_stand_still(const struct control *c)
{
    return control_has_one_thread(c) && c->shared->one_thread.identity[0] &&
           atomic_load(&c->shared->vcpus) > 1;
}

void control_stand_still(struct control *c, uint64_t until)
{
    atomic_store(&c->shared->still_until, until);
}

bool control_stands_still(const struct control *c)
{
    uint64_t until = atomic_load(&c->shared->still_until);

    return until && atomic_load(&c->shared->still) == until;
}

uint64_t control_in_force(const struct control *c)
{
    return atomic_load(&c->shared->in_force);
}

static struct wire_set *set_of(const struct control *c, uint64_t generation)
{
    return (struct wire_set *)((uint8_t *)c->shared + c->layout.sets_at) + (generation & 1);
}

struct oscope_error *control_wish(struct control *c, const struct probe_set *set,
                                  uint64_t *generation)
{
    AUTO_FREE struct wire_set *made = calloc(1, sizeof *made);
    uint64_t next = control_wished(c) + 1;
    struct wire_set *to = set_of(c, next);

    if (!made)
        return error_nomem();
    probe_set_write(set, made);
    const char *wrong = verify_set(made);
    if (wrong)
        return error_new(OSCOPE_E_USAGE, "these probes can't be used: %s", wrong);
    __atomic_store_n(&to->generation, 0, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_release);
    memcpy(to, made, sizeof *to);
    __atomic_store_n(&to->generation, next, __ATOMIC_RELEASE);
    atomic_store(&c->shared->wish, next);
    *generation = next;
    return NULL;
}

void control_tell_start(struct control *c, uint64_t started, bool reset)
{
    atomic_store(&c->shared->started, started);
    atomic_fetch_add(&c->shared->resets, reset);
}

uint64_t control_start(const struct control *c, uint64_t *started)
{
    uint64_t resets = atomic_load(&c->shared->resets);

    *started = atomic_load(&c->shared->started);
    return resets;
}

struct control_counts control_counts(const struct control *c, uint32_t slot)
{
    struct control_counts sum = {0};
    uint32_t n = MIN(c->layout.rings, atomic_load(&c->shared->vcpus));

    for (uint32_t i = 0; i < n && slot < WIRE_PROBES; i++) {
        const uint8_t *ring =
            (const uint8_t *)c->shared + c->layout.rings_at + i * c->layout.ring_stride;
        const struct wire_count *count = &((const struct wire_ring *)ring)->counts[slot];
        sum.fired += atomic_load_explicit(&count->fired, memory_order_relaxed);
        sum.published += atomic_load_explicit(&count->published, memory_order_relaxed);
        sum.faults += atomic_load_explicit(&count->faults, memory_order_relaxed);
        sum.dropped += atomic_load_explicit(&count->dropped, memory_order_relaxed);
        sum.timed += atomic_load_explicit(&count->timed, memory_order_relaxed);
        sum.cost += atomic_load_explicit(&count->cost, memory_order_relaxed);
    }
    return sum;
}

/* The engine's text, made printable: its memory is not trusted. */
static struct oscope_error *refusal(const struct control *c)
{
    char text[sizeof c->shared->error];

    memcpy(text, c->shared->error, sizeof text);
    text[sizeof text - 1] = '\0';
    for (char *p = text; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    return error_new(OSCOPE_E_UNSUPPORTED, "the probe engine: %s", text);
}

struct oscope_error *control_settled(const struct control *c, uint64_t generation, bool *settled)
{
    *settled = control_in_force(c) >= generation;
    if (*settled)
        return NULL;
    if (atomic_load(&c->shared->engine) == WIRE_ENGINE_REFUSED ||
        atomic_load(&c->shared->refused) >= generation)
        return refusal(c);
    return NULL;
}
