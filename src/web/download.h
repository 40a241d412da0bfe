/* SPDX-License-Identifier: MIT */
/*
 * A recording on its way to a browser, in another tool's format or as it is (CTF, as a tar
 * archive): a thread writes it into a pipe, as fast as it is read from there, so that it is never
 * whole in memory. Knows no HTTP library.
 */
#ifndef WEB_DOWNLOAD_H
#define WEB_DOWNLOAD_H

#include <oscope/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct download;

/* What there is: the formats of oscope_export_format_name(), and the recording itself. */
struct download_kind {
    const char *to; /* in the address */
    const char *title, *doc, *suffix;
    bool itself;
};
/* The i-th; false: there are no more. */
bool download_kind(size_t i, struct download_kind *out);
/* Is there such a one? */
bool download_format(const char *to);

/* Begins. dir: the recording. Errors: no such format; no thread, no memory. */
struct oscope_error *download_open(const char *dir, const char *to, struct download **out);
/* Ends it, whether it is whole or not; may take a moment. */
void download_close(struct download *d);

enum { DOWNLOAD_NONE = -1, DOWNLOAD_FAILED = -2 };
/* Up to n bytes. 0: that was all; DOWNLOAD_NONE: none yet; DOWNLOAD_FAILED: it broke off. */
ssize_t download_read(struct download *d, unsigned char *buf, size_t n);

/* The name of the file to save it in: letters, digits and "._-". */
const char *download_name(const struct download *d);

#endif
