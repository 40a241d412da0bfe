/* SPDX-License-Identifier: MIT */
/*
 * Writing the metadata of a recording. The packet's layout is a constant text that mirrors struct
 * wire_packet and struct wire_event; only the trace's identity, its environment, its clock and its
 * event types vary.
 */
#include "trace/metadata.h"

#include "trace/metadata_text.h"

#include "base/util.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

/* By these Trace Compass takes the trace for one of lttng-modules, whose names the events have. */
static const struct {
    const char *key, *text;
} tracer[] = {
    {"domain", "\"kernel\""}, {"tracer_name", "\"lttng-modules\""}, {"tracer_major", "2"},
    {"tracer_minor", "9"},    {"tracer_patchlevel", "0"},
};

/* TSDL's floating, string and integer types are declared by hand: s8 is a number, no character. */
static void write_types(FILE *f)
{
    fputs("/* CTF 1.8 */\n\n", f);
    for (int kind = TRACE_U8; kind < TRACE_STRING; kind++)
        fprintf(f, "typealias integer { size = %u; align = 8; signed = %s;%s } := %s;\n",
                trace_kind_size(kind) * 8, trace_kind_signed(kind) ? "true" : "false",
                kind == TRACE_HEX ? " base = 16;" : "", trace_kind_name(kind));
    fputc('\n', f);
}

static void write_uuid(FILE *f, const uint8_t uuid[16])
{
    fputs("\tuuid = \"", f);
    for (int i = 0; i < 16; i++)
        fprintf(f, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
    fputs("\";\n", f);
}

/* A literal: what is no printable ASCII, or would end or escape it, becomes '?'. */
static void write_literal(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++)
        fputc(*s < ' ' || *s > '~' || *s == '"' || *s == '\\' ? '?' : *s, f);
    fputc('"', f);
}

static bool key_ok(const char *key)
{
    if (!isalpha((unsigned char)*key) && *key != '_')
        return false;
    for (const char *p = key; *p; p++)
        if (!isascii(*p) || (!isalnum((unsigned char)*p) && *p != '_'))
            return false;
    for (size_t i = 0; i < ARRAY_SIZE(tracer); i++)
        if (!strcmp(key, tracer[i].key))
            return false;
    return true;
}

static void write_env(FILE *f, const struct trace_metadata *m)
{
    fputs("env {\n", f);
    for (size_t i = 0; i < ARRAY_SIZE(tracer); i++)
        fprintf(f, "\t%s = %s;\n", tracer[i].key, tracer[i].text);
    for (size_t i = 0; i < m->nenv; i++) {
        fprintf(f, "\t%s = ", m->env[i].key);
        write_literal(f, m->env[i].value);
        fputs(";\n", f);
    }
    fputs("};\n\n", f);
}

static void write_clock(FILE *f, const struct trace_clock *clock)
{
    static const uint8_t unknown[16];

    fputs("clock {\n\tname = \"monotonic\";\n", f);
    if (memcmp(clock->uuid, unknown, sizeof unknown))
        write_uuid(f, clock->uuid);
    fprintf(f,
            "\tdescription = \"CLOCK_MONOTONIC of the host\";\n"
            "\tfreq = 1000000000;\n\toffset = %lld;\n};\n\n",
            (long long)clock->offset);
}

static void write_event(FILE *f, const struct trace_type *t)
{
    fprintf(f, "event {\n\tname = \"%s\";\n\tid = %u;\n\tstream_id = 0;\n", t->name, t->id);
    fprintf(f, "\t/* set %s */\n", t->set ? t->set : "");
    fprintf(f, "\t/* doc %s */\n", t->doc ? t->doc : "");
    fputs("\tfields := struct {\n", f);
    for (unsigned i = 0; i < t->nfields; i++) {
        const struct trace_field *field = &t->fields[i];
        fprintf(f, "\t\t%s _%s; /* %u %s */\n", trace_kind_name(field->kind), field->name,
                field->most, field->doc ? field->doc : "");
    }
    fputs("\t};\n};\n\n", f);
}

struct oscope_error *trace_metadata_write(const struct trace_metadata *m,
                                          const struct trace_schema *schema, char **text,
                                          size_t *len)
{
    *text = NULL;
    for (size_t i = 0; i < m->nenv; i++)
        if (!key_ok(m->env[i].key))
            return error_new(OSCOPE_E_USAGE, "'%s' is no name for a trace's environment",
                             m->env[i].key);
    FILE *f = open_memstream(text, len);
    if (!f)
        return error_nomem();
    write_types(f);
    fputs("trace {\n\tmajor = 1;\n\tminor = 8;\n", f);
    write_uuid(f, m->uuid);
    fputs(metadata_packet_header, f);
    write_env(f, m);
    write_clock(f, &m->clock);
    fputs(metadata_stream, f);
    for (unsigned i = 0; i < schema->nids; i++)
        if (schema->by_id[i])
            write_event(f, &schema->by_id[i]->type);
    bool bad = ferror(f);
    if (fclose(f) || bad) {
        free(*text);
        *text = NULL;
        return error_nomem();
    }
    return NULL;
}

const char metadata_packet_header[] = "\tbyte_order = le;\n"
                                      "\tpacket.header := struct {\n"
                                      "\t\tu32 magic;\n"
                                      "\t\tu8 uuid[16];\n"
                                      "\t\tu32 stream_id;\n"
                                      "\t};\n"
                                      "};\n\n";

const char metadata_stream[] =
    "typealias integer { size = 31; align = 1; signed = false; map = clock.monotonic.value; }"
    " := u31_clock;\n"
    "typealias integer { size = 1; align = 1; signed = false; } := bit;\n"
    "typealias integer { size = 64; align = 8; signed = false; map = clock.monotonic.value; }"
    " := u64_clock;\n\n"
    "stream {\n"
    "\tid = 0;\n"
    "\tpacket.context := struct {\n"
    "\t\tu64_clock timestamp_begin;\n"
    "\t\tu64_clock timestamp_end;\n"
    "\t\tu64 content_size;\n"
    "\t\tu64 packet_size;\n"
    "\t\tu64 packet_seq_num;\n"
    "\t\tu64 events_discarded;\n"
    "\t\tu32 cpu_id;\n"
    "\t};\n"
    "\tevent.header := struct {\n"
    "\t\tu16 id;\n"
    "\t\tu31_clock timestamp;\n"
    "\t};\n"
    "\tevent.context := struct {\n"
    "\t\tbit _flags;\n"
    "\t};\n"
    "};\n\n";

const char *trace_metadata_env(const struct trace_metadata *m, const char *key)
{
    for (size_t i = 0; i < m->nenv; i++)
        if (!strcmp(m->env[i].key, key))
            return m->env[i].value;
    return NULL;
}

/* /proc/sys/kernel/random/boot_id: a UUID as text. */
static void read_boot_id(uint8_t uuid[16])
{
    AUTO_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    char text[40] = "";
    unsigned n = 0, byte;

    if (fd < 0 || read(fd, text, sizeof text - 1) < 36)
        return;
    for (const char *p = text; n < 16 && sscanf(p, "%2x", &byte) == 1; p += 2 + (p[2] == '-'))
        uuid[n++] = (uint8_t)byte;
}

static int64_t ns(const struct timespec *ts)
{
    return (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec;
}

void trace_clock_host(struct trace_clock *out)
{
    struct timespec real, before, after;

    *out = (struct trace_clock){0};
    read_boot_id(out->uuid);
    clock_gettime(CLOCK_MONOTONIC, &before);
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_MONOTONIC, &after);
    out->offset = ns(&real) - (ns(&before) + (ns(&after) - ns(&before)) / 2);
}
