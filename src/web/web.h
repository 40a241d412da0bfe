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
    void (*ready)(const char *url, void *arg);       /* it listens; the URL has the token */
    void *arg;
};

/* Serves until it is told to stop. Errors: it can't listen there; out of memory. */
struct oscope_error *web_run(const struct web_options *o);

#endif
