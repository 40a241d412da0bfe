/* SPDX-License-Identifier: MIT */
/*
 * One row per device: a table of offsets, or a function where a register's name has numbers in it.
 * Registers that are another one for writing have two names.
 */
#include "capture/qemutrace/devices.h"

#include "base/util.h"

#include <stdarg.h>
#include <stdio.h>

struct reg {
    uint32_t offset;
    const char *read, *write; /* write NULL: as read */
};

/* TI PC16550D data sheet, table II (with DLAB = 0). */
static const struct reg uart16550[] = {
    {0, "RBR", "THR"}, {1, "IER", NULL}, {2, "IIR", "FCR"}, {3, "LCR", NULL},
    {4, "MCR", NULL},  {5, "LSR", NULL}, {6, "MSR", NULL},  {7, "SCR", NULL},
};

/* ARM DDI 0183 (PrimeCell UART PL011), table 3-1. */
static const struct reg pl011[] = {
    {0x00, "DR", NULL},   {0x04, "RSR", "ECR"},  {0x18, "FR", NULL},    {0x20, "ILPR", NULL},
    {0x24, "IBRD", NULL}, {0x28, "FBRD", NULL},  {0x2c, "LCR_H", NULL}, {0x30, "CR", NULL},
    {0x34, "IFLS", NULL}, {0x38, "IMSC", NULL},  {0x3c, "RIS", NULL},   {0x40, "MIS", NULL},
    {0x44, "ICR", NULL},  {0x48, "DMACR", NULL},
};

/* Virtio 1.2, table 4.1 (4.2.2); GuestPageSize … QueuePFN: the legacy table 4.2 (4.2.4). */
static const struct reg virtio_mmio[] = {
    {0x000, "MagicValue", NULL},      {0x004, "Version", NULL},
    {0x008, "DeviceID", NULL},        {0x00c, "VendorID", NULL},
    {0x010, "DeviceFeatures", NULL},  {0x014, "DeviceFeaturesSel", NULL},
    {0x020, "DriverFeatures", NULL},  {0x024, "DriverFeaturesSel", NULL},
    {0x028, "GuestPageSize", NULL},   {0x030, "QueueSel", NULL},
    {0x034, "QueueNumMax", NULL},     {0x038, "QueueNum", NULL},
    {0x03c, "QueueAlign", NULL},      {0x040, "QueuePFN", NULL},
    {0x044, "QueueReady", NULL},      {0x050, "QueueNotify", NULL},
    {0x060, "InterruptStatus", NULL}, {0x064, "InterruptACK", NULL},
    {0x070, "Status", NULL},          {0x080, "QueueDescLow", NULL},
    {0x084, "QueueDescHigh", NULL},   {0x090, "QueueDriverLow", NULL},
    {0x094, "QueueDriverHigh", NULL}, {0x0a0, "QueueDeviceLow", NULL},
    {0x0a4, "QueueDeviceHigh", NULL}, {0x0ac, "SHMSel", NULL},
    {0x0b0, "SHMLenLow", NULL},       {0x0b4, "SHMLenHigh", NULL},
    {0x0b8, "SHMBaseLow", NULL},      {0x0bc, "SHMBaseHigh", NULL},
    {0x0c0, "QueueReset", NULL},      {0x0fc, "ConfigGeneration", NULL},
};

/* Virtio 1.2, 4.1.4.3: struct virtio_pci_common_cfg. */
static const struct reg virtio_common[] = {
    {0x00, "device_feature_select", NULL}, {0x04, "device_feature", NULL},
    {0x08, "driver_feature_select", NULL}, {0x0c, "driver_feature", NULL},
    {0x10, "config_msix_vector", NULL},    {0x12, "num_queues", NULL},
    {0x14, "device_status", NULL},         {0x15, "config_generation", NULL},
    {0x16, "queue_select", NULL},          {0x18, "queue_size", NULL},
    {0x1a, "queue_msix_vector", NULL},     {0x1c, "queue_enable", NULL},
    {0x1e, "queue_notify_off", NULL},      {0x20, "queue_desc", NULL},
    {0x24, "queue_desc.high", NULL},       {0x28, "queue_driver", NULL},
    {0x2c, "queue_driver.high", NULL},     {0x30, "queue_device", NULL},
    {0x34, "queue_device.high", NULL},     {0x38, "queue_notif_config_data", NULL},
    {0x3a, "queue_reset", NULL},
};

/* Virtio 1.2, 4.1.4.5. */
static const struct reg virtio_isr[] = {{0, "isr", NULL}};

/* Intel 8259A data sheet, "Programming"; ICH9 data sheet, 13.4.6 (ELCR). */
static const struct reg pic[] = {{0, "IRR_or_ISR", "OCW2_3_or_ICW1"}, {1, "IMR", "IMR_or_ICW2_4"}};
static const struct reg elcr[] = {{0, "ELCR", NULL}};

/* Intel 8254 data sheet, "Programming". */
static const struct reg pit[] = {
    {0, "counter0", NULL}, {1, "counter1", NULL}, {2, "counter2", NULL}, {3, "control", NULL}};
/* ICH9 data sheet, 13.7.1 (NMI_SC). */
static const struct reg pcspk[] = {{0, "NMI_SC", NULL}};

/* IBM PS/2 hardware interface technical reference, "Keyboard and auxiliary device controller". */
static const struct reg i8042_data[] = {{0, "data", NULL}};
static const struct reg i8042_cmd[] = {{0, "status", "command"}};

/* PCI local bus specification 3.0, 3.2.2.3.2. */
static const struct reg pci_index[] = {{0, "CONFIG_ADDRESS", NULL}};
static const struct reg pci_data[] = {{0, "CONFIG_DATA", NULL},
                                      {1, "CONFIG_DATA", NULL},
                                      {2, "CONFIG_DATA", NULL},
                                      {3, "CONFIG_DATA", NULL}};

/* QEMU's docs/specs/fw_cfg.rst: I/O ports of x86, and a region each where it is in memory. */
static const struct reg fw_cfg[] = {{0, "selector", NULL}, {1, "data", NULL}};
static const struct reg fw_cfg_selector[] = {{0, "selector", NULL}};
static const struct reg fw_cfg_data[] = {{0, "data", NULL}};
static const struct reg fw_cfg_dma[] = {{0, "DMA.high", NULL}, {4, "DMA.low", NULL}};

/* ACPI specification 6.4, 4.8.3. */
static const struct reg acpi_evt[] = {{0, "PM1_STS", NULL}, {2, "PM1_EN", NULL}};
static const struct reg acpi_cnt[] = {{0, "PM1_CNT", NULL}};
static const struct reg acpi_tmr[] = {{0, "PM_TMR", NULL}};

/* ICH9 data sheet, 13.6: the port that enters SMM. */
static const struct reg apm[] = {{0, "APM_CNT", NULL}, {1, "APM_STS", NULL}};

/* QEMU's hw/misc/sifive_test.c; SiFive "test finisher". */
static const struct reg sifive_test[] = {{0, "finisher", NULL}};

/* QEMU's hw/rtc/goldfish_rtc.c; Android's goldfish "virtual hardware" page. */
static const struct reg goldfish_rtc[] = {
    {0x00, "TIME_LOW", NULL},     {0x04, "TIME_HIGH", NULL},       {0x08, "ALARM_LOW", NULL},
    {0x0c, "ALARM_HIGH", NULL},   {0x10, "IRQ_ENABLED", NULL},     {0x14, "CLEAR_ALARM", NULL},
    {0x18, "ALARM_STATUS", NULL}, {0x1c, "CLEAR_INTERRUPT", NULL},
};

/* Intel 82093AA (I/O APIC), 3.1; EOI: ICH9 data sheet, 13.5.1. */
static const struct reg ioapic[] = {
    {0x00, "IOREGSEL", NULL}, {0x10, "IOWIN", NULL}, {0x40, "EOI", NULL}};

/* Intel SDM volume 3, table "Local APIC Register Address Map". */
static const struct reg lapic[] = {
    {0x020, "ID", NULL},
    {0x030, "Version", NULL},
    {0x080, "TPR", NULL},
    {0x090, "APR", NULL},
    {0x0a0, "PPR", NULL},
    {0x0b0, "EOI", NULL},
    {0x0c0, "RRD", NULL},
    {0x0d0, "LDR", NULL},
    {0x0e0, "DFR", NULL},
    {0x0f0, "SVR", NULL},
    {0x280, "ESR", NULL},
    {0x2f0, "LVT_CMCI", NULL},
    {0x300, "ICR_low", NULL},
    {0x310, "ICR_high", NULL},
    {0x320, "LVT_timer", NULL},
    {0x330, "LVT_thermal", NULL},
    {0x340, "LVT_perf", NULL},
    {0x350, "LVT_LINT0", NULL},
    {0x360, "LVT_LINT1", NULL},
    {0x370, "LVT_error", NULL},
    {0x380, "timer_initial", NULL},
    {0x390, "timer_current", NULL},
    {0x3e0, "timer_divide", NULL},
};

/* Motorola MC146818: an index and the byte there. */
static const struct reg rtc_index[] = {{0, "index", NULL}};
static const struct reg rtc_data[] = {{1, "data", NULL}};

static const char *find(const struct reg *regs, size_t n, uint64_t offset, bool write)
{
    for (size_t i = 0; i < n; i++)
        if (regs[i].offset == offset)
            return write && regs[i].write ? regs[i].write : regs[i].read;
    return "";
}

__attribute__((format(printf, 2, 3))) static void put(char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, QEMUTRACE_REGISTER, fmt, ap);
    va_end(ap);
}

/* RISC-V PLIC specification 1.0.0, chapters 3 to 8 (memory map: chapter 3). */
static void plic(const struct qemutrace_access *a, char *name)
{
    unsigned o = (unsigned)a->offset;

    if (a->offset >= 0x4000000 || o % 4)
        return;
    if (o < 0x1000)
        put(name, "priority[%u]", o / 4);
    else if (o < 0x1080)
        put(name, "pending[%u]", (o - 0x1000) / 4);
    else if (o >= 0x2000 && o < 0x1f2000)
        put(name, "enable[%u][%u]", (o - 0x2000) / 0x80, (o - 0x2000) % 0x80 / 4);
    else if (o >= 0x200000 && o % 0x1000 == 0)
        put(name, "threshold[%u]", (o - 0x200000) / 0x1000);
    else if (o >= 0x200000 && o % 0x1000 == 4)
        put(name, "%s[%u]", a->write ? "complete" : "claim", (o - 0x200000) / 0x1000);
}

/* RISC-V ACLINT specification 1.0-rc4, chapters 2 (MTIMER), 3 (MSWI), 4 (SSWI). QEMU's MTIMER has
 * MTIME at the end of the range that a SiFive CLINT has (include/hw/intc/riscv_aclint.h). */
static void aclint_swi(const struct qemutrace_access *a, char *name)
{
    if (a->offset < 0x4000 && a->offset % 4 == 0)
        put(name, "msip[%u]", (unsigned)a->offset / 4);
}

static void aclint_sswi(const struct qemutrace_access *a, char *name)
{
    if (a->offset < 0x4000 && a->offset % 4 == 0)
        put(name, "setssip[%u]", (unsigned)a->offset / 4);
}

static void aclint_mtimer(const struct qemutrace_access *a, char *name)
{
    unsigned o = (unsigned)a->offset;

    if (a->offset >= 0x8000 || o % 4)
        return;
    if (o >= 0x7ff8)
        put(name, "mtime%s", o % 8 ? ".high" : "");
    else
        put(name, "mtimecmp[%u]%s", o / 8, o % 8 ? ".high" : "");
}

/* IA-PC HPET specification 1.0a, 2.3.1. */
static void hpet(const struct qemutrace_access *a, char *name)
{
    static const struct reg head[] = {{0x00, "GCAP_ID", NULL},
                                      {0x10, "GEN_CONF", NULL},
                                      {0x20, "GINTR_STA", NULL},
                                      {0xf0, "MAIN_CNT", NULL}};
    static const char *const timer[] = {"CONF", "COMP", "FSB_ROUTE", ""};
    unsigned o = (unsigned)a->offset, low = o & ~7u;
    const char *high = o % 8 == 4 ? ".high" : "";

    if (a->offset >= 0x500 || o % 4)
        return;
    if (o < 0x100 && *find(head, ARRAY_SIZE(head), low, false))
        put(name, "%s%s", find(head, ARRAY_SIZE(head), low, false), high);
    else if (o >= 0x100 && *timer[low % 0x20 / 8])
        put(name, "T%u_%s%s", (o - 0x100) / 0x20, timer[low % 0x20 / 8], high);
}

/* PCI Express base specification, 7.2.2 (ECAM): bus:device.function and the register. */
static void ecam(const struct qemutrace_access *a, char *name)
{
    unsigned o = (unsigned)a->offset;

    if (a->offset < 0x10000000)
        put(name, "%02x:%02x.%u+%03x", o >> 20, o >> 15 & 31, o >> 12 & 7, o & 0xfff);
}

/* Intel SDM volume 3, "Message Address Register Format": bits 19:12 are the destination. A vCPU's
 * accesses to the first page are to its own local APIC. */
static void apic(const struct qemutrace_access *a, char *name)
{
    if (!a->vcpu || a->offset >= 0x1000)
        put(name, "message[%u]", (unsigned)(a->offset >> 12 & 0xff));
    else if (a->offset >= 0x100 && a->offset < 0x280 && a->offset % 16 == 0)
        put(name, "%s[%u]",
            a->offset < 0x180   ? "ISR"
            : a->offset < 0x200 ? "TMR"
                                : "IRR",
            (unsigned)(a->offset >> 4 & 7));
    else
        put(name, "%s", find(lapic, ARRAY_SIZE(lapic), a->offset, a->write));
}

/* PCI local bus specification 3.0, 6.8.2: MSI-X. */
static void msix_table(const struct qemutrace_access *a, char *name)
{
    static const char *const part[] = {"address", "address.high", "data", "control"};

    if (a->offset < 0x8000 && a->offset % 4 == 0)
        put(name, "entry[%u].%s", (unsigned)a->offset / 16, part[a->offset / 4 % 4]);
}

static void msix_pba(const struct qemutrace_access *a, char *name)
{
    if (a->offset < 0x100 && a->offset % 4 == 0)
        put(name, "pending[%u]%s", (unsigned)a->offset / 8, a->offset % 8 ? ".high" : "");
}

/* Virtio 1.2, 4.2.2 and 4.1.4.6: what each kind of device has is its own. */
static void virtio_config(const struct qemutrace_access *a, char *name)
{
    if (a->offset < 0x1000)
        put(name, "config+0x%x", (unsigned)a->offset);
}

static void virtio_mmio_any(const struct qemutrace_access *a, char *name)
{
    if (a->offset >= 0x100 && a->offset < 0x1000)
        put(name, "config+0x%x", (unsigned)a->offset - 0x100);
    else
        put(name, "%s", find(virtio_mmio, ARRAY_SIZE(virtio_mmio), a->offset, a->write));
}

/* Virtio 1.2, 4.1.4.4; QEMU's multiplier is 4 (hw/virtio/virtio-pci.c), or one page. */
static void virtio_notify(const struct qemutrace_access *a, char *name)
{
    if (a->offset < 0x1000)
        put(name, "notify[%u]", (unsigned)a->offset / 4);
}

#define REGS(t) t, ARRAY_SIZE(t), NULL

static const struct device {
    const char *name; /* of a memory region; with a '*' at the end: what it begins with */
    const struct reg *regs;
    size_t nregs;
    void (*decode)(const struct qemutrace_access *a, char *name);
} devices[] = {
    {"serial", REGS(uart16550)},
    {"pl011", REGS(pl011)},
    {"riscv.sifive.plic", NULL, 0, plic},
    {"riscv.aclint.swi", NULL, 0, aclint_swi},
    {"riscv.aclint.sswi", NULL, 0, aclint_sswi},
    {"riscv.aclint.mtimer", NULL, 0, aclint_mtimer},
    {"virtio-mmio", NULL, 0, virtio_mmio_any},
    {"virtio-pci-device-*", NULL, 0, virtio_config},
    {"msix-table", NULL, 0, msix_table},
    {"msix-pba", NULL, 0, msix_pba},
    {"virtio-pci-common-*", REGS(virtio_common)},
    {"virtio-pci-isr-*", REGS(virtio_isr)},
    {"virtio-pci-notify-*", NULL, 0, virtio_notify},
    {"goldfish_rtc", REGS(goldfish_rtc)},
    {"pcie-mmcfg-mmio", NULL, 0, ecam},
    {"hpet", NULL, 0, hpet},
    {"ioapic", REGS(ioapic)},
    {"apic-msi", NULL, 0, apic},
    {"pic", REGS(pic)},
    {"elcr", REGS(elcr)},
    {"pit", REGS(pit)},
    {"pcspk", REGS(pcspk)},
    {"i8042-data", REGS(i8042_data)},
    {"i8042-cmd", REGS(i8042_cmd)},
    {"pci-conf-idx", REGS(pci_index)},
    {"pci-conf-data", REGS(pci_data)},
    {"fwcfg", REGS(fw_cfg)},
    {"fwcfg.ctl", REGS(fw_cfg_selector)},
    {"fwcfg.data", REGS(fw_cfg_data)},
    {"fwcfg.dma", REGS(fw_cfg_dma)},
    {"acpi-evt", REGS(acpi_evt)},
    {"acpi-cnt", REGS(acpi_cnt)},
    {"acpi-tmr", REGS(acpi_tmr)},
    {"apm-io", REGS(apm)},
    {"riscv.sifive.test", REGS(sifive_test)},
    {"rtc-index", REGS(rtc_index)},
    {"rtc", REGS(rtc_data)},
};

static bool is(const struct device *d, const char *name)
{
    size_t n = strlen(d->name);

    return d->name[n - 1] == '*' ? !strncmp(d->name, name, n - 1) : !strcmp(d->name, name);
}

void qemutrace_register(const struct qemutrace_access *a, char name[QEMUTRACE_REGISTER])
{
    name[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        const struct device *d = &devices[i];
        if (!is(d, a->device))
            continue;
        if (d->decode)
            d->decode(a, name);
        else
            put(name, "%s", find(d->regs, d->nregs, a->offset, a->write));
        return;
    }
}
