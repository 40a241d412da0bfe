/* SPDX-License-Identifier: MIT */
/* Builds small ELF cores for tests. */
#ifndef TESTS_ELF_CORE_H
#define TESTS_ELF_CORE_H

#include <elf.h>
#include <stdint.h>
#include <string.h>

struct elf_core {
    uint8_t bytes[32768];
    size_t size; /* bytes used */
    unsigned nphdr;
};

enum { ELF_CORE_PHDRS = 16, ELF_CORE_DATA = 64 + ELF_CORE_PHDRS * 56 };

static void elf_core_init(struct elf_core *c, unsigned machine)
{
    Elf64_Ehdr e = {.e_type = ET_CORE,
                    .e_machine = (Elf64_Half)machine,
                    .e_version = EV_CURRENT,
                    .e_phoff = 64,
                    .e_ehsize = 64,
                    .e_phentsize = 56};

    memset(c, 0, sizeof *c);
    memcpy(e.e_ident, ELFMAG, SELFMAG);
    e.e_ident[EI_CLASS] = ELFCLASS64;
    e.e_ident[EI_DATA] = ELFDATA2LSB;
    e.e_ident[EI_VERSION] = EV_CURRENT;
    memcpy(c->bytes, &e, sizeof e);
    c->size = ELF_CORE_DATA;
}

static void elf_core_phdr(struct elf_core *c, Elf64_Phdr p)
{
    Elf64_Ehdr e;

    memcpy(&e, c->bytes, sizeof e);
    memcpy(c->bytes + 64 + c->nphdr++ * 56, &p, sizeof p);
    e.e_phnum = (Elf64_Half)c->nphdr;
    memcpy(c->bytes, &e, sizeof e);
}

/* A PT_LOAD of memsz bytes at gpa, the first filesz of them `fill` in the file. */
static void elf_core_load(struct elf_core *c, uint64_t gpa, uint64_t filesz, uint64_t memsz,
                          int fill)
{
    elf_core_phdr(c, (Elf64_Phdr){.p_type = PT_LOAD,
                                  .p_offset = c->size,
                                  .p_paddr = gpa,
                                  .p_filesz = filesz,
                                  .p_memsz = memsz});
    memset(c->bytes + c->size, fill, filesz);
    c->size += filesz;
}

/* One note; returns its size. */
static size_t elf_core_put_note(uint8_t *at, const char *name, uint32_t type, const void *desc,
                                uint32_t size)
{
    uint32_t head[3] = {(uint32_t)strlen(name) + 1, size, type};
    size_t name_len = (head[0] + 3u) & ~3u;

    memset(at, 0, 12 + name_len + ((size + 3u) & ~3u));
    memcpy(at, head, sizeof head);
    memcpy(at + 12, name, head[0]);
    memcpy(at + 12 + name_len, desc, size);
    return 12 + name_len + ((size + 3u) & ~3u);
}

#endif
