/* SPDX-License-Identifier: MIT */
/* analysis/follow.c: what it tells of a sequence of events, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "analysis/follow.h"
#include "trace/events.h"

struct fixture {
    struct follow f;
    struct trace_schema schema;
    char told[1024];
    bool quiet; /* no hops of begins */
};

static void tell(void *x, const char *format, ...)
{
    struct fixture *s = x;
    size_t n = strlen(s->told);
    va_list args;

    va_start(args, format);
    vsnprintf(s->told + n, sizeof s->told - n, format, args);
    va_end(args);
}

static void on_lost(void *x, struct follow_cpu *cpu, uint64_t time)
{
    tell(x, "lost %u@%d ", cpu->cpu, (int)time);
}

static void on_run(void *x, struct follow_cpu *cpu, uint64_t time, const struct follow_task *prev,
                   int64_t state, const struct follow_task *next, const struct trace_event *ev)
{
    (void)cpu;
    (void)state;
    tell(x, "%srun %s>%s@%d ", ev ? "" : "?", prev->tid == FOLLOW_NOBODY ? "-" : prev->comm,
         next->tid == FOLLOW_NOBODY ? "-" : next->comm, (int)time);
}

/* "#7" with what it is of the interrupt: ? perhaps the first, ! the last; "(" when the first was,
 * and where. */
static void tell_hop(struct fixture *x, const struct follow_hop *hop)
{
    if (!hop)
        return;
    tell(x, "#%d%s", (int)hop->flow,
         hop->step == FOLLOW_FIRST  ? "?"
         : hop->step == FOLLOW_LAST ? "!"
                                    : "");
    if (hop->begins)
        tell(x, "(%s@%d)", hop->device ? hop->device->name : "", (int)hop->time);
}

static void on_begin(void *x, struct follow_place at, uint64_t time, const char *name,
                     const struct trace_event *ev)
{
    assert_non_null(ev);
    assert_int_equal(at.thread != NULL,
                     at.slice == FOLLOW_SLICE_CALL || at.slice == FOLLOW_SLICE_FAULT);
    tell(x, "<%s%s@%d", at.thread ? "call " : "",
         strcmp(name, "supervisor timer interrupt") ? name : "timer", (int)time);
    if (!((struct fixture *)x)->quiet)
        tell_hop(x, at.hop);
    tell(x, " ");
}

static void on_end(void *x, struct follow_place at, uint64_t time, const struct trace_event *ev)
{
    tell(x, "%s%s>@%d", ev ? "" : "?", at.thread ? "call " : "", (int)time);
    tell_hop(x, at.hop);
    tell(x, " ");
}

static void on_point(void *x, struct follow_place at, uint64_t time, const char *name,
                     const struct trace_event *ev)
{
    assert_true(!at.device == !name);
    if (at.device)
        tell(x, "%s: ", at.device->name);
    tell(x, "%s@%d", name ? name : ev->type->name, (int)time);
    tell_hop(x, at.hop);
    tell(x, " ");
}

static void on_task(void *x, struct follow_cpu *cpu, uint64_t time, unsigned kind,
                    const uint8_t *field, const struct trace_event *ev)
{
    (void)cpu;
    (void)kind;
    (void)field;
    tell(x, "%s@%d ", ev->type->name, (int)time);
}

static int setup(void **state)
{
    static const struct follow_ops ops = {on_lost, on_run, on_begin, on_end, on_point, on_task};
    static const struct trace_field tid = {"tid", TRACE_S32, 0, NULL};
    static const struct trace_env env = {"architecture", "riscv64"};
    static const struct trace_metadata metadata = {.env = &env, .nenv = 1};
    const struct trace_type types[] = {
        {TRACE_USER_FIRST, 1, "syscall_entry_read", NULL, NULL, &tid},
        {TRACE_USER_FIRST + 1, 1, "syscall_exit_read", NULL, NULL, &tid}};
    struct fixture *s = calloc(1, sizeof *s);

    *state = s;
    trace_schema_init(&s->schema);
    if (trace_schema_add_builtin(&s->schema) || trace_schema_add(&s->schema, &types[0]) ||
        trace_schema_add(&s->schema, &types[1]))
        return -1;
    s->quiet = true;
    const struct follow_options o = follow_recording(&metadata, NULL);
    return follow_init(&s->f, &o, &ops, s) ? -1 : 0;
}

static int teardown(void **state)
{
    struct fixture *s = *state;

    assert_false(s->f.nomem);
    follow_free(&s->f);
    trace_schema_free(&s->schema);
    free(s);
    return 0;
}

/* An event of vCPU 0 whose integers are `values` in order and whose strings are "t" and a number.
 */
static void event(struct fixture *s, uint64_t time, unsigned id, bool gap, const int *values)
{
    const struct trace_type *type = &trace_schema_layout(&s->schema, id)->type;
    struct trace_event ev = {.time = time, .gap = gap, .type = type};
    uint8_t bytes[256] = {0};
    uint16_t n = 0;

    for (unsigned i = 0; i < type->nfields; i++) {
        ev.own[i] = n;
        if (type->fields[i].kind == TRACE_STRING) { /* names the integer that follows it */
            n += (uint16_t)(snprintf((char *)bytes + n, 16, "t%d", values ? *values : 0) + 1);
            continue;
        }
        int64_t v = values ? *values++ : 0;
        memcpy(bytes + n, &v, trace_kind_size(type->fields[i].kind));
        n += (uint16_t)trace_kind_size(type->fields[i].kind);
    }
    ev.bytes = bytes;
    ev.at = ev.own;
    follow_event(&s->f, &ev);
}

#define EVENT(time, id, gap, ...) event(s, time, id, gap, (const int[]){__VA_ARGS__, 0, 0, 0, 0, 0})
#define SWITCH(time, from, to)    EVENT(time, TRACE_SCHED_SWITCH, false, from, 20, 1, to, 20)
#define TRAP(time, from)          EVENT(time, TRACE_TRAP_ENTRY, false, 1, 0x8005, from)
#define TRAP_EXIT(time, to)       EVENT(time, TRACE_TRAP_EXIT, false, 1, to)
#define CALL(time, tid)           EVENT(time, TRACE_USER_FIRST, false, tid)
#define CALL_EXIT(time, tid)      EVENT(time, TRACE_USER_FIRST + 1, false, tid)

static void is(struct fixture *s, const char *expected)
{
    assert_string_equal(s->told, expected);
    s->told[0] = 0;
}

static void test_switches(void **state)
{
    struct fixture *s = *state;

    SWITCH(1, 0, 7);
    SWITCH(2, 7, 8);
    is(s, "run t0>t7@1 run t7>t8@2 ");
    EVENT(5, TRACE_SCHED_WAKING, true, 9, 20, 0); /* who wakes it is not known */
    SWITCH(6, 8, 0);
    is(s, "?run t8>-@2 lost 0@5 sched_waking@5 ?run ->t8@6 run t8>t0@6 ");
    SWITCH(9, 3, 4); /* not told as a gap, but one */
    is(s, "?run t0>-@6 ?run ->t3@9 run t3>t4@9 ");
    EVENT(20, TRACE_SCHED_SWITCH, true, 4, 20, 1, 5, 20);
    is(s, "?run t4>-@9 lost 0@20 ?run ->t4@20 run t4>t5@20 ");
}

static void test_time(void **state)
{
    struct fixture *s = *state;

    SWITCH(100, 0, 7);
    SWITCH(90, 7, 8);
    is(s, "run t0>t7@100 run t7>t8@100 ");
    TRAP(UINT64_C(2000000000), 1);
    SWITCH(110, 8, 9); /* that was no time */
    SWITCH(120, 9, 8);
    is(s, "<timer@2000000000 ?>@2000000000 ?run t8>-@2000000000 run t8>t9@110 run t9>t8@120 ");
}

static void test_traps(void **state)
{
    struct fixture *s = *state;

    TRAP_EXIT(1, 0);
    TRAP(2, 0);
    TRAP(3, 1);
    TRAP_EXIT(4, 1);
    TRAP_EXIT(5, 0);
    is(s, "trap_exit@1 <timer@2 <timer@3 >@4 >@5 ");
    /* preempted in the inner one, and another task returns to the user */
    TRAP(6, 0);
    TRAP(7, 1);
    TRAP_EXIT(8, 0);
    is(s, "<timer@6 <timer@7 >@8 ?>@8 ");
    /* an end that is missing */
    TRAP(9, 0);
    TRAP(10, 0);
    is(s, "<timer@9 ?>@10 <timer@10 ");
    EVENT(12, TRACE_VCPU_RESUME, true, 0);
    is(s, "?>@10 lost 0@12 vcpu_resume@12 ");
    for (int i = 0; i < FOLLOW_DEPTH; i++)
        TRAP(13, 1);
    s->told[0] = 0;
    TRAP(14, 1);
    assert_int_equal(s->f.cpus[0].depth, 1);
}

static void test_waits(void **state)
{
    struct fixture *s = *state;

    EVENT(1, TRACE_VCPU_IDLE, false, 0);
    EVENT(2, TRACE_VCPU_RESUME, false, 0);
    TRAP(3, 1);
    EVENT(4, TRACE_VCPU_IDLE, false, 0);
    EVENT(5, TRACE_VCPU_IDLE, false, 0);
    TRAP_EXIT(6, 1);
    is(s, "<idle@1 >@2 <timer@3 <idle@4 ?>@5 <idle@5 ?>@6 >@6 ");
    EVENT(7, TRACE_VCPU_IDLE, false, 0);
    TRAP(8, 1);
    is(s, "<idle@7 ?>@8 <timer@8 ");
}

static void test_calls(void **state)
{
    struct fixture *s = *state;

    CALL_EXIT(1, 7);
    CALL(2, 7);
    CALL(3, 8); /* another thread's does not end it */
    CALL_EXIT(4, 7);
    is(s, "syscall_exit_read@1 <call read@2 <call read@3 call >@4 ");
    CALL(5, 8);
    is(s, "?call >@5 <call read@5 ");
    EVENT(6, TRACE_SCHED_PROCESS_EXIT, false, 8, 20);
    CALL_EXIT(7, 8);
    is(s, "?call >@6 sched_process_exit@6 syscall_exit_read@7 ");
    CALL(8, 9); /* execs, and takes over the first thread's number */
    EVENT(9, TRACE_SCHED_PROCESS_EXEC, false, 7, 9);
    CALL_EXIT(10, 7);
    is(s, "<call read@8 ?call >@9 sched_process_exec@9 syscall_exit_read@10 ");
}

/* Handlers, softirqs and firmware lie within the traps. */
static void test_handlers(void **state)
{
    struct fixture *s = *state;

    TRAP(1, 1);
    EVENT(2, TRACE_IRQ_HANDLER_ENTRY, false, 5, 9);
    EVENT(3, TRACE_IRQ_HANDLER_EXIT, false, 5, 1);
    EVENT(4, TRACE_IRQ_SOFTIRQ_ENTRY, false, 4);
    TRAP(5, 1);
    TRAP_EXIT(6, 1);
    EVENT(7, TRACE_IRQ_SOFTIRQ_EXIT, false, 4);
    TRAP_EXIT(8, 1);
    is(s, "<timer@1 <irq 5 t9@2 >@3 <softirq block@4 <timer@5 >@6 >@7 >@8#1! ");
    /* ends that are missing: of what is within, and of what no switch leaves open */
    EVENT(9, TRACE_IRQ_SOFTIRQ_ENTRY, false, 99);
    TRAP(10, 1);
    EVENT(11, TRACE_IRQ_SOFTIRQ_EXIT, false, 99);
    is(s, "<softirq@9 <timer@10 ?>@11 >@11 ");
    TRAP(12, 1);
    EVENT(13, TRACE_IRQ_HANDLER_ENTRY, false, 5, 9);
    SWITCH(14, 7, 8);
    is(s, "<timer@12 <irq 5 t9@13 ?>@14 run t7>t8@14 ");
    TRAP_EXIT(15, 0);
    s->told[0] = 0;
    /* an end without a begin, of this number */
    EVENT(16, TRACE_IRQ_HANDLER_ENTRY, false, 5, 9);
    EVENT(17, TRACE_IRQ_HANDLER_EXIT, false, 6, 1);
    EVENT(18, TRACE_IRQ_SOFTIRQ_EXIT, false, 5);
    EVENT(19, TRACE_IRQ_SOFTIRQ_RAISE, false, 5);
    is(s, "<irq 5 t9@16 irq_handler_exit@17 irq_softirq_exit@18 irq_softirq_raise@19 ");
    EVENT(20, TRACE_VCPU_RESUME, true, 0);
    is(s, "?>@19 ?run t8>-@19 lost 0@20 vcpu_resume@20 ");
    EVENT(21, TRACE_X86_IRQ_VECTORS_LOCAL_TIMER_ENTRY, false, 236);
    EVENT(22, TRACE_X86_IRQ_VECTORS_LOCAL_TIMER_EXIT, false, 236);
    is(s, "<local_timer@21 >@22 ");
}

static void test_firmware(void **state)
{
    struct fixture *s = *state;

    EVENT(1, TRACE_FIRMWARE_ENTRY, false, 9, 1);
    EVENT(2, TRACE_FIRMWARE_EXIT, false, 1);
    EVENT(3, TRACE_FIRMWARE_EXIT, false, 1);
    is(s, "<firmware: environment call from S@1 >@2 firmware_exit@3 ");
    TRAP(4, 0);
    EVENT(5, TRACE_FIRMWARE_ENTRY, false, 0x8007, 1);
    TRAP(6, 1); /* it has left */
    TRAP_EXIT(7, 1);
    is(s, "<timer@4 <firmware: machine timer interrupt@5 ?>@6 <timer@6 >@7 ");
    EVENT(8, TRACE_FIRMWARE_ENTRY, false, 2, 0); /* out of user mode */
    EVENT(9, TRACE_VCPU_IDLE, false, 0);
    is(s, "?>@8 <firmware: illegal instruction@8 ?>@9 <idle@9 ");
}

/* A page fault lies within a call, or alone. */
static void test_faults(void **state)
{
    struct fixture *s = *state;

#define FAULT(time, tid, flags, area)                                                              \
    EVENT(time, TRACE_PAGE_FAULT_ENTRY, false, tid, 0, 0, flags, 0, 0, 0, area, 0, 0, 0, 0, 0)
#define FAULT_EXIT(time, tid) EVENT(time, TRACE_PAGE_FAULT_EXIT, false, tid, 0, 0, 0, 0, 0)
    FAULT(1, 7, 0x41, 2);
    FAULT_EXIT(2, 8);
    FAULT_EXIT(3, 7);
    is(s, "<call page fault: write heap@1 page_fault_exit@2 call >@3 ");
    CALL(4, 7);
    FAULT(5, 7, 0x140, 1);
    CALL_EXIT(6, 7);
    is(s, "<call read@4 <call page fault: execute file@5 ?call >@6 call >@6 ");
    FAULT(7, 7, 0, 77);
    FAULT(8, 7, 0, 3);
    CALL(9, 7);
    is(s, "<call page fault: read memory@7 ?call >@8 <call page fault: read stack@8 ?call >@9 "
          "<call read@9 ");
}

/* mmio: device t1 is not known to be anything; names are given. */
static void mmio(struct fixture *s, uint64_t time, uint32_t cpu, const char *device,
                 const char *reg, uint64_t offset, uint64_t value, bool write)
{
    struct trace_event ev = {
        .time = time, .cpu = cpu, .type = &trace_schema_layout(&s->schema, TRACE_MMIO)->type};
    const uint64_t numbers[3] = {0x1000, offset, value};
    uint8_t bytes[160];
    uint16_t n = 0;

    ev.own[0] = n;
    n += (uint16_t)(snprintf((char *)bytes, 64, "%s", device) + 1);
    ev.own[1] = n;
    n += (uint16_t)(snprintf((char *)bytes + n, 32, "%s", reg) + 1);
    for (unsigned i = 0; i < 3; i++, n += 8) {
        ev.own[2 + i] = n;
        memcpy(bytes + n, &numbers[i], 8);
    }
    ev.own[5] = n;
    bytes[n++] = 4;
    ev.own[6] = n;
    bytes[n++] = write;
    ev.bytes = bytes;
    ev.at = ev.own;
    ev.size = n;
    follow_event(&s->f, &ev);
}

#define EXTERNAL(time) EVENT(time, TRACE_TRAP_ENTRY, false, 1, 0x8009, 1)
#define PLIC           "riscv.sifive.plic"

/* claim and complete of the PLIC; a second source in the same trap; a claim that is early. */
static void test_plic(void **state)
{
    struct fixture *s = *state;

    s->quiet = false;
    EXTERNAL(10000);
    mmio(s, 10001, 0, PLIC, "claim[1]", 4, 8, false);
    EVENT(10002, TRACE_IRQ_HANDLER_ENTRY, false, 5, 8);
    EVENT(10003, TRACE_IRQ_HANDLER_EXIT, false, 5, 1);
    mmio(s, 10004, 0, PLIC, "complete[1]", 4, 8, true);
    is(s, "<supervisor external interrupt@10000#1? " PLIC ": read claim[1]@10001#1(@10000) "
          "<irq 5 t8@10002#1 >@10003 " PLIC ": write complete[1]@10004#1! ");
    /* the handler's fields are irq, name t<hwirq>, hwirq: of 9 */
    mmio(s, 10005, 0, PLIC, "claim[1]", 4, 9, false);
    EVENT(10006, TRACE_IRQ_HANDLER_ENTRY, false, 6, 9);
    mmio(s, 10007, 0, PLIC, "complete[1]", 4, 9, true);
    mmio(s, 10008, 0, PLIC, "claim[1]", 4, 0, false);
    TRAP_EXIT(10009, 1);
    is(s, PLIC ": read claim[1]@10005#2? <irq 6 t9@10006#2(" PLIC "@10005) " PLIC
               ": write complete[1]@10007#2! " PLIC ": read claim[1]@10008 ?>@10009 >@10009 ");
    /* before its trap by QEMU's clock */
    mmio(s, 20000, 0, PLIC, "claim[1]", 4, 8, false);
    is(s, "");
    EXTERNAL(20900);
    is(s, "<supervisor external interrupt@20900#3? " PLIC ": read claim[1]@20900#3(@20900) ");
    TRAP_EXIT(21000, 1);
    is(s, ">@21000#3! ");
    /* one whose trap is not in the recording */
    mmio(s, 30000, 0, PLIC, "claim[1]", 4, 8, false);
    EXTERNAL(39000);
    is(s, "<supervisor external interrupt@39000#4? " PLIC ": read claim[1]@30000#5? ");
    TRAP_EXIT(39001, 1);
    mmio(s, 40000, 0, PLIC, "claim[1]", 4, 7, false);
    s->told[0] = 0;
    follow_end(&s->f);
    is(s, PLIC ": read claim[1]@40000#6? ");
}

static void test_ipi(void **state)
{
    struct fixture *s = *state;

    s->quiet = false;
    mmio(s, 1, 1, "riscv.aclint.swi", "msip[0]", 0, 1, true);
    EVENT(2, TRACE_TRAP_ENTRY, false, 1, 0x8001, 1);
    mmio(s, 3, 0, "riscv.aclint.swi", "msip[0]", 0, 0, true);
    TRAP_EXIT(4, 1);
    EVENT(5, TRACE_TRAP_ENTRY, false, 1, 0x8001, 1); /* nobody raised that */
    TRAP_EXIT(6, 1);
    is(s, "riscv.aclint.swi: write msip[0]@1#1? <supervisor software interrupt@2#1"
          "(riscv.aclint.swi@1) riscv.aclint.swi: write msip[0]@3 >@4#1! "
          "<supervisor software interrupt@5#2? >@6 ");
    mmio(s, 6, 1, "swi", "msip[0]", 0, 1, true); /* by way of the firmware */
    EVENT(6, TRACE_FIRMWARE_ENTRY, false, 0x8003, 1);
    EVENT(6, TRACE_FIRMWARE_EXIT, false, 1);
    EVENT(6, TRACE_TRAP_ENTRY, false, 1, 0x8001, 1);
    TRAP_EXIT(6, 1);
    is(s, "swi: write msip[0]@6#3? <firmware: machine software interrupt@6#3(swi@6) >@6 "
          "<supervisor software interrupt@6#3 >@6#3! ");
    mmio(s, 7, 1, "riscv.aclint.swi", "msip[0]", 0, 1, true);
    EVENT(8, TRACE_VCPU_RESUME, true, 0); /* who knows who took it */
    EVENT(9, TRACE_TRAP_ENTRY, false, 1, 0x8001, 1);
    is(s, "riscv.aclint.swi: write msip[0]@7#4? lost 0@8 vcpu_resume@8 "
          "<supervisor software interrupt@9#5? ");
}

/* x86: messages, and the EOI on either side of the handler. */
static void test_apic(void **state)
{
    struct fixture *s = *state;

    s->quiet = false;
    s->f.arch = arch_find("x86_64");
    mmio(s, 1, UINT32_MAX, "apic-msi", "message[1]", 0, 0x22, true);
    EVENT(2, TRACE_TRAP_ENTRY, false, 1, 0x22, 0);
    mmio(s, 3, 0, "apic-msi", "EOI", 0xb0, 0, true);
    EVENT(4, TRACE_IRQ_HANDLER_ENTRY, false, 5, 1);
    EVENT(5, TRACE_IRQ_HANDLER_EXIT, false, 5, 1);
    TRAP_EXIT(6, 0);
    is(s, "apic-msi: write message[1]@1#1? <interrupt 34@2#1(apic-msi@1) "
          "apic-msi: write EOI@3#1 <irq 5 t1@4#1 >@5 >@6#1! ");
    mmio(s, 7, 1, "apic-msi", "ICR_low", 0x300, 0xfd, true);
    EVENT(8, TRACE_TRAP_ENTRY, false, 1, 0xfd, 0);
    EVENT(9, TRACE_X86_IRQ_VECTORS_RESCHEDULE_ENTRY, false, 0xfd);
    mmio(s, 10, 0, "apic-msi", "EOI", 0xb0, 0, true);
    mmio(s, 11, 0, "apic-msi", "EOI", 0xb0, 0, true); /* of what, nobody knows */
    is(s, "apic-msi: write ICR_low@7#2? <interrupt 253@8#2(apic-msi@7) <reschedule@9#2 "
          "apic-msi: write EOI@10#2 apic-msi: write EOI@11 ");
}

/* Places for devices are bounded; who finds none is at the vCPU. */
static void test_devices(void **state)
{
    struct fixture *s = *state;
    char name[16];

    for (int i = 0; i < 2 * FOLLOW_DEVICES; i++) {
        snprintf(name, sizeof name, "d%d", i);
        s->told[0] = 0;
        mmio(s, 1, 0, name, "", 0x20, 1, i % 2);
    }
    is(s, "mmio@1 ");
    assert_int_equal(s->f.ndevices, FOLLOW_DEVICES);
    mmio(s, 2, 0, "d5", "", 0x20, 1, true);
    is(s, "d5: write 0x20@2 ");
}

static void test_threads(void **state)
{
    struct fixture *s = *state;

    EVENT(1, TRACE_SCHED_PROCESS_FORK, false, 1, 1, 50, 50);
    EVENT(2, TRACE_SCHED_PROCESS_FORK, false, 50, 50, 51, 50);
    assert_int_equal(follow_thread(&s->f, 50)->pid, 50);
    assert_int_equal(follow_thread(&s->f, 50)->ppid, 1);
    assert_int_equal(follow_thread(&s->f, 51)->pid, 50);
    assert_int_equal(follow_thread(&s->f, 1)->pid, 1);
    CALL(3, 51);
    EVENT(4, TRACE_SCHED_PROCESS_FORK, false, 1, 1, 51, 51); /* the number is used again */
    assert_int_equal(follow_thread(&s->f, 51)->pid, 51);
    assert_null(follow_thread(&s->f, 51)->call);
    /* as many as a hostile guest likes */
    for (int i = 0; i < 3 * FOLLOW_THREADS; i++) {
        CALL(5, i);
        s->told[0] = 0;
    }
    assert_true(s->f.threads.len <= FOLLOW_THREADS);
    assert_true(s->f.index.len <= FOLLOW_THREADS);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_handlers), TEST(test_firmware), TEST(test_faults),  TEST(test_plic),
        TEST(test_ipi),      TEST(test_apic),     TEST(test_devices), TEST(test_switches),
        TEST(test_time),     TEST(test_traps),    TEST(test_waits),   TEST(test_calls),
        TEST(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
