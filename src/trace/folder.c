/* SPDX-License-Identifier: MIT */
/*
 * A recording's files as streams. Packets lie one after the other; all begin at multiples of
 * WIRE_PAGE, which is how the next one is found after a damaged one. Files are read, not mapped:
 * one that shrinks meanwhile ends early and does no harm.
 */
#include "trace/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    METADATA_MAX = 16 << 20, /* bytes */
    CHUNK = 64 << 10,        /* read at a time, when nothing better is known */
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

/* Goes to the first packet at `at` or later and reads its header. False: to the end of the file. */
static bool header_from(struct stream *s, uint64_t at, const uint8_t uuid[16],
                        struct wire_packet *p)
{
    for (s->at = at; s->at < s->size; s->at += WIRE_PAGE)
        if (read_at(s->fd, p, sizeof *p, s->at) == sizeof *p && packet_is_one(p, uuid) &&
            packet_is_closed(p, PACKET_MAX))
            return true;
    s->at = s->size;
    return false;
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

/* The packet at s->at, of which its first `have` bytes are in buf. */
static bool load(struct stream *s, const struct wire_packet *p, size_t have)
{
    uint64_t content = p->content_size / 8;
    size_t want = (size_t)MIN(content, s->size - s->at);

    if (room(s, want) && want > have)
        have += read_at(s->fd, s->buf + have, want - have, s->at + have);
    s->chunk = MIN(s->cap, p->packet_size / 8);
    s->at += p->packet_size / 8;
    note_seq(s, p->packet_seq_num);
    stream_discarded(s, p->events_discarded);
    packet_begin(&s->c, s->buf, (uint32_t)MIN(want, have), p->timestamp_end);
    s->cut = s->c.end < content;
    s->stats.damaged += s->cut;
    return true;
}

bool folder_more(struct stream *s, const uint8_t uuid[16])
{
    struct wire_packet p;

    s->gap |= s->cut;
    s->bad = s->cut = false;
    s->c.at = s->c.end = 0;
    while (s->at < s->size) {
        size_t n = read_at(s->fd, s->buf, MAX(s->chunk, sizeof p), s->at);
        s->stats.packets++;
        if (n >= sizeof p)
            memcpy(&p, s->buf, sizeof p);
        if (n >= sizeof p && packet_is_one(&p, uuid) && packet_is_closed(&p, PACKET_MAX))
            return load(s, &p, n);
        stream_damage(s);
        header_from(s, ALIGN_DOWN(s->at, WIRE_PAGE) + WIRE_PAGE, uuid, &p);
        s->unknown++;
        s->bad = false;
    }
    s->dry = true;
    return false;
}

void folder_seek(struct stream *s, uint64_t time, const uint8_t uuid[16])
{
    uint64_t low = 0, high = s->size; /* packets before low end before time */
    struct wire_packet p;

    while (low < high) {
        uint64_t middle = low + ALIGN_DOWN((high - low) / 2, WIRE_PAGE);
        if (header_from(s, middle, uuid, &p) && s->at < high && p.timestamp_end < time)
            low = s->at + p.packet_size / 8;
        else
            high = middle;
    }
    s->at = low;
    s->from = time;
    s->c.at = s->c.end = 0;
    s->have = s->dry = s->bad = s->cut = s->gap = s->seq_known = s->discarded_known = false;
    s->unknown = 0;
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

/* The number of a file channel_N, or -1. */
static long channel_number(const char *name)
{
    unsigned n;
    int end = 0;

    if (sscanf(name, "channel_%4u%n", &n, &end) != 1 || name[end] || n >= WIRE_VCPUS)
        return -1;
    return (long)n;
}

static struct oscope_error *open_channel(int dir_fd, const char *dir, const char *name,
                                         struct stream *s)
{
    struct stat st;

    s->fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->fd < 0 || fstat(s->fd, &st))
        return error_errno(errno, "%s/%s", dir, name);
    if (!S_ISREG(st.st_mode))
        return error_new(OSCOPE_E_BAD_DATA, "%s/%s is no file", dir, name);
    s->size = (uint64_t)st.st_size;
    s->chunk = CHUNK;
    return room(s, CHUNK) ? NULL : error_nomem();
}

/* The numbers of the channels there are. */
static size_t list_channels(DIR *d, bool there[WIRE_VCPUS])
{
    struct dirent *e;
    size_t n = 0;

    while ((e = readdir(d))) {
        long number = channel_number(e->d_name);
        if (number >= 0 && !there[number]) {
            there[number] = true;
            n++;
        }
    }
    return n;
}

struct oscope_error *folder_open(const char *dir, char **text, size_t *len, struct stream **streams,
                                 size_t *nstreams)
{
    bool there[WIRE_VCPUS] = {false};
    struct oscope_error *err;
    DIR *d = opendir(dir);

    if (!d && errno == ENOENT)
        return error_new(OSCOPE_E_NOT_FOUND, "there is no recording %s", dir);
    if (!d)
        return error_errno(errno, "%s", dir);
    err = read_metadata(dirfd(d), dir, text, len);
    size_t n = err ? 0 : list_channels(d, there);
    *streams = n ? calloc(n, sizeof **streams) : NULL;
    if (n && !*streams)
        err = error_nomem();
    for (unsigned i = 0; !err && i < WIRE_VCPUS; i++)
        if (there[i]) {
            char name[32];
            struct stream *s = &(*streams)[*nstreams];
            s->ev.stream = (uint32_t)(*nstreams)++;
            snprintf(name, sizeof name, "channel_%u", i);
            err = open_channel(dirfd(d), dir, name, s);
        }
    closedir(d);
    return err;
}
