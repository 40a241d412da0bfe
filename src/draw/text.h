/* SPDX-License-Identifier: MIT */
/*
 * Text from the guest, made safe to show, and numbers made readable. Guest strings are hostile:
 * escape sequences, invalid UTF-8, characters that reorder or hide others.
 */
#ifndef DRAW_TEXT_H
#define DRAW_TEXT_H

#include "draw/out.h"

/*
 * Length of the UTF-8 character at s (n bytes left) and its code point; 0 when the bytes there are
 * not valid UTF-8 (overlong forms, surrogates and values over U+10FFFF are invalid too).
 */
size_t text_utf8(const char *s, size_t n, uint32_t *cp);

/*
 * Appends n bytes at s so that a terminal shows them and obeys none of them: control characters,
 * invalid UTF-8 and invisible or reordering characters become \xNN, one for each byte; without utf8
 * all that is not ASCII does. Returns the number of terminal cells used.
 */
size_t text_safe(struct out *o, const char *s, size_t n, bool utf8);

/*
 * Cuts safe text of n bytes to at most `cells` cells, ending in "…" (utf8) or "~" when something
 * was cut. Returns the cells used.
 */
size_t text_cut(struct out *o, const char *s, size_t n, size_t cells, bool utf8);

/* The same, but what is cut is the beginning: of a path the end tells more. */
size_t text_cut_front(struct out *o, const char *s, size_t n, size_t cells, bool utf8);

/*
 * Appends safe text (it may have colour sequences of our own in it), broken at blanks into lines of
 * at most `width` cells (0: not broken). The first line begins at cell `at`, where the output
 * stands; the others begin with `indent` blanks. A word that no line can hold is broken anywhere.
 */
struct text_lines {
    size_t width, at, indent;
};
void text_wrap(struct out *o, const char *s, size_t n, const struct text_lines *l);

/* Cells of safe text. */
size_t text_width(const char *s, size_t n);

/* A JSON string with its quotes: always valid UTF-8. Bytes that are not become \xNN (as text). */
void text_json(struct out *o, const char *s, size_t n);

/* "132.0 KiB", "0", to the nearest tenth; exact: the number of bytes. */
void text_bytes(struct out *o, uint64_t v, bool exact);
/* The same in at most 5 cells: "132K", "1.5M", "2M". */
void text_bytes_short(struct out *o, uint64_t v, bool exact);
/* Nanoseconds as "m:ss.mmm", "h:mm:ss", "2d 03:04:05". */
void text_duration(struct out *o, uint64_t ns);
/* The same, finer: "871ns", "12.3us", "4.57ms", "1.234s". */
void text_fine(struct out *o, uint64_t ns);

/*
 * A whole number, decimal or with 0x hexadecimal; nothing before or after it. False when it is not
 * one or does not fit.
 */
bool text_number(const char *s, uint64_t max, uint64_t *out);
/* Seconds, "2", "0.1", "10s"; false unless 0.001 <= v <= 1e6. */
bool text_seconds(const char *s, double *out);
/*
 * A moment of a recording: "2.5", "250ms", "40us" after its first event, or "@1234.5": seconds of
 * its clock, as `oscope events` prints them. Whole nanoseconds, exactly; units s, ms, us, ns. A '+'
 * before it changes nothing.
 */
struct text_moment {
    bool absolute;
    uint64_t ns;
};
bool text_moment(const char *s, struct text_moment *out);
#define TEXT_MOMENT_FORM                                                                           \
    "seconds after the first event (2.5, 250ms, 40us), or @ and the recording's own time "         \
    "(@1234.5)"
/* Bytes, "4096", "500M", "1.5GiB": K, M, G, T are powers of 1024. */
bool text_size(const char *s, uint64_t *out);

/* Levenshtein distance, for "did you mean"; at most 64 bytes of each are compared. */
unsigned text_distance(const char *a, const char *b);

#endif
