/* SPDX-License-Identifier: MIT */
/* See web.h. */
#include "web/web.h"

#include "base/util.h"
#include "draw/text.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { PORT_MAX = 65535 };

static bool set_host(struct web_address *a, const char *host, size_t n)
{
    struct in6_addr six;
    struct in_addr four;

    if (n >= sizeof a->bind)
        return false;
    memcpy(a->bind, host, n);
    a->bind[n] = '\0';
    if (!strcmp(a->bind, "localhost"))
        str_copy(a->bind, sizeof a->bind, "127.0.0.1");
    if (inet_pton(AF_INET, a->bind, &four) == 1) {
        a->loopback = ntohl(four.s_addr) >> 24 == 127;
        str_copy(a->host, sizeof a->host, a->bind);
        return four.s_addr != INADDR_ANY;
    }
    if (inet_pton(AF_INET6, a->bind, &six) != 1 || IN6_IS_ADDR_UNSPECIFIED(&six))
        return false;
    a->loopback = IN6_IS_ADDR_LOOPBACK(&six);
    if (!inet_ntop(AF_INET6, &six, a->bind, sizeof a->bind)) /* as browsers write it (RFC 5952) */
        return false;
    return (size_t)snprintf(a->host, sizeof a->host, "[%s]", a->bind) < sizeof a->host;
}

bool web_address_parse(const char *text, struct web_address *out)
{
    const char *host = text, *end, *port = NULL;
    uint64_t number = 0;

    *out = (struct web_address){.port = 0};
    if (*text == '[') {
        host = text + 1;
        if (!(end = strchr(host, ']')) || (end[1] && end[1] != ':'))
            return false;
        port = end[1] ? end + 2 : NULL;
    } else if ((end = strchr(text, ':'))) {
        port = end + 1;
    } else if (strspn(text, "0123456789") == strlen(text)) {
        port = text;
        host = "127.0.0.1";
        end = host + strlen(host);
    } else {
        end = text + strlen(text);
    }
    if (port && !text_number(port, PORT_MAX, &number))
        return false;
    out->port = (unsigned)number;
    return set_host(out, host, (size_t)(end - host));
}
