/* SPDX-License-Identifier: MIT */
/*
 * Callbacks, with QEMUs of two kinds: one plugin file serves both.
 *
 * From interface version 7 on (QEMU 11.1), a callback that used to be told the plugin's number is
 * told a pointer of its own instead, as its last argument, and so registering one takes that
 * pointer. QEMU loads no plugin that says it was made for an older version than 7 there, and none
 * that says it was made for a newer version than QEMU has. So qemu_plugin_version is chosen when
 * the file is loaded, before QEMU looks at it. Should that go wrong, QEMU says so and does not
 * start; which kind of callbacks to register is not guessed, QEMU says it at installation.
 */
#ifndef CAPTURE_TCG_HOOKS_H
#define CAPTURE_TCG_HOOKS_H

#include "capture/tcg/api.h"

enum hook {
    HOOK_VCPU_INIT,
    HOOK_VCPU_EXIT,
    HOOK_VCPU_IDLE,
    HOOK_VCPU_RESUME,
};

/* The plugin's number, and the version of the interface that QEMU has. */
void hooks_init(qemu_plugin_id_t id, int api);

/* All of these tell cb the plugin's number, whatever QEMU does. NULL takes a callback back. */
void hook_vcpu(enum hook which, qemu_plugin_vcpu_simple_cb_t cb);
void hook_translation(qemu_plugin_vcpu_tb_trans_cb_t cb);
void hook_reset(qemu_plugin_simple_cb_t cb); /* qemu_plugin_reset() */

/* Traps and interrupts that vCPUs take; of such kinds (enum qemu_plugin_discon_type). Not taken
 * back but by a reset. Nothing happens if this QEMU does not tell. */
void hook_discon(unsigned kinds, qemu_plugin_vcpu_discon_cb_t cb);
bool hooks_have_discon(void);

/* The version to declare to the QEMU whose program text of n bytes says which it is; 0: it does
 * not. */
int hooks_version_of(const char *text, size_t n);

#endif
