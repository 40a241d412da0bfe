/* SPDX-License-Identifier: MIT */
/*
 * Target over an ELF core of a whole machine: QEMU's dump-guest-memory, a kdump ELF.
 *
 * Each PT_LOAD says which file bytes are which physical memory (p_paddr). Segments may overlap
 * (kdump lists the kernel text twice): the first one wins. Where a segment is larger in memory than
 * in the file the rest reads as zero; what a cut-off file lacks is no RAM at all and `truncated` is
 * set, so nothing invented is shown as guest memory.
 *
 * The file is mapped, because views read hundreds of megabytes of it. Its size is fixed when it is
 * opened and checked again at each target_refresh(): regions that the file no longer covers are
 * dropped. Someone truncating the file in the middle of a view still kills the reader with SIGBUS,
 * as it would any program that maps its input; a dump under inspection is not expected to change.
 */
#include "target/core.h"

#include "base/util.h"
#include "base/vec.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { SEGMENTS_MAX = 1 << 20 };

struct core {
    const uint8_t *data;
    size_t size;
    int fd; /* -1: the bytes belong to the caller */
    unsigned machine;
    const uint8_t *notes; /* first PT_NOTE */
    size_t notes_size;
};

/* [gpa, end) of guest memory: file bytes from `off`, or zeros. */
struct piece {
    uint64_t gpa, end, off;
    bool zero;
};

struct pieces {
    VEC(struct piece) v;
};

/* ---- ops ---- */

static bool core_read(struct target *t, const struct target_ram *r, uint64_t off, void *buf,
                      size_t n)
{
    /* Only regions that the file leaves out as zeros have no map. */
    memset(buf, 0, n);
    return true;
}

static bool core_extent(struct target *t, const struct target_ram *r, uint64_t off, uint64_t *start,
                        uint64_t *end)
{
    const struct core *c = t->backend;

    if (!r->map)
        return false;
    *start = off;
    *end = r->size;
    if (c->fd < 0)
        return true;
    /* A sparse file: its holes are zeros that need not be scanned. */
    off_t data = lseek(c->fd, (off_t)(r->fd_offset + off), SEEK_DATA);
    if (data < 0)
        return errno != ENXIO;
    if ((uint64_t)data - r->fd_offset >= r->size)
        return false;
    off_t hole = lseek(c->fd, data, SEEK_HOLE);
    *start = (uint64_t)data - r->fd_offset;
    if (hole > data)
        *end = MIN(r->size, (uint64_t)hole - r->fd_offset);
    return true;
}

static void core_refresh(struct target *t)
{
    struct core *c = t->backend;
    struct stat st;
    size_t kept = 0;

    if (c->fd < 0 || fstat(c->fd, &st) < 0 || (uint64_t)st.st_size >= c->size)
        return;
    t->truncated = true;
    for (size_t i = 0; i < t->nram; i++) {
        struct target_ram r = t->ram[i];

        if (r.map && r.fd_offset >= (uint64_t)st.st_size)
            continue;
        if (r.map)
            r.size = MIN(r.size, (uint64_t)st.st_size - r.fd_offset);
        t->ram[kept++] = r;
    }
    t->nram = kept;
    if (c->notes_size && c->notes + c->notes_size > c->data + st.st_size)
        c->notes_size = 0;
}

static struct oscope_error *core_regs(struct target *t, struct target_vcpus *out)
{
    const struct core *c = t->backend;

    TRY(core_registers(c->notes, c->notes_size, c->machine, out));
    if (out->n)
        return NULL;
    return error_new(OSCOPE_E_NOT_FOUND, "the dump has no register notes");
}

static void core_close(struct target *t)
{
    struct core *c = t->backend;

    if (!c)
        return;
    if (c->fd >= 0) {
        munmap((void *)(uintptr_t)c->data, c->size);
        close(c->fd);
    }
    free(c);
}

static const struct target_ops core_ops = {
    .name = "core",
    .read = core_read,
    .extent = core_extent,
    .refresh = core_refresh,
    .registers = core_regs,
    .close = core_close,
};

/* ---- program headers ---- */

struct headers {
    bool is64;
    uint64_t phoff;
    uint64_t phnum;
    unsigned phentsize;
};

static bool in_file(const struct core *c, uint64_t off, uint64_t n)
{
    return off <= c->size && n <= c->size - off;
}

/* With 0xffff segments or more their number is in section 0 (gABI, PN_XNUM). */
static struct oscope_error *extended_phnum(const struct core *c, uint64_t shoff, struct headers *h)
{
    if (h->is64) {
        Elf64_Shdr s;
        if (!shoff || !in_file(c, shoff, sizeof s))
            return error_new(OSCOPE_E_BAD_DATA, "its segment count lies outside the file");
        memcpy(&s, c->data + shoff, sizeof s);
        h->phnum = s.sh_info;
    } else {
        Elf32_Shdr s;
        if (!shoff || !in_file(c, shoff, sizeof s))
            return error_new(OSCOPE_E_BAD_DATA, "its segment count lies outside the file");
        memcpy(&s, c->data + shoff, sizeof s);
        h->phnum = s.sh_info;
    }
    return NULL;
}

static struct oscope_error *read_header(struct core *c, struct headers *h)
{
    const unsigned char *id = c->data;
    unsigned type;
    uint64_t shoff;

    if (c->size >= 8 && (!memcmp(id, "KDUMP   ", 8) || !memcmp(id, "DISKDUMP", 8)))
        return error_hint(error_new(OSCOPE_E_UNSUPPORTED, "this is a compressed kdump file"),
                          "make an ELF dump: dump-guest-memory without -z, makedumpfile -E");
    if (c->size < EI_NIDENT || memcmp(id, ELFMAG, SELFMAG) != 0)
        return error_hint(error_new(OSCOPE_E_BAD_DATA, "not an ELF file"),
                          "make one with QEMU's dump-guest-memory FILE");
    if (id[EI_DATA] != ELFDATA2LSB)
        return error_new(OSCOPE_E_UNSUPPORTED, "big-endian guests are not supported");
    h->is64 = id[EI_CLASS] == ELFCLASS64;
    if (h->is64 && c->size >= sizeof(Elf64_Ehdr)) {
        Elf64_Ehdr e;
        memcpy(&e, id, sizeof e);
        type = e.e_type, c->machine = e.e_machine, shoff = e.e_shoff;
        *h = (struct headers){true, e.e_phoff, e.e_phnum, e.e_phentsize};
    } else if (id[EI_CLASS] == ELFCLASS32 && c->size >= sizeof(Elf32_Ehdr)) {
        Elf32_Ehdr e;
        memcpy(&e, id, sizeof e);
        type = e.e_type, c->machine = e.e_machine, shoff = e.e_shoff;
        *h = (struct headers){false, e.e_phoff, e.e_phnum, e.e_phentsize};
    } else {
        return error_new(OSCOPE_E_BAD_DATA, "its ELF header is cut off");
    }
    if (type != ET_CORE)
        return error_hint(
            error_new(OSCOPE_E_BAD_DATA, "an ELF file, but not a core (type %u)", type),
            "symbol files go with --vmlinux");
    if (h->phnum == PN_XNUM)
        TRY(extended_phnum(c, shoff, h));
    if (h->phentsize < (h->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
        return error_new(OSCOPE_E_BAD_DATA, "its program headers have size %u", h->phentsize);
    if (h->phnum > SEGMENTS_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "it claims %llu segments",
                         (unsigned long long)h->phnum);
    return NULL;
}

/* Program header i in 64-bit form; false when the file ends before it. */
static bool program_header(const struct core *c, const struct headers *h, uint64_t i,
                           Elf64_Phdr *out)
{
    uint64_t off;

    if (__builtin_add_overflow(h->phoff, i * h->phentsize, &off) || !in_file(c, off, h->phentsize))
        return false;
    if (h->is64) {
        memcpy(out, c->data + off, sizeof *out);
    } else {
        Elf32_Phdr p;
        memcpy(&p, c->data + off, sizeof p);
        *out = (Elf64_Phdr){.p_type = p.p_type,
                            .p_offset = p.p_offset,
                            .p_paddr = p.p_paddr,
                            .p_vaddr = p.p_vaddr,
                            .p_filesz = p.p_filesz,
                            .p_memsz = p.p_memsz};
    }
    return true;
}

/* ---- from segments to RAM ---- */

static bool add_load(const struct core *c, const Elf64_Phdr *p, struct pieces *data,
                     struct pieces *zero, bool *truncated)
{
    uint64_t mem = MIN(p->p_memsz, UINT64_MAX - p->p_paddr), file = MIN(p->p_filesz, mem);
    uint64_t avail = p->p_offset < c->size ? MIN(file, c->size - p->p_offset) : 0;

    if (p->p_paddr == UINT64_MAX) /* kernel's own cores: a virtual range with no place in RAM */
        return true;
    if (avail < file)
        *truncated = true;
    if (avail &&
        !vec_push(&data->v, (struct piece){p->p_paddr, p->p_paddr + avail, p->p_offset, false}))
        return false;
    return mem == file ||
           vec_push(&zero->v, (struct piece){p->p_paddr + file, p->p_paddr + mem, 0, true});
}

static int by_gpa(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;

    if (x->gpa != y->gpa)
        return x->gpa < y->gpa ? -1 : 1;
    if (x->end != y->end)
        return x->end > y->end ? -1 : 1;
    return (x->off > y->off) - (x->off < y->off);
}

static void sort_pieces(struct pieces *p)
{
    if (p->v.len)
        qsort(p->v.data, p->v.len, sizeof *p->v.data, by_gpa);
}

/* Sorts, cuts what an earlier piece covers, joins what is contiguous in memory and file. */
static void flatten(struct pieces *p)
{
    size_t n = 0;
    uint64_t covered = 0;

    sort_pieces(p);
    for (size_t i = 0; i < p->v.len; i++) {
        struct piece x = p->v.data[i];

        if (n && x.gpa < covered) {
            x.off += MIN(covered, x.end) - x.gpa;
            x.gpa = MIN(covered, x.end);
        }
        if (x.gpa == x.end)
            continue;
        covered = x.end;
        struct piece *last = n ? &p->v.data[n - 1] : NULL;
        if (last && last->end == x.gpa && last->zero == x.zero &&
            (x.zero || last->off + (last->end - last->gpa) == x.off))
            last->end = x.end;
        else
            p->v.data[n++] = x;
    }
    p->v.len = n;
}

/* Adds to data those parts of the zero pieces that it does not cover. Both are flat. */
static bool fill_zeros(struct pieces *data, const struct pieces *zero)
{
    size_t nd = data->v.len, d = 0;

    vec_each (const struct piece, z, &zero->v) {
        uint64_t at = z->gpa;

        while (at < z->end) {
            while (d < nd && data->v.data[d].end <= at)
                d++;
            if (d < nd && data->v.data[d].gpa <= at) {
                at = data->v.data[d].end;
                continue;
            }
            uint64_t end = d < nd ? MIN(z->end, data->v.data[d].gpa) : z->end;
            if (!vec_push(&data->v, (struct piece){at, end, 0, true}))
                return false;
            at = end;
        }
    }
    sort_pieces(data);
    return true;
}

/* QEMU's own notes, which only its x86 machines write. */
static bool has_qemu_notes(const struct core *c)
{
    const uint8_t *at = c->notes;
    size_t n = c->notes_size;

    while (n >= 20) {
        uint64_t name = load32(at),
                 end = 12 + ALIGN_UP(name, 4) + ALIGN_UP((uint64_t)load32(at + 4), 4);
        if (name == 5 && memcmp(at + 12, "QEMU", 5) == 0)
            return true;
        if (end >= n)
            return false;
        at += end, n -= end;
    }
    return false;
}

/* Where the block without holes that holds `at` ends, 0 if none does. */
static uint64_t block_end(const struct pieces *all, uint64_t at)
{
    uint64_t end = 0;

    vec_each (const struct piece, p, &all->v)
        if (end ? p->gpa == end : p->gpa <= at && p->end > at)
            end = p->end;
    return end;
}

/*
 * QEMU dumps what devices keep in RAM along with the guest's own (a live guest's is known by name,
 * target/mtree.c). It is left out where its place tells. x86: the PC machines and microvm have
 * their RAM below 4 GiB in one block (hw/i386/pc_piix.c, pc_q35.c, microvm.c); what lies between
 * that and 4 GiB on its own is video memory or a BIOS. riscv: the boot ROM from 4 to 64 KiB
 * (hw/riscv/virt.c, sifive_u.c).
 */
static void drop_device_memory(const struct core *c, struct pieces *all)
{
    const uint64_t mib = 1 << 20, top = UINT64_C(1) << 32;
    bool x86 = (c->machine == EM_X86_64 || c->machine == EM_386) && has_qemu_notes(c);
    bool riscv = c->machine == EM_RISCV;
    uint64_t low_end = block_end(all, mib), rom_end = block_end(all, 0x1000);
    size_t n = 0;

    for (size_t i = 0; i < all->v.len; i++) {
        struct piece p = all->v.data[i];
        if (x86 && low_end && p.gpa > low_end && p.end <= top)
            continue;
        if (riscv && rom_end == 0x10000 && p.gpa >= 0x1000 && p.end <= rom_end)
            continue;
        all->v.data[n++] = p;
    }
    all->v.len = n;
}

static struct oscope_error *make_ram(struct target *t, const struct core *c,
                                     const struct pieces *all)
{
    if (!all->v.len)
        return error_new(OSCOPE_E_BAD_DATA, t->truncated ? "cut off before the first memory segment"
                                                         : "it has no memory segments");
    t->ram = calloc(all->v.len, sizeof *t->ram);
    if (!t->ram)
        return error_nomem();
    vec_each (const struct piece, p, &all->v) {
        struct target_ram *r = &t->ram[t->nram++];

        *r = (struct target_ram){.gpa = p->gpa, .size = p->end - p->gpa, .name = "core", .fd = -1};
        if (!p->zero) {
            r->map = c->data + p->off;
            r->fd = c->fd;
            r->fd_offset = p->off;
        }
    }
    return NULL;
}

/*
 * A process core has user addresses and p_paddr 0 throughout; a machine has its RAM somewhere.
 */
static bool looks_like_process(const struct pieces *data)
{
    size_t at_zero = 0;

    vec_each (const struct piece, p, &data->v)
        at_zero += p->gpa == 0;
    return data->v.len > 2 && at_zero == data->v.len;
}

static struct oscope_error *load_segments(struct target *t, struct core *c, const struct headers *h,
                                          struct pieces *data, struct pieces *zero)
{
    for (uint64_t i = 0; i < h->phnum; i++) {
        Elf64_Phdr p;

        if (!program_header(c, h, i, &p)) {
            t->truncated = true;
            break;
        }
        if (p.p_type == PT_NOTE && !c->notes_size && p.p_offset < c->size) {
            c->notes = c->data + p.p_offset;
            c->notes_size = (size_t)MIN(p.p_filesz, c->size - p.p_offset);
        }
        if (p.p_type == PT_LOAD && !add_load(c, &p, data, zero, &t->truncated))
            return error_nomem();
    }
    if (looks_like_process(data))
        return error_hint(error_new(OSCOPE_E_BAD_DATA, "a core of a process, not of a machine"),
                          "make one with QEMU's dump-guest-memory FILE");
    flatten(data);
    flatten(zero);
    if (!fill_zeros(data, zero))
        return error_nomem();
    drop_device_memory(c, data);
    return make_ram(t, c, data);
}

static const char *arch_name(unsigned machine, bool is64)
{
    switch (machine) {
    case EM_RISCV: return is64 ? "riscv64" : "riscv32";
    case EM_X86_64: return "x86_64";
    case EM_386: return "i386";
    case EM_AARCH64: return "aarch64";
    default: return NULL;
    }
}

/* Fills t from its core; on error the caller closes t. */
static struct oscope_error *parse(struct target *t)
{
    struct core *c = t->backend;
    struct pieces data = {0}, zero = {0};
    struct headers h = {0};

    TRY(read_header(c, &h));
    t->arch = arch_name(c->machine, h.is64);
    if (!t->arch)
        return error_new(OSCOPE_E_UNSUPPORTED, "ELF machine %u is not supported", c->machine);
    struct oscope_error *err = load_segments(t, c, &h, &data, &zero);
    vec_free(&data.v);
    vec_free(&zero.v);
    return err;
}

/* Takes over c. */
static struct oscope_error *open_core(struct core *c, struct target **out)
{
    struct target *t = calloc(1, sizeof *t);

    if (!t) {
        struct target tmp = {.backend = c};
        core_close(&tmp);
        return error_nomem();
    }
    t->ops = &core_ops;
    t->backend = c;
    struct oscope_error *err = parse(t);
    if (err) {
        target_close(t);
        return err;
    }
    *out = t;
    return NULL;
}

struct oscope_error *core_open_memory(const void *data, size_t n, struct target **out)
{
    struct core *c = calloc(1, sizeof *c);

    if (!c)
        return error_nomem();
    *c = (struct core){.data = data, .size = n, .fd = -1};
    return open_core(c, out);
}

struct oscope_error *target_open_core(const char *path, struct target **out)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return error_errno(errno, "core '%s'", path);
    if (fstat(fd, &st) < 0)
        return error_errno(errno, "core '%s'", path);
    if (!S_ISREG(st.st_mode))
        return error_new(OSCOPE_E_USAGE, "core '%s': not a regular file", path);
    if (st.st_size == 0)
        return error_new(OSCOPE_E_BAD_DATA, "core '%s': the file is empty", path);
    struct core *c = calloc(1, sizeof *c);
    if (!c)
        return error_nomem();
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        free(c);
        return error_errno(errno, "map core '%s'", path);
    }
    *c = (struct core){.data = map, .size = (size_t)st.st_size, .fd = fd};
    fd = -1;
    return error_prefix(open_core(c, out), "core '%s'", path);
}
