/* SPDX-License-Identifier: MIT */
/* See ledger.h. */
#include "web/ledger.h"

#include "base/hash.h"
#include "base/util.h"
#include "base/vec.h"

struct series {
    enum family family;
    char *labels;
    unsigned told; /* in which round, last */
    /* counters: `value` is what was counted before the epoch, and the most that was in it */
    uint64_t epoch, before, value;
};

struct ledger {
    VEC(struct series) series;
    struct hash places; /* of a family and labels: index in series */
    size_t n[FAMILIES], left_out;
    unsigned round;
};

struct ledger *ledger_new(void)
{
    return calloc(1, sizeof(struct ledger));
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    vec_each (struct series, s, &l->series)
        free(s->labels);
    vec_free(&l->series);
    hash_free(&l->places);
    free(l);
}

void ledger_begin(struct ledger *l)
{
    l->round++;
    l->left_out = 0;
}

static struct series *add(struct ledger *l, enum family family, const char *labels, uint64_t key)
{
    char *copy = l->n[family] < LEDGER_MOST ? strdup(labels) : NULL;

    if (!copy || !vec_push(&l->series, (struct series){.family = family, .labels = copy})) {
        free(copy);
        return NULL;
    }
    if (!hash_put(&l->places, key, l->series.len - 1, NULL)) {
        l->series.len--;
        free(copy);
        return NULL;
    }
    l->n[family]++;
    return &l->series.data[l->series.len - 1];
}

/* NULL: there is no room. */
static struct series *series_of(struct ledger *l, enum family family, const char *labels)
{
    uint64_t key = fnv1a(FNV_INIT + family, labels, strlen(labels));
    const uint64_t *at = hash_get(&l->places, key);
    struct series *s = at ? &l->series.data[*at] : add(l, family, labels, key);

    if (!s || s->family != family || strcmp(s->labels, labels) != 0) { /* two with one hash */
        l->left_out++;
        return NULL;
    }
    s->told = l->round;
    return s;
}

void ledger_count(struct ledger *l, enum family family, const char *labels, uint64_t epoch,
                  uint64_t value)
{
    struct series *s = series_of(l, family, labels);

    if (!s)
        return;
    if (s->epoch != epoch) {
        s->epoch = epoch;
        s->before = s->value;
    }
    s->value = MAX(s->value, s->before + value);
}

void ledger_set(struct ledger *l, enum family family, const char *labels, uint64_t value)
{
    struct series *s = series_of(l, family, labels);

    if (s)
        s->value = value;
}

size_t ledger_left_out(const struct ledger *l)
{
    return l->left_out;
}

void ledger_write(const struct ledger *l, enum family family, struct out *o)
{
    const struct openmetrics_family *f = &families[family];

    vec_each (const struct series, s, &l->series)
        if (s->family == family && (f->type == OPENMETRICS_COUNTER || s->told == l->round))
            openmetrics_sample(o, f, s->labels, s->value);
}
