/* SPDX-License-Identifier: MIT */
/*
 * A kernel for tests of 32-bit x86: two processes in ring 3, system calls by `int 0x40` with
 * registers as Linux has them, a timer, pages that are mapped when they are touched. It counts what
 * it does, and says so when process ping asks for it (SYS_report); a byte on the serial line makes
 * both processes do some rounds of work. Numbers of calls and states are macros.
 *
 * It is loaded by multiboot (-kernel), and has one page directory for all: what lies below 8 MiB is
 * where it is, from TOUCH on there is nothing until it is touched.
 */
#include "kernel.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

enum { NPROC = 4, STACK = 4096, ROUNDS = 20, TOUCH = 0x40000000, LARGE = 4 << 20, VECTORS = 256 };
enum { COM1 = 0x3f8, PIC1 = 0x20, PIC2 = 0xa0, PIT = 0x40, HZ = 100 };
enum { KCODE = 0x08, KDATA = 0x10, UCODE = 0x1b, UDATA = 0x23, TSS = 0x28 };

struct context {
    u32 edi, esi, ebx, ebp, eip;
};

struct trapframe { /* as alltraps and the CPU push it */
    u32 edi, esi, ebp, oesp, ebx, edx, ecx, eax, ds, vector, error, eip, cs, eflags, esp, ss;
};

struct proc {
    int pid;
    int state; /* P_… */
    char name[16];
    u8 *stack; /* the kernel's */
    struct context *context;
    struct trapframe *frame;
    const void *channel;
};

struct cpu {
    struct context *scheduler;
    struct proc *proc;
} cpus[1];

struct counters {
    u32 calls, switches, faults, timer, serial, woken;
} counters;

struct lock {
    int taken;
    const char *name;
} calls_lock = {0, "calls"};

struct proc procs[NPROC];
u32 page_directory[1024] __attribute__((aligned(4096)));
static u8 kernel_stacks[NPROC][STACK] __attribute__((aligned(16)));
static u8 user_stacks[NPROC][STACK] __attribute__((aligned(16)));
static struct {
    u16 low, selector;
    u8 zero, type;
    u16 high;
} __attribute__((packed)) idt[VECTORS];
static u32 tss[26];
static u32 gdt[12] = {0,      0,        0xffff, 0xcf9a00, 0xffff, 0xcf9200,
                      0xffff, 0xcffa00, 0xffff, 0xcff200, 0,      0};
static volatile int go;

extern const u32 handlers[VECTORS];
void swtch(struct context **old, struct context *next);
void trap_return(void);
void lock_take(struct lock *l);

/* ---- the machine ---- */

static void out8(u16 port, u8 v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static u8 in8(u16 port)
{
    u8 v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static void put_char(char c)
{
    while (!(in8(COM1 + 5) & 0x20))
        ;
    out8(COM1, (u8)c);
}

static void put_text(const char *s)
{
    while (*s)
        put_char(*s++);
}

static void put_number(const char *name, u32 v)
{
    char text[12];
    int n = 0;

    put_text(name);
    put_char(' ');
    do
        text[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        put_char(text[--n]);
}

static void load_tables(void)
{
    struct {
        u16 size;
        u32 at;
    } __attribute__((packed)) pointer = {sizeof gdt - 1, (u32)gdt};
    u32 t = (u32)tss;

    tss[2] = KDATA; /* ss0 */
    gdt[10] = t << 16 | (sizeof tss - 1);
    gdt[11] = (t & 0xff000000) | 0x8900 | (t >> 16 & 0xff);
    __asm__ volatile("lgdt %0; ljmp %1, $1f; 1: mov %2, %%ds; mov %2, %%es; mov %2, %%ss;"
                     "mov %2, %%fs; mov %2, %%gs; ltr %w3"
                     :
                     : "m"(pointer), "i"(KCODE), "r"(KDATA), "r"(TSS));
    for (int i = 0; i < VECTORS; i++) {
        idt[i].low = (u16)handlers[i];
        idt[i].high = (u16)(handlers[i] >> 16);
        idt[i].selector = KCODE;
        idt[i].type = i == CALL_VECTOR ? 0xee : 0x8e;
    }
    pointer.size = sizeof idt - 1;
    pointer.at = (u32)idt;
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void start_paging(void)
{
    for (u32 i = 0; i < 2; i++)
        page_directory[i] = i * LARGE | 0x87; /* 4 MiB, for all, to be written */
    __asm__ volatile("mov %0, %%cr3; mov %%cr4, %%eax; or $0x10, %%eax; mov %%eax, %%cr4;"
                     "mov %%cr0, %%eax; or $0x80000000, %%eax; mov %%eax, %%cr0"
                     :
                     : "r"(page_directory)
                     : "eax", "memory");
}

static void start_devices(void)
{
    out8(PIC1, 0x11), out8(PIC1 + 1, IRQ_VECTOR), out8(PIC1 + 1, 4), out8(PIC1 + 1, 1);
    out8(PIC2, 0x11), out8(PIC2 + 1, IRQ_VECTOR + 8), out8(PIC2 + 1, 2), out8(PIC2 + 1, 1);
    out8(PIC1 + 1, (u8) ~(1 << 0 | 1 << 4)), out8(PIC2 + 1, 0xff);
    out8(PIT + 3, 0x34), out8(PIT, (u8)(1193182 / HZ)), out8(PIT, (u8)(1193182 / HZ >> 8));
    out8(COM1 + 1, 1), out8(COM1 + 4, 0x0b);
}

/* ---- locks, where there is one CPU and no interrupt in the kernel ---- */

/* lock_take() ends with a jump to this. */
__attribute__((noinline)) void lock_taken(const struct lock *l)
{
    if (!l->taken)
        put_text("wrong: not taken\n");
}

__attribute__((noinline)) void lock_release(struct lock *l)
{
    l->taken = 0;
}

/* ---- processes ---- */

static void sched(void)
{
    struct cpu *c = &cpus[0];

    counters.switches++;
    swtch(&c->proc->context, c->scheduler);
}

static void yield(void)
{
    cpus[0].proc->state = P_READY;
    sched();
}

static void sleep(const void *channel)
{
    struct proc *p = cpus[0].proc;

    p->channel = channel;
    p->state = P_SLEEPING;
    sched();
}

__attribute__((noinline)) static void wakeup(const void *channel)
{
    for (struct proc *p = procs; p < procs + NPROC; p++)
        if (p->state == P_SLEEPING && p->channel == channel) {
            counters.woken++;
            p->state = P_READY;
        }
}

static void scheduler(void)
{
    struct cpu *c = &cpus[0];
    unsigned last = 0;

    for (;;) {
        struct proc *next = 0;
        for (unsigned i = 1; i <= NPROC && !next; i++)
            if (procs[(last + i) % NPROC].state == P_READY)
                next = &procs[last = (last + i) % NPROC];
        __asm__ volatile("sti; nop; cli");
        if (!next) {
            __asm__ volatile("sti; hlt; cli");
            continue;
        }
        c->proc = next;
        next->state = P_RUNNING;
        tss[1] = (u32)next->stack + STACK; /* esp0 */
        counters.switches++;
        swtch(&c->scheduler, next->context);
        c->proc = 0;
    }
}

static void make_process(int i, const char *name, void (*run)(void))
{
    struct proc *p = &procs[i];

    p->pid = i + 1;
    for (int k = 0; name[k]; k++)
        p->name[k] = name[k];
    p->stack = kernel_stacks[i];
    p->frame = (struct trapframe *)(p->stack + STACK) - 1;
    *p->frame = (struct trapframe){.ds = UDATA,
                                   .eip = (u32)run,
                                   .cs = UCODE,
                                   .eflags = 0x202,
                                   .esp = (u32)user_stacks[i] + STACK,
                                   .ss = UDATA};
    p->context = (struct context *)p->frame - 1;
    *p->context = (struct context){.eip = (u32)trap_return};
    p->state = P_READY;
}

/* ---- traps ---- */

static void report(void)
{
    put_number("calls", counters.calls);
    put_number(" switches", counters.switches);
    put_number(" faults", counters.faults);
    put_number(" timer", counters.timer);
    put_number(" serial", counters.serial);
    put_number(" woken", counters.woken);
    put_char('\n');
}

static int call(struct trapframe *f)
{
    int done = go;

    lock_take(&calls_lock);
    counters.calls++;
    lock_release(&calls_lock);
    switch (f->eax) {
    case SYS_write:
        for (u32 i = 0; i < f->ecx; i++)
            put_char(((const char *)f->ebx)[i]);
        return (int)f->ecx;
    case SYS_yield: yield(); return 0;
    case SYS_getpid: return cpus[0].proc->pid;
    case SYS_wait:
        while (go == done)
            sleep((const void *)&go);
        return go;
    case SYS_report: report(); return 0;
    default: return -38;
    }
}

static int map(u32 address)
{
    if (address < TOUCH)
        return 0;
    counters.faults++;
    page_directory[address / LARGE] = LARGE | 0x87;
    return 1;
}

__attribute__((noinline)) void device(u32 irq)
{
    if (irq == 0) {
        counters.timer++;
    } else {
        counters.serial++;
        in8(COM1);
        go++;
        wakeup((const void *)&go);
    }
}

__attribute__((noinline)) void device_done(void)
{
    out8(PIC1, 0x20);
}

void trap(struct trapframe *f)
{
    u32 cr2;

    if (f->cs & 3)
        cpus[0].proc->frame = f;
    if (f->vector == CALL_VECTOR) {
        f->eax = (u32)call(f);
    } else if (f->vector >= IRQ_VECTOR) {
        device(f->vector - IRQ_VECTOR);
        device_done();
        if ((f->cs & 3) && f->vector == IRQ_VECTOR)
            yield();
    } else {
        __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
        if (f->vector == 14 && map(cr2))
            return;
        put_number("panic: trap", f->vector);
        for (;;)
            __asm__ volatile("cli; hlt");
    }
}

/* ---- programs: ring 3 from here on ---- */

static int ask(int number, u32 a, u32 b)
{
    int result;

    __asm__ volatile("int %1"
                     : "=a"(result)
                     : "i"(CALL_VECTOR), "a"(number), "b"(a), "c"(b)
                     : "memory");
    return result;
}

static void ping(void)
{
    for (u32 page = 0;; page += ROUNDS) {
        ask(SYS_wait, 0, 0);
        for (u32 i = 0; i < ROUNDS; i++) {
            ask(SYS_write, (u32) "ping\n", 5);
            *(volatile u32 *)(TOUCH + (page + i) % 200 * LARGE) = i;
            ask(SYS_yield, 0, 0);
        }
        ask(99, 0, 0);
        ask(SYS_report, 0, 0);
    }
}

static void pong(void)
{
    for (;;) {
        ask(SYS_wait, 0, 0);
        for (u32 i = 0; i < ROUNDS; i++) {
            if (ask(SYS_getpid, 0, 0) != 2)
                ask(SYS_write, (u32) "wrong\n", 6);
            ask(SYS_yield, 0, 0);
        }
    }
}

void kernel_main(void)
{
    load_tables();
    start_paging();
    start_devices();
    make_process(0, "ping", ping);
    make_process(1, "pong", pong);
    put_text("ready\n");
    scheduler();
}
