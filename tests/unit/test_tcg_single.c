/* SPDX-License-Identifier: MIT */
/* capture/tcg/plugin.c and single.c inside of a QEMU that runs its vCPUs in one thread, as with
 * -icount: callbacks name the vCPU that translated, and none comes for idling. The argument says
 * how many vCPUs it has, for the plugin's state lives as long as the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "capture/control.h"
#include "capture/tcg/api.h"

#include <pthread.h>
#include <stdio.h>

/* ---- QEMU ---- */

struct qemu_plugin_insn {
    uint64_t vaddr;
    uint32_t bytes;
    unsigned n;
    struct {
        qemu_plugin_vcpu_udata_cb_t cb;
        void *userdata;
        enum qemu_plugin_cb_flags flags;
    } cbs[4];
};

struct qemu_plugin_tb {
    size_t n;
    struct qemu_plugin_insn insns[4];
};

enum { PC = 0x4ff0, ADDI = 0x00158593, CSRR = 0x14202573, WFI = 0x10500073, ECALL = 0x73 };

static struct {
    qemu_plugin_vcpu_simple_cb_t init, gone, idle, resume;
    qemu_plugin_vcpu_tb_trans_cb_t trans;
    qemu_plugin_simple_cb_t reset;
    struct qemu_plugin_tb tb;
    uint64_t hart;   /* that executes */
    bool page_ends;  /* the page after the one at 0x4000 is not there */
    bool has_hartid; /* it can be read */
} qemu = {.has_hartid = true};

char *g_array_free(GArray *array, int free_segment)
{
    free(array);
    return NULL;
}

unsigned g_array_get_element_size(GArray *array)
{
    return sizeof(qemu_plugin_reg_descriptor);
}

GByteArray *g_byte_array_sized_new(unsigned reserved)
{
    GByteArray *a = calloc(1, sizeof *a);

    if (a)
        a->data = malloc(reserved);
    return a;
}

GByteArray *g_byte_array_set_size(GByteArray *array, unsigned length)
{
    array->len = length;
    return array;
}

void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    assert_null(qemu.reset);
    qemu.reset = (qemu_plugin_simple_cb_t)cb;
}

void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    qemu.init = (qemu_plugin_vcpu_simple_cb_t)cb;
}

void qemu_plugin_register_vcpu_exit_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    qemu.gone = (qemu_plugin_vcpu_simple_cb_t)cb;
}

void qemu_plugin_register_vcpu_idle_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    qemu.idle = (qemu_plugin_vcpu_simple_cb_t)cb;
}

void qemu_plugin_register_vcpu_resume_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                         void *userdata)
{
    qemu.resume = (qemu_plugin_vcpu_simple_cb_t)cb;
}

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                           void *userdata)
{
    qemu.trans = (qemu_plugin_vcpu_tb_trans_cb_t)cb;
}

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            qemu_plugin_vcpu_udata_cb_t cb,
                                            enum qemu_plugin_cb_flags flags, void *userdata)
{
    assert_true(insn->n < ARRAY_SIZE(insn->cbs));
    insn->cbs[insn->n].cb = cb;
    insn->cbs[insn->n].flags = flags;
    insn->cbs[insn->n++].userdata = userdata;
}

/* Accesses are not watched here. */

void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_mem_cb_t cb,
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
                                      void *userdata)
{
    abort();
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, qemu_plugin_vcpu_udata_cb_t cb,
                                          enum qemu_plugin_cb_flags flags, void *userdata)
{
    abort();
}

bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info)
{
    abort();
}

unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info)
{
    abort();
}

struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t vaddr)
{
    abort();
}

uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *haddr)
{
    abort();
}

void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn)
{
    abort();
}

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb)
{
    return tb->n;
}

struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx)
{
    return idx < tb->n ? (struct qemu_plugin_insn *)(uintptr_t)&tb->insns[idx] : NULL;
}

size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len)
{
    memcpy(dest, &insn->bytes, MIN(len, sizeof insn->bytes));
    return MIN(len, sizeof insn->bytes);
}

size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn)
{
    return sizeof insn->bytes;
}

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn)
{
    return insn->vaddr;
}

GArray *qemu_plugin_get_registers(void)
{
    static qemu_plugin_reg_descriptor d[2] = {{(void *)0x10, "a0", NULL},
                                              {(void *)0x11, "mhartid", NULL}};
    GArray *a = calloc(1, sizeof *a);

    if (a)
        *a = (GArray){(char *)d, 2};
    return a;
}

int qemu_plugin_read_register(struct qemu_plugin_register *handle, GByteArray *buf)
{
    uint64_t v = (uintptr_t)handle == 0x11 ? qemu.hart : 0x10;

    if ((uintptr_t)handle == 0x11 && !qemu.has_hartid)
        return 0;
    memcpy(buf->data + buf->len, &v, sizeof v);
    buf->len += sizeof v;
    return sizeof v;
}

/* The block's instructions, and zeroes. */
bool qemu_plugin_read_memory_vaddr(uint64_t addr, GByteArray *data, size_t len)
{
    if (qemu.page_ends && addr + len > 0x5000)
        return false;
    g_byte_array_set_size(data, (unsigned)len);
    for (size_t i = 0; i < len; i++) {
        uint64_t at = addr + i - PC;
        data->data[i] =
            at / 4 < qemu.tb.n ? (uint8_t)(qemu.tb.insns[at / 4].bytes >> at % 4 * 8) : 0;
    }
    return true;
}

static void do_reset(void)
{
    qemu_plugin_simple_cb_t cb = qemu.reset;

    assert_non_null(cb);
    qemu.reset = NULL;
    qemu.init = qemu.gone = qemu.idle = qemu.resume = NULL;
    qemu.trans = NULL;
    cb(1);
}

static void translate(void)
{
    static const uint32_t code[] = {ADDI, CSRR, ADDI, WFI};

    qemu.tb = (struct qemu_plugin_tb){.n = 4};
    for (unsigned i = 0; i < 4; i++) {
        qemu.tb.insns[i].vaddr = PC + 4 * i;
        qemu.tb.insns[i].bytes = code[i];
    }
    if (qemu.trans)
        qemu.trans(1, &qemu.tb);
}

enum { PLAIN, SYSTEM, INNER, WAIT };

/* An instruction of the block executes on a hart; the callback is told vCPU 0, which translated. */
static void execute(uint64_t hart, unsigned insn)
{
    qemu.hart = hart;
    for (unsigned i = 0; i < qemu.tb.insns[insn].n; i++)
        qemu.tb.insns[insn].cbs[i].cb(0, qemu.tb.insns[insn].cbs[i].userdata);
}

/* ---- oscope ---- */

static struct control *control;
static struct wire_control *shared;

static uint64_t fired(unsigned index, unsigned slot)
{
    const struct wire_ring *r =
        (const void *)((const uint8_t *)shared + shared->rings_at + index * shared->ring_stride);
    return atomic_load(&r->counts[slot].fired);
}

static uint64_t wish(void (*write)(struct probe_set *s))
{
    struct probe_set s;
    uint64_t generation;

    probe_set_init(&s);
    if (write)
        write(&s);
    assert_null(probe_set_finish(&s));
    probe_set_slots(&s, NULL);
    assert_null(control_wish(control, &s, &generation));
    probe_set_free(&s);
    return generation;
}

static void expect_refused(uint64_t generation, const char *why)
{
    bool settled;
    struct oscope_error *err = control_settled(control, generation, &settled);

    assert_non_null(err);
    assert_non_null(strstr(err->message, why));
    oscope_error_free(err);
}

static void event(struct probe_set *s, unsigned type)
{
    probe_event(s, type);
    probe_put(s, probe_vcpu(s), 4);
    probe_end(s);
}

/* Slots: */
enum { AT, OPCODE, IDLE, RESUME };

static void probes(struct probe_set *s)
{
    probe_exec(s, "exec", PC);
    event(s, 1);
    probe_opcode(s, "opcode", 0xfffff07f, 0x14202073);
    event(s, 2);
    probe_idle(s, "idle");
    event(s, 3);
    probe_resume(s, "resume");
    event(s, 4);
}

static void at_any_addi(struct probe_set *s)
{
    probe_opcode(s, "addi", 0x707f, 0x13);
    event(s, 1);
}

static int install(int vcpus, const char *identity)
{
    qemu_info_t info = {.target_name = "riscv64", .version = {2, 4}, .system_emulation = true};
    struct wire_one_thread how = {.nsystem = 2, .system = {{UINT32_MAX, WFI, 1}, {0x7f, ECALL, 0}}};
    char arg[32], *argv[] = {arg};
    int fd;

    info.system.smp_vcpus = info.system.max_vcpus = vcpus;
    snprintf(how.identity, sizeof how.identity, "%s", identity);
    assert_null(control_create(3, WIRE_PAGE, 64, &fd));
    assert_null(control_one_thread(fd, &how));
    assert_null(control_open(fd, true, &control));
    assert_true(control_has_one_thread(control));
    size_t mapped;
    shared = (struct wire_control *)(uintptr_t)control_mapped(control, &mapped);
    snprintf(arg, sizeof arg, "fd=%d", fd);
    return qemu_plugin_install(1, &info, 1, argv);
}

static void begin(unsigned index, uint64_t hart)
{
    qemu.hart = hart;
    qemu.init(1, index);
}

/* ---- several vCPUs: 0 is hart 5, 1 is hart 9 ---- */

static void begins(void **state)
{
    assert_int_equal(install(2, "mhartid"), 0);
    begin(0, 5);
    begin(1, 9);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_READY);
    translate();
    assert_int_equal(qemu.tb.insns[PLAIN].n, 1); /* it begins the block */
    assert_int_equal(qemu.tb.insns[SYSTEM].n, 1);
    assert_int_equal(qemu.tb.insns[INNER].n, 0);
    assert_int_equal(qemu.tb.insns[WAIT].n, 2);
    assert_int_equal(qemu.tb.insns[PLAIN].cbs[0].flags, QEMU_PLUGIN_CB_R_REGS);
    for (unsigned i = PLAIN; i <= WAIT; i++)
        execute(5, i); /* there is no set */
}

static void exchanges_without_a_reset(void **state)
{
    uint64_t g = wish(probes);

    execute(9, PLAIN); /* does not look */
    assert_int_equal(control_in_force(control), 0);
    execute(9, SYSTEM);
    assert_int_equal(control_in_force(control), g);
    assert_null(qemu.reset);
    assert_int_equal(fired(1, OPCODE), 1); /* in the same callback */
    assert_int_equal(fired(0, OPCODE), 0);
}

static void tells_vcpus_apart(void **state)
{
    execute(5, PLAIN);
    execute(9, PLAIN);
    execute(9, PLAIN);
    assert_int_equal(fired(0, AT), 1);
    assert_int_equal(fired(1, AT), 2);
    execute(5, SYSTEM);
    assert_int_equal(fired(0, OPCODE), 1);
    execute(77, PLAIN); /* nobody */
    execute(77, SYSTEM);
    execute(77, WAIT);
    assert_int_equal(fired(0, AT) + fired(1, AT) + fired(2, AT), 3);
    assert_int_equal(fired(0, IDLE) + fired(1, IDLE) + fired(2, IDLE), 0);
}

static void waits(void **state)
{
    execute(9, WAIT);
    assert_int_equal(fired(1, IDLE), 1);
    execute(5, SYSTEM);
    execute(5, PLAIN);
    assert_int_equal(fired(1, RESUME), 0);
    execute(9, WAIT); /* again: it was woken and had nothing to do, which shows now */
    assert_int_equal(fired(1, RESUME), 1);
    assert_int_equal(fired(1, IDLE), 2);
    execute(9, PLAIN);
    assert_int_equal(fired(1, RESUME), 2);
    assert_int_equal(fired(0, RESUME) + fired(0, IDLE), 0);
}

static void at_the_end_of_a_page(void **state)
{
    uint64_t before = fired(0, OPCODE);

    qemu.page_ends = true;
    execute(5, SYSTEM); /* at 0x4ff4: all 8 bytes are there */
    qemu.tb.insns[WAIT].bytes = CSRR;
    execute(5, WAIT); /* at 0x4ffc: four are */
    qemu.page_ends = false;
    assert_int_equal(fired(0, OPCODE), before + 2);
    translate();
}

static void refuses_what_it_does_not_see(void **state)
{
    uint64_t in_force = control_in_force(control), g = wish(at_any_addi);

    execute(5, SYSTEM);
    expect_refused(g, "multi-threaded TCG");
    assert_int_equal(control_in_force(control), in_force);
}

static void switches_off(void **state)
{
    uint64_t g = wish(NULL), before = fired(0, AT);

    execute(5, SYSTEM);
    assert_int_equal(control_in_force(control), g);
    assert_null(qemu.reset);
    for (unsigned i = PLAIN; i <= WAIT; i++)
        execute(5, i);
    assert_int_equal(fired(0, AT), before);
}

static void gives_up_on_twins(void **state)
{
    begin(2, 5);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_REFUSED);
    translate();
    assert_int_equal(qemu.tb.insns[SYSTEM].n, 0);
    expect_refused(wish(probes), "the same one");
    control_close(control);
}

/* ---- one vCPU ---- */

static void resets_at_a_system_instruction(void **state)
{
    assert_int_equal(install(1, ""), 0);
    begin(0, 0);
    translate();
    assert_int_equal(qemu.tb.insns[PLAIN].n, 0); /* nothing stays but that */
    assert_int_equal(qemu.tb.insns[SYSTEM].n, 1);
    assert_int_equal(qemu.tb.insns[SYSTEM].cbs[0].flags, QEMU_PLUGIN_CB_NO_REGS);
    execute(0, SYSTEM);
    assert_null(qemu.reset);
    uint64_t g = wish(probes);
    execute(0, SYSTEM);
    execute(0, SYSTEM); /* one reset is enough */
    do_reset();
    assert_int_equal(control_in_force(control), g);
    translate();
    assert_int_equal(qemu.tb.insns[PLAIN].n, 1);
    assert_int_equal(qemu.tb.insns[SYSTEM].n, 2);
    execute(0, PLAIN);
    execute(0, SYSTEM);
    assert_int_equal(fired(0, AT), 1);
    assert_int_equal(fired(0, OPCODE), 1);
}

static void one_waits(void **state)
{
    execute(0, WAIT);
    assert_int_equal(fired(0, IDLE), 1);
    assert_int_equal(fired(0, RESUME), 0);
    execute(0, PLAIN);
    assert_int_equal(fired(0, RESUME), 1);
    execute(0, WAIT);
    execute(0, SYSTEM);
    assert_int_equal(fired(0, RESUME), 2);
    execute(0, SYSTEM);
    assert_int_equal(fired(0, RESUME), 2);
}

static void any_instruction_will_do(void **state)
{
    uint64_t g = wish(at_any_addi);

    execute(0, SYSTEM);
    do_reset();
    assert_int_equal(control_in_force(control), g);
    translate();
    assert_int_equal(qemu.tb.insns[INNER].n, 1);
    wish(NULL);
    execute(0, WAIT);
    do_reset();
    translate(); /* still told of code: wishes are looked for there */
    assert_int_equal(qemu.tb.insns[INNER].n, 0);
    assert_int_equal(qemu.tb.insns[SYSTEM].n, 1);
    control_close(control);
}

/* ---- what can't be ---- */

static void nothing_tells_them_apart(void **state)
{
    assert_int_equal(install(2, ""), 0);
    begin(0, 0);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_REFUSED);
    expect_refused(wish(probes), "can't be told apart");
    translate();
    assert_int_equal(qemu.tb.insns[PLAIN].n + qemu.tb.insns[SYSTEM].n, 0);
    control_close(control);
}

static void they_do_not_tell(void **state)
{
    qemu.has_hartid = false;
    assert_int_equal(install(2, "mhartid"), 0);
    begin(0, 0);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_REFUSED);
    control_close(control);
}

static void *begins_elsewhere(void *arg)
{
    begin(1, 1);
    return arg;
}

static void they_have_threads(void **state)
{
    pthread_t other;

    assert_int_equal(install(2, "mhartid"), 0);
    begin(0, 0);
    assert_int_equal(pthread_create(&other, NULL, begins_elsewhere, NULL), 0);
    pthread_join(other, NULL);
    expect_refused(wish(probes), "but has several");
    control_close(control);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest several[] = {
        cmocka_unit_test(begins),
        cmocka_unit_test(exchanges_without_a_reset),
        cmocka_unit_test(tells_vcpus_apart),
        cmocka_unit_test(waits),
        cmocka_unit_test(at_the_end_of_a_page),
        cmocka_unit_test(refuses_what_it_does_not_see),
        cmocka_unit_test(switches_off),
        cmocka_unit_test(gives_up_on_twins),
    };
    static const struct CMUnitTest one[] = {
        cmocka_unit_test(resets_at_a_system_instruction),
        cmocka_unit_test(one_waits),
        cmocka_unit_test(any_instruction_will_do),
    };
    static const struct CMUnitTest anonymous[] = {cmocka_unit_test(nothing_tells_them_apart)};
    static const struct CMUnitTest silent[] = {cmocka_unit_test(they_do_not_tell)};
    static const struct CMUnitTest threads[] = {cmocka_unit_test(they_have_threads)};
    const char *which = argc > 1 ? argv[1] : "";

    if (!strcmp(which, "several"))
        return cmocka_run_group_tests(several, NULL, NULL);
    if (!strcmp(which, "one"))
        return cmocka_run_group_tests(one, NULL, NULL);
    if (!strcmp(which, "anonymous"))
        return cmocka_run_group_tests(anonymous, NULL, NULL);
    if (!strcmp(which, "silent"))
        return cmocka_run_group_tests(silent, NULL, NULL);
    if (!strcmp(which, "threads"))
        return cmocka_run_group_tests(threads, NULL, NULL);
    fprintf(stderr, "usage: test_tcg_single several|one|anonymous|silent|threads\n");
    return 2;
}
