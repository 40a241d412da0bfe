/* SPDX-License-Identifier: MIT */
/*
 * A connection to the guest's serial port, for typing: a pty or a socket that QEMU offers. Opened
 * only because the user asked for it. A thread of its own reads what comes, at all times, since a
 * guest waits for who is connected and does not read.
 */
#ifndef COLLECT_LINK_H
#define COLLECT_LINK_H

#include <oscope/error.h>

#include <stdbool.h>
#include <stddef.h>

struct link;

struct link_options {
    const char *path;
    bool pty; /* else a socket */
    /* In the link's thread: bytes of the guest; n 0: the other end has closed it. */
    void (*take)(void *arg, const char *bytes, size_t n);
    void *arg;
};

/* Errors: it is not there, not what it is said to be, or somebody else has it. */
struct oscope_error *link_open(const struct link_options *o, struct link **out);
void link_close(struct link *l); /* NULL allowed */

/* Bytes to the guest; those for which there is no room in LINK_QUEUE are dropped, and all when the
 * other end has closed it: false. */
enum { LINK_QUEUE = 4096 };
bool link_send(struct link *l, const char *bytes, size_t n);

#endif
