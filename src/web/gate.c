/* SPDX-License-Identifier: MIT */
/* See gate.h. */
#include "web/gate.h"

#include "base/error.h"
#include "base/util.h"
#include "web/assets.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <sys/random.h>

struct oscope_error *gate_secret(char out[GATE_TOKEN])
{
    unsigned char bytes[(GATE_TOKEN - 1) / 2];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_errno(errno, "no random numbers");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return NULL;
}

static bool all_of(const char *text, const char *more)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr(more, *text))
            return false;
    return true;
}

bool gate_bearer_ok(const char *text)
{
    size_t n = strlen(text);

    return n >= GATE_BEARER_MIN && n < GATE_BEARER && all_of(text, "-._~+/=");
}

bool gate_name_ok(const char *text)
{
    return *text && strlen(text) < GATE_HOST - sizeof ":65535" && all_of(text, "-.");
}

/* A browser leaves the scheme's own port out. */
static void add_host(struct gate *g, const char *address, unsigned port)
{
    snprintf(g->hosts[g->nhosts++], GATE_HOST, "%s:%u", address, port);
    if (port == (g->tls ? 443 : 80))
        str_copy(g->hosts[g->nhosts++], GATE_HOST, address);
}

struct oscope_error *gate_init(struct gate *g, const struct gate_options *o)
{
    *g = (struct gate){.tls = o->tls};
    TRY(gate_secret(g->token));
    TRY(gate_secret(g->cookie));
    snprintf(g->name, sizeof g->name, "oscope-%u", o->port);
    if (o->name) /* what the URL has */
        add_host(g, o->name, o->port);
    add_host(g, o->address, o->port);
    if (o->loopback)
        add_host(g, "localhost", o->port);
    if (o->bearer)
        str_copy(g->bearer, sizeof g->bearer, o->bearer);
    return NULL;
}

/* Takes as long wherever they differ; n: bytes of s. How long a secret is, is none. */
static bool same_secret(const char *secret, const char *s, size_t n)
{
    unsigned char differ = 0;

    if (n != strlen(secret) || !*secret)
        return false;
    for (size_t i = 0; i < n; i++)
        differ |= (unsigned char)(secret[i] ^ s[i]);
    return !differ;
}

/* "a=1; NAME=VALUE; b=2" (RFC 6265, 5.4): any of that name may be ours. */
static bool has_cookie(const struct gate *g, const char *cookies)
{
    size_t name = strlen(g->name);

    for (const char *c = cookies; c && *c; c += strcspn(c, ";"), c += *c == ';') {
        c += strspn(c, " ");
        if (!strncmp(c, g->name, name) && c[name] == '=') {
            const char *value = c + name + 1;
            if (same_secret(g->cookie, value, strcspn(value, ";")))
                return true;
        }
    }
    return false;
}

static bool is_host(const struct gate *g, const char *host)
{
    for (size_t i = 0; host && i < g->nhosts; i++)
        if (!strcasecmp(host, g->hosts[i]))
            return true;
    return false;
}

static bool is_origin(const struct gate *g, const char *origin)
{
    const char *scheme = g->tls ? "https://" : "http://";
    size_t n = strlen(scheme);

    return !strncmp(origin, scheme, n) && is_host(g, origin + n);
}

/* "Bearer TOKEN"; the scheme's name in any case (RFC 9110, 11.1). */
static enum gate_answer ask_metrics(const struct gate *g, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    size_t n = sizeof scheme - 1;

    if (!*g->bearer)
        return GATE_NO_PATH;
    if (!authorization || strncasecmp(authorization, scheme, n) != 0)
        return GATE_NO_BEARER;
    authorization += n + strspn(authorization + n, " ");
    return same_secret(g->bearer, authorization, strlen(authorization)) ? GATE_METRICS
                                                                        : GATE_NO_BEARER;
}

/* A request of our own page, of the user, or of no browser. */
static bool is_own(const char *site)
{
    return !site || !strcmp(site, "same-origin") || !strcmp(site, "none");
}

static bool is_path(const char *path)
{
    return asset_find(path) || !strcmp(path, GATE_EXPORT_PATH);
}

enum gate_answer gate_ask(struct gate *g, const struct gate_request *r)
{
    if (!r->method || strcmp(r->method, "GET") != 0)
        return GATE_NO_METHOD;
    if (!is_host(g, r->host))
        return GATE_NO_HOST;
    if (r->origin ? !is_origin(g, r->origin) : r->websocket)
        return GATE_NO_ORIGIN;
    if (!is_own(r->site) && (r->websocket || !r->path || strcmp(r->path, "/") != 0))
        return GATE_NO_ORIGIN;
    if (r->path && !r->websocket && !strcmp(r->path, GATE_METRICS_PATH))
        return ask_metrics(g, r->authorization);
    if (r->token && !r->websocket && r->path && !strcmp(r->path, "/") &&
        same_secret(g->token, r->token, strlen(r->token))) {
        g->token[0] = '\0';
        return GATE_ENTER;
    }
    if (!has_cookie(g, r->cookie))
        return GATE_NO_COOKIE;
    if (!r->path || (r->websocket ? strcmp(r->path, "/ws") != 0 : !is_path(r->path)))
        return GATE_NO_PATH;
    return GATE_OPEN;
}

unsigned gate_status(enum gate_answer a)
{
    switch (a) {
    case GATE_OPEN:
    case GATE_ENTER:
    case GATE_METRICS: return 200;
    case GATE_NO_METHOD: return 405;
    case GATE_NO_HOST: return 421;
    case GATE_NO_BEARER: return 401;
    case GATE_NO_PATH: return 404;
    case GATE_BUSY: return 503;
    default: return 403;
    }
}

const char *gate_text(enum gate_answer a)
{
    switch (a) {
    case GATE_ENTER: /* a redirect would have no cookie where something else than this led here */
        return "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n<title>oscope</title>\n"
               "<link rel=icon href=/icon.svg>\n"
               "<meta http-equiv=refresh content=\"0; url=/\">\n<p><a href=\"/\">oscope</a></p>\n";
    case GATE_NO_METHOD: return "Only GET is served here.";
    case GATE_NO_HOST: return "This is not the address that oscope web listens at.";
    case GATE_NO_ORIGIN: return "Another site's page asked for this.";
    case GATE_NO_COOKIE:
        return "Open the URL that oscope web printed. It is good once: if it was used, start "
               "oscope web again.";
    case GATE_NO_BEARER:
        return "This needs the header 'Authorization: Bearer TOKEN', with the token of oscope web.";
    case GATE_NO_PATH: return "There is no such page.";
    case GATE_BUSY: return "So many downloads at once are enough: wait for one of them.";
    default: return "";
    }
}
