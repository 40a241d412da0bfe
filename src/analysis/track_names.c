/* SPDX-License-Identifier: MIT */
/* See track_names.h. */
#include "analysis/track_names.h"

#include "analysis/track_row.h"
#include "base/util.h"

enum { TRIES = 8 }; /* texts with the same hash */

/* Bytes of a name, as good as: the index is full to three eighths at least. */
static size_t cost(const struct track_names *n, size_t len)
{
    return len + 1 + sizeof *n->list.data + 2 * sizeof *n->index.slots;
}

static bool has_room(const struct track_names *n, size_t len)
{
    if (n->list.len <= TRACK_NAME_MORE)
        return true;
    return n->list.len < n->most &&
           (!n->memory || cost(n, len) <= n->memory->most - MIN(n->memory->used, n->memory->most));
}

static uint32_t append(struct track_names *n, const char *text, size_t len, int32_t tid)
{
    struct track_name name = {(uint32_t)n->text.len, tid};

    n->tried++;
    if (!has_room(n, len) || !vec_reserve(&n->text, n->text.len + len + 1) ||
        !vec_push(&n->list, name)) {
        n->refused++;
        return TRACK_NAME_MORE;
    }
    memcpy(n->text.data + n->text.len, text, len);
    n->text.data[n->text.len + len] = '\0';
    n->text.len += len + 1;
    if (n->memory) {
        n->memory->used += cost(n, len);
        n->counted += cost(n, len);
    }
    return (uint32_t)n->list.len - 1;
}

bool track_names_init(struct track_names *n, size_t most, struct track_memory *memory)
{
    n->most = most;
    n->memory = memory;
    append(n, "", 0, TRACK_NO_TASK);
    append(n, "(more names)", 12, TRACK_NO_TASK);
    return n->list.len == 2;
}

void track_names_free(struct track_names *n)
{
    vec_free(&n->list);
    vec_free(&n->text);
    hash_free(&n->index);
    if (n->memory)
        n->memory->used -= n->counted;
    *n = (struct track_names){0};
}

size_t track_names_bytes(const struct track_names *n)
{
    return n->list.cap * sizeof *n->list.data + n->text.cap + n->index.cap * sizeof *n->index.slots;
}

uint32_t track_names_put(struct track_names *n, const char *text, int32_t tid)
{
    size_t len = strnlen(text, TRACK_NAME_BYTES);
    uint64_t key = fnv1a(FNV_INIT ^ (uint32_t)tid, text, len);

    for (int i = 0; i < TRIES; i++, key++) {
        uint64_t *at = hash_get(&n->index, key);
        if (!at) {
            uint32_t name = append(n, text, len, tid);
            if (name != TRACK_NAME_MORE)
                hash_put(&n->index, key, name, NULL); /* without it, it is told twice */
            return name;
        }
        const struct track_name *known = &n->list.data[*at];
        if (known->tid == tid && !strncmp(n->text.data + known->at, text, len) &&
            !n->text.data[known->at + len])
            return (uint32_t)*at;
    }
    n->refused++;
    return TRACK_NAME_MORE;
}
