/* SPDX-License-Identifier: MIT */
/*
 * Connections that were not let in, or not yet. Anybody can make them and say nothing; so there are
 * never more than CROWD_MAX, and who comes next takes the place of who has been there longest.
 */
#ifndef WEB_CROWD_H
#define WEB_CROWD_H

#include <stddef.h>
#include <stdint.h>

enum { CROWD_MAX = 64 };

struct crowd {
    struct stranger {
        void *who;
        uint64_t number; /* they came in this order */
    } strangers[CROWD_MAX];
    size_t n;
    uint64_t came;
};

/* One more. Returns who must go, or NULL; that one is not in it any more. */
void *crowd_add(struct crowd *c, void *who);
/* It was let in, or is gone. One that is not in it is no mistake. */
void crowd_remove(struct crowd *c, const void *who);

#endif
