/* SPDX-License-Identifier: MIT */
/*
 * The metadata of a recording: TSDL (CTF 1.8, section 7) that describes the packets of
 * capture/wire.h and the event types of a schema. Written so that babeltrace2 and Trace Compass's
 * LTTng kernel views read it; read back (only what was written here, which is no TSDL parser) so
 * that a recording explains itself.
 */
#ifndef TRACE_METADATA_H
#define TRACE_METADATA_H

#include "trace/schema.h"

#include <stddef.h>

/* The clock of the events: CLOCK_MONOTONIC of the capturing host, in ns. */
struct trace_clock {
    uint8_t uuid[16]; /* of the host's boot; all 0: unknown */
    int64_t offset;   /* ns from the epoch to its 0 */
};

/* What the trace says about the machine: hostname, sysname, kernel_release, … */
struct trace_env {
    const char *key;   /* an identifier of C */
    const char *value; /* text; bytes that are no printable ASCII are written as '?' */
};

struct trace_metadata {
    uint8_t uuid[16]; /* as in each packet */
    struct trace_clock clock;
    const struct trace_env *env;
    size_t nenv;
};

/* This host's clock at this moment. */
void trace_clock_host(struct trace_clock *out);

/*
 * The text for types of schema, 0-terminated; the caller frees *text. domain = "kernel" and the
 * tracer's name and version, by which Trace Compass knows a kernel trace, are added to env.
 * Errors: OSCOPE_E_USAGE (a key is no identifier, or one of those), OSCOPE_E_NOMEM.
 */
struct oscope_error *trace_metadata_write(const struct trace_metadata *m,
                                          const struct trace_schema *schema, char **text,
                                          size_t *len) WARN_UNUSED;

/*
 * Reads such a text: fills m, its strings in arena, and adds the types to schema. Errors:
 * OSCOPE_E_UNSUPPORTED (not written by oscope), OSCOPE_E_BAD_DATA.
 */
struct oscope_error *trace_metadata_read(const char *text, size_t len, struct arena *arena,
                                         struct trace_metadata *m,
                                         struct trace_schema *schema) WARN_UNUSED;

/* Value of a key, or NULL. */
const char *trace_metadata_env(const struct trace_metadata *m, const char *key);

#endif
