/* SPDX-License-Identifier: MIT */
/* Unix sockets by folder and name. */
#include "session/sock.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* The address of dir/name; *dirfd must stay open while it is used. */
static bool address(const char *dir, const char *name, struct sockaddr_un *addr, int *dirfd)
{
    *addr = (struct sockaddr_un){.sun_family = AF_UNIX};
    *dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*dirfd < 0)
        return false;
    int n = snprintf(addr->sun_path, sizeof addr->sun_path, "/proc/self/fd/%d/%s", *dirfd, name);
    if (n < (int)sizeof addr->sun_path)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

int sock_connect(const char *dir, const char *name)
{
    struct sockaddr_un addr;
    AUTO_CLOSE int dirfd = -1;
    AUTO_CLOSE int fd = -1;

    if (!address(dir, name, &addr, &dirfd))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof addr) < 0)
        return -1;
    int out = fd;
    fd = -1;
    return out;
}

int sock_listen(const char *dir, const char *name)
{
    struct sockaddr_un addr;
    AUTO_CLOSE int dirfd = -1;
    AUTO_CLOSE int fd = -1;

    if (!address(dir, name, &addr, &dirfd))
        return -1;
    unlinkat(dirfd, name, 0);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    mode_t old = umask(0177);
    int bad = bind(fd, (const struct sockaddr *)&addr, sizeof addr);
    umask(old);
    if (bad < 0 || listen(fd, 64) < 0)
        return -1;
    int out = fd;
    fd = -1;
    return out;
}

bool sock_is_listening(const char *path)
{
    char line[512];
    size_t want = strlen(path);
    bool found = false;
    FILE *f = fopen("/proc/net/unix", "re");

    while (f && !found && fgets(line, sizeof line, f)) {
        unsigned flags;
        size_t n = strcspn(line, "\n");

        line[n] = '\0';
        found = n > want && line[n - want - 1] == ' ' && !strcmp(line + n - want, path) &&
                sscanf(line, "%*s %*s %*s %x", &flags) == 1 && (flags & 0x10000); /* SO_ACCEPTCON */
    }
    if (f)
        fclose(f);
    return found;
}
