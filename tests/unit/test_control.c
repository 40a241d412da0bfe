/* SPDX-License-Identifier: MIT */
/* capture/: the memory file that oscope and the engine share, wishes, sets made ready. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "capture/control.h"
#include "capture/layout.h"
#include "capture/tcg/set.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- sets ---- */

/* Five probes: two at one address, two at opcodes of which one asks where it is, one at idle. */
static struct wire_set *five(void)
{
    struct wire_set *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->generation = 3;
    w->nprobes = 5;
    w->ncode = 3;
    w->nregisters = 1;
    w->registers[0][0] = 'r';
    w->code[0].op = WIRE_OP_END;
    w->code[1].op = WIRE_OP_PC;
    w->code[2].op = WIRE_OP_END;
    for (uint32_t i = 0; i < 5; i++)
        w->probes[i] = (struct wire_probe){.slot = i, .count = 1, .address = 0x1000};
    w->probes[2].site = w->probes[3].site = WIRE_SITE_OPCODE;
    w->probes[3].first = 1;
    w->probes[3].count = 2;
    w->probes[4].site = WIRE_SITE_IDLE;
    return w;
}

static void sets(void **state)
{
    AUTO_FREE struct wire_set *w = five();
    const char *why;
    struct set *s = set_take(w, 3, &why);

    assert_non_null(s);
    assert_true(s->translates);
    struct point *p = set_at(s, 0x1000);
    assert_int_equal(p->slot, 0);
    assert_int_equal(p->next->slot, 1);
    assert_null(p->next->next);
    assert_null(set_at(s, 0x1002));
    assert_int_equal(s->nopcodes, 2);
    assert_int_equal(s->idle->slot, 4);
    assert_null(s->resume);
    /* one point for all places, or one for each */
    assert_ptr_equal(set_place(s, 2, 0x2000), set_place(s, 2, 0x2004));
    p = set_place(s, 3, 0x2000);
    assert_ptr_not_equal(p, set_place(s, 3, 0x2004));
    assert_ptr_equal(p, set_place(s, 3, 0x2000));
    assert_int_equal(p->pc, 0x2000);
    set_free(s);
}

static void many_addresses(void **state)
{
    AUTO_FREE struct wire_set *w = five();
    const char *why;

    w->nprobes = WIRE_PROBES;
    for (uint32_t i = 0; i < WIRE_PROBES; i++)
        w->probes[i] = (struct wire_probe){.slot = i, .count = 1, .address = i * 4096};
    struct set *s = set_take(w, 3, &why);
    assert_non_null(s);
    for (uint32_t i = 0; i < WIRE_PROBES; i++) {
        assert_int_equal(set_at(s, i * 4096)->slot, i);
        assert_null(set_at(s, i * 4096 + 2));
    }
    set_free(s);
}

static void sets_refused(void **state)
{
    AUTO_FREE struct wire_set *w = five();
    const char *why = "x";

    assert_null(set_take(w, 5, &why)); /* being rewritten */
    assert_null(why);
    w->code[0].op = WIRE_OP_COUNT;
    assert_null(set_take(w, 3, &why));
    assert_string_equal(why, "an unknown operation");
}

/* ---- the memory file ---- */

static void expect(struct oscope_error *err, enum oscope_code code, const char *part)
{
    assert_non_null(err);
    assert_int_equal(err->code, code);
    if (!strstr(err->message, part))
        fail_msg("'%s' instead of '%s'", err->message, part);
    oscope_error_free(err);
}

static void file_is_made_and_opened(void **state)
{
    struct control *c, *reader;
    char link[64], path[64];
    size_t mapped;
    int fd;

    assert_null(control_create(3, 8192, 4, &fd));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, link, sizeof link - 1);
    assert_true(n > 0 &&
                !strncmp(link, "/memfd:" CONTROL_NAME " ", strlen("/memfd:" CONTROL_NAME " ")));
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(ftruncate(fd, 4096), -1);
    assert_null(control_open(fd, true, &c));
    assert_null(control_open(fd, false, &reader));
    const struct wire_control *w = control_mapped(reader, &mapped);
    assert_int_equal(w->rings, 3);
    assert_int_equal(w->bytes, mapped);
    assert_true(w->ring_stride >= layout_ring_head() + 4 * 8192);
    assert_int_equal(w->uuid[6] >> 4, 4);
    assert_int_equal(control_wished(reader), 0);
    control_close(c);
    control_close(reader);
    close(fd);
    expect(control_create(0, 8192, 4, &fd), OSCOPE_E_USAGE, "number of rings");
    expect(control_create(WIRE_VCPUS + 1, 8192, 4, &fd), OSCOPE_E_USAGE, "number of rings");
    expect(control_create(1, 8192, 3, &fd), OSCOPE_E_USAGE, "number of packets");
    expect(control_create(1, 2048, 4, &fd), OSCOPE_E_USAGE, "size of packets");
    expect(control_create(512, 1u << 31, 1u << 31, &fd), OSCOPE_E_USAGE, "too large");
    assert_int_equal(fd, -1);
}

/* Opening a file of which one number was changed. */
static void hostile(size_t offset, size_t size, uint64_t v, const char *part)
{
    struct control *c;
    int fd;

    assert_null(control_create(2, 4096, 4, &fd));
    assert_int_equal(pwrite(fd, &v, size, (off_t)offset), size);
    expect(control_open(fd, false, &c), OSCOPE_E_BAD_DATA, part);
    assert_null(c);
    close(fd);
}

#define HOSTILE(member, v, part)                                                                   \
    hostile(offsetof(struct wire_control, member), sizeof((struct wire_control *)0)->member, v,    \
            part)

static void hostile_files(void **state)
{
    struct control *c;

    HOSTILE(magic, 1, "not a memory file");
    HOSTILE(version, 99, "another version");
    HOSTILE(packet_bytes, 0, "size of packets");
    HOSTILE(packet_bytes, 12288, "size of packets");
    HOSTILE(packets, 0x80000000, "rings lie beyond");
    HOSTILE(rings, 0, "number of rings");
    HOSTILE(rings, 3, "rings lie beyond");
    HOSTILE(bytes, UINT64_MAX, "larger than");
    HOSTILE(bytes, 8192, "sets lie beyond");
    HOSTILE(sets_at, 0, "sets lie beyond");
    HOSTILE(sets_at, UINT64_MAX - 4095, "sets lie beyond");
    HOSTILE(sets_at, 4097, "sets lie beyond");
    HOSTILE(rings_at, 0, "rings lie beyond");
    HOSTILE(rings_at, 8192, "overlap");
    HOSTILE(rings_at, UINT64_MAX - 4095, "rings lie beyond");
    HOSTILE(ring_stride, 4096, "rings lie beyond");
    HOSTILE(ring_stride, UINT64_MAX - 4095, "rings lie beyond");
    AUTO_CLOSE int bare = memfd_create("bare", 0);
    assert_int_equal(ftruncate(bare, 1 << 20), 0);
    expect(control_open(bare, false, &c), OSCOPE_E_BAD_DATA, "not a file of oscope");
}

static void wishes(void **state)
{
    struct probe_set set;
    struct control *c;
    uint64_t generation;
    const char *why;
    size_t mapped;
    bool settled;
    int fd;

    assert_null(control_create(1, 4096, 4, &fd));
    assert_null(control_open(fd, true, &c));
    struct wire_control *w = (struct wire_control *)(uintptr_t)control_mapped(c, &mapped);
    const struct wire_set *sets = (const void *)((const uint8_t *)w + w->sets_at);
    probe_set_init(&set);
    assert_null(control_wish(c, &set, &generation));
    assert_int_equal(generation, 1);
    probe_exec(&set, "x", 0x1000);
    probe_end(&set);
    assert_null(control_wish(c, &set, &generation));
    assert_int_equal(generation, 2);
    control_rest(c); /* nothing is forgotten */
    assert_int_equal(control_wished(c), 2);
    assert_int_equal(sets[1].nprobes, 0); /* the other is as it was */
    struct set *s = set_take(&sets[0], 2, &why);
    assert_non_null(s);
    assert_int_equal(s->wire.nprobes, 1);
    set_free(s);
    /* how the engine answers */
    assert_null(control_settled(c, 2, &settled));
    assert_false(settled);
    atomic_store(&w->in_force, 1);
    strcpy(w->error, "no\x1b[31m");
    atomic_store(&w->refused, 2);
    expect(control_settled(c, 2, &settled), OSCOPE_E_UNSUPPORTED, "no?[31m");
    assert_null(control_settled(c, 1, &settled));
    assert_true(settled);
    atomic_store(&w->engine, WIRE_ENGINE_REFUSED);
    expect(control_settled(c, 3, &settled), OSCOPE_E_UNSUPPORTED, "no?[31m");
    /* what the verifier refuses is not published */
    set.probes.data[0].count = 0;
    expect(control_wish(c, &set, &generation), OSCOPE_E_USAGE, "empty or too long");
    assert_int_equal(control_wished(c), 2);
    probe_set_free(&set);
    control_close(c);
    control_close(NULL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets),          cmocka_unit_test(many_addresses),
        cmocka_unit_test(sets_refused),  cmocka_unit_test(file_is_made_and_opened),
        cmocka_unit_test(hostile_files), cmocka_unit_test(wishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
