/* SPDX-License-Identifier: MIT */
/* os/profile: models from profiles, right and wrong ones, of a kernel that tests break at will. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <oscope/profile.h>

#include "profile_fixture.h"

#define TASK                                                                                       \
    "[task]\nid = pid\nname = name\nstate = state\nparent = parent.pid\n"                          \
    "stack = kstack\nstack-size = 2048\nsaved-pc = context.rip\nsaved-sp = context.rsp\n"          \
    "saved-fp = context.rbp\n"
#define STATES "[states]\nFREE = none\nREADY = R\nRUNNING = R running\nWAITING = S\n"
#define ARRAY  TASK "array = procs\n" STATES "[cpu]\ncurrent = cpus[cpu].proc\n"

/* "pid ppid name state, ..." */
static const char *tasks_text(char *buf, size_t n, struct os_list *l)
{
    struct oscope_error *err = x.m->ops->tasks(x.m, true, l);
    size_t at = 0;

    if (err)
        fail_msg("%s", err->message);
    buf[0] = '\0';
    for (size_t i = 0; i < l->n; i++) {
        const struct oscope_task *t = (const struct oscope_task *)l->rows + i;
        at += (size_t)snprintf(buf + at, n - at, "%s%d %d %s %s%s", i ? ", " : "", t->pid, t->ppid,
                               t->comm, t->state, t->running ? "*" : "");
    }
    return buf;
}

static void tasks_are(const char *text, const char *note)
{
    char buf[512];
    struct os_list l;

    os_list_init(&l, sizeof(struct oscope_task));
    assert_string_equal(tasks_text(buf, sizeof buf, &l), text);
    bool found = !note && !l.notes.n;
    for (size_t i = 0; note && i < l.notes.n; i++)
        found |= strstr(l.notes.data[i], note) != NULL;
    if (!found)
        fail_msg("note is '%s', not '%s'", l.notes.n ? l.notes.data[0] : "", note ? note : "");
    os_list_free(&l);
}

static uint64_t member(unsigned proc, const char *path)
{
    struct type_place place;

    assert_true(types_member(x.m->types, "struct proc", path, &place));
    return at("procs") + proc * types_size(x.m->types, "struct proc") + place.offset;
}

/* ---- tasks ---- */

#define ALL "1 0 init R*, 2 1 shell R, 7 2 toolong8 S"

static void test_array(void **state)
{
    struct oscope_task t;

    open_with(ARRAY);
    tasks_are(ALL, NULL);
    assert_null(x.m->ops->task(x.m, 7, &t));
    assert_string_equal(t.state, "S");
    assert_int_equal(t.ppid, 2);
    assert_true(x.m->ops->current(x.m, 0, &t));
    assert_string_equal(t.comm, "init");
    assert_string_equal(t.state, "R");
    assert_false(x.m->ops->current(x.m, 1, &t));
    assert_false(x.m->ops->current(x.m, 2, &t)); /* beyond the array */
    struct oscope_error *err = x.m->ops->task(x.m, 3, &t);
    assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
    oscope_error_free(err);
}

static void test_table(void **state)
{
    open_with(TASK "array = table\n" STATES);
    tasks_are("2 1 shell R, 1 0 init R*, 7 2 toolong8 S", NULL);
    fake_put64(&x.f, at("table"), 0xdead00000000);
    fake_put64(&x.f, at("table") + 16, 8); /* as null as 0 */
    tasks_are("7 2 toolong8 S", "the task at 0xdead00000000 can't be read");
}

/* The current task in a register. */
static void test_registers(void **state)
{
    struct oscope_task t;

    open_with(TASK "array = procs\n" STATES "[cpu]\ncurrent = (struct proc *)$sp - cpu\n");
    tasks_are(ALL, NULL);
    assert_false(x.m->ops->current(x.m, 0, &t));
    fake_reg(&x.f, "rsp", member(1, "pid"));
    tasks_are("1 0 init R*, 2 1 shell R*, 7 2 toolong8 S", NULL);
    assert_true(x.m->ops->current(x.m, 0, &t));
    assert_int_equal(t.pid, 2);
    assert_false(x.m->ops->current(x.m, 1, &t)); /* there is no such vCPU */
    fake_reg(&x.f, "rsp", member(1, "name"));
    tasks_are(ALL, NULL);
}

/* Registers, which QEMU is slow to tell, are asked for only where the profile does not tell which
 * page table it is. */
static void test_page_table(void **state)
{
    static const struct {
        const char *text;
        uint64_t root;
        bool asks, whole;
    } cases[] = {
        {"[memory]\nmode = 4-level\nroot = where\n", 0x300000, false, true},
        {"[memory]\nroot = where\n", 0x300000, true, true},
        {"[memory]\nmode = 4-level\n", 0x301000, true, true},
        /* 0: not there yet, to be looked for again */
        {"[memory]\nmode = 4-level\nroot = stack[0]\n", 0x301000, true, false},
    };

    fake_reg(&x.f, "cr0", 0x80000001);
    fake_reg(&x.f, "cr4", 0x20);
    fake_reg(&x.f, "cr3", 0x301000);
    fake_reg(&x.f, "efer", 0x500);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        x.f.asked = 0;
        open_with(cases[i].text);
        assert_int_equal(x.f.asked > 0, cases[i].asks);
        assert_string_equal(x.m->kernel.low.mode->name, "4-level");
        assert_int_equal(x.m->kernel.low.root, cases[i].root);
        assert_int_equal(x.m->kernel.high.root, cases[i].root);
        assert_int_equal(x.m->ops->still_there(x.m), cases[i].whole);
        profile_fixture_close(&x);
    }
}

static void test_owners(void **state)
{
    uint8_t owners[PF_RAM >> 12];
    size_t n[OS_OWNER_COUNT] = {0};

    open_with("[memory]\nfree = freelist\nfree-next = ((struct run *)task)->next\n"
              "linear = 0x700000 0x100000 0x200000\n");
    fake_put64(&x.f, at("freelist"), 0x800000); /* two pages, and back to the first */
    fake_put64(&x.f, 0x200000, 0x801000);
    fake_put64(&x.f, 0x201000, 0x800000);
    assert_null(x.m->ops->page_owners(x.m, PF_GPA >> 12, PF_RAM >> 12, owners));
    for (size_t i = 0; i < PF_RAM >> 12; i++)
        n[owners[i]]++;
    assert_int_equal(owners[0x100], OS_OWNER_FREE);
    assert_int_equal(owners[0x101], OS_OWNER_FREE);
    assert_int_equal(n[OS_OWNER_FREE], 2);
    assert_int_equal(owners[0], OS_OWNER_KERNEL);
    assert_int_equal(owners[(PF_RAM >> 12) - 1], OS_OWNER_NO_PAGE);
    assert_true(n[OS_OWNER_RESERVED] > 1); /* the image */
    struct os_list l;
    os_list_init(&l, 1);
    x.m->ops->page_notes(x.m, &l);
    assert_int_equal(l.notes.n, 1);
    assert_non_null(
        strstr(l.notes.data[0], "/p:3: free-next: the list of free pages comes back to 0x800000"));
    os_list_free(&l);
}

static void test_list(void **state)
{
    open_with(TASK "first = first\nnext = next\n" STATES);
    tasks_are("1 0 init R*, 2 1 shell R", NULL);
    fake_put64(&x.f, member(2, "next"), at("procs")); /* back to the first: a ring */
    tasks_are("1 0 init R*, 2 1 shell R", NULL);
    fake_put64(&x.f, member(2, "next"), member(1, "pid"));
    tasks_are("1 0 init R*, 2 1 shell R", "/p:12: next: the list of tasks runs in a circle");
    fake_put64(&x.f, member(2, "next"), member(3, "pid")); /* a longer one: each task once */
    fake_put64(&x.f, member(3, "next"), member(1, "pid"));
    tasks_are("1 0 init R*, 2 1 shell R, 7 2 toolong8 S",
              "/p:12: next: the list of tasks runs in a circle");
    fake_put64(&x.f, member(2, "next"), UINT64_C(0x7ff000000000));
    tasks_are("1 0 init R*, 2 1 shell R", "/p:12: next: the list of tasks breaks off");
    fake_put64(&x.f, at("first"), 0);
    tasks_are("", NULL);
}

static void test_list_head(void **state)
{
    open_with(TASK "first = container_of(head.next, struct proc, link)\n"
                   "next = container_of(link.next, struct proc, link)\n"
                   "end = container_of(&head, struct proc, link)\n" STATES);
    tasks_are("", NULL);
    fake_put64(&x.f, at("head"), member(3, "link"));
    fake_put64(&x.f, member(3, "link.next"), member(1, "link"));
    fake_put64(&x.f, member(1, "link.next"), at("head"));
    tasks_are("7 2 toolong8 S, 2 1 shell R", NULL);
    fake_put64(&x.f, member(1, "link.next"), 0); /* a list that is torn */
    tasks_are("7 2 toolong8 S, 2 1 shell R", NULL);
}

static void test_ids(void **state)
{
    open_with("[task]\narray = procs\nid = wide\nname = name\n");
    tasks_are("1 0 init ?", NULL); /* without a state an id of 0 is no task */
    fake_put64(&x.f, member(1, "wide"), UINT64_C(1) << 40);
    tasks_are("1 0 init ?", "is left out: 1099511627776 is too large a number");
    fake_put64(&x.f, member(1, "wide"), (uint64_t)-5);
    tasks_are("1 0 init ?, -5 0 shell ?", NULL);
}

static void test_states(void **state)
{
    struct oscope_task t;

    open_with("[task]\narray = procs\nid = pid\nstate = state\n[states]\nRUNNING = R\n");
    tasks_are("1 0  R, 2 0  READY, 7 0  WAITING", NULL);
    fake_put32(&x.f, member(1, "state"), 77);
    tasks_are("1 0  R, 2 0  77, 7 0  WAITING", NULL);
    assert_null(x.m->ops->task(x.m, 2, &t));
    assert_string_equal(t.state, "?");
    assert_null(x.m->ops->task(x.m, 7, &t));
    assert_string_equal(t.state, "WAITING");
}

static void test_many(void **state)
{
    open_with("[task]\narray = tiny\nid = id\n");
    tasks_are("9 0  ?", "/p:2: array: has 200000 places for tasks: only the first 65536");
}

static void test_bit_fields(void **state)
{
    open_with("[task]\narray = procs\nid = high\nparent = low\n");
    tasks_are("99 5  ?", NULL);
}

/* ---- what is wrong ---- */

static void test_wrong(void **state)
{
    static const struct {
        const char *text, *message, *hint;
    } cases[] = {
        {"[tsak]\nid = x\n", ":2: there is no section [tsak]", "did you mean [task]?"},
        {"[task]\npagetabel = x\n", ":2: [task] has no key 'pagetabel'",
         "did you mean 'pagetable'?"},
        {"[task]\n\nxyz = x\n", ":3: [task] has no key 'xyz'", "oscope help profile"},
        {"[task]\narray = nothing\n", ":2: array: the kernel has no symbol 'nothing'", NULL},
        {"[task]\narray = number\n", ":2: array: 'number' is no array", NULL},
        {"[task]\narray = procs\nid = pidd\n", ":3: id: the kernel has no symbol 'pidd'", NULL},
        {"[task]\narray = procs\nid = parent.pidd\n", ":3: id: struct proc has no member 'pidd'",
         NULL},
        {"[task]\narray = procs\nid = name.x\n",
         ":3: id: '.x': 'name' is no structure but char [8]", NULL},
        {"[task]\narray = procs\nid = context\n", "'context' (struct context) is not a number",
         NULL},
        {"[task]\narray = procs\nid = args[3]\n", "'args' has elements 0 to 2: no [3]", NULL},
        {"[task]\narray = procs\nname = pid\n",
         ":3: name: 'pid' is neither an array of characters nor a pointer to them", NULL},
        {"[task]\narray = procs\nid = (struct nope *)task\n", "no type 'struct nope *'", NULL},
        {"[task]\narray = procs\nid = $rax\n", "no registers are at hand here: $rax", NULL},
        {"[task]\nfirst = number\n", ":2: first: 'number' is no pointer to a task", NULL},
        {"[task]\narray = procs[cpu]\n", "the kernel has no symbol 'cpu'", NULL},
        {"[states]\nNOPE = R\n", ":2: NOPE: the kernel has no enumerator or macro of that name",
         NULL},
        {"[states]\nREADY = ready\n", ":2: READY: a letter, or 'none', is expected", NULL},
        {"[states]\nREADY = R on\n", "'running' or nothing must follow the letter", NULL},
        {"[memory]\nmode = Sv39\n", ":2: mode: x86_64 has no paging mode 'Sv39'", NULL},
        {"[memory]\nlinear = 0 0\n", ":2: linear: 'VA PA SIZE' is expected", NULL},
        {"[memory]\nlinear = 0 0 0\n", "a range of 0x0 bytes from 0x0 on is none", NULL},
        {"[memory]\nlinear = -1 0 4096\n", "a range of 0x1000 bytes from 0xffffffffffffffff", NULL},
        {"[memory]\nlinear = nope 0 4096\n", "the kernel has no symbol 'nope'", NULL},
        {"[memory]\nlinear = 0 0 1 2\n", "';' and another range, or nothing, is expected", NULL},
        {"[memory]\nlinear = 0 0 1;0 0 1;0 0 1;0 0 1;0 0 1\n", "more ranges than the 4", NULL},
        {"[profile]\narch = riscv64\n", ":2: arch: it is for riscv64, the kernel is for x86_64",
         NULL},
        {"[task]\narray = procs\nid = pid |nope\nparent = nope | nix\n",
         ":4: parent: the kernel has no symbol 'nope'", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct oscope_error *err = profile_fixture_open(&x, cases[i].text, false);
        if (!err)
            fail_msg("no error for '%s'", cases[i].text);
        if (!strstr(err->message, cases[i].message) ||
            strncmp(err->message, x.dir, strlen(x.dir)) || strchr(err->message, '\n') ||
            (cases[i].hint && !strstr(err->hint ? err->hint : "", cases[i].hint)))
            fail_msg("'%s' (%s), not '%s'", err->message, err->hint ? err->hint : "",
                     cases[i].message);
        oscope_error_free(err);
        x.m = NULL;
    }
}

/* A model that lacks what a view wants says so. */
static void test_missing(void **state)
{
    struct oscope_error *err;
    struct os_list l;

    os_list_init(&l, sizeof(struct oscope_task));
    open_with("[profile]\nname = half\n");
    err = x.m->ops->tasks(x.m, true, &l);
    assert_non_null(strstr(err->message, "profile half does not say [task] array"));
    oscope_error_free(err);
    err = x.m->ops->log(x.m, 0, &l);
    assert_non_null(strstr(err->message, "[log] text"));
    oscope_error_free(err);
    profile_fixture_close(&x);
    open_with(NULL);
    err = x.m->ops->tasks(x.m, true, &l);
    assert_non_null(strstr(err->message, "no profile tells"));
    assert_non_null(strstr(err->hint, "oscope profile new"));
    oscope_error_free(err);
    os_list_free(&l);
}

/* Another kernel's file. */
static void test_other_kernel(void **state)
{
    open_with(ARRAY);
    uint64_t code = at("inner");
    profile_fixture_close(&x);
    x.f.mem[code - PF_GPA] ^= 1;
    struct oscope_error *err = profile_fixture_open(&x, ARRAY, false);
    assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
    assert_non_null(strstr(err->message, "is not in guest RAM"));
    oscope_error_free(err);
    x.m = NULL;
}

/* Linux tells all of itself: its file is not wanted, and it is not taken for a kernel that has only
 * its file. */
static void test_linux(void **state)
{
    char cmd[256], path[80];
    struct os_open_options opts = {.vmlinux = path};

    snprintf(path, sizeof path, "%s/vmlinux", x.dir);
    snprintf(cmd, sizeof cmd,
             "cd %s && echo 'char linux_banner[9]; void _start(void) {}' >l.c && "
             "cc -ffreestanding -nostdlib -static l.c -o vmlinux",
             x.dir);
    assert_int_equal(system(cmd), 0);
    assert_true(os_wants_symbols(x.elf));
    assert_false(os_wants_symbols(path));
    assert_false(os_wants_symbols("/dev/null"));
    assert_null(profile_ops.open(&x.f.target, arch_find("x86_64"), &opts, &x.m));
    assert_null(x.m);
}

static void test_linear(void **state)
{
    uint64_t v;

    open_with(
        "[memory]\nlinear = (0x1000<<20) where where-0x200000 ; 0x900000000000 number+0x100003 1");
    fake_put64(&x.f, 0x300010, 42);
    assert_true(vspace_uint(&x.m->kernel, UINT64_C(0x100000010), 8, &v));
    assert_int_equal(v, 42);
    assert_false(vspace_uint(&x.m->kernel, UINT64_C(0x100000000) + 0x100000, 8, &v));
    assert_true(vspace_uint(&x.m->kernel, UINT64_C(0x900000000000), 1, &v));
}

/* ---- the log ---- */

static void log_is(uint64_t from, const char *text)
{
    char buf[256] = "";
    struct os_list l;

    os_list_init(&l, sizeof(struct oscope_log_record));
    struct oscope_error *err = x.m->ops->log(x.m, from, &l);
    if (err)
        fail_msg("%s", err->message);
    for (size_t i = 0; i < l.n; i++) {
        const struct oscope_log_record *r = (const struct oscope_log_record *)l.rows + i;
        snprintf(buf + strlen(buf), sizeof buf - strlen(buf), "%llu:%s|",
                 (unsigned long long)r->seq, r->text);
    }
    os_list_free(&l);
    assert_string_equal(buf, text);
}

static void log_write(const char *text)
{
    uint64_t end = load64(x.f.mem + at("log_end") - PF_GPA);

    for (; *text; text++, end++)
        fake_put(&x.f, at("log_text") + end % 32, text, 1);
    fake_put64(&x.f, at("log_end"), end);
}

static void test_log(void **state)
{
    open_with("[log]\ntext = log_text\nend = log_end\n");
    log_is(0, "");
    log_write("one\r\ntwo");
    log_is(0, "0:one|");
    log_write("!\n\nthree\n");
    log_is(0, "0:one|5:two!|10:|11:three|");
    log_is(11, "11:three|");
    log_is(12, "");
    log_write("0123456789abcdef\n"); /* 34 characters: the first line is overwritten */
    log_is(0, "5:two!|10:|11:three|17:0123456789abcdef|");
    log_write("a line that is longer than its ring is\n");
    log_is(0, "");
    log_write("z\n");
    log_is(0, "73:z|");
    x.f.target.live = true;                      /* what comes next may be written over already */
    fake_put64(&x.f, at("log_end"), UINT64_MAX); /* a counter gone wild: no more than the ring */
    log_is(0, "18446744073709551593:z|");
}

/* ---- stacks ---- */

static void frames_are(int32_t pid, const struct target_vcpu *v, const char *text, const char *note)
{
    char buf[512] = "";
    struct oscope_task t;
    struct os_list l;

    assert_null(x.m->ops->task(x.m, pid, &t));
    t.running = v != NULL;
    os_list_init(&l, sizeof(struct oscope_frame));
    struct oscope_error *err = x.m->ops->stack(x.m, &t, v, &l);
    if (err)
        snprintf(buf, sizeof buf, "%s", err->message);
    oscope_error_free(err);
    for (size_t i = 0; i < l.n; i++) {
        const struct oscope_frame *r = (const struct oscope_frame *)l.rows + i;
        snprintf(buf + strlen(buf), sizeof buf - strlen(buf), "%s%s %s", i ? ", " : "", r->method,
                 r->symbol);
    }
    assert_string_equal(buf, text);
    if (note ? !l.notes.n || !strstr(l.notes.data[0], note) : l.notes.n > 0)
        fail_msg("note '%s', not '%s'", l.notes.n ? l.notes.data[0] : "", note ? note : "");
    os_list_free(&l);
}

static void frame(unsigned word, uint64_t fp, uint64_t ret)
{
    fake_put64(&x.f, at("stack") + 8 * word, fp);
    fake_put64(&x.f, at("stack") + 8 * word + 8, ret);
}

static void test_stack(void **state)
{
    open_with(ARRAY);
    uint64_t stack = at("stack");
    fake_put64(&x.f, member(1, "context.rip"), at("inner"));
    fake_put64(&x.f, member(1, "context.rsp"), stack + 8);
    fake_put64(&x.f, member(1, "context.rbp"), stack + 16);
    frame(2, stack + 80, at("outer") + 5);
    frame(10, 0, at("swtch") + 5);
    frames_are(2, NULL, "pc inner+0x0, fp outer+0x5, fp swtch+0x5", NULL);
    frame(10, stack + 16, at("swtch") + 5); /* a circle */
    frames_are(2, NULL, "pc inner+0x0, fp outer+0x5, fp swtch+0x5", "does not move up");
    frame(10, 0x1234, 0x666);
    frames_are(2, NULL, "pc inner+0x0, fp outer+0x5", "0x666 is not in the kernel's code");
    frame(2, UINT64_MAX - 7, at("outer") + 5);
    frames_are(2, NULL, "pc inner+0x0, fp outer+0x5", "0xfffffffffffffff8 is not on its stack");
    fake_put64(&x.f, member(1, "context.rip"), 0x666);
    frames_are(2, NULL, "task 2: the saved pc 0x666 is not in the kernel's code", NULL);
    frames_are(7, NULL, "task 7 has no kernel stack", NULL);
}

static void test_stack_running(void **state)
{
    size_t index;

    open_with(ARRAY);
    uint64_t stack = at("stack");
    fake_reg(&x.f, "rip", at("inner"));
    fake_reg(&x.f, "rsp", stack + 24);
    fake_reg(&x.f, "rbp", stack + 32);
    fake_reg(&x.f, "cs", 8);
    frame(4, 0, at("outer") + 5);
    struct target_vcpu v = fake_vcpu(&x.f);
    frames_are(1, &v, "pc inner+0x0, fp outer+0x5", NULL);
    const struct oscope_task tasks[] = {{.address = 1},
                                        {.address = member(1, "pid"), .stack = stack}};
    assert_int_equal(x.m->ops->runs(x.m, &v, tasks, 2, &index), OS_RUNS_STACK);
    assert_int_equal(index, 1);
    fake_reg(&x.f, "rsp", 0x7000);
    v = fake_vcpu(&x.f);
    frames_are(1, &v, "task 1: the saved pc 0x0 is not in the kernel's code", NULL);
    x.f.target.live = true;
    frames_are(1, &v, "task 1: its vCPU is between two tasks", NULL);
    fake_reg(&x.f, "cs", 0x1b);
    fake_reg(&x.f, "rip", 0x4000);
    v = fake_vcpu(&x.f);
    frames_are(1, &v, "pc 0x4000 (user)", NULL);
}

/* ---- proposals, checks ---- */

static void test_propose(void **state)
{
    AUTO_FREE char *text = NULL;
    static const char *const lines[] = {
        "array = procs  # sure",
        "id = pid  # sure",
        "parent = parent.pid  # sure",
        "name = name  # sure",
        "FREE = none",
        "READY = R\n",
        "RUNNING = R running\n",
        "WAITING = S\n",
        "current = cpus[cpu].proc  # sure",
        "free = freelist  # sure",
        "free-next = ((struct run *)task)->next",
        "text = log_text",
        "end = log_end",
        "saved-pc = context.rip",
        "saved-fp = context.rbp",
        "stack = kstack  # sure",
        "also considered: table, first",
        "# switches tasks: swtch",
    };

    struct oscope_error *err = oscope_profile_propose(x.elf, &text);
    if (err)
        fail_msg("%s", err->message);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (!strstr(text, lines[i]))
            fail_msg("no '%s' in\n%s", lines[i], text);
    open_with(text);
    tasks_are(ALL, NULL);
    char *none;
    err = oscope_profile_propose("/dev/null", &none);
    assert_non_null(err);
    assert_null(none);
    oscope_error_free(err);
}

static void test_check(void **state)
{
    static const struct {
        const char *key, *result, *detail;
    } rows[] = {
        {"name", "ok", ""},
        {"symbols", "error", "the kernel has no symbol nope, nix"},
        {"free", "ok", ""},
        {"free-next", "nothing", ""},
        {"nonsense", "error", "[task] has no key 'nonsense'"},
        {"array", "ok", "1, 2, 7"},
        {"id", "ok", "1, 2, 7"},
        {"state", "ok", "2, 1, 3"},
        {"parent", "ok", "1, 2"},
        {"size", "nothing", "a null pointer is on the way"},
        {"pagetable", "error", "the kernel has no symbol 'nope'"},
        {"FREE", "ok", ""},
        {"NOPE", "error", "the kernel has no enumerator or macro of that name"},
        {"current", "error", "an index lies outside of its array"},
    };
    struct os_list l;

    struct oscope_error *err = profile_fixture_open(
        &x,
        "[profile]\nname = c\nsymbols = procs nope nix\n[memory]\nfree = freelist\n"
        "free-next = ((struct run *)task)->next\n[task]\nnonsense = 1\narray = procs\nid = pid\n"
        "state = state\nparent = parent.pid\nsize = mm.users\npagetable = nope\n[states]\n"
        "FREE = none\nNOPE = R\n[cpu]\ncurrent = cpus[cpu + 5].proc\n",
        true);
    assert_null(err);
    os_list_init(&l, sizeof(struct oscope_profile_line));
    assert_null(x.m->ops->check(x.m, &l));
    assert_int_equal(l.n, ARRAY_SIZE(rows));
    for (size_t i = 0; i < l.n; i++) {
        const struct oscope_profile_line *r = (const struct oscope_profile_line *)l.rows + i;
        if (strcmp(r->key, rows[i].key) || strcmp(r->result, rows[i].result) ||
            !strstr(r->detail, rows[i].detail))
            fail_msg("line %u: %s %s '%s', not %s '%s'", r->line, r->key, r->result, r->detail,
                     rows[i].result, rows[i].detail);
    }
    os_list_free(&l);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, profile_load, profile_unload)
    const struct CMUnitTest tests[] = {
        TEST(array),      TEST(table),     TEST(registers), TEST(page_table),    TEST(owners),
        TEST(list),       TEST(list_head), TEST(ids),       TEST(states),        TEST(many),
        TEST(bit_fields), TEST(wrong),     TEST(missing),   TEST(other_kernel),  TEST(linux),
        TEST(linear),     TEST(log),       TEST(stack),     TEST(stack_running), TEST(propose),
        TEST(check),
    };

    return cmocka_run_group_tests(tests, profile_setup, profile_teardown);
}
