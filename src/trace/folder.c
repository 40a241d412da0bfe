/* SPDX-License-Identifier: MIT */
/*
 * A recording's files as streams: packets lie one after the other. After a damaged one the next is
 * found by where it can begin, at multiples of WIRE_PAGE, or, compressed, by what it begins with.
 * Files are read, not mapped: one that shrinks meanwhile ends early and does no harm.
 *
 * A channel's files (trace/store.h) are read one after the other, as if they were one.
 */
#include "trace/stream.h"

#include "trace/packed.h"
#include "trace/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    METADATA_MAX = 16 << 20, /* bytes */
    CHUNK = 64 << 10,        /* read at a time, when nothing better is known */
    SEARCH = 16 << 10,       /* read at a time to find the next packet */
    FILES_MAX = 4096,
};

/* Reads up to n bytes; what the file does not have, or can't give, is missing. */
static size_t read_at(int fd, void *out, size_t n, uint64_t at)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = pread(fd, (uint8_t *)out + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

static bool room(struct stream *s, size_t n)
{
    if (n <= s->cap)
        return true;
    uint8_t *buf = realloc(s->buf, n);
    if (!buf)
        return false;
    s->buf = buf;
    s->cap = n;
    return true;
}

/* ---- finding packets ---- */

static bool is_head(const struct packed_head *h, const uint8_t uuid[16])
{
    return packed_is_head(h) && packet_is_one(&h->packet, uuid) &&
           packet_is_closed(&h->packet, PACKET_MAX) &&
           sizeof *h + (uint64_t)h->frame <= packed_most(h->packet.packet_size / 8);
}

/* The place of the next compressed packet in n bytes, or n. */
static size_t find_head(const uint8_t *bytes, size_t n, const uint8_t uuid[16])
{
    const uint32_t magic = PACKED_MAGIC;
    struct packed_head h;

    for (size_t i = 0; i + sizeof h <= n; i++) {
        const uint8_t *p = memmem(bytes + i, n - i, &magic, sizeof magic);
        if (!p || (i = (size_t)(p - bytes)) + sizeof h > n)
            return n;
        memcpy(&h, p, sizeof h);
        if (is_head(&h, uuid))
            return i;
    }
    return n;
}

/* The same in the file from `at` on. */
static bool head_from(struct stream *s, uint64_t at, const uint8_t uuid[16], struct packed_head *h)
{
    uint8_t block[SEARCH];

    for (s->at = at; s->at < s->size; s->at += SEARCH - sizeof *h) {
        size_t n = read_at(s->fd, block, sizeof block, s->at);
        size_t i = find_head(block, n, uuid);
        if (i < n) {
            memcpy(h, block + i, sizeof *h);
            s->at += i;
            return true;
        }
    }
    s->at = s->size;
    return false;
}

/* Goes to the first packet at `at` or later and reads its header; *bytes is what it takes in the
 * file. False: to the end of the file. */
static bool header_from(struct stream *s, uint64_t at, const uint8_t uuid[16],
                        struct wire_packet *p, uint64_t *bytes)
{
    struct packed_head h;

    if (s->packed) {
        if (!head_from(s, at, uuid, &h))
            return false;
        *p = h.packet;
        *bytes = sizeof h + (uint64_t)h.frame;
        return true;
    }
    for (s->at = at; s->at < s->size; s->at += WIRE_PAGE)
        if (read_at(s->fd, p, sizeof *p, s->at) == sizeof *p && packet_is_one(p, uuid) &&
            packet_is_closed(p, PACKET_MAX)) {
            *bytes = p->packet_size / 8;
            return true;
        }
    s->at = s->size;
    return false;
}

/* ---- reading them ---- */

/* Numbers that only damage explains: another vCPU than there are, counts that go back or leap. */
static bool is_plausible(const struct stream *s, const struct wire_packet *p)
{
    const uint64_t leap = UINT64_C(1) << 40;

    if (s->cpus && p->cpu_id >= s->cpus && p->cpu_id != TRACE_CPU_NONE)
        return false;
    if (s->seq_known && (p->packet_seq_num < s->seq || p->packet_seq_num - s->seq > leap))
        return false;
    return !s->discarded_known || (p->events_discarded >= s->discarded_last &&
                                   p->events_discarded - s->discarded_last <= leap);
}

/* Packets that are missing before this one, but for those that were counted as damaged. */
static void note_seq(struct stream *s, uint64_t seq)
{
    if (s->seq_known && seq > s->seq && seq - s->seq - 1 > s->unknown) {
        s->stats.lost += seq - s->seq - 1 - s->unknown;
        s->gap = true;
    }
    s->seq_known = true;
    s->seq = seq;
    s->unknown = 0;
}

/* The packet in buf, of which its first `have` bytes are there. */
static bool begin(struct stream *s, const struct wire_packet *p, size_t have)
{
    uint64_t content = p->content_size / 8;

    note_seq(s, p->packet_seq_num);
    stream_discarded(s, p->events_discarded);
    packet_begin(&s->c, s->buf, (uint32_t)MIN(content, have), p->timestamp_end);
    s->cut = s->c.end < content;
    s->stats.damaged += s->cut;
    return true;
}

/* The packet at s->at, of which its first `have` bytes are in buf. */
static bool load(struct stream *s, const struct wire_packet *p, size_t have)
{
    size_t want = (size_t)MIN(p->content_size / 8, s->size - s->at);

    if (room(s, want) && want > have)
        have += read_at(s->fd, s->buf + have, want - have, s->at + have);
    s->chunk = MIN(s->cap, p->packet_size / 8);
    s->at += p->packet_size / 8;
    return begin(s, p, have);
}

static bool next_plain(struct stream *s, const uint8_t uuid[16])
{
    size_t n = read_at(s->fd, s->buf, MAX(s->chunk, sizeof(struct wire_packet)), s->at);
    struct wire_packet p;

    if (n < sizeof p)
        return false;
    memcpy(&p, s->buf, sizeof p);
    return packet_is_one(&p, uuid) && packet_is_closed(&p, PACKET_MAX) && is_plausible(s, &p) &&
           load(s, &p, n);
}

static bool room_for_frame(struct stream *s, size_t n)
{
    if (!s->packer && !(s->packer = packer_new()))
        return false;
    if (n <= s->frame_cap)
        return true;
    uint8_t *frame = realloc(s->frame, n);
    if (!frame)
        return false;
    s->frame = frame;
    s->frame_cap = n;
    return true;
}

static bool next_packed(struct stream *s, const uint8_t uuid[16])
{
    struct packed_head h;
    struct wire_packet p;

    if (read_at(s->fd, &h, sizeof h, s->at) != sizeof h || !is_head(&h, uuid))
        return false;
    size_t size = h.packet.packet_size / 8;
    if (!room_for_frame(s, h.frame) || !room(s, size) ||
        read_at(s->fd, s->frame, h.frame, s->at + sizeof h) != h.frame)
        return false;
    size_t n = packer_unpack(s->packer, s->frame, h.frame, s->buf, size);
    if (n < sizeof p)
        return false;
    memcpy(&p, s->buf, sizeof p); /* the header beside it may be another one */
    if (!packet_is_one(&p, uuid) || !packet_is_closed(&p, n) || !is_plausible(s, &p))
        return false;
    s->at += sizeof h + (uint64_t)h.frame;
    return begin(s, &p, n);
}

/* Goes to the beginning of a file of the channel's. */
static void use_file(struct stream *s, size_t i)
{
    s->file = i;
    s->fd = s->files[i].fd;
    s->packed = s->files[i].packed;
    s->size = s->files[i].size;
    s->at = 0;
}

bool folder_more(struct stream *s, const uint8_t uuid[16])
{
    struct wire_packet p;
    uint64_t bytes;

    s->gap |= s->cut;
    s->bad = s->cut = false;
    s->c.at = s->c.end = 0;
    for (;;) {
        while (s->at >= s->size && s->file + 1 < s->nfiles)
            use_file(s, s->file + 1);
        if (s->at >= s->size)
            break;
        s->stats.packets++;
        if (s->packed ? next_packed(s, uuid) : next_plain(s, uuid))
            return true;
        stream_damage(s);
        header_from(s, s->packed ? s->at + 1 : ALIGN_DOWN(s->at, WIRE_PAGE) + WIRE_PAGE, uuid, &p,
                    &bytes);
        s->unknown++;
        s->bad = false;
    }
    s->dry = true;
    return false;
}

/* In the file being read. */
static void seek_packet(struct stream *s, uint64_t time, const uint8_t uuid[16])
{
    uint64_t low = 0, high = s->size, bytes; /* packets before low end before time */
    struct wire_packet p;

    while (low < high) {
        uint64_t middle = (high - low) / 2;
        middle = low + (s->packed ? middle : ALIGN_DOWN(middle, WIRE_PAGE));
        if (header_from(s, middle, uuid, &p, &bytes) && s->at < high && p.timestamp_end < time)
            low = s->at + bytes;
        else
            high = middle;
    }
    s->at = low;
}

/* A recording counts what it lacks from its beginning on: the first packet of all may tell of some,
 * of any other packet the one before has to be known. */
static void count_from_here(struct stream *s)
{
    s->discarded_known = !s->file && !s->at && !s->files[0].piece;
    s->discarded_last = 0;
}

void folder_seek(struct stream *s, uint64_t time, const uint8_t uuid[16])
{
    struct wire_packet p;
    uint64_t bytes;
    size_t i = s->nfiles;

    while (i-- > 1) { /* the last one that begins before, or the first */
        use_file(s, i);
        if (header_from(s, 0, uuid, &p, &bytes) && p.timestamp_begin <= time)
            break;
    }
    use_file(s, i < s->nfiles ? i : 0);
    seek_packet(s, time, uuid);
    s->from = time;
    s->c.at = s->c.end = 0;
    s->have = s->dry = s->bad = s->cut = s->gap = s->seq_known = false;
    s->unknown = 0;
    count_from_here(s);
    s->stats = (struct trace_stats){0}; /* what was seen is read again */
}

/* ---- opening ---- */

static struct oscope_error *read_metadata(int dir_fd, const char *dir, char **text, size_t *len)
{
    AUTO_CLOSE int fd = openat(dir_fd, "metadata", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0 && errno == ENOENT)
        return error_new(OSCOPE_E_NOT_FOUND, "%s is no recording: it has no metadata", dir);
    if (fd < 0 || fstat(fd, &st))
        return error_errno(errno, "%s/metadata", dir);
    if (!S_ISREG(st.st_mode) || st.st_size > METADATA_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "%s/metadata is not metadata of a recording", dir);
    *text = calloc(1, (size_t)st.st_size + 1);
    if (!*text)
        return error_nomem();
    *len = read_at(fd, *text, (size_t)st.st_size, 0);
    return NULL;
}

/* What a file's name says (trace/store.h). False: it is none of a channel. */
static bool channel_name(const char *name, unsigned *channel, struct stream_file *f)
{
    int end = 0;

    *f = (struct stream_file){.fd = -1};
    if (sscanf(name, "channel_%4u%n", channel, &end) != 1 || *channel >= WIRE_VCPUS)
        return false;
    name += end;
    if (sscanf(name, ".%9u%n", &f->piece, &end) == 1)
        name += end;
    f->packed = !strcmp(name, PACKED_SUFFIX);
    return f->packed || !*name;
}

static struct oscope_error *open_file(int dir_fd, const char *dir, const char *name,
                                      struct stream_file *f)
{
    struct stat st;

    f->fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f->fd < 0 && errno == ENOENT) /* a recorder removed it meanwhile */
        return NULL;
    if (f->fd < 0 || fstat(f->fd, &st))
        return error_errno(errno, "%s/%s", dir, name);
    if (!S_ISREG(st.st_mode))
        return error_new(OSCOPE_E_BAD_DATA, "%s/%s is no file", dir, name);
    f->size = (uint64_t)st.st_size;
    return NULL;
}

/* Adds a file to its channel, in order of the pieces. Of a compressed one and what was made from it
 * the latter. */
static struct oscope_error *add_file(struct stream *s, struct stream_file f)
{
    for (size_t k = 0; k < s->nfiles; k++)
        if (s->files[k].piece == f.piece) {
            close(f.packed ? f.fd : s->files[k].fd);
            if (!f.packed)
                s->files[k] = f;
            return NULL;
        }
    struct stream_file *files = realloc(s->files, (s->nfiles + 1) * sizeof *files);
    size_t i = s->nfiles;

    if (!files) {
        close(f.fd);
        return error_nomem();
    }
    for (s->files = files; i && files[i - 1].piece > f.piece; i--)
        files[i] = files[i - 1];
    files[i] = f;
    s->nfiles++;
    return NULL;
}

static struct oscope_error *open_channels(DIR *d, const char *dir, struct stream *channels)
{
    struct dirent *e;
    size_t n = 0;

    while ((e = readdir(d))) {
        struct stream_file f;
        unsigned channel;
        if (!channel_name(e->d_name, &channel, &f))
            continue;
        if (++n > FILES_MAX)
            return error_new(OSCOPE_E_BAD_DATA, "%s: more than %d files", dir, FILES_MAX);
        struct oscope_error *err = open_file(dirfd(d), dir, e->d_name, &f);
        if (err && f.fd >= 0)
            close(f.fd);
        TRY(err);
        if (f.fd >= 0)
            TRY(add_file(&channels[channel], f));
    }
    return NULL;
}

uint64_t folder_cut(struct stream *s, const uint8_t uuid[16])
{
    struct wire_packet p;
    uint64_t bytes, at = 0;

    if (s->files[0].piece && header_from(s, 0, uuid, &p, &bytes))
        at = p.timestamp_begin;
    use_file(s, 0);
    return at;
}

void folder_close(struct stream *s)
{
    for (size_t i = 0; i < s->nfiles; i++)
        close(s->files[i].fd);
    free(s->files);
    packer_free(s->packer);
    free(s->frame);
}

struct oscope_error *folder_open(const char *dir, char **text, size_t *len, struct stream **streams,
                                 size_t *nstreams)
{
    struct stream *channels = calloc(WIRE_VCPUS, sizeof *channels);
    DIR *d = channels ? opendir(dir) : NULL;
    struct oscope_error *err = NULL;

    *streams = channels;
    if (!channels)
        return error_nomem();
    if (!d && errno == ENOENT)
        return error_new(OSCOPE_E_NOT_FOUND, "there is no recording %s", dir);
    if (!d)
        return error_errno(errno, "%s", dir);
    err = read_metadata(dirfd(d), dir, text, len);
    if (!err)
        err = open_channels(d, dir, channels);
    closedir(d);
    for (unsigned i = 0; i < WIRE_VCPUS; i++) {
        if (!channels[i].nfiles)
            continue;
        struct stream *s = &channels[*nstreams];
        if (s != &channels[i]) {
            *s = channels[i];
            channels[i] = (struct stream){0};
        }
        s->ev.stream = (uint32_t)(*nstreams)++;
        s->chunk = CHUNK;
        use_file(s, 0);
        count_from_here(s);
        if (!err && !room(s, CHUNK))
            err = error_nomem();
    }
    return err;
}
