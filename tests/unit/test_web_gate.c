/* SPDX-License-Identifier: MIT */
/* Who `oscope web` lets in, and what an address to listen at may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/assets.h"
#include "web/gate.h"
#include "web/web.h"

#include <stdio.h>
#include <string.h>

const struct asset assets[] = {{"/", "text/html", (const unsigned char *)"x", 1},
                               {"/app.js", "text/javascript", (const unsigned char *)"y", 1},
                               {0}};

enum { PORT = 4242 };

static struct gate new_gate(void)
{
    struct gate g;

    assert_null(gate_init(&g, "127.0.0.1", true, PORT));
    return g;
}

/* A request of somebody who was let in. */
static struct gate_request inside(const struct gate *g, char cookie[128])
{
    snprintf(cookie, 128, "%s=%s", g->name, g->cookie);
    return (struct gate_request){
        .method = "GET", .path = "/", .host = "127.0.0.1:4242", .cookie = cookie};
}

static void test_secrets_differ(void **state)
{
    struct gate a = new_gate(), b = new_gate();

    assert_int_equal(strlen(a.token), GATE_TOKEN - 1);
    assert_int_equal(strlen(a.cookie), GATE_TOKEN - 1);
    assert_string_not_equal(a.token, a.cookie);
    assert_string_not_equal(a.token, b.token);
    assert_string_not_equal(a.cookie, b.cookie);
}

static void test_token_is_good_once(void **state)
{
    struct gate g = new_gate();
    char token[GATE_TOKEN];
    struct gate_request r = {
        .method = "GET", .path = "/", .host = "127.0.0.1:4242", .token = token};

    memcpy(token, g.token, sizeof token);
    token[5] ^= 1;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    token[5] ^= 1;
    assert_int_equal(gate_ask(&g, &r), GATE_ENTER);
    assert_int_equal(gate_status(GATE_ENTER), 303);
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    token[0] = '\0'; /* what a token that was used is kept as */
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
}

static void test_token_elsewhere(void **state)
{
    struct gate g = new_gate();
    struct gate_request r = {.method = "GET", .host = "127.0.0.1:4242", .token = g.token};

    r.path = "/app.js";
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    r.path = "/ws", r.origin = "http://127.0.0.1:4242", r.websocket = true;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    r = (struct gate_request){.method = "GET", .path = "/", .host = "evil:4242", .token = g.token};
    assert_int_equal(gate_ask(&g, &r), GATE_NO_HOST);
    assert_int_equal(strlen(g.token), GATE_TOKEN - 1); /* it is good still */
}

static void test_nothing_without_cookie(void **state)
{
    struct gate g = new_gate();
    char good[128], text[512];
    struct gate_request r = inside(&g, good);

    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
    r.cookie = NULL;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    r.path = "/nothing"; /* what there is, is not told */
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    r.path = "/";
    const char *const wrong[] = {
        "", "=", ";;;", g.cookie, "oscope-4242", "oscope-4242=", "oscope-424=1; oscope-42422=2"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        r.cookie = wrong[i];
        assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    }
    snprintf(text, sizeof text, "%sx", good);
    r.cookie = text;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    snprintf(text, sizeof text, "x%s", good);
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    snprintf(text, sizeof text, "a=1; oscope-4242=%064d; %s;b=2", 0, good);
    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
}

static void test_host(void **state)
{
    static const char *const wrong[] = {"127.0.0.1",
                                        "127.0.0.1:80",
                                        "evil.example:4242",
                                        "127.0.0.1:4242.",
                                        "127.0.0.1:42420",
                                        "[::1]:4242",
                                        "",
                                        "x@127.0.0.1:4242",
                                        "localhost"};
    struct gate g = new_gate();
    char cookie[128];
    struct gate_request r = inside(&g, cookie);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        r.host = wrong[i];
        assert_int_equal(gate_ask(&g, &r), GATE_NO_HOST);
    }
    r.host = NULL;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_HOST);
    r.host = "LocalHost:4242";
    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
    assert_null(gate_init(&g, "192.0.2.7", false, PORT)); /* not loopback: localhost is another */
    r = inside(&g, cookie);
    r.host = "localhost:4242";
    assert_int_equal(gate_ask(&g, &r), GATE_NO_HOST);
    r.host = "192.0.2.7:4242";
    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
}

static void test_origin(void **state)
{
    static const char *const wrong[] = {"null",
                                        "",
                                        "http://evil.example",
                                        "https://127.0.0.1:4242",
                                        "http://127.0.0.1",
                                        "http://127.0.0.1:4243",
                                        "http://127.0.0.1:4242/",
                                        "127.0.0.1:4242",
                                        "http://127.0.0.1:4242.evil.example"};
    struct gate g = new_gate();
    char cookie[128];
    struct gate_request r = inside(&g, cookie);

    for (int socket = 0; socket < 2; socket++) {
        r.websocket = socket;
        r.path = socket ? "/ws" : "/";
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            r.origin = wrong[i];
            assert_int_equal(gate_ask(&g, &r), GATE_NO_ORIGIN);
        }
        r.origin = "http://127.0.0.1:4242";
        assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
        r.origin = NULL; /* a browser always says it of a WebSocket */
        assert_int_equal(gate_ask(&g, &r), socket ? GATE_NO_ORIGIN : GATE_OPEN);
    }
}

static void test_paths(void **state)
{
    static const char *const wrong[] = {
        "/app.css", "/../etc/passwd", "/./app.js", "//app.js", "/app.js/", "/app.js%00", "app.js",
        "",         "/%2e%2e/x",      "/ws",       "/APP.JS",  "*"};
    struct gate g = new_gate();
    char cookie[128], endless[8192];
    struct gate_request r = inside(&g, cookie);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        r.path = wrong[i];
        assert_int_equal(gate_ask(&g, &r), GATE_NO_PATH);
    }
    memset(endless, 'a', sizeof endless);
    endless[0] = '/';
    endless[sizeof endless - 1] = '\0';
    r.path = endless;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_PATH);
    r.path = NULL;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_PATH);
    r.path = "/app.js";
    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
    r.websocket = true, r.origin = "http://127.0.0.1:4242"; /* only one path is a WebSocket's */
    assert_int_equal(gate_ask(&g, &r), GATE_NO_PATH);
}

static void test_methods(void **state)
{
    static const char *const wrong[] = {"POST", "HEAD", "OPTIONS", "get", "", "GETX"};
    struct gate g = new_gate();
    char cookie[128];
    struct gate_request r = inside(&g, cookie);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        r.method = wrong[i];
        assert_int_equal(gate_ask(&g, &r), GATE_NO_METHOD);
    }
    r.method = NULL;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_METHOD);
}

static void test_addresses(void **state)
{
    static const char *const wrong[] = {
        "",        "example.org", "127.0.0.1:",  "127.0.0.1:65536", "0.0.0.0",     "0.0.0.0:80",
        "[::]:80", "[::1",        "[::1]80",     "127.0.0.1:80:1",  "999.0.0.1:1", "::1:80:x",
        ":",       "-1",          "127.0.0.1:-1"};
    struct web_address a;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (web_address_parse(wrong[i], &a))
            fail_msg("'%s' was taken for an address", wrong[i]);
    assert_true(web_address_parse("8080", &a));
    assert_string_equal(a.host, "127.0.0.1");
    assert_int_equal(a.port, 8080);
    assert_true(a.loopback);
    assert_true(web_address_parse("localhost:1", &a) && a.loopback && a.port == 1);
    assert_true(web_address_parse("127.9.9.9", &a) && a.loopback && !a.port);
    assert_true(web_address_parse("[::1]:99", &a) && a.loopback && a.port == 99);
    assert_string_equal(a.host, "[::1]");
    assert_string_equal(a.bind, "::1");
    assert_true(web_address_parse("192.0.2.1:80", &a) && !a.loopback);
    assert_true(web_address_parse("[2001:db8::1]", &a) && !a.loopback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_differ),
        cmocka_unit_test(test_token_is_good_once),
        cmocka_unit_test(test_token_elsewhere),
        cmocka_unit_test(test_nothing_without_cookie),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
