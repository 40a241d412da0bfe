/* SPDX-License-Identifier: MIT */
/* Who `oscope web` lets in, and what an address to listen at may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/assets.h"
#include "web/crowd.h"
#include "web/gate.h"
#include "web/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct asset assets[] = {{"/", "text/html", (const unsigned char *)"x", 1},
                               {"/app.js", "text/javascript", (const unsigned char *)"y", 1},
                               {0}};

enum { PORT = 4242 };

static struct gate new_gate(void)
{
    struct gate g;

    assert_null(gate_init(
        &g, &(struct gate_options){.address = "127.0.0.1", .loopback = true, .port = PORT}));
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
    assert_int_equal(gate_status(GATE_ENTER), 200);
    assert_non_null(strstr(gate_text(GATE_ENTER), "url=/\""));
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
    r.path = GATE_EXPORT_PATH;
    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
    r.path = GATE_EXPORT_PATH "/";
    assert_int_equal(gate_ask(&g, &r), GATE_NO_PATH);
    r.cookie = NULL;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    r.path = GATE_EXPORT_PATH;
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
    /* not loopback: localhost is another */
    assert_null(gate_init(&g, &(struct gate_options){.address = "192.0.2.7", .port = PORT}));
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

/* What a browser says that led to the request. */
static void test_site(void **state)
{
    static const char *const others[] = {"same-site", "cross-site", "", "new-word"};
    static const char *const paths[] = {"/", "/app.js", GATE_EXPORT_PATH, GATE_METRICS_PATH, "/ws"};
    struct gate g = new_gate();
    char cookie[128], token[GATE_TOKEN];
    struct gate_request r = inside(&g, cookie);

    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++)
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
            r.path = paths[p], r.site = others[i];
            r.websocket = !strcmp(r.path, "/ws");
            r.origin = r.websocket ? "http://127.0.0.1:4242" : NULL;
            assert_int_equal(gate_ask(&g, &r), p ? GATE_NO_ORIGIN : GATE_OPEN);
            r.site = i % 2 ? "none" : "same-origin";
            assert_int_equal(gate_ask(&g, &r), p == 3 ? GATE_NO_PATH : GATE_OPEN);
        }
    memcpy(token, g.token, sizeof token); /* a link to the URL, wherever it stands */
    r = (struct gate_request){.method = "GET",
                              .path = "/",
                              .host = "127.0.0.1:4242",
                              .token = token,
                              .site = "cross-site"};
    assert_int_equal(gate_ask(&g, &r), GATE_ENTER);
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

static void test_tls(void **state)
{
    struct gate g;
    char cookie[128];

    assert_null(gate_init(
        &g, &(struct gate_options){
                .address = "192.0.2.7", .name = "lab.example", .tls = true, .port = PORT}));
    assert_string_equal(g.hosts[0], "lab.example:4242"); /* what the URL is made of */
    struct gate_request r = inside(&g, cookie);
    r.host = "lab.example:4242", r.origin = "https://lab.example:4242";
    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
    r.origin = "https://192.0.2.7:4242";
    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
    r.origin = "http://lab.example:4242";
    assert_int_equal(gate_ask(&g, &r), GATE_NO_ORIGIN);
    r.origin = NULL, r.host = "lab.example"; /* port 443's */
    assert_int_equal(gate_ask(&g, &r), GATE_NO_HOST);
    assert_null(gate_init(
        &g, &(struct gate_options){
                .address = "192.0.2.7", .name = "lab.example", .tls = true, .port = 443}));
    r = inside(&g, cookie);
    r.host = "lab.example", r.origin = "https://lab.example";
    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
    r.host = "192.0.2.7:443";
    assert_int_equal(gate_ask(&g, &r), GATE_OPEN);
}

static void test_bearer(void **state)
{
    static const char secret[] = "0123456789abcdef-._~+/=";
    static const char *const wrong[] = {"",
                                        "Bearer",
                                        "Bearer ",
                                        "Bearer x",
                                        "0123456789abcdef-._~+/=",
                                        "Basic 0123456789abcdef-._~+/=",
                                        "Bearer 0123456789abcdef-._~+/",
                                        "Bearer 0123456789abcdef-._~+/==",
                                        "Bearer 0123456789abcdef-._~+/= ",
                                        "Bearer 0123456789ABCDEF-._~+/="};
    struct gate g = new_gate();
    char cookie[128];
    struct gate_request r = inside(&g, cookie);

    r.path = "/metrics", r.authorization = "Bearer ";
    assert_int_equal(gate_ask(&g, &r), GATE_NO_PATH); /* it was not asked for */
    r.cookie = NULL;
    assert_int_equal(gate_ask(&g, &r), GATE_NO_PATH);
    assert_null(gate_init(
        &g, &(struct gate_options){
                .address = "127.0.0.1", .loopback = true, .port = PORT, .bearer = secret}));
    r = inside(&g, cookie);
    r.path = "/metrics";
    assert_int_equal(gate_ask(&g, &r), GATE_NO_BEARER); /* a page's cookie is not it */
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        r.authorization = wrong[i];
        assert_int_equal(gate_ask(&g, &r), GATE_NO_BEARER);
    }
    assert_int_equal(gate_status(GATE_NO_BEARER), 401);
    r.authorization = "bearer 0123456789abcdef-._~+/=";
    assert_int_equal(gate_ask(&g, &r), GATE_METRICS);
    r.authorization = "Bearer 0123456789abcdef-._~+/=", r.cookie = NULL;
    assert_int_equal(gate_ask(&g, &r), GATE_METRICS);
    r.host = "evil.example:4242";
    assert_int_equal(gate_ask(&g, &r), GATE_NO_HOST);
    r.host = "127.0.0.1:4242", r.origin = "http://evil.example";
    assert_int_equal(gate_ask(&g, &r), GATE_NO_ORIGIN);
    r.origin = NULL, r.path = "/"; /* it opens nothing else */
    assert_int_equal(gate_ask(&g, &r), GATE_NO_COOKIE);
    r.path = "/metrics", r.method = "POST";
    assert_int_equal(gate_ask(&g, &r), GATE_NO_METHOD);
}

static void test_bearer_file(void **state)
{
    static const char *const wrong[] = {"", "short", "0123456789 abcdef", "0123456789abcde\"\n",
                                        "\n0123456789abcdef"};
    char path[] = "/tmp/oscope-bearer-XXXXXX", endless[1000], *out;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, wrong[i], strlen(wrong[i]), 0), strlen(wrong[i]));
        struct oscope_error *err = web_bearer(path, &out);
        assert_non_null(err);
        assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
        oscope_error_free(err);
    }
    memset(endless, 'a', sizeof endless);
    assert_int_equal(pwrite(fd, endless, sizeof endless, 0), sizeof endless);
    struct oscope_error *err = web_bearer(path, &out);
    assert_non_null(err);
    oscope_error_free(err);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "0123456789abcdef\r\n", 18, 0), 18);
    assert_null(web_bearer(path, &out));
    assert_string_equal(out, "0123456789abcdef");
    free(out);
    assert_int_equal(fchmod(fd, 0604), 0);
    err = web_bearer(path, &out);
    assert_non_null(err);
    assert_int_equal(err->code, OSCOPE_E_PERMISSION);
    oscope_error_free(err);
    close(fd);
    unlink(path);
    err = web_bearer(path, &out);
    assert_non_null(err);
    oscope_error_free(err);
}

static void test_names(void **state)
{
    static const char *const wrong[] = {"", "a b", "x/y", "a:1", "\xc3\xa4.example", "a\"b", "<"};
    char endless[400];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(gate_name_ok(wrong[i]));
    memset(endless, 'a', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    assert_false(gate_name_ok(endless));
    assert_true(gate_name_ok("lab-1.example"));
}

/* Who says nothing makes room for who comes. */
static void test_crowd(void **state)
{
    static struct crowd c;
    char who[2 * CROWD_MAX];

    for (size_t i = 0; i < CROWD_MAX; i++)
        assert_null(crowd_add(&c, &who[i]));
    crowd_remove(&c, &who[0]); /* was let in */
    crowd_remove(&c, &who[0]);
    assert_null(crowd_add(&c, &who[CROWD_MAX]));
    for (size_t i = CROWD_MAX + 1; i < 2 * CROWD_MAX; i++)
        assert_ptr_equal(crowd_add(&c, &who[i]), &who[i - CROWD_MAX]);
    assert_int_equal(c.n, CROWD_MAX);
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
        cmocka_unit_test(test_site),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_bearer),
        cmocka_unit_test(test_bearer_file),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
