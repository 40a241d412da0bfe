/* SPDX-License-Identifier: MIT */
/*
 * QMP client. Each message is one JSON object on one line. Answers carry the id of their command;
 * events may come at any time and are counted. Every wait has a deadline, the input buffer a cap: a
 * QEMU that hangs or babbles costs an error, not a hang.
 */
#include "target/qmp.h"

#include "base/deadline.h"
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { QMP_MESSAGE_MAX = 16 << 20 };

/* Commands that read. Nothing else is ever sent, but for qmp_set_running(). */
static const char *const reading_commands[] = {
    "query-block", "query-chardev", "query-cpus-fast", "query-kvm",  "query-memory-size-summary",
    "query-name",  "query-status",  "query-target",    "query-uuid", "query-version",
};

/* Human-monitor lines that read: literal, or with one hexadecimal number. */
static const struct hmp_row {
    const char *text;
    bool address;
} hmp_lines[] = {
    {"info registers -a", false}, {"info mtree -f", false}, {"info pic", false},
    {"info lapic", true},         {"gpa2hva", true},
};

struct qmp {
    int fd;
    pid_t peer;
    char version[32];
    unsigned next_id;
    struct qmp_events events;
    char *buf;
    size_t len, cap, scanned;
    bool hung_up;
    int timeout_ms;
    bool silent; /* the last command got no answer */
    struct qmp_around around;
};

bool qmp_allowed(const char *command)
{
    for (size_t i = 0; i < ARRAY_SIZE(reading_commands); i++)
        if (!strcmp(command, reading_commands[i]))
            return true;
    return false;
}

bool qmp_hmp_allowed(const char *line)
{
    for (size_t i = 0; i < ARRAY_SIZE(hmp_lines); i++) {
        size_t n = strlen(hmp_lines[i].text);

        if (strncmp(line, hmp_lines[i].text, n) != 0)
            continue;
        const char *rest = line + n;
        if (!hmp_lines[i].address) {
            if (!*rest)
                return true;
            continue;
        }
        if (strncmp(rest, " 0x", 3) != 0 || !isxdigit((unsigned char)rest[3]))
            continue;
        size_t digits = strspn(rest + 3, "0123456789abcdef");
        if (digits <= 16 && !rest[3 + digits])
            return true;
    }
    return false;
}

/* ---- transport ---- */

static struct oscope_error *gone(void)
{
    return error_new(OSCOPE_E_GONE, "QEMU closed the QMP connection");
}

static struct oscope_error *send_all(struct qmp *q, const char *data, size_t n)
{
    uint64_t deadline = deadline_in(QMP_TIMEOUT_MS);

    while (n) {
        ssize_t w = send(q->fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (w >= 0) {
            data += w, n -= (size_t)w;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return gone();
        if (wait_fd(q->fd, POLLOUT, deadline) == 0)
            return error_new(OSCOPE_E_TIMEOUT, "QEMU does not take QMP commands");
    }
    return NULL;
}

/* Reads what is there into the buffer; false at end of file. */
static struct oscope_error *fill(struct qmp *q)
{
    if (q->len == q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 16384;
        if (cap > QMP_MESSAGE_MAX)
            return error_new(OSCOPE_E_BAD_DATA, "a QMP message is longer than %d bytes",
                             QMP_MESSAGE_MAX);
        char *p = realloc(q->buf, cap);
        if (!p)
            return error_nomem();
        q->buf = p, q->cap = cap;
    }
    ssize_t n = recv(q->fd, q->buf + q->len, q->cap - q->len, MSG_DONTWAIT);
    if (n > 0) {
        q->len += (size_t)n;
        return NULL;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return NULL;
    q->hung_up = true;
    return gone();
}

/* Takes the next complete line out of the buffer; *out NULL when there is none yet. */
static struct oscope_error *next_message(struct qmp *q, json_t **out)
{
    *out = NULL;
    while (q->scanned < q->len) {
        char *nl = memchr(q->buf + q->scanned, '\n', q->len - q->scanned);
        if (!nl) {
            q->scanned = q->len;
            break;
        }
        size_t line = (size_t)(nl - q->buf) + 1;
        json_t *msg = line > 2 ? json_loadb(q->buf, line, 0, NULL) : NULL;
        bool blank = line <= 2;

        memmove(q->buf, q->buf + line, q->len - line);
        q->len -= line;
        q->scanned = 0;
        if (blank)
            continue;
        if (!json_is_object(msg)) {
            json_decref(msg);
            return error_new(OSCOPE_E_BAD_DATA, "what listens there does not speak QMP");
        }
        *out = msg;
        break;
    }
    return NULL;
}

static struct oscope_error *receive(struct qmp *q, uint64_t deadline, json_t **out)
{
    for (;;) {
        TRY(next_message(q, out));
        if (*out)
            return NULL;
        int ready = wait_fd(q->fd, POLLIN, deadline);
        if (ready < 0)
            return error_errno(errno, "wait for QEMU");
        if (ready == 0)
            return error_hint(error_new(OSCOPE_E_TIMEOUT, "QEMU did not answer on QMP in time"),
                              "is it stopped (SIGSTOP, a debugger), or the host overloaded?");
        TRY(fill(q));
    }
}

static bool note_event(struct qmp *q, const json_t *msg)
{
    const char *name = json_string_value(json_object_get(msg, "event"));

    if (!name)
        return false;
    if (!strcmp(name, "SHUTDOWN"))
        q->events.shutdown++;
    else if (!strcmp(name, "RESET"))
        q->events.reset++;
    else if (!strcmp(name, "STOP"))
        q->events.stop++;
    else if (!strcmp(name, "RESUME"))
        q->events.resume++;
    return true;
}

struct oscope_error *qmp_drain(struct qmp *q)
{
    struct oscope_error *err = fill(q);
    json_t *msg;

    for (;;) {
        struct oscope_error *bad = next_message(q, &msg);
        if (bad) {
            oscope_error_free(err);
            return bad;
        }
        if (!msg)
            return err;
        note_event(q, msg);
        json_decref(msg);
    }
}

/* ---- commands ---- */

static struct oscope_error *await(struct qmp *q, const char *command, unsigned id, json_t **out)
{
    uint64_t deadline = deadline_in(q->silent ? q->timeout_ms / 5 : q->timeout_ms);

    for (;;) {
        json_t *msg;
        struct oscope_error *late = receive(q, deadline, &msg);
        q->silent = late && late->code == OSCOPE_E_TIMEOUT;
        TRY(error_prefix(late, "%s", command));
        json_t *msg_id = json_object_get(msg, "id");

        if (note_event(q, msg) || json_integer_value(msg_id) != (json_int_t)id) {
            json_decref(msg); /* an event, or the late answer to a command that timed out */
            continue;
        }
        json_t *bad = json_object_get(msg, "error"), *ret = json_object_get(msg, "return");
        struct oscope_error *err = NULL;
        if (bad || !ret) {
            const char *desc = json_string_value(json_object_get(bad, "desc"));
            err = error_new(OSCOPE_E_UNSUPPORTED, "QEMU refuses %s: %s", command,
                            desc ? desc : "no reason given");
        } else if (out) {
            *out = json_incref(ret);
        }
        json_decref(msg);
        return err;
    }
}

/* Sends a command without looking at the list; args may be NULL and is consumed. */
static struct oscope_error *transact(struct qmp *q, const char *command, json_t *args, json_t **out)
{
    unsigned id = ++q->next_id;
    json_t *msg =
        json_pack("{s:s, s:i, s:o*}", "execute", command, "id", (int)id, "arguments", args);
    char *text = msg ? json_dumps(msg, JSON_COMPACT) : NULL;

    json_decref(msg);
    if (!text)
        return error_nomem();
    struct oscope_error *err = send_all(q, text, strlen(text));
    free(text);
    if (!err)
        err = send_all(q, "\n", 1);
    return err ? err : await(q, command, id, out);
}

/* The same, with what is around it. */
static struct oscope_error *execute(struct qmp *q, const char *command, json_t *args, json_t **out)
{
    if (q->around.begin)
        q->around.begin(q->around.ctx);
    struct oscope_error *err = transact(q, command, args, out);
    if (q->around.end)
        q->around.end(q->around.ctx);
    return err;
}

void qmp_set_around(struct qmp *q, const struct qmp_around *around)
{
    q->around = *around;
}

struct oscope_error *qmp_query(struct qmp *q, const char *command, json_t **out)
{
    if (!qmp_allowed(command))
        return error_new(OSCOPE_E_UNSUPPORTED, "'%s' is not on the list of reading QMP commands",
                         command);
    return execute(q, command, NULL, out);
}

/* Runs a line of the human monitor without looking at the list. */
static struct oscope_error *monitor(struct qmp *q, const char *line, char **text)
{
    json_t *ret;
    json_t *args = json_pack("{s:s}", "command-line", line);
    if (!args)
        return error_nomem();
    TRY(execute(q, "human-monitor-command", args, &ret));
    const char *s = json_string_value(ret);
    *text = strdup(s ? s : "");
    json_decref(ret);
    return *text ? NULL : error_nomem();
}

struct oscope_error *qmp_hmp(struct qmp *q, const char *line, char **text)
{
    if (!qmp_hmp_allowed(line))
        return error_new(OSCOPE_E_UNSUPPORTED, "'%s' is not on the list of reading commands", line);
    return monitor(q, line, text);
}

struct oscope_error *qmp_examine(struct qmp *q, uint64_t address, unsigned size, unsigned count,
                                 char **text)
{
    char line[64];

    if ((size != 4 && size != 8) || !count || count > 1024)
        return error_new(OSCOPE_E_USAGE, "%u values of %u bytes can't be read", count, size);
    snprintf(line, sizeof line, "xp /%ux%c 0x%llx", count, size == 4 ? 'w' : 'g',
             (unsigned long long)address);
    return monitor(q, line, text);
}

struct oscope_error *qmp_set_running(struct qmp *q, bool running)
{
    return transact(q, running ? "cont" : "stop", NULL, NULL);
}

/* ---- trace points ---- */

/* Other bytes would make a pattern of it, or of a path several words of the monitor. */
static bool only(const char *text, const char *others)
{
    size_t i = 0;

    while (islower((unsigned char)text[i]) || isdigit((unsigned char)text[i]) ||
           (text[i] && strchr(others, text[i])))
        i++;
    return i && !text[i];
}

static struct oscope_error *not_a_point(const char *point)
{
    return error_new(OSCOPE_E_USAGE, "'%s' can't be a trace point of QEMU", point);
}

struct oscope_error *qmp_trace_get(struct qmp *q, const char *point, bool *known, bool *on)
{
    json_t *ret = NULL;

    *known = *on = false;
    if (!only(point, "_"))
        return not_a_point(point);
    json_t *args = json_pack("{s:s}", "name", point);
    if (!args)
        return error_nomem();
    struct oscope_error *err = execute(q, "trace-event-get-state", args, &ret);
    if (err && err->code == OSCOPE_E_UNSUPPORTED) { /* refused: it does not know that name */
        oscope_error_free(err);
        return NULL;
    }
    TRY(err);
    const char *state = json_string_value(json_object_get(json_array_get(ret, 0), "state"));
    *known = state && strcmp(state, "unavailable") != 0;
    *on = state && !strcmp(state, "enabled");
    json_decref(ret);
    return NULL;
}

struct oscope_error *qmp_trace_set(struct qmp *q, const char *point, bool on)
{
    if (!only(point, "_"))
        return not_a_point(point);
    json_t *args = json_pack("{s:s,s:b}", "name", point, "enable", on);
    return args ? execute(q, "trace-event-set-state", args, NULL) : error_nomem();
}

struct oscope_error *qmp_log_file(struct qmp *q, const char *path)
{
    AUTO_FREE char *line = NULL;
    json_t *ret;

    if (!only(path, "/._-ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        return error_hint(error_new(OSCOPE_E_USAGE, "QEMU can't be told the path '%s'", path),
                          "set XDG_RUNTIME_DIR to a folder with a plain name");
    if (asprintf(&line, "logfile %s", path) < 0)
        return error_nomem();
    json_t *args = json_pack("{s:s}", "command-line", line);
    if (!args)
        return error_nomem();
    TRY(execute(q, "human-monitor-command", args, &ret));
    const char *text = json_string_value(ret);
    struct oscope_error *err = NULL;
    if (text && *text)
        err = error_new(OSCOPE_E_IO, "QEMU: %.*s", (int)strcspn(text, "\r\n"), text);
    json_decref(ret);
    return err;
}

/* ---- opening ---- */

static struct oscope_error *negotiate(struct qmp *q, int greeting_ms)
{
    json_t *msg;
    struct oscope_error *err = receive(q, deadline_in(greeting_ms), &msg);

    if (err && err->code == OSCOPE_E_TIMEOUT) {
        oscope_error_free(err);
        return error_hint(error_new(OSCOPE_E_BUSY, "another client holds this QMP socket"),
                          "close that client, or give QEMU a second one: -qmp "
                          "unix:PATH,server=on,wait=off");
    }
    TRY(err);
    int major = 0, minor = 0, micro = 0;
    int bad = json_unpack(msg, "{s:{s:{s:{s:i, s:i, s:i}}}}", "QMP", "version", "qemu", "major",
                          &major, "minor", &minor, "micro", &micro);
    json_decref(msg);
    if (bad)
        return error_new(OSCOPE_E_BAD_DATA, "what listens there does not speak QMP");
    snprintf(q->version, sizeof q->version, "%d.%d.%d", major, minor, micro);
    return execute(q, "qmp_capabilities", NULL, NULL);
}

struct oscope_error *qmp_open_fd(int fd, int greeting_ms, struct qmp **out)
{
    struct qmp *q = calloc(1, sizeof *q);
    struct ucred cred;
    socklen_t len = sizeof cred;

    if (!q) {
        close(fd);
        return error_nomem();
    }
    q->fd = fd;
    q->timeout_ms = QMP_TIMEOUT_MS;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
        q->peer = cred.pid;
    struct oscope_error *err = negotiate(q, greeting_ms);
    if (err) {
        qmp_close(q);
        return err;
    }
    *out = q;
    return NULL;
}

/* connect() on a unix socket blocks while the listener's backlog is full; bounded by a
 * non-blocking socket, for which that is EAGAIN. */
static struct oscope_error *connect_unix(const char *path, int timeout_ms, int *out)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    uint64_t deadline = deadline_in(timeout_ms);

    if (strlen(path) >= sizeof addr.sun_path)
        return error_hint(error_new(OSCOPE_E_USAGE, "socket path '%s' is too long", path),
                          "reach it through a shorter path (at most %zu bytes)",
                          sizeof addr.sun_path - 1);
    str_copy(addr.sun_path, sizeof addr.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(errno, "socket");
    while (connect(fd, (const struct sockaddr *)&addr, sizeof addr) < 0) {
        int errnum = errno;
        if (errnum == EINTR)
            continue;
        if (errnum == EAGAIN && clock_ns() < deadline) {
            usleep(10000);
            continue;
        }
        close(fd);
        if (errnum == EAGAIN)
            return error_new(OSCOPE_E_BUSY, "another client holds this QMP socket");
        if (errnum == ECONNREFUSED)
            return error_new(OSCOPE_E_GONE, "nobody listens on '%s'", path);
        if (errnum == ENOENT)
            return error_new(OSCOPE_E_NOT_FOUND, "there is no socket '%s'", path);
        return error_errno(errnum, "connect to '%s'", path);
    }
    *out = fd;
    return NULL;
}

struct oscope_error *qmp_connect(const char *path, int greeting_ms, struct qmp **out)
{
    int fd = -1;

    TRY(connect_unix(path, greeting_ms, &fd));
    return qmp_open_fd(fd, greeting_ms, out);
}

void qmp_close(struct qmp *q)
{
    if (!q)
        return;
    close(q->fd);
    free(q->buf);
    free(q);
}

void qmp_set_timeout(struct qmp *q, int ms)
{
    q->timeout_ms = ms;
}

int qmp_fd(const struct qmp *q)
{
    return q->fd;
}

const char *qmp_version(const struct qmp *q)
{
    return q->version;
}

const struct qmp_events *qmp_events(const struct qmp *q)
{
    return &q->events;
}

pid_t qmp_peer_pid(const struct qmp *q)
{
    return q->peer;
}
