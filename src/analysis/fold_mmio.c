/* SPDX-License-Identifier: MIT */
/*
 * `report mmio`: what the guest does with registers of devices.
 *
 * A register is told by its device (QEMU's name of it, and where it begins: eight virtio-mmio slots
 * have one name), its name where it has one, its address, the direction and the size of the access.
 * One address may be several registers: a data port shows what its index port was set to. Rows are
 * found by a hash of all that and compared, so that no two are taken for one.
 */
#include "analysis/fold.h"

#include "analysis/columns.h"

#include <inttypes.h>

#define DEVICE(member, kind, flags, doc)                                                           \
    OSCOPE_COLUMN(struct oscope_mmio_device, member, kind, flags, doc)
const struct oscope_column mmio_device_columns[] = {
    DEVICE(device, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "QEMU's name of the memory region"),
    DEVICE(base, OSCOPE_HEX, 0,
           "where it begins: guest-physical address, or I/O port; null if the machine's map does "
           "not show it"),
    DEVICE(reads, OSCOPE_UINT, 0, "how often it was read"),
    DEVICE(writes, OSCOPE_UINT, 0, "how often it was written"),
    DEVICE(read_bytes, OSCOPE_BYTES, OSCOPE_COL_JSON_ONLY, "in those reads"),
    DEVICE(write_bytes, OSCOPE_BYTES, OSCOPE_COL_JSON_ONLY, "in those writes"),
    DEVICE(outside, OSCOPE_UINT, 0, "of both, how many were by no vCPU, but by a device"),
    DEVICE(registers, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "how many rows of registers it has"),
    DEVICE(rate, OSCOPE_REAL, 0, "accesses a second"),
    DEVICE(share, OSCOPE_REAL, 0, "of all accesses, percent"),
    {0},
};

#define REG(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_mmio_register, member, kind, flags, doc)
const struct oscope_column mmio_register_columns[] = {
    REG(device, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "QEMU's name of the memory region"),
    REG(base, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "where the device begins"),
    {"register", OSCOPE_CHARS, offsetof(struct oscope_mmio_register, name),
     sizeof(((struct oscope_mmio_register *)0)->name), 0,
     "by the device's specification; empty if oscope does not know it"},
    REG(access, OSCOPE_TEXT, 0, "read or write"),
    REG(size, OSCOPE_UINT, 0, "of the access, bytes"),
    REG(count, OSCOPE_UINT, 0, "how often"),
    REG(rate, OSCOPE_REAL, 0, "how often a second"),
    REG(value, OSCOPE_HEX, 0, "that was read or written last"),
    REG(address, OSCOPE_HEX, 0, "guest-physical address, or I/O port"),
    REG(offset, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY,
        "in the device; null if the machine's map does not show it"),
    REG(bytes, OSCOPE_BYTES, OSCOPE_COL_JSON_ONLY, "in those accesses"),
    REG(first, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY | OSCOPE_COL_STAMP, "when it was first accessed"),
    REG(last, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY | OSCOPE_COL_STAMP, "when it was last accessed"),
    REG(cpu, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY,
        "vCPU of the last access; null: a device's, not a vCPU's"),
    {0},
};

#define ACCESS(member, kind, flags, doc)                                                           \
    OSCOPE_COLUMN(struct oscope_mmio_access, member, kind, flags, doc)
const struct oscope_column mmio_access_columns[] = {
    ACCESS(time, OSCOPE_UINT, OSCOPE_COL_STAMP, "when, ns of the host's CLOCK_MONOTONIC"),
    ACCESS(cpu, OSCOPE_UINT, 0, "vCPU; null: a device's access"),
    ACCESS(device, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "as in registers"),
    {"register", OSCOPE_CHARS, offsetof(struct oscope_mmio_access, name),
     sizeof(((struct oscope_mmio_access *)0)->name), 0, "as in registers"},
    ACCESS(access, OSCOPE_TEXT, 0, "read or write"),
    ACCESS(size, OSCOPE_UINT, 0, "bytes"),
    ACCESS(value, OSCOPE_HEX, 0, "that was read or written"),
    ACCESS(address, OSCOPE_HEX, 0, "guest-physical address, or I/O port"),
    {0},
};

enum { F_DEVICE, F_REGISTER, F_ADDRESS, F_OFFSET, F_VALUE, F_SIZE, F_WRITE };

static const struct fold_want wants[] = {
    {"mmio", "mmio", false, {"device", "register", "address", "offset", "value", "size", "write"}},
};
static const char *const sets[] = {"mmio", NULL};

enum { DEVICES = 512, REGISTERS = 8192, PROBES = 8 };

struct device {
    struct fold_row row;
    struct oscope_mmio_device shown;
};

struct reg {
    struct fold_row row;
    struct oscope_mmio_register shown;
};

struct mmio {
    struct fold_map devices, registers;
    struct oscope_mmio_access *ring;
    size_t room;
    uint64_t seq;    /* of the next access */
    uint64_t placed; /* accesses in the interval */
    uint64_t homeless;
};

static const char *access_name(bool write)
{
    return write ? "write" : "read";
}

/* The row of the access's device; NULL: none (out of memory, or hashes that are all taken). */
static struct oscope_mmio_device *device_of(struct fold *f, const struct oscope_mmio_access *a,
                                            uint64_t base)
{
    struct mmio *m = f->state;
    uint64_t key = fnv1a(fnv1a(FNV_INIT, &base, sizeof base), a->device, strlen(a->device));

    for (int i = 0; i < PROBES; i++) {
        struct device *d = fold_map_get(&m->devices, key + (unsigned)i, f->time);
        if (!d) {
            f->nomem = true;
            return NULL;
        }
        if (!d->shown.reads && !d->shown.writes) {
            d->shown.base = base;
            str_copy(d->shown.device, sizeof d->shown.device, a->device);
            return &d->shown;
        }
        if (d->shown.base == base && !strcmp(d->shown.device, a->device))
            return &d->shown;
    }
    return NULL;
}

static bool same(const struct oscope_mmio_register *r, const struct oscope_mmio_access *a,
                 uint64_t base)
{
    return r->address == a->address && r->size == a->size && r->base == base &&
           r->access == a->access && !strcmp(r->name, a->name) && !strcmp(r->device, a->device);
}

static struct oscope_mmio_register *register_of(struct fold *f, const struct oscope_mmio_access *a,
                                                uint64_t base)
{
    struct mmio *m = f->state;
    const uint64_t numbers[] = {a->address, base, a->size, a->access[0] == 'w'};
    uint64_t key = fnv1a(fnv1a(FNV_INIT, numbers, sizeof numbers), a->device, strlen(a->device));

    key = fnv1a(key, a->name, strlen(a->name));
    for (int i = 0; i < PROBES; i++) {
        struct reg *r = fold_map_get(&m->registers, key + (unsigned)i, f->time);
        if (!r) {
            f->nomem = true;
            return NULL;
        }
        if (!r->shown.count) {
            r->shown = (struct oscope_mmio_register){.base = base,
                                                     .access = a->access,
                                                     .size = a->size,
                                                     .address = a->address,
                                                     .first = f->time};
            str_copy(r->shown.device, sizeof r->shown.device, a->device);
            str_copy(r->shown.name, sizeof r->shown.name, a->name);
            return &r->shown;
        }
        if (same(&r->shown, a, base))
            return &r->shown;
    }
    return NULL;
}

static void count(struct oscope_mmio_device *d, const struct oscope_mmio_access *a)
{
    if (a->access[0] == 'w') {
        d->writes++;
        d->write_bytes += a->size;
    } else {
        d->reads++;
        d->read_bytes += a->size;
    }
    d->outside += a->cpu == UINT32_MAX;
}

static void mmio_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct mmio *m = f->state;
    uint64_t offset = fold_u64(ev, b, F_OFFSET), base = OSCOPE_UNKNOWN;

    if (!fold_counts(f) || !fold_wants_cpu(f, ev->cpu))
        return;
    struct oscope_mmio_access *a = &m->ring[m->seq++ % m->room];
    *a = (struct oscope_mmio_access){.time = f->time,
                                     .cpu = ev->cpu,
                                     .access = access_name(fold_u64(ev, b, F_WRITE)),
                                     .size = (uint8_t)fold_u64(ev, b, F_SIZE),
                                     .value = fold_u64(ev, b, F_VALUE),
                                     .address = fold_u64(ev, b, F_ADDRESS)};
    str_copy(a->device, sizeof a->device, fold_str(ev, b, F_DEVICE));
    str_copy(a->name, sizeof a->name, fold_str(ev, b, F_REGISTER));
    if (ev->flags & WIRE_EVENT_FAULT) {
        m->homeless++;
        offset = OSCOPE_UNKNOWN;
    } else {
        base = a->address - offset;
    }
    struct oscope_mmio_device *d = device_of(f, a, base);
    struct oscope_mmio_register *r = d ? register_of(f, a, base) : NULL;
    if (!r)
        return;
    count(d, a);
    m->placed++;
    r->count++;
    r->bytes += a->size;
    r->value = a->value;
    r->offset = offset;
    r->last = f->time;
    r->cpu = a->cpu;
}

/* Counts need nothing from before a gap. */
static void mmio_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
}

static struct oscope_error *mmio_begin(struct fold *f)
{
    struct mmio *m = f->state;

    fold_map_init(&m->devices, sizeof(struct device), DEVICES);
    fold_map_init(&m->registers, sizeof(struct reg), REGISTERS);
    m->room = MAX(f->o.slices, (size_t)1);
    m->ring = calloc(m->room, sizeof *m->ring);
    if (!m->ring)
        return error_nomem();
    return f->o.task ? error_new(OSCOPE_E_USAGE, "accesses to devices do not tell the task: mmio "
                                                 "can't be of one")
                     : NULL;
}

static void mmio_end(struct fold *f)
{
    struct mmio *m = f->state;

    fold_map_free(&m->devices);
    fold_map_free(&m->registers);
    free(m->ring);
}

/* ---- tables ---- */

static int by_accesses(const void *a, const void *b)
{
    const struct oscope_mmio_device *x = a, *y = b;
    uint64_t n = x->reads + x->writes, k = y->reads + y->writes;

    if (n != k)
        return n < k ? 1 : -1;
    return (x->base > y->base) - (x->base < y->base);
}

static int by_count(const void *a, const void *b)
{
    const struct oscope_mmio_register *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    if (x->address != y->address)
        return x->address > y->address ? 1 : -1;
    int names = strcmp(x->name, y->name);
    return names ? names : strcmp(x->access, y->access);
}

static uint32_t registers_of(const struct mmio *m, const struct oscope_mmio_device *d)
{
    uint32_t n = 0;

    for (size_t i = 0; i < m->registers.n; i++) {
        const struct reg *r = fold_map_at(&m->registers, i);
        n += r->shown.count && r->shown.base == d->base && !strcmp(r->shown.device, d->device);
    }
    return n;
}

static struct oscope_error *device_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct mmio *m = f->state;

    for (size_t i = 0; i < m->devices.n; i++) {
        const struct device *d = fold_map_at(&m->devices, i);
        uint64_t n = d->shown.reads + d->shown.writes;
        struct oscope_mmio_device *row = n ? os_list_add(l) : NULL;
        if (!row && n)
            return error_nomem();
        if (!row)
            continue;
        *row = d->shown;
        row->registers = registers_of(m, row);
        row->rate = fold_rate(f, n, end);
        row->share = fold_percent(n, m->placed);
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_accesses);
    return NULL;
}

static struct oscope_error *register_rows(const struct fold *f, uint64_t end, struct os_list *l)
{
    const struct mmio *m = f->state;

    for (size_t i = 0; i < m->registers.n; i++) {
        const struct reg *r = fold_map_at(&m->registers, i);
        struct oscope_mmio_register *row = r->shown.count ? os_list_add(l) : NULL;
        if (!row && r->shown.count)
            return error_nomem();
        if (!row)
            continue;
        *row = r->shown;
        row->rate = fold_rate(f, row->count, end);
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_count);
    return NULL;
}

static struct oscope_error *access_rows(const struct mmio *m, struct os_list *l)
{
    for (uint64_t i = m->seq - MIN(m->seq, (uint64_t)m->room); i < m->seq; i++) {
        struct oscope_mmio_access *row = os_list_add(l);
        if (!row)
            return error_nomem();
        *row = m->ring[i % m->room];
    }
    return NULL;
}

static struct oscope_error *mmio_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct mmio *m = f->state;
    struct os_list *notes = fold_notes(out);

    if (m->homeless)
        os_list_note(notes,
                     "%" PRIu64 " accesses were where the machine's map showed no such device: "
                     "their registers have no names",
                     m->homeless);
    if (m->seq > m->room)
        os_list_note(notes,
                     "the first %" PRIu64 " accesses are not listed%s; totals "
                     "have them",
                     m->seq - m->room, fold_keeps_more(f));
    if (m->devices.dropped || m->registers.dropped)
        os_list_note(notes,
                     "too many registers: %" PRIu64 " that were accessed longest ago are forgotten",
                     m->devices.dropped + m->registers.dropped);
    TRY(device_rows(
        f, end,
        fold_add_table(out, "devices", mmio_device_columns, sizeof(struct oscope_mmio_device), 0)));
    TRY(register_rows(f, end,
                      fold_add_table(out, "registers", mmio_register_columns,
                                     sizeof(struct oscope_mmio_register), 0)));
    return access_rows(m,
                       fold_add_table(out, "accesses", mmio_access_columns,
                                      sizeof(struct oscope_mmio_access), OSCOPE_TABLE_JSON_ONLY));
}

const struct fold_ops fold_mmio = {
    .name = "mmio",
    .summary = "device registers: who is read and written how often",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .state_size = sizeof(struct mmio),
    .anywhere = true,
    .begin = mmio_begin,
    .event = mmio_event,
    .gap = mmio_gap,
    .finish = mmio_finish,
    .end = mmio_end,
};
