/* SPDX-License-Identifier: MIT */
/*
 * `dev apic`: local APICs, I/O APICs and the two 8259s of a PC, as QEMU's monitor prints them
 * (target/apictext.h). Each is of one moment; one comes after another.
 *
 * Fields: Intel SDM volume 3, "Local Vector Table"; Intel 82093AA (I/O APIC), 3.2.4.
 */
#include "analysis/dev.h"

#include "analysis/columns.h"
#include "base/util.h"
#include "target/apictext.h"

#include <stdio.h>

#define LOCAL(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_apic_local, member, kind, flags, doc)
const struct oscope_column apic_local_columns[] = {
    LOCAL(cpu, OSCOPE_UINT, 0, "vCPU"),
    LOCAL(enabled, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY, "by software (SVR bit 8)"),
    LOCAL(tpr, OSCOPE_HEX, 0, "task priority: vectors whose upper half is not greater wait"),
    LOCAL(ppr, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY,
          "processor priority: the same, with what is "
          "served"),
    LOCAL(spurious, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "vector of spurious interrupts"),
    LOCAL(serving, OSCOPE_TEXT, 0, "vectors in service (ISR)"),
    LOCAL(pending, OSCOPE_TEXT, 0, "vectors requested (IRR)"),
    LOCAL(timer, OSCOPE_TEXT, 0, "one-shot, periodic, tsc-deadline"),
    LOCAL(timer_vector, OSCOPE_UINT, 0, "vector of the timer"),
    LOCAL(timer_masked, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY, "the timer does not interrupt"),
    LOCAL(initial, OSCOPE_UINT, 0, "the timer counts down from here"),
    LOCAL(current, OSCOPE_UINT, 0, "its count now; 0: it stands still"),
    LOCAL(divide, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "its clock is divided by this"),
    LOCAL(due, OSCOPE_DURATION, OSCOPE_COL_FINE,
          "until it interrupts, ns (QEMU's counts at 1 GHz, divided); null: it stands still, or "
          "counts the TSC"),
    {0},
};

#define LVT(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_apic_lvt, member, kind, flags, doc)
const struct oscope_column apic_lvt_columns[] = {
    LVT(cpu, OSCOPE_UINT, 0, "vCPU"),
    LVT(name, OSCOPE_TEXT, 0, "entry of the local vector table: LVTT timer, LVT0 and LVT1 pins"),
    LVT(vector, OSCOPE_UINT, 0, "that it raises"),
    LVT(delivery, OSCOPE_TEXT, 0, "how"),
    LVT(trigger, OSCOPE_TEXT, 0, "edge or level"),
    LVT(polarity, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY, "high or low"),
    LVT(masked, OSCOPE_BOOLEAN, 0, "it does not interrupt"),
    LVT(raw, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "the register"),
    {0},
};

#define PIN(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_apic_pin, member, kind, flags, doc)
const struct oscope_column apic_pin_columns[] = {
    PIN(ioapic, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "number of the I/O APIC"),
    PIN(pin, OSCOPE_UINT, 0, "its pin"),
    PIN(pending, OSCOPE_BOOLEAN, 0, "the pin has a request"),
    PIN(masked, OSCOPE_BOOLEAN, 0, "it does not interrupt"),
    PIN(vector, OSCOPE_UINT, 0, "that it raises"),
    PIN(delivery, OSCOPE_TEXT, 0, "how"),
    PIN(dest, OSCOPE_HEX, 0, "to whom: an APIC id, or a set of logical ones"),
    PIN(dest_mode, OSCOPE_TEXT, 0, "physical or logical"),
    PIN(trigger, OSCOPE_TEXT, 0, "edge or level"),
    PIN(polarity, OSCOPE_TEXT, 0, "high or low"),
    PIN(remote_irr, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY,
        "level: an APIC has taken it and not ended it"),
    PIN(raw, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "the redirection entry"),
    {0},
};

#define PIC(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_apic_pic, member, kind, flags, doc)
const struct oscope_column apic_pic_columns[] = {
    PIC(pic, OSCOPE_UINT, 0, "0 the first 8259, 1 the one behind it"),
    PIC(irr, OSCOPE_HEX, 0, "requests, a bit each"),
    PIC(imr, OSCOPE_HEX, 0, "masked"),
    PIC(isr, OSCOPE_HEX, 0, "in service"),
    PIC(base, OSCOPE_UINT, 0, "vector of its first input"),
    {0},
};

/* Bits 10:8 of an entry. */
static const char *const deliveries[8] = {"fixed", "lowest", "SMI",  "reserved",
                                          "NMI",   "INIT",   "SIPI", "ExtINT"};
/* Bits 18:17 of the timer's. */
static const char *const timers[4] = {"one-shot", "periodic", "tsc-deadline", "reserved"};

static const char *list(const struct apic_vectors *v, struct arena *strings)
{
    char text[160];
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < 256; i++) {
        if (!apic_has(v, i))
            continue;
        if (used + 16 > sizeof text) {
            snprintf(text + used, sizeof text - used, " ...");
            break;
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u", used ? " " : "", i);
    }
    return arena_strdup(strings, text);
}

static void set_timer(struct oscope_apic_local *row, const struct apic_local *a)
{
    for (size_t i = 0; i < a->nlvt; i++) {
        uint32_t v = a->lvt[i].value;
        if (strcmp(a->lvt[i].name, "LVTT") != 0)
            continue;
        row->timer = timers[v >> 17 & 3];
        row->timer_vector = v & 0xff;
        row->timer_masked = v >> 16 & 1;
        if (a->current && (v >> 17 & 3) < 2) /* hw/intc/apic.c, apic_get_current_count() */
            row->due = (uint64_t)a->current * a->divide;
    }
}

static struct oscope_error *local_rows(const struct apic_local *a, bool all, struct os_list *locals,
                                       struct os_list *lvts)
{
    struct oscope_apic_local *row = os_list_add(locals);

    if (!row)
        return error_nomem();
    *row = (struct oscope_apic_local){.cpu = a->cpu,
                                      .enabled = a->enabled,
                                      .tpr = a->tpr,
                                      .ppr = a->ppr,
                                      .spurious = a->spiv & 0xff,
                                      .serving = list(&a->isr, &locals->strings),
                                      .pending = list(&a->irr, &locals->strings),
                                      .timer_vector = UINT32_MAX,
                                      .initial = a->initial,
                                      .current = a->current,
                                      .divide = a->divide,
                                      .due = OSCOPE_UNKNOWN};
    set_timer(row, a);
    for (size_t i = 0; i < a->nlvt; i++) {
        uint32_t v = a->lvt[i].value;
        struct oscope_apic_lvt *l = all || !(v >> 16 & 1) ? os_list_add(lvts) : NULL;
        if (!l && (all || !(v >> 16 & 1)))
            return error_nomem();
        if (l)
            *l = (struct oscope_apic_lvt){.cpu = a->cpu,
                                          .name = arena_strdup(&lvts->strings, a->lvt[i].name),
                                          .vector = v & 0xff,
                                          .delivery = deliveries[v >> 8 & 7],
                                          .trigger = v >> 15 & 1 ? "level" : "edge",
                                          .polarity = v >> 13 & 1 ? "low" : "high",
                                          .masked = v >> 16 & 1,
                                          .raw = v};
    }
    return NULL;
}

static struct oscope_error *pin_rows(const struct apic_pins *io, bool all, struct os_list *pins)
{
    for (unsigned i = 0; i < io->npins; i++) {
        uint64_t v = io->redirection[i];
        bool masked = v >> 16 & 1, request = apic_has(&io->irr, i);
        if (masked && !request && !all)
            continue;
        struct oscope_apic_pin *row = os_list_add(pins);
        if (!row)
            return error_nomem();
        *row = (struct oscope_apic_pin){.ioapic = io->index,
                                        .pin = i,
                                        .pending = request,
                                        .remote_irr = v >> 14 & 1,
                                        .masked = masked,
                                        .vector = v & 0xff,
                                        .delivery = deliveries[v >> 8 & 7],
                                        .dest = (uint32_t)(v >> 56),
                                        .dest_mode = v >> 11 & 1 ? "logical" : "physical",
                                        .trigger = v >> 15 & 1 ? "level" : "edge",
                                        .polarity = v >> 13 & 1 ? "low" : "high",
                                        .raw = v};
    }
    return NULL;
}

static struct oscope_error *machine_rows(const char *text, bool all, struct os_list *pins,
                                         struct os_list *pics)
{
    AUTO_FREE struct apic_machine *m = malloc(sizeof *m);

    if (!m)
        return error_nomem();
    apic_parse_machine(text, m);
    for (size_t i = 0; i < m->nio; i++)
        TRY(pin_rows(&m->io[i], all, pins));
    for (size_t i = 0; i < m->npic; i++) {
        struct oscope_apic_pic *row = os_list_add(pics);
        if (!row)
            return error_nomem();
        *row = (struct oscope_apic_pic){m->pic[i].index, m->pic[i].irr, m->pic[i].imr,
                                        m->pic[i].isr, m->pic[i].base};
    }
    return NULL;
}

struct oscope_error *dev_apic(struct dev *d)
{
    struct os_list *locals =
        dev_table(d, "local", apic_local_columns, sizeof(struct oscope_apic_local));
    struct os_list *pins = dev_table(d, "pins", apic_pin_columns, sizeof(struct oscope_apic_pin));
    struct os_list *lvts = dev_table(d, "lvt", apic_lvt_columns, sizeof(struct oscope_apic_lvt));
    struct os_list *pics = dev_table(d, "pics", apic_pic_columns, sizeof(struct oscope_apic_pic));
    struct oscope_error *err = NULL;
    json_t *answer = NULL;

    TRY(session_apic(d->session, &answer));
    const json_t *texts = json_object_get(answer, "lapics");
    for (size_t i = 0; i < json_array_size(texts) && !err; i++) {
        const char *text = json_string_value(json_array_get(texts, i));
        struct apic_local a;
        if (text && apic_parse_local(text, &a))
            err = local_rows(&a, d->all, locals, lvts);
        else
            os_list_note(locals, "QEMU prints a local APIC in a way that is not understood");
    }
    const char *machine = json_string_value(json_object_get(answer, "pic"));
    if (!err && machine)
        err = machine_rows(machine, d->all, pins, pics);
    if (!err && !locals->n)
        os_list_note(locals, "QEMU tells of no local APIC");
    json_decref(answer);
    return err;
}
