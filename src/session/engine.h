/* SPDX-License-Identifier: MIT */
/*
 * The broker's hold on the probe engine inside QEMU: who asked for which probes, and the union of
 * all that as the set wished for. The engine is found by its memory file in QEMU's descriptors, so
 * a broker that takes a guest over finds it too.
 */
#ifndef SESSION_ENGINE_H
#define SESSION_ENGINE_H

#include "capture/control.h"
#include "probe/build.h"

#include <sys/types.h>

struct engine;

/*
 * Opens the memory file of the engine in process pid. OSCOPE_E_NOT_FOUND: that QEMU was started
 * without one, with a hint.
 */
struct oscope_error *engine_file(pid_t pid, bool write, struct control **out) WARN_UNUSED;

/* The number of a descriptor of pid that is a memory file whose name begins so, or -1. */
int engine_find_fd(pid_t pid, const char *name);

struct oscope_error *engine_open(pid_t pid, struct engine **out) WARN_UNUSED;
void engine_close(struct engine *e); /* NULL is allowed; what is in force stays so */
/* Was there ever a wish, of ours or of a broker before us? */
bool engine_was_used(const struct engine *e);

/* control_tell_start() */
void engine_tell_start(struct engine *e, uint64_t started, bool reset);

/* Its memory file, the engine's own. */
struct control *engine_control(struct engine *e);

/* Do the vCPUs find a wish without being stopped? (They share a thread.) */
bool engine_looks(const struct engine *e);

/* Sets what one user (any address that is its own) wants; an empty set: nothing. Takes the set
 * over, also on error. The wish follows with engine_wish(). */
struct oscope_error *engine_want(struct engine *e, const void *user,
                                 struct probe_set *set) WARN_UNUSED;
bool engine_wants(const struct engine *e, const void *user);

/*
 * What stands: wanted under a name until it is removed, whoever asked for it. Takes the set over,
 * also on error.
 */
struct oscope_error *engine_stand(struct engine *e, const char *name,
                                  struct probe_set *set) WARN_UNUSED;
/* Nothing stands under that name any more. False: nothing did. */
bool engine_remove(struct engine *e, const char *name);

/*
 * The guest was reset. What stands and has probes of the kernel before is not wanted any more; of
 * others' sets whose kernel may lie elsewhere from now on (probe_set.moves) those probes are not.
 * False: nothing has changed.
 */
bool engine_reset(struct engine *e);

/* How often it was, as far as brokers saw. */
uint64_t engine_resets(const struct engine *e);

/* Probes of that name are left out of the wish, or no longer are; who wants them goes on wanting
 * them. */
struct oscope_error *engine_disable(struct engine *e, const char *name, bool disabled) WARN_UNUSED;

/* Is a probe of that name wanted? */
bool engine_has(const struct engine *e, const char *name);

/* Publishes the union of what is wanted as the wish. The vCPUs take it up when they next go idle.
 */
struct oscope_error *engine_wish(struct engine *e) WARN_UNUSED;

/*
 * In what share of the time accesses are to be counted, of what is wanted now (PROBE_HEAT_ALL:
 * always, 0: not at all); and whether now is such a time, from the next wish on.
 */
unsigned engine_heat(const struct engine *e);
unsigned engine_heat_users(const struct engine *e);
void engine_heat_now(struct engine *e, bool on);

/* A probe that is wanted. */
struct engine_probe {
    const char *name; /* the engine's, until the next wish */
    enum wire_site site;
    uint64_t address;             /* WIRE_SITE_EXEC, and where a range begins ... */
    uint64_t size;                /* ... of WIRE_SITE_MEMORY and WIRE_SITE_BLOCK */
    unsigned users;               /* that want it */
    bool stands;                  /* among them */
    bool disabled;                /* not part of the wish */
    uint64_t since;               /* ns, when it was first wished for */
    struct control_counts counts; /* since then */
};
size_t engine_nprobes(const struct engine *e);
struct engine_probe engine_probe(const struct engine *e, size_t i);

/* Is the newest wish in force on every vCPU? An error when it was refused. */
struct oscope_error *engine_settled(struct engine *e, bool *settled) WARN_UNUSED;

#endif
