/* SPDX-License-Identifier: MIT */
/* x86 instructions: any bytes, as 32-bit and as 64-bit code. What is decoded lies within them. */
#include "fuzz.h"

#include "arch/x86_64/insn.h"
#include "os/profile/sites.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at++)
        for (int wide = 0; wide < 2; wide++) {
            struct x86_insn i, again;
            struct site_store s;
            uint64_t offset;
            unsigned bytes;
            if (!x86_decode(data + at, size - at, wide, &i))
                continue;
            if (!i.length || i.length > size - at || i.length > 15)
                abort();
            /* it needs no more bytes than its own, and no fewer */
            if (!x86_decode(data + at, i.length, wide, &again) || again.length != i.length ||
                x86_decode(data + at, i.length - 1, wide, &again))
                abort();
            if (sites_x86_store(data + at, i.length, &s, &offset, &bytes) &&
                (!s.object || bytes > 8))
                abort();
        }
    return 0;
}
