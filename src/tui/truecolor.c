/* SPDX-License-Identifier: MIT */
/*
 * See truecolor.h. The strings for direct colours: ISO 8613-6 (ITU-T T.416) SGR 38 and 48 in the
 * form with semicolons; numbers below 8 are the basic colours, as ncurses counts them.
 */
#include "tui/truecolor.h"

#include "base/util.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <term.h>

extern char **environ;

#define DIRECT(set)                                                                                \
    "\\E[%?%p1%{8}%<%t" set "%p1%d%e" set "8;2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;"             \
    "%p1%{255}%&%d%;m"

static bool is_wanted(const char *term)
{
    const char *colors = getenv("COLORTERM");
    int bad;

    if (!colors || (strcmp(colors, "truecolor") != 0 && strcmp(colors, "24bit") != 0))
        return false;
    if (!term || term[strspn(term, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789._+-")])
        return false;
    if (setupterm(term, STDOUT_FILENO, &bad) != OK)
        return false;
    int known = tigetnum("colors");
    del_curterm(cur_term);
    return known >= 8 && known < 1 << 24;
}

static bool write_source(const char *path, const char *name, const char *term)
{
    FILE *f = fopen(path, "w");

    if (!f)
        return false;
    fprintf(f,
            "%s|%s with 24-bit colours,\n\tRGB, colors#0x1000000, pairs#0x7fff,\n\tsetaf=%s,\n"
            "\tsetab=%s,\n\tuse=%s,\n",
            name, term, DIRECT("3"), DIRECT("4"), term);
    return fclose(f) == 0;
}

static bool compile(const char *dir, const char *source)
{
    const char *argv[] = {"tic", "-x", "-o", dir, source, NULL};
    posix_spawn_file_actions_t files;
    pid_t pid;
    int status;

    if (posix_spawn_file_actions_init(&files))
        return false;
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    int bad = posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    if (bad)
        return false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* ncurses looks there, too; an empty folder's name stands for where it looks anyway. */
static bool add_folder(const char *dir)
{
    const char *others = getenv("TERMINFO_DIRS");
    AUTO_FREE char *all = NULL;

    return asprintf(&all, "%s:%s", dir, others ? others : "") >= 0 &&
           setenv("TERMINFO_DIRS", all, 1) == 0;
}

const char *truecolor_begin(struct truecolor *t)
{
    const char *term = getenv("TERM"), *tmp = getenv("TMPDIR");
    char source[sizeof t->dir + 8];

    *t = (struct truecolor){0};
    if (!is_wanted(term))
        return NULL;
    int n = snprintf(t->dir, sizeof t->dir, "%s/oscope-term-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (n >= (int)sizeof t->dir || !mkdtemp(t->dir)) {
        t->dir[0] = '\0';
        return NULL;
    }
    snprintf(source, sizeof source, "%s/source", t->dir);
    n = snprintf(t->name, sizeof t->name, "oscope-%s", term);
    if (n < (int)sizeof t->name && write_source(source, t->name, term) && compile(t->dir, source) &&
        add_folder(t->dir))
        return t->name;
    truecolor_end(t);
    return NULL;
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    return remove(path);
}

void truecolor_end(struct truecolor *t)
{
    if (t->dir[0])
        nftw(t->dir, drop, 4, FTW_DEPTH | FTW_PHYS);
    t->dir[0] = '\0';
}
