/* SPDX-License-Identifier: MIT */
/* What the arguments of system calls stand for. */
#ifndef OS_LINUX_CALL_WORDS_H
#define OS_LINUX_CALL_WORDS_H

#include "os/words.h"

struct oscope_event;

/* See struct os_model_ops. */
void linux_call_words(struct oscope_event *e, struct os_words *w);
/* os_model_ops.fault_result */
const char *linux_fault_result(uint32_t result, struct arena *strings);

/* A socket's address as strace writes it, of its bytes in a text of WIRE_OP_PUT_DATA; given: how
 * many the caller says there are. NULL: no room. */
const char *linux_sockaddr(struct os_words *w, const char *text, uint64_t given);

#endif
