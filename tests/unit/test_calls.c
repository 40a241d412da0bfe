/* SPDX-License-Identifier: MIT */
/* Calls in code made by hand, and the fault probes of each paging mode against the verifier. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_linux.h"
#include "os/linux/calls.h"
#include "os/linux/probes.h"
#include "probe/verify.h"

enum { RAM = 192 << 10, CODE = 0x1000 };
#define TEXT (FAKE_VA + CODE)

static void expect(const call_sites *c, size_t i, uint64_t at, uint64_t back, uint64_t to)
{
    assert_true(i < c->len);
    assert_int_equal(c->data[i].at - TEXT, at);
    assert_int_equal(c->data[i].back - TEXT, back);
    if (to)
        assert_int_equal(c->data[i].to - TEXT, to);
    else
        assert_int_equal(c->data[i].to, 0);
}

static void test_riscv(void **state)
{
    struct fake_linux f;
    AUTO_CALLS call_sites c = {0};

    fake_open(&f, "riscv64", RAM);
    fake_put_n(&f, TEXT + 0x0, 0x9782, 2);      /* c.jalr a5 */
    fake_put_n(&f, TEXT + 0x2, 0x9002, 2);      /* c.ebreak: none */
    fake_put_n(&f, TEXT + 0x4, 0x97ba, 2);      /* c.add a5, a4: none */
    fake_put_n(&f, TEXT + 0x8, 0x7f8000ef, 4);  /* jal ra, +0x7f8 */
    fake_put_n(&f, TEXT + 0x10, 0xff1ff0ef, 4); /* jal ra, -0x10 */
    fake_put_n(&f, TEXT + 0x14, 0x00001097, 4); /* auipc ra, 1 */
    fake_put_n(&f, TEXT + 0x18, 0x800080e7, 4); /* jalr ra, -2048(ra) */
    fake_put_n(&f, TEXT + 0x1c, 0x000780e7, 4); /* jalr ra, 0(a5) */
    fake_put_n(&f, TEXT + 0x20, 0x8082, 2);     /* ret: none */
    fake_put_n(&f, TEXT + 0x24, 0x0000006f, 4); /* j: none */
    fake_put_n(&f, TEXT + 0x28, 0x00001317, 4); /* auipc t1: none … */
    fake_put_n(&f, TEXT + 0x2c, 0x00030067, 4); /* … jr t1 */
    assert_null(linux_calls(&f.lm, TEXT, TEXT + 0x40, NULL, 0, &c));
    assert_int_equal(c.len, 5);
    expect(&c, 0, 0, 2, 0);
    expect(&c, 1, 8, 0xc, 0x800);
    assert_int_equal(c.data[2].to, TEXT);
    expect(&c, 3, 0x18, 0x1c, 0x814);
    expect(&c, 4, 0x1c, 0x20, 0);
    call_sites_free(&c);
    fake_close(&f);
}

static void test_x86(void **state)
{
    static const uint8_t code[] = {
        0xe8, 0x0b, 0x00, 0x00, 0x00,             /* 0: call 0x10 */
        0xff, 0xd0,                               /* 5: call *%rax */
        0x41, 0xff, 0xd3,                         /* 7: call *%r11 */
        0xff, 0x53, 0x08,                         /* a: call *8(%rbx) */
        0xff, 0x14, 0xc5, 0x00, 0x10, 0x20, 0x30, /* d: call *0x30201000(,%rax,8) */
        0xff, 0x15, 0x00, 0x00, 0x00, 0x00,       /* 14: call *0(%rip) */
        0xff, 0x54, 0x24, 0x10,                   /* 1a: call *16(%rsp) */
        0xff, 0x90, 0x01, 0x02, 0x03, 0x04,       /* 1e: call *0x04030201(%rax) */
        0xff, 0xe0,                               /* 24: jmp *%rax: none */
        0xe8, 0xd5, 0xff, 0xff, 0xff,             /* 26: call 0 */
        0xc3,
    };
    static const uint64_t back[] = {5, 7, 10, 13, 0x14, 0x1a, 0x1e, 0x24, 0x2b};
    struct fake_linux f;
    AUTO_CALLS call_sites c = {0};

    fake_open(&f, "x86_64", RAM);
    memcpy(fake_at(&f, TEXT), code, sizeof code);
    assert_null(linux_calls(&f.lm, TEXT, TEXT + sizeof code, NULL, 0, &c));
    assert_int_equal(c.len, ARRAY_SIZE(back));
    for (size_t i = 0; i < c.len; i++)
        assert_int_equal(c.data[i].back - TEXT, back[i]);
    assert_int_equal(c.data[0].to - TEXT, 0x10);
    assert_int_equal(c.data[8].to, TEXT);
    assert_int_equal(c.data[1].to, 0);
    /* Only some targets; a target that is not known (0) is none, and no register's either. */
    const uint64_t targets[] = {TEXT, 0};
    c.len = 0;
    assert_null(linux_calls(&f.lm, TEXT, TEXT + sizeof code, targets, 2, &c));
    assert_int_equal(c.len, 1);
    assert_int_equal(c.data[0].back - TEXT, 0x2b);
    call_sites_free(&c);
    fake_close(&f);
}

/* A call across the border of what is read at once, and one at the end of memory. */
static void test_borders(void **state)
{
    struct fake_linux f;
    AUTO_CALLS call_sites c = {0};
    uint64_t end = FAKE_VA + RAM;

    fake_open(&f, "x86_64", RAM);
    for (unsigned i = 0; i < 6; i++) { /* CHUNK is 64 KiB from TEXT on */
        *fake_at(&f, TEXT + (64 << 10) - i) = 0;
    }
    *fake_at(&f, TEXT + (64 << 10) - 3) = 0xe8;
    fake_put_n(&f, TEXT + (64 << 10) - 2, 0x100, 4);
    *fake_at(&f, end - 1) = 0xe8; /* its operand is not there */
    assert_null(linux_calls(&f.lm, TEXT, end, NULL, 0, &c));
    assert_int_equal(c.len, 2);
    expect(&c, 0, (64 << 10) - 3, (64 << 10) + 2, (64 << 10) + 2 + 0x100);
    struct oscope_error *err = linux_calls(&f.lm, end - 16, end + 4096, NULL, 0, &c);
    assert_non_null(err);
    oscope_error_free(err);
    fake_close(&f);
}

/* ---- probes that walk page tables ---- */

static void fault_layout(struct layout *l)
{
    l->vma_start = fake_field(0, 8);
    l->vma_end = fake_field(8, 8);
    l->vma_mm = fake_field(16, 8);
    l->vma_flags = fake_field(24, 8);
    l->vma_file = fake_field(32, 8);
    l->mm_brk = l->mm_start_brk = l->mm_start_stack = l->mm_pgd = fake_field(8, 8);
    l->file_dentry = l->dentry_name = l->regs_pc = l->task_mm = fake_field(8, 8);
    l->task_pid = fake_field(40, 4);
    l->task_comm = fake_field(48, 16);
}

typedef bool write_fn(struct linux_model *lm, const char *set, struct probe_set *out,
                      struct os_list *notes, struct oscope_error **err);

/* In each paging mode the verifier accepts the probes of a set, of which there are so many. */
static void each_mode(write_fn *write, const char *name, size_t nriscv, size_t nx86)
{
    static const char *const arches[] = {"riscv64", "x86_64"};
    static struct wire_set wire;

    for (size_t a = 0; a < ARRAY_SIZE(arches); a++) {
        const struct arch *arch = arch_find(arches[a]);
        unsigned tried = 0;
        for (size_t i = 0; arch->modes[i]; i++) {
            struct fake_linux f;
            struct os_list notes;
            struct probe_set set;
            struct oscope_error *err = NULL;
            if (arch->modes[i]->pte_size != 8)
                continue;
            fake_open(&f, arches[a], RAM);
            os_list_init(&notes, 1);
            probe_set_init(&set);
            fault_layout(&f.lm.layout);
            f.lm.base.kernel.high.mode = arch->modes[i];
            f.lm.has_direct = true;
            f.lm.direct_base = UINT64_C(0xff60000000000000);
            fake_symbol(&f, "_stext", TEXT);
            fake_symbol(&f, "current_task", TEXT);
            fake_symbol(&f, "handle_mm_fault", TEXT + 0x10);
            fake_symbol(&f, "force_sig_fault", TEXT + 0x20);
            fake_symbol(&f, "entry_SYSCALL_64", TEXT + 0x28);
            fake_symbol(&f, "wake_up_new_task", TEXT + 0x2c);
            fake_symbol(&f, "_etext", TEXT + 0x30);
            assert_true(fake_ready(&f));
            if (a)
                memcpy(fake_at(&f, TEXT), "\xe8\x0b\0\0\0", 5);
            else
                fake_put_n(&f, TEXT, 0x010000ef, 4);
            assert_true(write(&f.lm, name, &set, &notes, &err));
            assert_null(err);
            assert_int_equal(notes.notes.n, 0);
            assert_int_equal(set.probes.len, a ? nx86 : nriscv);
            assert_null(probe_set_finish(&set));
            probe_set_write(&set, &wire);
            const char *wrong = verify_set(&wire);
            if (wrong)
                fail_msg("%s: %s", arch->modes[i]->name, wrong);
            tried++;
            probe_set_free(&set);
            os_list_free(&notes);
            fake_close(&f);
        }
        assert_true(tried >= 2);
    }
}

static void test_fault_programs(void **state)
{
    each_mode(linux_fault_probes, "faults", 4, 4);
}

static void test_call_programs(void **state)
{
    each_mode(linux_entry_probes, "syscalls", 3, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_riscv),         cmocka_unit_test(test_x86),
        cmocka_unit_test(test_borders),       cmocka_unit_test(test_fault_programs),
        cmocka_unit_test(test_call_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
