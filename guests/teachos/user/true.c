/* SPDX-License-Identifier: MIT */
/* Does nothing, successfully. */
#include "user.h"

int main(const char *args)
{
    (void)args;
    return 0;
}
