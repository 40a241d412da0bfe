/* SPDX-License-Identifier: MIT */
/* The constant parts of the metadata: a recording is oscope's only if it has them. */
#ifndef TRACE_METADATA_TEXT_H
#define TRACE_METADATA_TEXT_H

extern const char metadata_packet_header[]; /* the end of the trace block */
extern const char metadata_stream[];        /* clock types and the stream block */

#endif
