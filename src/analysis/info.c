/* SPDX-License-Identifier: MIT */
/*
 * `info`: what the guest is. What the machine alone tells (arch, RAM, vCPUs, paging registers) is
 * always shown; what an OS model adds, when one recognised the guest, else why none did.
 */
#include "analysis/columns.h"
#include "analysis/view.h"
#include "base/util.h"
#include "session/session.h"
#include "session/symfiles.h"

#include <stdio.h>

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_info, member, kind, flags, doc)

const struct oscope_column info_columns[] = {
    COL(session, OSCOPE_TEXT, 0, "the session's id"),
    COL(guest, OSCOPE_TEXT, 0, "QEMU process, GDB stub or core file"),
    COL(arch, OSCOPE_TEXT, 0, "architecture, as QEMU names it"),
    COL(os, OSCOPE_TEXT, 0, "which, or unknown"),
    COL(banner, OSCOPE_TEXT, 0, "what the kernel says it is"),
    COL(release, OSCOPE_TEXT, 0, "the kernel's release"),
    COL(recognised, OSCOPE_TEXT, 0, "how the kernel was found"),
    COL(kaslr_offset, OSCOPE_HEX, 0, "distance between link and run-time addresses"),
    COL(paging, OSCOPE_TEXT, 0, "paging mode"),
    COL(root, OSCOPE_HEX, 0, "physical address of the kernel's page table"),
    COL(ram, OSCOPE_BYTES, 0, "all RAM, bytes"),
    COL(ram_map, OSCOPE_TEXT, 0, "physical ranges of RAM"),
    COL(vcpus, OSCOPE_UINT, 0, "virtual CPUs"),
    COL(uptime, OSCOPE_DURATION, 0, "since boot by the guest's clock, ns"),
    COL(tasks, OSCOPE_UINT, 0, "processes, kernel threads included"),
    COL(threads, OSCOPE_UINT, 0, "threads"),
    COL(symbols, OSCOPE_UINT, 0, "kernel symbols known"),
    COL(modules, OSCOPE_UINT, 0, "modules loaded"),
    COL(types, OSCOPE_TEXT, 0, "where types come from: BTF, DWARF and a file, or none"),
    COL(confidence, OSCOPE_TEXT, 0, "how sure this is: high, medium or low, and why"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the answer is: consistent, retried, torn"),
    {0},
};

/* "0x80000000-0x9fffffff, …", regions that touch joined, at most a screenful. */
static const char *info_ram_map(const struct target *t, struct arena *strings)
{
    char buf[1024];
    size_t at = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < t->nram;) {
        uint64_t start = t->ram[i].gpa, last = start + t->ram[i].size - 1;
        while (++i < t->nram && t->ram[i].gpa == last + 1)
            last = t->ram[i].gpa + t->ram[i].size - 1;
        if (at + 64 > sizeof buf) {
            snprintf(buf + at, sizeof buf - at, ", …");
            break;
        }
        at += (size_t)snprintf(buf + at, sizeof buf - at, "%s0x%llx-0x%llx", at ? ", " : "",
                               (unsigned long long)start, (unsigned long long)last);
    }
    return arena_strdup(strings, buf);
}

/* What the first vCPU's registers say about paging; used when no OS says it. */
static void info_registers(struct oscope_session *s, struct oscope_info *info, struct os_list *l)
{
    AUTO(target_vcpus_free) struct target_vcpus vcpus = {0};
    struct oscope_error *err = target_registers(s->target, &vcpus);

    if (err) {
        os_list_note(l, "registers not available (%s)", err->message);
        oscope_error_free(err);
        return;
    }
    info->vcpus = (uint32_t)vcpus.n;
    if (!s->arch || s->os)
        return;
    for (size_t i = 0; i < vcpus.n; i++) {
        struct paging low = {0}, high = {0};
        if (!s->arch->paging(&vcpus.vcpus[i], &low, &high)) {
            os_list_note(l, "vCPU %u: paging registers are missing", vcpus.vcpus[i].index);
            continue;
        }
        const char *mode = high.mode ? high.mode->name : low.mode ? low.mode->name : "off";
        const char *privilege = arch_privilege(s->arch, &vcpus.vcpus[i], s->target, NULL);
        bool known = strcmp(privilege, "?") != 0;
        uint64_t pc = 0;
        target_reg(&vcpus.vcpus[i], s->arch->pc, &pc);
        os_list_note(l, "vCPU %u: pc 0x%llx, %s%spaging %s%s", vcpus.vcpus[i].index,
                     (unsigned long long)pc, known ? privilege : "", known ? ", " : "", mode,
                     vcpus.vcpus[i].halted ? ", halted" : "");
        if (info->root == OSCOPE_UNKNOWN && (high.mode || low.mode)) {
            info->paging = mode;
            info->root = high.mode ? high.root : low.root;
        }
    }
}

/* A symbol file of the user that is not one, or of another kernel, is an error in every view. */
static struct oscope_error *info_os(struct oscope_session *s, struct oscope_info *info,
                                    struct os_list *l)
{
    struct os_model *m = NULL;
    struct oscope_error *err = session_os(s, &m);

    if (!err) {
        info->os = m->ops->name;
        return m->ops->info(m, info, l);
    }
    if (err->code == OSCOPE_E_NOMEM || err->code == OSCOPE_E_GONE || err->code == OSCOPE_E_USAGE)
        return err;
    struct oscope_error *files = symfiles_check(s->target->arch, &s->opts.files);
    if (files) {
        oscope_error_free(err);
        return files;
    }
    info->os = "unknown";
    info->confidence = "none: no OS recognised";
    os_list_note(l, "no OS: %s", err->message);
    if (err->hint)
        os_list_note(l, "%s", err->hint);
    oscope_error_free(err);
    return NULL;
}

static struct oscope_error *info_collect(struct oscope_session *s, struct os_list *l)
{
    struct oscope_info *info = os_list_add(l);

    if (!info)
        return error_nomem();
    info->session = s->id ? arena_strdup(&l->strings, s->id) : NULL;
    info->guest = s->guest ? arena_strdup(&l->strings, s->guest) : NULL;
    info->arch = s->target->arch ? arena_strdup(&l->strings, s->target->arch) : NULL;
    info->kaslr_offset = info->root = info->uptime = OSCOPE_UNKNOWN;
    info->tasks = info->threads = info->symbols = info->modules = OSCOPE_UNKNOWN;
    info->vcpus = UINT32_MAX;
    info->ram = target_ram_total(s->target);
    info->ram_map = info_ram_map(s->target, &l->strings);
    if (!s->arch)
        os_list_note(l, "architecture %s is not one oscope knows",
                     s->target->arch ? s->target->arch : "?");
    TRY(info_os(s, info, l));
    info_registers(s, info, l);
    if (l->consistency < info->consistency)
        l->consistency = info->consistency;
    return NULL;
}

struct oscope_error *oscope_view_info(struct oscope_session *s, struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_info));
    TRY(session_begin(s));
    struct oscope_error *err = info_collect(s, &l);
    session_end(s, &l);
    return err ? err : view_from_list("info", "info", info_columns, &l, out);
}
