/* SPDX-License-Identifier: MIT */
/* `dmesg`: the kernel's log records. */
#include "analysis/columns.h"
#include "analysis/view.h"
#include "base/util.h"
#include "session/session.h"

#define COL(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_log_record, member, kind, flags, doc)

const struct oscope_column dmesg_columns[] = {
    COL(seq, OSCOPE_UINT, 0, "running number of the record"),
    COL(time, OSCOPE_DURATION, 0, "when it was written, ns since boot by the guest's clock"),
    COL(level, OSCOPE_UINT, 0, "0 emergency … 7 debug"),
    COL(facility, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "as in syslog, 0: kernel"),
    COL(caller, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY,
        "who wrote it: thread id, or bit 31 set and the number of the CPU"),
    COL(text, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "the message"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the row is: consistent, retried, torn"),
    {0},
};

static struct oscope_error *dmesg_collect(struct oscope_session *s, uint64_t from,
                                          struct os_list *l)
{
    struct os_model *m;

    TRY(session_os(s, &m));
    return m->ops->log ? m->ops->log(m, from, l) : os_cannot(m, "log");
}

struct oscope_error *oscope_view_dmesg(struct oscope_session *s, uint64_t from_seq,
                                       struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_log_record));
    TRY(session_begin(s));
    struct oscope_error *err = dmesg_collect(s, from_seq, &l);
    session_end(s, &l);
    return err ? err : view_from_list("dmesg", "records", dmesg_columns, &l, out);
}
