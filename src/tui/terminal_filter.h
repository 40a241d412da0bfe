/* SPDX-License-Identifier: MIT */
/*
 * What of a guest's console output may reach libvterm, whose parser (0.1.4, and upstream's of 2026)
 * trusts who writes: a control sequence (ECMA-48 5.4) of more than 16 parameters is written over
 * its heap, a repetition (REP, 8.3.103) of a combining character never ends, a number overflows.
 *
 * Passed, each when it is whole: text, controls, escape sequences, control sequences of few
 * parameters of few digits. A repetition becomes the characters it stands for. Left out: control
 * strings (device, operating system, application: what they set or ask is of no use here), which
 * end with the line, too, so that a program that died in one takes no more than that.
 */
#ifndef TUI_TERMINAL_FILTER_H
#define TUI_TERMINAL_FILTER_H

#include <stddef.h>

enum { TERMINAL_SEQUENCE = 64, TERMINAL_FILTERED = 96 /* bytes that one byte may become */ };

/* All zero: at the beginning. */
struct terminal_filter {
    enum { FILTER_TEXT, FILTER_ESCAPE, FILTER_SEQUENCE, FILTER_STRING } state;
    char held[TERMINAL_SEQUENCE]; /* what came of an escape or control sequence, from ESC on */
    unsigned len;                 /* of it; TERMINAL_SEQUENCE: too long, it will be left out */
    char last;                    /* the ASCII character before; 0: none, or another */
};

/* What becomes of one byte: as many bytes in `to` as are returned, 0 if none. */
size_t terminal_filter(struct terminal_filter *f, char byte, char to[TERMINAL_FILTERED]);

#endif
