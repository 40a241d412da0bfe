/* SPDX-License-Identifier: MIT */
/*
 * Memory of views. A view is one block (view, tables, notes) that also remembers what it took over:
 * the rows and string arenas of the lists it was made from. Nothing is copied: a `ps` of 10,000
 * tasks becomes a view for the price of a pointer.
 */
#include "analysis/view.h"

#include "base/clock.h"
#include "base/util.h"

struct view_memory {
    struct oscope_view view;
    struct oscope_table tables[VIEW_MAX_TABLES];
    struct arena strings[VIEW_MAX_TABLES];
    size_t nstrings;
    const char *notes[];
};

static enum oscope_consistency worst_row(const struct oscope_table *t)
{
    const struct oscope_column *c = t->columns;
    enum oscope_consistency worst = OSCOPE_CONSISTENT;

    while (c->name && (c->kind != OSCOPE_CONSISTENCY || c->size > 4))
        c++;
    if (!c->name)
        return worst;
    for (size_t i = 0; i < t->nrows; i++) {
        uint64_t v = load_uint((const char *)t->rows + i * t->row_size + c->offset, c->size);
        if (v > (uint64_t)worst)
            worst = MIN(v, (uint64_t)OSCOPE_TORN);
    }
    return worst;
}

static void add_note(struct view_memory *mem, const char *note)
{
    for (size_t i = 0; i < mem->view.nnotes; i++)
        if (!strcmp(mem->notes[i], note))
            return;
    mem->notes[mem->view.nnotes++] = note;
}

/* Moves one list into the view; the list is empty afterwards. */
static void adopt(struct view_memory *mem, const struct view_part *part)
{
    struct os_list *l = part->list;
    struct oscope_table *t = &mem->tables[mem->view.ntables++];

    *t = (struct oscope_table){.name = part->table,
                               .columns = part->columns,
                               .row_size = l->row_size,
                               .rows = l->rows,
                               .nrows = l->n,
                               .flags = part->flags};
    mem->strings[mem->nstrings++] = l->strings;
    mem->view.consistency = MAX(mem->view.consistency, MAX(l->consistency, worst_row(t)));
    for (size_t i = 0; i < l->notes.n; i++)
        add_note(mem, l->notes.data[i]);
    *l = (struct os_list){.row_size = l->row_size};
}

struct oscope_error *view_from_lists(const char *name, const struct view_part *parts, size_t n,
                                     struct oscope_view **out)
{
    size_t nnotes = 0;

    *out = NULL;
    for (size_t i = 0; i < n; i++)
        nnotes += parts[i].list->notes.n;
    struct view_memory *mem = NULL;
    if (n <= VIEW_MAX_TABLES)
        mem = calloc(1, sizeof *mem + nnotes * sizeof mem->notes[0]);
    if (!mem) {
        for (size_t i = 0; i < n; i++)
            os_list_free(parts[i].list);
        return error_nomem();
    }
    mem->view = (struct oscope_view){.name = name,
                                     .tables = mem->tables,
                                     .notes = mem->notes,
                                     .made = clock_ns(),
                                     .memory = mem};
    for (size_t i = 0; i < n; i++)
        adopt(mem, &parts[i]);
    *out = &mem->view;
    return NULL;
}

struct oscope_error *view_from_list(const char *name, const char *table,
                                    const struct oscope_column *columns, struct os_list *list,
                                    struct oscope_view **out)
{
    return view_from_lists(
        name, &(struct view_part){.table = table, .columns = columns, .list = list}, 1, out);
}

void oscope_view_free(struct oscope_view *view)
{
    if (!view)
        return;
    struct view_memory *mem = view->memory;
    for (size_t i = 0; i < mem->view.ntables; i++)
        free(mem->tables[i].rows);
    for (size_t i = 0; i < mem->nstrings; i++)
        arena_free(&mem->strings[i]);
    free(mem);
}

const char *oscope_consistency_name(enum oscope_consistency c)
{
    switch (c) {
    case OSCOPE_CONSISTENT: return "consistent";
    case OSCOPE_RETRIED: return "retried";
    case OSCOPE_TORN: return "torn";
    }
    return "unknown";
}
