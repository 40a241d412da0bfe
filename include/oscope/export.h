/* SPDX-License-Identifier: MIT */
/*
 * Recordings as files that other tools open. Streams: memory does not grow with the recording.
 */
#ifndef OSCOPE_EXPORT_H
#define OSCOPE_EXPORT_H

#include <oscope/error.h>
#include <oscope/interval.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct oscope_export_options {
    const char *dir;    /* the recording */
    const char *format; /* oscope_export_format_name() */
    const char *file;   /* takes its name when it is complete; NULL: write to fd */
    int fd;             /* stays open */
    struct oscope_interval interval;
    const char *event;            /* only events of this name, or NULL */
    bool (*cancelled)(void *arg); /* asked now and then: stop? NULL: never */
    void *arg;
};

struct oscope_export_result {
    uint64_t events; /* exported */
    uint64_t bytes;  /* written */
    /* What the recording lacks, within the time asked for: */
    uint64_t lost;      /* packets that were overwritten before they were recorded */
    uint64_t discarded; /* events that found no room */
    uint64_t damaged;   /* packets of which all or a part was unreadable */
    char note[160];     /* what the file lacks because the recording does; "": nothing */
};

/*
 * Writes the recording in another format. When it fails, or is cancelled (OSCOPE_E_GONE), a file
 * of that name is as it was before. Errors: OSCOPE_E_NOT_FOUND (recording, event),
 * OSCOPE_E_USAGE (format, event in a format that has none), OSCOPE_E_BAD_DATA,
 * OSCOPE_E_UNSUPPORTED (no recording of oscope's), OSCOPE_E_IO, OSCOPE_E_NOMEM.
 */
struct oscope_error *oscope_export(const struct oscope_export_options *o,
                                   struct oscope_export_result *out);

/* The i-th format's name, what it is for (one line), what a button is called that makes one, and
 * how names of its files end; NULL: there are no more. */
const char *oscope_export_format_name(size_t i);
const char *oscope_export_format_doc(size_t i);
const char *oscope_export_format_title(size_t i);
const char *oscope_export_format_suffix(size_t i);

#ifdef __cplusplus
}
#endif
#endif
