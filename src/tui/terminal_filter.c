/* SPDX-License-Identifier: MIT */
#include "tui/terminal_filter.h"

#include "base/util.h"

#include <stdbool.h>
#include <string.h>

enum { BEL = 0x07, LF = 0x0a, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f };

enum { PARAMETERS = 12, DIGITS = 4, REPEATED = 80 /* a line; what is beyond would wrap */ };

static size_t one(char byte, char *to)
{
    to[0] = byte;
    return 1;
}

static void hold(struct terminal_filter *f, char byte)
{
    if (f->len < TERMINAL_SEQUENCE)
        f->held[f->len++] = byte;
}

/* The sequence, whole. */
static size_t release(const struct terminal_filter *f, char *to)
{
    if (f->len == TERMINAL_SEQUENCE)
        return 0;
    memcpy(to, f->held, f->len);
    return f->len;
}

/* number: the last parameter's; 0 if it is left out. */
static bool parameters_fit(const struct terminal_filter *f, unsigned *number)
{
    unsigned parameters = 1, digits = 0;

    *number = 0;
    for (unsigned i = 2; i < f->len - 1; i++)
        if (f->held[i] == ';' || f->held[i] == ':') {
            parameters++;
            digits = *number = 0;
        } else if (f->held[i] >= '0' && f->held[i] <= '9') {
            digits++;
            if (digits > DIGITS)
                return false;
            *number = *number * 10 + (unsigned)(f->held[i] - '0');
        }
    return parameters <= PARAMETERS;
}

static size_t sequence_end(const struct terminal_filter *f, char *to)
{
    unsigned number;

    if (!parameters_fit(f, &number))
        return 0;
    if (f->held[f->len - 1] != 'b')
        return release(f, to);
    size_t n = f->last ? MIN(MAX(number, 1U), (unsigned)REPEATED) : 0;
    memset(to, f->last, n);
    return n;
}

/* After ESC, from ' ' to '~'. */
static size_t escape(struct terminal_filter *f, char byte, char *to)
{
    bool first = f->len == 1, string = strchr("PX]^_", byte) != NULL; /* DCS, SOS, OSC, PM, APC */

    hold(f, byte);
    if (byte < '0')
        return 0; /* an intermediate byte: more follows */
    f->state = FILTER_TEXT;
    if (!string && byte != '[')
        return release(f, to);
    if (first) /* else none that is known, and libvterm 0.1.4 forgets the intermediate bytes */
        f->state = string ? FILTER_STRING : FILTER_SEQUENCE;
    return 0;
}

size_t terminal_filter(struct terminal_filter *f, char byte, char to[TERMINAL_FILTERED])
{
    unsigned char c = (unsigned char)byte;
    bool text = f->state == FILTER_TEXT, string = f->state == FILTER_STRING;

    if (c == ESC) { /* of a string, the beginning of its end (ESC \), or ends it as well */
        f->state = FILTER_ESCAPE;
        f->held[0] = byte;
        f->len = 1;
        return 0;
    }
    if (c == CAN || c == SUB || (string && (c == BEL || c == LF)))
        f->state = FILTER_TEXT;
    if (string && c == LF) { /* its carriage's return was taken for a part of the string */
        memcpy(to, "\r\n", 2);
        return 2;
    }
    if (string)
        return 0;
    if (text || c < ' ' || c == DEL) { /* a control within a sequence is carried out */
        if (c >= ' ')
            f->last = byte;
        if (c >= DEL)
            f->last = 0;
        return one(byte, to);
    }
    if (c > DEL) { /* no part of any sequence */
        f->state = FILTER_TEXT;
        return one(byte, to);
    }
    if (f->state == FILTER_ESCAPE)
        return escape(f, byte, to);
    hold(f, byte);
    if (c < '@')
        return 0;
    f->state = FILTER_TEXT;
    return sequence_end(f, to);
}
