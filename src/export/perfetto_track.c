/* SPDX-License-Identifier: MIT */
/*
 * Perfetto's track events: traps and waits as slices on a track for each vCPU, system calls as
 * slices of their threads, all other events as points on a second track of the vCPU. Tracks are
 * described when they are first used.
 */
#include "export/perfetto.h"

#include <stdio.h>

/* TracePacket, TrackEvent, TrackDescriptor and others: numbers of fields */
enum {
    PACKET_TRACK_EVENT = 11,
    PACKET_INTERNED = 12,
    PACKET_TRACK_DESCRIPTOR = 60,
    TRACK_UUID = 1,
    TRACK_NAME = 2,
    TRACK_THREAD = 4,
    TRACK_PARENT = 5,
    TRACK_ORDERING = 11,
    TRACK_RANK = 12,
    THREAD_PID = 1,
    THREAD_TID = 2,
    INTERNED_EVENT_NAMES = 2,
    INTERNED_ANNOTATION_NAMES = 3,
    INTERNED_IID = 1,
    INTERNED_NAME = 2,
    EVENT_ANNOTATION = 4,
    EVENT_TYPE = 9,
    EVENT_NAME_IID = 10,
    EVENT_TRACK = 11,
    EVENT_NAME = 23,
    ANNOTATION_NAME_IID = 1,
    ANNOTATION_BOOL = 2,
    ANNOTATION_UINT = 3,
    ANNOTATION_INT = 4,
    ANNOTATION_STRING = 6,
    ANNOTATION_POINTER = 7,
    ANNOTATION_NAME = 10,
};

enum { TYPE_BEGIN = 1, TYPE_END = 2, TYPE_INSTANT = 3 }; /* TrackEvent.Type */
enum { SEQUENCE_NEEDS_STATE = 2 };                       /* TracePacket.SequenceFlags */
enum { ORDERING_EXPLICIT = 3 };                          /* TrackDescriptor.ChildTracksOrdering */
enum { NAME_MAX = 128 };                                 /* bytes of names from the metadata */

/* ---- tracks ---- */

static void describe_group(struct perfetto *p, uint64_t time)
{
    static const char name[] = "vCPUs: traps, waiting, other events";
    struct proto *m = perfetto_packet(p, time, 0);
    size_t at = proto_open(m, PACKET_TRACK_DESCRIPTOR);

    proto_uint(m, TRACK_UUID, PERFETTO_TRACK_VCPUS);
    proto_bytes(m, TRACK_NAME, name, sizeof name - 1);
    proto_uint(m, TRACK_ORDERING, ORDERING_EXPLICIT);
    proto_close(m, at);
    perfetto_packet_end(p);
}

/* A vCPU's track: 0 for slices, 1 for points. */
static uint64_t cpu_track(struct perfetto *p, struct follow_cpu *cpu, unsigned which, uint64_t time)
{
    char name[48];

    if (cpu->own[which])
        return cpu->own[which];
    if (!p->grouped)
        describe_group(p, time);
    p->grouped = true;
    cpu->own[which] = ++p->uuid;
    snprintf(name, sizeof name, "vCPU %u%s%s", cpu->cpu, cpu->cpu == FOLLOW_CPUS ? " and on" : "",
             which ? ": events" : "");
    struct proto *m = perfetto_packet(p, time, 0);
    size_t at = proto_open(m, PACKET_TRACK_DESCRIPTOR);
    proto_uint(m, TRACK_UUID, cpu->own[which]);
    proto_uint(m, TRACK_PARENT, PERFETTO_TRACK_VCPUS);
    proto_bytes(m, TRACK_NAME, name, strlen(name));
    proto_uint(m, TRACK_RANK, 2 * cpu->cpu + which);
    proto_close(m, at);
    perfetto_packet_end(p);
    return cpu->own[which];
}

/* A process that no fork told of goes under the thread's own number. */
static uint64_t thread_track(struct perfetto *p, struct follow_thread *t, uint64_t time)
{
    if (t->own)
        return t->own;
    t->own = ++p->uuid;
    struct proto *m = perfetto_packet(p, time, 0);
    size_t at = proto_open(m, PACKET_TRACK_DESCRIPTOR);
    proto_uint(m, TRACK_UUID, t->own);
    size_t thread = proto_open(m, TRACK_THREAD);
    proto_int(m, THREAD_PID, t->pid ? t->pid : t->tid);
    proto_int(m, THREAD_TID, t->tid);
    proto_close(m, thread);
    proto_close(m, at);
    perfetto_packet_end(p);
    return t->own;
}

static uint64_t place_track(struct perfetto *p, struct follow_place at, uint64_t time)
{
    return at.thread ? thread_track(p, at.thread, time) : cpu_track(p, at.cpu, 0, time);
}

/* ---- events ---- */

static uint64_t field_iid(const struct trace_type *type, unsigned i)
{
    return (uint64_t)type->id * TRACE_FIELDS + i + 1;
}

static void intern(struct proto *m, unsigned field, uint64_t iid, const char *name)
{
    size_t at = proto_open(m, field);

    proto_uint(m, INTERNED_IID, iid);
    proto_text(m, INTERNED_NAME, name, NAME_MAX);
    proto_close(m, at);
}

/* The names of a type and its fields, in the first packet that uses them. */
static void intern_type(struct perfetto *p, struct proto *m, const struct trace_type *type)
{
    if (p->interned[type->id])
        return;
    p->interned[type->id] = 1;
    size_t at = proto_open(m, PACKET_INTERNED);
    intern(m, INTERNED_EVENT_NAMES, (uint64_t)type->id + 1, type->name);
    for (unsigned i = 0; i < type->nfields; i++)
        intern(m, INTERNED_ANNOTATION_NAMES, field_iid(type, i), type->fields[i].name);
    proto_close(m, at);
}

static void annotate_field(struct proto *m, const struct trace_event *ev, unsigned i)
{
    size_t at = proto_open(m, EVENT_ANNOTATION);
    enum trace_kind kind = ev->type->fields[i].kind;

    proto_uint(m, ANNOTATION_NAME_IID, field_iid(ev->type, i));
    if (kind == TRACE_STRING)
        proto_text(m, ANNOTATION_STRING, trace_event_str(ev, i), ev->type->fields[i].most);
    else if (kind == TRACE_HEX)
        proto_uint(m, ANNOTATION_POINTER, trace_event_u64(ev, i));
    else
        proto_uint(m, trace_kind_signed(kind) ? ANNOTATION_INT : ANNOTATION_UINT,
                   trace_event_u64(ev, i));
    proto_close(m, at);
}

static void annotate(struct proto *m, const char *name, unsigned value_field, uint64_t value)
{
    size_t at = proto_open(m, EVENT_ANNOTATION);

    proto_uint(m, value_field, value);
    proto_bytes(m, ANNOTATION_NAME, name, strlen(name));
    proto_close(m, at);
}

/* name NULL: the type's, unless it is an end. ev may be NULL. */
static void track_event(struct perfetto *p, uint64_t track, uint64_t time, unsigned type,
                        const char *name, const struct trace_event *ev)
{
    struct proto *m = perfetto_packet(p, time, SEQUENCE_NEEDS_STATE);

    if (ev)
        intern_type(p, m, ev->type);
    size_t at = proto_open(m, PACKET_TRACK_EVENT);
    proto_uint(m, EVENT_TYPE, type);
    proto_uint(m, EVENT_TRACK, track);
    if (name)
        proto_text(m, EVENT_NAME, name, NAME_MAX);
    else if (type != TYPE_END && ev)
        proto_uint(m, EVENT_NAME_IID, (uint64_t)ev->type->id + 1);
    for (unsigned i = 0; ev && i < ev->type->nfields; i++)
        annotate_field(m, ev, i);
    if (ev && ev->cpu >= FOLLOW_CPUS)
        annotate(m, "vcpu", ANNOTATION_UINT, ev->cpu);
    if (ev && ev->flags & WIRE_EVENT_FAULT)
        annotate(m, "partial", ANNOTATION_BOOL, true);
    proto_close(m, at);
    perfetto_packet_end(p);
}

void perfetto_begin(void *x, struct follow_place at, uint64_t time, const char *name,
                    const struct trace_event *ev)
{
    track_event(x, place_track(x, at, time), time, TYPE_BEGIN, name, ev);
}

void perfetto_end(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev)
{
    track_event(x, place_track(x, at, time), time, TYPE_END, NULL, ev);
}

void perfetto_point(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev)
{
    track_event(x, cpu_track(x, at.cpu, 1, time), time, TYPE_INSTANT, NULL, ev);
}

void perfetto_lost(void *x, struct follow_cpu *cpu, uint64_t time)
{
    track_event(x, cpu_track(x, cpu, 0, time), time, TYPE_INSTANT, "events lost", NULL);
}
