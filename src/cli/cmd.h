/* SPDX-License-Identifier: MIT */
/*
 * Commands. One file cmd_NAME.c with one `const struct cmd_entry`, one row in cmd_table.c. The
 * entry's option table drives parsing, --help, completion and the docs check.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "draw/render.h"

#include <oscope/oscope.h>

#include <limits.h>

enum cli_status { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli_option {
    const char *name;     /* long; NULL ends the table */
    char letter;          /* short, or 0 */
    const char *arg;      /* what its argument is called, NULL: takes none */
    bool arg_optional;    /* --name[=ARG] */
    const char *doc;      /* one line */
    const char *complete; /* what completes the argument: see completion.c; NULL: nothing */
};

enum cmd_flag {
    CMD_VIEW = 1 << 0,     /* shows a view: takes -s -o --watch --columns … */
    CMD_NO_GUEST = 1 << 3, /* … but none that looks into a guest: no -s --vmlinux --pause … */
    CMD_PLUS = 1 << 1,     /* options end at the first operand */
    CMD_HIDDEN = 1 << 2,   /* for tools: not in overviews and completions */
    CMD_STATE = 1 << 4,    /* shows what the guest is now: the live screen has it, too (look.c) */
};

struct cli;

struct cmd_entry {
    const char *name;
    const char *group;   /* heading in the overview */
    const char *args;    /* operands, for the synopsis */
    const char *summary; /* one line, small first letter, no stop */
    const struct cli_option *options;
    unsigned flags;
    int least, most; /* operands; most -1: any number */
    const char *complete;
    int (*run)(struct cli *c); /* returns the exit status */
};

extern const struct cmd_entry *const cmd_table[]; /* ends with NULL */
/* Of all commands; of all views; of the views that look into a guest. */
extern const struct cli_option cli_common_options[], cli_view_options[], cli_guest_options[];

/* The tables of the options that cmd has (its own first); returns their number. */
enum { CLI_TABLES = 4 };
size_t cmd_options(const struct cmd_entry *cmd, const struct cli_option *tables[CLI_TABLES]);

const struct cmd_entry *cmd_find(const char *name);
/* The command most like name, or NULL if none is near. */
const char *cmd_nearest(const char *name);

/* A parsed command line. */
enum { CLI_OPTIONS_MAX = 64 };
struct cli {
    const struct cmd_entry *cmd; /* NULL before it is known */
    struct {
        const struct cli_option *option;
        const char *arg; /* "" for options without */
    } given[CLI_OPTIONS_MAX];
    size_t ngiven;
    int argc; /* operands */
    char **argv;
    struct cli_look *look; /* NULL: it prints; else it is looked at on a screen */
};

struct command_form; /* collect/collect.h */
struct shot;

/* Of a command whose view is drawn by somebody else. */
struct cli_look {
    struct oscope_session *session;
    struct oscope_view *view;   /* the caller's, as the rest; NULL: none, */
    struct oscope_error *error; /* and this is why. With a view: what is to be said of it */
    struct command_form *form;  /* how the view is to be drawn; NULL without one */
};

/*
 * Parses argv (argv[0] is the program). Sets c->cmd unless there is none. On a mistake prints one
 * line and returns CLI_USAGE.
 */
int cli_parse(struct cli *c, int argc, char **argv);
/* The same; mistakes become look->error. One thread at a time parses: getopt_long(3). */
int cli_parse_look(struct cli *c, struct cli_look *look, int argc, char **argv);

/* The argument of the last option of that long name ("" if it takes none); NULL: not given. */
const char *cli_option(const struct cli *c, const char *name);
/* Numbers: false (and one line on stderr) when it is not one or is over max; absent: untouched. */
bool cli_number(const struct cli *c, const char *name, uint64_t max, uint64_t *out);
/* The same from 1 on. */
bool cli_count(const struct cli *c, const char *name, uint64_t max, uint64_t *out);
/* Of a recording: --from, and the option `to` for its end; absent: untouched. */
bool cli_interval(const struct cli *c, const char *to, struct oscope_interval *out);
/* CLI_USAGE (and one line on stderr) for --for of a recording (--trace), --from and --to of a
 * running guest. */
int cli_live_or_recorded(const struct cli *c);
/* The operands, also those that are joined with commas ("a,b c": three); what is over max, and what
 * is empty, is left out. Cuts the operands' text up: it can be asked for once. */
size_t cli_words(struct cli *c, const char **out, size_t max);
/* An operand as a number, likewise. what: "PID". */
bool cli_operand(const struct cli *c, int i, const char *what, uint64_t max, uint64_t *out);
/* The same of an operand that is a PID: of a process, or of a thread ("17.2": OSCOPE_THREAD). */
bool cli_thread(const struct cli *c, int i, int32_t *out);

/* "oscope: line" on stderr, for the library's messages (arg unused). */
void cli_message(const char *line, void *arg);
/* "oscope CMD: text" on stderr; returns the status to exit with. */
int cli_usage(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int cli_failed(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with an error's hint; frees err. */
int cli_error(const struct cli *c, struct oscope_error *err);

/* ---- open.c ---- */

/* What the user said of the kernel. */
struct oscope_kernel_files cli_kernel_files(const struct cli *c);

/* The rows of commands without CMD_VIEW that open a session. */
#define CLI_SESSION_OPTION                                                                         \
    {                                                                                              \
        "session", 's', "ID", false, "the session (default: the only one, or $OSCOPE_SESSION)",    \
            "@session"                                                                             \
    }
#define CLI_NO_CACHE_OPTION                                                                        \
    {                                                                                              \
        "no-cache", 0, NULL, false, "find the kernel anew, do not read or write the cache", NULL   \
    }
/* Of commands that switch event sets on. */
/* Of commands that look at a running guest or at a recording. */
#define CLI_TRACE_OPTION                                                                           \
    {                                                                                              \
        "trace", 't', "DIR", false, "read this recording instead of a running guest", "@file"      \
    }
#define CLI_FROM_OPTION                                                                            \
    {                                                                                              \
        "from", 0, "SEC", false,                                                                   \
            "recordings: from so many seconds after the first event on (@SEC: from that time on)", \
            NULL                                                                                   \
    }
#define CLI_TO_OPTION                                                                              \
    {                                                                                              \
        "to", 0, "SEC", false, "recordings: up to that moment, given likewise", NULL               \
    }
#define CLI_WAIT_OPTION                                                                            \
    {                                                                                              \
        "wait", 0, "SEC", false, CLI_WAIT_DOC, NULL                                                \
    }
#define CLI_WAIT_DOC                                                                               \
    "wait so long for the kernel if there is none yet (default: until 30 s after the guest's "     \
    "start; 0: do not)"
/* Opens the session that the options mean; the user is told when it waits for a kernel. out NULL:
 * only looks whether the options are right. Returns the status; what went wrong was told. */
int cli_open(struct cli *c, struct oscope_session **out);

/* ---- showing views (show.c) ---- */

struct cmd_view {
    enum render_form form;
    bool no_session;
    bool (*more)(void *arg); /* asked after each round: is there another? NULL: always */
    bool append;             /* --follow: rounds add to each other, empty ones show nothing */
    double every;            /* seconds between rounds when --watch is not given, 0: once */
    /* Makes the i-th of `count` (0: 1) views, which are shown as one. */
    struct oscope_error *(*make)(struct oscope_session *s, void *arg, size_t i,
                                 struct oscope_view **out);
    size_t count;
    const char *const *tables; /* as in render_options */
    size_t top;
    /* Looks at what was made; a message makes the command fail after showing it. NULL: all well. */
    const char *(*check)(const struct oscope_view *v, void *arg);
    void *arg;
};

/* Opens the session the user means, shows the view once or at intervals; returns the status. */
int cmd_show(struct cli *c, const struct cmd_view *v);

/* ---- look.c ---- */

/* Runs the line as a command of the live screen: see collect_options.command. */
void look_run(const char *line, struct oscope_session *s, struct shot *out);

/* ---- help.c ---- */

struct man_page {
    const char *name; /* "oscope", "oscope-ps" */
    const char *text; /* scdoc source */
};
extern const struct man_page man_pages[]; /* generated from man/; ends with NULL */

void help_overview(struct out *o, const struct term *t);
void help_usage(struct out *o, const struct cmd_entry *cmd, const struct term *t);
/* A scdoc page lightly rendered. */
void help_man(struct out *o, const char *scdoc, const struct term *t);
/* Every command and option, one a line: for tests/docs/check.sh. */
void help_table(struct out *o);
/* Writes o to stdout, through a pager when that is a terminal; returns the status. */
int help_page(const struct cli *c, struct out *o, const struct term *t);
/* docs/JSON.md */
int help_json_fields(const struct cli *c, struct out *o);

#endif
