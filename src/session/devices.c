/* SPDX-License-Identifier: MIT */
/* State of devices, asked for and answered: see devices.h. */
#include "session/devices.h"

#include "base/util.h"
#include "session/private.h"

#include <stdio.h>

enum {
    READS_MAX = 4096,   /* of one request */
    VALUES_MAX = 65536, /* in its answer */
    APICS_MAX = 1024,   /* local APIC ids that are tried */
};

/* ---- the broker's side ---- */

static struct oscope_error *read_one(struct qmp *q, const struct mtree_devices *map,
                                     const json_t *read, json_t *values)
{
    uint64_t got[PEEK_COUNT];
    json_int_t size = json_integer_value(json_array_get(read, 1)),
               count = json_integer_value(json_array_get(read, 2));
    struct peek p = {.address = (uint64_t)json_integer_value(json_array_get(read, 0))};
    json_t *row = json_array();

    json_array_append_new(values, row);
    if (size < 0 || size > 8 || count < 0 || count > PEEK_COUNT)
        return error_new(OSCOPE_E_BAD_DATA, "peek: no such read");
    p.size = (unsigned)size;
    p.count = (unsigned)count;
    TRY(peek_read(q, map, &p, got));
    for (unsigned i = 0; i < p.count; i++)
        json_array_append_new(row, json_integer((json_int_t)got[i]));
    return NULL;
}

static struct oscope_error *answer_peek(struct qmp *q, const json_t *request, json_t *out)
{
    const json_t *reads = json_object_get(request, "reads");
    AUTO_FREE char *text = NULL;
    json_t *values = json_array();
    struct mtree_devices map;
    struct oscope_error *err = NULL;
    json_int_t all = 0;

    json_object_set_new(out, "values", values);
    for (size_t i = 0; i < json_array_size(reads); i++) {
        json_int_t n = json_integer_value(json_array_get(json_array_get(reads, i), 2));
        all += n >= 0 && n <= PEEK_COUNT ? n : VALUES_MAX;
        if (all > VALUES_MAX || i >= READS_MAX)
            return error_new(OSCOPE_E_BAD_DATA, "peek: too much at once");
    }
    TRY(qmp_hmp(q, "info mtree -f", &text));
    TRY(mtree_parse_devices(text, &map));
    for (size_t i = 0; i < json_array_size(reads) && !err; i++)
        err = read_one(q, &map, json_array_get(reads, i), values);
    mtree_devices_free(&map);
    return err;
}

/* Local APICs by their ids, of which there may be some that no vCPU has (odd topologies). */
static struct oscope_error *add_lapics(struct qmp *q, size_t vcpus, json_t *lapics)
{
    for (size_t id = 0;
         id < MIN(4 * vcpus + 16, (size_t)APICS_MAX) && json_array_size(lapics) < vcpus; id++) {
        AUTO_FREE char *text = NULL;
        char line[40];

        snprintf(line, sizeof line, "info lapic 0x%zx", id);
        TRY(qmp_hmp(q, line, &text));
        if (strncmp(text, "unknown command", 15) == 0)
            return NULL;
        if (strstr(text, "local APIC state for CPU"))
            json_array_append_new(lapics, json_string_nocheck(text));
    }
    return NULL;
}

static struct oscope_error *answer_apic(struct qmp *q, const json_t *request, json_t *out)
{
    AUTO_FREE char *pic = NULL;
    json_t *cpus, *lapics = json_array();

    json_object_set_new(out, "lapics", lapics);
    TRY(qmp_hmp(q, "info pic", &pic));
    json_object_set_new(out, "pic", json_string_nocheck(pic));
    TRY(qmp_query(q, "query-cpus-fast", &cpus));
    size_t vcpus = json_array_size(cpus);
    json_decref(cpus);
    return add_lapics(q, vcpus, lapics);
}

static struct oscope_error *answer_disks(struct qmp *q, const json_t *request, json_t *out)
{
    json_t *blocks, *disks = json_array();

    json_object_set_new(out, "disks", disks);
    TRY(qmp_query(q, "query-block", &blocks));
    for (size_t i = 0; i < json_array_size(blocks); i++) {
        const json_t *b = json_array_get(blocks, i);
        const json_t *image = json_object_get(json_object_get(b, "inserted"), "image");
        if (image) /* else a drive without a medium */
            json_array_append_new(disks, json_incref(json_object_get(image, "virtual-size")));
    }
    json_decref(blocks);
    return NULL;
}

static struct oscope_error *answer_chardevs(struct qmp *q, const json_t *request, json_t *out)
{
    json_t *all, *chardevs = json_array();

    json_object_set_new(out, "chardevs", chardevs);
    TRY(qmp_query(q, "query-chardev", &all));
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *c = json_array_get(all, i);
        json_array_append_new(chardevs, json_pack("[O?,O?]", json_object_get(c, "label"),
                                                  json_object_get(c, "filename")));
    }
    json_decref(all);
    return NULL;
}

static const struct op {
    const char *name;
    struct oscope_error *(*answer)(struct qmp *q, const json_t *request, json_t *out);
} ops[] = {{"peek", answer_peek},
           {"apic", answer_apic},
           {"disks", answer_disks},
           {"chardevs", answer_chardevs}};

static const struct op *find_op(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
        if (!strcmp(ops[i].name, name))
            return &ops[i];
    return NULL;
}

bool devices_knows(const char *op)
{
    return find_op(op) != NULL;
}

struct oscope_error *devices_answer(struct qmp *q, const char *op, const json_t *request,
                                    json_t *out)
{
    return find_op(op)->answer(q, request, out);
}

/* ---- the client's side ---- */

static struct oscope_error *need_live(const struct oscope_session *s)
{
    return session_need_qemu(s, "a dump has RAM and registers of vCPUs, not of devices",
                             "registers of devices");
}

struct oscope_error *session_devices(struct oscope_session *s, struct mtree_devices *out)
{
    json_t *answer;

    *out = (struct mtree_devices){0};
    TRY(need_live(s));
    TRY(broker_call(&s->own->link, "map", BROKER_TIMEOUT_MS, &answer));
    const char *map = json_string_value(json_object_get(answer, "map"));
    struct oscope_error *err = mtree_parse_devices(map ? map : "", out);
    json_decref(answer);
    return err;
}

/* The values of the answer, as many as were asked for. */
static struct oscope_error *take_values(const json_t *answer, const struct peek *reads, size_t n,
                                        uint64_t *out)
{
    const json_t *values = json_object_get(answer, "values");

    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(values, i);
        if (json_array_size(row) != reads[i].count)
            return error_new(OSCOPE_E_BAD_DATA, "the session's broker answered nonsense");
        for (size_t k = 0; k < reads[i].count; k++)
            *out++ = (uint64_t)json_integer_value(json_array_get(row, k));
    }
    return NULL;
}

struct oscope_error *session_peek(struct oscope_session *s, const struct peek *reads, size_t n,
                                  uint64_t *out)
{
    json_t *list = json_array(), *answer = NULL;

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("[I,i,i]", (json_int_t)reads[i].address,
                                              (int)reads[i].size, (int)reads[i].count));
    json_t *request = json_pack("{s:s,s:o}", "op", "peek", "reads", list);
    if (!request)
        return error_nomem();
    struct oscope_error *err = need_live(s);
    if (!err)
        err = broker_request(&s->own->link, request, BROKER_TIMEOUT_MS, &answer);
    json_decref(request);
    if (!err)
        err = take_values(answer, reads, n, out);
    json_decref(answer);
    return err;
}

struct oscope_error *session_apic(struct oscope_session *s, json_t **answer)
{
    TRY(need_live(s));
    return broker_call(&s->own->link, "apic", BROKER_TIMEOUT_MS, answer);
}

uint64_t session_only_disk(struct oscope_session *s)
{
    json_t *answer = NULL;

    struct oscope_error *err = need_live(s);
    oscope_error_free(err);
    if (err)
        return 0;
    oscope_error_free(broker_call(&s->own->link, "disks", BROKER_TIMEOUT_MS, &answer));
    const json_t *disks = json_object_get(answer, "disks");
    json_int_t bytes = json_integer_value(json_array_get(disks, 0));
    bool only = json_array_size(disks) == 1 && bytes > 0;
    json_decref(answer);
    return only ? (uint64_t)bytes : 0;
}
