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
    out->op = MESSAGE_CONSOLE;
    if (!strcmp(op, "console"))
        return switched(json_object_get(j, "on"), &out->on);
    out->op = MESSAGE_TYPE;
    if (!strcmp(op, "type"))
        return switched(json_object_get(j, "on"), &out->on);
    out->op = MESSAGE_KEYS_TYPED;
    if (!strcmp(op, "keys"))
        return keys(json_object_get(j, "bytes"), out);
    return "an op that is not known";
}
