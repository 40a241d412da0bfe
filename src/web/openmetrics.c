/* SPDX-License-Identifier: MIT */
/* See openmetrics.h. */
#include "web/openmetrics.h"

#include "base/util.h"
#include "draw/text.h"

#include <inttypes.h>

#define NS UINT64_C(1000000000)

static const char *const types[] = {
    [OPENMETRICS_GAUGE] = "gauge", [OPENMETRICS_COUNTER] = "counter", [OPENMETRICS_INFO] = "info"};
static const char *const suffixes[] = {
    [OPENMETRICS_GAUGE] = "", [OPENMETRICS_COUNTER] = "_total", [OPENMETRICS_INFO] = "_info"};

void openmetrics_begin(struct out *o, const struct openmetrics_family *f)
{
    out_printf(o, "# TYPE %s %s\n", f->name, types[f->type]);
    if (*f->unit)
        out_printf(o, "# UNIT %s %s\n", f->name, f->unit);
    out_printf(o, "# HELP %s %s\n", f->name, f->help);
}

void openmetrics_sample(struct out *o, const struct openmetrics_family *f, const char *labels,
                        uint64_t value)
{
    out_printf(o, "%s%s%s%s%s ", f->name, suffixes[f->type], *labels ? "{" : "", labels,
               *labels ? "}" : "");
    if (!strcmp(f->unit, "seconds"))
        out_printf(o, "%" PRIu64 ".%09" PRIu64 "\n", value / NS, value % NS);
    else
        out_printf(o, "%" PRIu64 "\n", value);
}

void openmetrics_end(struct out *o)
{
    out_str(o, "# EOF\n");
}

/* Of safe text only these two have a meaning; a line feed is "\x0a" in it. */
static void put_escaped(struct out *o, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\\' || s[i] == '"')
            out_char(o, '\\');
        out_char(o, s[i]);
    }
}

void openmetrics_label(struct out *o, const char *name, const char *value)
{
    size_t n = value ? strnlen(value, OPENMETRICS_VALUE) : 0;
    struct out safe;

    out_init(&safe, -1);
    text_safe(&safe, value ? value : "", n, true);
    out_printf(o, "%s%s=\"", o->len ? "," : "", name);
    put_escaped(o, safe.buf, safe.len);
    out_char(o, '"');
    o->error = o->error ? o->error : safe.error;
    out_free(&safe);
}

void openmetrics_label_number(struct out *o, const char *name, uint64_t value)
{
    out_printf(o, "%s%s=\"%" PRIu64 "\"", o->len ? "," : "", name, value);
}
