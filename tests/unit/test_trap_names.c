/* SPDX-License-Identifier: MIT */
/* os/trap_names: what a text says of traps' causes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "os/trap_names.h"

#include <string.h>

static void found(const char *text, unsigned cause, enum arch_trap kind, const char *name)
{
    struct trap_name n;

    assert_true(trap_names_find(text, cause, &n));
    assert_int_equal(n.kind, kind);
    assert_string_equal(n.name, name);
}

static void good(void **state)
{
    static const char text[] = "32 timer; 46 external  ide 0 ;64 syscall; 14 fault; 253 ipi stop";

    found(text, 32, ARCH_TRAP_TIMER, "");
    found(text, 46, ARCH_TRAP_EXTERNAL, "ide 0");
    found(text, 64, ARCH_TRAP_SYSCALL, "");
    found(text, 14, ARCH_TRAP_PAGE_FAULT, "");
    found(text, 253, ARCH_TRAP_IPI, "stop");
}

static void bad(void **state)
{
    static const char *const texts[] = {NULL,
                                        "",
                                        ";",
                                        "32",
                                        "32 ",
                                        "32 what",
                                        "x timer",
                                        "320 timer",
                                        "3 timer; 33 timer",
                                        "32timer",
                                        "32 timerx",
                                        "32 timer a\nb",
                                        "-32 timer",
                                        "32 timer 12345678901234567890123456789012"};
    struct trap_name n;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (trap_names_find(texts[i], 32, &n))
            fail_msg("'%s'", texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
