/* SPDX-License-Identifier: MIT */
/* See parse.h. A cursor walks the line; what does not fit leaves it where it is. */
#include "capture/qemutrace/parse.h"

#include "base/util.h"

#include <string.h>

struct cursor {
    const char *p, *end;
};

static bool word(struct cursor *c, const char *text)
{
    size_t n = strlen(text);

    if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
        return false;
    c->p += n;
    return true;
}

static int digit(char ch)
{
    return ch >= '0' && ch <= '9'   ? ch - '0'
           : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
           : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                    : 16;
}

/* A number of 64 bits; one that is larger is none. */
static bool number(struct cursor *c, unsigned base, uint64_t *out)
{
    const char *p = c->p;
    uint64_t v = 0;

    for (; p < c->end && (unsigned)digit(*p) < base; p++)
        if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
            __builtin_add_overflow(v, (uint64_t)digit(*p), &v))
            return false;
    if (p == c->p)
        return false;
    c->p = p;
    *out = v;
    return true;
}

static bool small(struct cursor *c, unsigned base, uint64_t most, uint64_t *out)
{
    return number(c, base, out) && *out <= most;
}

/* What %p prints: "0x…", or "(nil)". */
static bool pointer(struct cursor *c, uint64_t *out)
{
    *out = 0;
    return word(c, "(nil)") || (word(c, "0x") && number(c, 16, out));
}

/* A number of exactly n decimal digits, and the character after it. */
static bool field(struct cursor *c, unsigned n, char after, uint64_t least, uint64_t most,
                  uint64_t *out)
{
    const char *begin = c->p;

    return number(c, 10, out) && c->p == begin + n && *out >= least && *out <= most &&
           c->p < c->end && *c->p++ == after;
}

/* Days since 1970 of a date of the Gregorian calendar, from 1970 on. Years begin in March here, so
 * that a leap day is the last of its year; years of 400 repeat. */
static uint64_t days(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* "YYYY-MM-DDTHH:MM:SS.uuuuuuZ ", UTC, since QEMU 11.1 at the latest. Need not be there. */
static bool iso_prefix(struct cursor *c, struct qemutrace_event *e)
{
    struct cursor at = *c;
    uint64_t year, month, day, hour, minute, second, usec;

    if (!field(&at, 4, '-', 1970, 2200, &year) || !field(&at, 2, '-', 1, 12, &month) ||
        !field(&at, 2, 'T', 1, 31, &day) || !field(&at, 2, ':', 0, 23, &hour) ||
        !field(&at, 2, ':', 0, 59, &minute) || !field(&at, 2, '.', 0, 60, &second) ||
        !field(&at, 6, 'Z', 0, 999999, &usec) || !word(&at, " "))
        return false;
    uint64_t seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    e->realtime = seconds * 1000000000 + usec * 1000;
    *c = at;
    return true;
}

/* "TID@SEC.USEC:", which need not be there. */
static void prefix(struct cursor *c, struct qemutrace_event *e)
{
    struct cursor at = *c;
    uint64_t tid, sec, usec;

    if (!small(&at, 10, INT32_MAX, &tid) || !word(&at, "@") ||
        !small(&at, 10, UINT64_MAX / 2000000000, &sec) || !word(&at, ".") ||
        !small(&at, 10, 999999, &usec) || !word(&at, ":"))
        return;
    e->thread = (int32_t)tid;
    e->realtime = sec * 1000000000 + usec * 1000;
    *c = at;
}

/* cpu 0 mr 0x5607cdde9260 addr 0xc201004 value 0x21 size 4 name 'riscv.sifive.plic' */
static bool mmio(struct cursor *c, struct qemutrace_event *e)
{
    uint64_t cpu, size;

    if (!word(c, "cpu "))
        return false;
    if (!word(c, "-1")) {
        if (!small(c, 10, UINT16_MAX, &cpu))
            return false;
        e->cpu = (int32_t)cpu;
    }
    if (!word(c, " mr ") || !pointer(c, &e->device) || !word(c, " addr ") ||
        !pointer(c, &e->address) || !word(c, " value ") || !pointer(c, &e->value) ||
        !word(c, " size ") || !small(c, 10, 64, &size) || !word(c, " name '"))
        return false;
    e->size = (uint32_t)size;
    const char *quote = c->end;
    while (quote > c->p && quote[-1] != '\'')
        quote--;
    if (quote == c->p)
        return false;
    size_t n = MIN((size_t)(quote - 1 - c->p), sizeof e->name - 1);
    memcpy(e->name, c->p, n);
    e->name[n] = '\0';
    return true;
}

/* write addr 0x01 val 0x07; since QEMU 11.1 at the latest: [0x01] <- 0x07, or -> of a read */
static bool serial(struct cursor *c, struct qemutrace_event *e)
{
    if (word(c, "["))
        return pointer(c, &e->address) && word(c, e->write ? "] <- " : "] -> ") &&
               pointer(c, &e->value);
    return word(c, e->write ? "write addr " : "read addr ") && pointer(c, &e->address) &&
           word(c, " val ") && pointer(c, &e->value);
}

/* addr 0x018 value 0x00000090 reg FR */
static bool pl011(struct cursor *c, struct qemutrace_event *e)
{
    return word(c, "addr ") && pointer(c, &e->address) && word(c, " value ") &&
           pointer(c, &e->value);
}

/* vdev 0x5607cdcb4000 req 0x5607ce4f3cc0 sector 8 nsectors 8 */
static bool blk_issue(struct cursor *c, struct qemutrace_event *e)
{
    uint64_t n;

    if (!word(c, "vdev ") || !pointer(c, &e->device) || !word(c, " req ") ||
        !pointer(c, &e->request) || !word(c, " sector ") || !number(c, 10, &e->sector) ||
        !word(c, " nsectors ") || !small(c, 10, UINT32_MAX, &n))
        return false;
    e->sectors = (uint32_t)n;
    return true;
}

/* vdev 0x5607cdcb4000 req 0x5607ce4f3cc0 status 0 */
static bool blk_complete(struct cursor *c, struct qemutrace_event *e)
{
    uint64_t status;

    if (!word(c, "vdev ") || !pointer(c, &e->device) || !word(c, " req ") ||
        !pointer(c, &e->request) || !word(c, " status ") || !small(c, 10, UINT32_MAX, &status))
        return false;
    e->status = (uint32_t)status;
    return true;
}

static const struct form {
    const char *name; /* of the trace point, and a space */
    bool write;
    enum qemutrace_kind kind;
    bool (*arguments)(struct cursor *c, struct qemutrace_event *e);
} forms[] = {
    {"memory_region_ops_read ", false, QEMUTRACE_MMIO, mmio},
    {"memory_region_ops_write ", true, QEMUTRACE_MMIO, mmio},
    {"serial_read ", false, QEMUTRACE_SERIAL, serial},
    {"serial_write ", true, QEMUTRACE_SERIAL, serial},
    {"pl011_read ", false, QEMUTRACE_PL011, pl011},
    {"pl011_write ", true, QEMUTRACE_PL011, pl011},
    {"virtio_blk_handle_read ", false, QEMUTRACE_BLK_ISSUE, blk_issue},
    {"virtio_blk_handle_write ", true, QEMUTRACE_BLK_ISSUE, blk_issue},
    {"virtio_blk_req_complete ", false, QEMUTRACE_BLK_COMPLETE, blk_complete},
};

enum qemutrace_line qemutrace_parse(const char *line, size_t n, struct qemutrace_event *out)
{
    struct cursor c = {line, line + n};

    if (n >= QEMUTRACE_LINE)
        return QEMUTRACE_OTHER;
    memset(out, 0, sizeof *out);
    out->cpu = -1;
    if (!iso_prefix(&c, out))
        prefix(&c, out);
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (!word(&c, forms[i].name))
            continue;
        out->kind = forms[i].kind;
        out->write = forms[i].write;
        return !memchr(line, '\0', n) && forms[i].arguments(&c, out) ? QEMUTRACE_EVENT
                                                                     : QEMUTRACE_BAD;
    }
    return QEMUTRACE_OTHER;
}
