/* SPDX-License-Identifier: MIT */
/* Sections of a proposed profile about what is not tasks: page tables, free pages, the log. */
#include "os/profile/propose.h"

#include <inttypes.h>

/* ---- [memory] ---- */

static const struct word root_words[] = {
    {"kernelpagetable", 13}, {"kpgdir", 13},       {"kernelroot", 12}, {"kernelpgd", 12},
    {"kpagetable", 12},      {"swapperpgdir", 12}, {"bootpgdir", 8},   {"kernelpagedir", 12},
    {"rootpagetable", 10},   {"pgdir", 8},         {"pagetable", 8},   {0}};
static const struct word free_words[] = {
    {"freelist", 11}, {"freepages", 11}, {"pagefreelist", 11}, {"free", 7}, {0}};

struct free_lists {
    struct proposal *p;
    struct found *first;
    char next[FOUND_TEXT]; /* of the best */
};

/* A pointer to something small that points to its like. */
static void try_free_list(const struct member *m, void *arg)
{
    struct free_lists *l = arg;
    struct types *ts = l->p->pm->dwarf;
    const struct type *to = type_pointee(ts, m->type), *bare = to ? type_strip(to) : NULL;
    int before = l->first->score, score = word_score(m->name, free_words);
    char type[96];
    size_t n;

    if (!score || !type_is_struct(to) || bare->size > 4u * ts->ptr_size ||
        type_same(bare, l->p->tasks.type))
        return;
    const struct type_member *in = type_members(bare, &n);
    for (size_t i = 0; i < n; i++) {
        const struct type *behind = type_pointee(ts, in[i].type);
        if (!behind || !type_same(behind, bare))
            continue;
        found_try(l->first, m->path, m->type, score);
        if (l->first->score > before)
            snprintf(l->next, sizeof l->next, "((%s *)task)->%s",
                     type_format(bare, type, sizeof type), in[i].name);
        return;
    }
}

void proposal_memory(struct proposal *p)
{
    struct found root = {0}, first = {0};
    struct free_lists lists = {.p = p, .first = &first};

    fprintf(p->out, "\n[memory]\n");
    find_variable(p->pm, WANTS_POINTER | WANTS_ARRAY | WANTS_WORD, root_words, &root);
    proposal_put_physical(p, "root", &root, false);
    if (p->delta)
        fprintf(p->out,
                "# linear = VA PA SIZE: the image is linked 0x%" PRIx64 " above where it lies\n",
                p->delta);
    each_variable(p->pm, 1, try_free_list, &lists);
    if (!first.score) {
        fprintf(p->out, "# free, free-next: no list of free pages was found\n");
        return;
    }
    proposal_put_found(p, "free", &first, false);
    proposal_put(p, "free-next", lists.next, NULL, first.score, true);
}

/* ---- [log] ---- */

void proposal_log(struct proposal *p)
{
    static const struct word text_words[] = {
        {"logtext", 11}, {"logbuf", 11}, {"klog", 10},    {"kmsg", 10},
        {"dmesg", 10},   {"msgbuf", 9},  {"logring", 10}, {0}};
    static const struct word end_words[] = {{"logend", 11},
                                            {"loghead", 9},
                                            {"logwritten", 11},
                                            {"logpos", 8},
                                            {"klogend", 10},
                                            {"logcount", 8},
                                            {0}};
    struct found text = {0}, end = {0};

    find_variable(p->pm, WANTS_NAME, text_words, &text);
    find_variable(p->pm, WANTS_INT, end_words, &end);
    if (text.score < LIKELY || end.score < LIKELY || !type_is(text.type, WANTS_ARRAY))
        return;
    fprintf(p->out, "\n[log]\n");
    proposal_put_found(p, "text", &text, false);
    proposal_put_found(p, "end", &end, false);
}
