/* SPDX-License-Identifier: MIT */
/*
 * Commands on the live screen: a line as one would type it after `oscope`. Only those that show the
 * guest's state, and without the options that say which guest, or how a terminal is written to.
 */
#include "cli/cmd.h"

#include "base/error.h"
#include "collect/collect.h"

#include <stdlib.h>

enum { WORDS = 64 };

/* Splits text, in place, at blanks; quotes keep them. Returns how many words, -1: too many, or a
 * quote that is not closed. */
static int split(char *text, char **words, int most)
{
    char *to = text;
    int n = 0;

    for (const char *p = text; *p;) {
        char quote = '\0';
        while (*p == ' ' || *p == '\t')
            p++;
        if (!*p)
            break;
        if (n == most)
            return -1;
        words[n++] = to;
        for (; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
            if (*p == quote)
                quote = '\0';
            else if (!quote && (*p == '\'' || *p == '"'))
                quote = *p;
            else
                *to++ = *p;
        }
        if (quote)
            return -1;
        p += *p != '\0';
        *to++ = '\0'; /* not behind p: each word takes one blank, or the end */
    }
    return n;
}

static void add_known(struct out *o)
{
    for (size_t i = 0; cmd_table[i]; i++)
        if (cmd_table[i]->flags & CMD_STATE)
            out_printf(o, "%s%s", o->len ? ", " : "", cmd_table[i]->name);
    out_char(o, '\0');
}

/* Is it one that can be looked at, with options that make sense here? */
static int check(const struct cli *c)
{
    static const char *const senseless[] = {"session",  "vmlinux", "system-map", "profile",
                                            "no-cache", "pause",   "watch",      "color"};
    struct out known;

    if (!c->cmd || !(c->cmd->flags & CMD_STATE)) {
        out_init(&known, -1);
        add_known(&known);
        int status = cli_usage(c, "what can be looked at here: %s", known.buf ? known.buf : "");
        out_free(&known);
        return status;
    }
    if (cli_option(c, "help"))
        return cli_usage(c, "%s %s: %s", c->cmd->name, c->cmd->args, c->cmd->summary);
    for (size_t i = 0; i < sizeof senseless / sizeof senseless[0]; i++)
        if (cli_option(c, senseless[i]))
            return cli_usage(c, "option --%s does not apply here", senseless[i]);
    return CLI_OK;
}

void look_run(const char *line, struct oscope_session *s, struct shot *out)
{
    char program[] = "oscope", *words[WORDS + 2] = {program}, *text = strdup(line);
    struct cli_look look = {.session = s};
    struct cli c = {.look = &look};
    int n = text ? split(text, words + 1, WORDS) : 0;

    if (!text)
        look.error = error_nomem();
    else if (n < 0)
        look.error = error_new(OSCOPE_E_USAGE, "too many words, or a quote that is not closed");
    else if (!cli_parse_look(&c, &look, n + 1, words) && !check(&c))
        c.cmd->run(&c);
    if (!look.view && !look.error)
        look.error = error_nomem();
    out->view = look.view;
    out->error = look.error;
    out->form = look.form;
    free(text);
}
