/* SPDX-License-Identifier: MIT */
/*
 * DWARF to `struct type`, one DIE at a time through libdw.
 *
 * The file is the user's, but may be broken: chains of references are followed a bounded number of
 * steps, children are counted, offsets are libdw's to check. What C has no word for is shown
 * as the nearest C (C++ references), or as more members (the variants of Rust's enums).
 */
#include "symbols/dwarf_impl.h"

#include "base/util.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum {
    CHAIN_MAX = 64,
    DIMENSIONS_MAX = 8,
    CHILDREN_MAX = 1 << 20,
    MEMORY_CAP = 256 << 20,
};

/* A type and the DIE it came from. */
struct dwarf_type {
    struct type type; /* first */
    Dwarf_Die die;
};

static struct dwarf *dwarf_of(const struct types *ts)
{
    return (struct dwarf *)ts;
}

/* ---- attributes ---- */

bool dwarf_flag(Dwarf_Die *die, unsigned attr)
{
    Dwarf_Attribute a;
    bool flag;

    return dwarf_attr(die, attr, &a) && !dwarf_formflag(&a, &flag) && flag;
}

static bool number(Dwarf_Die *die, unsigned attr, uint64_t *out)
{
    Dwarf_Attribute a;
    Dwarf_Word v;

    if (!dwarf_attr_integrate(die, attr, &a) || dwarf_formudata(&a, &v))
        return false;
    *out = v;
    return true;
}

/* The DIE that DW_AT_type refers to; false: void. */
static bool referred(Dwarf_Die *die, Dwarf_Die *out)
{
    Dwarf_Attribute a;

    return dwarf_attr_integrate(die, DW_AT_type, &a) && dwarf_formref_die(&a, out);
}

bool dwarf_enumerator_value(Dwarf_Die *die, int64_t *out)
{
    Dwarf_Attribute a;
    Dwarf_Sword s;
    Dwarf_Word u;

    if (!dwarf_attr(die, DW_AT_const_value, &a))
        return false;
    /* data1 to data8 carry no sign of their own; libdw extends them as each call says. */
    unsigned form = dwarf_whatform(&a);
    if (form == DW_FORM_sdata || form == DW_FORM_implicit_const) {
        if (dwarf_formsdata(&a, &s))
            return false;
        *out = s;
        return true;
    }
    if (dwarf_formudata(&a, &u))
        return false;
    *out = (int64_t)u;
    return true;
}

/* ---- sizes ---- */

/* Bounds of an array, outermost first; 0 for a flexible one. */
static size_t dimensions(Dwarf_Die *array, uint64_t counts[DIMENSIONS_MAX])
{
    Dwarf_Die child;
    size_t n = 0;

    if (dwarf_child(array, &child))
        return 0;
    do {
        uint64_t v;
        if (dwarf_tag(&child) != DW_TAG_subrange_type)
            continue;
        counts[n] = 0;
        if (number(&child, DW_AT_count, &v))
            counts[n] = v;
        /* An upper bound of -1 is how some gcc write [0]. */
        else if (number(&child, DW_AT_upper_bound, &v) && v != UINT64_MAX && v != UINT32_MAX)
            counts[n] = v + 1;
        n++;
    } while (n < DIMENSIONS_MAX && !dwarf_siblingof(&child, &child));
    return n;
}

static uint64_t size_of(const struct dwarf *d, Dwarf_Die die)
{
    uint64_t times = 1, size, counts[DIMENSIONS_MAX];

    for (int i = 0; i < CHAIN_MAX; i++) {
        switch (dwarf_tag(&die)) {
        case DW_TAG_pointer_type:
        case DW_TAG_reference_type:
        case DW_TAG_rvalue_reference_type:
            return __builtin_mul_overflow(times, d->ts.ptr_size, &size) ? 0 : size;
        case DW_TAG_array_type: {
            size_t n = dimensions(&die, counts);
            for (size_t k = 0; k < n; k++)
                if (__builtin_mul_overflow(times, counts[k], &times))
                    return 0;
            break;
        }
        case DW_TAG_subroutine_type: return 0;
        default:
            if (number(&die, DW_AT_byte_size, &size))
                return __builtin_mul_overflow(times, size, &size) ? 0 : size;
            break;
        }
        if (!referred(&die, &die))
            return 0;
    }
    return 0;
}

/* ---- materialising ---- */

static const struct {
    unsigned tag;
    enum type_kind kind;
} tag_kinds[] = {
    {DW_TAG_structure_type, TYPE_STRUCT},  {DW_TAG_class_type, TYPE_STRUCT},
    {DW_TAG_union_type, TYPE_UNION},       {DW_TAG_enumeration_type, TYPE_ENUM},
    {DW_TAG_pointer_type, TYPE_POINTER},   {DW_TAG_reference_type, TYPE_POINTER},
    {DW_TAG_array_type, TYPE_ARRAY},       {DW_TAG_rvalue_reference_type, TYPE_POINTER},
    {DW_TAG_typedef, TYPE_TYPEDEF},        {DW_TAG_const_type, TYPE_CONST},
    {DW_TAG_volatile_type, TYPE_VOLATILE}, {DW_TAG_subroutine_type, TYPE_FUNC},
};

static void fill_base(struct type *t, Dwarf_Die *die)
{
    uint64_t encoding = 0;

    number(die, DW_AT_encoding, &encoding);
    t->kind = encoding == DW_ATE_float || encoding == DW_ATE_complex_float ? TYPE_FLOAT : TYPE_INT;
    t->is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
    t->is_char = encoding == DW_ATE_signed_char ||
                 (encoding == DW_ATE_unsigned_char && !strcmp(t->name, "char"));
    t->is_bool = encoding == DW_ATE_boolean;
    t->complete = true;
}

static void fill_enum(struct type *t, Dwarf_Die *die)
{
    Dwarf_Die base;
    uint64_t encoding = 0;

    /* gcc and clang name the underlying type since DWARF 3; without it the values tell. */
    if (referred(die, &base) && number(&base, DW_AT_encoding, &encoding)) {
        t->is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
        return;
    }
    Dwarf_Die child;
    if (dwarf_child(die, &child))
        return;
    for (int i = 0; i < CHILDREN_MAX; i++) {
        int64_t v;
        if (dwarf_enumerator_value(&child, &v) && v < 0)
            t->is_signed = true;
        if (dwarf_siblingof(&child, &child))
            return;
    }
}

/* Everything of a type but references, members and values. */
static void fill_head(const struct dwarf *d, struct dwarf_type *dt)
{
    struct type *t = &dt->type;
    unsigned tag = (unsigned)dwarf_tag(&dt->die);
    const char *name = dwarf_diename(&dt->die);

    t->name = name ? name : "";
    t->size = size_of(d, dt->die);
    if (tag == DW_TAG_base_type) {
        fill_base(t, &dt->die);
        return;
    }
    t->kind = TYPE_VOID;
    for (size_t i = 0; i < ARRAY_SIZE(tag_kinds); i++)
        if (tag_kinds[i].tag == tag)
            t->kind = tag_kinds[i].kind;
    if ((t->kind == TYPE_STRUCT || t->kind == TYPE_UNION || t->kind == TYPE_ENUM) &&
        dwarf_flag(&dt->die, DW_AT_declaration))
        t->kind = TYPE_FWD;
    uint64_t counts[DIMENSIONS_MAX];
    if (t->kind == TYPE_ARRAY)
        t->count = dimensions(&dt->die, counts) ? counts[0] : 0;
    else if (t->kind == TYPE_ENUM)
        fill_enum(t, &dt->die);
    t->complete = t->kind == TYPE_VOID || t->kind == TYPE_FWD;
}

/* The type of a DIE; void out of memory. */
static const struct type *materialise(struct dwarf *d, Dwarf_Die *at)
{
    Dwarf_Die die = *at;

    for (int i = 0;; i++) { /* qualifiers that printing does not need */
        int tag = dwarf_tag(&die);
        if (tag != DW_TAG_restrict_type && tag != DW_TAG_atomic_type &&
            tag != DW_TAG_immutable_type && tag != DW_TAG_packed_type)
            break;
        if (i == CHAIN_MAX || !referred(&die, &die))
            return &type_void;
    }
    uint64_t key = (uintptr_t)die.addr;
    const uint64_t *known = hash_get(&d->made, key);
    if (known)
        return (const struct type *)(uintptr_t)*known;
    struct dwarf_type *dt = arena_alloc(&d->memory, sizeof *dt);
    if (!dt || !hash_put(&d->made, key, (uintptr_t)dt, NULL))
        return &type_void;
    dt->die = die;
    dt->type.owner = &d->ts;
    dt->type.id = dwarf_dieoffset(&die);
    fill_head(d, dt);
    return &dt->type;
}

const struct type *dwarf_type_of(struct dwarf *d, Dwarf_Die *die)
{
    Dwarf_Die ref;

    return referred(die, &ref) ? materialise(d, &ref) : &type_void;
}

/* ---- members and values ---- */

/* Byte offset of a member: a constant, or (old producers) an expression that adds one. */
static uint64_t member_offset(Dwarf_Die *die)
{
    Dwarf_Attribute a;
    Dwarf_Word v;
    Dwarf_Op *ops;
    size_t n;

    if (!dwarf_attr_integrate(die, DW_AT_data_member_location, &a))
        return 0;
    if (!dwarf_formudata(&a, &v))
        return v;
    if (!dwarf_getlocation(&a, &ops, &n) && n == 1 &&
        (ops[0].atom == DW_OP_plus_uconst || ops[0].atom == DW_OP_constu))
        return ops[0].number;
    return 0;
}

static void fill_member(struct dwarf *d, Dwarf_Die *die, struct type_member *m)
{
    const char *name = m->discriminant ? "__discriminant" : dwarf_diename(die);
    uint64_t offset = member_offset(die), width = 0, bit;

    m->name = name ? name : "";
    m->type = dwarf_type_of(d, die);
    number(die, DW_AT_bit_size, &width);
    if (number(die, DW_AT_data_bit_offset, &bit)) {
        offset = bit;
    } else if (width && number(die, DW_AT_bit_offset, &bit)) {
        /* DWARF 3 counts from the most significant bit of a unit of byte_size. */
        uint64_t unit = m->type->size;
        number(die, DW_AT_byte_size, &unit);
        offset = offset * 8 + unit * 8 - bit - width;
    } else {
        offset *= 8;
    }
    m->bit_offset = (uint32_t)MIN(offset, UINT32_MAX);
    m->bit_size = (uint32_t)MIN(width, TYPE_BITS_MAX);
}

struct members {
    VEC(struct type_member) v;
};

static bool add_member(struct dwarf *d, struct members *to, Dwarf_Die *die, struct type_member m)
{
    fill_member(d, die, &m);
    return vec_push(&to->v, m);
}

/* Rust's enums with payload: the discriminant, and of each variant its one member. */
static bool add_variants(struct dwarf *d, struct members *to, Dwarf_Die *part)
{
    Dwarf_Die child, inner;

    if (dwarf_child(part, &child))
        return true;
    do {
        struct type_member m = {.discriminant = true};
        if (dwarf_tag(&child) == DW_TAG_member && !add_member(d, to, &child, m))
            return false;
        if (dwarf_tag(&child) != DW_TAG_variant || dwarf_child(&child, &inner))
            continue;
        m = (struct type_member){.variant = true};
        m.otherwise = !number(&child, DW_AT_discr_value, &m.value);
        if (dwarf_tag(&inner) == DW_TAG_member && !add_member(d, to, &inner, m))
            return false;
    } while (to->v.len < CHILDREN_MAX && !dwarf_siblingof(&child, &child));
    return true;
}

static void fill_members(struct dwarf *d, struct dwarf_type *dt)
{
    struct members to = {0};
    Dwarf_Die child;

    if (dwarf_child(&dt->die, &child))
        return;
    do {
        struct type_member m = {0};
        if (dwarf_tag(&child) == DW_TAG_variant_part && !add_variants(d, &to, &child))
            break;
        if (dwarf_tag(&child) == DW_TAG_member && !dwarf_flag(&child, DW_AT_external) &&
            !add_member(d, &to, &child, m))
            break;
    } while (to.v.len < CHILDREN_MAX && !dwarf_siblingof(&child, &child));
    struct type_member *own = to.v.len ? arena_alloc(&d->memory, to.v.len * sizeof *own) : NULL;
    if (own) {
        memcpy(own, to.v.data, to.v.len * sizeof *own);
        dt->type.members = own;
        dt->type.nmembers = to.v.len;
    }
    vec_free(&to.v);
}

static void fill_values(struct dwarf *d, struct dwarf_type *dt)
{
    VEC(struct type_value) v = {0};
    Dwarf_Die child;

    if (dwarf_child(&dt->die, &child))
        return;
    do {
        const char *name = dwarf_diename(&child);
        struct type_value value = {name ? name : "", 0};
        if (dwarf_tag(&child) == DW_TAG_enumerator &&
            dwarf_enumerator_value(&child, &value.value) && !vec_push(&v, value))
            break;
    } while (v.len < CHILDREN_MAX && !dwarf_siblingof(&child, &child));
    struct type_value *own = v.len ? arena_alloc(&d->memory, v.len * sizeof *own) : NULL;
    if (own) {
        memcpy(own, v.data, v.len * sizeof *own);
        dt->type.values = own;
        dt->type.nvalues = v.len;
    }
    vec_free(&v);
}

static void fill_array(struct dwarf *d, struct dwarf_type *dt)
{
    uint64_t counts[DIMENSIONS_MAX];
    size_t n = dimensions(&dt->die, counts);
    const struct type *element = dwarf_type_of(d, &dt->die);

    while (n > 1 && element)
        element = types_array_of(&d->ts, element, counts[--n]);
    dt->type.ref = element;
}

static void dwarf_complete(struct types *ts, struct type *t)
{
    struct dwarf *d = dwarf_of(ts);
    struct dwarf_type *dt = (struct dwarf_type *)t;

    t->complete = true; /* first: whatever happens, once is enough */
    switch (t->kind) {
    case TYPE_STRUCT:
    case TYPE_UNION: fill_members(d, dt); break;
    case TYPE_ENUM: fill_values(d, dt); break;
    case TYPE_ARRAY: fill_array(d, dt); break;
    default: t->ref = dwarf_type_of(d, &dt->die); break;
    }
}

/* ---- lookups ---- */

static const struct type *dwarf_find(struct types *ts, enum type_kind kind, const char *name)
{
    struct dwarf *d = dwarf_of(ts);
    unsigned from, to;
    Dwarf_Die die;

    switch (kind) {
    case TYPE_STRUCT: from = to = DWARF_STRUCT; break;
    case TYPE_UNION: from = to = DWARF_UNION; break;
    case TYPE_ENUM: from = to = DWARF_ENUM; break;
    case TYPE_TYPEDEF: from = to = DWARF_TYPEDEF; break;
    case TYPE_INT:
    case TYPE_FLOAT: from = to = DWARF_BASE; break;
    case TYPE_VOID:
        from = DWARF_STRUCT;
        to = DWARF_BASE;
        break;
    default: return NULL;
    }
    for (unsigned k = from; k <= to; k++)
        if (dwarf_index_find(d, (enum dwarf_name_kind)k, name, &die))
            return materialise(d, &die);
    return NULL;
}

static const struct type *dwarf_variable(struct types *ts, const char *name)
{
    struct dwarf *d = dwarf_of(ts);
    Dwarf_Die die;

    return dwarf_index_find(d, DWARF_VARIABLE, name, &die) ? dwarf_type_of(d, &die) : NULL;
}

static bool dwarf_enumerator(struct types *ts, const char *name, int64_t *out)
{
    Dwarf_Die die;

    return dwarf_index_find(dwarf_of(ts), DWARF_ENUMERATOR, name, &die) &&
           dwarf_enumerator_value(&die, out);
}

static const struct type *dwarf_argument(struct types *ts, const struct type *t)
{
    Dwarf_Die child;

    if (!t->owner || t->kind != TYPE_STRUCT ||
        dwarf_child(&((struct dwarf_type *)(uintptr_t)t)->die, &child))
        return NULL;
    for (int i = 0; i < CHILDREN_MAX; i++) {
        if (dwarf_tag(&child) == DW_TAG_template_type_parameter)
            return dwarf_type_of(dwarf_of(ts), &child);
        if (dwarf_siblingof(&child, &child))
            break;
    }
    return NULL;
}

static bool dwarf_address(struct types *ts, const char *name, uint64_t *out)
{
    Dwarf_Die die;

    return dwarf_index_find(dwarf_of(ts), DWARF_VARIABLE, name, &die) &&
           dwarf_static_address(&die, out);
}

static void dwarf_free(struct types *ts)
{
    struct dwarf *d = dwarf_of(ts);

    dwarf_end(d->dw);
    if (d->fd >= 0)
        close(d->fd);
    hash_free(&d->made);
    arena_free(&d->memory);
    free(d->own_index);
    free(d->own_macros);
    free(d);
}

static const struct types_ops dwarf_ops = {
    .find = dwarf_find,
    .complete = dwarf_complete,
    .variable = dwarf_variable,
    .free = dwarf_free,
    .enumerator = dwarf_enumerator,
    .argument = dwarf_argument,
    .address = dwarf_address,
    .macro = dwarf_macro,
    .each_macro = dwarf_each_macro,
};

/* ---- opening ---- */

static uint64_t debug_info_size(Elf *elf)
{
    size_t strings;

    if (elf_getshdrstrndx(elf, &strings))
        return 0;
    for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s));) {
        GElf_Shdr sh;
        const char *name;
        if (gelf_getshdr(s, &sh) && sh.sh_type != SHT_NOBITS &&
            (name = elf_strptr(elf, strings, sh.sh_name)) &&
            (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info")))
            return sh.sh_size;
    }
    return 0;
}

static struct oscope_error *open_file(struct dwarf *d, const char *path)
{
    d->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (d->fd < 0)
        return error_errno(errno, "open '%s'", path);
    d->dw = dwarf_begin(d->fd, DWARF_C_READ);
    Elf *elf = d->dw ? dwarf_getelf(d->dw) : NULL;
    d->info_size = elf ? debug_info_size(elf) : 0;
    if (!d->info_size)
        return error_hint(error_new(OSCOPE_E_NOT_FOUND, "'%s' has no DWARF", path),
                          "use a vmlinux with debug information (Debian: linux-image-...-dbg)");
    GElf_Ehdr head;
    d->ts.ptr_size = gelf_getehdr(elf, &head) && head.e_ident[EI_CLASS] == ELFCLASS32 ? 4 : 8;
    return NULL;
}

struct oscope_error *dwarf_open(const char *path, const void *index, size_t n, struct types **out)
{
    struct dwarf *d = calloc(1, sizeof *d);

    if (!d)
        return error_nomem();
    d->ts = (struct types){.ops = &dwarf_ops, .source = "DWARF"};
    d->memory.cap = MEMORY_CAP;
    struct oscope_error *err = open_file(d, path);
    if (!err)
        err = index ? dwarf_index_use(d, index, n) : dwarf_index_build(d, path);
    if (err) {
        dwarf_free(&d->ts);
        return err;
    }
    *out = &d->ts;
    return NULL;
}

void dwarf_index(struct types *ts, const void **index, size_t *n)
{
    const struct dwarf *d = dwarf_of(ts);

    *index = d->index;
    *n = sizeof *d->index + d->index->count * sizeof(struct dwarf_index_entry);
}
