/* SPDX-License-Identifier: MIT */
/* See opener.h. */
#include "web/opener.h"

#include "base/error.h"
#include "base/util.h"
#include "session/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

/* Of letters, digits and ":/?=.-[]" alone, so that it needs no escaping. */
static bool write_page(int fd, const char *url)
{
    return dprintf(fd,
                   "<!DOCTYPE html>\n<meta charset=utf-8>\n<title>oscope</title>\n"
                   "<meta name=referrer content=no-referrer>\n"
                   "<meta http-equiv=refresh content=\"0; url=%s\">\n<a href=\"%s\">oscope</a>\n",
                   url, url) > 0;
}

/* Becomes the browser's starter; only what may be called between fork() and exec(). */
static void start(char *file)
{
    char name[] = "xdg-open", *argv[] = {name, file, NULL};
    sigset_t none;
    int null = open("/dev/null", O_RDWR);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    for (int fd = 0; fd < 3 && null >= 0; fd++)
        dup2(null, fd);
    execvp(argv[0], argv);
    _exit(127);
}

/* It is nobody's child: who starts a browser need not end before us. */
static struct oscope_error *launch(char *file)
{
    pid_t middle = fork();

    if (middle < 0)
        return error_errno(errno, "fork");
    if (!middle) {
        if (!fork())
            start(file);
        _exit(0);
    }
    while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
        continue;
    return NULL;
}

struct oscope_error *opener_open(const char *url, char **file)
{
    AUTO_FREE char *base = NULL;

    *file = NULL;
    TRY(runtime_base(&base));
    if (asprintf(file, "%s/.web-XXXXXX.html", base) <
        0) { /* no session's name: these have no '.' */
        *file = NULL;
        return error_nomem();
    }
    AUTO_CLOSE int fd = mkostemps(*file, sizeof ".html" - 1, O_CLOEXEC); /* 0600 */
    struct oscope_error *err = fd < 0 ? error_errno(errno, "%s", *file) : NULL;
    if (!err && !write_page(fd, url))
        err = error_errno(errno, "%s", *file);
    if (!err)
        err = launch(*file);
    if (err) {
        if (fd >= 0)
            unlink(*file);
        free(*file);
        *file = NULL;
    }
    return err;
}

void opener_done(char *file)
{
    if (file)
        unlink(file);
    free(file);
}
