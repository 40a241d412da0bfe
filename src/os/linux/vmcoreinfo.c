/* SPDX-License-Identifier: MIT */
/* Lines "KEY=value" in a page that vmcoreinfo_data points to. */
#include "os/linux/vmcoreinfo.h"

enum { VMCOREINFO_MAX = 64 << 10 };

static bool find_number(struct linux_model *lm, const char *key, int base, int64_t *out)
{
    struct vspace *vs = &lm->base.kernel;
    uint64_t data = symtab_addr(lm->base.symtab, "vmcoreinfo_data");
    uint64_t size = symtab_addr(lm->base.symtab, "vmcoreinfo_size");
    size_t len = strlen(key);

    if (!data || !size || !vspace_addr(vs, data, &data) || !vspace_addr(vs, size, &size) || !size ||
        size > VMCOREINFO_MAX)
        return false;
    AUTO_FREE char *text = malloc(size + 1);
    if (!text || !vspace_read(vs, data, text, size))
        return false;
    text[size] = '\0';
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, key, len) && line[len] == '=') {
            char *end;
            *out = (int64_t)strtoull(line + len + 1, &end, base);
            return end != line + len + 1;
        }
    }
    return false;
}

bool vmcoreinfo_number(struct linux_model *lm, const char *key, int64_t *out)
{
    return find_number(lm, key, 0, out);
}

bool vmcoreinfo_hex(struct linux_model *lm, const char *key, int64_t *out)
{
    return find_number(lm, key, 16, out);
}
