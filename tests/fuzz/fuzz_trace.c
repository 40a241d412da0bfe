/* SPDX-License-Identifier: MIT */
/*
 * Hostile packets and metadata. First byte 0: the rest is a recording's metadata, which must be
 * refused or come out as it went in when it is written again. Else the rest lies over the packets
 * of two live rings, whose writers then go on, or (even first byte) over a file of a recording,
 * plain or compressed. Values must lie within what was read, and every event must be accounted for.
 * What clients are told of an event of any type is printable.
 */
#include "fuzz.h"

#include "../unit/fake_trace.h"

#include "os/model.h"
#include "session/event_fields.h"
#include "trace/packed.h"
#include "trace/record.h"
#include "trace/stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

static void check_event(const struct trace_event *ev)
{
    const volatile char *end;

    for (unsigned i = 0; i < ev->type->nfields; i++) {
        if (ev->at[i] > ev->size)
            abort();
        trace_event_u64(ev, i);
        for (end = trace_event_str(ev, i); *end; end++)
            ;
    }
}

/* As clients are given it: printable, whatever stands in it. */
static void check_fields(struct event_fields *f, const struct trace_event *ev)
{
    const struct os_model linux_riscv = {.ops = os_find("linux"), .arch = arch_find("riscv64")};
    const struct event_words words = {.os = ev->cpu & 1 ? &linux_riscv : NULL};
    const struct oscope_event *e = event_fields_fill(f, ev, &words);

    for (size_t i = 0; i < e->nfields; i++) {
        const char *texts[] = {e->fields[i].meaning, e->fields[i].detail,
                               e->fields[i].kind == OSCOPE_FIELD_TEXT ? e->fields[i].value.text
                                                                      : ""};
        for (size_t k = 0; k < 3; k++)
            for (const char *p = texts[k]; p && *p; p++)
                if (*p < ' ' || *p > '~')
                    abort();
    }
}

static void drain(struct trace_reader *r)
{
    const struct trace_event *ev;
    uint64_t events = trace_reader_stats(r).events;

    for (; (ev = trace_reader_next(r)); events++)
        check_event(ev);
    if (trace_reader_stats(r).events != events)
        abort();
}

static void fuzz_rings(const uint8_t *data, size_t n)
{
    struct fake_trace f;
    struct trace_reader *r;

    fake_trace_open(&f, 2);
    for (int32_t i = 0; i < 500; i++)
        fake_exit(&f, (uint32_t)i & 1, (uint64_t)i, i);
    if (n > 10) { /* anywhere in the first packets */
        size_t at = load16(data) % (2 * FAKE_PACKET);
        memcpy(fake_packet(&f, 0, 0) + at, data + 2, MIN(n - 2, 2 * FAKE_PACKET - at));
        memcpy(fake_packet(&f, 1, 1) + at % 256, data + 2, MIN(n - 2, (size_t)1024));
    }
    if (trace_reader_open_rings(&r, &f.rings, &f.schema, data[0] & 1 ? TRACE_FROM_OLDEST : 0))
        abort();
    trace_reader_poll(r, 200);
    drain(r);
    for (int32_t i = 500; i < 500 + load16(data) % 3000; i++)
        fake_exit(&f, (uint32_t)i & 1, (uint64_t)i, i);
    if (n > 12)
        atomic_store(&fake_ring(&f, 1)->position, load64(data + 4));
    trace_reader_poll(r, UINT64_MAX);
    drain(r);
    trace_reader_close(r);
    fake_trace_close(&f);
}

/* Reads a stream of one file as folder.c does. */
static void read_file(struct stream *s, const struct fake_trace *f, uint64_t seek)
{
    struct stream_file file = {.fd = s->fd, .packed = s->packed, .size = s->size};
    struct trace_event ev;

    s->files = malloc(sizeof file);
    memcpy(s->files, &file, sizeof file);
    s->nfiles = 1;
    s->cap = s->chunk = 4 * FAKE_PACKET;
    s->buf = malloc(s->cap);
    while (folder_more(s, f->rings.uuid))
        while (packet_next(&s->c, &f->schema, &ev) == PACKET_EVENT)
            check_event(&ev);
    if (!s->dry || s->at < s->size)
        abort();
    folder_seek(s, seek, f->rings.uuid);
    if (s->at > s->size + PACKET_MAX)
        abort();
    folder_close(s);
    free(s->buf);
}

/* A file with a good packet, the input, and a good packet. */
static void fuzz_file(const uint8_t *data, size_t n)
{
    struct fake_trace f;
    struct stream s = {.fd = memfd_create("channel_0", MFD_CLOEXEC)};

    fake_trace_open(&f, 1);
    for (int32_t i = 0; f.writers[0].n < 2; i++)
        fake_exit(&f, 0, (uint64_t)i, i);
    uint64_t last = ALIGN_UP(FAKE_PACKET + n, FAKE_PACKET);
    if (pwrite(s.fd, fake_packet(&f, 0, 0), FAKE_PACKET, 0) != FAKE_PACKET ||
        pwrite(s.fd, data, n, FAKE_PACKET) != (ssize_t)n ||
        pwrite(s.fd, data, n < 200 ? n : 200, (off_t)load16(data) % FAKE_PACKET) < 0 ||
        pwrite(s.fd, fake_packet(&f, 0, 1), FAKE_PACKET, (off_t)last) != FAKE_PACKET)
        abort();
    s.size = last + FAKE_PACKET;
    read_file(&s, &f, load16(data));
    fake_trace_close(&f);
}

/* A compressed packet, over which the input lies, the input, and a good one. */
static void fuzz_packed(const uint8_t *data, size_t n)
{
    struct fake_trace f;
    struct packer *packer = packer_new();
    uint8_t *packed = malloc(packed_most(FAKE_PACKET));
    struct stream s = {.fd = memfd_create("channel_0.zst", MFD_CLOEXEC), .packed = true};

    fake_trace_open(&f, 1);
    for (int32_t i = 0; f.writers[0].n < 2; i++)
        fake_exit(&f, 0, (uint64_t)i, i);
    for (uint64_t k = 0; k < 2; k++) {
        size_t got = packer_pack(packer, fake_packet(&f, 0, k), FAKE_PACKET, packed);
        if (pwrite(s.fd, packed, got, (off_t)s.size) != (ssize_t)got ||
            pwrite(s.fd, data, n, (off_t)(s.size + got)) != (ssize_t)n)
            abort();
        if (!k && pwrite(s.fd, data, MIN(n, (size_t)16), (off_t)(load16(data) % got)) < 0)
            abort();
        s.size += got + (k ? 0 : n);
    }
    packer_free(packer);
    free(packed);
    read_file(&s, &f, load16(data));
    fake_trace_close(&f);
}

/* An event of each type that the metadata has, with fields anywhere in the input. */
static void fuzz_types(const struct trace_schema *s, const uint8_t *data, size_t n)
{
    uint8_t *bytes = calloc(1, n + 16);
    struct event_fields fields;

    memcpy(bytes, data, n);
    if (event_fields_init(&fields))
        abort();
    for (unsigned id = 0; id < s->nids; id++) {
        struct trace_event ev = {.cpu = id, .bytes = bytes, .size = (uint16_t)n};
        if (!s->by_id[id])
            continue;
        ev.type = &s->by_id[id]->type;
        ev.at = ev.own;
        for (unsigned i = 0; i < TRACE_FIELDS; i++)
            ev.own[i] = (uint16_t)(data[(id + i) % n] * 37u % (n + 1));
        check_fields(&fields, &ev);
    }
    event_fields_free(&fields);
    free(bytes);
}

static void fuzz_metadata(const uint8_t *data, size_t n)
{
    AUTO_FREE char *text = strndup((const char *)data, n), *again = NULL;
    struct trace_metadata m;
    struct trace_schema s;
    struct arena arena = {0};
    size_t len;

    trace_schema_init(&s);
    struct oscope_error *err = trace_metadata_read(text, strlen(text), &arena, &m, &s);
    if (!err) {
        fuzz_types(&s, data, n);
        m.nenv = 0;
        if (trace_metadata_write(&m, &s, &again, &len) || !len)
            abort();
    }
    oscope_error_free(err);
    trace_schema_free(&s);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 3)
        return 0;
    if (!data[0])
        fuzz_metadata(data + 1, n - 1);
    else if (data[0] & 1)
        fuzz_rings(data + 1, n - 1);
    else if (data[0] & 2)
        fuzz_packed(data + 1, n - 1);
    else
        fuzz_file(data + 1, n - 1);
    return 0;
}
