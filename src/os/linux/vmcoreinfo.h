/* SPDX-License-Identifier: MIT */
/* The kernel's notes for crash dumps (VMCOREINFO, kernel/crash_core.c, kernel/vmcore_info.c). */
#ifndef OS_LINUX_VMCOREINFO_H
#define OS_LINUX_VMCOREINFO_H

#include "os/linux/linux.h"

/* The number (decimal, or hex after 0x) behind "KEY=", such as "NUMBER(SECTION_SIZE_BITS)"; false
 * when there is none. */
bool vmcoreinfo_number(struct linux_model *lm, const char *key, int64_t *out);
/* The same for keys whose value is hex without 0x (KERNELOFFSET). */
bool vmcoreinfo_hex(struct linux_model *lm, const char *key, int64_t *out);

#endif
