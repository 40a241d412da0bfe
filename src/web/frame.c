/* SPDX-License-Identifier: MIT */
/* See frame.h. Rows are compared as text: what is equal there is equal on the page. */
#include "web/frame.h"

#include "base/hash.h"
#include "base/util.h"
#include "base/vec.h"
#include "draw/text.h"

#include <errno.h>
#include <inttypes.h>

enum { KEY_TRIES = 8 };

struct row {
    size_t at, len; /* in the table's text */
    size_t key;     /* bytes of the key's JSON string, which begins at at + 1 */
    uint64_t hash;  /* of that, or where another row had that already, a number of its own */
};

struct table {
    const struct web_table *what;
    const struct oscope_column *columns;
    struct out text;
    VEC(struct row) rows;
    struct hash by_key; /* hash -> row */
    size_t cut;         /* rows left out */
};

struct frame {
    unsigned shares;
    uint64_t n, time, took;
    enum oscope_consistency consistency;
    struct out notes; /* a JSON array */
    struct out error; /* "error":…,"hint":…; empty: there is a view */
    struct table tables[WEB_TABLES];
    size_t ntables;
};

/* ---- making ---- */

static const struct oscope_column *key_column(const struct table *t, size_t i,
                                              const struct oscope_table *from)
{
    return i < WEB_KEYS && t->what->key[i] ? render_column(from, t->what->key[i]) : NULL;
}

/* The row's key as a JSON string, where the text ends. False: it has none that no row before has.
 */
static bool put_key(struct table *t, const struct oscope_table *from, size_t i, struct row *row)
{
    struct out key, *o = &t->text;
    const struct oscope_column *c;
    bool taken = true;

    out_init(&key, -1);
    for (size_t k = 0; (c = key_column(t, k, from)); k++) {
        if (k)
            out_char(&key, ' ');
        render_cell(&key, c, render_row(from, i), &(struct render_options){.exact = true});
    }
    if (!key.len)
        out_dec(&key, i);
    for (int tries = 0; taken && tries < KEY_TRIES && !key.error && !o->error; tries++) {
        if (tries)
            out_printf(&key, "#%zu", i);
        o->len = row->at + 1;
        text_json(o, key.buf, key.len);
        row->key = o->len - row->at - 1;
        row->hash = fnv1a(FNV_INIT, o->buf + row->at + 1, row->key);
        taken = hash_get(&t->by_key, row->hash) != NULL;
    }
    bool failed = key.error || o->error;
    out_free(&key);
    return !failed && !taken;
}

static void put_row(struct table *t, const struct oscope_table *from, size_t i)
{
    struct row row = {.at = t->text.len};

    out_char(&t->text, '[');
    if (!put_key(t, from, i, &row)) {
        t->text.len = row.at;
        t->cut++;
        return;
    }
    for (const struct oscope_column *c = t->columns; c->name; c++) {
        out_char(&t->text, ',');
        render_json_value(&t->text, c, render_row(from, i));
    }
    out_char(&t->text, ']');
    row.len = t->text.len - row.at;
    if (t->text.error || !hash_put(&t->by_key, row.hash, t->rows.len, NULL) ||
        !vec_push(&t->rows, row))
        t->text.error = t->text.error ? t->text.error : ENOMEM;
}

static bool put_table(struct frame *f, const struct web_table *what,
                      const struct oscope_table *from)
{
    struct table *t = &f->tables[f->ntables++];

    *t = (struct table){.what = what, .columns = from->columns};
    out_init(&t->text, -1);
    size_t n = MIN(from->nrows, what->last ? what->last : (size_t)FRAME_ROWS);
    size_t first = what->last ? from->nrows - n : 0;
    for (size_t i = first; i < first + n && !t->text.error; i++)
        put_row(t, from, i);
    t->cut += from->nrows - n;
    return !t->text.error;
}

static bool put_view(struct frame *f, const struct web_view *v, const struct oscope_view *view)
{
    f->consistency = view->consistency;
    for (size_t i = 0; i < view->nnotes; i++) {
        if (i)
            out_char(&f->notes, ',');
        text_json(&f->notes, view->notes[i], strlen(view->notes[i]));
    }
    for (const struct web_table *w = v->tables; w->name; w++)
        for (size_t i = 0; i < view->ntables; i++)
            if (!strcmp(view->tables[i].name, w->name) && !put_table(f, w, &view->tables[i]))
                return false;
    return !f->notes.error;
}

static void put_error(struct out *o, const struct oscope_error *err)
{
    const char *none = "it is not there";

    out_str(o, "\"error\":");
    text_json(o, err ? err->message : none, strlen(err ? err->message : none));
    if (err && err->hint) {
        out_str(o, ",\"hint\":");
        text_json(o, err->hint, strlen(err->hint));
    }
}

struct frame *frame_make(const struct web_view *v, const struct shot *shot, uint64_t n)
{
    struct frame *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->shares = 1;
    f->n = n;
    f->time = shot->time;
    f->took = shot->took;
    out_init(&f->notes, -1);
    out_init(&f->error, -1);
    if (!shot->view)
        put_error(&f->error, shot->error);
    else if (!put_view(f, v, shot->view))
        f->error.error = ENOMEM;
    if (f->error.error) {
        frame_drop(f);
        return NULL;
    }
    return f;
}

struct frame *frame_share(struct frame *f)
{
    f->shares++;
    return f;
}

void frame_drop(struct frame *f)
{
    if (!f || --f->shares)
        return;
    for (size_t i = 0; i < f->ntables; i++) {
        out_free(&f->tables[i].text);
        vec_free(&f->tables[i].rows);
        hash_free(&f->tables[i].by_key);
    }
    out_free(&f->notes);
    out_free(&f->error);
    free(f);
}

uint64_t frame_time(const struct frame *f)
{
    return f->time;
}

/* ---- what changed ---- */

/* The row of that key, or NULL. */
static const struct row *find(const struct table *t, const struct table *of, const struct row *row)
{
    const uint64_t *at = hash_get(&t->by_key, row->hash);
    const struct row *r = at ? &t->rows.data[*at] : NULL;

    if (!r || r->key != row->key ||
        memcmp(t->text.buf + r->at + 1, of->text.buf + row->at + 1, row->key) != 0)
        return NULL;
    return r;
}

static bool same_text(const struct table *a, const struct row *r, const struct table *b,
                      const struct row *s)
{
    return r->len == s->len && !memcmp(a->text.buf + r->at, b->text.buf + s->at, r->len);
}

static void put_comma(struct out *o, bool *first)
{
    if (!*first)
        out_char(o, ',');
    *first = false;
}

/* ,"gone":[…] */
static void write_gone(struct out *o, const struct table *before, const struct table *now)
{
    bool first = true;

    vec_each (const struct row, r, &before->rows) {
        if (find(now, before, r))
            continue;
        out_str(o, first ? ",\"gone\":[" : "");
        put_comma(o, &first);
        out_mem(o, before->text.buf + r->at + 1, r->key);
    }
    out_str(o, first ? "" : "]");
}

/* ,"rows":[…]: those that are not as before, or all. */
static void write_rows(struct out *o, const struct table *before, const struct table *now)
{
    const struct row *old;
    bool first = true;

    out_str(o, ",\"rows\":[");
    vec_each (const struct row, r, &now->rows) {
        if (before && (old = find(before, now, r)) && same_text(before, old, now, r))
            continue;
        put_comma(o, &first);
        out_mem(o, now->text.buf + r->at, r->len);
    }
    out_char(o, ']');
}

/* Are the rows in order when those that stay keep theirs, and the new ones follow? */
static bool in_order(const struct table *before, const struct table *now)
{
    const struct row *last = NULL;
    bool fresh = false;

    vec_each (const struct row, r, &now->rows) {
        const struct row *old = find(before, now, r);
        if (old && (fresh || (last && old < last)))
            return false;
        fresh = fresh || !old;
        last = old;
    }
    return true;
}

static void write_order(struct out *o, const struct table *before, const struct table *now)
{
    bool first = true;

    if (now->what->any_order || in_order(before, now))
        return;
    out_str(o, ",\"order\":[");
    vec_each (const struct row, r, &now->rows) {
        put_comma(o, &first);
        out_mem(o, now->text.buf + r->at + 1, r->key);
    }
    out_char(o, ']');
}

static bool same_rows(const struct table *before, const struct table *now)
{
    if (before->rows.len != now->rows.len)
        return false;
    for (size_t i = 0; i < now->rows.len; i++)
        if (!same_text(before, &before->rows.data[i], now, &now->rows.data[i]))
            return false;
    return true;
}

/* A change can be told: both have the same tables. */
static bool comparable(const struct frame *before, const struct frame *now)
{
    if (!before || before->error.len || now->error.len || before->ntables != now->ntables)
        return false;
    for (size_t i = 0; i < now->ntables; i++)
        if (before->tables[i].what != now->tables[i].what ||
            before->tables[i].columns != now->tables[i].columns)
            return false;
    return true;
}

/* ---- messages ---- */

static const char *const kinds[] = {
    [OSCOPE_UINT] = "uint",         [OSCOPE_INT] = "int",
    [OSCOPE_HEX] = "hex",           [OSCOPE_BYTES] = "bytes",
    [OSCOPE_DURATION] = "duration", [OSCOPE_BOOLEAN] = "boolean",
    [OSCOPE_TEXT] = "text",         [OSCOPE_CHARS] = "text",
    [OSCOPE_REAL] = "real",         [OSCOPE_CONSISTENCY] = "consistency",
};

void frame_write_columns(struct out *o, const struct oscope_column *columns)
{
    out_str(o, ",\"columns\":[");
    for (const struct oscope_column *c = columns; c->name; c++) {
        out_printf(o, "%s{\"name\":\"%s\",\"kind\":\"%s\",\"doc\":", c == columns ? "" : ",",
                   c->name, kinds[c->kind]);
        text_json(o, c->doc, strlen(c->doc));
        out_char(o, '}');
    }
    out_char(o, ']');
}

static void write_table(struct out *o, const struct table *before, const struct table *now)
{
    out_printf(o, "{\"name\":\"%s\",\"cut\":%zu", now->what->name, now->cut);
    if (before)
        write_gone(o, before, now);
    else
        frame_write_columns(o, now->columns);
    write_rows(o, before, now);
    if (before)
        write_order(o, before, now);
    out_char(o, '}');
}

static void write_head(struct out *o, const struct frame_head *head)
{
    out_str(o, "{\"op\":\"view\",\"guest\":");
    text_json(o, head->guest, strlen(head->guest));
    out_printf(o, ",\"view\":\"%s\",\"as\":%" PRIu32, head->view->name, head->as);
}

void frame_write(struct out *o, const struct frame_head *head, const struct frame *before,
                 const struct frame *now, uint64_t clock)
{
    bool change = comparable(before, now), first = true;

    write_head(o, head);
    out_printf(o, ",\"n\":%" PRIu64, now->n);
    if (change)
        out_printf(o, ",\"base\":%" PRIu64, before->n);
    out_printf(o, ",\"age\":%" PRIu64 ",\"took\":%" PRIu64,
               (clock - MIN(clock, now->time)) / 1000000, now->took);
    if (now->error.len) {
        out_char(o, ',');
        out_mem(o, now->error.buf, now->error.len);
        out_char(o, '}');
        return;
    }
    out_printf(o, ",\"consistency\":\"%s\",\"notes\":[", oscope_consistency_name(now->consistency));
    out_mem(o, now->notes.buf, now->notes.len);
    out_str(o, "],\"tables\":[");
    for (size_t i = 0; i < now->ntables; i++) {
        const struct table *old = change ? &before->tables[i] : NULL, *t = &now->tables[i];
        if (old && old->cut == t->cut && same_rows(old, t))
            continue;
        put_comma(o, &first);
        write_table(o, old, t);
    }
    out_str(o, "]}");
}

void frame_write_none(struct out *o, const struct frame_head *head)
{
    write_head(o, head);
    out_str(o, ",\"none\":true}");
}
