/* SPDX-License-Identifier: MIT */
/*
 * Every wait has a deadline and every answer a cap. A link that failed once stays failed: after a
 * missed answer nobody knows which request the next one belongs to.
 */
#include "target/gdb_link.h"

#include "base/deadline.h"
#include "base/log.h"
#include "base/util.h"
#include "target/gdb_guard.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    CONNECT_MS = 3000,
    HELLO_MS = 2500,  /* for the first answers: a stub that serves another client gives none */
    ANSWER_MS = 5000, /* boards are slow */
    STOP_MS = 1000,   /* for a stub to say that the target is stopped, before it is told to stop */
    LATE_MS = 200,
    RESENDS = 3,
    JUNK_MAX = 1 << 20, /* bytes that are no answer, while one is waited for */
    PIECES_MAX = 4096,  /* of a document */
    PACKET_LEAST = 400, /* when the stub tells no size: what GDB assumes */
    RECEIVE = 64 << 10,
};

struct gdb_link {
    int fd;
    struct gdb_guard guard;
    struct gdb_features features;
    bool stay, no_ack;
    bool heard; /* the stub has sent something */
    struct gdb_decoder dec;
    char *answer; /* of dec */
    char *in;     /* received: in[at] to in[have] are not decoded yet */
    size_t at, have;
    enum oscope_code failed; /* 0: not */
    char why[128];
    char address[128]; /* for messages */
};

/* ---- addresses ---- */

static struct oscope_error *bad_address(const char *address)
{
    return error_hint(error_new(OSCOPE_E_USAGE, "'%s' is not the address of a GDB stub", address),
                      "HOST:PORT, :PORT on this machine, or the path of a Unix socket");
}

static bool is_path(const char *address)
{
    return strchr(address, '/') != NULL;
}

/* Splits HOST:PORT; an empty host is this machine. */
static bool split(const char *address, char host[128], char port[8])
{
    const char *colon = strrchr(address, ':'), *from = address;
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

    if (!digits || digits > 5 || colon[1 + digits])
        return false;
    unsigned long number = strtoul(colon + 1, NULL, 10);
    size_t n = (size_t)(colon - from);
    if (n > 2 && from[0] == '[' && from[n - 1] == ']')
        from++, n -= 2;
    else if (memchr(from, ':', n))
        return false; /* half an IPv6 address */
    if (!number || number > 65535 || n >= 128)
        return false;
    snprintf(host, 128, "%.*s", n ? (int)n : 9, n ? from : "localhost");
    snprintf(port, 8, "%lu", number);
    return true;
}

struct oscope_error *gdb_address_check(const char *address)
{
    char host[128], port[8];

    if (is_path(address) ? strlen(address) < sizeof((struct sockaddr_un){0}).sun_path
                         : split(address, host, port))
        return NULL;
    return bad_address(address);
}

/* ---- connecting ---- */

/* 0 or an errno. */
static int connect_socket(int fd, const struct sockaddr *addr, socklen_t n, uint64_t deadline)
{
    int bad = 0;
    socklen_t len = sizeof bad;

    if (connect(fd, addr, n) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    if (wait_fd(fd, POLLOUT, deadline) <= 0)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &len) < 0 ? errno : bad;
}

/* Connects, with a guard; *errnum is why it did not work. */
static struct oscope_error *connect_to(struct gdb_link *l, const struct sockaddr *addr, socklen_t n,
                                       uint64_t deadline, int *errnum)
{
    int one = 1;

    l->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *errnum = errno;
    if (l->fd < 0)
        return NULL;
    if (addr->sa_family != AF_UNIX)
        setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    TRY(gdb_guard_start(l->fd, !l->stay, &l->guard));
    *errnum = connect_socket(l->fd, addr, n, deadline);
    if (!*errnum)
        return NULL;
    shutdown(l->fd, SHUT_RDWR); /* so that the guard sees it, too */
    gdb_guard_finish(&l->guard, false);
    close(l->fd);
    l->fd = -1;
    return NULL;
}

static struct oscope_error *not_connected(int errnum, const char *address)
{
    return error_hint(error_errno(errnum, "GDB stub at '%s'", address),
                      "is it there? QEMU: -gdb tcp::1234, or the monitor's gdbserver command");
}

static struct oscope_error *connect_tcp(struct gdb_link *l, const char *address)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    uint64_t deadline = deadline_in(CONNECT_MS);
    struct addrinfo *list;
    char host[128], port[8];

    if (!split(address, host, port))
        return bad_address(address);
    int bad = getaddrinfo(host, port, &hints, &list);
    if (bad)
        return error_new(OSCOPE_E_IO, "GDB stub at '%s': %s", address, gai_strerror(bad));
    int errnum = ECONNREFUSED;
    struct oscope_error *err = NULL;
    for (struct addrinfo *a = list; a && !err && l->fd < 0; a = a->ai_next)
        err = connect_to(l, a->ai_addr, a->ai_addrlen, deadline, &errnum);
    freeaddrinfo(list);
    return err || l->fd >= 0 ? err : not_connected(errnum, address);
}

static struct oscope_error *connect_any(struct gdb_link *l, const char *address)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int errnum;

    if (!is_path(address))
        return connect_tcp(l, address);
    if (strlen(address) >= sizeof un.sun_path)
        return bad_address(address);
    memcpy(un.sun_path, address, strlen(address) + 1);
    TRY(connect_to(l, (const struct sockaddr *)&un, sizeof un, deadline_in(CONNECT_MS), &errnum));
    return l->fd < 0 ? not_connected(errnum, address) : NULL;
}

/* ---- requests ---- */

static struct oscope_error *still_failed(const struct gdb_link *l)
{
    return error_new(l->failed, "%s", l->why);
}

static struct oscope_error *fail(struct gdb_link *l, enum oscope_code code, const char *what)
{
    l->failed = code;
    snprintf(l->why, sizeof l->why, "the GDB stub at %.60s %s", l->address, what);
    return still_failed(l);
}

static struct oscope_error *send_all(struct gdb_link *l, const char *data, size_t n)
{
    uint64_t deadline = deadline_in(ANSWER_MS);

    while (n) {
        ssize_t w = send(l->fd, data, n, MSG_NOSIGNAL);
        if (w >= 0) {
            data += w, n -= (size_t)w;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return fail(l, OSCOPE_E_GONE, "closed the connection");
        if (wait_fd(l->fd, POLLOUT, deadline) <= 0)
            return fail(l, OSCOPE_E_TIMEOUT, "takes no requests");
    }
    return NULL;
}

/* Waits for the next thing that the stub says. */
static struct oscope_error *next_event(struct gdb_link *l, uint64_t deadline, size_t *junk,
                                       enum gdb_event *out)
{
    for (;;) {
        size_t used;

        *out = gdb_decode(&l->dec, l->in + l->at, l->have - l->at, &used);
        l->at += used;
        *junk += used;
        if (*out != GDB_MORE)
            return NULL;
        if (*junk > JUNK_MAX + l->dec.cap)
            return fail(l, OSCOPE_E_BAD_DATA, "sends bytes that are no answer");
        int n = wait_fd(l->fd, POLLIN, deadline);
        if (n == 0)
            return fail(l, OSCOPE_E_TIMEOUT, "does not answer");
        ssize_t got = n < 0 ? -1 : recv(l->fd, l->in, RECEIVE, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got <= 0)
            return fail(l, OSCOPE_E_GONE, "closed the connection");
        l->at = 0;
        l->have = (size_t)got;
        if (!l->heard)
            TRY(gdb_guard_tell(&l->guard, GDB_GUARD_HEARD));
        l->heard = true;
    }
}

/* Waits for a packet. frame: what is sent again when the stub says that it came damaged. */
static struct oscope_error *await(struct gdb_link *l, const char *frame, size_t n, int ms)
{
    uint64_t deadline = deadline_in(ms);
    size_t junk = 0;
    int resends = 0;

    for (;;) {
        enum gdb_event e;

        TRY(next_event(l, deadline, &junk, &e));
        switch (e) {
        case GDB_PACKET: return l->no_ack ? NULL : send_all(l, "+", 1);
        case GDB_LONG: return fail(l, OSCOPE_E_BAD_DATA, "sent a packet that is too long");
        case GDB_NAK:
        case GDB_DAMAGED:
            if (++resends > RESENDS || (l->no_ack && e == GDB_DAMAGED))
                return fail(l, OSCOPE_E_BAD_DATA,
                            e == GDB_NAK ? "refuses a request as damaged"
                                         : "sent packets with wrong checksums");
            TRY(e == GDB_NAK ? send_all(l, frame, n) : send_all(l, "-", 1));
            break;
        default: break;
        }
    }
}

static struct oscope_error *request(struct gdb_link *l, const char *payload, int ms)
{
    char frame[GDB_FRAME_MAX];
    size_t n = gdb_allowed(payload) ? gdb_frame(payload, frame) : 0;

    if (l->failed)
        return still_failed(l);
    if (!n)
        return error_new(OSCOPE_E_UNSUPPORTED, "'%.40s' is not a request that only reads", payload);
    TRY(send_all(l, frame, n));
    return await(l, frame, n, ms);
}

struct oscope_error *gdb_request(struct gdb_link *l, const char *payload, const char **text,
                                 size_t *n)
{
    TRY(request(l, payload, ANSWER_MS));
    *text = l->dec.buf;
    *n = l->dec.len;
    return NULL;
}

struct oscope_error *gdb_link_trouble(const struct gdb_link *l)
{
    return l->failed ? still_failed(l) : NULL;
}

bool gdb_answered(const char *text, size_t n)
{
    return n && !gdb_is_error(text, n);
}

struct oscope_error *gdb_transfer(struct gdb_link *l, const char *object, const char *annex,
                                  size_t max, char **text, size_t *n)
{
    size_t piece = l->features.packet_size - MIN(l->features.packet_size / 2, (size_t)16);
    AUTO_FREE char *doc = calloc(1, 1);
    char payload[GDB_REQUEST_MAX + 1];
    size_t len = 0, got;
    const char *part;

    if (!doc)
        return error_nomem();
    for (int i = 0; i < PIECES_MAX; i++) {
        int w = snprintf(payload, sizeof payload, "qXfer:%s:read:%s:%zx,%zx", object, annex, len,
                         piece);
        if (w >= (int)sizeof payload)
            return error_new(OSCOPE_E_BAD_DATA, "the GDB stub names a document '%.40s…'", annex);
        TRY(gdb_request(l, payload, &part, &got));
        if (!gdb_answered(part, got) || (part[0] != 'm' && part[0] != 'l'))
            return error_new(OSCOPE_E_NOT_FOUND, "the GDB stub has no '%.40s'",
                             *annex ? annex : object);
        bool last = part[0] == 'l' || got == 1;
        char *more = got - 1 > max - len ? NULL : realloc(doc, len + got);
        if (!more)
            return error_new(OSCOPE_E_BAD_DATA, "'%.40s' of the GDB stub is over %zu bytes",
                             *annex ? annex : object, max);
        doc = more;
        memcpy(doc + len, part + 1, got - 1);
        len += got - 1;
        doc[len] = '\0';
        if (last) {
            *text = doc;
            *n = len;
            doc = NULL;
            return NULL;
        }
    }
    return error_new(OSCOPE_E_BAD_DATA, "'%.40s' of the GDB stub does not end", annex);
}

/* ---- beginning and end ---- */

/* A stub that was asked while the target ran may answer now, a second time. */
static struct oscope_error *skip_late(struct gdb_link *l)
{
    struct oscope_error *err = await(l, "", 0, LATE_MS);

    if (!err || err->code != OSCOPE_E_TIMEOUT)
        return err;
    oscope_error_free(err);
    l->failed = 0;
    return NULL;
}

static struct oscope_error *interrupt(struct gdb_link *l)
{
    TRY(send_all(l, "\x03", 1));
    TRY(await(l, "", 0, ANSWER_MS));
    return gdb_stop_kind(l->dec.buf, l->dec.len) == GDB_STOP_YES ? skip_late(l) : NULL;
}

/* Sees to it that the target is stopped: asks why it is; no answer means that it runs. */
static struct oscope_error *stop(struct gdb_link *l)
{
    struct oscope_error *err = request(l, "?", STOP_MS);

    if (err && err->code == OSCOPE_E_TIMEOUT) {
        oscope_error_free(err);
        l->failed = 0;
        err = interrupt(l);
    }
    for (int i = 0; !err; i++) {
        enum gdb_stop kind = gdb_stop_kind(l->dec.buf, l->dec.len);

        if (kind == GDB_STOP_YES)
            return NULL;
        if (kind == GDB_STOP_GONE)
            return fail(l, OSCOPE_E_GONE, "says that its program has ended");
        /* Output of the program may come first. One that is not told why it stopped has stopped. */
        if (l->dec.buf[0] != 'O' || i > 100)
            break;
        err = await(l, "", 0, ANSWER_MS);
    }
    if (err)
        return err;
    return fail(l, OSCOPE_E_BAD_DATA, "does not say that the target is stopped");
}

/* As request(); the guard is told in between that an answer is to come. */
static struct oscope_error *first_request(struct gdb_link *l, const char *payload)
{
    char frame[GDB_FRAME_MAX];
    size_t n = gdb_allowed(payload) ? gdb_frame(payload, frame) : 0;

    TRY(send_all(l, frame, n));
    TRY(gdb_guard_tell(&l->guard, GDB_GUARD_ASKED));
    return await(l, frame, n, HELLO_MS);
}

static struct oscope_error *hello(struct gdb_link *l)
{
    /* What GDB says that it can do; i386 stubs describe their registers only when they read this.
     */
    TRY(send_all(l, "+", 1));
    struct oscope_error *err = first_request(l, "qSupported:xmlRegisters=i386,arm,riscv");
    if (err && err->code == OSCOPE_E_TIMEOUT)
        return error_hint(err, "it serves one client at a time: is a debugger connected to it, or "
                               "another oscope?");
    TRY(err);
    gdb_parse_supported(l->dec.buf, &l->features);
    if (!l->features.packet_size)
        l->features.packet_size = PACKET_LEAST;
    if (l->features.no_ack) {
        TRY(request(l, "QStartNoAckMode", HELLO_MS));
        if (!strcmp(l->dec.buf, "OK")) {
            TRY(gdb_guard_tell(&l->guard, GDB_GUARD_NO_ACK));
            l->no_ack = true;
        }
    }
    return stop(l);
}

static struct oscope_error *open_into(struct gdb_link *l, const char *address)
{
    str_copy(l->address, sizeof l->address, address);
    l->in = malloc(RECEIVE);
    l->answer = malloc(2 * GDB_PACKET_MAX);
    if (!l->in || !l->answer)
        return error_nomem();
    gdb_decoder_init(&l->dec, l->answer, 2 * GDB_PACKET_MAX);
    TRY(connect_any(l, address));
    return hello(l);
}

struct oscope_error *gdb_link_open(const char *address, bool stay, struct gdb_link **out)
{
    struct gdb_link *l = calloc(1, sizeof *l);

    if (!l)
        return error_nomem();
    l->fd = -1;
    l->stay = stay;
    struct oscope_error *err = open_into(l, address);
    if (err) {
        oscope_error_free(gdb_link_close(l));
        return err;
    }
    *out = l;
    return NULL;
}

const struct gdb_features *gdb_link_features(const struct gdb_link *l)
{
    return &l->features;
}

struct oscope_error *gdb_physical(struct gdb_link *l, bool *yes)
{
    const char *text;
    size_t n;

    *yes = false;
    TRY(gdb_request(l, "qqemu.PhyMemMode", &text, &n));
    if (n != 1 || (text[0] != '0' && text[0] != '1'))
        return NULL;
    if (text[0] == '0') {
        TRY(gdb_guard_tell(&l->guard, GDB_GUARD_PHYSICAL));
        TRY(gdb_request(l, "Qqemu.PhyMemMode:1", &text, &n));
        if (strcmp(text, "OK") != 0)
            return NULL;
    }
    *yes = true;
    return NULL;
}

struct oscope_error *gdb_link_close(struct gdb_link *l)
{
    struct oscope_error *err = NULL;

    if (!l)
        return NULL;
    if (!l->heard && l->failed == OSCOPE_E_TIMEOUT)
        gdb_guard_leave(&l->guard);
    if (!gdb_guard_finish(&l->guard, !l->failed))
        err = error_hint(error_new(OSCOPE_E_IO,
                                   "the GDB stub at %s did not confirm that the "
                                   "target runs on",
                                   l->address),
                         "look at the target: it may be stopped");
    if (l->fd >= 0)
        close(l->fd);
    free(l->answer);
    free(l->in);
    free(l);
    return err;
}
