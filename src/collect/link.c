/* SPDX-License-Identifier: MIT */
#include "collect/link.h"

#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"
#include "base/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

struct link {
    struct link_options o;
    int fd, wake;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock;
    /* under the lock from here on */
    bool stop;
    bool over; /* nobody reads, or writes, any more */
    char queue[LINK_QUEUE];
    size_t queued;
};

/* ---- opening ---- */

static struct oscope_error *open_socket(const char *path, int *out)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char name[64];

    /* a path that is too long for an address is reached through a descriptor of it */
    AUTO_CLOSE int at = open(path, O_PATH | O_CLOEXEC);
    if (at < 0)
        return error_errno(errno, "'%s'", path);
    if (strlen(path) < sizeof addr.sun_path) {
        str_copy(addr.sun_path, sizeof addr.sun_path, path);
    } else {
        snprintf(name, sizeof name, "/proc/self/fd/%d", at);
        str_copy(addr.sun_path, sizeof addr.sun_path, name);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(errno, "socket");
    if (connect(fd, (const struct sockaddr *)&addr, sizeof addr) < 0) {
        int errnum = errno;
        close(fd);
        return errnum == EAGAIN
                   ? error_new(OSCOPE_E_BUSY, "somebody else is connected to '%s'", path)
                   : error_errno(errnum, "connect to '%s'", path);
    }
    *out = fd;
    return NULL;
}

static struct oscope_error *open_pty(const char *path, int *out)
{
    struct termios raw;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return error_errno(errno, "open '%s'", path);
    if (!isatty(fd)) {
        close(fd);
        return error_new(OSCOPE_E_BAD_DATA, "'%s' is no terminal", path);
    }
    ioctl(fd, TIOCEXCL); /* two readers would each get some of the bytes */
    if (!tcgetattr(fd, &raw)) {
        cfmakeraw(&raw);
        tcsetattr(fd, TCSANOW, &raw);
    }
    *out = fd;
    return NULL;
}

/* ---- the thread ---- */

static void send_queued(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    ssize_t n = l->queued ? write(l->fd, l->queue, l->queued) : 0;
    if (n > 0) {
        memmove(l->queue, l->queue + n, l->queued - (size_t)n);
        l->queued -= (size_t)n;
    }
    pthread_mutex_unlock(&l->lock);
}

/* What is to be waited for; false: the end. */
static bool waits_for(struct link *l, short *events)
{
    pthread_mutex_lock(&l->lock);
    *events = (short)(POLLIN | (l->queued ? POLLOUT : 0));
    bool stop = l->stop;
    pthread_mutex_unlock(&l->lock);
    return !stop;
}

static void set_over(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    l->over = true;
    pthread_mutex_unlock(&l->lock);
}

static void *run(void *arg)
{
    struct link *l = arg;
    char bytes[1024];
    uint64_t news;
    short events;

    while (waits_for(l, &events)) {
        struct pollfd fds[2] = {{.fd = l->fd, .events = events}, {.fd = l->wake, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        ssize_t got = fds[1].revents & POLLIN ? read(l->wake, &news, sizeof news) : 0;
        if (fds[0].revents & POLLOUT)
            send_queued(l);
        if (!(fds[0].revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        got = read(l->fd, bytes, sizeof bytes);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got <= 0)
            set_over(l);
        l->o.take(l->o.arg, bytes, (size_t)MAX(got, (ssize_t)0));
        if (got <= 0)
            break;
    }
    set_over(l);
    return NULL;
}

/* ---- for the drawing thread ---- */

struct oscope_error *link_open(const struct link_options *o, struct link **out)
{
    int fd = -1;

    *out = NULL;
    TRY(o->pty ? open_pty(o->path, &fd) : open_socket(o->path, &fd));
    struct link *l = calloc(1, sizeof *l);
    if (!l) {
        close(fd);
        return error_nomem();
    }
    *l = (struct link){.o = *o, .fd = fd, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    l->o.path = NULL; /* the caller's */
    pthread_mutex_init(&l->lock, NULL);
    int status = l->wake < 0 ? errno : thread_start(&l->thread, run, l);
    l->runs = !status;
    if (status) {
        link_close(l);
        return error_errno(status, "cannot start a thread");
    }
    *out = l;
    return NULL;
}

void link_close(struct link *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_mutex_unlock(&l->lock);
    if (l->runs) {
        wake_up(l->wake);
        pthread_join(l->thread, NULL);
    }
    if (l->o.pty)
        ioctl(l->fd, TIOCNXCL);
    close(l->fd);
    if (l->wake >= 0)
        close(l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

bool link_send(struct link *l, const char *bytes, size_t n)
{
    pthread_mutex_lock(&l->lock);
    bool room = !l->over && n <= sizeof l->queue - l->queued;
    if (room) {
        memcpy(l->queue + l->queued, bytes, n);
        l->queued += n;
    }
    pthread_mutex_unlock(&l->lock);
    wake_up(l->wake);
    return room;
}
