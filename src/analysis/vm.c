/* SPDX-License-Identifier: MIT */
/* `vm`: a process's VMAs with their resident pages. */
#include "analysis/columns.h"
#include "analysis/view.h"
#include "base/util.h"
#include "session/session.h"

#define COL(member, kind, flags, doc) OSCOPE_COLUMN(struct oscope_vma, member, kind, flags, doc)

const struct oscope_column vm_columns[] = {
    COL(start, OSCOPE_HEX, 0, "first address"),
    COL(end, OSCOPE_HEX, 0, "address after the last"),
    COL(perms, OSCOPE_CHARS, 0, "read, write, execute, private or shared: \"rw-p\""),
    COL(offset, OSCOPE_HEX, 0, "in the file, bytes"),
    COL(device, OSCOPE_CHARS, 0, "of the file, major:minor in hexadecimal"),
    COL(inode, OSCOPE_UINT, 0, "of the file"),
    COL(size, OSCOPE_BYTES, 0, "bytes"),
    COL(resident, OSCOPE_BYTES, 0, "bytes mapped by the page tables now"),
    COL(anon, OSCOPE_BYTES, 0, "resident bytes of anonymous memory"),
    COL(file, OSCOPE_BYTES, 0, "resident bytes of file pages"),
    COL(flags, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "the OS's flags of the area"),
    COL(path, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "file, or [heap], [stack], [vdso] …, or empty"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the row is: consistent, retried, torn"),
    {0},
};

static struct oscope_error *vm_collect(struct oscope_session *s, int32_t pid, struct os_list *l)
{
    struct oscope_task task = {0};
    struct os_model *m;

    TRY(session_os(s, &m));
    if (!m->ops->vmas)
        return error_hint(os_cannot(m, "memory areas"), "oscope pt %d shows what is mapped",
                          (int)pid);
    TRY(m->ops->task(m, pid, &task));
    if (!task.mm) {
        os_list_note(l, "PID %d %s", pid,
                     task.kernel ? "is a kernel thread: it has no memory areas of its own"
                                 : "has no address space (any more)");
        return NULL;
    }
    return m->ops->vmas(m, &task, l);
}

struct oscope_error *oscope_view_vm(struct oscope_session *s, int32_t pid, struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_vma));
    TRY(session_begin(s));
    struct oscope_error *err = vm_collect(s, pid, &l);
    session_end(s, &l);
    return err ? err : view_from_list("vm", "vmas", vm_columns, &l, out);
}
