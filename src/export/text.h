/* SPDX-License-Identifier: MIT */
/*
 * Strings of the guest, made fit for files: always valid UTF-8 without control characters, so that
 * no format has to care for more than its own quotes.
 */
#ifndef EXPORT_TEXT_H
#define EXPORT_TEXT_H

#include "base/util.h"

/*
 * Copies at most n bytes of s, up to a 0, into dst of cap > 4 bytes and terminates it. Control
 * characters and bytes that are not UTF-8 become \xNN. What does not fit is left out, at the border
 * of a character. Returns the length.
 */
size_t export_text(char *dst, size_t cap, const char *s, size_t n);

#endif
