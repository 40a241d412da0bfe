/* SPDX-License-Identifier: MIT */
/* analysis/sym: what is asked for, as name, pattern, address or place in a symbol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "analysis/sym.h"
#include "base/util.h"

#include <oscope/rows.h>

#define TEXT UINT64_C(0xffffffff81000000)
#define MOD  UINT64_C(0xffffffffc0000000)

struct row {
    uint64_t address, size;
    const char *name;
};

static void add(struct symtab *st, const char *module, const struct row *rows, size_t n)
{
    struct symimage_builder *b = symimage_builder_new();
    struct symimage *img;

    for (size_t i = 0; i < n; i++)
        assert_true(symimage_add(b, rows[i].address, rows[i].size, 't', false, rows[i].name,
                                 strlen(rows[i].name)));
    assert_null(symimage_finish(b, &img));
    assert_true(symtab_add(st, img, 0, module));
}

static int setup(void **state)
{
    static const struct row kernel[] = {{TEXT, 0, "schedule"},
                                        {TEXT, 0, "schedule_alias"},
                                        {TEXT + 0x80, 0, "dup"},
                                        {TEXT + 0x100, 0, "last"}};
    static const struct row module[] = {
        {MOD, 0x40, "init"}, {MOD + 0x40, 0x20, "dup"}, {MOD + 0x80, 0x10, "exit"}};
    static struct os_model m;

    m = (struct os_model){.symtab = symtab_new()};
    add(m.symtab, NULL, kernel, ARRAY_SIZE(kernel));
    add(m.symtab, "mod", module, ARRAY_SIZE(module));
    *state = &m;
    return 0;
}

static int teardown(void **state)
{
    symtab_free(((struct os_model *)*state)->symtab);
    return 0;
}

/* Rows as text: "NAME[:MODULE]+OFFSET@AT;", without @ when a name was asked for. */
static void expect(struct os_model *m, const char *what, const char *want)
{
    struct os_list l;
    char got[512] = "";
    size_t n = 0;

    os_list_init(&l, sizeof(struct oscope_symbol));
    struct oscope_error *err = sym_os(m, what, &l);
    if (err)
        fail_msg("'%s': %s", what, err->message);
    for (size_t i = 0; i < l.n; i++) {
        const struct oscope_symbol *s = (const struct oscope_symbol *)l.rows + i;
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%s%s+%llx", s->name,
                              *s->module ? ":" : "", s->module, (unsigned long long)s->offset);
        if (s->at != OSCOPE_UNKNOWN) {
            assert_true(s->at == s->address + s->offset);
            n += (size_t)snprintf(got + n, sizeof got - n, "@%llx", (unsigned long long)s->at);
        }
        n += (size_t)snprintf(got + n, sizeof got - n, ";");
    }
    assert_string_equal(got, want);
    os_list_free(&l);
}

static void test_what(void **state)
{
    static const struct {
        const char *what, *want;
    } cases[] = {
        {"schedule", "schedule+0;"},
        {"dup", "dup+0;dup:mod+0;"},
        {"mod:dup", "dup:mod+0;"},
        {"*edul*", "schedule+0;schedule_alias+0;"},
        {"mod:*i[nt]*", "init:mod+0;exit:mod+0;"},
        /* addresses, with and without 0x */
        {"0xffffffff81000010", "schedule+10@ffffffff81000010;"},
        {"ffffffff81000010", "schedule+10@ffffffff81000010;"},
        {"ffffffffc0000041", "dup:mod+1@ffffffffc0000041;"},
        /* places as bt and oops texts print them */
        {"schedule+0x10", "schedule+10@ffffffff81000010;"},
        {"schedule+16", "schedule+10@ffffffff81000010;"},
        {"schedule+0x10/0x80", "schedule+10@ffffffff81000010;"},
        {"schedule+0x0", "schedule+0@ffffffff81000000;"},
        {"schedule_alias+0x1", "schedule_alias+1@ffffffff81000001;"},
        {"mod:dup+0x1", "dup:mod+1@ffffffffc0000041;"},
        {"dup+0x1 [mod]", "dup:mod+1@ffffffffc0000041;"},
        {"dup+0x1/0x20 [mod]", "dup:mod+1@ffffffffc0000041;"},
        {"dup [mod]", "dup:mod+0@ffffffffc0000040;"},
        {"dup+0x1", "dup+1@ffffffff81000081;dup:mod+1@ffffffffc0000041;"},
        /* behind its end: what is there */
        {"schedule+0x81", "dup+1@ffffffff81000081;"},
        {"init+0x41", "dup:mod+1@ffffffffc0000041;"},
        {"last+0x10", "last+10@ffffffff81000110;"},
        {"dup+0x30", "dup+30@ffffffff810000b0;"}, /* the module's is shorter */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect(*state, cases[i].what, cases[i].want);
}

static void test_nothing(void **state)
{
    static const struct {
        const char *what, *says;
    } cases[] = {
        {"nope", "no symbol 'nope'"},
        {"nope+0x10", "no symbol 'nope'"},
        {"schedule+0x10 [mod]", "no symbol 'mod:schedule'"},
        {"exit+0x10", "'exit' has 16 bytes"},
        {"schedule+0xffffffffffffffff", "'schedule' has 128 bytes"},
        {"schedule+", "no symbol 'schedule+'"},
        {"schedule+x", "no symbol 'schedule+x'"},
        {"schedule+0x10 x", "no symbol 'schedule+0x10 x'"},
        {"schedule+0x10 [mod", "matches"},
        {"schedule+0x1ffffffffffffffff", "no symbol"},
        {"sched*+0x10", "no symbol matches"},
        {"0x5", "lies in no symbol"},
        {"+0x10", "no symbol '+0x10'"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct os_list l;
        os_list_init(&l, sizeof(struct oscope_symbol));
        struct oscope_error *err = sym_os(*state, cases[i].what, &l);
        if (!err)
            fail_msg("'%s' gave no error", cases[i].what);
        assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
        if (!strstr(err->message, cases[i].says))
            fail_msg("'%s': '%s' does not say '%s'", cases[i].what, err->message, cases[i].says);
        oscope_error_free(err);
        os_list_free(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
