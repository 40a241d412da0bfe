/* SPDX-License-Identifier: MIT */
/* See gate.h. */
#include "web/gate.h"

#include "base/error.h"
#include "base/util.h"
#include "web/assets.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <sys/random.h>

static struct oscope_error *secret(char out[GATE_TOKEN])
{
    unsigned char bytes[(GATE_TOKEN - 1) / 2];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_errno(errno, "no random numbers");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return NULL;
}

static void add_host(struct gate *g, const char *address, unsigned port)
{
    snprintf(g->hosts[g->nhosts++], GATE_HOST, "%s:%u", address, port);
}

struct oscope_error *gate_init(struct gate *g, const char *address, bool loopback, unsigned port)
{
    *g = (struct gate){.nhosts = 0};
    TRY(secret(g->token));
    TRY(secret(g->cookie));
    snprintf(g->name, sizeof g->name, "oscope-%u", port);
    add_host(g, address, port);
    if (loopback)
        add_host(g, "localhost", port);
    return NULL;
}

/* Takes as long wherever they differ; n: bytes of s. */
static bool same_secret(const char *secret, const char *s, size_t n)
{
    unsigned char differ = 0;

    if (n != GATE_TOKEN - 1 || !*secret)
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
    static const char scheme[] = "http://";

    return !strncmp(origin, scheme, sizeof scheme - 1) && is_host(g, origin + sizeof scheme - 1);
}

enum gate_answer gate_ask(struct gate *g, const struct gate_request *r)
{
    if (!r->method || strcmp(r->method, "GET") != 0)
        return GATE_NO_METHOD;
    if (!is_host(g, r->host))
        return GATE_NO_HOST;
    if (r->origin ? !is_origin(g, r->origin) : r->websocket)
        return GATE_NO_ORIGIN;
    if (r->token && !r->websocket && r->path && !strcmp(r->path, "/") &&
        same_secret(g->token, r->token, strlen(r->token))) {
        g->token[0] = '\0';
        return GATE_ENTER;
    }
    if (!has_cookie(g, r->cookie))
        return GATE_NO_COOKIE;
    if (!r->path || (r->websocket ? strcmp(r->path, "/ws") != 0 : !asset_find(r->path)))
        return GATE_NO_PATH;
    return GATE_OPEN;
}

unsigned gate_status(enum gate_answer a)
{
    switch (a) {
    case GATE_OPEN: return 200;
    case GATE_ENTER: return 303;
    case GATE_NO_METHOD: return 405;
    case GATE_NO_HOST: return 421;
    case GATE_NO_PATH: return 404;
    default: return 403;
    }
}

const char *gate_text(enum gate_answer a)
{
    switch (a) {
    case GATE_NO_METHOD: return "Only GET is served here.";
    case GATE_NO_HOST: return "This is not the address that oscope web listens at.";
    case GATE_NO_ORIGIN: return "Another site's page asked for this.";
    case GATE_NO_COOKIE:
        return "Open the URL that oscope web printed. It is good once: if it was used, start "
               "oscope web again.";
    case GATE_NO_PATH: return "There is no such page.";
    default: return "";
    }
}
