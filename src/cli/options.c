/* SPDX-License-Identifier: MIT */
/*
 * The command line, parsed from tables by getopt_long(3). Common options may stand before or after
 * the command. Every mistake is one line and status 2.
 */
#include "cli/cmd.h"
#include "base/error.h"
#include "draw/text.h"
#include "trace/interval.h"

#include <getopt.h>
#include <unistd.h>
#include <stdio.h>
#include <stdlib.h>

const struct cli_option cli_common_options[] = {
    {"help", 'h', NULL, false, "show how to use it", NULL},
    {"color", 0, "WHEN", false, "colours: auto, always or never", "auto always never"},
    {0},
};

const struct cli_option cli_view_options[] = {
    {"output", 'o', "FORMAT", false, "text or json", "text json"},
    {"watch", 0, "SEC", false, "show it again every SEC seconds", NULL},
    {"columns", 0, "A,B,C", false, "only these columns, in this order", "@columns"},
    {"no-header", 0, NULL, false, "leave the table's head out", NULL},
    {"bytes", 0, NULL, false, "sizes exactly, in bytes", NULL},
    {0},
};

const struct cli_option cli_guest_options[] = {
    {"session", 's', "ID", false, "which session, or the path of a core file", "@session"},
    {"vmlinux", 0, "FILE", false, "kernel ELF file to take symbols and types from", "@file"},
    {"system-map", 0, "FILE", false, "System.map to take symbols from", "@file"},
    {"profile", 0, "FILE", false, "how that kernel keeps its tasks, or a built-in one's name",
     "@file"},
    {"no-cache", 0, NULL, false, "neither read nor write the on-disk cache", NULL},
    {"pause", 0, NULL, false, "stop the guest while reading it", NULL},
    {0},
};

size_t cmd_options(const struct cmd_entry *cmd, const struct cli_option *tables[CLI_TABLES])
{
    size_t n = 0;

    if (cmd->options)
        tables[n++] = cmd->options;
    if (cmd->flags & CMD_VIEW)
        tables[n++] = cli_view_options;
    if ((cmd->flags & CMD_VIEW) && !(cmd->flags & CMD_NO_GUEST))
        tables[n++] = cli_guest_options;
    tables[n++] = cli_common_options;
    return n;
}

/* Everything one getopt_long() run may meet. */
struct option_set {
    const struct cli_option *known[CLI_OPTIONS_MAX];
    struct option longs[CLI_OPTIONS_MAX + 1];
    char shorts[2 + 3 * CLI_OPTIONS_MAX + 1];
    size_t n;
};

enum { OPTION_VALUE = 0x1000 }; /* getopt's value of known[i] is OPTION_VALUE + i */

static void options_add(struct option_set *set, const struct cli_option *table)
{
    for (const struct cli_option *o = table; o && o->name && set->n < CLI_OPTIONS_MAX; o++) {
        int has = !o->arg ? no_argument : o->arg_optional ? optional_argument : required_argument;
        char *p = set->shorts + strlen(set->shorts);
        if (o->letter) {
            *p++ = o->letter;
            for (int i = 0; i < has; i++)
                *p++ = ':';
            *p = '\0';
        }
        set->longs[set->n] = (struct option){o->name, has, NULL, OPTION_VALUE + (int)set->n};
        set->known[set->n++] = o;
    }
}

static const struct cli_option *options_of(const struct option_set *set, int value)
{
    if (value >= OPTION_VALUE && (size_t)(value - OPTION_VALUE) < set->n)
        return set->known[value - OPTION_VALUE];
    for (size_t i = 0; i < set->n; i++)
        if (value && set->known[i]->letter == value)
            return set->known[i];
    return NULL;
}

static int options_mistake(const struct cli *c, const struct option_set *set, int got,
                           const char *word)
{
    const struct cli_option *o = options_of(set, optopt);

    if (o && got == ':')
        return cli_usage(c, "option --%s needs an argument (%s)", o->name, o->arg);
    if (o)
        return cli_usage(c, "option --%s takes no argument", o->name);
    if (optopt)
        return cli_usage(c, "unknown option -%c", optopt);
    return cli_usage(c, "unknown option %s", word);
}

static int options_run(struct cli *c, const struct option_set *set, int argc, char **argv)
{
    int got;

    optind = 0; /* GNU: start afresh */
    opterr = 0;
    while ((got = getopt_long(argc, argv, set->shorts, set->longs, NULL)) != -1) {
        if (got == '?' || got == ':')
            return options_mistake(c, set, got, argv[optind - 1]);
        if (c->ngiven == CLI_OPTIONS_MAX)
            return cli_usage(c, "too many options");
        c->given[c->ngiven].option = options_of(set, got);
        c->given[c->ngiven++].arg = optarg ? optarg : "";
    }
    return CLI_OK;
}

static bool options_has(const struct cli_option *options, const char *name)
{
    for (; options && options->name; options++)
        if (!strcmp(options->name, name))
            return true;
    return false;
}

/* Options of views, given before the command or after it, must be ones that the command has. */
static int options_fitting(const struct cli *c)
{
    const struct cli_option *tables[CLI_TABLES];
    size_t n = cmd_options(c->cmd, tables);

    for (size_t i = 0; i < c->ngiven; i++) {
        const char *name = c->given[i].option->name;
        bool fits = !options_has(cli_view_options, name) && !options_has(cli_guest_options, name);
        for (size_t k = 0; k < n; k++)
            fits = fits || options_has(tables[k], name);
        if (!fits)
            return cli_usage(c, "option --%s does not apply here", name);
    }
    return CLI_OK;
}

/* What the command line lacks: the operands without "[…]", as words. */
static int options_missing(const struct cli *c)
{
    char what[128];
    size_t n = 0;
    int depth = 0;

    for (const char *s = c->cmd->args; *s && n + 8 < sizeof what; s++) {
        depth += *s == '[' && (s == c->cmd->args || s[-1] == ' ' || depth);
        if (!depth && *s == '|')
            n += (size_t)snprintf(what + n, sizeof what - n, " or ");
        else if (!depth && (*s != ' ' || n))
            what[n++] = *s;
        depth -= *s == ']' && depth;
    }
    while (n && what[n - 1] == ' ')
        n--;
    what[n] = '\0';
    return cli_usage(c, "%s missing (usage: oscope %s %s)", what, c->cmd->name, c->cmd->args);
}

static int options_too_much(const struct cli *c)
{
    const char *word = c->argv[c->cmd->most];

    for (size_t i = 0; i < c->ngiven; i++) /* --map 64: its argument is part of the word */
        if (c->given[i].option->arg_optional && !*c->given[i].arg)
            return cli_usage(c, "'%s' is too much (write --%s=%s)", word, c->given[i].option->name,
                             word);
    return cli_usage(c, "'%s' is too much (usage: oscope %s%s%s)", word, c->cmd->name,
                     *c->cmd->args ? " " : "", c->cmd->args);
}

static const struct cli_option version_options[] = {
    {"version", 'V', NULL, false, "show the version", NULL},
    {0},
};

int cli_parse(struct cli *c, int argc, char **argv)
{
    return cli_parse_look(c, NULL, argc, argv);
}

int cli_parse_look(struct cli *c, struct cli_look *look, int argc, char **argv)
{
    struct option_set before = {.shorts = "+:"}, after = {.shorts = ":"};
    int status;

    *c = (struct cli){.look = look};
    options_add(&before, cli_common_options);
    options_add(&before, cli_view_options);
    options_add(&before, cli_guest_options);
    options_add(&before, version_options);
    if ((status = options_run(c, &before, argc, argv)))
        return status;
    if (optind >= argc)
        return CLI_OK;
    int at = optind;
    c->cmd = cmd_find(argv[at]);
    if (!c->cmd) {
        const char *near = cmd_nearest(argv[at]);
        if (near)
            return cli_usage(c, "unknown command '%s' (did you mean '%s'?)", argv[at], near);
        return cli_usage(c, "unknown command '%s' ('oscope help' lists them)", argv[at]);
    }
    if (c->cmd->flags & CMD_PLUS)
        strcpy(after.shorts, "+:");
    options_add(&after, cli_common_options);
    if (c->cmd->flags & CMD_VIEW) { /* all of them, so that one can be told which do not fit */
        options_add(&after, cli_view_options);
        options_add(&after, cli_guest_options);
    }
    options_add(&after, c->cmd->options);
    if ((status = options_fitting(c)) || (status = options_run(c, &after, argc - at, argv + at)) ||
        (status = options_fitting(c)))
        return status;
    c->argc = argc - at - optind;
    c->argv = argv + at + optind;
    if (cli_option(c, "help"))
        return CLI_OK;
    if (c->argc < c->cmd->least)
        return options_missing(c);
    if (c->cmd->most >= 0 && c->argc > c->cmd->most)
        return options_too_much(c);
    return CLI_OK;
}

const char *cli_option(const struct cli *c, const char *name)
{
    for (size_t i = c->ngiven; i-- > 0;)
        if (!strcmp(c->given[i].option->name, name))
            return c->given[i].arg;
    return NULL;
}

bool cli_number(const struct cli *c, const char *name, uint64_t max, uint64_t *out)
{
    const char *s = cli_option(c, name);

    if (!s || text_number(s, max, out))
        return true;
    cli_usage(c, "--%s: '%s' is not a number between 0 and %llu", name, s, (unsigned long long)max);
    return false;
}

bool cli_count(const struct cli *c, const char *name, uint64_t max, uint64_t *out)
{
    const char *s = cli_option(c, name);

    if (!s || (text_number(s, max, out) && *out))
        return true;
    cli_usage(c, "--%s: '%s' is not a number between 1 and %llu", name, s, (unsigned long long)max);
    return false;
}

static bool moment_option(const struct cli *c, const char *name, uint64_t *out, bool *absolute)
{
    const char *s = cli_option(c, name);
    struct text_moment m;

    if (!s)
        return true;
    if (!text_moment(s, &m)) {
        cli_usage(c, "--%s: " TEXT_MOMENT_FORM ", not '%s'", name, s);
        return false;
    }
    *out = m.ns;
    *absolute = m.absolute;
    return true;
}

bool cli_interval(const struct cli *c, const char *to, struct oscope_interval *out)
{
    if (!moment_option(c, "from", &out->from, &out->from_absolute) ||
        !moment_option(c, to, &out->to, &out->to_absolute))
        return false;
    if (cli_option(c, to) && (!out->to || trace_interval_empty(out))) {
        cli_usage(c, "--%s: must be later than --from", to);
        return false;
    }
    return true;
}

int cli_live_or_recorded(const struct cli *c)
{
    bool recorded = cli_option(c, "trace") != NULL;

    if (recorded && cli_option(c, "for"))
        return cli_usage(c, "--for is for running guests; of a recording take --to");
    if (!recorded && (cli_option(c, "from") || cli_option(c, "to")))
        return cli_usage(c, "--from and --to are for recordings (-t DIR); live, take --for");
    return CLI_OK;
}

size_t cli_words(struct cli *c, const char **out, size_t max)
{
    size_t n = 0;

    for (int i = 0; i < c->argc; i++)
        for (char *p = c->argv[i], *word; (word = strsep(&p, ",")) && n < max;)
            if (*word)
                out[n++] = word;
    return n;
}

bool cli_operand(const struct cli *c, int i, const char *what, uint64_t max, uint64_t *out)
{
    if (text_number(c->argv[i], max, out))
        return true;
    cli_usage(c, "'%s' is not a %s", c->argv[i], what);
    return false;
}

bool cli_thread(const struct cli *c, int i, int32_t *out)
{
    if (oscope_thread_parse(c->argv[i], out))
        return true;
    cli_usage(c, "'%s' is not a PID", c->argv[i]);
    return false;
}

/* ---- messages ---- */

/* One line on stderr. The message may quote what the user or the guest gave: made safe. */
static void cli_say(const struct cli *c, const char *message, const char *hint)
{
    struct out o;

    if (c->look) {
        if (!c->look->error)
            c->look->error = error_new(OSCOPE_E_USAGE, "%s", message);
        return;
    }
    out_init(&o, STDERR_FILENO);
    out_str(&o, "oscope");
    if (c->cmd) {
        out_char(&o, ' ');
        out_str(&o, c->cmd->name);
    }
    out_str(&o, ": ");
    text_safe(&o, message, strlen(message), true);
    out_char(&o, '\n');
    if (hint) {
        out_str(&o, "  hint: ");
        text_safe(&o, hint, strlen(hint), true);
        out_char(&o, '\n');
    }
    out_flush(&o);
    out_free(&o);
}

static void cli_vsay(const struct cli *c, const char *fmt, va_list ap)
{
    char *text = NULL;

    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    cli_say(c, text ? text : fmt, NULL);
    free(text);
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    cli_vsay(c, fmt, ap);
    va_end(ap);
    return CLI_USAGE;
}

int cli_failed(const struct cli *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    cli_vsay(c, fmt, ap);
    va_end(ap);
    return CLI_FAILED;
}

void cli_message(const char *line, void *arg)
{
    fprintf(stderr, "oscope: %s\n", line);
}

int cli_error(const struct cli *c, struct oscope_error *err)
{
    int status = err->code == OSCOPE_E_USAGE ? CLI_USAGE : CLI_FAILED;

    if (c->look && !c->look->error) {
        c->look->error = err;
        return status;
    }
    cli_say(c, err->message, err->hint);
    oscope_error_free(err);
    return status;
}
