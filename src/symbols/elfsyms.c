/* SPDX-License-Identifier: MIT */
/*
 * A kernel's ELF file, through libelf. The file is the user's, but may be any file: libelf checks
 * its structure, the names and addresses in it are checked by symimage.
 *
 * Separate debug files are accepted by equal build-id only; the CRC of .gnu_debuglink would mean
 * reading hundreds of megabytes to learn the same.
 */
#include "symbols/elfsyms.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>

struct elfsyms {
    char *path;
    int fd;
    Elf *elf;
    GElf_Ehdr head;
    uint8_t build_id[BUILD_ID_MAX];
    size_t build_id_len;
    char *debug_path; /* of the separate debug file, NULL: none */
    bool looked_for_debug;
    struct elfsyms *debug; /* open, for its symbols */
};

/* ---- opening ---- */

static struct oscope_error *not_elf(const char *path, int fd)
{
    uint8_t head[0x206] = {0};
    ssize_t n = pread(fd, head, sizeof head, 0);

    if (n == (ssize_t)sizeof head && !memcmp(head + 0x202, "HdrS", 4))
        return error_hint(error_new(OSCOPE_E_BAD_DATA, "'%s' is a bzImage, not a vmlinux", path),
                          "the kernel's ELF file is needed (Debian: package linux-image-...-dbg); "
                          "scripts/extract-vmlinux of the kernel source unpacks one without DWARF");
    if (n > 0x3c && (!memcmp(head + 0x30, "RISCV", 5) || !memcmp(head + 0x38, "ARM\x64", 4) ||
                     !memcmp(head, "MZ", 2) || !memcmp(head, "\x1f\x8b", 2)))
        return error_hint(error_new(OSCOPE_E_BAD_DATA, "'%s' is a boot image, not a vmlinux", path),
                          "the kernel's ELF file is needed (Debian: package linux-image-...-dbg)");
    return error_hint(error_new(OSCOPE_E_BAD_DATA, "'%s' is not an ELF file", path),
                      "give the kernel's vmlinux");
}

static struct oscope_error *check_head(const struct elfsyms *es)
{
    if (es->head.e_ident[EI_DATA] != ELFDATA2LSB)
        return error_new(OSCOPE_E_UNSUPPORTED, "'%s' is big-endian", es->path);
    switch (es->head.e_type) {
    case ET_EXEC:
    case ET_DYN: return NULL;
    case ET_CORE:
        return error_hint(
            error_new(OSCOPE_E_BAD_DATA, "'%s' is a core dump, not a vmlinux", es->path),
            "open it with `oscope core`");
    case ET_REL:
        return error_new(OSCOPE_E_BAD_DATA, "'%s' is an object file or module, not a vmlinux",
                         es->path);
    default: return error_new(OSCOPE_E_BAD_DATA, "'%s' is an ELF file of another kind", es->path);
    }
}

static bool build_id_in(struct elfsyms *es, Elf_Data *data)
{
    GElf_Nhdr note;
    size_t off = 0, name, desc;

    while (data && (off = gelf_getnote(data, off, &note, &name, &desc)) > 0)
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            !memcmp((char *)data->d_buf + name, "GNU", 4) && note.n_descsz &&
            note.n_descsz <= BUILD_ID_MAX) {
            es->build_id_len = note.n_descsz;
            memcpy(es->build_id, (char *)data->d_buf + desc, note.n_descsz);
            return true;
        }
    return false;
}

static void read_build_id(struct elfsyms *es)
{
    size_t n = 0;

    for (Elf_Scn *s = NULL; (s = elf_nextscn(es->elf, s));) {
        GElf_Shdr sh;
        if (gelf_getshdr(s, &sh) && sh.sh_type == SHT_NOTE && build_id_in(es, elf_getdata(s, NULL)))
            return;
    }
    if (elf_getphdrnum(es->elf, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        GElf_Phdr ph;
        if (gelf_getphdr(es->elf, (int)i, &ph) && ph.p_type == PT_NOTE &&
            build_id_in(
                es, elf_getdata_rawchunk(es->elf, (int64_t)ph.p_offset, ph.p_filesz, ELF_T_NHDR)))
            return;
    }
}

static struct oscope_error *open_file(struct elfsyms *es)
{
    struct stat st;

    es->fd = open(es->path, O_RDONLY | O_CLOEXEC);
    if (es->fd < 0)
        return error_errno(errno, "open '%s'", es->path);
    if (fstat(es->fd, &st) || !S_ISREG(st.st_mode))
        return error_new(OSCOPE_E_BAD_DATA, "'%s' is not a regular file", es->path);
    elf_version(EV_CURRENT);
    es->elf = elf_begin(es->fd, ELF_C_READ_MMAP, NULL);
    if (!es->elf || elf_kind(es->elf) != ELF_K_ELF || !gelf_getehdr(es->elf, &es->head))
        return not_elf(es->path, es->fd);
    TRY(check_head(es));
    read_build_id(es);
    return NULL;
}

struct oscope_error *elfsyms_open(const char *path, struct elfsyms **out)
{
    struct elfsyms *es = calloc(1, sizeof *es);

    if (!es)
        return error_nomem();
    es->fd = -1;
    es->path = strdup(path);
    struct oscope_error *err = es->path ? open_file(es) : error_nomem();
    if (err) {
        elfsyms_free(es);
        return err;
    }
    *out = es;
    return NULL;
}

void elfsyms_free(struct elfsyms *es)
{
    if (!es)
        return;
    elfsyms_free(es->debug);
    elf_end(es->elf);
    if (es->fd >= 0)
        close(es->fd);
    free(es->debug_path);
    free(es->path);
    free(es);
}

const uint8_t *elfsyms_build_id(const struct elfsyms *es, size_t *n)
{
    *n = es->build_id_len;
    return es->build_id_len ? es->build_id : NULL;
}

unsigned elfsyms_machine(const struct elfsyms *es)
{
    return es->head.e_machine;
}

unsigned elfsyms_ptr_size(const struct elfsyms *es)
{
    return es->head.e_ident[EI_CLASS] == ELFCLASS32 ? 4 : 8;
}

/* ---- sections and the separate debug file ---- */

static Elf_Scn *section(const struct elfsyms *es, const char *name, GElf_Shdr *sh)
{
    size_t strings;

    if (elf_getshdrstrndx(es->elf, &strings))
        return NULL;
    for (Elf_Scn *s = NULL; (s = elf_nextscn(es->elf, s));) {
        const char *each;
        if (gelf_getshdr(s, sh) && (each = elf_strptr(es->elf, strings, sh->sh_name)) &&
            !strcmp(each, name))
            return s;
    }
    return NULL;
}

static bool has_dwarf(const struct elfsyms *es)
{
    GElf_Shdr sh;

    return (section(es, ".debug_info", &sh) || section(es, ".zdebug_info", &sh)) &&
           sh.sh_type != SHT_NOBITS;
}

/* Opens a candidate as the debug file when it is of the same build and is not es itself. */
static bool try_debug(struct elfsyms *es, const char *path)
{
    struct stat a, b;
    struct elfsyms *d;

    if (stat(path, &a) || fstat(es->fd, &b) || (a.st_ino == b.st_ino && a.st_dev == b.st_dev))
        return false;
    struct oscope_error *err = elfsyms_open(path, &d);
    if (err) {
        oscope_error_free(err);
        return false;
    }
    if (!d->build_id_len || d->build_id_len != es->build_id_len ||
        memcmp(d->build_id, es->build_id, d->build_id_len) || !(es->debug_path = strdup(path))) {
        elfsyms_free(d);
        return false;
    }
    es->debug = d;
    return true;
}

static void find_debug(struct elfsyms *es)
{
    AUTO_FREE char *copy = strdup(es->path);
    AUTO_FREE char *real = realpath(es->path, NULL);
    char hex[2 * BUILD_ID_MAX + 1], path[4096];
    GElf_Shdr sh;

    if (es->looked_for_debug || !es->build_id_len || !copy)
        return;
    es->looked_for_debug = true;
    const char *dir = dirname(real ? real : copy);
    for (size_t i = 0; i < es->build_id_len; i++)
        snprintf(hex + 2 * i, 3, "%02x", es->build_id[i]);
    const char *const roots[] = {dir, "/usr/lib/debug"};
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        snprintf(path, sizeof path, "%s/.build-id/%.2s/%s.debug", roots[i], hex, hex + 2);
        if (try_debug(es, path))
            return;
    }
    Elf_Scn *link = section(es, ".gnu_debuglink", &sh);
    Elf_Data *data = link ? elf_getdata(link, NULL) : NULL;
    if (!data || !data->d_buf || !memchr(data->d_buf, 0, data->d_size) || strchr(data->d_buf, '/'))
        return;
    static const char *const forms[] = {"%s/%s", "%s/.debug/%s", "/usr/lib/debug%s/%s"};
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        snprintf(path, sizeof path, forms[i], dir, (char *)data->d_buf);
        if (try_debug(es, path))
            return;
    }
}

const char *elfsyms_dwarf_path(struct elfsyms *es)
{
    if (has_dwarf(es))
        return es->path;
    find_debug(es);
    return es->debug && has_dwarf(es->debug) ? es->debug_path : NULL;
}

/* ---- symbols ---- */

struct symbols {
    Elf *elf;
    Elf_Data *data;
    size_t n, strings;
};

/* The symbol table of es or of its debug file; false if neither has one. */
static bool symbols_of(struct elfsyms *es, struct symbols *s)
{
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(es->elf, scn));) {
        GElf_Shdr sh;
        if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB || !sh.sh_entsize)
            continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        if (!data || !data->d_buf)
            continue;
        *s = (struct symbols){es->elf, data, sh.sh_size / sh.sh_entsize, sh.sh_link};
        return true;
    }
    find_debug(es);
    return es->debug && symbols_of(es->debug, s);
}

size_t elfsyms_segments(struct elfsyms *es, struct elf_segment *out, size_t most)
{
    size_t n = 0, found = 0;
    GElf_Phdr ph;

    if (elf_getphdrnum(es->elf, &n))
        return 0;
    for (size_t i = 0; i < n && found < most; i++)
        if (gelf_getphdr(es->elf, (int)i, &ph) && ph.p_type == PT_LOAD && ph.p_memsz)
            out[found++] =
                (struct elf_segment){.va = ph.p_vaddr, .pa = ph.p_paddr, .size = ph.p_memsz};
    return found;
}

static bool place_of(struct elfsyms *es, uint64_t va, uint64_t size, uint64_t *pa)
{
    size_t n = 0;
    GElf_Phdr ph;

    if (elf_getphdrnum(es->elf, &n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (gelf_getphdr(es->elf, (int)i, &ph) && ph.p_type == PT_LOAD &&
            va - ph.p_vaddr < ph.p_memsz && size <= ph.p_memsz - (va - ph.p_vaddr)) {
            *pa = ph.p_paddr + (va - ph.p_vaddr);
            return true;
        }
    return false;
}

size_t elfsyms_code(struct elfsyms *es, struct elf_segment *out, size_t most)
{
    size_t found = 0;

    for (Elf_Scn *s = NULL; found < most && (s = elf_nextscn(es->elf, s));) {
        GElf_Shdr sh;
        uint64_t pa;
        if (!gelf_getshdr(s, &sh) || sh.sh_type != SHT_PROGBITS || !sh.sh_size ||
            (sh.sh_flags & (SHF_ALLOC | SHF_EXECINSTR | SHF_WRITE)) !=
                (SHF_ALLOC | SHF_EXECINSTR) ||
            !place_of(es, sh.sh_addr, sh.sh_size, &pa))
            continue;
        Elf_Data *data = elf_rawdata(s, NULL);
        out[found++] =
            (struct elf_segment){.va = sh.sh_addr,
                                 .pa = pa,
                                 .size = sh.sh_size,
                                 .bytes = data && data->d_size == sh.sh_size ? data->d_buf : NULL};
    }
    return found;
}

bool elfsyms_has_symbols(struct elfsyms *es)
{
    struct symbols s;

    return symbols_of(es, &s) && s.n > 1;
}

bool elfsyms_has(struct elfsyms *es, const char *name)
{
    struct symbols s;
    GElf_Sym sym;

    if (!symbols_of(es, &s))
        return false;
    for (size_t i = 1; i < s.n && gelf_getsym(s.data, (int)i, &sym); i++) {
        const char *own = elf_strptr(s.elf, s.strings, sym.st_name);
        if (own && sym.st_shndx != SHN_UNDEF && !strcmp(own, name))
            return true;
    }
    return false;
}

bool elfsyms_text(struct elfsyms *es, uint64_t *addr)
{
    struct symbols s;
    GElf_Sym sym;
    bool found = false;

    if (!symbols_of(es, &s))
        return false;
    for (size_t i = 0; i < s.n && gelf_getsym(s.data, (int)i, &sym); i++) {
        const char *name = elf_strptr(s.elf, s.strings, sym.st_name);
        if (!name || sym.st_shndx == SHN_UNDEF || name[0] != '_')
            continue;
        if (!strcmp(name, "_text")) {
            *addr = sym.st_value;
            return true;
        }
        if (!strcmp(name, "_stext")) {
            *addr = sym.st_value;
            found = true;
        }
    }
    return found;
}

/* What nm prints, from the symbol's section. */
static char letter(const GElf_Sym *sym, const GElf_Shdr *sh)
{
    char c = 'n';

    if (GELF_ST_BIND(sym->st_info) == STB_WEAK)
        return GELF_ST_TYPE(sym->st_info) == STT_OBJECT ? 'V' : 'W';
    if (sym->st_shndx == SHN_ABS)
        c = 'a';
    else if (sh->sh_flags & SHF_EXECINSTR)
        c = 't';
    else if (sh->sh_type == SHT_NOBITS)
        c = 'b';
    else if (sh->sh_flags & SHF_WRITE)
        c = 'd';
    else if (sh->sh_flags & SHF_ALLOC)
        c = 'r';
    return GELF_ST_BIND(sym->st_info) == STB_LOCAL ? c : (char)(c - 'a' + 'A');
}

/* Symbols that name nothing a person asks for. */
static bool is_noise(const GElf_Sym *sym, const char *name)
{
    unsigned type = GELF_ST_TYPE(sym->st_info);

    return sym->st_shndx == SHN_UNDEF || !name || !*name || name[0] == '$' ||
           !strncmp(name, ".L", 2) ||
           (type != STT_NOTYPE && type != STT_FUNC && type != STT_OBJECT && type != STT_GNU_IFUNC);
}

static bool add_symbol(struct symimage_builder *b, const struct symbols *s, const GElf_Sym *sym,
                       uint64_t text)
{
    const char *name = elf_strptr(s->elf, s->strings, sym->st_name);
    GElf_Shdr sh = {0};

    if (is_noise(sym, name))
        return true;
    if (sym->st_shndx < SHN_LORESERVE)
        gelf_getshdr(elf_getscn(s->elf, sym->st_shndx), &sh);
    /* A kernel lies in the upper half; what a 64-bit one has in the lower half is not moved with
     * it: constants and offsets in per-CPU areas. */
    bool absolute = sym->st_shndx == SHN_ABS || ((text >> 63) && !(sym->st_value >> 63));
    return symimage_add(b, sym->st_value, sym->st_size, letter(sym, &sh), absolute, name,
                        strlen(name));
}

struct oscope_error *elfsyms_image(struct elfsyms *es, struct symimage **out)
{
    struct symbols s;
    GElf_Sym sym;
    uint64_t text = 0;

    if (!symbols_of(es, &s))
        return error_hint(error_new(OSCOPE_E_NOT_FOUND, "'%s' has no symbol table", es->path),
                          "give the unstripped vmlinux (Debian: package linux-image-...-dbg)");
    elfsyms_text(es, &text);
    struct symimage_builder *b = symimage_builder_new();
    if (!b)
        return error_nomem();
    for (size_t i = 1; i < s.n && gelf_getsym(s.data, (int)i, &sym); i++)
        if (!add_symbol(b, &s, &sym, text)) {
            symimage_builder_free(b);
            return error_new(OSCOPE_E_NOMEM, "'%s': out of memory or too many symbols", es->path);
        }
    return symimage_finish(b, out);
}
