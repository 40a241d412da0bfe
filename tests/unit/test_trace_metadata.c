/* SPDX-License-Identifier: MIT */
/* trace/schema.c, trace/metadata*.c: types that are refused, the text to the letter, reading it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/util.h"
#include "capture/wire.h"
#include "trace/events.h"
#include "trace/metadata.h"

static void refused(struct trace_schema *s, const struct trace_type *t)
{
    unsigned before = s->ntypes;
    struct oscope_error *err = trace_schema_add(s, t);

    assert_non_null(err);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    assert_int_equal(s->ntypes, before);
    oscope_error_free(err);
}

static void test_schema(void **state)
{
    struct trace_schema s;
    struct trace_field f[TRACE_FIELDS + 1] = {{"a", TRACE_STRING, 8, "text"}};
    struct trace_type t = {TRACE_USER_FIRST, 1, "mine", "own", "Mine.", f};
    char long_text[300];

    trace_schema_init(&s);
    assert_null(trace_schema_add_builtin(&s));
    assert_int_equal(s.ntypes, trace_ntypes);
    assert_int_equal(trace_schema_find(&s, "sched_switch")->id, TRACE_SCHED_SWITCH);
    assert_null(trace_schema_find(&s, "mine"));
    assert_null(trace_schema_layout(&s, TRACE_USER_FIRST));
    assert_null(trace_schema_add(&s, &t));
    assert_string_equal(trace_schema_layout(&s, TRACE_USER_FIRST)->type.name, "mine");
    assert_null(trace_schema_layout(&s, UINT32_MAX));
    assert_true(trace_schema_find(&s, "mine")->fields != f);
    refused(&s, &t); /* taken: id and name, id, name */
    t.name = "other";
    refused(&s, &t);
    t.id = TRACE_ID_MAX;
    t.name = "mine";
    refused(&s, &t);
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    const char *bad_names[] = {"", "9a", "a b", "a\"", "a;", "\xc3\xa4", long_text};
    for (unsigned i = 0; i < ARRAY_SIZE(bad_names); i++) {
        t.name = bad_names[i];
        refused(&s, &t);
        t.name = "other";
        f[0].name = bad_names[i];
        refused(&s, &t);
        f[0].name = "a";
    }
    f[0].name = "a:b"; /* fine for a type only */
    refused(&s, &t);
    f[0].name = "a";
    t.doc = "line\nline";
    refused(&s, &t);
    t.doc = "*/ trace {";
    refused(&s, &t);
    t.doc = long_text;
    refused(&s, &t);
    t.doc = NULL;
    f[0].most = 0;
    refused(&s, &t);
    f[0].most = WIRE_RECORD;
    refused(&s, &t);
    f[0].most = 8;
    f[1] = f[0];
    t.nfields = 2;
    refused(&s, &t); /* two of a name */
    t.nfields = TRACE_FIELDS + 1;
    refused(&s, &t);
    t.nfields = 0;
    assert_null(trace_schema_add(&s, &t));
    trace_schema_free(&s);
}

static const char golden[] =
    "/* CTF 1.8 */\n\n"
    "typealias integer { size = 8; align = 8; signed = false; } := u8;\n"
    "typealias integer { size = 16; align = 8; signed = false; } := u16;\n"
    "typealias integer { size = 32; align = 8; signed = false; } := u32;\n"
    "typealias integer { size = 64; align = 8; signed = false; } := u64;\n"
    "typealias integer { size = 8; align = 8; signed = true; } := s8;\n"
    "typealias integer { size = 16; align = 8; signed = true; } := s16;\n"
    "typealias integer { size = 32; align = 8; signed = true; } := s32;\n"
    "typealias integer { size = 64; align = 8; signed = true; } := s64;\n"
    "typealias integer { size = 64; align = 8; signed = false; base = 16; } := hex;\n\n"
    "trace {\n\tmajor = 1;\n\tminor = 8;\n"
    "\tuuid = \"00010203-0405-0607-0809-0a0b0c0d0e0f\";\n"
    "\tbyte_order = le;\n"
    "\tpacket.header := struct {\n"
    "\t\tu32 magic;\n\t\tu8 uuid[16];\n\t\tu32 stream_id;\n\t};\n};\n\n"
    "env {\n\tdomain = \"kernel\";\n\ttracer_name = \"lttng-modules\";\n"
    "\ttracer_major = 2;\n\ttracer_minor = 9;\n\ttracer_patchlevel = 0;\n"
    "\thostname = \"gu?es?t\";\n\tkernel_release = \"\";\n};\n\n"
    "clock {\n\tname = \"monotonic\";\n"
    "\tuuid = \"ff000000-0000-0000-0000-000000000001\";\n"
    "\tdescription = \"CLOCK_MONOTONIC of the host\";\n"
    "\tfreq = 1000000000;\n\toffset = 1700000000123456789;\n};\n\n"
    "typealias integer { size = 31; align = 1; signed = false; map = clock.monotonic.value; }"
    " := u31_clock;\n"
    "typealias integer { size = 1; align = 1; signed = false; } := bit;\n"
    "typealias integer { size = 64; align = 8; signed = false; map = clock.monotonic.value; }"
    " := u64_clock;\n\n"
    "stream {\n\tid = 0;\n\tpacket.context := struct {\n"
    "\t\tu64_clock timestamp_begin;\n\t\tu64_clock timestamp_end;\n"
    "\t\tu64 content_size;\n\t\tu64 packet_size;\n\t\tu64 packet_seq_num;\n"
    "\t\tu64 events_discarded;\n\t\tu32 cpu_id;\n\t};\n"
    "\tevent.header := struct {\n"
    "\t\tu16 id;\n\t\tu31_clock timestamp;\n\t};\n"
    "\tevent.context := struct {\n\t\tbit _flags;\n\t};\n};\n\n"
    "event {\n\tname = \"nothing\";\n\tid = 0;\n\tstream_id = 0;\n"
    "\t/* set  */\n\t/* doc  */\n\tfields := struct {\n\t};\n};\n\n"
    "event {\n\tname = \"mine:x\";\n\tid = 7;\n\tstream_id = 0;\n"
    "\t/* set own */\n\t/* doc Mine: all of it. */\n\tfields := struct {\n"
    "\t\tstring _path; /* 40 where to */\n"
    "\t\thex _addr; /* 0  */\n"
    "\t};\n};\n\n";

struct fixture {
    struct trace_schema schema;
    struct trace_metadata m;
    char *text;
    size_t len;
};

static int setup(void **state)
{
    static const struct trace_env env[] = {{"hostname", "gu\"es\nt"}, {"kernel_release", ""}};
    static const struct trace_field fields[] = {{"path", TRACE_STRING, 40, "where to"},
                                                {"addr", TRACE_HEX, 0, NULL}};
    static const struct trace_type types[] = {{7, 2, "mine:x", "own", "Mine: all of it.", fields},
                                              {0, 0, "nothing", NULL, NULL, NULL}};
    struct fixture *x = calloc(1, sizeof *x);

    trace_schema_init(&x->schema);
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
        if (trace_schema_add(&x->schema, &types[i]))
            return -1;
    x->m = (struct trace_metadata){.env = env, .nenv = ARRAY_SIZE(env)};
    x->m.clock = (struct trace_clock){{0xff}, 1700000000123456789};
    x->m.clock.uuid[15] = 1;
    for (int i = 0; i < 16; i++)
        x->m.uuid[i] = (uint8_t)i;
    *state = x;
    return trace_metadata_write(&x->m, &x->schema, &x->text, &x->len) ? -1 : 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;

    trace_schema_free(&x->schema);
    free(x->text);
    free(x);
    return 0;
}

static void test_golden(void **state)
{
    struct fixture *x = *state;

    assert_string_equal(x->text, golden);
    assert_int_equal(x->len, sizeof golden - 1);
}

static void test_bad_env(void **state)
{
    const char *bad[] = {"", "1a", "a-b", "a b", "domain", "tracer_minor", "\xff"};
    struct fixture *x = *state;

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        struct trace_env env = {bad[i], "v"};
        struct trace_metadata m = {.env = &env, .nenv = 1};
        char *text;
        size_t len;
        struct oscope_error *err = trace_metadata_write(&m, &x->schema, &text, &len);
        assert_non_null(err);
        assert_int_equal(err->code, OSCOPE_E_USAGE);
        oscope_error_free(err);
    }
}

static void test_read(void **state)
{
    struct fixture *x = *state;
    struct trace_metadata m;
    struct trace_schema s;
    struct arena arena = {0};
    AUTO_FREE char *again = NULL;
    size_t len;

    trace_schema_init(&s);
    assert_null(trace_metadata_read(x->text, x->len, &arena, &m, &s));
    assert_memory_equal(m.uuid, x->m.uuid, 16);
    assert_memory_equal(m.clock.uuid, x->m.clock.uuid, 16);
    assert_true(m.clock.offset == 1700000000123456789);
    assert_string_equal(trace_metadata_env(&m, "hostname"), "gu?es?t");
    assert_string_equal(trace_metadata_env(&m, "kernel_release"), "");
    assert_string_equal(trace_metadata_env(&m, "domain"), "kernel");
    assert_string_equal(trace_metadata_env(&m, "tracer_major"), "2");
    assert_null(trace_metadata_env(&m, "host"));
    assert_int_equal(s.ntypes, 2);
    const struct trace_type *t = trace_schema_find(&s, "mine:x");
    assert_int_equal(t->id, 7);
    assert_string_equal(t->set, "own");
    assert_string_equal(t->doc, "Mine: all of it.");
    assert_int_equal(t->fields[0].most, 40);
    assert_string_equal(t->fields[0].doc, "where to");
    assert_int_equal(t->fields[1].kind, TRACE_HEX);
    /* what was read is written as it was */
    m.env += 5;
    m.nenv -= 5;
    assert_null(trace_metadata_write(&m, &s, &again, &len));
    assert_string_equal(again, golden);
    trace_schema_free(&s);
    arena_free(&arena);
}

static void bad_text(const char *text, size_t len, enum oscope_code code)
{
    struct trace_metadata m;
    struct trace_schema s;
    struct arena arena = {0};

    trace_schema_init(&s);
    struct oscope_error *err = trace_metadata_read(text, len, &arena, &m, &s);
    assert_non_null(err);
    assert_int_equal(err->code, code);
    oscope_error_free(err);
    trace_schema_free(&s);
    arena_free(&arena);
}

/* With the first `from` in the golden text replaced by as many bytes. */
static void bad_change(const char *from, const char *to, enum oscope_code code)
{
    AUTO_FREE char *text = strdup(golden);
    char *at = strstr(text, from);

    assert_non_null(at);
    memcpy(at, to, strlen(from));
    bad_text(text, strlen(text), code);
}

static void test_bad_text(void **state)
{
    bad_text("", 0, OSCOPE_E_UNSUPPORTED);
    bad_text("/* CTF 1.8 */\n", 14, OSCOPE_E_UNSUPPORTED);
    bad_text(golden, sizeof golden, OSCOPE_E_UNSUPPORTED); /* a 0 in it */
    bad_change("CTF 1.8", "CTF 2.0", OSCOPE_E_UNSUPPORTED);
    bad_change("byte_order = le", "byte_order = be", OSCOPE_E_UNSUPPORTED);
    bad_change("u32 cpu_id", "u64 cpu_id", OSCOPE_E_UNSUPPORTED);
    bad_change("00010203-", "0x010203-", OSCOPE_E_BAD_DATA);
    bad_change("ff000000-", "gf000000-", OSCOPE_E_BAD_DATA);
    bad_change("hex _addr", "hax _addr", OSCOPE_E_BAD_DATA);
    bad_change("hex _addr", "hex _path", OSCOPE_E_BAD_DATA);
    bad_change("id = 7;", "id = x;", OSCOPE_E_BAD_DATA);
    bad_change("id = 7;", "id = 0;", OSCOPE_E_BAD_DATA);
    bad_change("/* 40 ", "/* x0 ", OSCOPE_E_BAD_DATA);
    for (size_t cut = strstr(golden, "_path") - golden; cut < sizeof golden - 5; cut++) {
        AUTO_FREE char *text = strndup(golden, cut);
        bad_text(text, cut, OSCOPE_E_BAD_DATA);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema), TEST(test_golden), TEST(test_bad_env), TEST(test_read),
        TEST(test_bad_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
