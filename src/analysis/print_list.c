/* SPDX-License-Identifier: MIT */
/*
 * `--list MEMBER`: the elements of a doubly linked, circular list of embedded nodes (two pointers,
 * next and prev, as Linux's struct list_head), found by stepping from node to node and going back
 * from each node to the structure around it.
 *
 * The list lives in hostile, moving memory: next->prev must lead back (else the step is tried
 * again, then called torn), no node is visited twice, and the number of elements is bounded.
 */
#include "analysis/print.h"

#include "base/util.h"

enum { STEP_TRIES = 4 };

struct walk {
    struct print *p;
    const struct type *type; /* of the elements */
    const struct type *node; /* the member's own type */
    uint64_t offset;         /* of the node in an element */
    uint64_t next, prev;     /* of the pointers in a node */
    uint64_t start;          /* the node that ends the walk */
    bool start_is_head;      /* start lies in no element */
};

static const char *const next_names[] = {"next", "flink", "le_next"};
static const char *const prev_names[] = {"prev", "blink", "le_prev"};

static bool find_pointer(const struct type *node, const char *const names[3], uint64_t *offset)
{
    struct type_place place;

    for (int i = 0; i < 3; i++)
        if (type_member(node, names[i], &place) && type_strip(place.type)->kind == TYPE_POINTER) {
            *offset = place.offset;
            return true;
        }
    return false;
}

static struct oscope_error *find_node(struct walk *w, const char *member)
{
    struct type_place place;
    char text[128];

    type_format(w->type, text, sizeof text);
    if (!type_member(w->type, member, &place))
        return error_new(OSCOPE_E_NOT_FOUND, "%s has no member '%s'", text, member);
    w->node = type_strip(types_define(w->p->types, place.type));
    w->offset = place.offset;
    if ((w->node->kind != TYPE_STRUCT && w->node->kind != TYPE_UNION) ||
        !find_pointer(w->node, next_names, &w->next) ||
        !find_pointer(w->node, prev_names, &w->prev))
        return error_hint(error_new(OSCOPE_E_USAGE, "'%s' of %s is not a list_head", member, text),
                          "--list takes the member that links the elements, as in "
                          "`oscope print init_task --list tasks`");
    return NULL;
}

/* What v is: an element of the list, or (of the node's own type) the list's head. */
static struct oscope_error *find_start(struct walk *w, const struct print_value *v)
{
    const struct type *t = v->type ? type_strip(v->type) : NULL;

    if (!v->lvalue)
        return error_hint(error_new(OSCOPE_E_USAGE, "--list needs a structure, not a number"),
                          "say its type: oscope print 'struct TYPE' ADDRESS --list MEMBER");
    if (t && t != type_strip(w->type) && t->kind == w->node->kind &&
        !strcmp(t->name, w->node->name)) {
        w->start = v->address;
        w->start_is_head = true;
        return NULL;
    }
    w->start = v->address + w->offset;
    return NULL;
}

/* One step from node to *to; *how says whether both directions agree. False: not mapped. */
static bool step(struct walk *w, uint64_t node, uint64_t *to, enum oscope_consistency *how)
{
    for (int i = 0; i < STEP_TRIES; i++) {
        uint64_t back;
        if (!vspace_addr(w->p->vs, node + w->next, to))
            return false;
        if (*to && vspace_addr(w->p->vs, *to + w->prev, &back) && back == node) {
            *how = i ? OSCOPE_RETRIED : OSCOPE_CONSISTENT;
            return true;
        }
    }
    *how = OSCOPE_TORN;
    return true;
}

static struct oscope_error *print_element(struct walk *w, const char *path, size_t i, uint64_t node,
                                          enum oscope_consistency how)
{
    struct print *p = w->p;
    char *name = arena_printf(p->memory, "%s[%zu]", path, i);
    struct print_value v = {.type = w->type,
                            .lvalue = true,
                            .address = node - w->offset,
                            .size = w->type->size,
                            .name = name};
    size_t before = p->list->n;

    if (!name)
        return error_nomem();
    struct oscope_error *err = print_rows(p, name, &v);
    if (err && err->code == OSCOPE_E_FAULT) { /* the rest of the list is worth showing */
        os_list_note(p->list, "%s", err->message);
        p->list->consistency = OSCOPE_TORN;
        oscope_error_free(err);
        err = NULL;
    }
    TRY(err);
    struct oscope_value *rows = p->list->rows;
    for (size_t k = before; k < p->list->n; k++)
        rows[k].consistency = (uint8_t)MAX((unsigned)rows[k].consistency, (unsigned)how);
    return NULL;
}

static struct oscope_error *walk(struct walk *w, const char *path, struct hash *seen)
{
    struct print *p = w->p;
    enum oscope_consistency how = OSCOPE_CONSISTENT;
    uint64_t node = w->start;
    size_t n = 0;

    for (uint64_t steps = 0;; steps++) {
        if (!(w->start_is_head && node == w->start)) {
            if (n == p->max_list) {
                os_list_note(p->list, "cut after %zu elements: more with --max", n);
                return NULL;
            }
            TRY(print_element(w, path, n++, node, how));
        }
        if (!hash_put(seen, node, 0, NULL))
            return error_nomem();
        uint64_t from = node;
        if (!step(w, from, &node, &how)) {
            os_list_note(p->list, "the list breaks off: node 0x%llx is not mapped",
                         (unsigned long long)from);
            p->list->consistency = OSCOPE_TORN;
            return NULL;
        }
        if (how == OSCOPE_TORN) {
            os_list_note(p->list, "the list breaks off: 0x%llx is not linked back to 0x%llx",
                         (unsigned long long)node, (unsigned long long)from);
            p->list->consistency = OSCOPE_TORN;
            return NULL;
        }
        p->list->consistency = MAX(p->list->consistency, how);
        if (node == w->start)
            return NULL;
        if (hash_get(seen, node)) { /* only while the guest relinks nodes under us */
            os_list_note(p->list, "the list runs in a circle that misses its start");
            p->list->consistency = OSCOPE_TORN;
            return NULL;
        }
        if (p->full)
            return NULL;
    }
}

struct oscope_error *print_list(struct print *p, const char *path, const struct type *type,
                                const char *member, const struct print_value *v)
{
    struct walk w = {.p = p, .type = type ? type : v->type};
    struct hash seen = {0};

    if (!w.type)
        return error_new(OSCOPE_E_USAGE, "--list needs the type of the elements");
    TRY(find_node(&w, member));
    TRY(find_start(&w, v));
    struct oscope_error *err = walk(&w, path, &seen);
    hash_free(&seen);
    return err;
}
