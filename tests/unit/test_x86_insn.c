/* SPDX-License-Identifier: MIT */
/* arch/x86_64/insn: lengths and stores of instructions as the GNU assembler makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/x86_64/insn.h"
#include "base/util.h"
#include "os/profile/sites.h"

/* One instruction: decoded, it is all of the bytes; with fewer it is none. */
static struct x86_insn decode(const char *bytes, size_t n, bool wide)
{
    struct x86_insn i;

    assert_true(x86_decode((const uint8_t *)bytes, n, wide, &i));
    assert_int_equal(i.length, n);
    for (size_t k = 0; k < n; k++) {
        struct x86_insn cut;
        assert_false(x86_decode((const uint8_t *)bytes, k, wide, &cut));
    }
    return i;
}

#define NARROW(s) decode(s, sizeof(s) - 1, false)
#define WIDE(s)   decode(s, sizeof(s) - 1, true)

static void lengths(void **state)
{
    NARROW("\x55");                                   /* push %ebp */
    NARROW("\x89\xe5");                               /* mov %esp, %ebp */
    NARROW("\x83\xec\x08");                           /* sub $8, %esp */
    NARROW("\x81\xec\x00\x01\x00\x00");               /* sub $256, %esp */
    NARROW("\x66\x81\xf9\x00\x01");                   /* cmp $256, %cx */
    NARROW("\x8b\x04\x8d\x00\x20\x10\x80");           /* mov table(,%ecx,4), %eax */
    NARROW("\x8b\x44\x24\x04");                       /* mov 4(%esp), %eax */
    NARROW("\xa1\x00\x20\x10\x80");                   /* mov variable, %eax */
    NARROW("\xe8\x01\x02\x03\x04");                   /* call */
    NARROW("\x0f\x84\x01\x02\x03\x04");               /* je */
    NARROW("\x0f\xb6\x45\xff");                       /* movzbl -1(%ebp), %eax */
    NARROW("\xf6\x45\x08\x01");                       /* testb $1, 8(%ebp) */
    NARROW("\xf7\xd8");                               /* neg %eax */
    NARROW("\xf7\xc3\x01\x00\x00\x00");               /* test $1, %ebx */
    NARROW("\xcd\x40");                               /* int $0x40 */
    NARROW("\xea\x01\x02\x03\x04\x08\x00");           /* ljmp */
    NARROW("\x66\xa3\x01\x02\x03\x04");               /* mov %ax, variable */
    NARROW("\xf0\x0f\xb1\x0a");                       /* lock cmpxchg %ecx, (%edx) */
    NARROW("\x67\x8b\x46\x02");                       /* mov 2(%bp), %eax */
    NARROW("\xc4\x5d\xf8");                           /* les -8(%ebp), %ebx */
    WIDE("\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08"); /* movabs */
    WIDE("\x48\x8b\x05\x01\x02\x03\x04");             /* mov 0x4030201(%rip), %rax */
    WIDE("\xf3\x0f\x1e\xfa");                         /* endbr64 */
    WIDE("\xc5\xf8\x77");                             /* vzeroupper */
    WIDE("\xc4\xe3\x7d\x39\xc1\x01");                 /* vextracti128 $1, %ymm0, %xmm1 */
    WIDE("\x62\xf1\xfe\x48\x6f\x44\x24\x01");         /* vmovdqu64 64(%rsp), %zmm0 */
    WIDE("\x66\x0f\x3a\x0f\xc1\x08");                 /* palignr */
}

static void refusals(void **state)
{
    static const char no_end[] = "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90";
    struct x86_insn i;

    assert_false(x86_decode((const uint8_t *)"", 0, false, &i));
    assert_false(x86_decode((const uint8_t *)no_end, 16, false, &i)); /* more than 15 bytes */
    assert_false(x86_decode((const uint8_t *)"\x06", 1, true, &i));   /* push %es */
    assert_true(x86_decode((const uint8_t *)"\x06", 1, false, &i));
}

static void returns(void **state)
{
    struct x86_insn i = NARROW("\xc3");

    assert_true(x86_is_return(&i));
    i = NARROW("\xc2\x04\x00");
    assert_true(x86_is_return(&i));
    i = NARROW("\xf3\xc3");
    assert_true(x86_is_return(&i));
    i = NARROW("\xcf");
    assert_false(x86_is_return(&i));
}

static bool store(const char *bytes, size_t n, struct site_store *s, uint64_t *offset,
                  unsigned *size)
{
    return sites_x86_store((const uint8_t *)bytes, n, s, offset, size);
}
#define STORE(b) store(b, sizeof(b) - 1, &s, &offset, &size)

static void stores(void **state)
{
    struct site_store s;
    uint64_t offset;
    unsigned size;

    assert_true(STORE("\xc7\x40\x0c\x03\x00\x00\x00")); /* movl $3, 12(%eax) */
    assert_string_equal(s.object, "eax");
    assert_null(s.value);
    assert_int_equal(s.number, 3);
    assert_int_equal(offset, 12);
    assert_int_equal(size, 4);
    assert_true(STORE("\x89\x5e\xf8")); /* mov %ebx, -8(%esi) */
    assert_string_equal(s.object, "esi");
    assert_string_equal(s.value, "ebx");
    assert_int_equal(offset, -8);
    assert_true(STORE("\xc6\x47\x10\xff")); /* movb $-1, 16(%edi) */
    assert_int_equal(s.number, 0xff);
    assert_int_equal(size, 1);
    assert_true(STORE("\x66\xc7\x43\x02\x34\x12")); /* movw $0x1234, 2(%ebx) */
    assert_int_equal(size, 2);
    assert_int_equal(s.number, 0x1234);
    assert_false(STORE("\xc7\x04\x8d\x00\x20\x10\x80\x01\x00\x00\x00")); /* has an index */
    assert_false(STORE("\xc7\x05\x00\x20\x10\x80\x01\x00\x00\x00"));     /* no register */
    assert_false(STORE("\x8b\x40\x0c"));                                 /* a load */
    assert_false(STORE("\x88\x60\x0c"));                                 /* of %ah */
    assert_false(STORE("\x89\xd8"));                                     /* between registers */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),
        cmocka_unit_test(refusals),
        cmocka_unit_test(returns),
        cmocka_unit_test(stores),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
