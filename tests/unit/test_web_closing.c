/* SPDX-License-Identifier: MIT */
/* web/closing: who closes is not waited for, until the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>

#include "web/closing.h"

static sem_t may_go;
static int gone; /* read after closing_end() */

static void close_when_told(void *what)
{
    sem_wait(&may_go);
    __atomic_add_fetch((int *)what, 1, __ATOMIC_SEQ_CST);
}

static void test_closing_waits_at_the_end_alone(void **state)
{
    struct closing *c = closing_new();

    sem_init(&may_go, 0, 0);
    assert_non_null(c);
    for (int i = 0; i < 5; i++)
        closing_begin(c, close_when_told, &gone); /* none of them waits here */
    assert_int_equal(__atomic_load_n(&gone, __ATOMIC_SEQ_CST), 0);
    for (int i = 0; i < 5; i++)
        sem_post(&may_go);
    closing_end(c);
    assert_int_equal(gone, 5);
    closing_end(closing_new());
    closing_end(NULL);
    sem_destroy(&may_go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closing_waits_at_the_end_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
