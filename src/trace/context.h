/* SPDX-License-Identifier: MIT */
/*
 * What travels with a recording beside its packets, in the folder's folder "oscope", which readers
 * of CTF pass over: the guest's tasks and the kernel's symbols when the recording began. So that
 * who reads a recording needs nothing but the folder.
 *
 *     oscope/tasks.json   [{"tid":1,"pid":1,"ppid":0,"comm":"init"}, …]; of those that a vCPU ran,
 *                         among them the idle tasks (tid 0), also "cpu" and "at"
 *     oscope/symbols      functions: a block of symbols/symtab.h
 *     oscope/symbols-2 …  those of kernels that lay elsewhere after a reset, in order
 */
#ifndef TRACE_CONTEXT_H
#define TRACE_CONTEXT_H

#include "base/error.h"
#include "symbols/symtab.h"

struct trace_task {
    int32_t tid, pid, ppid; /* ppid 0: not known, or none */
    char comm[32];          /* printable ASCII */
    uint32_t cpu;           /* vCPU that ran it, */
    uint64_t at;            /* ns, CLOCK_MONOTONIC: just before that was looked up; 0: none did */
};

enum { TRACE_CONTEXT_KERNELS = 16 };

struct trace_context {
    struct symtab *symtab; /* functions; NULL: none travelled with it, or they are damaged */
    struct trace_task *tasks;
    size_t ntasks;
    void *blocks[TRACE_CONTEXT_KERNELS]; /* behind the symbols; private */
};

/* Writes it; symtab may be NULL. What is there already is an error. OSCOPE_E_IO, OSCOPE_E_NOMEM. */
struct oscope_error *trace_context_write(const char *dir, const struct symtab *symtab,
                                         const struct trace_task *tasks, size_t n) WARN_UNUSED;
/* Adds the functions of the n-th kernel (1 … TRACE_CONTEXT_KERNELS - 1), which lies elsewhere. */
struct oscope_error *trace_context_symbols(const char *dir, const struct symtab *symtab,
                                           unsigned n) WARN_UNUSED;
/* Writes the tasks anew, in place of those that are there. */
struct oscope_error *trace_context_tasks(const char *dir, const struct trace_task *tasks,
                                         size_t n) WARN_UNUSED;
/* Removes what was written. */
void trace_context_remove(const char *dir);

/* Everything in the files is hostile. What is missing or can't be used is left out. Errors:
 * OSCOPE_E_NOMEM. */
struct oscope_error *trace_context_open(const char *dir, struct trace_context *out) WARN_UNUSED;
void trace_context_close(struct trace_context *c);

#endif
