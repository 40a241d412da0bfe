/* SPDX-License-Identifier: MIT */
/*
 * The samples of one guest. A counter in it never goes back, whatever it is counted from: when that
 * begins anew (another epoch), what comes is added to what there was; and a value that is taken
 * back, because a later event told that it was wrong, stands until it is passed.
 */
#ifndef WEB_LEDGER_H
#define WEB_LEDGER_H

#include "web/families.h"

struct ledger;

struct ledger *ledger_new(void); /* NULL: out of memory */
void ledger_free(struct ledger *l);

/* Everything is told anew: gauges that are not told from now on are not written. */
void ledger_begin(struct ledger *l);

/* So many series of a family are kept, those that came first: the guest must not fill our memory,
 * nor that of who scrapes us. */
enum { LEDGER_MOST = 1024 };
/* A counter; what it is counted from began at `epoch` (any number that changes then). labels:
 * copied. */
void ledger_count(struct ledger *l, enum family family, const char *labels, uint64_t epoch,
                  uint64_t value);
/* A gauge, or an info. */
void ledger_set(struct ledger *l, enum family family, const char *labels, uint64_t value);

/* Series that were told since ledger_begin() and found no room. */
size_t ledger_left_out(const struct ledger *l);

/* Appends the samples of that family. */
void ledger_write(const struct ledger *l, enum family family, struct out *o);

#endif
