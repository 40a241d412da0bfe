/* SPDX-License-Identifier: MIT */
/* toucher [N [MS]]: asks for N pages (200) of memory, writes to each, and reads all of it again. So
 * many page faults there are, no more. Stays for MS milliseconds (0). */
#include "user.h"

enum { PAGE = 4096 };

int main(const char *args)
{
    char first[16];
    const char *rest = word(args, first, sizeof(first));
    unsigned n = number(first, 200), wrong = 0;
    char *heap = sbrk((unsigned long)n * PAGE);
    if (!heap) {
        printf("toucher: no memory\n");
        return 1;
    }
    for (unsigned i = 0; i < n; i++)
        *(volatile unsigned *)(heap + (unsigned long)i * PAGE) = i;
    for (unsigned i = 0; i < n; i++)
        wrong += *(volatile unsigned *)(heap + (unsigned long)i * PAGE) != i;
    printf("toucher: %u pages at %p, %u wrong\n", n, (void *)heap, wrong);
    sleep(number(rest, 0));
    return wrong != 0;
}
