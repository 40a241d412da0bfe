/* SPDX-License-Identifier: MIT */
/*
 * When a plugin may stop watching translation.
 *
 * QEMU's translator keeps the instruction it is at for plugins (TCGContext.plugin_insn; one context
 * for each vCPU's thread). It is cleared when a watched translation begins and when it is complete.
 * One that a page fault on the guest's code ends early leaves it set, and if the next translation
 * of that vCPU is not watched any more, it adds operations that nobody takes out again, and QEMU
 * dies (QEMU 10.0.2; accel/tcg/plugin-gen.c, tcg/tcg-op-ldst.c; seen in half of all attempts with
 * four vCPUs of x86). So watching, once begun, ends only while each vCPU's last translation is
 * known to have been completed.
 *
 * How that can be known: QEMU uses one qemu_plugin_tb again for all translations of a thread (a
 * comment at the end of plugin_gen_tb_end() says so). It shows what the last translation came to,
 * complete or not; what the last complete one came to was seen when the callback was called.
 */
#ifndef CAPTURE_TCG_TRANSLATOR_H
#define CAPTURE_TCG_TRANSLATOR_H

#include "capture/tcg/api.h"

#include <stdatomic.h>

enum {
    TRANSLATOR_API = 7, /* newest plugin interface of which the above was read (11.1.3: the code of
                         * plugin_gen_tb_start(), _insn_start() and _tb_end()) */
};

struct translator {
    _Atomic bool idle;               /* between its idle and resume callbacks */
    _Atomic bool ran;                /* since watching began */
    const struct qemu_plugin_tb *tb; /* of the last complete watched translation; NULL: none */
    size_t n;                        /* its instructions */
    uint64_t pc;                     /* the first of them */
};

/* A new vCPU's. */
void translator_begin(struct translator *t);

/* From its idle and resume callbacks. */
void translator_idle(struct translator *t);
void translator_resume(struct translator *t);

/* Watching begins; while no vCPU executes. */
void translator_watch(struct translator *t);

/* A translation is complete; in its thread, from the callback. */
void translator_note(struct translator *t, const struct qemu_plugin_tb *tb);

/* Is its last translation known to have been completed? While no vCPU executes. */
bool translator_is_clean(const struct translator *t);

#endif
