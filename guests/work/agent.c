/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * agent PORT: the guest's end of the tests' command channel. On the virtio-serial port it reads
 * lines `ID COMMAND`, runs `sh -c COMMAND`, writes the output (stdout and stderr) and then a line
 * `@@ID STATUS`; a newline is added when the output does not end in one. One command at a time.
 * A program, not a shell loop, because some outputs are megabytes and because it must be quiet:
 * the test compares what oscope sees with what the guest said a moment ago.
 *
 * Output that background jobs write after the shell has ended is dropped: redirect it.
 */
#include "work.h"
#include <poll.h>
#include <sys/syscall.h>

#define LINE_MAX_BYTES (64 * 1024)

static char line[LINE_MAX_BYTES];
static char chunk[64 * 1024];

static void put(int port, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(port, data, len);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else {
            work_sleep_ms(20);
        }
    }
}

/* Copies what the pipe holds now; false at its end. *last is the last byte written. */
static int drain(int from, int port, char *last)
{
    for (;;) {
        ssize_t n = read(from, chunk, sizeof chunk);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        put(port, chunk, (size_t)n);
        *last = chunk[n - 1];
    }
}

static void run(int port, char *id, const char *command)
{
    int out[2];
    char last = '\n', tail[16];
    int status = 0;
    if (pipe2(out, O_CLOEXEC))
        work_die("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        setsid();
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETPIPE_SZ, 1024 * 1024);
    int child = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd fds[2] = {{.fd = out[0], .events = POLLIN}, {.fd = child, .events = POLLIN}};
    while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
        if (fds[0].revents && !drain(out[0], port, &last))
            fds[0].fd = -1;
        if (fds[1].revents) {
            if (fds[0].fd >= 0)
                drain(out[0], port, &last);
            break;
        }
    }
    waitpid(pid, &status, 0);
    close(child);
    close(out[0]);
    if (last != '\n')
        put(port, "\n", 1);
    put(port, "@@", 2);
    put(port, id, strlen(id));
    work_name(tail, " ",
              (unsigned long)(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
    put(port, tail, strlen(tail));
    put(port, "\n", 1);
}

int main(int argc, char **argv)
{
    size_t have = 0;
    int port = open(argc > 1 ? argv[1] : "/dev/vport0p1", O_RDWR | O_CLOEXEC);
    if (port < 0)
        work_die("agent: cannot open the port");
    for (;;) {
        ssize_t n = read(port, line + have, sizeof line - 1 - have);
        if (n <= 0) { /* nobody is connected */
            have = 0;
            work_sleep_ms(100);
            continue;
        }
        have += (size_t)n;
        line[have] = 0;
        char *end;
        while ((end = memchr(line, '\n', have))) {
            *end = 0;
            char *command = strchr(line, ' ');
            if (command) {
                *command++ = 0;
                run(port, line, command);
            }
            have -= (size_t)(end + 1 - line);
            memmove(line, end + 1, have);
        }
        if (have == sizeof line - 1)
            have = 0;
    }
}
