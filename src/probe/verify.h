/* SPDX-License-Identifier: MIT */
/*
 * Whether a probe set may run. The probe engine accepts nothing else, so that a program can do no
 * harm whoever wrote it: it ends, stays within its slots and never writes more than WIRE_RECORD
 * bytes of event.
 *
 * Needs capture/wire.h and libc only: it is part of the library and of the plugin.
 */
#ifndef PROBE_VERIFY_H
#define PROBE_VERIFY_H

#include "capture/wire.h"

/*
 * NULL, or static text that says what is wrong with the set. All of its bytes may be anything, but
 * nobody may change them meanwhile; the generation is not looked at.
 */
const char *verify_set(const struct wire_set *s);

#endif
