/* SPDX-License-Identifier: MIT */
/* See meter.h. */
#include "web/meter.h"

#include "base/error.h"
#include "base/util.h"
#include "collect/collect.h"
#include "web/ledger.h"

#include <oscope/devices.h>

#include <time.h>

enum { STATE_MS = 5000, RENAMES = 16 };
#define TOTALS_NS UINT64_C(1000000000) /* between two views of sums */

struct meter {
    char *session;
    uint64_t reports;
    struct oscope_open_options open;
    struct collect *collect;
    struct ledger *ledger;
    const char *sets[SETS_MAX]; /* wished for */
    size_t nsets;
    uint64_t since;         /* Unix time, ns */
    bool had_kernel;        /* one was seen when the sets were wished for last */
    struct out about, line; /* what the guest is, as labels; labels in the making */
    unsigned renames;       /* how often `about` changed */
    uint64_t looked;        /* when the newest look at memory was that was counted, ns */
    uint64_t looks[OSCOPE_TORN + 1];
    uint64_t lost, losses; /* packets and events; and how often these were counted anew */
};

const char *const meter_reports[] = {"modes", "sched", "traps", "syscalls", "faults", "blk", NULL};

/* ---- which reports ---- */

static int report_number(const char *name, size_t n)
{
    for (int i = 0; meter_reports[i]; i++)
        if (strlen(meter_reports[i]) == n && !memcmp(meter_reports[i], name, n))
            return i;
    return -1;
}

bool meter_parse(const char *text, uint64_t *out)
{
    *out = strcmp(text, "all") ? 0 : BIT(ARRAY_SIZE(meter_reports) - 1) - 1;
    if (*out || !strcmp(text, "none"))
        return true;
    for (;; text++) {
        size_t n = strcspn(text, ",");
        int i = report_number(text, n);
        if (i < 0)
            return false;
        *out |= BIT(i);
        text += n;
        if (!*text)
            return true;
    }
}

/* Where collect.h keeps that report's view. */
static enum slot slot_of(const char *report)
{
    const char *name, *summary;
    size_t i = 0;

    while (oscope_report_kind(i, &name, &summary) && strcmp(name, report) != 0)
        i++;
    return SLOT_REPORTS + i;
}

static void need_sets(struct meter *m, const char *report)
{
    for (const char *const *needs = oscope_monitor_needs(report); needs && *needs; needs++) {
        size_t i = 0;
        while (i < m->nsets && strcmp(m->sets[i], *needs) != 0)
            i++;
        if (i == m->nsets && i < SETS_MAX)
            m->sets[m->nsets++] = *needs;
    }
}

static void wish(struct meter *m)
{
    static const struct ask asks[] = {{.slot = SLOT_INFO, .every_ms = STATE_MS},
                                      {.slot = SLOT_MEMORY, .every_ms = STATE_MS}};
    uint64_t slots = 0;

    for (size_t i = 0; meter_reports[i]; i++)
        if (m->reports & BIT(i)) {
            slots |= BIT(slot_of(meter_reports[i]) - SLOT_REPORTS);
            need_sets(m, meter_reports[i]);
        }
    collect_ask(m->collect, asks, ARRAY_SIZE(asks));
    collect_reports(m->collect, slots);
    collect_sets(m->collect, m->sets, m->nsets);
}

/* ---- opening and closing ---- */

struct oscope_error *meter_open(const char *session, uint64_t reports,
                                const struct oscope_open_options *open, int wake,
                                struct meter **out)
{
    struct meter *m = calloc(1, sizeof *m);
    struct timespec now;

    *out = NULL;
    if (!m)
        return error_nomem();
    clock_gettime(CLOCK_REALTIME, &now);
    m->since = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    m->reports = reports;
    out_init(&m->about, -1);
    out_init(&m->line, -1);
    m->session = strdup(session);
    m->ledger = ledger_new();
    m->open = *open;
    m->open.session = m->session;
    struct oscope_error *err = m->session && m->ledger ? NULL : error_nomem();
    if (!err)
        err = collect_open(
            &(struct collect_options){
                .open = &m->open, .wake = wake, .totals = true, .pause = TOTALS_NS},
            &m->collect);
    if (err) {
        meter_close(m);
        return err;
    }
    wish(m);
    *out = m;
    return NULL;
}

void meter_close(struct meter *m)
{
    if (!m)
        return;
    collect_close(m->collect);
    ledger_free(m->ledger);
    out_free(&m->about);
    out_free(&m->line);
    free(m->session);
    free(m);
}

const char *meter_session(const struct meter *m)
{
    return m->session;
}

/* ---- samples: line_begin(), openmetrics_label()…, one of the others ---- */

static struct out *line_begin(struct meter *m)
{
    m->line.len = 0;
    openmetrics_label(&m->line, "guest", m->session);
    return &m->line;
}

static void line_count(struct meter *m, enum family family, uint64_t epoch, uint64_t value)
{
    out_char(&m->line, '\0');
    if (!m->line.error)
        ledger_count(m->ledger, family, m->line.buf, epoch, value);
    m->line.len--;
}

static void line_set(struct meter *m, enum family family, uint64_t value)
{
    out_char(&m->line, '\0');
    if (!m->line.error)
        ledger_set(m->ledger, family, m->line.buf, value);
    m->line.len--;
}

static void set(struct meter *m, enum family family, uint64_t value)
{
    line_begin(m);
    line_set(m, family, value);
}

/* ---- what reports count ---- */

/* Rows of the table of that name. */
static const void *rows(const struct oscope_view *v, const char *name, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < v->ntables; i++)
        if (!strcmp(v->tables[i].name, name)) {
            *n = v->tables[i].nrows;
            return v->tables[i].rows;
        }
    return NULL;
}

static void count_mode(struct meter *m, uint64_t epoch, uint32_t cpu, const char *mode, uint64_t ns)
{
    if (ns == OSCOPE_UNKNOWN) /* the guest has no such mode, or it was not seen */
        return;
    struct out *o = line_begin(m);
    openmetrics_label_number(o, "cpu", cpu);
    openmetrics_label(o, "mode", mode);
    line_count(m, FAMILY_MODES, epoch, ns);
}

static void count_modes(struct meter *m, const struct oscope_view *v, uint64_t epoch)
{
    size_t n;
    const struct oscope_modes_cpu *c = rows(v, "cpus", &n);

    for (; n--; c++) {
        count_mode(m, epoch, c->cpu, "firmware", c->firmware);
        count_mode(m, epoch, c->cpu, "kernel", c->kernel);
        count_mode(m, epoch, c->cpu, "user", c->user);
        count_mode(m, epoch, c->cpu, "guest_kernel", c->guest_kernel);
        count_mode(m, epoch, c->cpu, "guest_user", c->guest_user);
        count_mode(m, epoch, c->cpu, "idle", c->idle);
        count_mode(m, epoch, c->cpu, "unknown", c->unknown);
    }
}

static void count_sched(struct meter *m, const struct oscope_view *v, uint64_t epoch)
{
    size_t n;
    const struct oscope_sched_cpu *c = rows(v, "cpus", &n);

    for (; n--; c++) {
        openmetrics_label_number(line_begin(m), "cpu", c->cpu);
        line_count(m, FAMILY_SWITCHES, epoch, c->switches);
    }
}

static void count_traps(struct meter *m, const struct oscope_view *v, uint64_t epoch)
{
    size_t n;
    const struct oscope_trap_cause *c = rows(v, "causes", &n);

    for (; n--; c++) {
        struct out *o = line_begin(m);
        openmetrics_label(o, "cause", c->name);
        openmetrics_label_number(o, "code", c->cause);
        openmetrics_label(o, "kind", c->kind);
        openmetrics_label(o, "to", c->to);
        line_count(m, FAMILY_TRAPS, epoch, c->count);
        line_count(m, FAMILY_TRAP_TIME, epoch, c->total);
    }
}

static void count_syscalls(struct meter *m, const struct oscope_view *v, uint64_t epoch)
{
    size_t n;
    const struct oscope_syscall_row *c = rows(v, "calls", &n);

    for (; n--; c++) {
        openmetrics_label(line_begin(m), "name", c->name);
        line_count(m, FAMILY_CALLS, epoch, c->count);
        line_count(m, FAMILY_CALL_ERRORS, epoch, c->errors);
        line_count(m, FAMILY_CALL_TIME, epoch, c->total);
    }
}

static void count_faults(struct meter *m, const struct oscope_view *v, uint64_t epoch)
{
    size_t n;
    const struct oscope_fault_kind *k = rows(v, "kinds", &n);

    for (; n--; k++) {
        if (!strcmp(k->kind, "unfinished")) /* comes under its kind, later */
            continue;
        openmetrics_label(line_begin(m), "kind", k->kind);
        line_count(m, FAMILY_FAULTS, epoch, k->count);
    }
}

static void count_disks(struct meter *m, const struct oscope_view *v, uint64_t epoch)
{
    size_t n;
    const struct oscope_blk_disk *d = rows(v, "disks", &n);

    for (; n--; d++) {
        struct out *o = line_begin(m);
        openmetrics_label_number(o, "disk", d->disk);
        openmetrics_label(o, "access", d->access);
        line_count(m, FAMILY_DISK_REQUESTS, epoch, d->requests);
        line_count(m, FAMILY_DISK_BYTES, epoch, d->bytes);
    }
}

static void count_report(struct meter *m, size_t i)
{
    static void (*const counts[])(struct meter *, const struct oscope_view *, uint64_t) = {
        count_modes, count_sched, count_traps, count_syscalls, count_faults, count_disks};
    struct shot *shot = collect_take(m->collect, slot_of(meter_reports[i]));
    size_t n = 0;

    if (shot && shot->view) {
        const struct oscope_report_interval *interval = rows(shot->view, "interval", &n);
        if (n)
            counts[i](m, shot->view, interval->start);
    }
    shot_drop(m->collect, shot);
}

/* ---- what is so now ---- */

/* The guest may call its kernel whatever it likes, but not forever. */
static void tell_about(struct meter *m, const struct oscope_info *info)
{
    struct out *o = line_begin(m);

    openmetrics_label(o, "arch", info->arch);
    openmetrics_label(o, "os", info->os);
    openmetrics_label(o, "release", info->release);
    openmetrics_label(o, "process", info->guest);
    out_char(o, '\0');
    bool other = !m->about.buf || strcmp(o->buf, m->about.buf) != 0;
    if (!o->error && other && m->renames < RENAMES) {
        struct out old = m->about;
        m->about = *o;
        *o = old;
        m->renames++;
    }
    if (m->about.buf)
        ledger_set(m->ledger, FAMILY_GUEST, m->about.buf, 1);
    set(m, FAMILY_VCPUS, info->vcpus);
    set(m, FAMILY_RAM, info->ram);
}

/* What a kernel that was not there yet kept from being switched on. */
static void wish_again(struct meter *m, const struct collect_status *st, bool has_kernel)
{
    bool came = has_kernel && !m->had_kernel;

    m->had_kernel = has_kernel;
    if (came && st->nrefused)
        collect_sets(m->collect, m->sets, m->nsets);
}

static void tell_guest(struct meter *m, const struct collect_status *st, bool there)
{
    struct shot *shot = collect_take(m->collect, SLOT_INFO);
    size_t n = 0;
    const struct oscope_info *info = shot && shot->view ? rows(shot->view, "info", &n) : NULL;

    set(m, FAMILY_UP, n && there && !st->ended);
    if (n) {
        tell_about(m, info);
        wish_again(m, st, info->release && *info->release);
    }
    shot_drop(m->collect, shot);
}

static void tell_memory(struct meter *m)
{
    struct shot *shot = collect_take(m->collect, SLOT_MEMORY);
    size_t n = 0;
    const struct oscope_owner *owner = shot && shot->view ? rows(shot->view, "owners", &n) : NULL;

    for (; n--; owner++) {
        if (!strcmp(owner->owner, "total")) /* is oscope_guest_ram_bytes */
            continue;
        openmetrics_label(line_begin(m), "owner", owner->owner);
        line_set(m, FAMILY_OWNERS, owner->bytes);
    }
    if (shot && shot->view && shot->time != m->looked) {
        m->looked = shot->time;
        m->looks[shot->view->consistency]++;
    }
    shot_drop(m->collect, shot);
    for (int i = 0; i <= OSCOPE_TORN; i++) {
        openmetrics_label(line_begin(m), "consistency", oscope_consistency_name(i));
        line_count(m, FAMILY_LOOKS, 0, m->looks[i]);
    }
}

static bool is_refused(const struct collect_status *st, const char *set)
{
    for (size_t i = 0; i < st->nrefused; i++)
        if (!strcmp(st->refused[i].set, set))
            return true;
    return false;
}

static void tell_events(struct meter *m, const struct collect_status *st)
{
    uint64_t lost = st->lost_events + st->lost_packets;

    for (size_t i = 0; i < m->nsets; i++) {
        openmetrics_label(line_begin(m), "set", m->sets[i]);
        line_set(m, FAMILY_SET_ON, !st->ended && !*st->error && !is_refused(st, m->sets[i]));
    }
    m->losses += lost < m->lost; /* by a new reader */
    m->lost = lost;
    line_begin(m);
    line_count(m, FAMILY_LOST_EVENTS, m->losses, st->lost_events);
    line_count(m, FAMILY_LOST_PACKETS, m->losses, st->lost_packets);
    line_set(m, FAMILY_LAG, st->ended ? 0 : st->behind);
}

void meter_update(struct meter *m, bool there)
{
    struct collect_status st;

    collect_status(m->collect, &st);
    ledger_begin(m->ledger);
    tell_guest(m, &st, there);
    set(m, FAMILY_SINCE, m->since);
    tell_events(m, &st);
    for (size_t i = 0; meter_reports[i]; i++)
        if (m->reports & BIT(i))
            count_report(m, i);
    tell_memory(m);
    set(m, FAMILY_LEFT_OUT, ledger_left_out(m->ledger));
}

void meter_write(const struct meter *m, enum family family, struct out *o)
{
    ledger_write(m->ledger, family, o);
}
