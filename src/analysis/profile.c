/* SPDX-License-Identifier: MIT */
/* `profile check`: what each line of a profile yields; built-in profiles. */
#include <oscope/profile.h>

#include "analysis/columns.h"
#include "analysis/view.h"
#include "os/profile/builtin.h"
#include "session/session.h"

#define COL(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_profile_line, member, kind, flags, doc)

const struct oscope_column profile_columns[] = {
    COL(line, OSCOPE_UINT, 0, "its number in the profile"),
    COL(section, OSCOPE_TEXT, 0, "the section it is in"),
    COL(key, OSCOPE_TEXT, 0, "what it tells"),
    COL(expression, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY, "what stands behind the key"),
    COL(result, OSCOPE_TEXT, 0, "ok, nothing (a null pointer, no tasks), error"),
    COL(value, OSCOPE_HEX, 0, "of what is about the machine or is a constant, its value now"),
    COL(count, OSCOPE_UINT, 0, "tasks, vCPUs or pages of which it yielded something"),
    COL(of, OSCOPE_UINT, 0, "those that it was asked of"),
    COL(detail, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "the first values, or what is wrong"),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,
        "how good the row is: consistent, retried, torn"),
    {0},
};

/* The model is opened anew, and forgotten afterwards: other views want one that has no wrong lines.
 */
static struct oscope_error *check(struct oscope_session *s, struct os_list *l)
{
    struct os_model *m;

    os_close(s->os);
    s->os = NULL;
    s->lenient = true;
    struct oscope_error *err = session_os(s, &m);
    if (!err)
        err = m->ops->check
                  ? m->ops->check(m, l)
                  : error_new(OSCOPE_E_UNSUPPORTED,
                              "the guest's kernel is known to oscope: no profile is used");
    s->lenient = false;
    os_close(s->os);
    s->os = NULL;
    return err;
}

struct oscope_error *oscope_view_profile_check(struct oscope_session *s, struct oscope_view **out)
{
    AUTO(os_list_free) struct os_list l;

    os_list_init(&l, sizeof(struct oscope_profile_line));
    TRY(session_begin(s));
    struct oscope_error *err = check(s, &l);
    session_end(s, &l);
    return err ? err : view_from_list("profile check", "lines", profile_columns, &l, out);
}

const char *oscope_profile_name(size_t i)
{
    for (size_t k = 0; k <= i; k++)
        if (!profile_builtins[k].name)
            return NULL;
    return profile_builtins[i].name;
}

const char *oscope_profile_text(size_t i)
{
    return oscope_profile_name(i) ? profile_builtins[i].text : NULL;
}
