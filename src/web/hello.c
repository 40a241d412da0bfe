/* SPDX-License-Identifier: MIT */
/* See hello.h. */
#include "web/hello.h"

#include "draw/text.h"
#include "web/download.h"
#include "web/views.h"

static void put_needs(struct out *o, const char *report)
{
    const char *const *needs = oscope_monitor_needs(report);

    out_char(o, '[');
    for (size_t i = 0; needs && needs[i]; i++)
        out_printf(o, "%s\"%s\"", i ? "," : "", needs[i]);
    out_char(o, ']');
}

static void put_takes(struct out *o, unsigned takes)
{
    const char *name;

    out_char(o, '[');
    for (unsigned i = 0, n = 0; (name = web_arg_name(1u << i)); i++)
        if (takes >> i & 1)
            out_printf(o, "%s\"%s\"", n++ ? "," : "", name);
    out_char(o, ']');
}

/* One sentence, as JSON. */
static void put_source(struct out *o, const struct web_view *v)
{
    struct out text;

    out_init(&text, -1);
    if (v->timeline) {
        out_str(&text, "events as they came: who runs, and what they say begins and ends");
    } else if (v->calls) {
        out_str(&text, "events as they come, as `oscope events syscalls` writes them");
    } else if (v->report) {
        out_printf(&text, "events of the last 5 to 10 s%s, folded as by `oscope report %s`",
                   web_view_narrowed(v) ? " of this task" : "", v->report);
    } else {
        out_printf(&text, "structures in guest memory, read every %u ms or less often",
                   v->ask.every_ms);
    }
    text_json(o, text.buf ? text.buf : "", text.len);
    out_free(&text);
}

static void put_exports(struct out *o)
{
    struct download_kind kind;

    out_str(o, ",\"exports\":[");
    for (size_t i = 0; download_kind(i, &kind); i++) {
        out_printf(o, "%s{\"to\":\"%s\",\"title\":", i ? "," : "", kind.to);
        text_json(o, kind.title, strlen(kind.title));
        out_str(o, ",\"doc\":");
        text_json(o, kind.doc, strlen(kind.doc));
        out_char(o, '}');
    }
    out_char(o, ']');
}

void hello_write(struct out *o, bool console)
{
    bool first = true;

    out_printf(o, "{\"op\":\"hello\",\"console\":%s", console ? "true" : "false");
    put_exports(o);
    out_str(o, ",\"views\":[");
    for (size_t i = 0; i < WEB_VIEWS; i++) {
        const struct web_view *v = &web_views[i];
        if (!console && v->console)
            continue;
        out_printf(o, "%s{\"name\":\"%s\",\"needs\":", first ? "" : ",", v->name);
        first = false;
        if (v->timeline)
            out_str(o, "[\"sched\"]");
        else if (v->report)
            put_needs(o, v->report);
        else
            out_str(o, "null");
        out_str(o, ",\"takes\":");
        put_takes(o, v->takes);
        out_str(o, ",\"source\":");
        put_source(o, v);
        out_char(o, '}');
    }
    out_str(o, "]}");
}
