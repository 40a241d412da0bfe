/* SPDX-License-Identifier: MIT */
/* See indirect.h. */
#include "capture/qemutrace/indirect.h"

#include "base/util.h"

#include <stdio.h>

/* Intel 82093AA, 3.2: IOREGSEL selects what IOWIN is. */
static void name_ioapic(unsigned index, char *name)
{
    static const char *const head[] = {"IOAPICID", "IOAPICVER", "IOAPICARB"};

    if (index < ARRAY_SIZE(head))
        snprintf(name, QEMUTRACE_REGISTER, "%s", head[index]);
    else if (index >= 0x10 && index < 0x10 + 2 * 240)
        snprintf(name, QEMUTRACE_REGISTER, "redirection[%u]%s", (index - 0x10) / 2,
                 index % 2 ? ".high" : "");
}

/* Motorola MC146818, "Address map"; the century's byte is where ACPI's FADT of PCs says, 0x32. */
static void name_rtc(unsigned index, char *name)
{
    static const char *const bytes[] = {"seconds", "seconds_alarm",
                                        "minutes", "minutes_alarm",
                                        "hours",   "hours_alarm",
                                        "weekday", "day",
                                        "month",   "year",
                                        "A",       "B",
                                        "C",       "D"};

    if (index < ARRAY_SIZE(bytes))
        snprintf(name, QEMUTRACE_REGISTER, "%s", bytes[index]);
    else if (index == 0x32)
        snprintf(name, QEMUTRACE_REGISTER, "century");
    else
        snprintf(name, QEMUTRACE_REGISTER, "nvram[0x%02x]", index);
}

/* PCI local bus specification 3.0, 3.2.2.3.2: CONFIG_ADDRESS. As of ECAM: bus:device.function and
 * the register. */
static void name_pci(uint32_t address, unsigned offset, char *name)
{
    if (address >> 31)
        snprintf(name, QEMUTRACE_REGISTER, "%02x:%02x.%u+%03x", address >> 16 & 0xff,
                 address >> 11 & 31, address >> 8 & 7, (address & 0xfc) + (offset & 3));
}

static void ioapic(uint32_t index, unsigned offset, char *name)
{
    name_ioapic(index, name);
}

static void rtc(uint32_t index, unsigned offset, char *name)
{
    name_rtc(index, name);
}

struct row {
    const char *index;     /* device whose register `at` is the index */
    uint64_t at, mask;     /* mask: of the index */
    const char *data;      /* device whose register `from` is selected by it */
    uint64_t from, length; /* and those that follow */
    size_t state;
    void (*name)(uint32_t index, unsigned offset, char *name);
};

#define STATE(member) offsetof(struct qemutrace_indices, member)
static const struct row rows[] = {
    {"ioapic", 0x00, 0xff, "ioapic", 0x10, 4, STATE(ioapic), ioapic},
    {"rtc-index", 0, 0x7f, "rtc", 1, 1, STATE(rtc), rtc}, /* bit 7 masks NMIs */
    {"rtc", 0, 0x7f, "rtc", 1, 1, STATE(rtc), rtc},
    {"pci-conf-idx", 0, UINT32_MAX, "pci-conf-data", 0, 4, STATE(pci), name_pci},
};

void qemutrace_register_next(struct qemutrace_indices *x, const struct qemutrace_access *a,
                             uint64_t value, char name[QEMUTRACE_REGISTER])
{
    qemutrace_register(a, name);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        struct qemutrace_index *index = (struct qemutrace_index *)((char *)x + r->state);
        if (a->write && a->offset == r->at && !strcmp(a->device, r->index)) {
            index->known = true;
            index->value = (uint32_t)(value & r->mask);
            return;
        }
        if (index->known && a->offset >= r->from && a->offset - r->from < r->length &&
            !strcmp(a->device, r->data)) {
            r->name(index->value, (unsigned)(a->offset - r->from), name);
            return;
        }
    }
}
