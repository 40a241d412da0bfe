/* SPDX-License-Identifier: MIT */
/*
 * Opening a session for a command. session.json has all that is needed, so no other process is
 * asked: the broker only when a view wants registers or a pause.
 */
#include "session/session.h"

#include "base/util.h"
#include "session/private.h"
#include "session/runtime.h"
#include "session/symfiles.h"
#include "target/gdb.h"
#include "target/hostproc.h"
#include "target/registers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum { REGISTERS_TIMEOUT_MS = 2000 };

/* ---- what the broker is asked ---- */

/* threads: [[index, thread-id], …] */
static void set_threads(struct target_vcpus *v, const json_t *threads)
{
    for (size_t i = 0; i < json_array_size(threads); i++) {
        const json_t *pair = json_array_get(threads, i);
        json_int_t index = json_integer_value(json_array_get(pair, 0));
        for (size_t k = 0; k < v->n; k++)
            if (v->vcpus[k].index == index)
                v->vcpus[k].thread_id = (pid_t)json_integer_value(json_array_get(pair, 1));
    }
}

static struct oscope_error *ask_registers(void *arg, struct target_vcpus *out)
{
    struct session_private *p = arg;
    json_t *answer;

    if (p->silent)
        return error_new(OSCOPE_E_TIMEOUT, "QEMU does not answer");
    struct oscope_error *err = broker_call(&p->link, "registers", REGISTERS_TIMEOUT_MS, &answer);
    if (err && err->code == OSCOPE_E_TIMEOUT) {
        p->silent = true; /* a view may ask several times: waiting once is enough */
        oscope_error_free(err);
        return error_new(OSCOPE_E_TIMEOUT, "QEMU does not answer");
    }
    TRY(err);
    const char *text = json_string_value(json_object_get(answer, "text"));
    err = registers_parse(text ? text : "", p->desc.arch, out);
    if (!err)
        set_threads(out, json_object_get(answer, "threads"));
    json_decref(answer);
    return err;
}

static struct oscope_error *ask_pause(void *arg, bool stop)
{
    struct session_private *p = arg;

    return broker_call(&p->link, stop ? "pause" : "resume", BROKER_TIMEOUT_MS, NULL);
}

/* ---- which session ---- */

static struct oscope_error *several(const struct runtime_ids *ids)
{
    char list[256] = "";
    size_t n = 0;

    for (size_t i = 0; i < ids->n && n < sizeof list - 40; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", ids->ids[i]);
    return error_hint(error_new(OSCOPE_E_USAGE, "there are %zu sessions: %s", ids->n, list),
                      "choose one with -s ID; oscope list shows what they are");
}

/* The only session's id; the caller's. */
static struct oscope_error *only_session(char **id)
{
    struct runtime_ids ids;
    struct oscope_error *err = NULL;

    TRY(runtime_ids(&ids));
    if (ids.n == 1)
        err = (*id = strdup(ids.ids[0])) ? NULL : error_nomem();
    else if (ids.n)
        err = several(&ids);
    else
        err = error_hint(error_new(OSCOPE_E_NOT_FOUND, "there is no session"),
                         "start one: oscope run -- qemu-system-ARCH ARGS…, oscope attach PID, "
                         "oscope core FILE");
    runtime_ids_free(&ids);
    return err;
}

static struct oscope_error *no_such(const char *id)
{
    return error_hint(error_new(OSCOPE_E_NOT_FOUND, "there is no session '%s'", id),
                      "oscope list shows those there are");
}

/* Loads the description of what the user named; a path of a core gets one made up for it. */
static struct oscope_error *find_session(const char *what, struct oscope_session *s)
{
    struct session_desc *d = &s->own->desc;
    AUTO_FREE char *only = NULL;

    if (!what) {
        TRY(only_session(&only));
        what = only;
    }
    if (runtime_valid_id(what)) {
        TRY(runtime_dir(what, &s->dir));
        struct oscope_error *err = session_desc_load(s->dir, d);
        if (!err || err->code != OSCOPE_E_NOT_FOUND)
            return err;
        oscope_error_free(err);
        free(s->dir);
        s->dir = NULL;
    }
    if (access(what, F_OK) < 0)
        return strchr(what, '/') ? error_errno(errno, "core '%s'", what) : no_such(what);
    const char *base = strrchr(what, '/');
    d->id = strdup(what);
    d->kind = strdup("core");
    d->core = strdup(what);
    d->name = strdup(base ? base + 1 : what);
    return d->id && d->kind && d->core && d->name ? NULL : error_nomem();
}

/* ---- opening ---- */

static struct oscope_error *open_live(struct oscope_session *s)
{
    struct session_private *p = s->own;
    struct live_desc live = {
        .pid = p->desc.pid,
        .start_time = p->desc.start_time,
        .arch = p->desc.arch,
        .regions = p->desc.regions,
        .nregions = p->desc.nregions,
        .registers = ask_registers,
        .pause = ask_pause,
        .arg = p,
    };

    p->link = (struct broker_link){s->dir, -1};
    TRY(target_open_live(&live, &s->target));
    return asprintf(&s->guest, "%s (QEMU %s, pid %d)", p->desc.name ? p->desc.name : "guest",
                    p->desc.version ? p->desc.version : "?", (int)p->desc.pid) < 0
               ? error_nomem()
               : NULL;
}

static bool copy_options(struct oscope_session *s, const struct oscope_open_options *from)
{
    const struct session_desc *d = &s->own->desc;

    s->opts = (struct oscope_open_options){.no_cache = from->no_cache,
                                           .pause = from->pause,
                                           .wait = from->wait,
                                           .waiting = from->waiting,
                                           .waiting_arg = from->waiting_arg};
    s->id = strdup(d->id);
    return symfiles_copy(d, &from->files, &s->opts.files) && s->id;
}

static struct oscope_error *open_into(struct oscope_session *s,
                                      const struct oscope_open_options *opts)
{
    struct session_desc *d = &s->own->desc;

    TRY(find_session(opts->session, s));
    if (!copy_options(s, opts))
        return error_nomem();
    if (d->core) {
        TRY(target_open_core(d->core, &s->target));
        s->guest = strdup(d->core);
    } else if (d->gdb) {
        TRY(error_prefix(session_open_gdb(s), "session %s", s->id));
    } else {
        TRY(error_prefix(open_live(s), "session %s", s->id));
    }
    s->arch = arch_find(s->target->arch);
    return s->guest ? NULL : error_nomem();
}

struct oscope_error *oscope_session_open(const struct oscope_open_options *opts,
                                         struct oscope_session **out)
{
    static const struct oscope_open_options defaults = {0};
    struct oscope_session *s = calloc(1, sizeof *s);

    if (!s)
        return error_nomem();
    s->own = calloc(1, sizeof *s->own);
    if (!s->own) {
        free(s);
        return error_nomem();
    }
    s->own->link.fd = s->own->lock = -1;
    struct oscope_error *err = open_into(s, opts ? opts : &defaults);
    if (err) {
        oscope_session_close(s);
        return err;
    }
    *out = s;
    return NULL;
}

void oscope_session_rest(struct oscope_session *s)
{
    if (s->target)
        target_rest(s->target);
    if (s->os && s->os->ops->rest)
        s->os->ops->rest(s->os);
}

void oscope_session_close(struct oscope_session *s)
{
    if (!s)
        return;
    os_close(s->os);
    oscope_error_free(s->os_error);
    target_close(s->target);
    broker_hang_up(&s->own->link);
    session_desc_free(&s->own->desc);
    free(s->own);
    symfiles_free(&s->opts.files);
    free(s->id);
    free(s->guest);
    free(s->dir);
    free(s);
}

const char *oscope_session_id(const struct oscope_session *s)
{
    return s->id;
}

/* ---- the OS ---- */

/* Makes path and its parents; false when that is not possible. */
static bool make_dirs(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        int bad = mkdir(path, 0700) < 0 && errno != EEXIST;
        *p = '/';
        if (bad)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* The on-disk cache's folder, NULL when there can be none; the caller's. */
static char *cache_dir(void)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int n = -1;

    if (xdg && xdg[0] == '/')
        n = asprintf(&path, "%s/oscope/kernels", xdg);
    else if (home && home[0] == '/')
        n = asprintf(&path, "%s/.cache/oscope/kernels", home);
    if (n < 0)
        return NULL;
    if (make_dirs(path))
        return path;
    free(path);
    return NULL;
}

static struct oscope_error *error_copy(const struct oscope_error *err)
{
    struct oscope_error *copy = error_new(err->code, "%s", err->message);

    return err->hint ? error_hint(copy, "%s", err->hint) : copy;
}

static struct oscope_error *look_for_os(struct oscope_session *s)
{
    AUTO_FREE char *cache = s->opts.no_cache ? NULL : cache_dir();
    struct os_open_options opts = {
        .vmlinux = s->opts.files.vmlinux,
        .system_map = s->opts.files.system_map,
        .profile = s->opts.files.profile,
        .cache_dir = cache,
        .lenient = s->lenient,
        .session_dir = s->opts.no_cache ? NULL : s->dir,
    };

    if (!s->arch)
        return error_new(OSCOPE_E_UNSUPPORTED, "architecture '%s' is not supported",
                         s->target->arch);
    return os_open(s->target, s->arch, &opts, &s->os);
}

struct oscope_error *session_os(struct oscope_session *s, struct os_model **out)
{
    if (s->os && s->target->live && !s->os->ops->still_there(s->os)) {
        os_close(s->os);
        s->os = NULL;
    }
    /* A dump does not change: what was not found stays so. A guest may boot meanwhile. */
    if (!s->os && (!s->os_error || s->target->live)) {
        oscope_error_free(s->os_error);
        s->os_error = look_for_os(s);
        if (s->os_error)
            s->os = NULL;
    }
    if (!s->os && s->own->desc.gdb)
        TRY(target_gdb_trouble(s->target)); /* which explains the other error */
    if (!s->os)
        return error_copy(s->os_error);
    *out = s->os;
    return NULL;
}

struct oscope_error *session_need_qemu(const struct oscope_session *s, const char *dump_text,
                                       const char *what)
{
    if (!s->target->live)
        return error_new(OSCOPE_E_UNSUPPORTED, "%s", dump_text);
    if (s->own->desc.gdb)
        return error_new(OSCOPE_E_UNSUPPORTED, "a GDB stub tells memory and registers, but no %s",
                         what);
    return NULL;
}

struct oscope_error *session_begin(struct oscope_session *s)
{
    const struct session_desc *d = &s->own->desc;

    if (d->gdb)
        return session_gdb_begin(s);
    if (s->target->live && !host_alive(d->pid, d->start_time))
        return error_new(OSCOPE_E_GONE, "session %s: QEMU (process %d) has ended", s->id,
                         (int)d->pid);
    s->own->silent = false;
    if (s->opts.pause && s->target->ops->pause) {
        TRY(s->target->ops->pause(s->target, true));
        s->own->paused = s->target->stopped = true;
    }
    target_refresh(s->target);
    return NULL;
}

void session_end(struct oscope_session *s, struct os_list *list)
{
    if (s->own->desc.gdb) {
        session_gdb_end(s, list);
        return;
    }
    if (s->target->truncated)
        os_list_note(list, "the core file is truncated: what lay in the RAM that it lacks is "
                           "missing here too");
    if (!s->own->paused)
        return;
    s->own->paused = s->target->stopped = false;
    struct oscope_error *err = s->target->ops->pause(s->target, false);
    /* A pause ends with its connection, so hanging up resumes where asking failed. */
    if (err)
        broker_hang_up(&s->own->link);
    oscope_error_free(err);
}
