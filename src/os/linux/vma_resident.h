/* SPDX-License-Identifier: MIT */
/* How much of each VMA is in memory. */
#ifndef OS_LINUX_VMA_RESIDENT_H
#define OS_LINUX_VMA_RESIDENT_H

#include "os/linux/linux.h"

/*
 * Fills resident, anon and file (bytes) of the list's rows (struct oscope_vma, sorted by address)
 * by walking the task's page tables once: resident as smaps counts Rss, anon as Anonymous, file is
 * the rest (page cache, shared memory, the vDSO). Not counted, like there: the zero page, frames
 * without struct page (devices, [vvar]), hugetlbfs. What can't be known is OSCOPE_UNKNOWN, and a
 * note says why.
 */
void vma_resident(struct linux_model *lm, const struct oscope_task *task, struct os_list *list);

#endif
