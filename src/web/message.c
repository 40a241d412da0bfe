/* SPDX-License-Identifier: MIT */
/* See message.h. */
#include "web/message.h"

#include "base/util.h"
#include "collect/collect.h"

#include <jansson.h>
#include <stdlib.h>

static void json_drop(json_t **j)
{
    json_decref(*j);
}

static int set_number(const char *name)
{
    const char *sets[SETS_MAX];
    size_t n = collect_known_sets(sets);

    for (size_t i = 0; i < n; i++)
        if (!strcmp(sets[i], name))
            return (int)i;
    return -1;
}

uint64_t message_set(const char *name)
{
    int at = set_number(name);

    return at < 0 ? 0 : BIT(at);
}

/* The names of a list as bits. */
static const char *names(const json_t *list, int (*number)(const char *), uint64_t *bits)
{
    size_t i;
    json_t *one;

    *bits = 0;
    if (!json_is_array(list))
        return "no list of names";
    json_array_foreach(list, i, one)
    {
        int at = json_is_string(one) ? number(json_string_value(one)) : -1;
        if (at < 0)
            return "a name that is not known";
        *bits |= BIT(at);
    }
    return NULL;
}

/* ---- arguments of views ---- */

/* "0x", then 1 to 16 hexadecimal digits. */
static bool address(const json_t *j, uint64_t *out)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *s = json_string_value(j);

    if (!s || strncmp(s, "0x", 2) != 0)
        return false;
    size_t n = strspn(s + 2, digits);
    if (!n || n > 16 || n + 2 != json_string_length(j))
        return false;
    *out = strtoull(s + 2, NULL, 16);
    return true;
}

static bool integer(const json_t *j, int64_t least, int64_t most, int64_t *out)
{
    *out = json_integer_value(j);
    return json_is_integer(j) && *out >= least && *out <= most;
}

/* A count, an id or a time: from 0 to `most`. */
static bool whole(const json_t *j, int64_t most, uint64_t *out)
{
    int64_t n;
    bool good = integer(j, 0, most, &n);

    *out = good ? (uint64_t)n : 0;
    return good;
}

static bool number(const json_t *j, int32_t least, int32_t most, int32_t *out)
{
    int64_t n;
    bool good = integer(j, least, most, &n);

    *out = good ? (int32_t)n : 0;
    return good;
}

static unsigned arg_named(const char *name)
{
    const char *one;
    unsigned i = 0;

    while ((one = web_arg_name(1u << i)) && strcmp(one, name) != 0)
        i++;
    return one ? 1u << i : 0;
}

static bool take_arg(const char *name, const json_t *j, struct web_args *a)
{
    unsigned arg = arg_named(name);
    int32_t n = 0;
    bool good;

    a->given |= arg;
    switch (arg) {
    case WEB_PID: return number(j, -1, INT32_MAX, &a->pid);
    case WEB_TID: return number(j, 0, INT32_MAX, &a->tid);
    case WEB_VA: return address(j, &a->va);
    case WEB_PA: return address(j, &a->pa);
    case WEB_FROM: return address(j, &a->from);
    case WEB_TO: return address(j, &a->to);
    case WEB_CELLS:
        good = number(j, 1, WEB_CELLS_MAX, &n);
        a->cells = (uint32_t)n;
        return good;
    case WEB_TREE: a->tree = json_is_true(j); return json_is_boolean(j);
    default: return false;
    }
}

/* Each view has what it is nothing without. */
static const char *check_args(const struct message *m)
{
    size_t narrowed = 0;

    for (size_t i = 0; i < WEB_VIEWS; i++) {
        const struct web_view *v = &web_views[i];
        if (!(m->views & BIT(i)))
            continue;
        if (v->must & ~m->args.given)
            return "a view without an argument that it needs";
        narrowed += web_view_narrowed(v);
    }
    return narrowed > 1 ? "more than one report of one task" : NULL;
}

static const char *watch(json_t *j, struct message *m)
{
    json_t *args = json_object_get(j, "args"), *as = json_object_get(j, "as"), *one;
    const char *name, *wrong = names(json_object_get(j, "views"), web_view_number, &m->views);
    uint64_t n = 0;

    if (wrong)
        return wrong;
    if (as && !whole(as, UINT32_MAX, &n))
        return "no number in as";
    m->as = (uint32_t)n;
    if (args && !json_is_object(args))
        return "no object of arguments";
    json_object_foreach(args, name, one)
    {
        if (!take_arg(name, one, &m->args))
            return "an argument that is not known, or not as it must be";
    }
    return check_args(m);
}

static const char *switched(const json_t *on, bool *out)
{
    *out = json_is_true(on);
    return json_is_boolean(on) ? NULL : "neither on nor off";
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *keys(const json_t *bytes, struct message *out)
{
    const char *hex = json_string_value(bytes);
    size_t n = json_string_length(bytes);

    if (!hex || n % 2 || n / 2 > sizeof out->keys)
        return "no bytes, or too many";
    for (size_t i = 0; i < n; i += 2) {
        int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0)
            return "no bytes";
        out->keys[out->nkeys++] = (char)(high << 4 | low);
    }
    return NULL;
}

static const char *window_lanes(const json_t *list, struct message *out)
{
    size_t i;
    json_t *one;
    uint64_t id;

    if (!json_is_array(list) || json_array_size(list) > MESSAGE_LANES)
        return "no list of lanes, or too many";
    json_array_foreach(list, i, one)
    {
        if (!whole(one, UINT32_MAX, &id))
            return "a lane that is no number";
        for (size_t k = 0; k < out->nlanes; k++)
            if (out->lanes[k] == id)
                return "a lane twice";
        out->lanes[out->nlanes++] = (uint32_t)id;
    }
    if (out->nlanes) /* an answer of some megabytes is enough: beyond that it is coarser */
        out->width = (uint32_t)MIN(out->width, MESSAGE_CELLS / out->nlanes);
    return NULL;
}

static const char *window(const json_t *j, struct message *out)
{
    uint64_t width;

    if (!whole(json_object_get(j, "width"), MESSAGE_WIDTH, &width) || !width)
        return "no width";
    out->width = (uint32_t)width;
    return window_lanes(json_object_get(j, "lanes"), out);
}

static const char *find(const json_t *j, struct message *out)
{
    const json_t *text = json_object_get(j, "text"), *back = json_object_get(j, "back");
    const json_t *lane = json_object_get(j, "lane");
    uint64_t id;

    if (!json_is_string(text) || json_string_length(text) >= sizeof out->text)
        return "no text, or too long";
    str_copy(out->text, sizeof out->text, json_string_value(text));
    if (!json_is_boolean(back))
        return "no direction";
    out->back = json_is_true(back);
    if (!lane || json_is_null(lane))
        return NULL;
    if (!whole(lane, UINT32_MAX, &id))
        return "a lane that is no number";
    out->lanes[out->nlanes++] = (uint32_t)id;
    return NULL;
}

/* The ops of the timeline. */
static const char *timeline(const json_t *j, const char *op, struct message *out)
{
    uint64_t seq;

    if (!whole(json_object_get(j, "seq"), UINT32_MAX, &seq) ||
        !whole(json_object_get(j, "from"), INT64_MAX, &out->from))
        return "no seq, or no time";
    out->seq = (uint32_t)seq;
    out->op = MESSAGE_FIND;
    if (!strcmp(op, "find"))
        return find(j, out);
    if (!whole(json_object_get(j, "to"), INT64_MAX, &out->to) || out->to <= out->from)
        return "no stretch of time";
    out->op = MESSAGE_SELECT;
    if (!strcmp(op, "select"))
        return NULL;
    out->op = MESSAGE_WINDOW;
    return window(j, out);
}

const char *message_parse(const char *text, size_t n, struct message *out)
{
    if (n > MESSAGE_MAX)
        return "too long";
    AUTO(json_drop) json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    const char *op = json_string_value(json_object_get(j, "op"));
    const json_t *guest = json_object_get(j, "guest");

    *out = (struct message){.op = MESSAGE_WATCH};
    if (!op || !json_is_string(guest))
        return "no JSON object with op and guest";
    if (json_string_length(guest) >= sizeof out->guest)
        return "a guest that is not known";
    str_copy(out->guest, sizeof out->guest, json_string_value(guest));
    if (!strcmp(op, "watch"))
        return watch(j, out);
    out->op = MESSAGE_SETS;
    if (!strcmp(op, "sets"))
        return names(json_object_get(j, "sets"), set_number, &out->sets);
    out->op = MESSAGE_SEEK;
    if (!strcmp(op, "seek"))
        return whole(json_object_get(j, "time"), INT64_MAX, &out->time) ? NULL : "no time";
    out->op = MESSAGE_RECORD;
    if (!strcmp(op, "record"))
        return names(json_object_get(j, "sets"), set_number, &out->sets);
    out->op = MESSAGE_CONSOLE;
    if (!strcmp(op, "console"))
        return switched(json_object_get(j, "on"), &out->on);
    out->op = MESSAGE_TYPE;
    if (!strcmp(op, "type"))
        return switched(json_object_get(j, "on"), &out->on);
    out->op = MESSAGE_KEYS_TYPED;
    if (!strcmp(op, "keys"))
        return keys(json_object_get(j, "bytes"), out);
    if (!strcmp(op, "window") || !strcmp(op, "select") || !strcmp(op, "find"))
        return timeline(j, op, out);
    return "an op that is not known";
}
