/* SPDX-License-Identifier: MIT */
/*
 * The command's side of the broker socket. Blocking with a deadline; an answer that is late or
 * broken closes the connection, so that a later call never reads an earlier one's answer.
 */
#include "session/client.h"

#include "base/clock.h"
#include "base/util.h"
#include "base/vec.h"
#include "session/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 16 << 20 };

void broker_hang_up(struct broker_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

struct oscope_error *error_broker_ended(void)
{
    return error_hint(error_new(OSCOPE_E_GONE, "the session's broker process has ended"),
                      "take the guest over again: oscope attach PID (see oscope list)");
}

/* Reads one line; *line is the caller's. */
static struct oscope_error *read_line(int fd, int timeout_ms, char **line, size_t *len)
{
    uint64_t deadline = clock_ns() + (uint64_t)timeout_ms * 1000000;
    char *buf = NULL;
    size_t n = 0, cap = 0;

    for (;;) {
        if (n == cap && !vec_reserve_((void **)&buf, &cap, n + 8192, 1)) {
            free(buf);
            return error_nomem();
        }
        uint64_t now = clock_ns();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = poll(&p, 1, now >= deadline ? 0 : (int)((deadline - now) / 1000000 + 1));
        ssize_t got = ready > 0 ? recv(fd, buf + n, cap - n, 0) : 0;

        if ((ready < 0 || got < 0) && errno == EINTR)
            continue;
        if (ready == 0) {
            free(buf);
            return error_hint(
                error_new(OSCOPE_E_TIMEOUT, "the session's broker did not answer in time"),
                "is it stopped (SIGSTOP, a debugger)? when it is killed the guest runs on, and "
                "oscope attach takes it over");
        }
        if (got <= 0 || n + (size_t)got > ANSWER_MAX) {
            free(buf);
            return error_broker_ended();
        }
        n += (size_t)got;
        if (buf[n - 1] == '\n') {
            *line = buf;
            *len = n;
            return NULL;
        }
    }
}

static struct oscope_error *connect_broker(struct broker_link *link)
{
    if (link->fd >= 0)
        return NULL;
    link->fd = sock_connect(link->dir, "broker.sock");
    if (link->fd >= 0)
        return NULL;
    return errno == ECONNREFUSED || errno == ENOENT
               ? error_broker_ended()
               : error_errno(errno, "connect to the session's broker in '%s'", link->dir);
}

static struct oscope_error *reported(const json_t *answer)
{
    const char *text = json_string_value(json_object_get(answer, "error"));
    const char *hint = json_string_value(json_object_get(answer, "hint"));
    json_int_t code = json_integer_value(json_object_get(answer, "code"));

    if (json_is_true(json_object_get(answer, "ok")))
        return NULL;
    if (code < OSCOPE_E_NOMEM || code > OSCOPE_E_GONE)
        code = OSCOPE_E_BAD_DATA;
    struct oscope_error *err =
        error_new((enum oscope_code)code, "%s", text ? text : "the broker reports an error");
    return hint ? error_hint(err, "%s", hint) : err;
}

static struct oscope_error *send_all(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return error_broker_ended();
        text += sent;
        n -= (size_t)sent;
    }
    return NULL;
}

struct oscope_error *broker_call(struct broker_link *link, const char *op, int timeout_ms,
                                 json_t **out)
{
    json_t *req = json_pack("{s:s}", "op", op);
    struct oscope_error *err = broker_request(link, req, timeout_ms, out);

    json_decref(req);
    return err;
}

struct oscope_error *broker_request(struct broker_link *link, const json_t *req, int timeout_ms,
                                    json_t **out)
{
    AUTO_FREE char *request = json_dumps(req, JSON_COMPACT);
    AUTO_FREE char *line = NULL;
    size_t len = 0;

    if (!request)
        return error_nomem();
    TRY(connect_broker(link));
    struct oscope_error *err = send_all(link->fd, request, strlen(request));
    if (!err)
        err = send_all(link->fd, "\n", 1);
    if (!err)
        err = read_line(link->fd, timeout_ms, &line, &len);
    if (err) {
        broker_hang_up(link);
        return err;
    }
    json_t *answer = json_loadb(line, len, 0, NULL);
    if (!json_is_object(answer)) {
        json_decref(answer);
        broker_hang_up(link);
        return error_new(OSCOPE_E_BAD_DATA, "the session's broker answered nonsense");
    }
    err = reported(answer);
    if (!err && out)
        *out = json_incref(answer);
    json_decref(answer);
    return err;
}

bool broker_hung_up(const struct broker_link *link)
{
    struct pollfd p = {.fd = link->fd, .events = POLLRDHUP};

    return link->fd < 0 || (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLRDHUP)));
}
