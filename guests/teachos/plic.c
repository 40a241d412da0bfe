/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller (RISC-V PLIC specification 1.0.0). A device's line raises its number
 * here; a hart claims the number, serves the device and completes it.
 *
 * Only the UART's number is used, and only the hart that booted gets it. A device that calls
 * without end must not take that hart's whole time: after so many in one tick it is not listened
 * to until the next tick.
 */
#include "kernel.h"

enum { UART_IRQ = 10, BUDGET = 200 };

#define PLIC            (DEVICE_BASE + 0x0c000000)
#define PRIORITY(irq)   ((volatile uint32_t *)(PLIC + 4UL * (irq)))
#define ENABLE(hart)    ((volatile uint32_t *)(PLIC + 0x2000 + 0x80UL * CONTEXT(hart)))
#define THRESHOLD(hart) ((volatile uint32_t *)(PLIC + 0x200000 + 0x1000UL * CONTEXT(hart)))
#define CLAIM(hart)     ((volatile uint32_t *)(PLIC + 0x200004 + 0x1000UL * CONTEXT(hart)))
#define CONTEXT(hart)   (2UL * (hart) + 1) /* virt: two of each hart, machine and supervisor mode */

void plic_init(unsigned hart)
{
    *PRIORITY(UART_IRQ) = 1;
    *ENABLE(hart) = 1U << UART_IRQ;
    *THRESHOLD(hart) = 0;
}

static void device_interrupt(uint32_t irq)
{
    if (irq == UART_IRQ)
        uart_interrupt();
}

void external_interrupt(void)
{
    struct cpu *c = this_cpu();
    uint32_t irq = *CLAIM(c->id);
    if (irq) {
        device_interrupt(irq);
        *CLAIM(c->id) = irq; /* complete */
    }
    if (++c->interrupts_this_tick == BUDGET)
        *THRESHOLD(c->id) = 1; /* only what is more important than that gets through */
}

/* The timer calls this at each tick. */
void external_tick(void)
{
    struct cpu *c = this_cpu();
    if (c->interrupts_this_tick >= BUDGET)
        *THRESHOLD(c->id) = 0;
    c->interrupts_this_tick = 0;
}
