/* SPDX-License-Identifier: MIT */
/*
 * `dev`: the machine's devices, and the state of those whose registers can be read without changing
 * anything (target/peek.h) or that QEMU's monitor prints: interrupt controllers and their timers.
 */
#include "analysis/dev.h"

#include "analysis/columns.h"
#include "base/util.h"

#define RANGE(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_dev_range, member, kind, flags, doc)
const struct oscope_column dev_range_columns[] = {
    RANGE(device, OSCOPE_CHARS, OSCOPE_COL_ELASTIC, "QEMU's name of the memory region"),
    RANGE(space, OSCOPE_TEXT, 0, "memory (guest-physical addresses) or ports (x86's I/O ports)"),
    RANGE(first, OSCOPE_HEX, 0, "its first address, or port"),
    RANGE(size, OSCOPE_HEX, 0, "bytes, holes that other devices lie in included"),
    RANGE(view, OSCOPE_TEXT, 0, "what shows its state: plic, aclint, apic; null: nothing"),
    {0},
};

/* By the name of a device's memory region; with a '*' at the end: what it begins with. */
static const struct controller {
    const char *device, *view;
} controllers[] = {
    {"riscv.sifive.plic", "plic"},
    {"riscv.aclint.*", "aclint"},
    {"apic-msi", "apic"},
    {"kvm-apic-msi", "apic"},
    {"ioapic", "apic"},
    {"kvm-ioapic", "apic"},
    {"pic", "apic"},
    {"kvm-pic", "apic"},
};

static const struct {
    const char *name;
    struct oscope_error *(*make)(struct dev *d);
} views[] = {
    {"plic", dev_plic},
    {"aclint", dev_aclint},
    {"apic", dev_apic},
};

static const char *view_of(const char *device)
{
    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
        const char *name = controllers[i].device;
        size_t n = strlen(name);
        if (name[n - 1] == '*' ? !strncmp(name, device, n - 1) : !strcmp(name, device))
            return controllers[i].view;
    }
    return NULL;
}

struct os_list *dev_table(struct dev *d, const char *name, const struct oscope_column *columns,
                          size_t row_size)
{
    struct os_list *l = &d->lists[d->n];

    os_list_init(l, row_size);
    d->parts[d->n++] = (struct view_part){.table = name, .columns = columns, .list = l};
    return l;
}

/* What fills the places where no device is. */
static bool is_background(const char *device)
{
    static const char *const names[] = {"io", "gpex_ioport_window", "gpex_mmio_window"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(names[i], device))
            return true;
    return false;
}

/* The row of which m is a further piece; NULL: of none. */
static struct oscope_dev_range *row_of(struct os_list *l, const struct mtree_device *m)
{
    struct oscope_dev_range *rows = l->rows;

    for (size_t i = 0; i < l->n; i++)
        if (rows[i].first == m->gpa - m->offset && !strcmp(rows[i].device, m->name))
            return &rows[i];
    return NULL;
}

static struct oscope_error *ranges(struct dev *d)
{
    struct os_list *l = dev_table(d, "devices", dev_range_columns, sizeof(struct oscope_dev_range));

    for (size_t i = 0; i < d->map.n; i++) {
        const struct mtree_device *m = &d->map.devices[i];
        if (!d->all && is_background(m->name))
            continue;
        struct oscope_dev_range *row = m->offset ? row_of(l, m) : NULL;
        if (row) {
            row->size = MAX(row->size, m->offset + m->size);
            continue;
        }
        if (!(row = os_list_add(l)))
            return error_nomem();
        *row = (struct oscope_dev_range){.space = m->ports ? "ports" : "memory",
                                         .first = m->gpa - m->offset,
                                         .size = m->offset + m->size,
                                         .view = view_of(m->name)};
        str_copy(row->device, sizeof row->device, m->name);
    }
    return NULL;
}

/* An error that says what there is instead. */
static struct oscope_error *none_of(const struct dev *d, const char *what)
{
    char text[64] = "";

    for (size_t k = 0; k < ARRAY_SIZE(views); k++)
        for (size_t i = 0; i < d->map.n; i++) {
            const char *view = view_of(d->map.devices[i].name);
            size_t used = strlen(text);
            if (!view || strcmp(view, views[k].name) != 0)
                continue;
            str_copy(text + used, sizeof text - used, used ? ", " : "");
            used = strlen(text);
            str_copy(text + used, sizeof text - used, view);
            break;
        }
    struct oscope_error *err =
        error_new(OSCOPE_E_NOT_FOUND, "this machine has no %s that can be read", what);
    return error_hint(err, *text ? "it has: %s" : "oscope dev shows its devices%s", text);
}

static bool has(const struct dev *d, const char *what)
{
    for (size_t i = 0; i < d->map.n; i++) {
        const char *view = view_of(d->map.devices[i].name);
        if (view && !strcmp(view, what))
            return true;
    }
    return false;
}

static struct oscope_error *make(struct dev *d, const char *what)
{
    if (what && !strcmp(what, "serial")) /* not of the machine's map */
        return dev_serial(d);
    TRY(session_devices(d->session, &d->map));
    if (!what)
        return ranges(d);
    for (size_t i = 0; i < ARRAY_SIZE(views); i++)
        if (!strcmp(views[i].name, what))
            return has(d, what) ? views[i].make(d) : none_of(d, what);
    return error_hint(error_new(OSCOPE_E_USAGE, "there is no view of a device '%s'", what),
                      "views: plic, aclint, apic, serial");
}

struct oscope_error *oscope_view_dev(struct oscope_session *s, const char *what, bool all,
                                     struct oscope_view **out)
{
    struct dev d = {.session = s, .all = all};

    *out = NULL;
    TRY(session_begin(s));
    struct oscope_error *err = make(&d, what);
    struct os_list none;
    os_list_init(&none, 1);
    session_end(s, d.n ? &d.lists[0] : &none);
    if (!err)
        err = view_from_lists("dev", d.parts, d.n, out);
    for (size_t i = 0; i < d.n; i++)
        os_list_free(&d.lists[i]);
    os_list_free(&none);
    mtree_devices_free(&d.map);
    return err;
}
