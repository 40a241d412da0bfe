/* SPDX-License-Identifier: MIT */
/* The part of an open session that only session/ looks into. */
#ifndef SESSION_PRIVATE_H
#define SESSION_PRIVATE_H

#include "session/client.h"
#include "session/describe.h"
#include "session/session.h"

struct session_private {
    struct session_desc desc;
    struct broker_link link;
    bool paused;
    bool silent; /* registers were asked for in vain during this view */
};

#endif
