/* SPDX-License-Identifier: MIT */
/* The files of a recording: see store.h. */
#include "trace/store.h"

#include "base/util.h"
#include "base/vec.h"
#include "capture/wire.h"
#include "trace/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PIECES = 16 }; /* that a ring on disk has, about */

struct file {
    uint32_t channel, piece;
    uint64_t bytes; /* whole packets */
    uint64_t end;   /* ns, of the last of them */
};

struct current {
    struct file file;
    int fd;        /* -1: not made yet */
    uint64_t open; /* bytes behind the whole packets, of one that is not */
};

struct store {
    struct store_options o;
    char *dir;
    struct current *channels;
    VEC(struct file) old; /* pieces that are complete */
    uint64_t bytes, removed;
    uint64_t open; /* of all channels */
    bool full;
    struct packer *packer;
    uint8_t *packed; /* one packet */
};

static void name_of(const struct store *s, const struct file *f, char name[static 48])
{
    const char *suffix = s->o.compress ? PACKED_SUFFIX : "";

    if (s->o.ring)
        snprintf(name, 48, "channel_%u.%u%s", f->channel, f->piece, suffix);
    else
        snprintf(name, 48, "channel_%u%s", f->channel, suffix);
}

struct oscope_error *store_open(const struct store_options *o, struct store **out)
{
    struct store *s = calloc(1, sizeof *s);

    *out = NULL;
    if (!s)
        return error_nomem();
    s->o = *o;
    s->dir = strdup(o->dir);
    s->channels = calloc(MAX(o->channels, 1u), sizeof *s->channels);
    for (uint32_t i = 0; s->channels && i < o->channels; i++)
        s->channels[i] = (struct current){.file.channel = i, .fd = -1};
    if (o->compress) {
        s->packer = packer_new();
        s->packed = malloc(packed_most(o->packet_bytes));
    }
    if (!s->dir || !s->channels || (o->compress && (!s->packer || !s->packed))) {
        store_close(s);
        return error_nomem();
    }
    *out = s;
    return NULL;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; s->channels && i < s->o.channels; i++)
        if (s->channels[i].fd >= 0)
            close(s->channels[i].fd);
    packer_free(s->packer);
    vec_free(&s->old);
    free(s->packed);
    free(s->channels);
    free(s->dir);
    free(s);
}

/* ---- writing ---- */

static struct oscope_error *create(const struct store *s, struct current *c)
{
    char name[48];

    name_of(s, &c->file, name);
    c->fd = openat(s->o.dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return c->fd >= 0 ? NULL : error_errno(errno, "%s/%s", s->dir, name);
}

/* Writes all n bytes behind the whole packets, or leaves the file as long as these are. */
static struct oscope_error *append(const struct store *s, struct current *c, const uint8_t *data,
                                   size_t n)
{
    size_t done = 0;
    char name[48];

    while (done < n) {
        ssize_t got = pwrite(c->fd, data + done, n - done, (off_t)(c->file.bytes + done));
        if (got > 0) {
            done += (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            int errnum = got ? errno : ENOSPC;
            name_of(s, &c->file, name);
            if (ftruncate(c->fd, (off_t)c->file.bytes))
                return error_errno(errno, "%s/%s: cut back after a write failed", s->dir, name);
            return error_errno(errnum, "%s/%s", s->dir, name);
        }
    }
    return NULL;
}

static void set_open(struct store *s, struct current *c, uint64_t n)
{
    s->open = s->open - c->open + n;
    c->open = n;
}

/* ---- keeping the last of it ---- */

/* The channel's piece is complete; the next packet begins another. */
static struct oscope_error *finish_piece(struct store *s, struct current *c)
{
    /* A copy of the open packet may stand behind: it will come, whole, in the next piece. */
    if (ftruncate(c->fd, (off_t)c->file.bytes))
        return error_errno(errno, "%s", s->dir);
    if (!vec_push(&s->old, c->file))
        return error_nomem();
    close(c->fd);
    c->fd = -1;
    set_open(s, c, 0);
    c->file = (struct file){.channel = c->file.channel, .piece = c->file.piece + 1};
    return NULL;
}

/* When no piece is complete: finishes the one whose last packet is the oldest. */
static struct oscope_error *finish_oldest(struct store *s)
{
    struct current *oldest = NULL;

    for (uint32_t i = 0; i < s->o.channels; i++) {
        struct current *c = &s->channels[i];
        if (c->file.bytes && (!oldest || c->file.end < oldest->file.end))
            oldest = c;
    }
    return oldest ? finish_piece(s, oldest) : NULL;
}

static struct oscope_error *remove_oldest(struct store *s)
{
    size_t oldest = 0;
    char name[48];

    for (size_t i = 1; i < s->old.len; i++)
        if (s->old.data[i].end < s->old.data[oldest].end)
            oldest = i;
    struct file f = s->old.data[oldest];
    name_of(s, &f, name);
    if (unlinkat(s->o.dir_fd, name, 0) && errno != ENOENT)
        return error_errno(errno, "%s/%s", s->dir, name);
    s->bytes -= f.bytes;
    s->removed++;
    s->old.data[oldest] = s->old.data[--s->old.len];
    return NULL;
}

/* Sees to it that n bytes more are not too many. */
static struct oscope_error *make_room(struct store *s, size_t n)
{
    while (s->o.ring && s->bytes && s->bytes + n > s->o.ring) {
        if (!s->old.len)
            TRY(finish_oldest(s));
        TRY(remove_oldest(s));
    }
    return NULL;
}

struct oscope_error *store_put(struct store *s, uint32_t channel, const uint8_t *packet, size_t n,
                               bool whole)
{
    struct current *c = &s->channels[channel];
    struct wire_packet head;

    memcpy(&head, packet, sizeof head);
    if (s->full)
        return NULL;
    if (s->o.compress) {
        n = packer_pack(s->packer, packet, n, s->packed);
        packet = s->packed;
        if (!n)
            return error_new(OSCOPE_E_IO, "%s: a packet can't be compressed", s->dir);
    }
    s->full |= s->o.size && s->bytes + s->open - c->open + n > s->o.size;
    if (s->full)
        return NULL;
    TRY(make_room(s, n));
    if (c->fd < 0)
        TRY(create(s, c));
    TRY(append(s, c, packet, n));
    if (s->o.compress &&
        ftruncate(c->fd, (off_t)(c->file.bytes + n))) /* the copy before was longer */
        return error_errno(errno, "%s", s->dir);
    set_open(s, c, whole ? 0 : n);
    if (!whole)
        return NULL;
    c->file.bytes += n;
    c->file.end = head.timestamp_end;
    s->bytes += n;
    return s->o.ring && c->file.bytes >= s->o.ring / PIECES ? finish_piece(s, c) : NULL;
}

bool store_full(const struct store *s)
{
    return s->full;
}

bool store_settle(struct store *s, uint32_t channel)
{
    struct current *c = &s->channels[channel];
    uint64_t n = c->open;

    set_open(s, c, 0);
    c->file.bytes += n;
    s->bytes += n;
    return n != 0;
}

uint64_t store_bytes(const struct store *s)
{
    return s->bytes;
}

uint64_t store_removed(const struct store *s)
{
    return s->removed;
}

void store_remove(struct store *s)
{
    char name[48];

    for (uint32_t i = 0; i < s->o.channels; i++) {
        name_of(s, &s->channels[i].file, name);
        unlinkat(s->o.dir_fd, name, 0);
    }
    for (size_t i = 0; i < s->old.len; i++) {
        name_of(s, &s->old.data[i], name);
        unlinkat(s->o.dir_fd, name, 0);
    }
}
