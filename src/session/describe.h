/* SPDX-License-Identifier: MIT */
/*
 * session.json: all that a command needs to open a session without asking anybody.
 */
#ifndef SESSION_DESCRIBE_H
#define SESSION_DESCRIBE_H

#include "target/live.h"

struct session_desc {
    char *id;
    char *kind; /* "run", "attach", "core", "gdb" */
    pid_t pid;  /* of QEMU, 0 for a core or a GDB stub */
    uint64_t start_time;
    char *arch;
    char *name;    /* guest's name (-name), QEMU's command, or the core's file name */
    char *qmp;     /* socket path the broker uses; NULL for a core */
    char *core;    /* absolute path; NULL for a live guest */
    char *gdb;     /* address of a GDB stub; regions have the VA of RAM as hva then */
    char *memory;  /* what its addresses are: "ask", "physical", "linear" */
    bool stay;     /* its target is not to be resumed */
    char *version; /* of QEMU; NULL for a core */
    char *vmlinux, *system_map, *profile; /* given when the session was made, or NULL */
    uint64_t created;                     /* seconds since 1970 */
    struct live_region *regions;
    size_t nregions;
};

void session_desc_free(struct session_desc *d);

/* Writes dir/session.json, all of it or nothing. */
struct oscope_error *session_desc_save(const char *dir, const struct session_desc *d);

/* Reads dir/session.json. OSCOPE_E_NOT_FOUND: there is none; OSCOPE_E_BAD_DATA. */
struct oscope_error *session_desc_load(const char *dir, struct session_desc *out);

#endif
