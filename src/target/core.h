/* SPDX-License-Identifier: MIT */
/* ELF cores: the parts that are tested on their own. */
#ifndef TARGET_CORE_H
#define TARGET_CORE_H

#include "target/target.h"

/* As target_open_core(), over bytes in memory, which must outlive *out. */
struct oscope_error *core_open_memory(const void *data, size_t n, struct target **out);

/*
 * Registers from the notes of a core: one vCPU for each NT_PRSTATUS note, completed from QEMU's
 * own notes. Damaged or foreign notes are skipped. `machine` is EM_*; at most 4096 vCPUs are taken.
 * The caller frees *out with target_vcpus_free().
 *
 * Layouts: struct elf_prstatus of Linux (include/linux/elfcore.h and each arch's asm/elf.h); QEMU's
 * note: struct QEMUCPUState in target/i386/arch_dump.c.
 */
struct oscope_error *core_registers(const uint8_t *notes, size_t n, unsigned machine,
                                    struct target_vcpus *out);

#endif
