/* SPDX-License-Identifier: MIT */
/*
 * HTTP and WebSockets, with libwebsockets: hands requests to the gate, sends assets, and carries
 * messages between sockets and pages. Nothing is decided here.
 */
#include "web/web.h"

#include "base/error.h"
#include "base/util.h"
#include "web/assets.h"
#include "web/closing.h"
#include "web/crowd.h"
#include "web/download.h"
#include "web/gate.h"
#include "web/message.h"
#include "web/metrics.h"
#include "web/page.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <sys/eventfd.h>

enum { HEADERS = 4096, HEADER = 2048, REPLY = 2048, IDLE_S = 15, BEAT_S = 2, LET_IN = 64 };
/* Of exports: at once; how long one may stand still; how soon it is looked whether there is more.
 */
enum { DOWNLOADS = 4, STILL_S = 120, SOON_US = 5000 };

struct server {
    const struct web_options *o;
    struct gate gate;
    struct pages *pages;
    struct metrics *metrics; /* NULL: there are none */
    struct crowd crowd;      /* of struct lws */
    struct closing *closing; /* of exports */
    unsigned downloads;      /* there are */
    struct lws *leaving;     /* one that is put out, until it is gone */
    struct lws_context *context;
    const struct lws_protocols *socket; /* the protocol of pages */
    int wake;
    bool stop;
};

/* Of a connection. */
struct connection {
    struct page *page; /* WebSocket */
    struct out in;     /* a message of which the end has not come */
    bool beat;         /* nothing was told for BEAT_S */
    const struct asset *asset;
    size_t sent;               /* bytes of it */
    struct asset made;         /* one that is the connection's own, */
    struct out body;           /* … and its data */
    struct download *download; /* in place of an asset */
};

/* Nothing from elsewhere, nothing inline, in nobody's frame, and kept by nobody. */
static const char security[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/* ---- requests ---- */

/* A header; NULL: there is none. *whole becomes false when it does not fit. */
static const char *header(struct lws *wsi, enum lws_token_indexes which, char buf[HEADER],
                          bool *whole)
{
    if (!lws_hdr_total_length(wsi, which))
        return NULL;
    if (lws_hdr_copy(wsi, buf, HEADER, which) < 0)
        *whole = false;
    return buf;
}

/* Likewise, one that libwebsockets has no number for; its name in small letters, with the colon. */
static const char *other_header(struct lws *wsi, const char *name, char buf[HEADER], bool *whole)
{
    int n = (int)strlen(name);

    if (lws_hdr_custom_length(wsi, name, n) < 0)
        return NULL;
    if (lws_hdr_custom_copy(wsi, buf, HEADER, name, n) < 0)
        *whole = false;
    return buf;
}

static enum gate_answer ask(struct server *s, struct lws *wsi, const char *path, bool websocket)
{
    char host[HEADER], origin[HEADER], cookie[HEADER], token[HEADER], bearer[HEADER], site[HEADER];
    bool whole = true, get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
    struct gate_request r = {.method = get ? "GET" : "",
                             .path = path,
                             .host = header(wsi, WSI_TOKEN_HOST, host, &whole),
                             .origin = header(wsi, WSI_TOKEN_ORIGIN, origin, &whole),
                             .cookie = header(wsi, WSI_TOKEN_HTTP_COOKIE, cookie, &whole),
                             .websocket = websocket};

    r.authorization = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, bearer, &whole);
    r.site = other_header(wsi, "sec-fetch-site:", site, &whole);
    r.token = lws_get_urlarg_by_name(wsi, "token=", token, sizeof token); /* some place in it */
    enum gate_answer a = whole ? gate_ask(&s->gate, &r) : GATE_NO_COOKIE;
    if (a == GATE_OPEN || a == GATE_ENTER || a == GATE_METRICS)
        crowd_remove(&s->crowd, wsi);
    return a;
}

static bool put(struct lws *wsi, const char *name, const char *value, unsigned char **p,
                unsigned char *end)
{
    return !lws_add_http_header_by_name(wsi, (const unsigned char *)name,
                                        (const unsigned char *)value, (int)strlen(value), p, end);
}

/* Headers of every answer. */
static bool put_head(struct lws *wsi, unsigned status, const char *type, size_t size,
                     unsigned char **p, unsigned char *end)
{
    return !lws_add_http_common_headers(wsi, status, type, size, p, end) &&
           put(wsi, "content-security-policy:", security, p, end) &&
           put(wsi, "x-content-type-options:", "nosniff", p, end) &&
           put(wsi, "referrer-policy:", "no-referrer", p, end) &&
           put(wsi, "cross-origin-resource-policy:", "same-origin", p, end) &&
           put(wsi, "cross-origin-opener-policy:", "same-origin", p, end) &&
           put(wsi, "cache-control:", "no-store", p, end);
}

/* An answer that is its text, and the end of the connection. */
static int refuse(struct server *s, struct lws *wsi, enum gate_answer a)
{
    unsigned char buf[LWS_PRE + REPLY], *start = buf + LWS_PRE, *p = start, *end = buf + sizeof buf;
    const char *text = gate_text(a);
    char cookie[160];

    const char *type = a == GATE_ENTER ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";

    if (!put_head(wsi, gate_status(a), type, strlen(text), &p, end))
        return -1;
    if (a == GATE_ENTER) {
        snprintf(cookie, sizeof cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s", s->gate.name,
                 s->gate.cookie, s->gate.tls ? "; Secure" : "");
        if (!put(wsi, "set-cookie:", cookie, &p, end))
            return -1;
        s->o->entered(s->o->arg);
    }
    if (a == GATE_NO_BEARER && !put(wsi, "www-authenticate:", "Bearer", &p, end))
        return -1;
    if (lws_finalize_http_header(wsi, &p, end))
        return -1;
    size_t head = (size_t)(p - start), n = strlen(text);
    if (n > (size_t)(end - p))
        return -1;
    memcpy(p, text, n);
    if (lws_write(wsi, start, head + n, LWS_WRITE_HTTP) != (int)(head + n))
        return -1;
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* The connection has no asset of its own any more. */
static void drop_body(struct connection *c)
{
    if (c->asset == &c->made)
        c->asset = NULL;
    out_free(&c->body);
    c->body = (struct out){.fd = -1};
}

/* What is scraped, as an asset. */
static const struct asset *make_metrics(struct server *s, struct connection *c)
{
    metrics_scrape(s->metrics, &c->body);
    c->made = (struct asset){
        .type = OPENMETRICS_TYPE, .data = (const unsigned char *)c->body.buf, .size = c->body.len};
    return c->body.error ? NULL : &c->made;
}

/* ---- exports: chunked (RFC 9112, 7.1), so that one that broke off is told from a whole one ----
 */

static void close_download(void *download)
{
    download_close(download);
}

static void drop_download(struct server *s, struct connection *c)
{
    if (!c->download)
        return;
    closing_begin(s->closing, close_download, c->download);
    c->download = NULL;
    s->downloads--;
}

/* The recording that is asked for; NULL: there is no such one, or no such format. */
static struct download *begin_download(struct server *s, struct lws *wsi)
{
    char bufs[2][HEADER]; /* the values are some place in them */
    const char *guest = lws_get_urlarg_by_name(wsi, "guest=", bufs[0], HEADER);
    const char *to = lws_get_urlarg_by_name(wsi, "to=", bufs[1], HEADER);
    struct download *d = NULL;

    if (!guest || !to || !download_format(to) || !pages_recording(s->pages, guest))
        return NULL;
    oscope_error_free(download_open(guest, to, &d));
    s->downloads += d != NULL;
    return d;
}

static int serve_download(struct server *s, struct lws *wsi, struct connection *c)
{
    unsigned char buf[LWS_PRE + REPLY], *start = buf + LWS_PRE, *p = start, *end = buf + sizeof buf;
    char as[256];

    drop_download(s, c);
    c->asset = NULL;
    if (s->downloads == DOWNLOADS)
        return refuse(s, wsi, GATE_BUSY);
    if (!(c->download = begin_download(s, wsi)))
        return refuse(s, wsi, GATE_NO_PATH);
    snprintf(as, sizeof as, "attachment; filename=\"%s\"", download_name(c->download));
    if (!put_head(wsi, 200, "application/octet-stream", LWS_ILLEGAL_HTTP_CONTENT_LEN, &p, end) ||
        !put(wsi, "content-disposition:", as, &p, end) ||
        !put(wsi, "transfer-encoding:", "chunked", &p, end) ||
        lws_finalize_write_http_header(wsi, start, &p, end))
        return -1;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, STILL_S);
    lws_callback_on_writable(wsi);
    return 0;
}

/* A chunk, if there is one. */
static int serve_chunk(struct server *s, struct lws *wsi, struct connection *c)
{
    enum { HEAD = 8, CHUNK = 1 << 15 };
    unsigned char buf[LWS_PRE + HEAD + CHUNK + 2], *data = buf + LWS_PRE + HEAD;
    ssize_t got = download_read(c->download, data, CHUNK);
    char head[32];

    if (got == DOWNLOAD_FAILED)
        return -1;              /* without the last chunk */
    if (got == DOWNLOAD_NONE) { /* being made: the reader is not to blame */
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, STILL_S);
        lws_set_timer_usecs(wsi, SOON_US);
        return 0;
    }
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, STILL_S);
    snprintf(head, sizeof head, "%06zx\r\n", (size_t)got);
    memcpy(data - HEAD, head, HEAD);
    memcpy(data + got, "\r\n", 2);
    size_t n = HEAD + (size_t)got + 2;
    if (lws_write(wsi, data - HEAD, n, got ? LWS_WRITE_HTTP : LWS_WRITE_HTTP_FINAL) != (int)n)
        return -1;
    if (got) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    drop_download(s, c);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int serve(struct server *s, struct lws *wsi, struct connection *c, const char *path)
{
    unsigned char buf[LWS_PRE + REPLY], *start = buf + LWS_PRE, *p = start, *end = buf + sizeof buf;
    enum gate_answer a = ask(s, wsi, path, false);

    if (a != GATE_OPEN && a != GATE_METRICS)
        return refuse(s, wsi, a);
    drop_body(c);
    if (!strcmp(path, GATE_EXPORT_PATH))
        return serve_download(s, wsi, c);
    c->asset = a == GATE_METRICS ? make_metrics(s, c) : asset_find(path);
    c->sent = 0;
    if (!c->asset || !put_head(wsi, 200, c->asset->type, c->asset->size, &p, end) ||
        lws_finalize_write_http_header(wsi, start, &p, end))
        return -1;
    lws_callback_on_writable(wsi);
    return 0;
}

static int serve_more(struct lws *wsi, struct connection *c)
{
    unsigned char buf[LWS_PRE + 16384];

    if (!c->asset)
        return 0;
    size_t n = MIN(c->asset->size - c->sent, sizeof buf - LWS_PRE);
    bool last = c->sent + n == c->asset->size;
    memcpy(buf + LWS_PRE, c->asset->data + c->sent, n);
    if (lws_write(wsi, buf + LWS_PRE, n, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) != (int)n)
        return -1;
    c->sent += n;
    if (!last) {
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, STILL_S);
        lws_callback_on_writable(wsi);
        return 0;
    }
    c->asset = NULL;
    drop_body(c);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static struct server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

/* At once. With TLS the first time it is only told goodbye, and could be waited for. */
static void put_out(struct server *s, struct lws *who)
{
    s->leaving = who;
    for (int i = 0; i < 2 && s->leaving; i++)
        lws_set_timeout(who, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
    s->leaving = NULL;
}

static int on_http(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t len)
{
    struct server *s = server_of(wsi);
    char path[HEADER];
    struct lws *oldest;

    switch (why) {
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        if ((oldest = crowd_add(&s->crowd, wsi)))
            put_out(s, oldest);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        crowd_remove(&s->crowd, wsi);
        s->leaving = wsi == s->leaving ? NULL : s->leaving;
        return 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        if (user) {
            drop_body(user);
            drop_download(s, user);
        }
        return 0;
    case LWS_CALLBACK_HTTP:
        if (len >= sizeof path || memchr(in, '\0', len))
            return -1;
        memcpy(path, in, len);
        path[len] = '\0';
        return serve(s, wsi, user, path);
    case LWS_CALLBACK_TIMER: lws_callback_on_writable(wsi); return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return ((struct connection *)user)->download ? serve_chunk(s, wsi, user)
                                                     : serve_more(wsi, user);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: /* to anything but pages' sockets: none */
        return strcmp(in, "websocket") != 0;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return -1; /* nor to one of another protocol */
    default: return 0;
    }
}

/* ---- WebSockets ---- */

static int hang_up(struct lws *wsi, enum lws_close_status status, const char *why)
{
    char text[100];
    size_t n = MIN(strlen(why), sizeof text);

    memcpy(text, why, n);
    lws_close_reason(wsi, status, (unsigned char *)text, n);
    return -1;
}

/* The path of the request that becomes a WebSocket. */
static int let_in(struct server *s, struct lws *wsi)
{
    char path[HEADER];
    bool whole = true;
    const char *uri = header(wsi, WSI_TOKEN_GET_URI, path, &whole);

    return uri && whole && ask(s, wsi, uri, true) == GATE_OPEN ? 0 : -1;
}

static int hear(struct lws *wsi, struct connection *c, const char *text, size_t n)
{
    if (!c->page)
        return -1;
    if (lws_frame_is_binary(wsi) || c->in.len + n > MESSAGE_MAX)
        return hang_up(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "too long, or no text");
    out_mem(&c->in, text, n);
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi))
        return 0;
    const char *wrong = c->in.error ? "out of memory" : page_hear(c->page, c->in.buf, c->in.len);
    c->in.len = 0;
    if (wrong)
        return hang_up(wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, wrong);
    lws_callback_on_writable(wsi);
    return 0;
}

/* One message; the next one when this has gone. */
static int tell(struct lws *wsi, struct connection *c)
{
    struct out o;
    int status = 0;

    if (!c->page)
        return hang_up(wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, "too many pages are open");
    out_init(&o, -1);
    out_fill(&o, '\0', LWS_PRE);
    enum page_message what = page_next(c->page, &o);
    if (!what && c->beat) { /* else a page can't tell silence from a stopped server */
        out_str(&o, "{\"op\":\"alive\"}");
        what = PAGE_TEXT;
    }
    if (what) {
        size_t n = o.error ? 0 : o.len - LWS_PRE;
        enum lws_write_protocol how = what == PAGE_BINARY ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        c->beat = false;
        lws_set_timer_usecs(wsi, BEAT_S * LWS_USEC_PER_SEC);
        if (o.error || lws_write(wsi, (unsigned char *)o.buf + LWS_PRE, n, how) < (int)n)
            status = -1;
        lws_callback_on_writable(wsi);
    }
    out_free(&o);
    return status;
}

static int on_socket(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in,
                     size_t len)
{
    struct server *s = server_of(wsi);
    struct connection *c = user;

    switch (why) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return let_in(s, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        out_init(&c->in, -1);
        c->page = page_open(s->pages); /* NULL: it is told so as soon as it can be */
        lws_set_timer_usecs(wsi, BEAT_S * LWS_USEC_PER_SEC);
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE: return hear(wsi, c, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE: return tell(wsi, c);
    case LWS_CALLBACK_TIMER:
        c->beat = true;
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLOSED:
        if (c->page)
            page_close(c->page);
        c->page = NULL;
        out_free(&c->in);
        return 0;
    default: return 0;
    }
}

/* ---- descriptors of ours ---- */

/* The collectors have something. */
static int on_wake(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t len)
{
    struct server *s = server_of(wsi);
    uint64_t n;

    if (why == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
        return -1; /* no socket of a page */
    if (why != LWS_CALLBACK_RAW_RX_FILE)
        return 0;
    ssize_t got = read(s->wake, &n, sizeof n);
    if (got > 0 && pages_poll(s->pages))
        lws_callback_on_writable_all_protocol(s->context, s->socket);
    return 0;
}

static int on_stop(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t len)
{
    struct server *s = server_of(wsi);

    if (why == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
        return -1; /* no socket of a page */
    if (why != LWS_CALLBACK_RAW_RX_FILE)
        return 0;
    s->stop = true;
    lws_cancel_service(s->context);
    return -1;
}

/* The first one gets what asks for none. */
enum { SOCKET = 1 };
static const struct lws_protocols protocols[] = {
    {"http", on_http, sizeof(struct connection), 0, 0, NULL, 0},
    [SOCKET] = {"oscope", on_socket, sizeof(struct connection), MESSAGE_MAX, 0, NULL, 0},
    {"wake", on_wake, 0, 0, 0, NULL, 0},
    {"stop", on_stop, 0, 0, 0, NULL, 0},
    {0},
};

/* ---- the server ---- */

static bool adopt(struct lws_vhost *vhost, int fd, const char *protocol)
{
    lws_sock_file_fd_type what = {.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 0)};

    return what.filefd >= 0 &&
           lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, what, protocol, NULL);
}

/* Why there is no server; errnum: where that is the socket's fault. */
static struct oscope_error *not_there(const struct web_options *o, int errnum)
{
    bool socket = errnum == EADDRINUSE || errnum == EADDRNOTAVAIL || errnum == EACCES;

    if (o->cert && !socket)
        return error_new(OSCOPE_E_BAD_DATA, "%s and %s are no certificate and its private key",
                         o->cert, o->key);
    return error_hint(error_errno(errnum ? errnum : EADDRINUSE, "cannot listen at %s:%u",
                                  o->address.host, o->address.port),
                      "without a port in --listen it takes one that is free");
}

static struct oscope_error *listen_there(struct server *s)
{
    const struct web_address *a = &s->o->address;
    static const lws_retry_bo_t alive = {.secs_since_valid_ping = 20,
                                         .secs_since_valid_hangup = 40};
    struct lws_context_creation_info info = {
        .port = (int)a->port,
        .iface = a->bind,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = s,
        .max_http_header_data = HEADERS,
        .max_http_header_pool = CROWD_MAX + LET_IN,
        .timeout_secs = IDLE_S,
        .keepalive_timeout = IDLE_S,
        .retry_and_idle_policy = &alive,
        .server_string = "oscope",
        .ssl_cert_filepath = s->o->cert,
        .ssl_private_key_filepath = s->o->key,
        .ssl_private_key_password = "", /* nobody is asked for one */
        .alpn = "http/1.1",             /* WebSockets are a matter of that */
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   (s->o->cert ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0) |
                   (strchr(a->bind, ':') ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
    };

    lws_set_log_level(0, NULL);
    if (!(s->context = lws_create_context(&info)))
        return error_nomem();
    errno = 0;
    struct lws_vhost *vhost = lws_create_vhost(s->context, &info);
    int port = vhost ? lws_get_vhost_listen_port(vhost) : -1;
    if (port <= 0)
        return not_there(s->o, errno);
    s->socket = lws_vhost_name_to_protocol(vhost, protocols[SOCKET].name);
    TRY(gate_init(&s->gate, &(struct gate_options){.address = a->host,
                                                   .name = s->o->name,
                                                   .loopback = a->loopback,
                                                   .tls = s->o->cert != NULL,
                                                   .port = (unsigned)port,
                                                   .bearer = s->o->bearer}));
    if (!adopt(vhost, s->wake, "wake") || !adopt(vhost, s->o->stop, "stop"))
        return error_errno(errno, "cannot wait for events");
    return NULL;
}

static struct oscope_error *open_metrics(struct server *s)
{
    const struct web_options *o = s->o;

    return o->bearer ? metrics_open(&(struct metrics_options){.sessions = o->sessions,
                                                              .recordings = o->recordings,
                                                              .open = o->open,
                                                              .reports = o->metrics,
                                                              .linger = o->linger},
                                    &s->metrics)
                     : NULL;
}

static void tell_ready(const struct server *s)
{
    char url[GATE_HOST + GATE_TOKEN + 32], metrics[GATE_HOST + 32];
    const char *scheme = s->gate.tls ? "https" : "http", *host = s->gate.hosts[0];

    snprintf(url, sizeof url, "%s://%s/?token=%s", scheme, host, s->gate.token);
    snprintf(metrics, sizeof metrics, "%s://%s" GATE_METRICS_PATH, scheme, host);
    s->o->ready(url, s->metrics ? metrics : NULL, s->o->arg);
}

static struct oscope_error *run(struct server *s)
{
    struct pages_options p = {.sessions = s->o->sessions,
                              .recordings = s->o->recordings,
                              .open = s->o->open,
                              .wake = s->wake,
                              .no_console = s->o->no_console};

    if (!(s->closing = closing_new()))
        return error_nomem();
    TRY(pages_open(&p, &s->pages));
    TRY(open_metrics(s));
    TRY(listen_there(s));
    tell_ready(s);
    while (!s->stop)
        if (lws_service(s->context, 0) < 0)
            break;
    return NULL;
}

struct oscope_error *web_run(const struct web_options *o)
{
    struct server s = {.o = o, .wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};

    if (s.wake < 0)
        return error_errno(errno, "eventfd");
    struct oscope_error *err = run(&s);
    if (s.context)
        lws_context_destroy(s.context); /* closes the pages */
    closing_end(s.closing);
    pages_close(s.pages);
    metrics_close(s.metrics);
    close(s.wake);
    return err;
}
