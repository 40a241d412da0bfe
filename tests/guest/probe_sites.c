/* SPDX-License-Identifier: MIT */
/*
 * Two probes of its own in a live session: writes to a kernel variable, and the blocks of a kernel
 * function. Prints "ready", then a line an event until its standard input ends, then what was lost:
 *
 *     probe_sites SESSION VARIABLE BYTES FUNCTION
 *
 *     write CPU PC ADDRESS SIZE DATA MEMORY      (the bytes of the variable right after the write)
 *     block CPU PC INSTRUCTIONS
 *     lost N
 */
#include "base/clock.h"
#include "base/util.h"
#include "session/engine.h"
#include "session/private.h"
#include "session/probes_json.h"
#include "trace/reader.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

enum { WRITE = TRACE_USER_FIRST, BLOCK, TIMEOUT_MS = 6000, TRIES = 40 };

static const struct trace_field write_fields[] = {
    {"pc", TRACE_HEX},   {"address", TRACE_HEX}, {"size", TRACE_U8},
    {"write", TRACE_U8}, {"data", TRACE_HEX},    {"memory", TRACE_HEX},
};
static const struct trace_field block_fields[] = {{"pc", TRACE_HEX}, {"insns", TRACE_U32}};
static const struct trace_type types[] = {
    {WRITE, ARRAY_SIZE(write_fields), "write", "test", NULL, write_fields},
    {BLOCK, ARRAY_SIZE(block_fields), "block", "test", NULL, block_fields},
};

static struct oscope_error *find(const struct symtab *st, const char *name, struct symbol *out)
{
    if (symtab_find(st, name, out))
        return NULL;
    return error_new(OSCOPE_E_NOT_FOUND, "no symbol %s", name);
}

static struct oscope_error *write_probes(struct oscope_session *s, char **argv,
                                         struct probe_set *set)
{
    struct symbol variable, function;
    unsigned size = (unsigned)strtoul(argv[3], NULL, 0);
    struct os_model *m;
    uint64_t offset;

    TRY(session_os(s, &m));
    if (m->ops->symbols)
        TRY(m->ops->symbols(m, false));
    TRY(find(m->symtab, argv[2], &variable));
    TRY(find(m->symtab, argv[4], &function));
    symtab_lookup(m->symtab, function.addr, &function, &offset); /* with its size */
    probe_memory(set, "write", variable.addr, size, WIRE_ACCESS_WRITE);
    probe_event(set, WRITE);
    probe_put(set, probe_pc(set), 8);
    probe_put(set, probe_value(set, WIRE_VALUE_ADDRESS), 8);
    probe_put(set, probe_value(set, WIRE_VALUE_SIZE), 1);
    probe_put(set, probe_value(set, WIRE_VALUE_WRITE), 1);
    probe_put(set, probe_value(set, WIRE_VALUE_DATA), 8);
    probe_put(set, probe_load(set, probe_imm(set, variable.addr), 0, size), 8);
    probe_end(set);
    probe_block(set, "block", function.addr, function.size);
    probe_event(set, BLOCK);
    probe_put(set, probe_pc(set), 8);
    probe_put(set, probe_value(set, WIRE_VALUE_INSNS), 4);
    probe_end(set);
    TRY(probe_set_finish(set));
    printf("ready %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", variable.addr, function.addr,
           function.size);
    return NULL;
}

/* The broker waits for half a second; a busy host may take longer. */
static struct oscope_error *subscribe(struct broker_link *link, const struct probe_set *set)
{
    json_t *request = json_pack("{s:s,s:o}", "op", "subscribe", "set", probes_to_json(set));
    bool settled = false;

    for (int i = 0; !settled && i < TRIES; i++) {
        json_t *answer = NULL;
        struct oscope_error *err = broker_request(link, request, TIMEOUT_MS, &answer);
        if (err) {
            json_decref(request);
            return err;
        }
        settled = json_is_true(json_object_get(answer, "settled"));
        json_decref(answer);
    }
    json_decref(request);
    return settled ? NULL : error_new(OSCOPE_E_TIMEOUT, "the probes are not in force");
}

static void print_event(const struct trace_event *ev)
{
    printf("%s %u", ev->type->name, ev->cpu);
    for (unsigned i = 0; i < ev->type->nfields; i++)
        printf(" %" PRIx64, trace_event_u64(ev, i));
    printf("%s\n", ev->flags & WIRE_EVENT_FAULT ? " fault" : "");
}

static void follow(struct trace_reader *r)
{
    const struct timespec settle = {0, 20000000};
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    const struct trace_event *ev;
    bool ended = false;

    while (!ended) {
        ended = poll(&in, 1, 10) > 0;
        if (ended)
            nanosleep(&settle, NULL);
        trace_reader_poll(r, ended ? UINT64_MAX : clock_ns() - TRACE_SETTLE_NS);
        while ((ev = trace_reader_next(r)))
            print_event(ev);
        fflush(stdout);
    }
    struct trace_stats st = trace_reader_stats(r);
    printf("lost %" PRIu64 "\n", st.lost + st.discarded + st.damaged);
}

static struct oscope_error *run(struct oscope_session *s, char **argv)
{
    struct broker_link link = {s->dir, -1};
    struct trace_schema schema;
    struct trace_rings rings;
    struct trace_reader *r;
    struct control *control;
    struct probe_set set;
    size_t mapped;

    trace_schema_init(&schema);
    probe_set_init(&set);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        TRY(trace_schema_add(&schema, &types[i]));
    TRY(trace_schema_add_builtin(&schema)); /* others' events are passed over */
    TRY(engine_file(s->own->desc.pid, false, &control));
    const struct wire_control *c = control_mapped(control, &mapped);
    TRY(trace_rings_find(c, mapped, &rings));
    TRY(trace_reader_open_rings(&r, &rings, &schema, TRACE_FROM_NEXT));
    TRY(write_probes(s, argv, &set));
    TRY(subscribe(&link, &set));
    fflush(stdout); /* says that it is ready */
    follow(r);
    broker_hang_up(&link);
    trace_reader_close(r);
    control_close(control);
    probe_set_free(&set);
    trace_schema_free(&schema);
    return NULL;
}

int main(int argc, char **argv)
{
    struct oscope_open_options opts = {.session = argc > 1 ? argv[1] : NULL};
    struct oscope_session *s = NULL;

    if (argc != 5)
        return 2;
    struct oscope_error *err = oscope_session_open(&opts, &s);
    if (!err)
        err = run(s, argv);
    if (err) {
        fprintf(stderr, "probe_sites: %s\n", err->message);
        oscope_error_free(err);
    }
    oscope_session_close(s);
    return err ? 1 : 0;
}
