/* SPDX-License-Identifier: MIT */
/* cli/: parsing of command lines and numbers, the command table, help, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "draw/text.h"
#include "collect/collect.h"

/* Runs cli_parse() on a line of words; what it said on stderr is in said. */
struct parsed {
    struct cli c;
    int status;
    char said[512];
    char text[256];
    char *argv[32];
};

static void parse(struct parsed *p, const char *line)
{
    int argc = 0, saved = dup(STDERR_FILENO);
    FILE *said = tmpfile();

    memset(p, 0, sizeof *p);
    snprintf(p->text, sizeof p->text, "oscope %s", line);
    for (char *save, *word = strtok_r(p->text, " ", &save); word; word = strtok_r(NULL, " ", &save))
        p->argv[argc++] = word;
    assert_non_null(said);
    dup2(fileno(said), STDERR_FILENO);
    p->status = cli_parse(&p->c, argc, p->argv);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(said);
    size_t n = fread(p->said, 1, sizeof p->said - 1, said);
    p->said[n] = '\0';
    fclose(said);
}

/* The error of a line on the live screen; NULL: none. */
static const char *looked(struct shot *shot, const char *line)
{
    *shot = (struct shot){0};
    look_run(line, NULL, shot);
    assert_null(shot->view);
    return shot->error ? shot->error->message : NULL;
}

static void test_what_can_not_be_looked_at(void **state)
{
    static const struct {
        const char *line, *error;
    } lines[] = {
        {"record -o x", "what can be looked at here: info, ps, bt"},
        {"", "what can be looked at here: info, ps, bt"},
        {"nosuch", "unknown command 'nosuch'"},
        {"prnt x", "did you mean 'print'?"},
        {"ps --watch 1", "--watch does not apply here"},
        {"--session x ps", "--session does not apply here"},
        {"ps --pause", "--pause does not apply here"},
        {"ps --nosuch", "unknown option --nosuch"},
        {"ps --columns pid,pid", "duplicate column 'pid'"},
        {"bt --help", "bt [PID|all]: "},
        {"vm", "PID missing"},
        {"bt init", "'init' is not a PID"},
        {"probe disable sched", "nothing is changed from here"},
        {"sym a b", "one at a time"},
        {"print 'a", "a quote that is not closed"},
        {"bt '1", "a quote that is not closed"},
        {"bt \"1 2\"", "'1 2' is not a PID"},
        {"bt  '' ", "'' is not a PID"},
    };
    char many[512] = "";
    struct shot shot;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *error = looked(&shot, lines[i].line);
        assert_non_null(error);
        if (!strstr(error, lines[i].error))
            fail_msg("%s: %s", lines[i].line, error);
        oscope_error_free(shot.error);
    }
    for (int i = 0; i < 100; i++)
        strcat(many, "a ");
    assert_non_null(strstr(looked(&shot, many), "too many words"));
    oscope_error_free(shot.error);
}

static void test_options_before_and_after_the_command(void **state)
{
    struct parsed p;

    parse(&p, "-s lab --watch 0.5 ps -t --sort -rss 12 --output=json 13");
    assert_int_equal(p.status, CLI_OK);
    assert_string_equal(p.c.cmd->name, "ps");
    assert_string_equal(cli_option(&p.c, "session"), "lab");
    assert_string_equal(cli_option(&p.c, "watch"), "0.5");
    assert_string_equal(cli_option(&p.c, "sort"), "-rss");
    assert_string_equal(cli_option(&p.c, "output"), "json");
    assert_string_equal(cli_option(&p.c, "threads"), "");
    assert_null(cli_option(&p.c, "tree"));
    assert_int_equal(p.c.argc, 2);
    assert_string_equal(p.c.argv[0], "12");
    assert_string_equal(p.c.argv[1], "13");

    parse(&p, "-o text ps -o json"); /* the last one counts */
    assert_string_equal(cli_option(&p.c, "output"), "json");

    parse(&p, "mem --map --no-cache");
    assert_string_equal(cli_option(&p.c, "map"), "");
    parse(&p, "mem --map=99");
    assert_string_equal(cli_option(&p.c, "map"), "99");
}

static void test_run_leaves_the_rest_alone(void **state)
{
    struct parsed p;

    parse(&p, "run -n lab qemu-system-x86_64 -m 1G -s --help");
    assert_int_equal(p.status, CLI_OK);
    assert_string_equal(cli_option(&p.c, "name"), "lab");
    assert_null(cli_option(&p.c, "help"));
    assert_int_equal(p.c.argc, 5);
    assert_string_equal(p.c.argv[0], "qemu-system-x86_64");
    assert_string_equal(p.c.argv[4], "--help");

    parse(&p, "run -- qemu -q");
    assert_int_equal(p.c.argc, 2);
    assert_string_equal(p.c.argv[0], "qemu");
    assert_null(cli_option(&p.c, "quiet"));
}

static void check_mistake(const char *line, const char *want)
{
    struct parsed p;

    parse(&p, line);
    assert_int_equal(p.status, CLI_USAGE);
    assert_string_equal(p.said, want);
}

static void test_mistakes_are_one_line(void **state)
{
    check_mistake("pss", "oscope: unknown command 'pss' (did you mean 'ps'?)\n");
    check_mistake("zzzzzzz", "oscope: unknown command 'zzzzzzz' ('oscope help' lists them)\n");
    check_mistake("x\033[2J", "oscope: unknown command 'x\\x1b[2J' ('oscope help' lists them)\n");
    check_mistake("ps --nope", "oscope ps: unknown option --nope\n");
    check_mistake("ps -Z", "oscope ps: unknown option -Z\n");
    check_mistake("--nope ps", "oscope: unknown option --nope\n");
    check_mistake("ps --sort", "oscope ps: option --sort needs an argument (COLUMN)\n");
    check_mistake("ps -s", "oscope ps: option --session needs an argument (ID)\n");
    check_mistake("ps --tree=3", "oscope ps: option --tree takes no argument\n");
    check_mistake("vm", "oscope vm: PID missing (usage: oscope vm PID)\n");
    check_mistake("core", "oscope core: FILE missing (usage: oscope core FILE)\n");
    check_mistake("run", "oscope run: QEMU missing (usage: oscope run [--] QEMU [ARG...])\n");
    check_mistake("print", "oscope print: TYPE ADDR or SYMBOL[.MEMBER...] missing (usage: oscope "
                           "print TYPE ADDR|SYMBOL[.MEMBER...])\n");
    check_mistake("mem 64", "oscope mem: '64' is too much (usage: oscope mem)\n");
    check_mistake("mem --map 64", "oscope mem: '64' is too much (write --map=64)\n");
    check_mistake("-s lab list", "oscope list: option --session does not apply here\n");
    check_mistake("list -s lab", "oscope list: option --session does not apply here\n");
    check_mistake("list --vmlinux x", "oscope list: option --vmlinux does not apply here\n");
    check_mistake("list --pause", "oscope list: option --pause does not apply here\n");
    check_mistake("vm 1 2", "oscope vm: '2' is too much (usage: oscope vm PID)\n");
    check_mistake("--watch 1 run x", "oscope run: option --watch does not apply here\n");
    check_mistake("run --watch 1 x", "oscope run: unknown option --watch\n");
}

static void test_counts_begin_at_one(void **state)
{
    struct parsed p;
    uint64_t n = 7;

    parse(&p, "print x --max 3 --depth 0");
    assert_int_equal(p.status, CLI_OK);
    assert_true(cli_count(&p.c, "max", UINT32_MAX, &n) && n == 3);
    int saved = dup(STDERR_FILENO);
    FILE *said = tmpfile();
    assert_non_null(said);
    dup2(fileno(said), STDERR_FILENO);
    bool ok = cli_count(&p.c, "depth", UINT32_MAX, &n);
    dup2(saved, STDERR_FILENO);
    close(saved);
    fclose(said);
    assert_false(ok);
    assert_true(cli_count(&p.c, "list", UINT32_MAX, &n)); /* not given */
}

static void test_help_needs_no_operands(void **state)
{
    struct parsed p;

    parse(&p, "vm --help");
    assert_int_equal(p.status, CLI_OK);
    assert_non_null(cli_option(&p.c, "help"));
    parse(&p, "");
    assert_int_equal(p.status, CLI_OK);
    assert_null(p.c.cmd);
    parse(&p, "--version");
    assert_non_null(cli_option(&p.c, "version"));
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"0", UINT64_MAX, true, 0},
        {"42", UINT64_MAX, true, 42},
        {"0x2A", UINT64_MAX, true, 42},
        {"010", UINT64_MAX, true, 10},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"0xffffffffffffffff", UINT64_MAX, true, UINT64_MAX},
        {"0x10000000000000000", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"2147483648", INT32_MAX, false, 0},
        {"2147483647", INT32_MAX, true, INT32_MAX},
        {"", UINT64_MAX, false, 0},
        {"0x", UINT64_MAX, false, 0},
        {"-1", UINT64_MAX, false, 0},
        {"+1", UINT64_MAX, false, 0},
        {" 1", UINT64_MAX, false, 0},
        {"1 ", UINT64_MAX, false, 0},
        {"1k", UINT64_MAX, false, 0},
        {"12ab", UINT64_MAX, false, 0},
        {"0xfg", UINT64_MAX, false, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t v = 7;
        assert_int_equal(text_number(cases[i].text, cases[i].max, &v), cases[i].ok);
        assert_true(v == (cases[i].ok ? cases[i].value : 7));
    }
}

static void test_moments(void **state)
{
    static const struct {
        const char *text;
        struct text_moment m;
    } moments[] = {
        {"2", {false, 2000000000}},    {"0", {false, 0}},
        {"2.5s", {false, 2500000000}}, {"+2.5", {false, 2500000000}},
        {".000000001", {false, 1}},    {"1.5ms", {false, 1500000}},
        {"40us", {false, 40000}},      {"7ns", {false, 7}},
        {"7.0ns", {false, 7}},         {"@1234.567890123", {true, 1234567890123}},
        {"@250ms", {true, 250000000}}, {"18446744073.709551615", {false, UINT64_MAX}},
    };
    static const char *const no[] = {"",
                                     ".",
                                     "@",
                                     "+",
                                     "@+1",
                                     "1@",
                                     "-1",
                                     "1e9",
                                     "1m",
                                     "1.1.1",
                                     "1 s",
                                     "7.5ns",
                                     "0.0000000001",
                                     "inf",
                                     "s",
                                     "18446744073.709551616",
                                     "99999999999999999999"};

    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        struct text_moment m;
        assert_true(text_moment(moments[i].text, &m));
        assert_int_equal(m.ns, moments[i].m.ns);
        assert_int_equal(m.absolute, moments[i].m.absolute);
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(text_moment(no[i], &(struct text_moment){0}));
}

static void test_seconds(void **state)
{
    double v;

    assert_true(text_seconds("2", &v) && v == 2);
    assert_true(text_seconds("0.25", &v) && v > 0.2499 && v < 0.2501);
    assert_true(text_seconds(".5", &v) && v == 0.5);
    assert_false(text_seconds("0", &v));
    assert_false(text_seconds("", &v));
    assert_false(text_seconds(".", &v));
    assert_false(text_seconds("1m", &v));
    assert_false(text_seconds("-1", &v));
    assert_false(text_seconds("nan", &v));
    assert_false(text_seconds("99999999", &v));
}

static void test_size(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},          {"4096", 4096},       {"1K", 1024},
                {"1.5M", 1572864}, {"2GiB", 2ULL << 30}, {"1t", 1ULL << 40},
                {"7KB", 7 << 10}};
    static const char *const bad[] = {"", "K", "1Q", "1KK", "1Ki", "-1", "99999999T", "1 K"};
    uint64_t v;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(text_size(good[i].text, &v));
        assert_int_equal(v, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_size(bad[i], &v));
}

static void test_nearest_command(void **state)
{
    assert_string_equal(cmd_nearest("pss"), "ps");
    assert_string_equal(cmd_nearest("dmseg"), "dmesg");
    assert_string_equal(cmd_nearest("detatch"), "detach");
    assert_null(cmd_nearest("frobnicate"));
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("", "abc"), 3);
}

/* Whatever is in the table must be usable: unique names, no letter twice, docs everywhere. */
static void test_table_is_sound(void **state)
{
    for (size_t i = 0; cmd_table[i]; i++) {
        const struct cmd_entry *c = cmd_table[i];
        assert_ptr_equal(cmd_find(c->name), c);
        assert_non_null(c->summary);
        assert_non_null(c->group);
        assert_non_null(c->args);
        assert_non_null(c->run);
        for (const struct cli_option *o = c->options; o && o->name; o++) {
            assert_non_null(o->doc);
            for (const struct cli_option *q = cli_view_options; q->name; q++) {
                assert_true(!(c->flags & CMD_VIEW) || strcmp(o->name, q->name) != 0);
                assert_true(!(c->flags & CMD_VIEW) || !o->letter || o->letter != q->letter);
            }
        }
    }
}

static void test_every_command_has_a_page(void **state)
{
    for (size_t i = 0; cmd_table[i]; i++) {
        char name[64];
        bool found = false;
        snprintf(name, sizeof name, "oscope-%s", cmd_table[i]->name);
        for (size_t k = 0; man_pages[k].name; k++)
            found = found || !strcmp(man_pages[k].name, name);
        if (!found)
            fail_msg("no man page %s", name);
    }
}

static void test_man_rendering(void **state)
{
    struct term plain = {0}, color = {.color = true};
    struct out o;

    out_init(&o, -1);
    help_man(
        &o, "x(1)\n\n# NAME\n\n*bold* and _under_ a\\_b c_d\n\n*-o*\n\ttext\n\n```\na *lit*\n```\n",
        &plain);
    out_char(&o, '\0');
    assert_string_equal(o.buf,
                        "NAME\n       bold and under a_b c_d\n\n       -o\n           text\n\n"
                        "       a *lit*\n");
    o.len = 0;
    help_man(&o, "x(1)\n\n# NAME\n\n*b* _u_\n", &color);
    out_char(&o, '\0');
    assert_string_equal(o.buf, "\033[1mNAME\033[0m\n       \033[1mb\033[22m \033[4mu\033[24m\n");
    out_free(&o);
}

static char *render_page(const char *scdoc, int width)
{
    struct term t = {.tty = true, .width = width};
    struct out o;

    out_init(&o, -1);
    help_man(&o, scdoc, &t);
    out_char(&o, '\0');
    char *text = strdup(o.buf);
    out_free(&o);
    assert_non_null(text);
    return text;
}

static void test_man_follows_scdoc(void **state)
{
    char *text = render_page("x(1)\n\n; a comment\n\n# NAME\n\n_SYMBOL_[._MEMBER_...] or\n"
                             "_module_:_name_ (see _ptrace_scope_)++\nmore\n\n*-o*, *-p* _A_\n"
                             "\ttwo\n\tlines\n",
                             80);
    assert_string_equal(text, "NAME\n"
                              "       SYMBOL[.MEMBER...] or module:name (see ptrace_scope)\n"
                              "       more\n\n       -o, -p A\n           two lines\n");
    free(text);
    text = render_page("x(1)\n\n# NAME\n\nsome words that are wider than this\n", 24);
    assert_string_equal(text, "NAME\n       some words that\n       are wider than\n       this\n");
    free(text);
}

/* Every page at every usual width: no line is wider, no mark-up is left. */
static void test_pages_fit(void **state)
{
    static const int widths[] = {40, 80, 100};

    for (size_t i = 0; man_pages[i].name; i++)
        for (size_t k = 0; k < 3; k++) {
            char *text = render_page(man_pages[i].text, widths[k]);
            assert_null(strstr(text, "SPDX"));
            assert_null(strstr(text, "._"));
            assert_null(strstr(text, "**"));
            for (const char *s = text, *end; *s; s = *end ? end + 1 : end) {
                end = strchrnul(s, '\n');
                if (text_width(s, (size_t)(end - s)) > (size_t)widths[k])
                    fail_msg("%s at %d: '%.*s'", man_pages[i].name, widths[k], (int)(end - s), s);
            }
            free(text);
        }
}

static void test_words_joined_with_commas(void **state)
{
    char a[] = "sched,traps", b[] = ",irq,", d[] = "mmio";
    char *argv[] = {a, b, d};
    struct cli c = {.argc = 3, .argv = argv};
    const char *words[3];

    (void)state;
    assert_int_equal(cli_words(&c, words, 3), 3);
    assert_string_equal(words[0], "sched");
    assert_string_equal(words[1], "traps");
    assert_string_equal(words[2], "irq");
    c.argc = 0;
    assert_int_equal(cli_words(&c, words, 3), 0);
}

static void test_usage_fits(void **state)
{
    struct term t = {.tty = true, .width = 80};

    for (size_t i = 0; cmd_table[i]; i++) {
        struct out o;
        out_init(&o, -1);
        help_usage(&o, cmd_table[i], &t);
        help_overview(&o, &t);
        out_char(&o, '\0');
        for (const char *s = o.buf; *s; s += strcspn(s, "\n") + 1)
            assert_true(strcspn(s, "\n") <= 80);
        out_free(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_begin_at_one),
        cmocka_unit_test(test_man_follows_scdoc),
        cmocka_unit_test(test_pages_fit),
        cmocka_unit_test(test_usage_fits),
        cmocka_unit_test(test_what_can_not_be_looked_at),
        cmocka_unit_test(test_words_joined_with_commas),
        cmocka_unit_test(test_options_before_and_after_the_command),
        cmocka_unit_test(test_run_leaves_the_rest_alone),
        cmocka_unit_test(test_mistakes_are_one_line),
        cmocka_unit_test(test_help_needs_no_operands),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_nearest_command),
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_every_command_has_a_page),
        cmocka_unit_test(test_man_rendering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
