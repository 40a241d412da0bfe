/* SPDX-License-Identifier: MIT */
/*
 * A packet is $DATA#cs: cs is the sum of the bytes as sent, in two hex digits. In DATA '}' means
 * that the next byte is xored with 0x20, '*' that the byte before is repeated as often as the next
 * byte says, minus 29. A notification is the same behind a '%'. Between packets stand '+' and '-'.
 */
#include "target/gdb_packet.h"

#include "base/util.h"

#include <ctype.h>
#include <stdio.h>

enum { ESCAPE = '}', REPEAT = '*', ESCAPE_BIT = 0x20, REPEAT_BASE = 29 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t gdb_frame(const char *payload, char *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum = 0;
    size_t n = 0;

    if (strlen(payload) > GDB_REQUEST_MAX)
        return 0;
    out[n++] = '$';
    for (const char *p = payload; *p; p++) {
        char c = *p;

        if (strchr("#$}*", c)) {
            out[n++] = ESCAPE;
            sum += ESCAPE;
            c ^= ESCAPE_BIT;
        }
        out[n++] = c;
        sum += (uint8_t)c;
    }
    out[n++] = '#';
    out[n++] = digits[sum >> 4];
    out[n++] = digits[sum & 15];
    return n;
}

/* ---- decoding ---- */

enum { OUTSIDE, DATA, ESCAPED, REPEATED, SUM_HIGH, SUM_LOW };

void gdb_decoder_init(struct gdb_decoder *d, char *buf, size_t cap)
{
    *d = (struct gdb_decoder){.buf = buf, .cap = cap, .state = OUTSIDE};
}

static void put(struct gdb_decoder *d, char c)
{
    if (d->len + 1 < d->cap)
        d->buf[d->len++] = c;
    else
        d->too_long = true;
}

static void repeat(struct gdb_decoder *d, uint8_t c)
{
    if (c < ' ' || c > 126 || !d->len) {
        d->damaged = true;
        return;
    }
    for (unsigned i = REPEAT_BASE; i < c && !d->too_long; i++)
        put(d, d->buf[d->len - 1]);
}

/* A packet starts: one that has not ended is forgotten, as stubs and GDB do. */
static void start(struct gdb_decoder *d, bool notification)
{
    d->len = 0;
    d->sum = 0;
    d->notification = notification;
    d->damaged = d->too_long = false;
    d->state = DATA;
}

/* Behind the last digit of the checksum. True: *event is to be told. */
static bool finish(struct gdb_decoder *d, enum gdb_event *event)
{
    d->state = OUTSIDE;
    if (d->notification)
        return false;
    d->buf[d->len] = '\0';
    *event = d->too_long ? GDB_LONG : d->damaged || d->want != d->sum ? GDB_DAMAGED : GDB_PACKET;
    return true;
}

/* One byte; true: *event is to be told. */
static bool take(struct gdb_decoder *d, char c, enum gdb_event *event)
{
    int digit = hex_digit(c);

    switch (d->state) {
    case OUTSIDE:
        if (c == '$' || c == '%')
            start(d, c == '%');
        *event = c == '+' ? GDB_ACK : GDB_NAK;
        return c == '+' || c == '-';
    case SUM_HIGH:
        d->damaged |= digit < 0;
        d->want = (uint8_t)((unsigned)digit << 4);
        d->state = SUM_LOW;
        return false;
    case SUM_LOW:
        d->damaged |= digit < 0;
        d->want |= (uint8_t)digit;
        return finish(d, event);
    default: break;
    }
    if (c == '#') {
        d->damaged |= d->state != DATA;
        d->state = SUM_HIGH;
        return false;
    }
    if (c == '$') {
        start(d, false);
        return false;
    }
    d->sum += (uint8_t)c;
    if (d->state == ESCAPED) {
        put(d, (char)(c ^ ESCAPE_BIT));
        d->state = DATA;
    } else if (d->state == REPEATED) {
        repeat(d, (uint8_t)c);
        d->state = DATA;
    } else if (c == ESCAPE) {
        d->state = ESCAPED;
    } else if (c == REPEAT) {
        d->state = REPEATED;
    } else {
        put(d, c);
    }
    return false;
}

enum gdb_event gdb_decode(struct gdb_decoder *d, const char *p, size_t n, size_t *used)
{
    enum gdb_event event = GDB_MORE;

    for (size_t i = 0; i < n; i++) {
        if (take(d, p[i], &event)) {
            *used = i + 1;
            return event;
        }
    }
    *used = n;
    return GDB_MORE;
}

/* ---- what may be sent ---- */

/* Length of a run of hex digits, 0 when there are none or more than 16. */
static size_t hex_run(const char *p)
{
    size_t n = strspn(p, "0123456789abcdef");

    return n <= 16 ? n : 0;
}

static bool two_numbers(const char *p)
{
    size_t n = hex_run(p), m = n && p[n] == ',' ? hex_run(p + n + 1) : 0;

    return m && !p[n + 1 + m];
}

static bool one_number(const char *p)
{
    size_t n = hex_run(p);

    return n && !p[n];
}

static bool thread_id(const char *p)
{
    char id[GDB_THREAD_ID];

    return gdb_next_thread(&p, id) && !*p;
}

static bool file_part(const char *p)
{
    const char *colon = strrchr(p, ':');

    return colon && two_numbers(colon + 1);
}

static bool anything(const char *p)
{
    return *p != '\0';
}

static bool nothing(const char *p)
{
    return *p == '\0';
}

bool gdb_allowed(const char *payload)
{
    static const struct {
        const char *start;
        bool (*rest)(const char *p);
    } list[] = {
        {"?", nothing},
        {"g", nothing},
        {"p", one_number},
        {"m", two_numbers},
        {"Hg", thread_id},
        {"qfThreadInfo", nothing},
        {"qsThreadInfo", nothing},
        {"qThreadExtraInfo,", thread_id},
        {"qSupported:", anything},
        {"qXfer:features:read:", file_part},
        {"qXfer:memory-map:read::", two_numbers},
        /* Of the connection: acknowledgements, physical addresses in QEMU's m, its end. */
        {"QStartNoAckMode", nothing},
        {"qqemu.PhyMemMode", nothing},
        {"Qqemu.PhyMemMode:0", nothing},
        {"Qqemu.PhyMemMode:1", nothing},
        {"qC", nothing},
        {"D", nothing},
        {"D;", one_number},
    };

    for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
        size_t n = strlen(list[i].start);

        if (!strncmp(payload, list[i].start, n) && list[i].rest(payload + n))
            return true;
    }
    return false;
}

/* ---- answers ---- */

long gdb_hex(const char *text, size_t n, uint8_t *out, size_t max)
{
    if (n % 2 || n / 2 > max)
        return -1;
    for (size_t i = 0; i < n / 2; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return -1;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return (long)(n / 2);
}

void gdb_parse_supported(const char *text, struct gdb_features *out)
{
    static const char size[] = "PacketSize=";

    *out = (struct gdb_features){0};
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, ";");

        if (!strncmp(p, size, sizeof size - 1) && isxdigit((unsigned char)p[sizeof size - 1])) {
            unsigned long long value = strtoull(p + sizeof size - 1, NULL, 16);
            out->packet_size = (size_t)MIN(MAX(value, 64ull), (unsigned long long)GDB_PACKET_MAX);
        }
        out->no_ack |= n == 16 && !strncmp(p, "QStartNoAckMode+", n);
        out->target_xml |= n == 20 && !strncmp(p, "qXfer:features:read+", n);
        out->memory_map |= n == 22 && !strncmp(p, "qXfer:memory-map:read+", n);
        p += n + (p[n] == ';');
    }
}

bool gdb_next_thread(const char **p, char id[GDB_THREAD_ID])
{
    const char *at = *p + (**p == ','), *digits = at + (*at == 'p');
    size_t n = strspn(digits, "0123456789abcdefABCDEF.-") + (size_t)(digits - at);

    if (!isxdigit((unsigned char)*digits) || n >= GDB_THREAD_ID || (at[n] && at[n] != ','))
        return false;
    memcpy(id, at, n);
    id[n] = '\0';
    *p = at + n;
    return true;
}

bool gdb_is_error(const char *text, size_t n)
{
    return n >= 2 && text[0] == 'E' &&
           (text[1] == '.' || (n == 3 && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0));
}

enum gdb_stop gdb_stop_kind(const char *text, size_t n)
{
    if (n < 3 || hex_digit(text[1]) < 0 || hex_digit(text[2]) < 0)
        return GDB_STOP_NO;
    if (text[0] == 'W' || text[0] == 'X')
        return GDB_STOP_GONE;
    return text[0] == 'S' || text[0] == 'T' ? GDB_STOP_YES : GDB_STOP_NO;
}
