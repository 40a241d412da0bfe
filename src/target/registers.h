/* SPDX-License-Identifier: MIT */
/*
 * Registers from the text of QEMU's `info registers -a`.
 */
#ifndef TARGET_REGISTERS_H
#define TARGET_REGISTERS_H

#include "target/target.h"

/*
 * Parses the text for riscv64, x86_64, i386 and aarch64 into one entry per vCPU; the caller frees
 * *out with target_vcpus_free(). Names are QEMU's in lower case, with these rules:
 *   riscv64: "x2" rather than "x2/sp"; CSRs as printed ("satp", "sepc", "mstatus" …); "v" is the
 *            virtualisation mode. The privilege level is not printed.
 *   x86:     "rip", "rfl" (i386: "eip", "efl"), "cr3", "efer", "cpl"; a segment is "cs" (selector)
 *            and "cs_base"; "gdt_base", "idt_base". In 32-bit mode x86_64 keeps its names.
 *   aarch64: "x0" … "x30", "sp", "pc", "pstate". QEMU prints no TTBR, TCR, VBAR or TPIDR. In 32-bit
 *            mode: "r00" …, but "pc", "sp", "x29" (r11), "cpsr".
 * Vector and floating-point registers are left out. OSCOPE_E_BAD_DATA when no vCPU is found.
 * Formats: the *_cpu_dump_state() functions under QEMU's target/.
 */
struct oscope_error *registers_parse(const char *text, const char *arch, struct target_vcpus *out);

#endif
