/* SPDX-License-Identifier: MIT */
/*
 * Unix sockets in a session folder, whose path may be longer than a socket address can hold: they
 * are reached through /proc/self/fd.
 */
#ifndef SESSION_SOCK_H
#define SESSION_SOCK_H

#include <stdbool.h>

/* Both return a descriptor (close-on-exec), or -1 with errno. The listener is made 0600. */
int sock_connect(const char *dir, const char *name);
int sock_listen(const char *dir, const char *name);

/* True when some process listens on a socket bound to this path. */
bool sock_is_listening(const char *path);

#endif
