/* SPDX-License-Identifier: MIT */
/* Probe sets to JSON and back: see probes_json.h. */
#include "session/probes_json.h"

#include "base/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- writing ---- */

static json_t *hex_number(uint64_t v)
{
    return json_sprintf("%llx", (unsigned long long)v);
}

static json_t *hex_bytes(const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    AUTO_FREE char *text = malloc(n * 2 + 1);

    if (!text)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    text[2 * n] = '\0';
    return json_string_nocheck(text);
}

static json_t *probe_json(const struct probe_set *s, size_t i)
{
    const struct wire_probe *p = &s->probes.data[i];
    json_t *o = json_object();

    json_object_set_new(o, "name", json_string(s->names.data[i].text));
    json_object_set_new(o, "site", json_integer(p->site));
    json_object_set_new(o, "address", hex_number(p->address));
    json_object_set_new(o, "mask", hex_number(p->mask));
    json_object_set_new(o, "value", hex_number(p->value));
    if (s->names.data[i].os)
        json_object_set_new(o, "os", json_true());
    json_object_set_new(o, "code",
                        hex_bytes(s->code.data + p->first, p->count * sizeof *s->code.data));
    return o;
}

json_t *probes_to_json(const struct probe_set *s)
{
    json_t *o = json_object(), *registers = json_array(), *direct = json_array();
    json_t *probes = json_array(), *tables = json_array(), *ram = json_array();

    for (unsigned i = 0; i < s->nregisters; i++)
        json_array_append_new(registers, json_string(s->registers[i]));
    for (size_t i = 0; i < s->direct.len; i++) {
        const struct wire_direct *d = &s->direct.data[i];
        json_array_append_new(direct, json_pack("[o,o,o]", hex_number(d->va), hex_number(d->size),
                                                hex_number(d->hva)));
    }
    for (size_t i = 0; i < s->probes.len; i++)
        json_array_append_new(probes, probe_json(s, i));
    for (size_t i = 0; i < s->tables.len; i++)
        json_array_append_new(tables, hex_bytes(&s->tables.data[i], sizeof *s->tables.data));
    for (size_t i = 0; i < s->ram.len; i++) {
        const struct wire_ram *r = &s->ram.data[i];
        json_array_append_new(
            ram, json_pack("[o,o,o]", hex_number(r->gpa), hex_number(r->size), hex_number(r->hva)));
    }
    json_object_set_new(o, "moves", json_boolean(s->moves));
    json_object_set_new(o, "heat", json_integer(s->heat));
    json_object_set_new(o, "ram", ram);
    json_object_set_new(o, "tables", tables);
    json_object_set_new(o, "registers", registers);
    json_object_set_new(o, "direct", direct);
    json_object_set_new(o, "probes", probes);
    return o;
}

/* ---- reading ---- */

static struct oscope_error *bad(const char *what)
{
    return error_new(OSCOPE_E_BAD_DATA, "probe set: %s", what);
}

static bool read_number(const json_t *j, uint64_t *out)
{
    const char *text = json_string_value(j);
    char *end;

    if (!text || !*text || strlen(text) > 16 || strspn(text, "0123456789abcdef") != strlen(text))
        return false;
    *out = strtoull(text, &end, 16);
    return true;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_bytes(const char *text, void *out, size_t n)
{
    uint8_t *p = out;

    for (size_t i = 0; i < n; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        p[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static struct oscope_error *read_code(struct probe_set *s, struct wire_probe *p, const char *text)
{
    size_t n = text ? strlen(text) : 0, each = 2 * sizeof(struct wire_insn);
    struct wire_insn insn;

    if (!n || n % each || n / each > WIRE_PROGRAM || s->code.len + n / each > WIRE_CODE)
        return bad("a program has a wrong length");
    p->first = (uint32_t)s->code.len;
    p->count = (uint32_t)(n / each);
    for (size_t i = 0; i < n; i += each) {
        if (!read_bytes(text + i, &insn, sizeof insn))
            return bad("a program is not hexadecimal");
        if (insn.op == WIRE_OP_REG && insn.imm >= s->nregisters)
            return bad("a program reads a register that has no name");
        if (insn.op == WIRE_OP_TABLE && insn.imm >= s->tables.len)
            return bad("a program reads a table that is not there");
        if (!vec_push(&s->code, insn))
            return error_nomem();
    }
    return NULL;
}

static struct oscope_error *read_probe(const json_t *j, struct probe_set *s)
{
    const char *name = json_string_value(json_object_get(j, "name"));
    json_int_t site = json_integer_value(json_object_get(j, "site"));
    struct wire_probe p = {0};
    struct probe_name n;

    if (!name || strlen(name) >= sizeof n.text || site < 0 || site >= WIRE_SITE_COUNT ||
        !read_number(json_object_get(j, "address"), &p.address) ||
        !read_number(json_object_get(j, "mask"), &p.mask) ||
        !read_number(json_object_get(j, "value"), &p.value))
        return bad("a probe lacks name, site or address");
    if (s->probes.len == WIRE_PROBES)
        return bad("too many probes");
    p.site = (uint32_t)site;
    p.slot = (uint32_t)s->probes.len;
    str_copy(n.text, sizeof n.text, name);
    n.os = json_is_true(json_object_get(j, "os"));
    TRY(read_code(s, &p, json_string_value(json_object_get(j, "code"))));
    return vec_push(&s->probes, p) && vec_push(&s->names, n) ? NULL : error_nomem();
}

static struct oscope_error *read_registers(const json_t *j, struct probe_set *s)
{
    if (json_array_size(j) > WIRE_REGISTERS)
        return bad("too many registers");
    for (size_t i = 0; i < json_array_size(j); i++) {
        const char *name = json_string_value(json_array_get(j, i));
        if (!name || strlen(name) >= WIRE_NAME)
            return bad("a register's name is too long");
        str_copy(s->registers[s->nregisters++], WIRE_NAME, name);
    }
    return NULL;
}

static struct oscope_error *read_tables(const json_t *j, struct probe_set *s)
{
    struct probe_table t;

    if (json_array_size(j) > WIRE_TABLES)
        return bad("too many tables");
    for (size_t i = 0; i < json_array_size(j); i++) {
        const char *text = json_string_value(json_array_get(j, i));
        if (!text || strlen(text) != 2 * sizeof t || !read_bytes(text, &t, sizeof t))
            return bad("a table is no hexadecimal text of its size");
        if (!vec_push(&s->tables, t))
            return error_nomem();
    }
    return NULL;
}

static struct oscope_error *read_ranges(const json_t *j, struct probe_set *s, bool ram)
{
    for (size_t i = 0; i < json_array_size(j); i++) {
        const json_t *row = json_array_get(j, i);
        uint64_t v[3];
        for (size_t k = 0; k < 3; k++)
            if (!read_number(json_array_get(row, k), &v[k]))
                return bad("a range of memory is no three numbers");
        if (!ram)
            probe_direct(s, v[0], v[1], v[2]);
        else if (!probe_ram(s, v[0], v[1], v[2]))
            return bad("too many ranges of RAM");
    }
    return NULL;
}

struct oscope_error *probes_from_json(const json_t *json, struct probe_set *out)
{
    const json_t *probes = json_object_get(json, "probes");

    json_int_t heat = json_integer_value(json_object_get(json, "heat"));

    probe_set_init(out);
    if (!json_is_array(probes))
        return bad("it has no probes");
    TRY(read_registers(json_object_get(json, "registers"), out));
    TRY(read_tables(json_object_get(json, "tables"), out));
    TRY(read_ranges(json_object_get(json, "direct"), out, false));
    TRY(read_ranges(json_object_get(json, "ram"), out, true));
    if (heat < 0 || heat > PROBE_HEAT_ALL)
        return bad("a share of the time is none");
    probe_heat(out, (unsigned)heat);
    out->moves = json_is_true(json_object_get(json, "moves"));
    for (size_t i = 0; i < json_array_size(probes); i++)
        TRY(read_probe(json_array_get(probes, i), out));
    return probe_set_finish(out);
}

void probes_note_disabled(const json_t *names, const struct probe_set *s, struct os_list *notes)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        for (size_t k = 0; name && k < s->names.len; k++)
            if (!strcmp(s->names.data[k].text, name)) {
                os_list_note(notes, "%s is disabled: oscope probe enable %s", name, name);
                break;
            }
    }
}
