/* SPDX-License-Identifier: MIT */
/*
 * Symbol files the user gave (--vmlinux, --system-map). They win over what the guest's RAM tells,
 * and they make kernels readable that keep no symbol table (CONFIG_KALLSYMS=n).
 */
#ifndef OS_LINUX_GIVEN_H
#define OS_LINUX_GIVEN_H

#include "os/linux/linux.h"

/* A symbol file at link-time addresses. */
struct given {
    struct symimage *image; /* owned until it is added to a symtab */
    uint64_t text;          /* link-time _text */
    uint8_t build_id[64];
    size_t build_id_n; /* 0: it has none (System.map) */
    const char *path;  /* the user's */
};

/* Reads what opts name; g->image is NULL when they name nothing. vmlinux goes before System.map. */
struct oscope_error *given_open(const struct arch *arch, const struct os_open_options *opts,
                                struct given *g);
void given_free(struct given *g);

/* With the kernel found: the file's symbols take the place of those in RAM. Another build's file is
 * an error. */
struct oscope_error *given_use(struct linux_model *lm, struct given *g);

/*
 * Without kallsyms: finds the kernel whose banner lies in RAM by the file's symbols alone (banner,
 * root table, then the walk that maps one to the other) and fills lm->ks, base.symtab.
 */
struct oscope_error *given_locate(struct linux_model *lm, struct given *g);

#endif
