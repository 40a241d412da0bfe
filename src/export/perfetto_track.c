/* SPDX-License-Identifier: MIT */
/*
 * Perfetto's track events: traps, handlers and waits as slices on a track for each vCPU, system
 * calls and page faults as slices of their threads, accesses to devices as points on a track for
 * each, all other events as points on a second track of the vCPU; counters of modes. Tracks are
 * described when they are first used.
 *
 * What one interrupt is made of has the same flow id. Ids of interrupts that come to nothing more
 * stay alone, which Perfetto passes over.
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
    TRACK_COUNTER = 8,
    TRACK_ORDERING = 11,
    TRACK_RANK = 12,
    COUNTER_UNIT_NAME = 6,
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
    EVENT_DOUBLE_COUNTER = 44,
    EVENT_FLOWS = 47,
    ANNOTATION_NAME_IID = 1,
    ANNOTATION_BOOL = 2,
    ANNOTATION_UINT = 3,
    ANNOTATION_INT = 4,
    ANNOTATION_STRING = 6,
    ANNOTATION_POINTER = 7,
    ANNOTATION_NAME = 10,
};

enum { TYPE_BEGIN = 1, TYPE_END = 2, TYPE_INSTANT = 3, TYPE_COUNTER = 4 }; /* TrackEvent.Type */
enum { SEQUENCE_NEEDS_STATE = 2 }; /* TracePacket.SequenceFlags */
enum { ORDERING_EXPLICIT = 3 };    /* TrackDescriptor.ChildTracksOrdering */
enum { NAME_MAX = 128 };           /* bytes of names from the metadata */

/* ---- tracks ---- */

static void describe_group(struct perfetto *p, uint64_t time, uint64_t uuid, const char *name)
{
    struct proto *m = perfetto_packet(p, time, 0);
    size_t at = proto_open(m, PACKET_TRACK_DESCRIPTOR);

    proto_uint(m, TRACK_UUID, uuid);
    proto_bytes(m, TRACK_NAME, name, strlen(name));
    proto_uint(m, TRACK_ORDERING, ORDERING_EXPLICIT);
    proto_close(m, at);
    perfetto_packet_end(p);
}

/* A new track in a group; unit NULL: no counter. */
static uint64_t describe_track(struct perfetto *p, uint64_t time, uint64_t group, const char *name,
                               uint64_t rank, const char *unit)
{
    uint64_t uuid = ++p->uuid;
    struct proto *m = perfetto_packet(p, time, 0);
    size_t at = proto_open(m, PACKET_TRACK_DESCRIPTOR);

    proto_uint(m, TRACK_UUID, uuid);
    proto_uint(m, TRACK_PARENT, group);
    proto_text(m, TRACK_NAME, name, NAME_MAX);
    proto_uint(m, TRACK_RANK, rank);
    if (unit) {
        size_t counter = proto_open(m, TRACK_COUNTER);
        proto_bytes(m, COUNTER_UNIT_NAME, unit, strlen(unit));
        proto_close(m, counter);
    }
    proto_close(m, at);
    perfetto_packet_end(p);
    return uuid;
}

static void vcpu_group(struct perfetto *p, uint64_t time)
{
    if (!p->grouped)
        describe_group(p, time, PERFETTO_TRACK_VCPUS,
                       "vCPUs: traps, interrupts, waiting, other events, modes");
    p->grouped = true;
}

/* Of a vCPU's tracks slices come first, then points, then counters. */
enum { RANK_POINTS = 1, RANK_COUNTERS, RANKS = RANK_COUNTERS + MODES };

/* A vCPU's track: 0 for slices, 1 for points. */
static uint64_t cpu_track(struct perfetto *p, struct follow_cpu *cpu, unsigned which, uint64_t time)
{
    char name[48];

    if (cpu->own[which])
        return cpu->own[which];
    vcpu_group(p, time);
    snprintf(name, sizeof name, "vCPU %u%s%s", cpu->cpu, cpu->cpu == FOLLOW_CPUS ? " and on" : "",
             which ? ": events" : "");
    cpu->own[which] = describe_track(p, time, PERFETTO_TRACK_VCPUS, name,
                                     (uint64_t)RANKS * cpu->cpu + (which ? RANK_POINTS : 0), NULL);
    return cpu->own[which];
}

static uint64_t device_track(struct perfetto *p, struct follow_device *device, uint64_t time)
{
    if (device->own)
        return device->own;
    if (!p->devices)
        describe_group(p, time, PERFETTO_TRACK_DEVICES, "devices: registers read and written");
    p->devices = true;
    device->own = describe_track(p, time, PERFETTO_TRACK_DEVICES, device->name,
                                 (uint64_t)(device - p->follow.devices), NULL);
    return device->own;
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

/* name NULL: the type's, unless it is an end. device: the track is one's. hop and ev may be NULL.
 */
static void track_event(struct perfetto *p, uint64_t track, uint64_t time, unsigned type,
                        const char *name, bool device, const struct follow_hop *hop,
                        const struct trace_event *ev)
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
    if (hop)
        proto_fixed64(m, EVENT_FLOWS, hop->flow);
    for (unsigned i = 0; ev && i < ev->type->nfields; i++)
        annotate_field(m, ev, i);
    if (ev && (ev->cpu >= FOLLOW_CPUS || device) && ev->cpu != TRACE_CPU_NONE)
        annotate(m, "vcpu", ANNOTATION_UINT, ev->cpu);
    if (ev && ev->flags & WIRE_EVENT_FAULT)
        annotate(m, "partial", ANNOTATION_BOOL, true);
    proto_close(m, at);
    perfetto_packet_end(p);
}

void perfetto_begin(void *x, struct follow_place at, uint64_t time, const char *name,
                    const struct trace_event *ev)
{
    track_event(x, place_track(x, at, time), time, TYPE_BEGIN, name, false, at.hop, ev);
}

void perfetto_end(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev)
{
    track_event(x, place_track(x, at, time), time, TYPE_END, NULL, false, NULL, ev);
}

void perfetto_point(void *x, struct follow_place at, uint64_t time, const char *name,
                    const struct trace_event *ev)
{
    track_event(x, at.device ? device_track(x, at.device, time) : cpu_track(x, at.cpu, 1, time),
                time, TYPE_INSTANT, name, at.device != NULL, at.hop, ev);
}

void perfetto_lost(void *x, struct follow_cpu *cpu, uint64_t time)
{
    track_event(x, cpu_track(x, cpu, 0, time), time, TYPE_INSTANT, "events lost", false, NULL,
                NULL);
}

/* ---- counters ---- */

/* A mode that there is not gets no track: until there is one its value is 0 all the same. */
void perfetto_modes(void *x, uint32_t cpu, uint64_t time, const uint16_t value[MODES],
                    unsigned changed)
{
    struct perfetto *p = x;
    char name[64];

    for (unsigned i = 0; i < MODES; i++) {
        uint64_t *track = &p->counters[cpu][i];
        if (!(changed >> i & 1) || (!*track && !value[i]))
            continue;
        if (!*track) {
            vcpu_group(p, time);
            snprintf(name, sizeof name, "vCPU %u: %s", cpu, export_mode_names[i]);
            *track = describe_track(p, time, PERFETTO_TRACK_VCPUS, name,
                                    (uint64_t)RANKS * cpu + RANK_COUNTERS + i, "%");
        }
        struct proto *m = perfetto_packet(p, time, 0);
        size_t at = proto_open(m, PACKET_TRACK_EVENT);
        proto_uint(m, EVENT_TYPE, TYPE_COUNTER);
        proto_uint(m, EVENT_TRACK, *track);
        double percent = value[i] * 100.0 / EXPORT_WHOLE;
        uint64_t bits;
        memcpy(&bits, &percent, sizeof bits);
        proto_fixed64(m, EVENT_DOUBLE_COUNTER, bits);
        proto_close(m, at);
        perfetto_packet_end(p);
    }
}
