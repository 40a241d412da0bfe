/* SPDX-License-Identifier: MIT */
/*
 * Reading a recording's metadata. This is no parser of TSDL: the text is that of metadata.c, line
 * by line, or it is refused. It comes from a file, which is as hostile as a packet: types go
 * through trace_schema_add(), which checks them.
 */
#include "trace/metadata.h"

#include "trace/metadata_text.h"

#include "base/util.h"
#include "base/vec.h"
#include "capture/wire.h"

#include <stdio.h>

enum {
    LINE = 512,     /* longest line */
    ENV_MAX = 1024, /* most keys */
};

struct scan {
    const char *at;
    char line[LINE];
    struct arena *arena;
};

/* The next line without its newline; false at the end, or when it is too long. */
static bool next_line(struct scan *s)
{
    const char *end = strchr(s->at, '\n');

    if (!end || end - s->at >= LINE)
        return false;
    memcpy(s->line, s->at, (size_t)(end - s->at));
    s->line[end - s->at] = '\0';
    s->at = end + 1;
    return true;
}

/* What stands between the prefix and the suffix in the line, in the arena; NULL: not such a line.
 */
static const char *between(struct scan *s, const char *prefix, const char *suffix)
{
    size_t len = strlen(s->line), a = strlen(prefix), b = strlen(suffix);

    if (len < a + b || strncmp(s->line, prefix, a) || strcmp(s->line + len - b, suffix))
        return NULL;
    return arena_strndup(s->arena, s->line + a, len - a - b);
}

static bool parse_uuid(const char *text, uint8_t uuid[16])
{
    unsigned n = 0;

    for (const char *p = text; n < 16; p += 2) {
        char digits[3] = {0};
        p += *p == '-';
        if (!p[0] || !p[1])
            return false;
        memcpy(digits, p, 2);
        char *end;
        uuid[n++] = (uint8_t)strtoul(digits, &end, 16);
        if (end != digits + 2)
            return false;
    }
    return true;
}

/* Goes behind the first line that is this text. */
static bool find_line(struct scan *s, const char *line)
{
    while (next_line(s))
        if (!strcmp(s->line, line))
            return true;
    return false;
}

/* An env line: key = "text" or key = number. */
static struct oscope_error *read_env(struct scan *s, struct trace_metadata *m)
{
    VEC(struct trace_env) env = {0};
    char key[64];
    int end;

    while (next_line(s) && strcmp(s->line, "};")) {
        end = 0;
        if (sscanf(s->line, "\t%63[A-Za-z0-9_] = %n", key, &end) != 1 || !end || env.len >= ENV_MAX)
            continue;
        size_t len = strlen(s->line + end), quote = s->line[end] == '"';
        if (len < 1 + 2 * quote)
            continue;
        struct trace_env e = {arena_strdup(s->arena, key),
                              arena_strndup(s->arena, s->line + end + quote, len - 1 - 2 * quote)};
        if (!e.key || !e.value || !vec_push(&env, e)) {
            vec_free(&env);
            return error_nomem();
        }
    }
    struct trace_env *copy = arena_alloc(s->arena, (env.len + 1) * sizeof *copy);
    if (copy && env.len)
        memcpy(copy, env.data, env.len * sizeof *copy);
    m->env = copy;
    m->nenv = copy ? env.len : 0;
    vec_free(&env);
    return copy ? NULL : error_nomem();
}

static struct oscope_error *read_clock(struct scan *s, struct trace_metadata *m)
{
    long long offset;

    while (next_line(s) && strcmp(s->line, "};")) {
        const char *uuid = between(s, "\tuuid = \"", "\";");
        if (uuid && !parse_uuid(uuid, m->clock.uuid))
            return error_new(OSCOPE_E_BAD_DATA, "the clock has no UUID");
        if (sscanf(s->line, "\toffset = %lld;", &offset) == 1)
            m->clock.offset = offset;
    }
    return NULL;
}

/* A field's line: kind, name, and the comment with its bound and documentation. */
static bool parse_field(struct scan *s, struct trace_field *f)
{
    char kind[8], name[128];
    unsigned most;
    int end = 0;

    if (sscanf(s->line, "\t\t%7[a-z0-9] _%127[A-Za-z0-9_]; /* %5u %n", kind, name, &most, &end) !=
            3 ||
        !end)
        return false;
    size_t len = strlen(s->line);
    if (len < (size_t)end + 2 || strcmp(s->line + len - 2, "*/") || most > WIRE_RECORD)
        return false;
    len -= (size_t)end + 2;
    *f = (struct trace_field){.name = arena_strdup(s->arena, name),
                              .kind = TRACE_KINDS,
                              .most = (uint16_t)most,
                              .doc = arena_strndup(s->arena, s->line + end, len ? len - 1 : 0)};
    for (int k = 0; k < TRACE_KINDS; k++)
        if (!strcmp(kind, trace_kind_name(k)))
            f->kind = k;
    return f->name && f->doc;
}

/* The rest of an event's block. */
static struct oscope_error *read_event(struct scan *s, struct trace_schema *schema)
{
    struct trace_field fields[TRACE_FIELDS];
    struct trace_type t = {.fields = fields};
    unsigned id = UINT32_MAX;
    bool more = true;

    while (next_line(s) && strcmp(s->line, "\tfields := struct {")) {
        const char *text;
        if ((text = between(s, "\tname = \"", "\";")))
            t.name = text;
        else if ((text = between(s, "\t/* set ", " */")) && *text)
            t.set = text;
        else if ((text = between(s, "\t/* doc ", " */")))
            t.doc = text;
        else
            sscanf(s->line, "\tid = %5u;", &id);
    }
    while (next_line(s) && (more = strcmp(s->line, "\t};") != 0))
        if (t.nfields == TRACE_FIELDS || !parse_field(s, &fields[t.nfields++]))
            break;
    if (more)
        return error_new(OSCOPE_E_BAD_DATA, "event type %s has a bad field", t.name ? t.name : "?");
    if (!t.name || id > TRACE_ID_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "an event type has no name or id");
    t.id = (uint16_t)id;
    struct oscope_error *err = trace_schema_add(schema, &t);
    if (err && err->code == OSCOPE_E_USAGE)
        err->code = OSCOPE_E_BAD_DATA;
    return err;
}

struct oscope_error *trace_metadata_read(const char *text, size_t len, struct arena *arena,
                                         struct trace_metadata *m, struct trace_schema *schema)
{
    struct scan s = {.at = text, .arena = arena};
    const char *uuid;

    *m = (struct trace_metadata){0};
    if (strlen(text) != len || strncmp(text, "/* CTF 1.8 */\n", 14) ||
        !strstr(text, metadata_packet_header) || !strstr(text, metadata_stream))
        return error_hint(error_new(OSCOPE_E_UNSUPPORTED, "a trace that oscope did not write"),
                          "babeltrace2 reads CTF traces of other tools");
    if (!find_line(&s, "\tminor = 8;") || !next_line(&s) ||
        !(uuid = between(&s, "\tuuid = \"", "\";")) || !parse_uuid(uuid, m->uuid))
        return error_new(OSCOPE_E_BAD_DATA, "the trace has no UUID");
    while (next_line(&s)) {
        struct oscope_error *err = NULL;
        if (!strcmp(s.line, "env {"))
            err = read_env(&s, m);
        else if (!strcmp(s.line, "clock {"))
            err = read_clock(&s, m);
        else if (!strcmp(s.line, "event {"))
            err = read_event(&s, schema);
        if (err)
            return err;
    }
    return *s.at ? error_new(OSCOPE_E_BAD_DATA, "a line is not complete") : NULL;
}
