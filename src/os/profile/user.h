/* SPDX-License-Identifier: MIT */
/* The user's side of a task: registers that a trap saved, frames of its program. */
#ifndef OS_PROFILE_USER_H
#define OS_PROFILE_USER_H

#include "os/profile/profile.h"

struct profile_user {
    uint64_t pc, fp, link; /* 0: not known */
    uint64_t sp;           /* OSCOPE_UNKNOWN: not known */
    const char *text;      /* "ra=0x1 sp=0x2 …", NULL: not known */
};

/* False: neither [task] frame nor user-pc tells. text lives in strings. */
bool profile_user(struct profile_model *pm, const struct oscope_task *task, struct arena *strings,
                  struct profile_user *out);

/* sp: of the frame, or OSCOPE_UNKNOWN; guess: it may be left over from an earlier call. */
typedef void profile_user_fn(void *arg, uint64_t pc, uint64_t sp, const char *method, bool guess);

/* The frames behind the innermost one, outwards. */
void profile_user_walk(struct profile_model *pm, const struct oscope_task *task,
                       const struct profile_user *u, profile_user_fn *fn, void *arg);

#endif
