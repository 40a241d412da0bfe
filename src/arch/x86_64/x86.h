/* SPDX-License-Identifier: MIT */
/* Shared by x86_64 and i386: the same CPU in different modes. */
#ifndef ARCH_X86_64_X86_H
#define ARCH_X86_64_X86_H

#include "arch/arch.h"

extern const struct paging_mode x86_5level, x86_4level, x86_pae, x86_2level;

#define X86_ATTR_NOTE "ATTRn is PAT:PCD:PWT, an entry's index into IA32_PAT (no ATTRn: index 0)"

void x86_pte_text(const struct paging_mode *m, unsigned level, uint64_t raw, char *buf, size_t n);
/* Of CR0, CR3, CR4 and EFER. long_mode: what to assume where EFER is missing. */
bool x86_paging(const struct target_vcpu *v, bool long_mode, struct paging *low,
                struct paging *high);
const char *x86_privilege(const struct target_vcpu *v);
bool x86_is_user(const struct target_vcpu *v);

const char *x86_trap_name(unsigned cause);
enum arch_trap x86_trap_kind(unsigned cause);

#endif
