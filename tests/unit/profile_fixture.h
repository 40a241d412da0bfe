/* SPDX-License-Identifier: MIT */
/*
 * A small kernel for tests of profiles: compiled here and now by the machine's compiler, its image
 * laid into a fake guest's RAM, where tests change it.
 */
#ifndef TESTS_PROFILE_FIXTURE_H
#define TESTS_PROFILE_FIXTURE_H

#include "fake_target.h"
#include "os/profile/profile.h"

#include <fcntl.h>
#include <stdio.h>

static const char kernel_source[] =
    "typedef unsigned long u64;\n"
    "#define SYS_fork 1\n#define SYS_exit (SYS_fork + 2)\n#define SYS_exec 7\n"
    "#define SYS_close 9\n#define SYS_LAST SYS_close\n#define SYS_size 4096\n"
    "#define SYS_text \"4\"\n#define M_FREE 0\n#define M_READY 1\n#define M_RUNNING 2\n"
    "#define M_WAITING (M_RUNNING + 1)\n#define M_STACK (1 << 11)\n"
    "enum state { FREE, READY, RUNNING, WAITING };\n"
    "struct context { u64 rip, rsp, rbp; };\n"
    "struct list { struct list *next, *prev; };\n"
    "struct mm { u64 root; int users; };\n"
    "struct proc {\n"
    "  int pid; enum state state; char name[8]; struct proc *parent, *next; struct list link;\n"
    "  u64 kstack; struct context context; long wide; unsigned low : 3, high : 7; struct mm *mm;\n"
    "  u64 args[3]; };\n"
    "struct cpu { int id; struct proc *proc; };\n"
    "u64 stack[256];\n"
    "struct proc procs[4] = {\n"
    "  {1, RUNNING, \"init\", 0, &procs[1], {0}, (u64)stack, {0}, 1, 5, 99},\n"
    "  {2, READY, \"shell\", &procs[0], &procs[2], {0}, (u64)stack},\n"
    "  {0, FREE, \"gone\"},\n"
    "  {7, WAITING, \"toolong8\", &procs[1], 0} };\n"
    "struct proc *table[5] = {&procs[1], 0, &procs[0], &procs[3], &procs[2]};\n"
    "struct proc *first = &procs[0];\n"
    "struct list head = {&head, &head};\n"
    "struct cpu cpus[2] = {{0, &procs[0]}, {1, 0}};\n"
    "struct tiny { int id; } tiny[200000] = {{9}};\n"
    "char log_text[32]; u64 log_end; int number = -3; u64 where = 0x300000;\n"
    "struct run { struct run *next; } *freelist;\n"
    "struct spinlock { unsigned locked; const char *name; } lk = {0, \"first\"}, nameless;\n"
    "struct sleeplock { struct spinlock guard; struct proc *owner; }; struct mutex { int held; };\n"
    "void acquire(struct spinlock *l) { l->locked = 1; }\n"
    "void release(struct spinlock *l) { l->locked = 0; }\n"
    "_Bool sleep_lock(struct sleeplock *l) { return !l->owner; }\n"
    "_Bool sleep_unlock(struct sleeplock *l) { return l->owner; }\n"
    "void mutex_lock(struct mutex *m) { m->held = 1; } void mutex_unlock(int m) { number = m; }\n"
    "void *kalloc(void) { return freelist; } void kfree(void *p) { freelist = p; }\n"
    "__attribute__((noinline)) void inner(void) { __asm__ volatile(\"\" ::: \"memory\"); }\n"
    "__attribute__((noinline)) void outer(void) { inner(); inner(); }\n"
    "void _ZN2os4task4exit17h0123456789abcdefE(void) {}\n"
    "void swtch(void) { outer(); } void _start(void) { swtch(); }\n";

enum { PF_RAM = 4 << 20 };
#define PF_GPA UINT64_C(0x100000)

struct profile_fixture {
    struct fake f;
    bool macros;      /* its DWARF has them */
    const char *more; /* C behind the rest of the kernel, or NULL */
    char dir[64], elf[96], profile[96];
    struct os_model *m;
    struct symtab *st; /* of the model */
};

static inline bool profile_fixture_compile(struct profile_fixture *x)
{
    char cmd[512];

    snprintf(x->dir, sizeof x->dir, "/tmp/oscope-test-profile-XXXXXX");
    if (!mkdtemp(x->dir))
        return false;
    snprintf(x->elf, sizeof x->elf, "%s/kernel", x->dir);
    snprintf(x->profile, sizeof x->profile, "%s/p", x->dir);
    snprintf(cmd, sizeof cmd, "%s/k.c", x->dir);
    FILE *f = fopen(cmd, "w");
    if (!f)
        return false;
    fputs(kernel_source, f);
    fputs(x->more ? x->more : "", f);
    fclose(f);
    snprintf(
        cmd, sizeof cmd,
        "cd %s && cc %s -O1 -ffreestanding -fno-pie -no-pie -nostdlib -static -fcf-protection=none "
        "-Wl,-Ttext-segment=0x200000,-e,_start,--build-id=none k.c -o kernel",
        x->dir, x->macros ? "-g3" : "-g");
    return system(cmd) == 0;
}

/* RAM with the image in it, as a boot loader leaves it. */
static inline void profile_fixture_load(struct profile_fixture *x)
{
    static char bytes[4 << 20];
    struct elfsyms *es;

    fake_init(&x->f, "x86_64", PF_GPA, PF_RAM);
    int fd = open(x->elf, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, bytes, sizeof bytes);
    close(fd);
    assert(n > 64 && elfsyms_open(x->elf, &es) == NULL);
    elfsyms_free(es);
    const char *ph = bytes + load64(bytes + 32);
    for (unsigned i = 0; i < load16(bytes + 56); i++, ph += load16(bytes + 54))
        if (load32(ph) == 1)
            fake_put(&x->f, load64(ph + 24), bytes + load64(ph + 8), load64(ph + 32));
}

static inline struct oscope_error *profile_fixture_open(struct profile_fixture *x, const char *text,
                                                        bool lenient)
{
    struct os_open_options opts = {
        .vmlinux = x->elf, .profile = text ? x->profile : NULL, .lenient = lenient};
    FILE *f = fopen(x->profile, "w");

    assert(f);
    fputs(text ? text : "", f);
    fclose(f);
    struct oscope_error *err = os_open(&x->f.target, arch_find("x86_64"), &opts, &x->m);
    x->st = err ? NULL : x->m->symtab;
    return err;
}

static inline void profile_fixture_close(struct profile_fixture *x)
{
    os_close(x->m);
    x->m = NULL;
}

static inline void profile_fixture_end(struct profile_fixture *x)
{
    char cmd[128];

    snprintf(cmd, sizeof cmd, "rm -rf %s", x->dir);
    if (system(cmd))
        perror(cmd);
}

/* The one of a test program; what follows is for its groups and its tests. */
static struct profile_fixture x;

static inline int profile_setup(void **state)
{
    return profile_fixture_compile(&x) ? 0 : -1;
}

static inline int profile_teardown(void **state)
{
    profile_fixture_end(&x);
    return 0;
}

static inline int profile_load(void **state)
{
    profile_fixture_load(&x);
    return 0;
}

static inline int profile_unload(void **state)
{
    profile_fixture_close(&x);
    fake_free(&x.f);
    return 0;
}

static inline void open_with(const char *text)
{
    struct oscope_error *err = profile_fixture_open(&x, text, false);

    if (err)
        fail_msg("%s", err->message);
}

/* Where a symbol of the kernel is. */
static inline uint64_t at(const char *symbol)
{
    uint64_t a = symtab_addr(x.st, symbol);

    assert_true(a != 0);
    return a;
}

#endif
