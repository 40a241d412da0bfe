/* SPDX-License-Identifier: MIT */
/*
 * The part of QEMU's plugin interface that the probe engine uses, and of GLib what goes with it.
 * Debian ships no qemu-plugin.h; both are found in the QEMU process when the plugin is loaded.
 *
 * Interface version 4 is that of QEMU 10.0 (include/qemu/qemu-plugin.h there), version 7 that of
 * 11.1 (include/plugins/qemu-plugin.h). QEMU does not load a plugin that asks for a newer version
 * than its own; which one this plugin asks for is hooks.c's to say. Since which version a thing
 * exists in the form used here stands beside it; no mark: since 2 or longer.
 */
#ifndef CAPTURE_TCG_API_H
#define CAPTURE_TCG_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_EXPORT __attribute__((visibility("default")))

enum {
    PLUGIN_API = 4,
    PLUGIN_API_USERDATA = 7, /* callbacks have other arguments: hooks.h */
};

/* ---- GLib (glib/garray.h); the fields below are its public ones ---- */

typedef struct GArray {
    char *data;
    unsigned len;
} GArray;

typedef struct GByteArray {
    uint8_t *data;
    unsigned len;
} GByteArray;

char *g_array_free(GArray *array, int free_segment);
unsigned g_array_get_element_size(GArray *array);
GByteArray *g_byte_array_sized_new(unsigned reserved);
GByteArray *g_byte_array_set_size(GByteArray *array, unsigned length);

/* ---- what a plugin exports ---- */

typedef uint64_t qemu_plugin_id_t;

typedef struct qemu_info_t {
    const char *target_name;
    struct {
        int min, cur;
    } version;
    bool system_emulation;
    union {
        struct {
            int smp_vcpus, max_vcpus;
        } system;
    };
} qemu_info_t;

extern PLUGIN_EXPORT int qemu_plugin_version;
PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                      char **argv);

/* ---- callbacks ---- */

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;

/* How an access is: asked about by the functions below. */
typedef uint32_t qemu_plugin_meminfo_t;

typedef struct {
    enum qemu_plugin_mem_value_type {
        QEMU_PLUGIN_MEM_VALUE_U8,
        QEMU_PLUGIN_MEM_VALUE_U16,
        QEMU_PLUGIN_MEM_VALUE_U32,
        QEMU_PLUGIN_MEM_VALUE_U64,
        QEMU_PLUGIN_MEM_VALUE_U128,
    } type;
    union {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        struct {
            uint64_t low, high;
        } u128;
    } data;
} qemu_plugin_mem_value;

enum qemu_plugin_mem_rw {
    QEMU_PLUGIN_MEM_R = 1,
    QEMU_PLUGIN_MEM_W,
    QEMU_PLUGIN_MEM_RW,
};

enum qemu_plugin_cb_flags {
    QEMU_PLUGIN_CB_NO_REGS,
    QEMU_PLUGIN_CB_R_REGS,
};

typedef void (*qemu_plugin_simple_cb_t)(qemu_plugin_id_t id);
typedef void (*qemu_plugin_vcpu_simple_cb_t)(qemu_plugin_id_t id, unsigned vcpu_index);
typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned vcpu_index, void *userdata);
typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_vcpu_mem_cb_t)(unsigned vcpu_index, qemu_plugin_meminfo_t info,
                                          uint64_t vaddr, void *userdata);

/* A callback of any form: which one it is differs between versions (hooks.h). */
typedef void (*qemu_plugin_any_cb_t)(void);

/* Why a vCPU goes on elsewhere than it would have. */
enum qemu_plugin_discon_type {
    QEMU_PLUGIN_DISCON_INTERRUPT = 1 << 0, /* from outside; from_pc was to be executed next */
    QEMU_PLUGIN_DISCON_EXCEPTION = 1 << 1, /* by the instruction at from_pc */
    QEMU_PLUGIN_DISCON_HOSTCALL = 1 << 2,  /* served by QEMU (semihosting), not by the guest */
};
typedef void (*qemu_plugin_vcpu_discon_cb_t)(qemu_plugin_id_t id, unsigned vcpu_index,
                                             enum qemu_plugin_discon_type type, uint64_t from_pc,
                                             uint64_t to_pc);

/* Before 7, the functions from here to the next comment have no userdata. */

/* Called from a vCPU: flushes all translated code, drops all callbacks, then calls cb while no vCPU
 * executes. */
void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata);

/* NULL takes a callback back. */
void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                       void *userdata);
void qemu_plugin_register_vcpu_exit_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                       void *userdata);
void qemu_plugin_register_vcpu_idle_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                       void *userdata);
void qemu_plugin_register_vcpu_resume_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                         void *userdata);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                           void *userdata);

/* When a vCPU takes a trap or an interrupt, ready to execute at its vector: registers can be read.
 * types: a set of enum qemu_plugin_discon_type. NULL: this QEMU does not have it. */
__attribute__((weak)) void qemu_plugin_register_vcpu_discon_cb(qemu_plugin_id_t id, int types,
                                                               qemu_plugin_any_cb_t cb,
                                                               void *userdata); /* 6 */

/* At instructions. */
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            qemu_plugin_vcpu_udata_cb_t cb,
                                            enum qemu_plugin_cb_flags flags, void *userdata);

/* After each access of the instruction that is of a kind in rw. */
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_mem_cb_t cb,
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
                                      void *userdata);
/* Each time that the block is begun. */
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, qemu_plugin_vcpu_udata_cb_t cb,
                                          enum qemu_plugin_cb_flags flags, void *userdata);

/* ---- an access, in its callback ---- */

bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);
/* What was read or written; in the callback only. */
qemu_plugin_mem_value qemu_plugin_mem_get_value(qemu_plugin_meminfo_t info); /* 4 */
/* By the TLB; vaddr may be another one than that of the access. NULL: not there. Valid until the
 * next call. */
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t vaddr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *haddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *haddr);

/* ---- translation ---- */

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len); /* 3 */
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
/* Where its first byte lies in QEMU; NULL: not in RAM. */
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

/* ---- registers and memory of the vCPU whose thread asks ---- */

struct qemu_plugin_register;

typedef struct {
    struct qemu_plugin_register *handle;
    const char *name; /* never freed */
    const char *feature;
    /* More follows in QEMU 11.1: the array says how far it is to the next. */
} qemu_plugin_reg_descriptor;

/* Of qemu_plugin_reg_descriptor; the caller frees the array. */
GArray *qemu_plugin_get_registers(void);
/* Appends the value, in the guest's byte order; nothing when it can't be read. What is returned is
 * not used: bytes, and since 6 a bool. */
int qemu_plugin_read_register(struct qemu_plugin_register *handle, GByteArray *buf);
bool qemu_plugin_read_memory_vaddr(uint64_t addr, GByteArray *data, size_t len); /* 4 */

#endif
