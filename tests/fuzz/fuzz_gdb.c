/* SPDX-License-Identifier: MIT */
/*
 * What a GDB stub sends. Input: a byte that chooses, then a stream of packets, a list, or documents
 * (the first is target.xml, those behind a 0 byte are what it includes, in turn).
 */
#include "fuzz.h"

#include "base/util.h"
#include "target/gdb.h"
#include "target/gdb_packet.h"
#include "target/gdb_regs.h"

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            __builtin_trap();                                                                      \
    } while (0)

static void fuzz_stream(const char *p, size_t n, size_t cap, size_t step)
{
    char *buf = malloc(cap);
    struct gdb_decoder d;

    gdb_decoder_init(&d, buf, cap);
    for (size_t at = 0, used; at < n; at += used) {
        size_t piece = MIN(step, n - at);
        enum gdb_event e = gdb_decode(&d, p + at, piece, &used);

        CHECK(used && used <= piece);
        CHECK(e != GDB_MORE || used == piece);
        CHECK(d.len < cap);
        CHECK(e != GDB_PACKET || buf[d.len] == '\0');
    }
    free(buf);
}

/* What is sent comes out as it went in, and only what reads is sent. */
static void fuzz_request(const char *text)
{
    char frame[GDB_FRAME_MAX], buf[GDB_REQUEST_MAX + 1];
    size_t n = gdb_frame(text, frame), used;
    struct gdb_decoder d;

    CHECK(n <= sizeof frame);
    gdb_decoder_init(&d, buf, sizeof buf);
    if (n)
        CHECK(gdb_decode(&d, frame, n, &used) == GDB_PACKET && used == n && !strcmp(buf, text));
    if (gdb_allowed(text))
        CHECK(strchr("?gpmHqQD", text[0]) && strncmp(text, "qRcmd", 5) != 0);
}

static void fuzz_answers(const char *text, size_t n)
{
    struct gdb_features f;
    char id[GDB_THREAD_ID];
    const char *p = text;
    uint8_t bytes[64];

    gdb_parse_supported(text, &f);
    CHECK(!f.packet_size || (f.packet_size >= 64 && f.packet_size <= GDB_PACKET_MAX));
    for (const char *before = p; gdb_next_thread(&p, id); before = p)
        CHECK(p > before && p <= text + n && *id);
    CHECK(gdb_hex(text, n, bytes, sizeof bytes) <= (long)sizeof bytes);
    gdb_stop_kind(text, n);
    gdb_is_error(text, n);

    struct gdb_range r;
    bool linear;
    oscope_error_free(gdb_range_parse(text, &r, &linear));
}

struct documents {
    const uint8_t *p;
    size_t n;
};

static struct oscope_error *next_document(void *arg, const char *annex, char **text, size_t *n)
{
    struct documents *d = arg;
    const uint8_t *end = memchr(d->p, 0, d->n);

    if (!d->n)
        return error_new(OSCOPE_E_NOT_FOUND, "no more");
    *n = end ? (size_t)(end - d->p) : d->n;
    *text = malloc(*n + 1);
    if (!*text)
        return error_nomem();
    memcpy(*text, d->p, *n);
    (*text)[*n] = '\0';
    size_t used = *n + (end != NULL);
    d->p += used, d->n -= used;
    return NULL;
}

static void fuzz_description(const uint8_t *p, size_t n)
{
    struct documents d = {p, n};
    struct gdb_regs r;
    struct oscope_error *err = gdb_xml_target(next_document, &d, &r);

    for (size_t i = 0; !err && i < r.v.len; i++) {
        CHECK(memchr(r.v.data[i].name, 0, sizeof r.v.data[i].name) && r.v.data[i].bytes);
        CHECK(!i || (r.v.data[i].num > r.v.data[i - 1].num && r.v.data[i].at > r.v.data[i - 1].at));
    }
    if (!err)
        gdb_regs_arch(&r);
    oscope_error_free(err);
    gdb_regs_free(&r);
}

static void fuzz_map(const uint8_t *p, size_t n)
{
    struct gdb_ram ram[GDB_RAM_MAX];
    size_t found;

    oscope_error_free(gdb_xml_memory((const char *)p, n, ram, &found));
    CHECK(found <= GDB_RAM_MAX);
    for (size_t i = 0; i < found; i++)
        CHECK(ram[i].size && ram[i].size <= UINT64_MAX - ram[i].start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    size_t n = size - 1;
    char *text = malloc(n + 1); /* exact, for ASan */
    if (!text)
        return 0;
    memcpy(text, data + 1, n);
    text[n] = '\0';
    switch (data[0] % 4) {
    case 0: fuzz_stream(text, n, 2 + data[0], 1 + data[0] / 16); break;
    case 1:
        fuzz_request(text);
        fuzz_answers(text, strlen(text));
        break;
    case 2: fuzz_description(data + 1, n); break;
    default: fuzz_map(data + 1, n); break;
    }
    free(text);
    return 0;
}
