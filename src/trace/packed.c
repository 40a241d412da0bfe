/* SPDX-License-Identifier: MIT */
/* Compressed packets: see packed.h. */
#include "trace/packed.h"

#include "base/util.h"

#include <zstd.h>

enum {
    LEVEL = 1
}; /* recorders share the host with the guest: higher ones cost more than they gain */

struct packer {
    ZSTD_CCtx *to;
    ZSTD_DCtx *from;
};

bool packed_is_head(const struct packed_head *h)
{
    return h->magic == PACKED_MAGIC && h->size == sizeof *h - 8;
}

size_t packed_most(size_t n)
{
    return sizeof(struct packed_head) + ZSTD_compressBound(n);
}

struct packer *packer_new(void)
{
    return calloc(1, sizeof(struct packer));
}

void packer_free(struct packer *p)
{
    if (!p)
        return;
    ZSTD_freeCCtx(p->to);
    ZSTD_freeDCtx(p->from);
    free(p);
}

size_t packer_pack(struct packer *p, const uint8_t *packet, size_t n, uint8_t *out)
{
    struct packed_head h = {.magic = PACKED_MAGIC, .size = sizeof h - 8};

    if (!p->to) {
        if (!(p->to = ZSTD_createCCtx()))
            return 0;
        ZSTD_CCtx_setParameter(p->to, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(p->to, ZSTD_c_checksumFlag, 1);
    }
    size_t got = ZSTD_compress2(p->to, out + sizeof h, ZSTD_compressBound(n), packet, n);
    if (ZSTD_isError(got))
        return 0;
    memcpy(&h.packet, packet, sizeof h.packet);
    h.frame = (uint32_t)got;
    memcpy(out, &h, sizeof h);
    return sizeof h + got;
}

size_t packer_unpack(struct packer *p, const uint8_t *frame, size_t n, uint8_t *out, size_t cap)
{
    if (!p->from && !(p->from = ZSTD_createDCtx()))
        return 0;
    size_t got = ZSTD_decompressDCtx(p->from, out, cap, frame, n);
    return ZSTD_isError(got) ? 0 : got;
}
