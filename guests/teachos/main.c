/* SPDX-License-Identifier: MIT */
/*
 * How the kernel starts and stops. One hart sets everything up (main), then has the firmware start
 * the others (secondary_main); each ends up as its own idle process.
 */
#include "kernel.h"

struct fdt_facts machine;
unsigned cpus_online, boot_cpu;

static uint32_t stopping;

static struct cpu *cpu_init(unsigned hart)
{
    struct cpu *c = &cpus[hart];
    __asm__ volatile("mv tp, %0" : : "r"(c)); /* from here on this_cpu() works */
    c->id = hart;
    return c;
}

static void cpu_online(struct cpu *c)
{
    vm_use(kernel_root);
    proc_init_cpu(c);
    trap_init_cpu();
    __atomic_fetch_add(&cpus_online, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&c->online, true, __ATOMIC_RELEASE);
}

void secondary_main(unsigned hart) __attribute__((noreturn));
void secondary_main(unsigned hart)
{
    cpu_online(cpu_init(hart));
    idle_loop();
}

static void start_others(void)
{
    for (unsigned i = 0; i < NCPU; i++) {
        if (i == boot_cpu || sbi_hart_start(i, PHYS(secondary_start), 0))
            continue; /* there is no such hart */
        while (!__atomic_load_n(&cpus[i].online, __ATOMIC_ACQUIRE))
            ;
    }
}

/* From entry.S, in the upper half, on the boot page table. */
void main(unsigned hart, uint64_t fdt) __attribute__((noreturn));
void main(unsigned hart, uint64_t fdt)
{
    struct cpu *c = cpu_init(hart);
    boot_cpu = hart;
    uart_init();
    if (fdt >= RAM_BASE + RAM_MAX) /* it lies at the end of RAM */
        panic("more than %lu MiB of RAM", RAM_MAX >> 20);
    if (!fdt_read(VIRT(fdt), &machine))
        panic("no device tree at %lx", fdt);
    page_init();
    vm_init(machine.ram_size);
    plic_init(hart);
    cpu_online(c);
    start_others();
    kprintf("teachos: %u CPUs, booted by %u, %lu MiB, %lu of %lu pages free", cpus_online, boot_cpu,
            machine.ram_size >> 20, free_page_count, page_count);
    kprintf("teachos: bootargs \"%s\"", machine.bootargs);
    proc_start_init();
    idle_loop();
}

static void stop_here(void) __attribute__((noreturn));
static void stop_here(void)
{
    CSR_WRITE(sie, 0);
    __atomic_store_n(&this_cpu()->stopped, true, __ATOMIC_RELEASE);
    for (;;)
        __asm__ volatile("wfi");
}

/* An IPI's handler asks. */
void machine_check_stop(void)
{
    if (__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
        stop_here();
}

/* The others stop first, so that the counters that are printed stay true. */
void machine_stop(bool reboot)
{
    intr_off();
    if (__atomic_exchange_n(&stopping, 1, __ATOMIC_SEQ_CST))
        stop_here();
    for (unsigned i = 0; i < NCPU; i++) {
        struct cpu *c = &cpus[i];
        if (!c->online || c == this_cpu())
            continue;
        this_cpu()->count.ipi_sent++;
        sbi_send_ipi(i);
        while (!__atomic_load_n(&c->stopped, __ATOMIC_ACQUIRE))
            ;
    }
    stats_report();
    kprintf("teachos: %s", reboot ? "reboot" : "power off");
    sbi_reset(reboot, false);
    stop_here();
}
