/* SPDX-License-Identifier: MIT */
/*
 * The BTF format as tables: kernel include/uapi/linux/btf.h and Documentation/bpf/btf.rst.
 *
 * All numbers are little-endian u32 unless said otherwise.
 * header: u16 magic, u8 version, u8 flags, hdr_len, type_off, type_len, str_off, str_len
 *         [, layout_off, layout_len since 2026]; offsets count from the end of the header.
 * type:   name_off, info, size or type; then per kind the data in btf_kinds[].
 * info:   bits 0-15 vlen (0-23 since 2026, zero before), 24-28 kind (24-30), 31 kind_flag.
 * layout: per kind u8 info_sz, u8 elem_sz, u16 flags: data of kinds that a reader does not know.
 */
#ifndef SYMBOLS_BTF_FORMAT_H
#define SYMBOLS_BTF_FORMAT_H

#include "base/util.h"

enum {
    BTF_MAGIC = 0xeb9f,
    BTF_HEADER_MIN = 24,
    BTF_HEADER_LAYOUT = 32, /* the header's length that has layout_off and layout_len */
    BTF_HEADER_MAX = 4096,
    BTF_TYPE_SIZE = 12,
    BTF_BLOB_MAX = 64 << 20,
    BTF_MEMBER_SIZE = 12, /* name_off, type, offset */
    BTF_ENUM_SIZE = 8,    /* name_off, value */
    BTF_ENUM64_SIZE = 12, /* name_off, low, high */
};

enum btf_kind {
    BTF_UNKNOWN,
    BTF_INT,
    BTF_PTR,
    BTF_ARRAY,
    BTF_STRUCT,
    BTF_UNION,
    BTF_ENUM,
    BTF_FWD,
    BTF_TYPEDEF,
    BTF_VOLATILE,
    BTF_CONST,
    BTF_RESTRICT,
    BTF_FUNC,
    BTF_FUNC_PROTO,
    BTF_VAR,
    BTF_DATASEC,
    BTF_FLOAT,
    BTF_DECL_TAG,
    BTF_TYPE_TAG,
    BTF_ENUM64,
    BTF_LOC_PARAM,
    BTF_LOC_PROTO,
    BTF_LOCSEC,
    BTF_KINDS,
};

/* Bytes behind a type: info + vlen * element. */
static const struct btf_layout {
    uint8_t info, element;
} btf_kinds[BTF_KINDS] = {
    [BTF_INT] = {4, 0},
    [BTF_ARRAY] = {12, 0},
    [BTF_STRUCT] = {0, BTF_MEMBER_SIZE},
    [BTF_ENUM] = {0, 8},
    [BTF_FUNC_PROTO] = {0, 8},
    [BTF_UNION] = {0, BTF_MEMBER_SIZE},
    [BTF_VAR] = {4, 0},
    [BTF_DATASEC] = {0, 12},
    [BTF_DECL_TAG] = {4, 0},
    [BTF_LOC_PARAM] = {4, 4},
    [BTF_LOC_PROTO] = {0, 4},
    [BTF_LOCSEC] = {0, 12},
    [BTF_ENUM64] = {0, BTF_ENUM64_SIZE},
};

static inline unsigned btf_info_kind(uint32_t info)
{
    return (info >> 24) & 0x7f;
}

static inline uint32_t btf_info_vlen(uint32_t info)
{
    return info & 0xffffff;
}

static inline bool btf_info_flag(uint32_t info)
{
    return info >> 31;
}

#endif
