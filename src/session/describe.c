/* SPDX-License-Identifier: MIT */
/*
 * Writing and reading session.json. The folder is ours alone (session/runtime.h), so the file is as
 * trustworthy as we are; it is still checked, since another version may have written it.
 */
#include "session/describe.h"

#include "base/util.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

enum { FORMAT = 1, REGIONS_MAX = 65536 };

void session_desc_free(struct session_desc *d)
{
    free(d->id);
    free(d->kind);
    free(d->arch);
    free(d->name);
    free(d->qmp);
    free(d->core);
    free(d->gdb);
    free(d->memory);
    free(d->version);
    free(d->vmlinux);
    free(d->system_map);
    free(d->profile);
    free(d->regions);
    *d = (struct session_desc){0};
}

static json_t *regions_json(const struct session_desc *d)
{
    json_t *list = json_array();

    for (size_t i = 0; i < d->nregions; i++) {
        const struct live_region *r = &d->regions[i];
        json_array_append_new(list, json_pack("{s:I,s:I,s:I,s:s,s:i,s:I,s:I,s:I}", "gpa",
                                              (json_int_t)r->gpa, "size", (json_int_t)r->size,
                                              "hva", (json_int_t)r->hva, "name", r->name, "fd",
                                              r->fd, "dev", (json_int_t)r->dev, "ino",
                                              (json_int_t)r->ino, "offset", (json_int_t)r->offset));
    }
    return list;
}

struct oscope_error *session_desc_save(const char *dir, const struct session_desc *d)
{
    AUTO_FREE char *path = NULL, *tmp = NULL;

    if (asprintf(&path, "%s/session.json", dir) < 0)
        return error_nomem();
    if (asprintf(&tmp, "%s/session.json.new", dir) < 0)
        return error_nomem();
    json_t *j = json_pack(
        "{s:i,s:s,s:s,s:i,s:I,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:b,s:s*,s:s*,s:s*,s:s*,s:I,s:o}",
        "format", FORMAT, "id", d->id, "kind", d->kind, "pid", (int)d->pid, "start_time",
        (json_int_t)d->start_time, "arch", d->arch, "name", d->name, "qmp", d->qmp, "core", d->core,
        "gdb", d->gdb, "memory", d->memory, "stay", d->stay, "qemu", d->version, "vmlinux",
        d->vmlinux, "system_map", d->system_map, "profile", d->profile, "created",
        (json_int_t)d->created, "regions", regions_json(d));
    if (!j)
        return error_nomem();
    int bad = json_dump_file(j, tmp, JSON_INDENT(1));
    json_decref(j);
    if (bad || rename(tmp, path) < 0) {
        int errnum = errno;
        unlink(tmp);
        return error_errno(errnum, "write '%s'", path);
    }
    return NULL;
}

static char *dup_string(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? strdup(s) : NULL;
}

static uint64_t number(const json_t *j, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(j, key));
}

static bool load_regions(const json_t *list, struct session_desc *d)
{
    size_t n = json_array_size(list);

    if (n > REGIONS_MAX)
        return false;
    d->regions = calloc(n ? n : 1, sizeof *d->regions);
    if (!d->regions)
        return false;
    for (; d->nregions < n; d->nregions++) {
        const json_t *j = json_array_get(list, d->nregions);
        const char *name = json_string_value(json_object_get(j, "name"));

        d->regions[d->nregions] = (struct live_region){
            .gpa = number(j, "gpa"),
            .size = number(j, "size"),
            .hva = number(j, "hva"),
            .fd = json_is_integer(json_object_get(j, "fd")) ? (int)number(j, "fd") : -1,
            .dev = number(j, "dev"),
            .ino = number(j, "ino"),
            .offset = number(j, "offset"),
        };
        str_copy(d->regions[d->nregions].name, sizeof d->regions->name, name ? name : "");
    }
    return true;
}

struct oscope_error *session_desc_load(const char *dir, struct session_desc *out)
{
    AUTO_FREE char *path = NULL;
    json_error_t why;

    *out = (struct session_desc){0};
    if (asprintf(&path, "%s/session.json", dir) < 0)
        return error_nomem();
    if (access(path, R_OK) < 0)
        return error_new(OSCOPE_E_NOT_FOUND, "'%s' holds no session", dir);
    json_t *j = json_load_file(path, 0, &why);
    if (!j)
        return error_new(OSCOPE_E_BAD_DATA, "'%s' line %d: %s", path, why.line, why.text);
    out->id = dup_string(j, "id");
    out->kind = dup_string(j, "kind");
    out->pid = (pid_t)number(j, "pid");
    out->start_time = number(j, "start_time");
    out->arch = dup_string(j, "arch");
    out->name = dup_string(j, "name");
    out->qmp = dup_string(j, "qmp");
    out->core = dup_string(j, "core");
    out->gdb = dup_string(j, "gdb");
    out->memory = dup_string(j, "memory");
    out->stay = json_is_true(json_object_get(j, "stay"));
    out->version = dup_string(j, "qemu");
    out->vmlinux = dup_string(j, "vmlinux");
    out->system_map = dup_string(j, "system_map");
    out->profile = dup_string(j, "profile");
    out->created = number(j, "created");
    bool ok = number(j, "format") == FORMAT && out->id && out->kind && out->arch &&
              (out->pid > 0 || out->core || (out->gdb && out->memory)) &&
              load_regions(json_object_get(j, "regions"), out);
    json_decref(j);
    if (ok)
        return NULL;
    session_desc_free(out);
    return error_hint(
        error_new(OSCOPE_E_BAD_DATA, "'%s' was written by another version of oscope", path),
        "end that session with the version that made it");
}
