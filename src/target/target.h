/* SPDX-License-Identifier: MIT */
/*
 * One guest seen from outside: its physical memory (read-only), the registers of its vCPUs, its
 * machine map. Knows no OS and no page tables. Backends: a live QEMU (target/live.c), an ELF core
 * (target/core.c).
 *
 * Every guest-physical address handed in may come from hostile guest memory: each call checks it
 * against the RAM map. Addresses outside RAM (device registers, holes) are never touched; pages of
 * a live guest that the host has not populated read as zero without being populated.
 */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TARGET_PAGE_SHIFT = 12, TARGET_PAGE_SIZE = 1 << TARGET_PAGE_SHIFT };

/* One register, named as QEMU's `info registers` names it, in lower case ("pc", "x2", "satp",
 * "cr3"). */
struct target_reg {
    char name[16];
    uint64_t value;
};

struct target_vcpu {
    unsigned index;  /* QEMU's cpu index */
    pid_t thread_id; /* host thread, 0 if none */
    bool halted;
    struct target_reg *regs;
    size_t nregs;
};

struct target_vcpus {
    struct target_vcpu *vcpus;
    size_t n;
};

/* A stretch of guest RAM, contiguous in guest-physical space. Read by others, changed by target/
 * only. */
struct target_ram {
    uint64_t gpa, size;
    char name[32];       /* QEMU's memory region or "core" */
    const uint8_t *map;  /* read-only mapping of all of it, or NULL: only through target_read() */
    uint64_t *populated; /* bit per page known to be populated; NULL: all are */
    uint64_t hva;        /* address in the QEMU process, 0 for a core */
    int fd;              /* shared-memory file, -1 if none (not owned) */
    uint64_t fd_offset;  /* of gpa in fd */
};

struct target;

struct target_ops {
    const char *name; /* "qemu", "core" */
    /* Reads RAM that has no map; the range lies inside ram. False when the host refuses. */
    bool (*read)(struct target *t, const struct target_ram *ram, uint64_t off, void *buf, size_t n);
    /* The next populated extent of ram at or after off (bytes from its start); false: none. */
    bool (*extent)(struct target *t, const struct target_ram *ram, uint64_t off, uint64_t *start,
                   uint64_t *end);
    /* Does the host have this page (index in ram, which has a map) now? Must not populate it. */
    bool (*probe)(struct target *t, const struct target_ram *ram, uint64_t page);
    /* Called by target_refresh(); may be NULL. */
    void (*refresh)(struct target *t);
    struct oscope_error *(*registers)(struct target *t, struct target_vcpus *out);
    /* Stops or resumes the guest when the user asked for exactness; NULL: can't run anyway. */
    struct oscope_error *(*pause)(struct target *t, bool stop);
    void (*close)(struct target *t);
};

struct target {
    const struct target_ops *ops;
    void *backend;          /* owned by the backend */
    const char *arch;       /* "riscv64", "x86_64", "aarch64", "i386": QEMU's target name */
    bool live;              /* the guest may run while we read */
    bool stopped;           /* live, but stopped by us until the view is done */
    bool truncated;         /* core: some of the RAM it promises is not in the file */
    struct target_ram *ram; /* sorted by gpa, not overlapping */
    size_t nram;
    uint64_t epoch; /* see target_refresh() */
};

/*
 * A direct pointer to n bytes of RAM at pa, or NULL when they are not all in one mapped region or
 * not all populated. Valid until target_close(). A live guest may change the bytes at any time:
 * load each value once and check it after loading.
 */
const void *target_ptr(struct target *t, uint64_t pa, size_t n);

/* Copies n bytes at pa to buf; unpopulated pages read as zero. False unless all of them are RAM. */
bool target_read(struct target *t, uint64_t pa, void *buf, size_t n);

/* target_ptr(), or else target_read() into scratch (n bytes); NULL if neither works. */
const void *target_view(struct target *t, uint64_t pa, size_t n, void *scratch);

/*
 * The first populated extent of RAM that ends after pa: sets *start >= pa and *end (exclusive, in
 * the same region). False when there is none. For scans: cost grows with populated memory only.
 */
bool target_extent(struct target *t, uint64_t pa, uint64_t *start, uint64_t *end);

/* The region that holds pa, or NULL. */
const struct target_ram *target_ram_at(const struct target *t, uint64_t pa);
uint64_t target_ram_total(const struct target *t);

/* May the guest's memory change while it is read? */
static inline bool target_moves(const struct target *t)
{
    return t->live && !t->stopped;
}

/* Drops what backends without a mapping have cached, so that the next reads are fresh. */
void target_refresh(struct target *t);

/* Gives back to the host what reading has mapped of the guest's memory. Pointers stay valid; their
 * next use maps it again. */
void target_rest(struct target *t);

/* Registers of every vCPU at one moment; the caller frees *out with target_vcpus_free(). */
struct oscope_error *target_registers(struct target *t, struct target_vcpus *out);
void target_vcpus_free(struct target_vcpus *v);
/* Looks a register up by name; false if this vCPU has none of that name. */
bool target_reg(const struct target_vcpu *v, const char *name, uint64_t *value);

/* Unmaps and frees; NULL is allowed. */
void target_close(struct target *t);

/* Opens an ELF core (QEMU dump-guest-memory without paging, kdump ELF). *out is owned by the
 * caller. */
struct oscope_error *target_open_core(const char *path, struct target **out);

#endif
