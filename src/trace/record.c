/* SPDX-License-Identifier: MIT */
/*
 * The recorder. A packet is copied out of the ring, found good, and given to the files
 * (trace/store.h). The metadata is replaced by renaming, and before the first packet that needs it.
 */
#include "trace/record.h"

#include "base/clock.h"
#include "trace/packet.h"
#include "trace/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Hidden, so that no reader takes what a killed recorder left for a stream. */
#define NEW_METADATA ".metadata"

struct channel {
    struct trace_rings rings; /* one of which it records */
    uint32_t ring;
    uint64_t n;       /* next packet to write */
    uint64_t flushed; /* position of the ring when a copy of its open packet was written */
    uint64_t discarded_base;
    uint64_t discarded_told; /* that the packets written tell of */
    uint32_t cpu;            /* as they say */
};

struct trace_recorder {
    char *dir; /* for messages */
    int dir_fd;
    const struct trace_schema *schema;
    unsigned ntypes; /* that the metadata has */
    struct trace_metadata metadata;
    struct arena arena; /* the environment's strings */
    struct channel *channels;
    uint32_t nchannels;
    struct store *store;
    uint8_t *packet; /* one */
    struct trace_recorder_stats stats;
    bool failed, stopped;
};

static struct oscope_error *fail(struct trace_recorder *rec, const char *name)
{
    rec->failed = true;
    return error_errno(errno, "%s/%s", rec->dir, name);
}

static struct oscope_error *write_text(struct trace_recorder *rec, int fd, const char *text,
                                       size_t n)
{
    while (n) {
        ssize_t got = write(fd, text, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got ? errno : ENOSPC;
            return fail(rec, "metadata");
        }
        text += got;
        n -= (size_t)got;
    }
    return NULL;
}

static struct oscope_error *write_metadata(struct trace_recorder *rec)
{
    AUTO_FREE char *text = NULL;
    size_t len;

    TRY(trace_metadata_write(&rec->metadata, rec->schema, &text, &len));
    AUTO_CLOSE int fd = openat(rec->dir_fd, NEW_METADATA,
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(rec, "metadata");
    struct oscope_error *err = write_text(rec, fd, text, len);
    if (!err && renameat(rec->dir_fd, NEW_METADATA, rec->dir_fd, "metadata"))
        err = fail(rec, "metadata");
    if (err)
        unlinkat(rec->dir_fd, NEW_METADATA, 0);
    else
        rec->ntypes = rec->schema->ntypes;
    return err;
}

static struct oscope_error *copy_env(struct trace_recorder *rec, const struct trace_env *env,
                                     size_t n)
{
    struct trace_env *copy = arena_alloc(&rec->arena, (n + 1) * sizeof *copy);

    for (size_t i = 0; copy && i < n; i++) {
        copy[i].key = arena_strdup(&rec->arena, env[i].key);
        copy[i].value = arena_strdup(&rec->arena, env[i].value);
        if (!copy[i].key || !copy[i].value)
            copy = NULL;
    }
    rec->metadata.env = copy;
    rec->metadata.nenv = n;
    return copy ? NULL : error_nomem();
}

static void add_channels(struct trace_recorder *rec, const struct trace_rings *rings,
                         enum trace_from from)
{
    for (uint32_t i = 0; i < rings->count; i++) {
        struct channel *c = &rec->channels[rec->nchannels++];
        uint64_t position = trace_ring_position(rings, i);
        c->rings = *rings;
        c->ring = c->cpu = i;
        c->n = position / rings->packet_bytes;
        if (from == TRACE_FROM_OLDEST)
            c->n = trace_ring_oldest(rings, position);
        else if (from == TRACE_FROM_NEXT)
            c->n += position % rings->packet_bytes != 0;
        c->discarded_base = c->discarded_told = atomic_load(&trace_ring(rings, i)->discarded);
    }
}

static uint32_t largest_packet(const struct trace_recorder_options *o)
{
    uint32_t most = 0;

    for (size_t i = 0; i < o->nrings; i++)
        most = MAX(most, o->rings[i]->packet_bytes);
    return most;
}

/* All that needs no folder. */
static struct oscope_error *prepare(struct trace_recorder *rec,
                                    const struct trace_recorder_options *o)
{
    size_t channels = 0;

    for (size_t i = 0; i < o->nrings; i++)
        channels += o->rings[i]->count;
    rec->schema = o->schema;
    rec->metadata.clock = o->clock;
    memcpy(rec->metadata.uuid, o->rings[0]->uuid, sizeof rec->metadata.uuid);
    rec->dir = strdup(o->dir);
    rec->packet = malloc(largest_packet(o));
    rec->channels = calloc(channels + 1, sizeof *rec->channels);
    if (!rec->dir || !rec->packet || !rec->channels)
        return error_nomem();
    for (size_t i = 0; i < o->nrings; i++)
        add_channels(rec, o->rings[i], o->from);
    return copy_env(rec, o->env, o->nenv);
}

static struct oscope_error *make_folder(struct trace_recorder *rec,
                                        const struct trace_recorder_options *o)
{
    if (mkdir(rec->dir, 0700)) {
        if (errno != EEXIST)
            return error_errno(errno, "%s", rec->dir);
        return error_hint(error_new(OSCOPE_E_BUSY, "%s exists already", rec->dir),
                          "name a folder that does not exist yet");
    }
    rec->dir_fd = open(rec->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct store_options files = {
        .dir = rec->dir,
        .dir_fd = rec->dir_fd,
        .channels = rec->nchannels,
        .packet_bytes = largest_packet(o),
        .ring = o->ring,
        .size = o->size,
        .compress = o->compress,
    };
    struct oscope_error *err =
        rec->dir_fd < 0 ? error_errno(errno, "%s", rec->dir) : store_open(&files, &rec->store);
    if (!err)
        err = write_metadata(rec);
    if (err)
        rmdir(rec->dir);
    return err;
}

struct oscope_error *trace_recorder_open(struct trace_recorder **out,
                                         const struct trace_recorder_options *options)
{
    *out = NULL;
    if (!options->nrings)
        return error_new(OSCOPE_E_USAGE, "%s: there are no rings to record", options->dir);
    for (size_t i = 0; i < options->nrings; i++)
        TRY(trace_rings_check(options->rings[i]));
    struct trace_recorder *rec = calloc(1, sizeof *rec);
    if (!rec)
        return error_nomem();
    rec->dir_fd = -1;
    struct oscope_error *err = prepare(rec, options);
    if (!err)
        err = make_folder(rec, options);
    if (err)
        trace_recorder_close(rec);
    else
        *out = rec;
    return err;
}

/* What was discarded before the recording began is nothing that it lacks, and a packet that was
 * closed early needs no more room than it has events. Returns its size. */
static uint32_t tidy(uint8_t *packet, uint64_t discarded_base)
{
    struct wire_packet p;

    memcpy(&p, packet, sizeof p);
    p.events_discarded -= MIN(p.events_discarded, discarded_base);
    uint32_t n = (uint32_t)ALIGN_UP(p.content_size / 8, (uint64_t)WIRE_PAGE);
    p.packet_size = UINT64_C(8) * n;
    memcpy(packet, &p, sizeof p);
    return n;
}

/* Writes the packet in rec->packet behind those that channel i has; not whole: it comes again. */
static struct oscope_error *put_packet(struct trace_recorder *rec, uint32_t i, bool whole)
{
    struct channel *c = &rec->channels[i];
    struct wire_packet p;

    memcpy(&p, rec->packet, sizeof p);
    c->discarded_told = p.events_discarded;
    c->cpu = p.cpu_id;
    uint32_t n = tidy(rec->packet, c->discarded_base);
    if (rec->ntypes != rec->schema->ntypes)
        TRY(write_metadata(rec));
    struct oscope_error *err = store_put(rec->store, i, rec->packet, n, whole);
    rec->failed |= err != NULL;
    return err;
}

/* The same with the last of it. */
static struct oscope_error *write_packet(struct trace_recorder *rec, uint32_t i)
{
    TRY(put_packet(rec, i, true));
    rec->channels[i].n++;
    if (store_full(rec->store))
        rec->stats.beyond++;
    else
        rec->stats.packets++;
    return NULL;
}

/*
 * Closes the copy of an open packet of which `content` bytes are there: at its last event that can
 * be read. False: it has none.
 */
static bool finish_packet(struct trace_recorder *rec, const struct trace_rings *rings,
                          uint32_t content, uint64_t discarded)
{
    struct packet_cursor c;
    struct trace_event ev;
    struct wire_packet p;

    memcpy(&p, rec->packet, sizeof p);
    if (!packet_is_one(&p, rings->uuid))
        return false;
    packet_begin(&c, rec->packet, content, UINT64_MAX);
    while (packet_next(&c, rec->schema, &ev) == PACKET_EVENT)
        ;
    p.timestamp_end = c.time;
    p.content_size = UINT64_C(8) * c.at;
    p.packet_size = UINT64_C(8) * rings->packet_bytes;
    p.events_discarded = discarded;
    memcpy(rec->packet, &p, sizeof p);
    memset(rec->packet + c.at, 0, rings->packet_bytes - c.at);
    return c.at > sizeof p;
}

static uint64_t channel_position(const struct trace_recorder *rec, uint32_t i)
{
    return trace_ring_position(&rec->channels[i].rings, rec->channels[i].ring);
}

static uint64_t discarded(const struct trace_recorder *rec, uint32_t i)
{
    return atomic_load(&trace_ring(&rec->channels[i].rings, rec->channels[i].ring)->discarded);
}

/* The writer was faster: goes on with a packet that it won't reach at once. */
static void skip_lost(struct trace_recorder *rec, uint32_t i, uint64_t position)
{
    uint64_t now = channel_position(rec, i);
    uint64_t oldest = trace_ring_oldest(&rec->channels[i].rings, MAX(now, position));
    struct channel *c = &rec->channels[i];

    if (oldest <= c->n)
        oldest = c->n + 1;
    rec->stats.lost += oldest - c->n;
    c->n = oldest;
}

/* A complete packet as babeltrace2 will want it; else it is lost. */
static bool check_packet(struct trace_recorder *rec, uint32_t i, uint64_t position)
{
    const struct trace_rings *rings = &rec->channels[i].rings;
    struct wire_packet p;

    memcpy(&p, rec->packet, sizeof p);
    if (!packet_is_one(&p, rings->uuid))
        return false;
    if (packet_is_closed(&p, rings->packet_bytes))
        return p.packet_size / 8 == rings->packet_bytes;
    /* Full to the last byte, and not yet closed. */
    return !p.content_size && position == (rec->channels[i].n + 1) * rings->packet_bytes &&
           finish_packet(rec, rings, rings->packet_bytes, p.events_discarded);
}

/* Writes what is complete below position. */
static struct oscope_error *pump_channel(struct trace_recorder *rec, uint32_t i, uint64_t position)
{
    struct channel *c = &rec->channels[i];

    uint64_t head = position / c->rings.packet_bytes;
    while (c->n < head) {
        if (store_full(rec->store)) {
            rec->stats.beyond += head - c->n;
            c->n = head;
        } else if (head - c->n >= c->rings.packets ||
                   !trace_ring_copy(&c->rings, c->ring, c->n, 0, c->rings.packet_bytes,
                                    rec->packet)) {
            skip_lost(rec, i, position);
        } else if (!check_packet(rec, i, position)) {
            rec->stats.lost++;
            c->n++;
        } else {
            TRY(write_packet(rec, i));
        }
    }
    return NULL;
}

static struct oscope_error *usable(const struct trace_recorder *rec)
{
    if (rec->failed || rec->stopped)
        return error_new(OSCOPE_E_IO, "%s: the recording has ended%s", rec->dir,
                         rec->failed ? " with an error" : "");
    return NULL;
}

struct oscope_error *trace_recorder_pump(struct trace_recorder *rec)
{
    TRY(usable(rec));
    for (uint32_t i = 0; i < rec->nchannels; i++)
        TRY(pump_channel(rec, i, channel_position(rec, i)));
    return NULL;
}

/* Takes a copy of the packet that is open at position, as far as it is filled. False: there is
 * none, or it can't be read. */
static bool copy_open(struct trace_recorder *rec, uint32_t i, uint64_t position)
{
    const struct channel *c = &rec->channels[i];
    uint32_t content = (uint32_t)(position % c->rings.packet_bytes);

    return position / c->rings.packet_bytes == c->n && content > sizeof(struct wire_packet) &&
           trace_ring_copy(&c->rings, c->ring, c->n, 0, content, rec->packet) &&
           finish_packet(rec, &c->rings, content, discarded(rec, i));
}

/* The copy stands where the whole packet will. */
struct oscope_error *trace_recorder_flush(struct trace_recorder *rec)
{
    TRY(trace_recorder_pump(rec));
    for (uint32_t i = 0; i < rec->nchannels; i++) {
        struct channel *c = &rec->channels[i];
        uint64_t position = channel_position(rec, i);
        if (position != c->flushed && copy_open(rec, i, position))
            TRY(put_packet(rec, i, false));
        c->flushed = position;
    }
    return NULL;
}

/* Events that found no place after the last packet: one without events tells of them. */
static struct oscope_error *write_losses(struct trace_recorder *rec, uint32_t i)
{
    const struct channel *c = &rec->channels[i];
    struct wire_packet p = {.magic = PACKET_MAGIC,
                            .timestamp_begin = clock_ns(),
                            .content_size = UINT64_C(8) * sizeof p,
                            .packet_size = UINT64_C(8) * c->rings.packet_bytes,
                            .packet_seq_num = c->n,
                            .events_discarded = discarded(rec, i),
                            .cpu_id = c->cpu};

    if (p.events_discarded <= c->discarded_told || store_full(rec->store))
        return NULL;
    p.timestamp_end = p.timestamp_begin;
    memcpy(p.uuid, c->rings.uuid, sizeof p.uuid);
    memset(rec->packet, 0, c->rings.packet_bytes);
    memcpy(rec->packet, &p, sizeof p);
    return write_packet(rec, i);
}

struct oscope_error *trace_recorder_stop(struct trace_recorder *rec)
{
    TRY(usable(rec));
    for (uint32_t i = 0; i < rec->nchannels; i++) {
        uint64_t position = channel_position(rec, i);
        TRY(pump_channel(rec, i, position));
        if (copy_open(rec, i, position))
            TRY(write_packet(rec, i));
        TRY(write_losses(rec, i));
    }
    for (uint32_t i = 0; i < rec->nchannels; i++) /* what of them is there stays */
        rec->stats.packets += store_settle(rec->store, i);
    rec->stopped = true;
    return rec->ntypes == rec->schema->ntypes ? NULL : write_metadata(rec);
}

uint64_t trace_recorder_next(const struct trace_recorder *rec, uint32_t ring)
{
    return ring < rec->nchannels ? rec->channels[ring].n : UINT64_MAX;
}

struct trace_recorder_stats trace_recorder_stats(const struct trace_recorder *rec)
{
    struct trace_recorder_stats stats = rec->stats;

    stats.bytes = store_bytes(rec->store);
    stats.removed = store_removed(rec->store);
    stats.full = store_full(rec->store);
    for (uint32_t i = 0; i < rec->nchannels; i++)
        stats.discarded += discarded(rec, i) - rec->channels[i].discarded_base;
    return stats;
}

void trace_recorder_close(struct trace_recorder *rec)
{
    if (!rec)
        return;
    store_close(rec->store);
    if (rec->dir_fd >= 0)
        close(rec->dir_fd);
    free(rec->channels);
    free(rec->packet);
    free(rec->dir);
    arena_free(&rec->arena);
    free(rec);
}

void trace_recorder_remove(struct trace_recorder *rec)
{
    store_remove(rec->store);
    unlinkat(rec->dir_fd, "metadata", 0);
    rmdir(rec->dir);
    trace_recorder_close(rec);
}
