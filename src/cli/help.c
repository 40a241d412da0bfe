/* SPDX-License-Identifier: MIT */
/*
 * Help from the tables: overview, usage of a command, man pages (their scdoc source is embedded, so
 * that help needs no installation), and the reference of JSON fields.
 */
#include "cli/cmd.h"
#include "draw/text.h"

#include <ctype.h>
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

static void help_text(struct out *o, const struct term *t, const char *s, size_t at, size_t indent)
{
    text_wrap(o, s, strlen(s), &(struct text_lines){(size_t)t->width, at, indent});
    out_char(o, '\n');
}

/* "  name    what it is" */
static void help_entry(struct out *o, const struct term *t, const char *name, int width,
                       const char *text)
{
    size_t at = 2 + (strlen(name) > (size_t)width ? strlen(name) : (size_t)width) + 1;

    out_printf(o, "  %-*s ", width, name);
    help_text(o, t, text, at, (size_t)width + 3);
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
        help_entry(o, t, c->name, 11, c->summary);
    }
    out_str(o, "\nStart with 'oscope run -- qemu-system-riscv64 ...', 'oscope attach PID' or\n"
               "'oscope core FILE', then 'oscope info' and 'oscope ps'.\n"
               "'oscope COMMAND --help' lists options, 'oscope help COMMAND' explains.\n");
}

static void help_options(struct out *o, const struct term *t, const struct cli_option *options)
{
    for (const struct cli_option *p = options; p && p->name; p++) {
        char left[64];
        int n = snprintf(left, sizeof left, p->letter ? "-%c, " : "    ", p->letter);
        snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s%s%s", p->name,
                 p->arg_optional ? "[" : "", p->arg ? (p->arg_optional ? "=" : " ") : "",
                 p->arg ? p->arg : "", p->arg_optional ? "]" : "");
        help_entry(o, t, left, 26, p->doc);
    }
}

void help_usage(struct out *o, const struct cmd_entry *cmd, const struct term *t)
{
    out_printf(o, "usage: oscope %s [options]%s%s\n", cmd->name, *cmd->args ? " " : "", cmd->args);
    out_printf(o, "%s\n", cmd->summary);
    if (cmd->options && cmd->options->name) {
        out_char(o, '\n');
        help_options(o, t, cmd->options);
    }
    if (cmd->flags & CMD_VIEW) {
        out_char(o, '\n');
        help_bold(o, t, "Of all views", 12);
        out_char(o, '\n');
        help_options(o, t, cli_view_options);
        if (!(cmd->flags & CMD_NO_GUEST))
            help_options(o, t, cli_guest_options);
    }
    out_char(o, '\n');
    help_options(o, t, cli_common_options);
    out_printf(o, "\n'oscope help %s' explains.\n", cmd->name);
}

/* ---- man pages ---- */

/* The look of *bold* (1) and _underlined_ (4) text begins or ends. */
static void man_format(struct out *o, const struct term *t, bool *on, int sgr)
{
    *on = !*on;
    if (t->color)
        out_printf(o, "\033[%dm", *on ? sgr : sgr == 1 ? 22 : 24);
}

/*
 * Text of scdoc(5): *bold*, _underlined_, backslash escapes. An underscore begins underlined text
 * unless it follows a letter or digit, and ends it unless one follows it.
 */
static void man_inline(struct out *o, const char *s, size_t n, const struct term *t)
{
    bool bold = false, under = false;
    char last = ' ';

    for (size_t i = 0; i < n; last = s[i++]) {
        char next = i + 1 < n ? s[i + 1] : ' ';
        if (s[i] == '\\' && i + 1 < n)
            out_char(o, s[++i]);
        else if (s[i] == '*')
            man_format(o, t, &bold, 1);
        else if (s[i] == '_' &&
                 (under ? !isalnum((unsigned char)next) : !isalnum((unsigned char)last)))
            man_format(o, t, &under, 4);
        else
            out_char(o, s[i]);
    }
    if (t->color && (bold || under))
        out_str(o, "\033[0m");
}

enum { MAN_INDENT = 7, MAN_TAB = 4, MAN_WIDTH = 80 };

/* A page while it is rendered: the paragraph whose lines are being joined. */
struct man {
    struct out *o, text;
    const struct term *t;
    size_t width, indent;
};

/* The paragraph is complete: fills lines with it. */
static void man_flush(struct man *m)
{
    struct out line;

    if (!m->text.len)
        return;
    out_init(&line, -1);
    man_inline(&line, m->text.buf, m->text.len, m->t);
    out_fill(m->o, ' ', m->indent);
    text_wrap(m->o, line.buf ? line.buf : "", line.len,
              &(struct text_lines){m->width, m->indent, m->indent});
    out_char(m->o, '\n');
    out_free(&line);
    m->text.len = 0;
}

/* One more line of a paragraph; another indentation makes another paragraph, "++" ends a line. */
static void man_text(struct man *m, const char *s, size_t n, size_t indent)
{
    bool ends = n >= 2 && s[n - 1] == '+' && s[n - 2] == '+';

    if (indent != m->indent)
        man_flush(m);
    m->indent = indent;
    if (m->text.len)
        out_char(&m->text, ' ');
    out_mem(&m->text, s, ends ? n - 2 : n);
    if (ends)
        man_flush(m);
}

/* A line between ``` and ```: as it is. */
static void man_literal(struct man *m, const char *s, size_t n, size_t indent)
{
    if (n) {
        out_fill(m->o, ' ', indent);
        text_wrap(m->o, s, n, &(struct text_lines){m->width, indent, indent});
    }
    out_char(m->o, '\n');
}

static void man_heading(struct man *m, const char *s, size_t n)
{
    size_t skip = strspn(s, "# ");

    out_fill(m->o, ' ', s[1] == '#' ? 3 : 0);
    help_bold(m->o, m->t, s + skip, n - skip);
    out_char(m->o, '\n');
}

void help_man(struct out *o, const char *scdoc, const struct term *t)
{
    bool literal = false, head = true, heading = false;
    struct man m = {.o = o, .t = t, .width = t->width ? (size_t)t->width : MAN_WIDTH};

    out_init(&m.text, -1);
    for (const char *s = scdoc, *end; *s; s = *end ? end + 1 : end) {
        end = strchrnul(s, '\n');
        size_t n = (size_t)(end - s), tabs = 0;
        if (head) { /* "oscope-ps(1)", a comment, and empty lines, up to the first heading */
            head = *s != '#' && *end;
            if (head)
                continue;
        }
        while (tabs < n && s[tabs] == '\t')
            tabs++;
        s += tabs;
        n -= tabs;
        size_t indent = MAN_INDENT + MAN_TAB * tabs;
        if (n >= 3 && !strncmp(s, "```", 3)) {
            man_flush(&m);
            literal = !literal;
        } else if (literal) {
            man_literal(&m, s, n, indent);
        } else if (*s == ';' || (heading && !n)) { /* a comment; the empty line after a heading */
            continue;
        } else if (*s == '#') {
            man_heading(&m, s, n);
        } else if (n) {
            man_text(&m, s, n, indent);
        } else {
            man_flush(&m);
            out_char(o, '\n');
        }
        heading = !literal && *s == '#';
    }
    man_flush(&m);
    out_free(&m.text);
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
    for (const struct cli_option *p = cli_guest_options; p->name; p++)
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
    for (size_t i = 0; i < n; i++)
        help_json_table(o, docs[i].command, docs[i].columns);
    return CLI_OK;
}
