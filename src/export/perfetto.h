/* SPDX-License-Identifier: MIT */
/*
 * Perfetto's trace format: a file of TracePackets (field 1 of Trace). Numbers of messages' fields
 * are those of google/perfetto, protos/perfetto/: trace/trace_packet.proto, trace/ftrace,
 * trace/track_event, trace/ps/process_tree.proto, common/system_info.proto.
 */
#ifndef EXPORT_PERFETTO_H
#define EXPORT_PERFETTO_H

#include "export/export.h"
#include "analysis/follow.h"
#include "export/modes.h"
#include "export/proto.h"

struct perfetto {
    const struct export_job *job;
    struct follow follow;
    struct export_modes modes;
    struct proto packet; /* the one being written */
    struct perfetto_bundle {
        struct proto events;     /* FtraceEventBundle.event of a vCPU, not yet written */
        bool lost;               /* events are missing before these */
    } * bundles;                 /* FOLLOW_CPUS */
    uint8_t *interned;           /* by type: its names are known to the sequence */
    uint64_t uuid;               /* last one given to a track */
    uint64_t (*counters)[MODES]; /* FOLLOW_CPUS: their tracks; 0: none yet */
    bool grouped;                /* PERFETTO_TRACK_VCPUS is described */
    bool devices;                /* and PERFETTO_TRACK_DEVICES */
    bool started;
    uint64_t dropped; /* packets that did not fit, which none should */
};

enum { PERFETTO_PACKET = 32 << 10, PERFETTO_TRACK_VCPUS = 1, PERFETTO_TRACK_DEVICES = 2 };

/* A packet of that time with this SequenceFlags (0: none); what follows goes into p->packet. */
struct proto *perfetto_packet(struct perfetto *p, uint64_t time, unsigned flags);
void perfetto_packet_end(struct perfetto *p);

/* follow_ops, the part that is track events (perfetto_track.c). x is a struct perfetto. */
void perfetto_begin(void *x, struct follow_place at, uint64_t time, const char *name,
                    const struct trace_event *ev);
void perfetto_end(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev);
void perfetto_point(void *x, struct follow_place at, uint64_t time, const char *name,
                    const struct trace_event *ev);
void perfetto_lost(void *x, struct follow_cpu *cpu, uint64_t time);

/* export_modes.tell */
void perfetto_modes(void *x, uint32_t cpu, uint64_t time, const uint16_t value[MODES],
                    unsigned changed);

#endif
