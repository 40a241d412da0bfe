/* SPDX-License-Identifier: MIT */
/*
 * Who is let in. A URL with a token, good once, gives the browser a cookie; without that nothing is
 * served. What a request says of itself is not believed: its Host must be ours (a name that
 * somebody else points at this address is not), and so must its Origin where it has one; a
 * WebSocket must have one. Cookies and SameSite know no ports, so what a browser says that a page
 * of another port or site asked for (Sec-Fetch-Site, of W3C's Fetch Metadata) gets no more than
 * "/". Who scrapes /metrics has no cookie, but a token of its own in each request (RFC 6750). Knows
 * no HTTP library: requests are what is here.
 */
#ifndef WEB_GATE_H
#define WEB_GATE_H

#include <oscope/error.h>

#include <stdbool.h>
#include <stddef.h>

enum { GATE_TOKEN = 65, GATE_HOSTS = 6, GATE_HOST = 264, GATE_BEARER = 257, GATE_BEARER_MIN = 16 };
#define GATE_METRICS_PATH "/metrics"
#define GATE_EXPORT_PATH  "/export"

struct gate {
    char token[GATE_TOKEN];            /* hexadecimal; "" once it was used */
    char cookie[GATE_TOKEN];           /* that the browser shows from then on */
    char name[24];                     /* of the cookie: cookies are not kept apart by port */
    char hosts[GATE_HOSTS][GATE_HOST]; /* that a request may have been sent to, with the port */
    size_t nhosts;
    bool tls;                 /* what reaches us is encrypted: its scheme is https */
    char bearer[GATE_BEARER]; /* of who scrapes; "": there is no /metrics */
};

/* Strings may be NULL: the request has none of that. */
struct gate_request {
    const char *method;                 /* "GET" */
    const char *path;                   /* without the query */
    const char *token;                  /* of the query */
    const char *host, *origin, *cookie; /* headers */
    const char *authorization;
    const char *site; /* Sec-Fetch-Site */
    bool websocket;   /* it asks to become one */
};

enum gate_answer {
    GATE_OPEN,    /* serve it */
    GATE_ENTER,   /* the token was right: set the cookie with gate_text(), HTML that goes to "/" */
    GATE_METRICS, /* serve /metrics */
    GATE_NO_METHOD, /* 405 */
    GATE_NO_HOST,   /* 421: not sent to us */
    GATE_NO_ORIGIN, /* 403: sent by somebody else's page */
    GATE_NO_COOKIE, /* 403: not one of ours */
    GATE_NO_BEARER, /* 401: no token for /metrics, or a wrong one */
    GATE_NO_PATH,   /* 404; only told to those who are let in */
    GATE_BUSY,      /* 503; likewise, for the server to say */
};

struct gate_options {
    const char *address; /* as in a URL, with brackets if it has colons */
    const char *name;    /* another name of this machine; NULL: none */
    bool loopback;       /* the address is: it may be called localhost, too */
    bool tls;
    unsigned port;
    const char *bearer; /* of gate_bearer_ok(); NULL: there is no /metrics */
};
/* A gate with secrets of its own. Errors: no random numbers. */
struct oscope_error *gate_init(struct gate *g, const struct gate_options *o);

/* A secret: GATE_TOKEN - 1 hexadecimal digits. Errors: no random numbers. */
struct oscope_error *gate_secret(char out[GATE_TOKEN]);
/* Can that be a bearer token? b64token of RFC 6750, 2.1, not too short to be a secret. */
bool gate_bearer_ok(const char *text);
/* A name of a host: letters, digits, '-' and '.'. */
bool gate_name_ok(const char *text);

/* Whether to serve it. GATE_ENTER uses the token up. */
enum gate_answer gate_ask(struct gate *g, const struct gate_request *r);

/* HTTP status of an answer that is no GATE_OPEN. */
unsigned gate_status(enum gate_answer a);
/* What the user is told, one line. */
const char *gate_text(enum gate_answer a);

#endif
