/* SPDX-License-Identifier: MIT */
/*
 * session/: QEMU command lines, the runtime directory, session.json, and a broker that serves
 * clients with a scripted QEMU behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/util.h"
#include "session/broker.h"
#include "session/client.h"
#include "session/cmdline.h"
#include "session/firmware.h"
#include "session/plugin.h"
#include "session/runtime.h"
#include "session/session.h"
#include "target/hostproc.h"

#define ARGV(...) ((char *const *)(const char *const[]){__VA_ARGS__, NULL})

static void assert_error(struct oscope_error *err, enum oscope_code code, const char *part)
{
    assert_non_null(err);
    if (err->code != code || !strstr(err->message, part))
        fail_msg("error %d: %s", err->code, err->message);
    oscope_error_free(err);
}

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

static char root[] = "/tmp/oscope-test-XXXXXX";

static int make_root(void **state)
{
    if (!mkdtemp(root))
        return -1;
    return setenv("XDG_RUNTIME_DIR", root, 1);
}

static int remove_root(void **state)
{
    char base[64];

    snprintf(base, sizeof base, "%s/oscope", root);
    rmdir(base);
    return rmdir(root);
}

static void describe(struct session_desc *d, const char *id, pid_t pid)
{
    *d = (struct session_desc){.id = strdup(id),
                               .kind = strdup("run"),
                               .pid = pid,
                               .start_time = host_start_time(pid),
                               .arch = strdup("riscv64"),
                               .name = strdup("a \"guest\""),
                               .qmp = strdup("/nonexistent/qmp.sock"),
                               .version = strdup("10.0.2"),
                               .created = 1234567,
                               .regions = calloc(2, sizeof *d->regions),
                               .nregions = 2};
    d->regions[0] = (struct live_region){.gpa = 0x80000000,
                                         .size = 0x1000,
                                         .hva = 0x7fffffffe000,
                                         .name = "ram",
                                         .fd = 8,
                                         .dev = 1,
                                         .ino = UINT64_C(1) << 40,
                                         .offset = 0x2000};
    d->regions[1] = (struct live_region){.gpa = 0x100000000, .size = 0x2000, .fd = -1};
}

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
    runtime_remove(d1);
    assert_null(runtime_create(NULL, &id3, &d3));
    assert_string_equal(id3, "1"); /* lowest free number */
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

/* ---- the broker ---- */

struct fixture {
    char *id, *dir;
    pid_t broker, qemu; /* qemu: a process that only exists */
    int qmp;            /* our end: we play QEMU */
    FILE *from;
    bool running;
    unsigned stops, conts;
};

/* Answers one command of the broker as QEMU would; false when it hung up. */
static bool play_qemu(struct fixture *f)
{
    char line[1024], text[256];
    int id = 0;

    if (!fgets(line, sizeof line, f->from))
        return false;
    const char *at = strstr(line, "\"id\":");
    if (at)
        id = atoi(at + 5);
    const char *ret = "{}";
    if (strstr(line, "\"query-status\"")) {
        ret = f->running ? "{\"running\": true}" : "{\"running\": false}";
    } else if (strstr(line, "\"stop\"")) {
        f->running = false, f->stops++;
    } else if (strstr(line, "\"cont\"")) {
        f->running = true, f->conts++;
    } else if (strstr(line, "info registers -a")) {
        ret = "\"CPU#0\\r\\n pc       0000000080000000\\r\\n\"";
    } else if (strstr(line, "query-cpus-fast")) {
        ret = "[{\"cpu-index\": 0, \"thread-id\": 77}]";
    }
    int n = snprintf(text, sizeof text, "{\"return\": %s, \"id\": %d}\r\n", ret, id);
    return send(f->qmp, text, (size_t)n, MSG_NOSIGNAL) == n;
}

static void broker_main(struct fixture *f, int fd)
{
    struct session_desc d;
    struct broker b;
    struct qmp *q;
    sigset_t old;
    int sigfd, pidfd = pidfd_open(f->qemu, 0);

    close(f->qmp);
    describe(&d, f->id, f->qemu);
    oscope_error_free(session_desc_save(f->dir, &d));
    struct oscope_error *err = qmp_open_fd(fd, 2000, &q);
    if (!err)
        err = broker_signals(&sigfd, &old);
    if (!err)
        err = broker_open(&b, f->dir, &d, q, pidfd, sigfd, 0);
    if (err)
        _exit(2);
    enum broker_end end = broker_serve(&b);
    broker_close(&b);
    session_desc_free(&d);
    free(f->id);
    free(f->dir);
    _exit(end == BROKER_QEMU_ENDED ? 10 : 11);
}

static void begin(struct fixture *f)
{
    static const char greeting[] =
        "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 2, \"minor\": 0, \"major\": 10}}}}\r\n";
    char path[256];
    int pair[2];

    *f = (struct fixture){.running = true};
    assert_null(runtime_create(NULL, &f->id, &f->dir));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    f->qmp = pair[1];
    f->qemu = fork();
    if (!f->qemu) {
        close(pair[0]);
        close(pair[1]);
        pause();
        _exit(0);
    }
    f->broker = fork();
    if (!f->broker)
        broker_main(f, pair[0]);
    close(pair[0]);
    f->from = fdopen(f->qmp, "r");
    assert_int_equal(write(f->qmp, greeting, sizeof greeting - 1), sizeof greeting - 1);
    assert_true(play_qemu(f)); /* qmp_capabilities */
    snprintf(path, sizeof path, "%s/broker.sock", f->dir);
    for (int i = 0; i < 500 && access(path, F_OK) < 0; i++)
        usleep(10000);
}

static int end(struct fixture *f)
{
    int status = -1;

    for (int i = 0; i < 500 && waitpid(f->broker, &status, WNOHANG) == 0; i++)
        usleep(10000);
    if (status == -1)
        kill(f->broker, SIGKILL);
    kill(f->qemu, SIGKILL);
    waitpid(f->qemu, NULL, 0);
    fclose(f->from);
    runtime_remove(f->dir);
    free(f->id);
    free(f->dir);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Asks the broker in a process of its own while this one plays QEMU; true when it answered well. */
static pid_t ask(struct fixture *f, const char *op, int linger_fd)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    struct broker_link link = {f->dir, -1};
    json_t *answer = NULL;
    char c;
    struct oscope_error *err = broker_call(&link, op, 3000, &answer);
    bool ok = !err;

    if (ok && !strcmp(op, "registers"))
        ok = strstr(json_string_value(json_object_get(answer, "text")), "CPU#0") != NULL;
    if (ok && linger_fd >= 0) /* holds the connection until told to end */
        ok = read(linger_fd, &c, 1) >= 0;
    _exit(ok ? 0 : 1);
}

static bool well(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void test_broker_answers(void **state)
{
    struct fixture f;

    begin(&f);
    assert_true(well(ask(&f, "hello", -1)));
    pid_t p = ask(&f, "status", -1);
    assert_true(play_qemu(&f));
    assert_true(well(p));
    p = ask(&f, "registers", -1);
    assert_true(play_qemu(&f));
    assert_true(play_qemu(&f));
    assert_true(well(p));
    assert_false(well(ask(&f, "quit", -1))); /* not a request, and it lives on */
    assert_false(well(ask(&f, "resume", -1)));
    assert_true(well(ask(&f, "detach", -1)));
    assert_int_equal(end(&f), 11);
    assert_int_equal(f.stops + f.conts, 0);
}

static void test_broker_ends_with_qemu(void **state)
{
    struct fixture f;

    begin(&f);
    kill(f.qemu, SIGKILL);
    assert_int_equal(end(&f), 10);
}

static void test_pause_is_counted_and_dies_with_its_client(void **state)
{
    struct fixture f;
    int hold[2];

    begin(&f);
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    pid_t a = ask(&f, "pause", hold[0]);
    assert_true(play_qemu(&f)); /* query-status */
    assert_true(play_qemu(&f)); /* stop */
    assert_false(f.running);
    usleep(100000);                 /* the answer is out, a sits in read() */
    pid_t b = ask(&f, "pause", -1); /* a second pause asks QEMU nothing, and ends at once */
    assert_true(well(b));
    assert_false(f.running);
    assert_int_equal(f.stops, 1);
    kill(a, SIGKILL); /* the last holder dies without a word */
    waitpid(a, NULL, 0);
    assert_true(play_qemu(&f)); /* cont */
    assert_true(f.running);
    assert_int_equal(f.conts, 1);

    /* a guest that the user stopped stays stopped */
    f.running = false;
    a = ask(&f, "pause", -1);
    assert_true(play_qemu(&f)); /* query-status */
    assert_true(well(a));
    assert_true(well(ask(&f, "detach", -1)));
    assert_int_equal(end(&f), 11);
    assert_int_equal(f.stops, 1);
    assert_int_equal(f.conts, 1);
    close(hold[0]);
    close(hold[1]);
}

static void test_broker_survives_bad_clients(void **state)
{
    struct fixture f;
    struct broker_link link;
    static const char *const bad[] = {"\n", "{}\n", "[1,2\n", "{\"op\": 7}\n"};
    enum { TOO_MUCH = 3 << 20 };
    char *big = malloc(TOO_MUCH);

    assert_non_null(big);
    begin(&f);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        link = (struct broker_link){f.dir, -1};
        assert_null(broker_call(&link, "hello", 3000, NULL));
        assert_int_equal(write(link.fd, bad[i], strlen(bad[i])), strlen(bad[i]));
        char answer[256];
        ssize_t n = recv(link.fd, answer, sizeof answer - 1, 0);
        assert_true(n > 0);
        answer[n] = '\0';
        assert_non_null(strstr(answer, "\"ok\":false"));
        broker_hang_up(&link);
    }
    link = (struct broker_link){f.dir, -1};
    assert_null(broker_call(&link, "hello", 3000, NULL));
    memset(big, 'x', TOO_MUCH); /* a line without end: dropped */
    for (ssize_t n = 0, sent = 0; sent >= 0 && n < TOO_MUCH; n += sent)
        sent = send(link.fd, big + n, (size_t)(TOO_MUCH - n), MSG_NOSIGNAL);
    free(big);
    assert_error(broker_call(&link, "hello", 3000, NULL), OSCOPE_E_GONE, "broker");
    broker_hang_up(&link);
    assert_true(well(ask(&f, "hello", -1)));
    kill(f.broker, SIGTERM);
    assert_int_equal(end(&f), 11);
}

static void test_no_broker(void **state)
{
    char *id, *dir;

    assert_null(runtime_create(NULL, &id, &dir));
    struct broker_link link = {dir, -1};
    struct oscope_error *err = broker_call(&link, "hello", 1000, NULL);
    assert_non_null(strstr(err->hint, "oscope attach"));
    assert_error(err, OSCOPE_E_GONE, "broker");
    runtime_remove(dir);
    free(id);
    free(dir);
}

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
        cmocka_unit_test(test_broker_answers),
        cmocka_unit_test(test_broker_ends_with_qemu),
        cmocka_unit_test(test_pause_is_counted_and_dies_with_its_client),
        cmocka_unit_test(test_broker_survives_bad_clients),
        cmocka_unit_test(test_no_broker),
    };
    return cmocka_run_group_tests_name("session", tests, make_root, remove_root);
}
