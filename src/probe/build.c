/* SPDX-License-Identifier: MIT */
/* The assembler for probes: see build.h. Slots are handed out one after another; who needs many for
 * a short time gives them back together (probe_release()). */
#include "probe/build.h"

#include "base/util.h"

void probe_set_init(struct probe_set *s)
{
    *s = (struct probe_set){0};
}

void probe_set_free(struct probe_set *s)
{
    vec_free(&s->probes);
    vec_free(&s->names);
    vec_free(&s->code);
    vec_free(&s->direct);
    vec_free(&s->tables);
    vec_free(&s->ram);
    oscope_error_free(s->error);
    s->error = NULL;
}

/* Keeps the first error. */
static void fail(struct probe_set *s, struct oscope_error *err)
{
    if (s->error)
        oscope_error_free(err);
    else
        s->error = err;
}

static const char *last_name(const struct probe_set *s)
{
    return s->names.len ? s->names.data[s->names.len - 1].text : "?";
}

void probe_direct(struct probe_set *s, uint64_t va, uint64_t size, uint64_t hva)
{
    const struct wire_direct d = {va, size, hva};

    for (size_t i = 0; i < s->direct.len; i++)
        if (!memcmp(&s->direct.data[i], &d, sizeof d))
            return;
    if (s->direct.len == WIRE_DIRECT)
        return; /* the rest is read in the slower way */
    if (!vec_push(&s->direct, d))
        fail(s, error_nomem());
}

void probe_heat(struct probe_set *s, unsigned share)
{
    s->heat = share < PROBE_HEAT_ALL ? share : PROBE_HEAT_ALL;
}

bool probe_ram(struct probe_set *s, uint64_t gpa, uint64_t size, uint64_t hva)
{
    const struct wire_ram r = {gpa, size, hva};

    for (size_t i = 0; i < s->ram.len; i++)
        if (!memcmp(&s->ram.data[i], &r, sizeof r))
            return true;
    if (s->ram.len == WIRE_RAM)
        return false;
    if (!vec_push(&s->ram, r))
        fail(s, error_nomem());
    return true;
}

/* ---- probes ---- */

void probe_of_os(struct probe_set *s, bool os)
{
    s->of_os = os;
}

static void begin(struct probe_set *s, const char *name, struct wire_probe p)
{
    struct probe_name n = {.text = ""};

    if (s->open)
        fail(s, error_new(OSCOPE_E_USAGE, "probe %s: its program has no end", last_name(s)));
    if (s->probes.len == WIRE_PROBES) {
        fail(s, error_new(OSCOPE_E_UNSUPPORTED, "more than %d probes at once", WIRE_PROBES));
        return;
    }
    str_copy(n.text, sizeof n.text, name);
    n.os = s->of_os && p.site != WIRE_SITE_IDLE && p.site != WIRE_SITE_RESUME;
    p.slot = (uint32_t)s->probes.len;
    p.first = (uint32_t)s->code.len;
    s->open = true;
    s->next = 0;
    if (!vec_push(&s->probes, p) || !vec_push(&s->names, n))
        fail(s, error_nomem());
}

void probe_idle(struct probe_set *s, const char *name)
{
    begin(s, name, (struct wire_probe){.site = WIRE_SITE_IDLE});
}

void probe_resume(struct probe_set *s, const char *name)
{
    begin(s, name, (struct wire_probe){.site = WIRE_SITE_RESUME});
}

void probe_memory(struct probe_set *s, const char *name, uint64_t va, uint64_t size,
                  unsigned accesses)
{
    begin(s, name,
          (struct wire_probe){
              .site = WIRE_SITE_MEMORY, .address = va, .value = size, .mask = accesses});
}

void probe_block(struct probe_set *s, const char *name, uint64_t va, uint64_t size)
{
    begin(s, name, (struct wire_probe){.site = WIRE_SITE_BLOCK, .address = va, .value = size});
}

void probe_trap(struct probe_set *s, const char *name, unsigned kinds)
{
    begin(s, name, (struct wire_probe){.site = WIRE_SITE_TRAP, .mask = kinds});
}

/* ---- instructions ---- */

static void emit(struct probe_set *s, struct wire_insn insn)
{
    if (!s->open || !s->probes.len) {
        fail(s, error_new(OSCOPE_E_USAGE, "an instruction stands outside of a probe"));
        return;
    }
    if (s->code.len - s->probes.data[s->probes.len - 1].first == WIRE_PROGRAM)
        fail(s, error_new(OSCOPE_E_UNSUPPORTED, "probe %s: its program is too long", last_name(s)));
    else if (s->code.len == WIRE_CODE)
        fail(s, error_new(OSCOPE_E_UNSUPPORTED, "the probes' programs are too long together"));
    else if (!vec_push(&s->code, insn))
        fail(s, error_nomem());
}

unsigned probe_slot(struct probe_set *s)
{
    if (s->next == WIRE_SLOTS) {
        fail(s, error_new(OSCOPE_E_UNSUPPORTED, "probe %s: its program needs more than %d values",
                          last_name(s), WIRE_SLOTS));
        return 0;
    }
    return s->next++;
}

/* An instruction with a new slot as its destination. */
static unsigned emit_new(struct probe_set *s, struct wire_insn insn)
{
    insn.d = (uint8_t)probe_slot(s);
    emit(s, insn);
    return insn.d;
}

unsigned probe_imm(struct probe_set *s, uint64_t v)
{
    return emit_new(s, (struct wire_insn){.op = WIRE_OP_IMM, .imm = v});
}

/* The register's number in the set. */
static unsigned name_register(struct probe_set *s, const char *name)
{
    unsigned i = 0;

    while (i < s->nregisters && strcmp(s->registers[i], name) != 0)
        i++;
    if (i == WIRE_REGISTERS || strlen(name) >= WIRE_NAME) {
        fail(s, error_new(OSCOPE_E_UNSUPPORTED, "probe %s: no room for register %s", last_name(s),
                          name));
        i = 0;
    } else if (i == s->nregisters) {
        str_copy(s->registers[s->nregisters++], WIRE_NAME, name);
    }
    return i;
}

unsigned probe_reg(struct probe_set *s, const char *name)
{
    return emit_new(s, (struct wire_insn){.op = WIRE_OP_REG, .imm = name_register(s, name)});
}

void probe_reg_into(struct probe_set *s, unsigned slot, const char *name)
{
    emit(s,
         (struct wire_insn){.op = WIRE_OP_REG, .d = (uint8_t)slot, .imm = name_register(s, name)});
}

void probe_imm_into(struct probe_set *s, unsigned slot, uint64_t v)
{
    emit(s, (struct wire_insn){.op = WIRE_OP_IMM, .d = (uint8_t)slot, .imm = v});
}

unsigned probe_pc(struct probe_set *s)
{
    return emit_new(s, (struct wire_insn){.op = WIRE_OP_PC});
}

unsigned probe_vcpu(struct probe_set *s)
{
    return emit_new(s, (struct wire_insn){.op = WIRE_OP_VCPU});
}

void probe_vcpu_into(struct probe_set *s, unsigned slot)
{
    emit(s, (struct wire_insn){.op = WIRE_OP_VCPU, .d = (uint8_t)slot});
}

unsigned probe_mark(const struct probe_set *s)
{
    return s->next;
}

void probe_release(struct probe_set *s, unsigned mark)
{
    if (mark < s->next)
        s->next = mark;
}

unsigned probe_value(struct probe_set *s, enum wire_value value)
{
    return emit_new(s, (struct wire_insn){.op = WIRE_OP_VALUE, .imm = value});
}

unsigned probe_load(struct probe_set *s, unsigned slot, uint64_t offset, unsigned size)
{
    return emit_new(
        s, (struct wire_insn){
               .op = WIRE_OP_LOAD, .s = (uint8_t)slot, .size = (uint8_t)size, .imm = offset});
}

void probe_load_into(struct probe_set *s, unsigned to, unsigned slot, uint64_t offset,
                     unsigned size)
{
    emit(s, (struct wire_insn){.op = WIRE_OP_LOAD,
                               .d = (uint8_t)to,
                               .s = (uint8_t)slot,
                               .size = (uint8_t)size,
                               .imm = offset});
}

unsigned probe_table(struct probe_set *s, const struct probe_table *t, unsigned slot)
{
    size_t i = 0;

    while (i < s->tables.len && memcmp(&s->tables.data[i], t, sizeof *t) != 0)
        i++;
    if (i == WIRE_TABLES)
        fail(s, error_new(OSCOPE_E_UNSUPPORTED, "probe %s: no room for a table", last_name(s)));
    else if (i == s->tables.len && !vec_push(&s->tables, *t))
        fail(s, error_nomem());
    return emit_new(s, (struct wire_insn){.op = WIRE_OP_TABLE, .s = (uint8_t)slot, .imm = i});
}

unsigned probe_recall(struct probe_set *s, unsigned var, unsigned key)
{
    return emit_new(s, (struct wire_insn){.op = WIRE_OP_RECALL, .s = (uint8_t)key, .imm = var});
}

void probe_keep(struct probe_set *s, unsigned var, unsigned key, unsigned value)
{
    emit(s, (struct wire_insn){
                .op = WIRE_OP_KEEP, .d = (uint8_t)key, .s = (uint8_t)value, .imm = var});
}

void probe_sext(struct probe_set *s, unsigned slot, unsigned size)
{
    emit(s, (struct wire_insn){
                .op = WIRE_OP_SEXT, .d = (uint8_t)slot, .s = (uint8_t)slot, .size = (uint8_t)size});
}

unsigned probe_load_signed(struct probe_set *s, unsigned slot, uint64_t offset, unsigned size)
{
    unsigned d = probe_load(s, slot, offset, size);

    probe_sext(s, d, size);
    return d;
}

unsigned probe_alu(struct probe_set *s, enum wire_op op, unsigned d, unsigned slot)
{
    if (op < WIRE_OP_ADD || op > WIRE_OP_SHR)
        fail(s, error_new(OSCOPE_E_USAGE, "operation %d is not arithmetic", (int)op));
    emit(s, (struct wire_insn){.op = (uint8_t)op, .d = (uint8_t)d, .s = (uint8_t)slot});
    return d;
}

unsigned probe_mov(struct probe_set *s, unsigned d, unsigned slot)
{
    emit(s, (struct wire_insn){.op = WIRE_OP_MOV, .d = (uint8_t)d, .s = (uint8_t)slot});
    return d;
}

unsigned probe_jump(struct probe_set *s, enum wire_op op, unsigned a, unsigned b)
{
    if (op < WIRE_OP_JEQ || op > WIRE_OP_JSLT)
        fail(s, error_new(OSCOPE_E_USAGE, "operation %d is no jump", (int)op));
    emit(s, (struct wire_insn){.op = (uint8_t)op, .d = (uint8_t)a, .s = (uint8_t)b});
    return (unsigned)s->code.len - 1;
}

void probe_label(struct probe_set *s, unsigned jump)
{
    if (!s->error)
        s->code.data[jump].imm = s->code.len - jump - 1;
}

/* ---- events ---- */

/* n bytes of the event; what the longest path adds up to is checked by the verifier. */
static void grow(struct probe_set *s, unsigned n)
{
    if (n > WIRE_RECORD - sizeof(struct wire_event))
        fail(s, error_new(OSCOPE_E_UNSUPPORTED, "probe %s: its event exceeds %d bytes",
                          last_name(s), WIRE_RECORD));
}

void probe_event(struct probe_set *s, uint16_t id)
{
    emit(s, (struct wire_insn){.op = WIRE_OP_EVENT, .imm = id});
}

void probe_event_of(struct probe_set *s, uint16_t id, unsigned slot)
{
    emit(s, (struct wire_insn){.op = WIRE_OP_EVENT_OF, .s = (uint8_t)slot, .imm = id});
}

void probe_put(struct probe_set *s, unsigned slot, unsigned size)
{
    grow(s, size);
    emit(s, (struct wire_insn){.op = WIRE_OP_PUT, .s = (uint8_t)slot, .size = (uint8_t)size});
}

void probe_put_str(struct probe_set *s, unsigned slot, unsigned most)
{
    grow(s, most + 1);
    emit(s, (struct wire_insn){.op = WIRE_OP_PUT_STR, .s = (uint8_t)slot, .imm = most});
}

void probe_put_chars(struct probe_set *s, const char *text, unsigned most)
{
    unsigned mark = probe_mark(s), slot = probe_imm(s, 0);
    size_t n = strnlen(text, most) + 1; /* the 0 included */

    for (size_t at = 0, size; at < n; at += size) {
        uint64_t bytes = 0;
        for (size = 8; size > n - at; size /= 2)
            ;
        for (size_t i = 0; i < size && at + i < n - 1; i++)
            bytes |= (uint64_t)(uint8_t)text[at + i] << (8 * i);
        probe_imm_into(s, slot, bytes);
        probe_put(s, slot, (unsigned)size);
    }
    probe_release(s, mark);
}

void probe_put_mem(struct probe_set *s, unsigned slot, unsigned n)
{
    grow(s, n);
    emit(s, (struct wire_insn){.op = WIRE_OP_PUT_MEM, .s = (uint8_t)slot, .imm = n});
}

void probe_put_data(struct probe_set *s, unsigned slot, unsigned length, unsigned most)
{
    grow(s, 4 * most + 1);
    emit(s, (struct wire_insn){
                .op = WIRE_OP_PUT_DATA, .d = (uint8_t)length, .s = (uint8_t)slot, .imm = most});
}

void probe_put_text(struct probe_set *s, unsigned slot, unsigned most)
{
    grow(s, most + 1);
    emit(s, (struct wire_insn){.op = WIRE_OP_PUT_TEXT, .s = (uint8_t)slot, .imm = most});
}

void probe_put_list(struct probe_set *s, unsigned slot, unsigned most)
{
    grow(s, most + 1);
    emit(s, (struct wire_insn){.op = WIRE_OP_PUT_LIST, .s = (uint8_t)slot, .imm = most});
}

/* ---- probes at instructions ---- */

void probe_never_when(struct probe_set *s, const char *reg, uint64_t value)
{
    s->guard = reg;
    s->guard_value = value;
}

/* The slots of the comparison are free again after it. */
static void begin_guarded(struct probe_set *s, const char *name, struct wire_probe p)
{
    begin(s, name, p);
    if (!s->guard)
        return;
    s->guarded =
        probe_jump(s, WIRE_OP_JEQ, probe_reg(s, s->guard), probe_imm(s, s->guard_value)) + 1;
    s->next = 0;
}

void probe_exec(struct probe_set *s, const char *name, uint64_t va)
{
    begin_guarded(s, name, (struct wire_probe){.site = WIRE_SITE_EXEC, .address = va});
}

void probe_opcode(struct probe_set *s, const char *name, uint64_t mask, uint64_t value)
{
    begin_guarded(s, name,
                  (struct wire_probe){.site = WIRE_SITE_OPCODE, .mask = mask, .value = value});
}

void probe_end(struct probe_set *s)
{
    if (s->guarded)
        probe_label(s, s->guarded - 1);
    s->guarded = 0;
    emit(s, (struct wire_insn){.op = WIRE_OP_END});
    s->open = false;
    if (s->probes.len) {
        struct wire_probe *p = &s->probes.data[s->probes.len - 1];
        p->count = (uint32_t)s->code.len - p->first;
    }
}

/* ---- the whole set ---- */

struct oscope_error *probe_set_finish(struct probe_set *s)
{
    struct oscope_error *err;

    if (s->open)
        fail(s, error_new(OSCOPE_E_USAGE, "probe %s: its program has no end", last_name(s)));
    err = s->error;
    s->error = NULL;
    return err;
}

void probe_set_write(const struct probe_set *s, struct wire_set *out)
{
    out->nprobes = (uint32_t)s->probes.len;
    out->ncode = (uint32_t)s->code.len;
    out->nregisters = s->nregisters;
    out->ndirect = (uint32_t)s->direct.len;
    out->ntables = (uint32_t)s->tables.len;
    out->nram = (uint32_t)s->ram.len;
    out->heat = !s->heat ? WIRE_HEAT_OFF : s->heat_on ? WIRE_HEAT_ON : WIRE_HEAT_PAUSED;
    if (s->ram.len)
        memcpy(out->ram, s->ram.data, s->ram.len * sizeof *s->ram.data);
    memcpy(out->registers, s->registers, sizeof out->registers);
    if (s->direct.len)
        memcpy(out->direct, s->direct.data, s->direct.len * sizeof *s->direct.data);
    if (s->tables.len)
        memcpy(out->tables, s->tables.data, s->tables.len * sizeof *s->tables.data);
    if (s->probes.len)
        memcpy(out->probes, s->probes.data, s->probes.len * sizeof *s->probes.data);
    if (s->code.len)
        memcpy(out->code, s->code.data, s->code.len * sizeof *s->code.data);
}
