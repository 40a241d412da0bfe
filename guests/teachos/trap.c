/* SPDX-License-Identifier: MIT */
/*
 * What makes the CPU leave what it does: system calls, faults and interrupts. entry.S has stored
 * the registers in a frame and calls usertrap() or kerneltrap(); what the frame holds afterwards is
 * what goes on. Interrupts are off at first.
 */
#include "kernel.h"

_Static_assert(sizeof(struct trap_frame) == 304, "entry.S: FRAME_SIZE");
_Static_assert(offsetof(struct trap_frame, sepc) == 248, "entry.S: FRAME_SEPC");
_Static_assert(offsetof(struct trap_frame, link_ra) == 296, "entry.S: FRAME_LINK_RA");
_Static_assert(offsetof(struct cpu, kernel_sp) == 0, "entry.S: CPU_KERNEL_SP");
_Static_assert(offsetof(struct cpu, user_sp) == 8, "entry.S: CPU_USER_SP");
_Static_assert(KSTACK_PAGES *PAGE_SIZE == 8192 && NCPU == 8, "entry.S: idle_stacks");

enum { TICK = TIME_HZ / TICK_HZ };

void trap_init_cpu(void)
{
    struct cpu *c = this_cpu();
    CSR_WRITE(sscratch, 0);
    CSR_WRITE(stvec, (uint64_t)trap_vector);
    CSR_WRITE(sie, SIE_SOFTWARE | SIE_TIMER | SIE_EXTERNAL);
    c->next_tick = time_now() + TICK;
    sbi_set_timer(c->next_tick);
}

static void timer_interrupt(struct cpu *c)
{
    uint64_t now = time_now();
    c->count.timer++;
    while (c->next_tick <= now)
        c->next_tick += TICK;
    sbi_set_timer(c->next_tick);
    c->need_resched = true;
    external_tick();
    if (c->id == boot_cpu)
        wake_sleepers(now);
}

static void interrupt(struct cpu *c, uint64_t cause)
{
    switch (cause) {
    case CAUSE_SOFTWARE:
        CSR_CLEAR(sip, SIE_SOFTWARE);
        c->count.ipi++;
        machine_check_stop();
        break;
    case CAUSE_TIMER: timer_interrupt(c); break;
    case CAUSE_EXTERNAL:
        c->count.external++;
        external_interrupt();
        break;
    default: panic("interrupt %lx that nobody asked for", cause);
    }
}

static bool is_page_fault(uint64_t cause)
{
    return cause == CAUSE_FETCH_PAGE || cause == CAUSE_LOAD_PAGE || cause == CAUSE_STORE_PAGE;
}

/* From user mode. Whatever it was: before going back, see whether the process shall end, or another
 * one shall run. */
void usertrap(struct trap_frame *frame)
{
    struct cpu *c = this_cpu();
    struct proc *p = c->current;
    uint64_t cause = frame->scause;
    c->count.traps++;
    if (cause & CAUSE_INTERRUPT) {
        interrupt(c, cause);
    } else if (cause == CAUSE_ECALL_USER) {
        frame->sepc += 4; /* behind the ecall */
        intr_on();
        int64_t result = syscall_dispatch(frame->a7, frame);
        intr_off();
        frame->a0 = (uint64_t)result;
    } else {
        bool page_fault = is_page_fault(cause);
        if (page_fault)
            c->count.page_faults++;
        else
            c->count.exceptions++;
        if (!page_fault || !vm_fault(p, frame->stval, cause)) {
            kprintf("%s (%d) killed: cause %lu at %p, address %p", p->name, p->pid, cause,
                    (void *)frame->sepc, (void *)frame->stval);
            p->killed = true;
        }
    }
    if (p->killed)
        proc_exit(-1);
    if (this_cpu()->need_resched)
        yield();
}

/* From the kernel itself: interrupts only; anything else is an error of ours. */
void kerneltrap(struct trap_frame *frame)
{
    struct cpu *c = this_cpu();
    c->count.traps++;
    if (!(frame->scause & CAUSE_INTERRUPT))
        panic("kernel trap: cause %lu at %p, address %p", frame->scause, (void *)frame->sepc,
              (void *)frame->stval);
    interrupt(c, frame->scause);
}
