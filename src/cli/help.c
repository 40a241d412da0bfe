/* SPDX-License-Identifier: MIT */
/*
 * Help from the tables: overview, usage of a command, man pages (their scdoc source is embedded, so
 * that help needs no installation), and the reference of JSON fields.
 */
#include "cli/cmd.h"
#include "cli/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void help_bold(struct out *o, const struct term *t, const char *s, size_t n)
{
    if (t->color)
        out_str(o, "\033[1m");
    out_mem(o, s, n);
    if (t->color)
        out_str(o, "\033[0m");
}

void help_overview(struct out *o, const struct term *t)
{
    const char *group = "";

    out_str(o, "oscope shows what an unmodified guest OS in QEMU does, from outside.\n");
    for (size_t i = 0; cmd_table[i]; i++) {
        const struct cmd_entry *c = cmd_table[i];
        if (c->flags & CMD_HIDDEN)
            continue;
        if (strcmp(group, c->group) != 0) {
            group = c->group;
            out_char(o, '\n');
            help_bold(o, t, group, strlen(group));
            out_char(o, '\n');
        }
        out_printf(o, "  %-11s %s\n", c->name, c->summary);
    }
    out_str(o, "\nStart with 'oscope run -- qemu-system-riscv64 ...', 'oscope attach PID' or\n"
               "'oscope core FILE', then 'oscope info' and 'oscope ps'.\n"
               "'oscope COMMAND --help' lists options, 'oscope help COMMAND' explains.\n");
}

static void help_options(struct out *o, const struct cli_option *options)
{
    for (const struct cli_option *p = options; p && p->name; p++) {
        char left[64];
        int n = snprintf(left, sizeof left, p->letter ? "-%c, " : "    ", p->letter);
        snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s%s%s", p->name,
                 p->arg_optional ? "[" : "", p->arg ? (p->arg_optional ? "=" : " ") : "",
                 p->arg ? p->arg : "", p->arg_optional ? "]" : "");
        out_printf(o, "  %-26s %s\n", left, p->doc);
    }
}

void help_usage(struct out *o, const struct cmd_entry *cmd, const struct term *t)
{
    out_printf(o, "usage: oscope %s [options]%s%s\n", cmd->name, *cmd->args ? " " : "", cmd->args);
    out_printf(o, "%s\n", cmd->summary);
    if (cmd->options && cmd->options->name) {
        out_char(o, '\n');
        help_options(o, cmd->options);
    }
    if (cmd->flags & CMD_VIEW) {
        out_char(o, '\n');
        help_bold(o, t, "Of all views", 12);
        out_char(o, '\n');
        help_options(o, cli_view_options);
    }
    out_char(o, '\n');
    help_options(o, cli_common_options);
    out_printf(o, "\n'oscope help %s' explains.\n", cmd->name);
}

/* ---- man pages ---- */

/* One line of scdoc: *bold*, _underlined_ (at word borders), backslash escapes. */
static void man_line(struct out *o, const char *s, size_t n, const struct term *t, bool literal)
{
    bool bold = false, under = false;

    for (size_t i = 0; i < n; i++) {
        char c = s[i], before = i ? s[i - 1] : ' ', after = i + 1 < n ? s[i + 1] : ' ';
        if (literal) {
            out_char(o, c);
        } else if (c == '\\' && i + 1 < n) {
            out_char(o, s[++i]);
        } else if (c == '*') {
            bold = !bold;
            if (t->color)
                out_str(o, bold ? "\033[1m" : "\033[22m");
        } else if (c == '_' && (under || strchr(" \t([|=*-/", before)) &&
                   (!under || !strchr("abcdefghijklmnopqrstuvwxyz", after))) {
            under = !under;
            if (t->color)
                out_str(o, under ? "\033[4m" : "\033[24m");
        } else if (c == '+' && i + 2 == n && after == '+') {
            break; /* "++" ends a line */
        } else {
            out_char(o, c);
        }
    }
    if (t->color && (bold || under))
        out_str(o, "\033[0m");
}

void help_man(struct out *o, const char *scdoc, const struct term *t)
{
    bool literal = false, head = true, heading = false;

    for (const char *s = scdoc, *end; *s; s = *end ? end + 1 : end) {
        end = strchrnul(s, '\n');
        size_t n = (size_t)(end - s), tabs = 0;
        if (head) { /* "oscope-ps(1)" and the empty line after it */
            head = n != 0;
            continue;
        }
        if (*s == ';' || (heading && !n)) /* a comment; the empty line after a heading */
            continue;
        heading = !literal && *s == '#';
        while (tabs < n && s[tabs] == '\t')
            tabs++;
        s += tabs;
        n -= tabs;
        if (n >= 3 && !strncmp(s, "```", 3)) {
            literal = !literal;
            continue;
        }
        if (heading) {
            size_t skip = strspn(s, "# ");
            out_fill(o, ' ', s[1] == '#' ? 3 : 0);
            help_bold(o, t, s + skip, n - skip);
        } else if (n) {
            out_fill(o, ' ', 7 + 4 * tabs);
            man_line(o, s, n, t, literal);
        }
        out_char(o, '\n');
    }
}

void help_table(struct out *o)
{
    for (size_t i = 0; cmd_table[i]; i++) {
        const struct cmd_entry *c = cmd_table[i];
        out_printf(o, "command %s%s\n", c->name, c->flags & CMD_HIDDEN ? " hidden" : "");
        for (const struct cli_option *p = c->options; p && p->name; p++)
            out_printf(o, "option %s --%s\n", c->name, p->name);
    }
    for (const struct cli_option *p = cli_view_options; p->name; p++)
        out_printf(o, "option oscope --%s\n", p->name);
    for (const struct cli_option *p = cli_common_options; p->name; p++)
        out_printf(o, "option oscope --%s\n", p->name);
}

int help_page(const struct cli *c, struct out *o, const struct term *t)
{
    const char *pager = getenv("PAGER");
    FILE *f = NULL;

    if (o->error)
        return cli_failed(c, "%s", strerror(o->error));
    if (t->tty && (!pager || strcmp(pager, "cat") != 0)) {
        setenv("LESS", "FRX", 0); /* short pages just appear, colours work */
        signal(SIGPIPE, SIG_IGN); /* the pager may be left early */
        f = popen(pager && *pager ? pager : "less", "w");
    }
    if (f) {
        fwrite(o->buf, 1, o->len, f);
        if (pclose(f) >> 8 != 127) /* else: there is no such pager */
            return CLI_OK;
    }
    o->fd = STDOUT_FILENO;
    if (out_flush(o) || o->error == EPIPE)
        return CLI_OK;
    return cli_failed(c, "cannot write the output: %s", strerror(o->error));
}

/* ---- docs/JSON.md ---- */

static const char *help_json_type(const struct oscope_column *c)
{
    switch (c->kind) {
    case OSCOPE_HEX: return "string, hexadecimal";
    case OSCOPE_BYTES: return "number, bytes";
    case OSCOPE_DURATION: return "number, nanoseconds";
    case OSCOPE_BOOLEAN: return "true or false";
    case OSCOPE_REAL: return "number";
    case OSCOPE_UINT:
    case OSCOPE_INT: return "number";
    default: return "string";
    }
}

static void help_json_table(struct out *o, const char *command, const struct oscope_column *columns)
{
    out_printf(o, "\n## %s\n\n| field | type | meaning |\n|---|---|---|\n", command);
    for (const struct oscope_column *c = columns; c->name; c++)
        out_printf(o, "| `%s` | %s | %s |\n", c->name, help_json_type(c), c->doc);
}

int help_json_fields(const struct cli *c, struct out *o)
{
    size_t n;
    const struct oscope_view_doc *docs = oscope_view_docs(&n);
    struct oscope_view *list;
    struct oscope_error *err = oscope_view_list(&list); /* empty or not, its columns are there */

    if (err)
        return cli_error(c, err);

    out_str(
        o,
        "# JSON fields\n\n"
        "<!-- Made by `oscope help --json-fields` from the column tables; do not edit. -->\n\n"
        "`-o json` prints one array of flat objects; with `--watch` and `dmesg -f` one array\n"
        "on a line for each round. Numbers that are not known are `null`. Addresses are strings\n"
        "(`\"0x…\"`): 64 bits do not fit a JSON number everywhere. Sizes are bytes, times\n"
        "nanoseconds. Strings of the guest are valid UTF-8 in any case: a byte that is not\n"
        "becomes the four characters `\\xNN`.\n\n"
        "Every object has `consistency`: `consistent` (checks held), `retried` (they held after\n"
        "reading again) or `torn` (the guest changed it under the reading; partial).\n"
        "With `--columns` only the fields named and `consistency` are there.\n");
    if (list->ntables)
        help_json_table(o, "list", list->tables[0].columns);
    oscope_view_free(list);
    for (size_t i = 0; i < n; i++)
        help_json_table(o, docs[i].command, docs[i].columns);
    return CLI_OK;
}
