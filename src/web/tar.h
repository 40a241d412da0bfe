/* SPDX-License-Identifier: MIT */
/* A folder of files as a tar archive (POSIX.1-2017, pax: the ustar format). */
#ifndef WEB_TAR_H
#define WEB_TAR_H

#include <oscope/error.h>

/*
 * Writes the regular files of the folder and of folders in it, under its name; no links. A file
 * that grows meanwhile is as long as it was at first. fd stays open. Errors: OSCOPE_E_IO (it can't
 * be read or written, a file became shorter), OSCOPE_E_NOT_FOUND.
 */
struct oscope_error *tar_write(const char *dir, int fd);

#endif
