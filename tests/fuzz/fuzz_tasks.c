/* SPDX-License-Identifier: MIT */
/*
 * The whole task walk, processes and threads, over RAM that is all the fuzzer's: lists that loop,
 * cross, end in nothing. It must come to an end and report only what it read.
 */
#include "fuzz.h"

#include "../unit/fake_tasks.h"

enum { RAM = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fake_linux f;

    fake_open(&f, "riscv64", RAM);
    fake_task_layout(&f.lm);
    if (fake_ready(&f)) {
        memcpy(f.bytes + FAKE_INIT_TASK, data, MIN(n, (size_t)RAM - FAKE_INIT_TASK));
        for (int threads = 0; threads < 2; threads++) {
            struct os_list list;
            os_list_init(&list, sizeof(struct oscope_task));
            oscope_error_free(linux_tasks(&f.lm.base, threads, &list));
            const struct oscope_task *rows = list.rows;
            for (size_t i = 0; i < list.n; i++)
                if (!memchr(rows[i].comm, 0, sizeof rows[i].comm) || !rows[i].state)
                    __builtin_trap();
            os_list_free(&list);
        }
    }
    fake_close(&f);
    return 0;
}
