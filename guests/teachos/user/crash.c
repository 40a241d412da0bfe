/* SPDX-License-Identifier: MIT */
/* crash null|text|kernel|stack|illegal: does what a program must not, and should not live to tell.
 */
#include "user.h"

static int deeper(volatile int *from)
{
    volatile int here[256];
    here[0] = *from;
    return here[0] ? 0 : deeper(here) + here[1]; /* it is 0 always */
}

int main(const char *args)
{
    char how[16];
    volatile int zero = 0;
    word(args, how, sizeof(how));
    if (same_string(how, "null"))
        *(volatile int *)(uint64_t)zero = 1;
    else if (same_string(how, "text"))
        *(volatile int *)(uint64_t)main = 1;
    else if (same_string(how, "kernel"))
        zero = *(volatile int *)0xffffffc000200000;
    else if (same_string(how, "stack"))
        zero = deeper(&zero);
    else if (same_string(how, "illegal"))
        __asm__ volatile("unimp");
    printf("crash: lives\n");
    return 0;
}
