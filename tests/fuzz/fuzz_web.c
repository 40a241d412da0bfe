/* SPDX-License-Identifier: MIT */
/* What a page says to `oscope web`: messages, and the headers that it is let in by. */
#include "web/assets.h"
#include "web/gate.h"
#include "web/message.h"
#include "web/web.h"

#include "base/util.h"

const struct asset assets[] = {{"/", "text/html", (const unsigned char *)"x", 1}, {0}};

/* The next line of the input, as a string of its own; NULL at its end. */
static char *line(const char **at, const char *end)
{
    const char *stop = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    size_t n = (size_t)((stop ? stop : end) - *at);
    char *s = *at < end ? strndup(*at, n) : NULL;

    *at += MIN(n + 1, (size_t)(end - *at));
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct gate g = {.cookie = "c", .name = "oscope-1", .hosts = {"h:1"}, .nhosts = 1};
    struct web_address address;
    struct message m;
    char *s[6];

    if (!message_parse(at, size, &m))
        for (size_t i = 0; i < WEB_VIEWS; i++)
            web_view_ask(&web_views[i], &m.args);
    for (size_t i = 0; i < ARRAY_SIZE(s); i++)
        s[i] = line(&at, end);
    struct gate_request r = {.method = s[0],
                             .path = s[1],
                             .token = s[2],
                             .host = s[3],
                             .origin = s[4],
                             .cookie = s[5],
                             .websocket = size & 1};
    if (gate_ask(&g, &r) == GATE_OPEN || gate_ask(&g, &r) == GATE_ENTER)
        abort(); /* it has no secret that is this long */
    if (s[0])
        web_address_parse(s[0], &address);
    for (size_t i = 0; i < ARRAY_SIZE(s); i++)
        free(s[i]);
    return 0;
}
