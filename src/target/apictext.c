/* SPDX-License-Identifier: MIT */
/* See apictext.h. Line by line; a line that does not read as it should changes nothing. */
#include "target/apictext.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

/* The next line into buf, without its end; false: there are no more. Longer ones are cut. */
static bool next_line(const char **text, char *buf, size_t size)
{
    size_t n = strcspn(*text, "\n");

    if (!**text)
        return false;
    size_t len = MIN(n, size - 1);
    memcpy(buf, *text, len);
    while (len && isspace((unsigned char)buf[len - 1]))
        len--;
    buf[len] = '\0';
    *text += n + ((*text)[n] == '\n');
    return true;
}

/* "48 49(level) 236" */
static struct apic_vectors vectors(const char *s)
{
    struct apic_vectors v = {{0}};

    for (;;) {
        char *end;
        while (isspace((unsigned char)*s))
            s++;
        errno = 0;
        unsigned long n = isdigit((unsigned char)*s) ? strtoul(s, &end, 10) : ULONG_MAX;
        if (n > 255 || errno)
            return v;
        v.bits[n / 64] |= UINT64_C(1) << (n % 64);
        s = end;
        if (!strncmp(s, "(level)", 7))
            s += 7;
    }
}

/* What follows a word at the beginning of the line; NULL: it begins otherwise. */
static const char *after(const char *line, const char *word)
{
    size_t n = strlen(word);

    while (isspace((unsigned char)*line))
        line++;
    return !strncmp(line, word, n) && isspace((unsigned char)line[n]) ? line + n : NULL;
}

static void local_line(const char *line, struct apic_local *a)
{
    char name[8];
    uint32_t x;
    const char *rest;

    if (!strncmp(line, "LVT", 3)) {
        if (sscanf(line, "%7s 0x%" SCNx32, name, &x) == 2 && a->nlvt < APIC_LVTS) {
            memcpy(a->lvt[a->nlvt].name, name, sizeof name);
            a->lvt[a->nlvt++].value = x;
        }
    } else if ((rest = after(line, "Timer"))) {
        uint32_t divide, initial, current;
        if (sscanf(rest,
                   " DCR=0x%*x (divide by %" SCNu32 ") initial_count = %" SCNu32
                   " current_count = %" SCNu32,
                   &divide, &initial, &current) == 3) {
            a->divide = divide;
            a->initial = initial;
            a->current = current;
        }
    } else if ((rest = after(line, "SPIV"))) {
        if (sscanf(rest, " 0x%" SCNx32, &x) == 1) {
            a->spiv = x;
            a->enabled = x >> 8 & 1;
        }
    } else if ((rest = after(line, "ISR"))) {
        a->isr = vectors(rest);
    } else if ((rest = after(line, "IRR"))) {
        a->irr = vectors(rest);
    } else if (after(line, "APR")) {
        const char *tpr = strstr(line, "TPR 0x"), *ppr = strstr(line, "PPR 0x");
        a->tpr = tpr ? (uint32_t)strtoul(tpr + 4, NULL, 16) : 0;
        a->ppr = ppr ? (uint32_t)strtoul(ppr + 4, NULL, 16) : 0;
    }
}

bool apic_parse_local(const char *text, struct apic_local *out)
{
    const char *head = strstr(text, "local APIC state for CPU");
    char line[512];

    *out = (struct apic_local){0};
    if (!head || sscanf(head, "local APIC state for CPU %" SCNu32, &out->cpu) != 1)
        return false;
    text = head;
    while (next_line(&text, line, sizeof line))
        local_line(line, out);
    return out->nlvt > 0;
}

static void pin_line(const char *line, struct apic_pins *io)
{
    unsigned pin;
    uint64_t entry;
    const char *rest;

    if (sscanf(line, " pin %u 0x%" SCNx64, &pin, &entry) == 2) {
        if (pin >= APIC_PINS)
            return;
        io->redirection[pin] = entry;
        io->npins = MAX(io->npins, (size_t)pin + 1);
    } else if ((rest = after(line, "IRR"))) {
        io->irr = vectors(rest);
    }
}

void apic_parse_machine(const char *text, struct apic_machine *out)
{
    struct apic_pins *io = NULL;
    struct apic_pic p;
    uint32_t index;
    char line[512];

    *out = (struct apic_machine){0};
    while (next_line(&text, line, sizeof line)) {
        if (sscanf(line,
                   "pic%" SCNu32 ": irr=%" SCNx32 " imr=%" SCNx32 " isr=%" SCNx32
                   " hprio=%*x irq_base=%" SCNx32,
                   &p.index, &p.irr, &p.imr, &p.isr, &p.base) == 5) {
            if (out->npic < APIC_PICS)
                out->pic[out->npic++] = p;
        } else if (sscanf(line, "ioapic%" SCNu32 ":", &index) == 1) {
            io = out->nio < APIC_IOAPICS ? &out->io[out->nio++] : NULL;
            if (io)
                io->index = index;
        } else if (io) {
            pin_line(line, io);
        }
    }
}
