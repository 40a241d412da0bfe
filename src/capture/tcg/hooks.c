/* SPDX-License-Identifier: MIT */
/*
 * Callbacks, with QEMUs of two kinds: see hooks.h.
 *
 * The interface has no call that tells its version before it is too late, and version 7 brought no
 * function that version 6 has not. What tells is the text that `qemu-system-… --version` prints: it
 * stands in the program, which is mapped.
 */
#include "capture/tcg/hooks.h"

#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static const char PRODUCT[] = "QEMU emulator version ";

enum {
    CHUNK = 1 << 16,
    OVERLAP = 64, /* no version is longer */
    USERDATA_MAJOR = 11,
    USERDATA_MINOR = 1, /* QEMU that has PLUGIN_API_USERDATA first */
};

static struct {
    qemu_plugin_id_t id;
    int api;
} hooks;

void hooks_init(qemu_plugin_id_t id, int api)
{
    hooks.id = id;
    hooks.api = api;
}

/* ---- what to declare ---- */

int hooks_version_of(const char *text, size_t n)
{
    const char *p = text, *end = text + n;
    int major, minor;

    while ((p = memmem(p, (size_t)(end - p), PRODUCT, sizeof PRODUCT - 1))) {
        char number[OVERLAP / 2] = "";
        p += sizeof PRODUCT - 1;
        size_t left = (size_t)(end - p);
        memcpy(number, p, left < sizeof number - 1 ? left : sizeof number - 1);
        if (sscanf(number, "%d.%d", &major, &minor) != 2)
            continue; /* it is asked for, as above */
        bool newer = major > USERDATA_MAJOR || (major == USERDATA_MAJOR && minor >= USERDATA_MINOR);
        return newer ? PLUGIN_API_USERDATA : PLUGIN_API;
    }
    return 0;
}

/* Looks through [at, at + n) of this process. Piece by piece, through a copy: it need not all be
 * readable. */
static int version_in(uintptr_t at, size_t n)
{
    static char text[CHUNK + OVERLAP];
    int version = 0;

    for (size_t i = 0; i < n && !version; i += CHUNK) {
        size_t want = n - i < sizeof text ? n - i : sizeof text;
        struct iovec to = {text, want}, from = {(void *)(at + i), want};
        ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
        if (got > 0)
            version = hooks_version_of(text, (size_t)got);
    }
    return version;
}

/* The first object is the program. */
static int look_in_program(struct dl_phdr_info *info, size_t size, void *arg)
{
    int *version = arg;

    for (int i = 0; i < info->dlpi_phnum && !*version; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
            *version = version_in(info->dlpi_addr + p->p_vaddr, p->p_filesz);
    }
    return 1;
}

/* QEMU before 10.2 tells of no traps, and is spared the search. */
__attribute__((constructor)) static void choose_version(void)
{
    int version = 0;

    if (!qemu_plugin_register_vcpu_discon_cb)
        return;
    dl_iterate_phdr(look_in_program, &version);
    if (version)
        qemu_plugin_version = version;
}

/* ---- callbacks of version 7 ---- */

/* Any function's address fits a pointer (POSIX, dlsym()). */
static void *pointer_to(qemu_plugin_any_cb_t f)
{
    void *p;

    memcpy(&p, &f, sizeof p);
    return p;
}

static qemu_plugin_any_cb_t function_at(void *p)
{
    qemu_plugin_any_cb_t f;

    memcpy(&f, &p, sizeof f);
    return f;
}

static void on_vcpu(unsigned index, void *cb)
{
    ((qemu_plugin_vcpu_simple_cb_t)function_at(cb))(hooks.id, index);
}

static void on_translation(struct qemu_plugin_tb *tb, void *cb)
{
    ((qemu_plugin_vcpu_tb_trans_cb_t)function_at(cb))(hooks.id, tb);
}

static void on_reset(void *cb)
{
    ((qemu_plugin_simple_cb_t)function_at(cb))(hooks.id);
}

static void on_discon(unsigned index, enum qemu_plugin_discon_type type, uint64_t from, uint64_t to,
                      void *cb)
{
    ((qemu_plugin_vcpu_discon_cb_t)function_at(cb))(hooks.id, index, type, from, to);
}

/* ---- registering ---- */

typedef void (*registering)(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata);

/* What an older QEMU does not know of, the pointer, it does not look at. */
static void hook(registering function, qemu_plugin_any_cb_t cb, qemu_plugin_any_cb_t with_userdata)
{
    if (cb && hooks.api >= PLUGIN_API_USERDATA)
        function(hooks.id, with_userdata, pointer_to(cb));
    else
        function(hooks.id, cb, NULL);
}

void hook_vcpu(enum hook which, qemu_plugin_vcpu_simple_cb_t cb)
{
    static const registering functions[] = {
        [HOOK_VCPU_INIT] = qemu_plugin_register_vcpu_init_cb,
        [HOOK_VCPU_EXIT] = qemu_plugin_register_vcpu_exit_cb,
        [HOOK_VCPU_IDLE] = qemu_plugin_register_vcpu_idle_cb,
        [HOOK_VCPU_RESUME] = qemu_plugin_register_vcpu_resume_cb,
    };

    hook(functions[which], (qemu_plugin_any_cb_t)cb, (qemu_plugin_any_cb_t)on_vcpu);
}

void hook_translation(qemu_plugin_vcpu_tb_trans_cb_t cb)
{
    hook(qemu_plugin_register_vcpu_tb_trans_cb, (qemu_plugin_any_cb_t)cb,
         (qemu_plugin_any_cb_t)on_translation);
}

void hook_reset(qemu_plugin_simple_cb_t cb)
{
    hook(qemu_plugin_reset, (qemu_plugin_any_cb_t)cb, (qemu_plugin_any_cb_t)on_reset);
}

/* Version 6 has it too, in another form that was not tried. */
bool hooks_have_discon(void)
{
    return hooks.api >= PLUGIN_API_USERDATA && qemu_plugin_register_vcpu_discon_cb;
}

void hook_discon(unsigned kinds, qemu_plugin_vcpu_discon_cb_t cb)
{
    if (hooks_have_discon())
        qemu_plugin_register_vcpu_discon_cb(hooks.id, (int)kinds, (qemu_plugin_any_cb_t)on_discon,
                                            pointer_to((qemu_plugin_any_cb_t)cb));
}
