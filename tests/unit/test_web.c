/* SPDX-License-Identifier: MIT */
/* What travels between `oscope web` and its pages: messages, and what changed from frame to frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/assets.h"
#include "web/download.h"
#include "web/frame.h"
#include "web/hello.h"
#include "web/message.h"

#include "base/util.h"

#include <oscope/export.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

const struct asset assets[] = {{0}};

/* ---- messages of pages ---- */

static const char *parse(const char *text, struct message *m)
{
    return message_parse(text, strlen(text), m);
}

static void test_messages(void **state)
{
    struct message m;
    const char *sets[SETS_MAX];

    assert_true(collect_known_sets(sets) > 2);
    assert_null(parse("{\"op\":\"watch\",\"guest\":\"g\",\"views\":[\"info\",\"modes\"]}", &m));
    assert_int_equal(m.op, MESSAGE_WATCH);
    assert_string_equal(m.guest, "g");
    assert_int_equal(m.views, BIT(web_view_number("info")) | BIT(web_view_number("modes")));
    assert_null(parse("{\"op\":\"watch\",\"guest\":\"g\",\"views\":[]}", &m));
    assert_int_equal(m.views, 0);
    char text[128];
    snprintf(text, sizeof text, "{\"op\":\"sets\",\"guest\":\"g\",\"sets\":[\"%s\"]}", sets[1]);
    assert_null(parse(text, &m));
    assert_int_equal(m.op, MESSAGE_SETS);
    assert_int_equal(m.sets, BIT(1));
    assert_null(parse("{\"op\":\"seek\",\"guest\":\"g\",\"time\":9007199254740993}", &m));
    assert_int_equal(m.op, MESSAGE_SEEK);
    assert_int_equal(m.time, 9007199254740993);
    snprintf(text, sizeof text, "{\"op\":\"record\",\"guest\":\"g\",\"sets\":[\"%s\"]}", sets[0]);
    assert_null(parse(text, &m));
    assert_int_equal(m.op, MESSAGE_RECORD);
    assert_int_equal(m.sets, BIT(0));
    assert_int_equal(message_set(sets[1]), BIT(1));
    assert_int_equal(message_set("nothing"), 0);
    assert_null(parse("{\"op\":\"console\",\"guest\":\"g\",\"on\":true}", &m));
    assert_int_equal(m.op, MESSAGE_CONSOLE);
    assert_true(m.on);
    assert_null(parse("{\"op\":\"type\",\"guest\":\"g\",\"on\":false}", &m));
    assert_int_equal(m.op, MESSAGE_TYPE);
    assert_false(m.on);
    assert_null(parse("{\"op\":\"keys\",\"guest\":\"g\",\"bytes\":\"000d61ff\"}", &m));
    assert_int_equal(m.op, MESSAGE_KEYS_TYPED);
    assert_int_equal(m.nkeys, 4);
    assert_memory_equal(m.keys, "\0\ra\xff", 4);
}

static void test_timeline_messages(void **state)
{
    struct message m;

    assert_null(parse("{\"op\":\"window\",\"guest\":\"g\",\"seq\":4294967295,\"from\":0,"
                      "\"to\":9223372036854775807,\"width\":8192,\"lanes\":[0,4294967295]}",
                      &m));
    assert_int_equal(m.op, MESSAGE_WINDOW);
    assert_int_equal(m.seq, UINT32_MAX);
    assert_int_equal(m.to, INT64_MAX);
    assert_int_equal(m.width, 8192);
    assert_int_equal(m.nlanes, 2);
    assert_int_equal(m.lanes[1], UINT32_MAX);
    assert_null(parse("{\"op\":\"select\",\"guest\":\"g\",\"seq\":1,\"from\":5,\"to\":6}", &m));
    assert_int_equal(m.op, MESSAGE_SELECT);
    assert_int_equal(m.from, 5);
    assert_null(parse("{\"op\":\"find\",\"guest\":\"g\",\"seq\":1,\"from\":5,\"text\":\"a\","
                      "\"back\":true,\"lane\":null}",
                      &m));
    assert_int_equal(m.op, MESSAGE_FIND);
    assert_true(m.back);
    assert_string_equal(m.text, "a");
    assert_int_equal(m.nlanes, 0);
    assert_null(parse("{\"op\":\"find\",\"guest\":\"g\",\"seq\":1,\"from\":5,\"text\":\"\","
                      "\"back\":false,\"lane\":7}",
                      &m));
    assert_int_equal(m.nlanes, 1);
    assert_int_equal(m.lanes[0], 7);
}

static void test_arguments(void **state)
{
    struct message m;

    assert_null(
        parse("{\"op\":\"watch\",\"guest\":\"g\",\"views\":[\"pt\",\"walk\",\"page\",\"map\"],"
              "\"as\":4294967295,\"args\":{\"pid\":-1,\"va\":\"0xffffffffffffffff\",\"pa\":"
              "\"0x1000\",\"from\":\"0x8000000000000000\",\"to\":\"0x0\",\"cells\":4096}}",
              &m));
    assert_int_equal(m.as, UINT32_MAX);
    assert_int_equal(m.args.given, WEB_PID | WEB_VA | WEB_PA | WEB_FROM | WEB_TO | WEB_CELLS);
    struct ask pt = web_view_ask(&web_views[web_view_number("pt")], &m.args);
    struct ask walk = web_view_ask(&web_views[web_view_number("walk")], &m.args);
    struct ask page = web_view_ask(&web_views[web_view_number("page")], &m.args);
    struct ask map = web_view_ask(&web_views[web_view_number("map")], &m.args);
    assert_int_equal(pt.pid, -1);
    assert_true(pt.from == UINT64_C(1) << 63 && pt.to == 0 && !pt.va && !pt.cells);
    assert_true(walk.pid == -1 && walk.va == UINT64_MAX && !walk.from);
    assert_true(page.va == 0x1000 && !page.pid);
    assert_true(map.cells == 4096 && map.from == pt.from && !map.pid && !map.va);
    struct ask unasked = web_view_ask(&web_views[web_view_number("map")], &(struct web_args){0});
    assert_true(unasked.cells > 0 && !ask_equal(&map, &unasked));

    assert_null(parse("{\"op\":\"watch\",\"guest\":\"g\",\"views\":[\"tasks\",\"task_sched\"],"
                      "\"args\":{\"tree\":true,\"tid\":17}}",
                      &m));
    struct ask narrow = web_view_ask(&web_views[web_view_number("task_sched")], &m.args);
    struct ask tasks = web_view_ask(&web_views[web_view_number("tasks")], &m.args);
    struct ask info = web_view_ask(&web_views[web_view_number("info")], &m.args);
    assert_int_equal(narrow.slot, SLOT_NARROW);
    assert_int_equal(narrow.pid, 17);
    assert_string_equal(narrow.line, "sched");
    assert_true(tasks.tree && !tasks.pid && !info.tree);
    struct ask other = web_view_ask(&web_views[web_view_number("task_faults")], &m.args);
    assert_false(ask_equal(&narrow, &other));
}

static void test_wrong_arguments(void **state)
{
    static const char *const args[] = {
        "[]",
        "1",
        "null",
        "{\"pid\":-2}",
        "{\"pid\":2147483648}",
        "{\"pid\":1.5}",
        "{\"pid\":\"1\"}",
        "{\"tid\":-1}",
        "{\"va\":1}",
        "{\"va\":\"\"}",
        "{\"va\":\"0x\"}",
        "{\"va\":\"1\"}",
        "{\"va\":\"0x1g\"}",
        "{\"va\":\"0x-1\"}",
        "{\"va\":\"0x1\\u0000\"}",
        "{\"va\":\"0x10000000000000000\"}",
        "{\"pa\":null}",
        "{\"cells\":0}",
        "{\"cells\":4097}",
        "{\"tree\":1}",
        "{\"line\":\"ps\"}",
        "{\"pid\":1,\"pid\":1}",
    };
    static const char *const views[] = {
        "[\"vm\"]", "[\"pt\"]", "[\"walk\"]", "[\"stack\"]", "[\"page\"]", "[\"task_sched\"]",
    };
    char text[256];
    struct message m;

    for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
        snprintf(text, sizeof text, "{\"op\":\"watch\",\"guest\":\"g\",\"views\":[],\"args\":%s}",
                 args[i]);
        if (!parse(text, &m))
            fail_msg("taken for arguments: %s", args[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(views); i++) { /* without what they need */
        snprintf(text, sizeof text, "{\"op\":\"watch\",\"guest\":\"g\",\"views\":%s,\"args\":{%s}}",
                 views[i], strstr(views[i], "walk") ? "\"pid\":1" : "\"va\":\"0x1\"");
        if (!parse(text, &m))
            fail_msg("taken without an argument: %s", views[i]);
    }
    assert_non_null(
        parse("{\"op\":\"watch\",\"guest\":\"g\",\"views\":[\"task_sched\",\"task_faults\"],"
              "\"args\":{\"tid\":1}}",
              &m)); /* two reports of one task */
    assert_non_null(parse("{\"op\":\"watch\",\"guest\":\"g\",\"views\":[],\"as\":4294967296}", &m));
    assert_non_null(parse("{\"op\":\"watch\",\"guest\":\"g\",\"views\":[],\"as\":-1}", &m));
}

static void test_wrong_messages(void **state)
{
    static const char *const wrong[] = {
        "",
        "{",
        "[]",
        "null",
        "1",
        "\"watch\"",
        "{}",
        "{\"op\":\"watch\"}",
        "{\"guest\":\"g\"}",
        "{\"op\":1,\"guest\":\"g\"}",
        "{\"op\":\"watch\",\"guest\":1,\"views\":[]}",
        "{\"op\":\"watch\",\"guest\":\"g\"}",
        "{\"op\":\"watch\",\"guest\":\"g\",\"views\":{}}",
        "{\"op\":\"watch\",\"guest\":\"g\",\"views\":[1]}",
        "{\"op\":\"watch\",\"guest\":\"g\",\"views\":[\"nothing\"]}",
        "{\"op\":\"watch\",\"op\":\"watch\",\"guest\":\"g\",\"views\":[]}",
        "{\"op\":\"sets\",\"guest\":\"g\",\"sets\":[\"info\"]}",
        "{\"op\":\"seek\",\"guest\":\"g\"}",
        "{\"op\":\"seek\",\"guest\":\"g\",\"time\":-1}",
        "{\"op\":\"seek\",\"guest\":\"g\",\"time\":1.5}",
        "{\"op\":\"record\",\"guest\":\"g\"}",
        "{\"op\":\"record\",\"guest\":\"g\",\"sets\":[\"nothing\"]}",
        "{\"op\":\"console\",\"guest\":\"g\"}",
        "{\"op\":\"type\",\"guest\":\"g\",\"on\":1}",
        "{\"op\":\"keys\",\"guest\":\"g\"}",
        "{\"op\":\"keys\",\"guest\":\"g\",\"bytes\":\"6\"}",
        "{\"op\":\"keys\",\"guest\":\"g\",\"bytes\":\"6g\"}",
        "{\"op\":\"keys\",\"guest\":\"g\",\"bytes\":\"6A\"}",
        "{\"op\":\"keys\",\"guest\":\"g\",\"bytes\":[97]}",
        "{\"op\":\"stop\",\"guest\":\"g\"}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"to\":1,\"width\":0,\"lanes\":[]"
        "}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"to\":1,\"width\":8193,\"lanes\":"
        "[]}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":1,\"to\":1,\"width\":9,\"lanes\":[]"
        "}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":-1,\"to\":1,\"width\":9,\"lanes\":[]"
        "}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"to\":1.5,\"width\":9,\"lanes\":["
        "]}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":4294967296,\"from\":0,\"to\":1,\"width\":9,"
        "\"lanes\":[]}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"to\":1,\"width\":9,\"lanes\":[-"
        "1]}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"to\":1,\"width\":9,\"lanes\":["
        "4294967296]}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"to\":1,\"width\":9,\"lanes\":["
        "\"1\"]}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"to\":1,\"width\":9,\"lanes\":1}",
        "{\"op\":\"window\",\"guest\":\"g\",\"from\":0,\"to\":1,\"width\":9,\"lanes\":[]}",
        "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"to\":1,\"width\":9,\"lanes\":[7,"
        "7]}",
        "{\"op\":\"select\",\"guest\":\"g\",\"seq\":1,\"from\":2}",
        "{\"op\":\"find\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"text\":1,\"back\":true}",
        "{\"op\":\"find\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"text\":\"a\"}",
        "{\"op\":\"find\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"text\":\"a\",\"back\":true,"
        "\"lane\":\"a\"}",
        "{\"op\":\"watch\",\"guest\":\"g\",\"views\":[]} x",
        "{\"op\":\"watch\",\"guest\":\"\\u0000\",\"views\":[]}",
        "\xff\xfe"};
    static const char head[] = "{\"op\":\"watch\",\"views\":[],\"guest\":\"";
    char big[MESSAGE_MAX + 2];
    struct message m;

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        if (!parse(wrong[i], &m))
            fail_msg("taken for a message: %s", wrong[i]);
    assert_non_null(message_parse(NULL, 0, &m));
    memset(big, 'a', sizeof big);
    memcpy(big, head, sizeof head - 1);
    memcpy(big + 400, "\"}", 2); /* a message, but for its guest's length */
    assert_non_null(message_parse(big, 402, &m));
    memcpy(big + 100, "\"}", 2);
    assert_null(message_parse(big, 102, &m));
    memset(big + 102, ' ', sizeof big - 102);
    assert_null(message_parse(big, MESSAGE_MAX, &m));
    assert_non_null(message_parse(big, MESSAGE_MAX + 1, &m));
    size_t head_of_keys =
        (size_t)snprintf(big, sizeof big, "{\"op\":\"keys\",\"guest\":\"g\",\"bytes\":\"");
    memset(big + head_of_keys, '6', 2 * MESSAGE_KEYS + 2);
    memcpy(big + head_of_keys + 2 * MESSAGE_KEYS, "\"}", 2);
    assert_null(message_parse(big, head_of_keys + 2 * MESSAGE_KEYS + 2, &m));
    assert_int_equal(m.nkeys, MESSAGE_KEYS);
    memcpy(big + head_of_keys + 2 * MESSAGE_KEYS, "66\"}", 4);
    assert_non_null(message_parse(big, head_of_keys + 2 * MESSAGE_KEYS + 4, &m));
    int n = snprintf(big, sizeof big,
                     "{\"op\":\"window\",\"guest\":\"g\",\"seq\":1,\"from\":0,\"to\":1,"
                     "\"width\":8192,\"lanes\":[0");
    for (int i = 1; i < MESSAGE_LANES; i++)
        n += snprintf(big + n, sizeof big - (size_t)n, ",%d", i);
    snprintf(big + n, sizeof big - (size_t)n, "]}");
    assert_null(parse(big, &m));
    assert_int_equal(m.width, MESSAGE_CELLS / MESSAGE_LANES); /* so many are drawn coarser */
    snprintf(big + n, sizeof big - (size_t)n, ",1000]}");     /* one lane too many */
    assert_non_null(parse(big, &m));
    memset(big, '[', sizeof big);
    assert_non_null(message_parse(big, MESSAGE_MAX, &m));
}

/* ---- frames ---- */

struct fake_row {
    int32_t tid;
    char comm[16];
    uint64_t run;
};

static const struct oscope_column columns[] = {
    OSCOPE_COLUMN(struct fake_row, tid, OSCOPE_INT, 0, "thread"),
    OSCOPE_COLUMN(struct fake_row, comm, OSCOPE_CHARS, 0, "name \"quoted\""),
    OSCOPE_COLUMN(struct fake_row, run, OSCOPE_UINT, 0, "ns"),
    {0},
};

static const struct web_view *view_of(void)
{
    return &web_views[web_view_number("sched")];
}

static struct frame *make(struct fake_row *rows, size_t n, uint64_t number)
{
    static const char *const notes[] = {"a \"note\""};
    struct oscope_table table = {
        .name = "tasks", .columns = columns, .row_size = sizeof *rows, .rows = rows, .nrows = n};
    struct oscope_view view = {.tables = &table, .ntables = 1, .notes = notes, .nnotes = 1};
    struct frame *f =
        frame_make(view_of(), &(struct shot){.view = &view, .time = number, .took = 7}, number);

    assert_non_null(f);
    return f;
}

/* What the page is sent, parsed: it must be JSON. */
static json_t *sent(const struct frame *before, const struct frame *now)
{
    json_error_t error;
    struct out o;

    out_init(&o, -1);
    frame_write(&o, &(struct frame_head){"g\"1", view_of(), 4}, before, now, 5000000);
    json_t *j = json_loadb(o.buf, o.len, JSON_REJECT_DUPLICATES, &error);
    if (!j)
        fail_msg("%s: %.*s", error.text, (int)o.len, o.buf);
    out_free(&o);
    return j;
}

static void expect(json_t *j, const char *wanted)
{
    json_t *tables = json_object_get(j, "tables"), *table = json_array_get(tables, 0);
    char *text;

    json_object_del(table, "columns");
    text = json_dumps(tables, JSON_COMPACT);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(j);
}

static void test_whole_frame(void **state)
{
    struct fake_row rows[] = {{1, "init", 5}, {-1, "a\x1b\xff\"", OSCOPE_UNKNOWN}};
    struct frame *f = make(rows, 2, 3);
    json_t *j = sent(NULL, f), *column;

    assert_string_equal(json_string_value(json_object_get(j, "guest")), "g\"1");
    assert_int_equal(json_integer_value(json_object_get(j, "n")), 3);
    assert_int_equal(json_integer_value(json_object_get(j, "as")), 4);
    assert_null(json_object_get(j, "base"));
    assert_int_equal(json_integer_value(json_object_get(j, "age")), 4);
    assert_string_equal(json_string_value(json_object_get(j, "consistency")), "consistent");
    column = json_array_get(
        json_object_get(json_array_get(json_object_get(j, "tables"), 0), "columns"), 1);
    assert_string_equal(json_string_value(json_object_get(column, "doc")), "name \"quoted\"");
    expect(j, "[{\"name\":\"tasks\",\"cut\":0,\"rows\":[[\"1\",1,\"init\",5],"
              "[\"-\",null,\"a\\u001B\\\\xff\\\"\",null]]}]");
    frame_drop(f);
}

static void test_changes(void **state)
{
    struct fake_row a[] = {{1, "init", 5}, {2, "sh", 6}, {3, "cat", 7}};
    struct fake_row b[] = {{1, "init", 5}, {3, "cat", 8}, {4, "ls", 1}};
    struct frame *f = make(a, 3, 1), *same = make(a, 3, 2), *g = make(b, 3, 3);
    json_t *j = sent(f, same);

    assert_int_equal(json_integer_value(json_object_get(j, "base")), 1);
    expect(j, "[]");
    expect(sent(same, g), "[{\"name\":\"tasks\",\"cut\":0,\"gone\":[\"2\"],\"rows\":"
                          "[[\"3\",3,\"cat\",8],[\"4\",4,\"ls\",1]]}]");
    struct fake_row c[] = {b[1], b[0], b[2]};
    struct frame *h = make(c, 3, 4);
    expect(sent(g, h),
           "[{\"name\":\"tasks\",\"cut\":0,\"rows\":[],\"order\":[\"3\",\"1\",\"4\"]}]");
    struct fake_row d[] = {{9, "new", 1}, b[0], b[1], b[2]}; /* a new one that is not the last */
    struct frame *i = make(d, 4, 5);
    expect(sent(g, i), "[{\"name\":\"tasks\",\"cut\":0,\"rows\":[[\"9\",9,\"new\",1]],"
                       "\"order\":[\"9\",\"1\",\"3\",\"4\"]}]");
    struct frame *none = make(d, 0, 6);
    expect(sent(i, none), "[{\"name\":\"tasks\",\"cut\":0,\"gone\":[\"9\",\"1\",\"3\",\"4\"],"
                          "\"rows\":[]}]");
    frame_drop(f), frame_drop(same), frame_drop(g), frame_drop(h), frame_drop(i), frame_drop(none);
}

/* A guest may have two tasks of one id. */
static void test_equal_keys(void **state)
{
    struct fake_row rows[] = {{1, "a", 1}, {1, "b", 2}, {1, "c", 3}};
    struct frame *f = make(rows, 3, 1);

    expect(sent(NULL, f), "[{\"name\":\"tasks\",\"cut\":0,\"rows\":[[\"1\",1,\"a\",1],"
                          "[\"1#1\",1,\"b\",2],[\"1#2\",1,\"c\",3]]}]");
    rows[1].run = 9;
    struct frame *g = make(rows, 3, 2);
    expect(sent(f, g), "[{\"name\":\"tasks\",\"cut\":0,\"rows\":[[\"1#1\",1,\"b\",9]]}]");
    frame_drop(f), frame_drop(g);
}

static void test_too_many_rows(void **state)
{
    struct fake_row *rows = calloc(FRAME_ROWS + 10, sizeof *rows);

    assert_non_null(rows);
    for (int32_t i = 0; i < FRAME_ROWS + 10; i++)
        rows[i].tid = i;
    struct frame *f = make(rows, FRAME_ROWS + 10, 1);
    json_t *j = sent(NULL, f), *table = json_array_get(json_object_get(j, "tables"), 0);
    assert_int_equal(json_array_size(json_object_get(table, "rows")), FRAME_ROWS);
    assert_int_equal(json_integer_value(json_object_get(table, "cut")), 10);
    json_decref(j);
    struct frame *g = make(rows, FRAME_ROWS + 9, 2); /* the same rows, but fewer are left out */
    expect(sent(f, g), "[{\"name\":\"tasks\",\"cut\":9,\"rows\":[]}]");
    frame_drop(f), frame_drop(g);
    free(rows);
}

/* Of single events the last ones travel, each under a key that it keeps. */
static void test_last_rows(void **state)
{
    static const struct web_view singles = {
        .name = "sched", .report = "sched", .tables = {{"tasks", {"tid"}, true, 2}}};
    struct fake_row rows[3] = {{1, "a", 1}, {2, "b", 2}, {3, "c", 3}};
    struct oscope_table table = {
        .name = "tasks", .columns = columns, .rows = rows, .nrows = 3, .row_size = sizeof *rows};
    struct oscope_view view = {.tables = &table, .ntables = 1};
    struct frame *f = frame_make(&singles, &(struct shot){.view = &view}, 1);
    struct out o;

    assert_non_null(f);
    out_init(&o, -1);
    frame_write(&o, &(struct frame_head){.guest = "g", .view = &singles}, NULL, f, 1);
    json_t *j = json_loadb(o.buf, o.len, 0, NULL);
    expect(j, "[{\"name\":\"tasks\",\"cut\":1,\"rows\":[[\"2\",2,\"b\",2],[\"3\",3,\"c\",3]]}]");
    out_free(&o);
    frame_drop(f);
}

static void test_errors(void **state)
{
    char message[] = "it is \"gone\"", hint[] = "start it";
    struct oscope_error err = {OSCOPE_E_GONE, message, hint};
    struct fake_row row = {1, "init", 5};
    struct frame *good = make(&row, 1, 1);
    struct frame *bad = frame_make(view_of(), &(struct shot){.error = &err}, 2);
    json_t *j = sent(good, bad);

    assert_string_equal(json_string_value(json_object_get(j, "error")), "it is \"gone\"");
    assert_string_equal(json_string_value(json_object_get(j, "hint")), "start it");
    assert_null(json_object_get(j, "base"));
    json_decref(j);
    j = sent(bad, good); /* after it all is told */
    assert_null(json_object_get(j, "base"));
    expect(j, "[{\"name\":\"tasks\",\"cut\":0,\"rows\":[[\"1\",1,\"init\",5]]}]");
    frame_drop(good), frame_drop(bad);
}

/* ---- the first message ---- */

static void test_hello(void **state)
{
    struct out o;
    size_t i;
    json_t *v;

    out_init(&o, -1);
    hello_write(&o, true);
    json_t *j = json_loadb(o.buf, o.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_int_equal(json_array_size(json_object_get(j, "views")), WEB_VIEWS);
    json_array_foreach(json_object_get(j, "views"), i, v)
    {
        const struct web_view *w = &web_views[i];
        assert_string_equal(json_string_value(json_object_get(v, "name")), w->name);
        assert_true(json_is_array(json_object_get(v, "needs")) == (w->report || w->timeline));
        enum slot slot = web_view_slot(w);
        assert_true(w->timeline            ? slot == SLOTS
                    : w->calls             ? slot == SLOT_CALLS
                    : web_view_narrowed(w) ? slot == SLOT_NARROW
                    : w->report            ? slot >= SLOT_REPORTS
                                           : slot == w->ask.slot);
        size_t takes = json_array_size(json_object_get(v, "takes"));
        assert_int_equal(takes, __builtin_popcount(w->takes));
        assert_int_equal(w->must & ~w->takes, 0);
    }
    /* every format that recordings are exported to, and the recording as it is */
    struct download_kind kind;
    json_array_foreach(json_object_get(j, "exports"), i, v)
    {
        assert_true(download_kind(i, &kind));
        assert_true(download_format(kind.to) && *kind.suffix == '.');
        const char *format = oscope_export_format_name(i);
        assert_true(kind.itself == !format && !strcmp(kind.to, format ? format : "ctf"));
        assert_string_equal(json_string_value(json_object_get(v, "to")), kind.to);
        assert_string_equal(json_string_value(json_object_get(v, "title")), kind.title);
        assert_string_equal(json_string_value(json_object_get(v, "doc")), kind.doc);
    }
    assert_true(i > 1 && kind.itself);
    assert_false(download_kind(i, &kind) || download_kind(i + 9, &kind));
    assert_false(download_format("tar") || download_format(""));
    json_decref(j);
    out_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),       cmocka_unit_test(test_timeline_messages),
        cmocka_unit_test(test_wrong_messages), cmocka_unit_test(test_whole_frame),
        cmocka_unit_test(test_changes),        cmocka_unit_test(test_equal_keys),
        cmocka_unit_test(test_too_many_rows),  cmocka_unit_test(test_last_rows),
        cmocka_unit_test(test_errors),         cmocka_unit_test(test_hello),
        cmocka_unit_test(test_arguments),      cmocka_unit_test(test_wrong_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
