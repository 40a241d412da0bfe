/* SPDX-License-Identifier: MIT */
/*
 * `--list MEMBER`: the elements of a doubly linked, circular list of embedded nodes (two pointers,
 * next and prev, as struct list_head), found by stepping from node to node and going back
 * from each node to the structure around it.
 *
 * The list lives in hostile, moving memory: next->prev must lead back (else the step is tried
 * again, then called torn), no node is visited twice, and the number of elements is bounded.
 */
#include "analysis/print.h"

#include "base/util.h"

enum {
    STEP_TRIES = 4,
    LINKS_MAX = 64, /* list_heads in a structure */
    LINK_DEPTH = 2, /* levels of named structures inside it that are searched for them */
    LINKS_NEEDED = 4,
    LEARN_NODES = 4,
};

/* Names, members, arrows: an expression of these takes a member behind it. */
#define PLAIN_PATH "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.->:"

/* A list_head in the elements' type. */
struct link {
    const char *name; /* "" inside of another structure */
    uint64_t offset;
    bool used; /* linked in the starting object */
};

struct walk {
    struct print *p;
    const struct type *type; /* of the elements */
    const struct type *node; /* the member's own type */
    uint64_t offset;         /* of the node in an element */
    uint64_t next, prev;     /* of the pointers in a node */
    uint64_t start;          /* the node that ends the walk */
    bool start_is_head;      /* start lies in no element */
    bool typed;              /* the type was named, not that of the expression */
    struct link links[LINKS_MAX];
    unsigned nlinks, used;
    size_t left_out; /* nodes that are in no element */
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

static bool is_node(const struct type *t)
{
    uint64_t offset;

    return t->kind == TYPE_STRUCT && find_pointer(t, next_names, &offset) &&
           find_pointer(t, prev_names, &offset);
}

static struct oscope_error *find_node(struct walk *w, const char *path, const char *member)
{
    struct type_place place;
    char text[128];

    type_format(w->type, text, sizeof text);
    if (is_node(type_strip(w->type)) && !type_member(w->type, member, &place))
        return error_hint(error_new(OSCOPE_E_USAGE,
                                    "'%s' is only a %s: the type of the elements must be named",
                                    path, text),
                          "oscope print 'struct TYPE' %s --list %s", path, member);
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

/* ---- does what the list leads to look like an element? ---- */

/*
 * A list_head in a structure can be the head of a list whose elements link through another member
 * (task_struct.children: through sibling). Going back from such a node with the wrong offset gives
 * no element but bytes at odds with the type. The other lists in the structure tell: nodes that are
 * linked both ways in the object named by the user should be so in an element.
 */
static void collect_links(struct walk *w, const struct type *t, uint64_t base, unsigned depth)
{
    size_t n;
    const struct type_member *m = type_members(t, &n);

    for (size_t i = 0; i < n && w->nlinks < LINKS_MAX; i++) {
        const struct type *inner = type_strip(m[i].type);
        uint64_t at = base + m[i].bit_offset / 8;

        if (inner->kind != TYPE_STRUCT || m[i].bit_size || t->kind == TYPE_UNION)
            continue;
        if (inner->size == w->node->size && !strcmp(inner->name, w->node->name))
            w->links[w->nlinks++] = (struct link){depth ? "" : m[i].name, at, true};
        else if (depth < LINK_DEPTH)
            collect_links(w, inner, at, depth + !!m[i].name[0]);
    }
}

static bool is_linked(const struct walk *w, uint64_t node)
{
    struct vspace *vs = w->p->vs;
    uint64_t next, prev, back, forth;

    return vspace_addr(vs, node + w->next, &next) && vspace_addr(vs, node + w->prev, &prev) &&
           vspace_addr(vs, next + w->prev, &back) && vspace_addr(vs, prev + w->next, &forth) &&
           back == node && forth == node;
}

/* How many of the links in use are linked in the element that has node at offset. */
static unsigned count_linked(const struct walk *w, uint64_t node, uint64_t offset)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w->nlinks; i++)
        n += w->links[i].used && is_linked(w, node - offset + w->links[i].offset);
    return n;
}

/* Whether node, of which only that is known, can be in an element. Some lists that the starting
 * object is on, others of its kind are not. */
static bool fits(const struct walk *w, uint64_t node)
{
    return w->used < LINKS_NEEDED || count_linked(w, node, w->offset) * 4 >= w->used * 3;
}

/* The member by which node links what looks like another of the starting object's kind. */
static const char *better_link(const struct walk *w, uint64_t node)
{
    const char *best = NULL;
    unsigned most = w->used * 3 / 4;

    for (unsigned i = 0; i < w->nlinks; i++) {
        unsigned n = w->links[i].name[0] ? count_linked(w, node, w->links[i].offset) : 0;
        if (n > most) {
            best = w->links[i].name;
            most = n;
        }
    }
    return best;
}

/*
 * Learns from the element where the walk begins what others look like. An error when none of the
 * first nodes of its list is in one; a single such node may be the head of a list of one, unless
 * it is in an element by another link.
 */
static struct oscope_error *learn(struct walk *w, const char *path, const char *member)
{
    uint64_t object = w->start - w->offset, first = 0, node = w->start;
    unsigned strangers = 0;
    char type[128];

    collect_links(w, type_strip(w->type), 0, 0);
    for (unsigned i = 0; i < w->nlinks; i++)
        w->used += w->links[i].used = is_linked(w, object + w->links[i].offset);
    for (int i = 0; i < LEARN_NODES; i++) {
        if (!is_linked(w, node) || !vspace_addr(w->p->vs, node + w->next, &node))
            return NULL; /* damaged: the walk says where */
        if (node == w->start)
            break;
        first = strangers++ ? first : node;
        if (fits(w, node))
            return NULL;
    }
    const char *better = strangers ? better_link(w, first) : NULL;
    if (!strangers || (strangers == 1 && !better))
        return NULL;
    type_format(w->type, type, sizeof type);
    /* what names the list's head: the path itself where that can be followed by a member */
    const char *head = w->typed || strspn(path, PLAIN_PATH) < strlen(path)
                           ? arena_printf(w->p->memory, "((%s *)0x%llx)->%s", type,
                                          (unsigned long long)object, member)
                           : arena_printf(w->p->memory, "%s.%s", path, member);
    if (!head)
        return error_nomem();
    struct oscope_error *err =
        error_new(OSCOPE_E_USAGE, "the list at '%s' does not lead to the '%s' of another %s", head,
                  member, type);
    if (better)
        return error_hint(err, "it looks like '%s': oscope print '%s' '%s' --list %s", better, type,
                          head, better);
    return error_hint(err,
                      "a list's head? Name the elements' type and their link: "
                      "oscope print 'struct TYPE' '%s' --list LINK",
                      head);
}

/* ---- walking ---- */

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
        if (node != w->start && !fits(w, node)) {
            w->left_out++;
        } else if (!(w->start_is_head && node == w->start)) {
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
        if (p->full || w->left_out > p->max_list)
            return NULL;
    }
}

struct oscope_error *print_list(struct print *p, const char *path, const struct type *type,
                                const char *member, const struct print_value *v)
{
    struct walk w = {.p = p, .type = type ? type : v->type, .typed = type != NULL};
    struct hash seen = {0};

    if (!w.type)
        return error_new(OSCOPE_E_USAGE, "--list needs the type of the elements");
    TRY(find_node(&w, path, member));
    TRY(find_start(&w, v));
    if (!w.start_is_head)
        TRY(learn(&w, path, member));
    struct oscope_error *err = walk(&w, path, &seen);
    hash_free(&seen);
    if (w.left_out)
        os_list_note(p->list, "left out: %zu node%s in no such element, as a list's head is",
                     w.left_out, w.left_out == 1 ? "" : "s");
    return err;
}
