/* SPDX-License-Identifier: MIT */
/* Names of files as /proc/PID/maps shows them. */
#ifndef OS_LINUX_PATH_H
#define OS_LINUX_PATH_H

#include "os/linux/linux.h"

enum { PATH_TEXT_MAX = 8192 };

struct path_file {
    char text[PATH_TEXT_MAX]; /* terminated; newlines as \012, like the kernel */
    uint32_t major, minor;    /* of the file system */
    uint64_t inode;
    unsigned hops_left; /* in and out: dentries and mounts that may still be followed */
    bool torn;          /* something on the way could not be read: text may be cut or "" */
};

/*
 * Describes the struct file at va: the path from the topmost mount down, following mounts
 * (d_path(), fs/d_path.c), " (deleted)" when unlinked, the names of anonymous inodes, pipes,
 * sockets, memfds. Of a file below overlayfs the path that the user opened (6.8 and later; before,
 * f_path is that already). Never fails: see torn.
 */
void path_of_file(struct linux_model *lm, uint64_t file, struct path_file *out);

/* True when the function at va has this name (or NAME.suffix, as compilers make clones). */
bool path_function_is(struct linux_model *lm, uint64_t va, const char *name);

#endif
