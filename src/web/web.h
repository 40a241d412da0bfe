/* SPDX-License-Identifier: MIT */
/* The server of `oscope web`. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <oscope/session.h>

/* Where it listens. */
struct web_address {
    char host[64]; /* as in a URL: "127.0.0.1", "[::1]" */
    char bind[64]; /* without brackets */
    unsigned port; /* 0: any that is free */
    bool loopback; /* only this machine's programs reach it */
};

/* "HOST:PORT", "PORT", "HOST"; HOST: an address in digits, or localhost. False: it is not one. */
bool web_address_parse(const char *text, struct web_address *out);

struct web_options {
    struct web_address address;
    const char *const *sessions, *const *recordings; /* as roster_open() */
    const struct oscope_open_options *open;          /* of the sessions */
    bool no_console;                                 /* as of pages_options */
    int stop;                                        /* readable: it is to end */
    const char *name;                                /* as of gate_options */
    const char *cert, *key; /* files, PEM: of TLS; NULL: what travels is not encrypted */
    /* NULL: there is no /metrics; else its token, for which reports, and ns that these are counted
     * after the last scrape. */
    const char *bearer;
    uint64_t metrics, linger;
    /* It listens; the URL has the token. metrics: the URL of /metrics, or NULL. */
    void (*ready)(const char *url, const char *metrics, void *arg);
    void (*entered)(void *arg); /* the URL was used */
    void *arg;
};

/* The bearer token of that file; *out is the caller's. Errors: it can't be read; others can read
 * it; it has none. */
struct oscope_error *web_bearer(const char *file, char **out);

/* Serves until it is told to stop. Errors: it can't listen there; out of memory. */
struct oscope_error *web_run(const struct web_options *o);

#endif
