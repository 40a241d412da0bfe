/* SPDX-License-Identifier: MIT */
/*
 * session/: QEMU command lines, the runtime directory, session.json.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/util.h"
#include "fake_session.h"
#include "session/client.h"
#include "session/cmdline.h"
#include "session/firmware.h"
#include "session/plugin.h"
#include "session/runtime.h"
#include "session/session.h"
#include "target/hostproc.h"

#define ARGV(...) ((char *const *)(const char *const[]){__VA_ARGS__, NULL})

/* ---- command lines ---- */

static void test_memory_option(void **state)
{
    static const struct {
        const char *value;
        uint64_t want;
    } rows[] = {
        {"512", UINT64_C(512) << 20},
        {"2G", UINT64_C(2) << 30},
        {"2g", UINT64_C(2) << 30},
        {"size=2G,maxmem=8G,slots=2", UINT64_C(2) << 30},
        {"slots=2,size=768M", UINT64_C(768) << 20},
        {"1024,maxmem=4G", UINT64_C(1) << 30},
        {"1048576k", UINT64_C(1) << 30},
        {"1T", UINT64_C(1) << 40},
        {"536870912B", UINT64_C(512) << 20},
        /* not understood: the guest is left as it is */
        {"", 0},
        {"0", 0},
        {"1.5G", 0},
        {"-1", 0},
        {"0x100", 0},
        {"2GiB", 0},
        {"maxmem=8G", 0},
        {"99999999999999999999G", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (cmdline_memory(rows[i].value) != rows[i].want)
            fail_msg("-m %s: %llu", rows[i].value,
                     (unsigned long long)cmdline_memory(rows[i].value));
}

static void assert_ram(char *const argv[], uint64_t mib, const char *id)
{
    struct cmdline_ram ram;

    assert_true(cmdline_ram(argv, &ram));
    assert_true(ram.size == mib << 20);
    assert_string_equal(ram.id, id);
}

static void test_shared_ram_is_added_when_understood(void **state)
{
    struct cmdline_ram ram;
    const char *q = "qemu-system-riscv64", *x = "/opt/bin/qemu-system-x86_64",
               *a = "qemu-system-aarch64";

    assert_ram(ARGV(q, "-M", "virt", "-m", "2G"), 2048, "riscv_virt_board.ram");
    assert_ram(ARGV(q, "-machine", "virt"), 128, "riscv_virt_board.ram");
    assert_ram(ARGV(x, "disk.img"), 128, "pc.ram");
    assert_ram(ARGV(x, "-M", "q35,accel=kvm", "-m", "1G", "-m", "3G"), 3072, "pc.ram");
    assert_ram(ARGV(x, "--machine", "accel=tcg,type=pc-i440fx-9.2"), 128, "pc.ram");
    assert_ram(ARGV(x, "-machine", "q35", "-machine", "accel=tcg"), 128, "pc.ram");
    assert_ram(ARGV(a, "-M", "virt-10.0", "-m", "512"), 512, "mach-virt.ram");
    assert_ram(ARGV(q, "-M", "virt", "-append", "-m", "-m", "1G"), 1024, "riscv_virt_board.ram");

    assert_false(cmdline_ram(ARGV("sh", "-c", "x"), &ram));
    assert_false(cmdline_ram(ARGV(a, "-m", "1G"), &ram)); /* no default machine */
    assert_false(cmdline_ram(ARGV(a, "-M", "raspi3b"), &ram));
    assert_false(cmdline_ram(ARGV(x, "-m", "1.5G"), &ram));
    assert_false(cmdline_ram(ARGV(x, "-m"), &ram));
    assert_false(cmdline_ram(ARGV(x, "-mem-path", "/dev/hugepages"), &ram));
    assert_false(cmdline_ram(ARGV(x, "-object", "memory-backend-ram,id=m,size=1G"), &ram));
    assert_false(cmdline_ram(ARGV(x, "-machine", "q35,memory-backend=m"), &ram));
    assert_false(cmdline_ram(ARGV(x, "-numa", "node,memdev=m"), &ram));
    assert_false(cmdline_ram(ARGV(x, "-incoming", "tcp:0:4444"), &ram));
}

static void test_qmp_paths(void **state)
{
    char *paths[4];
    bool other;

    size_t n = cmdline_qmp_paths(
        ARGV("qemu", "-qmp", "unix:/run/a,,b.sock,server=on,wait=off", "-chardev",
             "socket,id=mon0,path=/run/c.sock,server=on", "-mon", "chardev=mon0,mode=control",
             "-chardev", "socket,id=agent,path=/run/agent.sock", "-qmp", "tcp:localhost:4444"),
        paths, 4, &other);
    assert_int_equal(n, 2);
    assert_string_equal(paths[0], "/run/a,b.sock");
    assert_string_equal(paths[1], "/run/c.sock");
    assert_true(other);
    free(paths[0]);
    free(paths[1]);
    assert_int_equal(
        cmdline_qmp_paths(ARGV("qemu", "-mon", "mon1,mode=readline"), paths, 4, &other), 0);
    assert_false(other);
    assert_true(cmdline_daemonizes(ARGV("qemu", "--daemonize")));
    assert_false(cmdline_daemonizes(ARGV("qemu", "-d", "int")));
}

static void test_kernel(void **state)
{
    assert_null(cmdline_kernel(ARGV("q", "-m", "128M")));
    assert_null(cmdline_kernel(ARGV("q", "-append", "-kernel", "x")));
    assert_null(cmdline_kernel(ARGV("q", "-kernel")));
    assert_string_equal(cmdline_kernel(ARGV("q", "-kernel", "k", "-append", "quiet")), "k");
    assert_string_equal(cmdline_kernel(ARGV("q", "--kernel", "a", "-kernel", "b")), "b");
}

static void test_one_thread(void **state)
{
    struct wire_one_thread how;

    assert_true(cmdline_one_thread(ARGV("q", "-icount", "shift=2")));
    assert_true(cmdline_one_thread(ARGV("q", "--icount", "auto")));
    assert_true(cmdline_one_thread(ARGV("q", "-accel", "tcg,tb-size=64,thread=single")));
    assert_false(cmdline_one_thread(ARGV("q", "-accel", "tcg,thread=multi")));
    assert_false(cmdline_one_thread(ARGV("q", "-append", "-icount", "-accel")));
    assert_true(plugin_one_thread(ARGV("/usr/bin/qemu-system-riscv64", "-icount", "2"), &how));
    assert_string_equal(how.identity, "mhartid");
    assert_int_equal(how.nsystem, 2);
    assert_int_equal(how.system[0].value, 0x10500073);
    assert_int_equal(how.system[0].waits, 1);
    assert_true(plugin_one_thread(ARGV("qemu-system-x86_64", "-icount", "2"), &how));
    assert_string_equal(how.identity, "");
    assert_int_equal(how.nsystem, 3);
    assert_false(plugin_one_thread(ARGV("qemu-system-x86_64"), &how));
    assert_false(plugin_one_thread(ARGV("qemu-system-m68k", "-icount", "2"), &how));
    assert_false(plugin_one_thread(ARGV("sh", "-icount", "2"), &how));
    assert_int_equal(how.nsystem, 0);
}

/* ---- the runtime directory ---- */

static void test_session_folders(void **state)
{
    char *id1, *id2, *id3, *d1, *d2, *d3;
    struct session_desc desc, back;
    struct runtime_ids ids;
    struct stat st;

    assert_null(runtime_create(NULL, &id1, &d1));
    assert_null(runtime_create(NULL, &id2, &d2));
    assert_null(runtime_create("web-1", &id3, &d3));
    assert_string_equal(id1, "1");
    assert_string_equal(id2, "2");
    assert_int_equal(stat(d1, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_error(runtime_create("web-1", &id1, &d1), OSCOPE_E_BUSY, "web-1");
    assert_error(runtime_create("../x", &id1, &d1), OSCOPE_E_USAGE, "../x");
    assert_error(runtime_create(".x", &id1, &d1), OSCOPE_E_USAGE, ".x");
    assert_null(runtime_ids(&ids));
    assert_int_equal(ids.n, 0); /* none is described yet */
    runtime_ids_free(&ids);

    describe(&desc, "2", getpid());
    assert_null(session_desc_save(d2, &desc));
    assert_null(session_desc_load(d2, &back));
    assert_string_equal(back.name, desc.name);
    assert_int_equal(back.pid, getpid());
    assert_true(back.start_time == desc.start_time && back.created == 1234567);
    assert_int_equal(back.nregions, 2);
    assert_memory_equal(back.regions, desc.regions, 2 * sizeof *back.regions);
    assert_null(back.core);
    session_desc_free(&back);
    desc.start_time++; /* its QEMU is gone, the PID belongs to another process */
    assert_null(session_desc_save(d3, &desc));
    session_desc_free(&desc);
    assert_null(runtime_ids(&ids));
    assert_int_equal(ids.n, 1);
    assert_string_equal(ids.ids[0], "2");
    assert_int_equal(access(d3, F_OK), -1); /* swept */
    runtime_ids_free(&ids);

    free(id3);
    free(d3);
    uint64_t mark = runtime_mark(d1);
    assert_true(mark != 0 && mark == runtime_mark(d1));
    runtime_remove(d1);
    assert_int_equal(runtime_mark(d1), 0);
    assert_null(runtime_create(NULL, &id3, &d3));
    assert_string_equal(id3, "1"); /* lowest free number */
    assert_string_equal(d1, d3);
    assert_true(runtime_mark(d1) != mark); /* it is another's now */
    runtime_remove(d2);
    runtime_remove(d3);
    char *all[] = {id1, id2, id3, d1, d2, d3};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        free(all[i]);
}

static void test_runtime_directory_must_be_ours(void **state)
{
    char base[64], *got = NULL;

    snprintf(base, sizeof base, "%s/oscope", root);
    assert_int_equal(chmod(base, 0755), 0);
    assert_error(runtime_base(&got), OSCOPE_E_PERMISSION, "open to other users");
    assert_int_equal(rmdir(base), 0);
    assert_int_equal(symlink("/tmp", base), 0);
    assert_error(runtime_base(&got), OSCOPE_E_PERMISSION, "not a directory of this user");
    assert_int_equal(unlink(base), 0);
    assert_null(runtime_base(&got));
    assert_string_equal(got, base);
    free(got);
}

static void test_bad_descriptions(void **state)
{
    static const char *const bad[] = {"", "{", "[]", "{\"format\": 1}",
                                      ("{\"format\": 99, \"id\": \"1\", \"kind\": \"run\", "
                                       "\"arch\": \"x\", \"pid\": 1}")};
    struct session_desc d;
    char *id, *dir, path[128];

    assert_null(runtime_create(NULL, &id, &dir));
    snprintf(path, sizeof path, "%s/session.json", dir);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        FILE *f = fopen(path, "w");
        fputs(bad[i], f);
        fclose(f);
        assert_error(session_desc_load(dir, &d), OSCOPE_E_BAD_DATA, "session.json");
    }
    runtime_remove(dir);
    free(id);
    free(dir);
}

static void test_open_says_what_is_there(void **state)
{
    struct oscope_session *s;
    struct oscope_error *err = oscope_session_open(NULL, &s);

    assert_non_null(strstr(err->hint, "oscope run"));
    assert_error(err, OSCOPE_E_NOT_FOUND, "there is no session");
    assert_error(oscope_session_open(&(struct oscope_open_options){.session = "7"}, &s),
                 OSCOPE_E_NOT_FOUND, "'7'");
    assert_error(oscope_session_open(&(struct oscope_open_options){.session = "/no/core"}, &s),
                 OSCOPE_E_IO, "/no/core");
    assert_error(oscope_detach("7"), OSCOPE_E_NOT_FOUND, "'7'");
    assert_error(oscope_attach("2147483646", NULL, NULL), OSCOPE_E_GONE, "2147483646");
    assert_error(oscope_attach("/no/sock", NULL, NULL), OSCOPE_E_IO, "/no/sock");

    char self[16]; /* this process is no QEMU */
    snprintf(self, sizeof self, "%d", (int)getpid());
    assert_error(oscope_attach(self, NULL, NULL), OSCOPE_E_NOT_FOUND, "not a QEMU");

    struct session_desc d;
    char *id[2], *dir[2];
    for (int i = 0; i < 2; i++) {
        assert_null(runtime_create(NULL, &id[i], &dir[i]));
        describe(&d, id[i], getpid());
        assert_null(session_desc_save(dir[i], &d));
        session_desc_free(&d);
    }
    assert_error(oscope_session_open(NULL, &s), OSCOPE_E_USAGE, "2 sessions: 1, 2");
    for (int i = 0; i < 2; i++) {
        assert_null(oscope_detach(id[i])); /* no broker: only the folder goes */
        assert_int_equal(access(dir[i], F_OK), -1);
        free(id[i]);
        free(dir[i]);
    }
}

/* ---- firmware ---- */

/* An x86 vCPU that runs without paging; those that wait to be started do not count. */
static void test_firmware(void **state)
{
    static const char bios[] =
        "CPU#0\r\nEAX=1 EIP=0000fff0 EFL=2 [---] CPL=0 II=0 A20=1 SMM=0 HLT=0\r\n"
        "CR0=60000010 CR2=0 CR3=0 CR4=0\r\n"
        "CPU#1\r\nEIP=0 EFL=2 [---] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n"
        "CR0=60000010 CR2=0 CR3=0 CR4=0\r\n";
    static const char kernel[] = "CPU#0\r\nRIP=ff RFL=2 [---] CPL=0 II=0 A20=1 SMM=0 HLT=0\r\n"
                                 "CR0=80050033 CR2=0 CR3=1 CR4=2\r\n"
                                 "CPU#1\r\nEIP=0 EFL=2 [---] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n"
                                 "CR0=60000010 CR2=0 CR3=0 CR4=0\r\n";

    assert_true(firmware_runs(bios));
    assert_false(firmware_runs(kernel));
    assert_false(firmware_runs("CPU#0\r\n pc       ffffffff8000\r\n satp 0\r\n"));
    assert_false(firmware_runs("HLT=0"));
    assert_false(firmware_runs("HLT=0 HLT=0 HLT="));
    assert_false(firmware_runs(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_option),
        cmocka_unit_test(test_shared_ram_is_added_when_understood),
        cmocka_unit_test(test_qmp_paths),
        cmocka_unit_test(test_one_thread),
        cmocka_unit_test(test_firmware),
        cmocka_unit_test(test_session_folders),
        cmocka_unit_test(test_runtime_directory_must_be_ours),
        cmocka_unit_test(test_bad_descriptions),
        cmocka_unit_test(test_open_says_what_is_there),
        cmocka_unit_test(test_kernel),
    };
    return cmocka_run_group_tests_name("session", tests, make_root, remove_root);
}
