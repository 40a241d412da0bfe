/* SPDX-License-Identifier: MIT */
/*
 * Whether and how a QEMU command line gets oscope's plugin, the probe engine. In doubt it does not:
 * a guest that can't be traced is better than one that does not start.
 */
#ifndef SESSION_PLUGIN_H
#define SESSION_PLUGIN_H

#include "base/error.h"
#include "capture/wire.h"

#include <stdbool.h>
#include <stddef.h>

/* Path of the plugin's file: beside the running program in a build tree, else where it is
 * installed. False: there is none. */
bool plugin_file(char *path, size_t n);

/* Can this command line take a plugin: is it a QEMU built with plugins, and the guest emulated
 * (TCG)? *why (static text) is set when not. */
bool plugin_fits(char *const argv[], const char **why);

/* What the plugin needs to know if the command line has all vCPUs share a thread; false: it does
 * not, or nothing is known of that architecture. */
bool plugin_one_thread(char *const argv[], struct wire_one_thread *how);

#endif
