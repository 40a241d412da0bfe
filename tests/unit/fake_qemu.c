/* SPDX-License-Identifier: MIT */
/* See fake_qemu.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_qemu.h"

#include "base/util.h"

struct fake_qemu qemu;
_Alignas(4096) char fake_ram[RAM_PAGES * 4096];

/* ---- GLib ---- */

char *g_array_free(GArray *array, int free_segment)
{
    free(array);
    return NULL;
}

/* Descriptions of registers are longer in some versions. */
struct described {
    qemu_plugin_reg_descriptor first;
    char more[FAKE_API < 7 ? 0 : 8];
};

unsigned g_array_get_element_size(GArray *array)
{
    return sizeof(struct described);
}

GByteArray *g_byte_array_sized_new(unsigned reserved)
{
    GByteArray *a = calloc(1, sizeof *a);

    if (a)
        a->data = malloc(reserved);
    return a;
}

GByteArray *g_byte_array_set_size(GByteArray *array, unsigned length)
{
    array->len = length;
    return array;
}

/* ---- callbacks ---- */

void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    assert_null(qemu.reset.cb);
    if (qemu.must_take_back) { /* they would be freed while other threads are about to call them */
        assert_null(qemu.idle.cb);
        assert_null(qemu.resume.cb);
    }
    qemu.reset = (struct fake_hook){cb, userdata};
}

void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    qemu.init = (struct fake_hook){cb, userdata};
}

void qemu_plugin_register_vcpu_exit_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    qemu.gone = (struct fake_hook){cb, userdata};
}

void qemu_plugin_register_vcpu_idle_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    qemu.idle = (struct fake_hook){cb, userdata};
}

void qemu_plugin_register_vcpu_resume_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                         void *userdata)
{
    qemu.resume = (struct fake_hook){cb, userdata};
}

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                           void *userdata)
{
    qemu.trans = (struct fake_hook){cb, userdata};
}

#if FAKE_API >= 7
/* By this the plugin knows the QEMU whose program it is in. */
PLUGIN_EXPORT const char *const version_text = "QEMU emulator version 11.1.3 (Debian)\n";

void qemu_plugin_register_vcpu_discon_cb(qemu_plugin_id_t id, int types, qemu_plugin_any_cb_t cb,
                                         void *userdata)
{
    qemu.discon_types = types;
    qemu.discon = (struct fake_hook){cb, userdata};
}
#endif

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            qemu_plugin_vcpu_udata_cb_t cb,
                                            enum qemu_plugin_cb_flags flags, void *userdata)
{
    assert_true(insn->n < ARRAY_SIZE(insn->cbs));
    insn->cbs[insn->n++] = (struct fake_callback){cb, userdata, flags};
}

void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_mem_cb_t cb,
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
                                      void *userdata)
{
    assert_false(qemu.no_accesses);
    assert_true(insn->nmem < ARRAY_SIZE(insn->mem));
    insn->mem[insn->nmem].cb = cb;
    insn->mem[insn->nmem].flags = flags;
    insn->mem[insn->nmem].rw = rw;
    insn->mem[insn->nmem++].userdata = userdata;
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, qemu_plugin_vcpu_udata_cb_t cb,
                                          enum qemu_plugin_cb_flags flags, void *userdata)
{
    assert_false(qemu.no_accesses);
    assert_true(tb->nbegun < ARRAY_SIZE(tb->begun));
    tb->begun[tb->nbegun++] = (struct fake_callback){cb, userdata, flags};
}

/* ---- translation ---- */

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb)
{
    return tb->n;
}

struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx)
{
    return idx < tb->n ? (struct qemu_plugin_insn *)(uintptr_t)&tb->insns[idx] : NULL;
}

size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len)
{
    memcpy(dest, insn->bytes, MIN(len, sizeof insn->bytes));
    return MIN(len, sizeof insn->bytes);
}

size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn)
{
    return sizeof insn->bytes;
}

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn)
{
    return insn->vaddr;
}

void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn)
{
    uint64_t offset = insn->vaddr - RAM_GPA;

    assert_false(qemu.no_accesses);
    return offset < sizeof fake_ram ? fake_ram + offset : NULL;
}

/* ---- registers and memory ---- */

GArray *qemu_plugin_get_registers(void)
{
    static struct described d[ARRAY_SIZE(qemu.registers)];
    GArray *a = calloc(1, sizeof *a);
    unsigned n = 0;

    for (; n < ARRAY_SIZE(d) && qemu.registers[n]; n++)
        d[n].first =
            (qemu_plugin_reg_descriptor){(void *)(uintptr_t)(0x10 + n), qemu.registers[n], NULL};
    if (a)
        *a = (GArray){(char *)d, n};
    return a;
}

int qemu_plugin_read_register(struct qemu_plugin_register *handle, GByteArray *buf)
{
    unsigned n = qemu.read_register((unsigned)(uintptr_t)handle - 0x10, buf->data + buf->len);

    buf->len += n;
    return (int)n;
}

bool qemu_plugin_read_memory_vaddr(uint64_t addr, GByteArray *data, size_t len)
{
    g_byte_array_set_size(data, (unsigned)len);
    return qemu.read_memory(addr, data->data, len);
}

/* ---- accesses; meminfo here: the shift of the size, and 0x80 for stores ---- */

struct qemu_plugin_hwaddr {
    uint64_t pa;
} hwaddr;

bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info)
{
    return info & 0x80;
}

unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info)
{
    return info & 7;
}

qemu_plugin_mem_value qemu_plugin_mem_get_value(qemu_plugin_meminfo_t info)
{
    qemu_plugin_mem_value v;

    memset(&v, 0xee, sizeof v);
    switch (info & 7) {
    case 0: v.type = QEMU_PLUGIN_MEM_VALUE_U8, v.data.u8 = (uint8_t)qemu.data; break;
    case 1: v.type = QEMU_PLUGIN_MEM_VALUE_U16, v.data.u16 = (uint16_t)qemu.data; break;
    case 2: v.type = QEMU_PLUGIN_MEM_VALUE_U32, v.data.u32 = (uint32_t)qemu.data; break;
    case 3: v.type = QEMU_PLUGIN_MEM_VALUE_U64, v.data.u64 = qemu.data; break;
    default:
        v.type = QEMU_PLUGIN_MEM_VALUE_U128;
        v.data.u128.low = qemu.data;
        v.data.u128.high = 0;
        break;
    }
    return v;
}

struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t vaddr)
{
    hwaddr.pa = vaddr;
    return vaddr ? &hwaddr : NULL;
}

uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *haddr)
{
    return haddr->pa;
}

/* ---- what tests do ---- */

void fake_call(struct fake_hook h, unsigned vcpu)
{
    if (FAKE_API < 7)
        ((qemu_plugin_vcpu_simple_cb_t)h.cb)(FAKE_ID, vcpu);
    else
        ((qemu_plugin_vcpu_udata_cb_t)h.cb)(vcpu, h.userdata);
}

void fake_translate(struct qemu_plugin_tb *tb)
{
    if (!qemu.trans.cb)
        return;
    if (FAKE_API < 7)
        ((qemu_plugin_vcpu_tb_trans_cb_t)qemu.trans.cb)(FAKE_ID, tb);
    else
        ((void (*)(struct qemu_plugin_tb *, void *))qemu.trans.cb)(tb, qemu.trans.userdata);
}

void fake_trap(unsigned vcpu, enum qemu_plugin_discon_type type, uint64_t from, uint64_t to)
{
    ((void (*)(unsigned, enum qemu_plugin_discon_type, uint64_t, uint64_t, void *))qemu.discon.cb)(
        vcpu, type, from, to, qemu.discon.userdata);
}

void fake_reset(void)
{
    const struct fake_hook h = qemu.reset, none = {0};

    assert_non_null(h.cb);
    qemu.init = qemu.gone = qemu.idle = qemu.resume = qemu.trans = qemu.reset = none;
    if (FAKE_API < 7)
        ((qemu_plugin_simple_cb_t)h.cb)(FAKE_ID);
    else
        ((void (*)(void *))h.cb)(h.userdata);
}

uint64_t fake_wish(struct control *control, void (*write)(struct probe_set *s))
{
    struct probe_set s;
    uint64_t generation;

    probe_set_init(&s);
    if (write)
        write(&s);
    assert_null(probe_set_finish(&s));
    probe_set_slots(&s, NULL);
    assert_null(control_wish(control, &s, &generation));
    probe_set_free(&s);
    return generation;
}

void fake_execute(const struct qemu_plugin_insn *insn, unsigned vcpu)
{
    for (unsigned i = 0; i < insn->n; i++)
        insn->cbs[i].cb(vcpu, insn->cbs[i].userdata);
}

void fake_begin_block(const struct qemu_plugin_tb *tb, unsigned vcpu)
{
    for (unsigned i = 0; i < tb->nbegun; i++)
        tb->begun[i].cb(vcpu, tb->begun[i].userdata);
}

void fake_access(const struct qemu_plugin_insn *insn, unsigned vcpu, uint64_t va, unsigned bytes,
                 bool store)
{
    const unsigned rw = store ? QEMU_PLUGIN_MEM_W : QEMU_PLUGIN_MEM_R;

    for (unsigned i = 0; i < insn->nmem; i++)
        if (insn->mem[i].rw & rw)
            insn->mem[i].cb(vcpu, (unsigned)__builtin_ctz(bytes) | (store ? 0x80 : 0), va,
                            insn->mem[i].userdata);
}

void fake_store(const struct qemu_plugin_insn *insn, unsigned vcpu, uint64_t va, unsigned bytes,
                uint64_t data)
{
    qemu.data = data;
    fake_access(insn, vcpu, va, bytes, true);
}
