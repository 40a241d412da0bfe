/* SPDX-License-Identifier: MIT */
/* Knowledge kept between commands: the session's hint and the on-disk cache. */
#include "os/linux/known.h"

#include "base/hash.h"
#include "base/log.h"
#include "symbols/btf.h"
#include "symbols/cache.h"
#include "symbols/dwarf.h"
#include "symbols/elfsyms.h"

#include <stdio.h>

/* ---- the session's hint: one number in a file ---- */

static FILE *open_hint(const char *dir, const char *mode)
{
    char path[4096];

    if (!dir || snprintf(path, sizeof path, "%s/" OS_SESSION_FILE, dir) >= (int)sizeof path)
        return NULL;
    return fopen(path, mode);
}

uint64_t known_hint(const char *session_dir)
{
    FILE *f = open_hint(session_dir, "re");
    unsigned long long pa = 0;

    if (!f)
        return 0;
    if (fscanf(f, "%llx", &pa) != 1)
        pa = 0;
    fclose(f);
    return pa;
}

void known_hint_save(const char *session_dir, uint64_t tokens_pa)
{
    FILE *f = open_hint(session_dir, "we");

    if (!f)
        return;
    fprintf(f, "%llx\n", (unsigned long long)tokens_pa);
    fclose(f);
}

/* ---- the on-disk cache, one file per kernel build ---- */

static const char layout_section[] = "kallsyms", symbols_section[] = "symbols",
                  offsets_section[] = "offsets", btf_section[] = "btf",
                  index_section[] = "btf-index", dwarf_section[] = "dwarf-index";

/* A section that is just one struct. */
static bool load_struct(const struct cache *c, const char *name, void *out, size_t size)
{
    size_t n;
    const void *p = cache_section(c, name, &n);

    if (!p || n != size)
        return false;
    memcpy(out, p, n);
    return true;
}

static void load_types(struct linux_model *lm)
{
    lm->has_layout = load_struct(lm->cache, offsets_section, &lm->layout, sizeof lm->layout) &&
                     lm->layout.version == layout_version();
    lm->btf = cache_section(lm->cache, btf_section, &lm->btf_size);
    lm->btf_index = lm->btf ? cache_section(lm->cache, index_section, &lm->btf_index_size) : NULL;
}

bool known_load(struct linux_model *lm, const char *cache_dir, struct symimage **image)
{
    struct oscope_error *err = NULL;
    size_t n;

    if (!cache_dir || !(lm->cache = cache_open(cache_dir, lm->ks.key)))
        return false;
    const void *block = cache_section(lm->cache, symbols_section, &n);
    bool ok = block && load_struct(lm->cache, layout_section, &lm->ks.layout, sizeof lm->ks.layout);
    if (ok)
        err = kallsyms_relocate(lm->base.target, &lm->ks);
    if (ok && !err)
        err = symimage_over(block, n, image);
    if (err)
        log_info("cached kernel not used: %s", err->message);
    ok = ok && !err;
    oscope_error_free(err);
    if (!ok) {
        known_close(lm);
        return false;
    }
    load_types(lm);
    lm->from_cache = lm->has_layout;
    return true;
}

void known_save(struct linux_model *lm, const char *cache_dir)
{
    struct cache_section sections[6];
    const void *index;
    size_t n = 0, size;

    if (!cache_dir || !lm->has_layout || !lm->kernel_image)
        return;
    const void *block = symimage_bytes(lm->kernel_image, &size);
    sections[n++] = (struct cache_section){layout_section, &lm->ks.layout, sizeof lm->ks.layout};
    sections[n++] = (struct cache_section){symbols_section, block, size};
    sections[n++] = (struct cache_section){offsets_section, &lm->layout, sizeof lm->layout};
    if (lm->btf) {
        sections[n++] = (struct cache_section){btf_section, lm->btf, lm->btf_size};
        struct oscope_error *err = lm->btf_types
                                       ? btf_index(lm->btf_types, &index, &size)
                                       : error_new(OSCOPE_E_NOT_FOUND, "no BTF index was made");
        if (!err)
            sections[n++] = (struct cache_section){index_section, index, size};
        oscope_error_free(err);
    }
    cache_put(cache_dir, lm->ks.key, sections, n);
}

void known_close(struct linux_model *lm)
{
    cache_close(lm->dwarf_cache);
    cache_close(lm->cache);
    lm->dwarf_cache = NULL;
    lm->cache = NULL;
    lm->from_cache = lm->has_layout = false;
    lm->btf = lm->btf_index = NULL;
}

/* ---- DWARF index, by build-id ---- */

struct oscope_error *known_dwarf_open(struct linux_model *lm, const struct elfsyms *es,
                                      const char *path, struct types **out)
{
    size_t id_n, n;
    const uint8_t *id = elfsyms_build_id(es, &id_n);
    uint64_t key = id ? fnv1a(FNV_INIT, id, id_n) : 0;
    const void *index;

    if (key && lm->cache_dir && (lm->dwarf_cache = cache_open(lm->cache_dir, key)) &&
        (index = cache_section(lm->dwarf_cache, dwarf_section, &n))) {
        struct oscope_error *err = dwarf_open(path, index, n, out);
        if (!err || err->code != OSCOPE_E_BAD_DATA)
            return err;
        oscope_error_free(err);
    }
    TRY(dwarf_open(path, NULL, 0, out));
    dwarf_index(*out, &index, &n);
    if (key && lm->cache_dir && index)
        cache_put(lm->cache_dir, key, &(struct cache_section){dwarf_section, index, n}, 1);
    return NULL;
}
