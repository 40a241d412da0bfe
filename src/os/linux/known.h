/* SPDX-License-Identifier: MIT */
/*
 * What was learned about a kernel, kept so that the next command starts in milliseconds: in the
 * session, where its token table lies; on disk by build, its symbols, types and layouts. All of it
 * is a shortcut: whatever is missing, damaged or from another version is worked out afresh.
 */
#ifndef OS_LINUX_KNOWN_H
#define OS_LINUX_KNOWN_H

#include "os/linux/linux.h"

/* Physical address of the token table when this session last saw it, 0 if unknown. dir may be NULL.
 */
uint64_t known_hint(const char *session_dir);
void known_hint_save(const char *session_dir, uint64_t tokens_pa);

/*
 * With lm->ks.key: opens the cached build. True: *image and lm->ks (relocated to this boot) are
 * filled, layouts and BTF too if they were saved. False: not cached.
 */
bool known_load(struct linux_model *lm, const char *cache_dir, struct symimage **image);
void known_save(struct linux_model *lm, const char *cache_dir);
/* Opens the DWARF at path with its cached index, or makes and caches that (seconds). es: the user's
 * file. */
struct elfsyms;
struct oscope_error *known_dwarf_open(struct linux_model *lm, const struct elfsyms *es,
                                      const char *path, struct types **out);
void known_close(struct linux_model *lm);

#endif
