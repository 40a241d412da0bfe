/* SPDX-License-Identifier: MIT */
/* See message.h. */
#include "web/message.h"

#include "base/util.h"
#include "collect/collect.h"
#include "web/views.h"

#include <jansson.h>

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

static const char *seek_time(const json_t *time, uint64_t *out)
{
    if (!json_is_integer(time) || json_integer_value(time) < 0)
        return "no time";
    *out = (uint64_t)json_integer_value(time);
    return NULL;
}

/* A whole number from 0 to `most`. */
static bool number(const json_t *j, const char *key, uint64_t most, uint64_t *out)
{
    const json_t *v = json_object_get(j, key);

    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (uint64_t)json_integer_value(v);
    return *out <= most;
}

static const char *window_lanes(const json_t *list, struct message *out)
{
    size_t i;
    json_t *one;

    if (!json_is_array(list) || json_array_size(list) > MESSAGE_LANES)
        return "no list of lanes, or too many";
    json_array_foreach(list, i, one)
    {
        if (!json_is_integer(one) || json_integer_value(one) < 0 ||
            json_integer_value(one) > UINT32_MAX)
            return "a lane that is no number";
        out->lanes[out->nlanes++] = (uint32_t)json_integer_value(one);
    }
    return NULL;
}

static const char *window(const json_t *j, struct message *out)
{
    uint64_t width;

    if (!number(j, "width", MESSAGE_WIDTH, &width) || !width)
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
    if (!number(j, "lane", UINT32_MAX, &id))
        return "a lane that is no number";
    out->lanes[out->nlanes++] = (uint32_t)id;
    return NULL;
}

/* The ops of the timeline. */
static const char *timeline(const json_t *j, const char *op, struct message *out)
{
    uint64_t seq;

    if (!number(j, "seq", UINT32_MAX, &seq) || !number(j, "from", INT64_MAX, &out->from))
        return "no seq, or no time";
    out->seq = (uint32_t)seq;
    out->op = MESSAGE_FIND;
    if (!strcmp(op, "find"))
        return find(j, out);
    if (!number(j, "to", INT64_MAX, &out->to) || out->to <= out->from)
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
        return names(json_object_get(j, "views"), web_view_number, &out->views);
    out->op = MESSAGE_SETS;
    if (!strcmp(op, "sets"))
        return names(json_object_get(j, "sets"), set_number, &out->sets);
    out->op = MESSAGE_SEEK;
    if (!strcmp(op, "seek"))
        return seek_time(json_object_get(j, "time"), &out->time);
    if (!strcmp(op, "window") || !strcmp(op, "select") || !strcmp(op, "find"))
        return timeline(j, op, out);
    return "an op that is not known";
}
