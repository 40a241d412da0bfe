/* SPDX-License-Identifier: MIT */
/* What a page or a scrape says to `oscope web`: messages, and the headers that it is let in by; and
 * that no text ends a label of /metrics. */
#include "web/assets.h"
#include "web/gate.h"
#include "web/message.h"
#include "web/meter.h"
#include "web/web.h"

#include "base/util.h"
#include "draw/text.h"

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

/* NAME="…" holds neither a line's end, nor a quote or backslash that is not escaped. */
static void check_label(const char *value)
{
    struct out o;

    out_init(&o, -1);
    openmetrics_label(&o, "l", value);
    if (o.len < 4 || memcmp(o.buf, "l=\"", 3) != 0 || o.buf[o.len - 1] != '"')
        abort();
    for (size_t i = 3; i < o.len - 1; i++) {
        uint32_t cp;
        size_t n = text_utf8(o.buf + i, o.len - i, &cp);
        if (!n || cp < ' ' || cp == '"')
            abort();
        if (cp == '\\' && !strchr("\\\"", o.buf[++i]))
            abort();
        i += n - 1;
    }
    out_free(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct gate g = {.cookie = "cookie-of-32-bytes-cookie-of-32-",
                     .name = "oscope-1",
                     .hosts = {"h:1"},
                     .nhosts = 1,
                     .tls = size & 2,
                     .bearer = "bearer-of-32-bytes-bearer-of-32-"};
    struct web_address address;
    struct message m;
    uint64_t reports;
    char *s[8];

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
                             .authorization = s[6],
                             .site = s[7],
                             .websocket = size & 1};
    enum gate_answer a = gate_ask(&g, &r);
    if (a == GATE_OPEN || a == GATE_ENTER || a == GATE_METRICS)
        abort(); /* it guessed a secret */
    if (s[0]) {
        web_address_parse(s[0], &address);
        meter_parse(s[0], &reports);
        gate_name_ok(s[0]);
        gate_bearer_ok(s[0]);
        check_label(s[0]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(s); i++)
        free(s[i]);
    return 0;
}
