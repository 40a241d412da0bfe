/* SPDX-License-Identifier: MIT */
/*
 * The kernel log: the lockless ring buffer that printk writes since 5.10
 * (kernel/printk/printk_ringbuffer.c).
 *
 * Three arrays. Descriptors are numbered by an ever-growing id (its low bits are the index); each
 * holds the record's state and where its text lies. Infos, one per descriptor, hold number, time,
 * level. The data ring holds blocks of an id and text, addressed by ever-growing positions.
 *
 * A writer may recycle a descriptor while it is read. As the kernel's own readers do, a record
 * counts only if its state says "finalized, this id" both before and after everything else was
 * copied. Records still being written, or taken back by the ring, are left out.
 */
#include "os/linux/linux.h"

enum {
    COUNT_BITS_MAX = 22, /* rows we would accept */
    SIZE_BITS_MAX = 31,  /* log_buf_len's own limit */
    OBJECT_MAX = 512,    /* bytes of one descriptor or info */
    TRIES = 3,
};

/* enum desc_state, the top two bits of a descriptor's state_var. */
enum { STATE_FINALIZED = 2 };

/* prb_data_blk_lpos of records without a block. */
enum { LPOS_DATALESS = 1, LPOS_EMPTY = 3 };

struct ring {
    struct linux_model *lm;
    uint64_t descs, infos, data; /* addresses */
    uint64_t count, data_size;   /* powers of two */
    uint64_t head, tail;         /* ids */
    uint64_t id_mask;
    unsigned word; /* bytes of a long */
    char *text;    /* scratch for one record, UINT16_MAX + 1 bytes */
};

enum outcome { RECORD_OK, RECORD_NONE, RECORD_TORN };

static struct oscope_error *need_fields(const struct layout *l)
{
    const struct {
        const struct layout_field *field;
        const char *name;
    } needed[] = {
        {&l->prb_count_bits, "printk_ringbuffer.desc_ring.count_bits"},
        {&l->prb_descs, "printk_ringbuffer.desc_ring.descs"},
        {&l->prb_infos, "printk_ringbuffer.desc_ring.infos"},
        {&l->prb_head_id, "printk_ringbuffer.desc_ring.head_id"},
        {&l->prb_tail_id, "printk_ringbuffer.desc_ring.tail_id"},
        {&l->prb_size_bits, "printk_ringbuffer.text_data_ring.size_bits"},
        {&l->prb_data, "printk_ringbuffer.text_data_ring.data"},
        {&l->desc_state_var, "prb_desc.state_var"},
        {&l->desc_begin, "prb_desc.text_blk_lpos.begin"},
        {&l->desc_next, "prb_desc.text_blk_lpos.next"},
        {&l->info_seq, "printk_info.seq"},
        {&l->info_time, "printk_info.ts_nsec"},
        {&l->info_text_len, "printk_info.text_len"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (!needed[i].field->present)
            return error_hint(error_new(OSCOPE_E_UNSUPPORTED,
                                        "the kernel log: the kernel's types have no %s",
                                        needed[i].name),
                              "the log's ring buffer is known for kernels from 5.10 on");
    if (!l->size.prb_desc || l->size.prb_desc > OBJECT_MAX || !l->size.printk_info ||
        l->size.printk_info > OBJECT_MAX)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "the kernel log: prb_desc of %u and printk_info of %u bytes",
                         l->size.prb_desc, l->size.printk_info);
    return NULL;
}

/* Reads the ring's header. The ids are read one after the other while both may move. */
static bool read_header(struct ring *r, uint64_t prb)
{
    const struct layout *l = &r->lm->layout;
    uint64_t count_bits, size_bits;

    if (!linux_field(r->lm, prb, l->prb_tail_id, &r->tail) ||
        !linux_field(r->lm, prb, l->prb_head_id, &r->head) ||
        !linux_field(r->lm, prb, l->prb_count_bits, &count_bits) ||
        !linux_field(r->lm, prb, l->prb_size_bits, &size_bits) ||
        !linux_pointer(r->lm, prb, l->prb_descs, &r->descs) ||
        !linux_pointer(r->lm, prb, l->prb_infos, &r->infos) ||
        !linux_pointer(r->lm, prb, l->prb_data, &r->data))
        return false;
    if (count_bits > COUNT_BITS_MAX || size_bits > SIZE_BITS_MAX)
        return false;
    r->count = BIT(count_bits);
    r->data_size = BIT(size_bits);
    r->word = l->prb_head_id.size == 4 ? 4 : 8;
    r->id_mask = BIT(r->word * 8 - 2) - 1;
    r->head &= r->id_mask;
    r->tail &= r->id_mask;
    return ((r->head - r->tail) & r->id_mask) < r->count;
}

static struct oscope_error *ring_open(struct linux_model *lm, struct ring *r)
{
    uint64_t variable, prb;

    r->lm = lm;
    TRY(linux_need_layout(lm, "the kernel log"));
    TRY(need_fields(&lm->layout));
    TRY(linux_symbol(lm, "prb", &variable));
    if (!vspace_addr(&lm->base.kernel, variable, &prb) || !linux_is_kernel_address(lm, prb))
        return error_new(OSCOPE_E_BAD_DATA, "the kernel log: 'prb' at 0x%llx points nowhere",
                         (unsigned long long)variable);
    for (int i = 0; i < TRIES; i++)
        if (read_header(r, prb)) {
            r->text = malloc(UINT16_MAX + 1);
            return r->text ? NULL : error_nomem();
        }
    return error_new(OSCOPE_E_BAD_DATA, "the kernel log: the ring at 0x%llx contradicts itself",
                     (unsigned long long)prb);
}

static bool read_info(struct ring *r, uint64_t id, void *buf)
{
    uint64_t at = r->infos + (id & (r->count - 1)) * r->lm->layout.size.printk_info;

    return vspace_read(&r->lm->base.kernel, at, buf, r->lm->layout.size.printk_info);
}

static bool read_state(struct ring *r, uint64_t desc, uint64_t *out)
{
    return vspace_uint(&r->lm->base.kernel, desc + r->lm->layout.desc_state_var.offset, r->word,
                       out);
}

/*
 * Where the text of the block [begin, next) lies and how long it can be, its id checked. A block
 * never wraps: one that would, starts at the beginning of the buffer instead; its positions then
 * lie in different turns. (A block that ends exactly at the end of the buffer is no such block:
 * kernels before 6.18 wrap it too, but then next is past the start.)
 */
static bool find_text(struct ring *r, uint64_t id, uint64_t begin, uint64_t next, uint64_t *at,
                      uint64_t *len)
{
    uint64_t index = begin & (r->data_size - 1), size = next - begin, block_id;

    if (r->word == 4)
        size &= UINT32_MAX;
    if (size > r->data_size - index) {
        index = 0;
        size = next & (r->data_size - 1);
    }
    if (size < r->word || size > r->data_size - index)
        return false;
    *at = r->data + index + r->word;
    *len = size - r->word;
    return vspace_uint(&r->lm->base.kernel, r->data + index, r->word, &block_id) && block_id == id;
}

static enum outcome read_text(struct ring *r, uint64_t id, const char *desc, uint64_t want,
                              size_t *len)
{
    const struct layout *l = &r->lm->layout;
    uint64_t begin = layout_get(desc, l->size.prb_desc, l->desc_begin);
    uint64_t next = layout_get(desc, l->size.prb_desc, l->desc_next), at, room;

    *len = 0;
    if (begin & next & LPOS_DATALESS)
        return begin == LPOS_EMPTY && next == LPOS_EMPTY ? RECORD_OK : RECORD_NONE;
    if (!find_text(r, id, begin, next, &at, &room))
        return RECORD_TORN;
    *len = (size_t)MIN(MIN(want, room), (uint64_t)UINT16_MAX);
    if (!vspace_read(&r->lm->base.kernel, at, r->text, *len))
        return RECORD_TORN;
    /* the text becomes a C string */
    for (char *nul = r->text; (nul = memchr(nul, '\0', *len - (size_t)(nul - r->text)));)
        *nul = '?';
    return RECORD_OK;
}

/* One record: info into buf (OBJECT_MAX bytes), text into r->text. */
static enum outcome read_record(struct ring *r, uint64_t id, char *info, size_t *text_len)
{
    const struct layout *l = &r->lm->layout;
    uint64_t at = r->descs + (id & (r->count - 1)) * l->size.prb_desc, before, after;
    uint64_t wanted = id | (uint64_t)STATE_FINALIZED << (r->word * 8 - 2);
    char desc[OBJECT_MAX];

    if (!read_state(r, at, &before))
        return RECORD_TORN;
    if (before != wanted)
        return RECORD_NONE;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (!vspace_read(&r->lm->base.kernel, at, desc, l->size.prb_desc) || !read_info(r, id, info))
        return RECORD_TORN;
    enum outcome text =
        read_text(r, id, desc, layout_get(info, l->size.printk_info, l->info_text_len), text_len);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (!read_state(r, at, &after))
        return RECORD_TORN;
    return after == wanted ? text : RECORD_NONE;
}

static struct oscope_error *add_record(struct ring *r, const char *info, size_t text_len,
                                       bool retried, struct os_list *list)
{
    const struct layout *l = &r->lm->layout;
    size_t n = l->size.printk_info;
    struct oscope_log_record *row = os_list_add(list);

    if (!row)
        return error_nomem();
    row->seq = layout_get(info, n, l->info_seq);
    row->time = layout_get(info, n, l->info_time);
    row->level = (uint8_t)layout_get(info, n, l->info_level);
    row->facility = (uint8_t)layout_get(info, n, l->info_facility);
    row->caller = (uint32_t)layout_get(info, n, l->info_caller);
    row->consistency = retried ? OSCOPE_RETRIED : OSCOPE_CONSISTENT;
    list->consistency = MAX(list->consistency, (enum oscope_consistency)row->consistency);
    row->text = arena_strndup(&list->strings, r->text, text_len);
    return row->text ? NULL : error_nomem();
}

/*
 * How many ids after the tail the record `from` can be at the earliest: ids and numbers grow
 * together. One less, as the very first descriptor of a boot shares its number with the next.
 */
static uint64_t skip_to(struct ring *r, uint64_t from)
{
    const struct layout *l = &r->lm->layout;
    uint64_t n = ((r->head - r->tail) & r->id_mask) + 1, seq;
    char info[OBJECT_MAX];

    if (!from || !read_info(r, r->tail, info))
        return 0;
    seq = layout_get(info, l->size.printk_info, l->info_seq);
    if (seq + 1 >= from)
        return 0;
    uint64_t skip = MIN(from - seq - 1, n);
    if (skip == n)
        return n;
    if (!read_info(r, (r->tail + skip) & r->id_mask, info) ||
        layout_get(info, l->size.printk_info, l->info_seq) > from)
        return 0;
    return skip;
}

static struct oscope_error *read_all(struct ring *r, uint64_t from, struct os_list *list)
{
    const struct layout *l = &r->lm->layout;
    uint64_t n = ((r->head - r->tail) & r->id_mask) + 1, expected = from;
    size_t torn = 0;
    char info[OBJECT_MAX];

    for (uint64_t i = skip_to(r, from); i < n; i++) {
        uint64_t id = (r->tail + i) & r->id_mask;
        enum outcome outcome = RECORD_TORN;
        size_t len;
        int tries;
        for (tries = 0; tries < TRIES && outcome == RECORD_TORN; tries++)
            outcome = read_record(r, id, info, &len);
        if (outcome == RECORD_NONE)
            continue;
        uint64_t seq = layout_get(info, l->size.printk_info, l->info_seq);
        if (outcome == RECORD_OK && seq < from)
            continue;
        if (outcome == RECORD_TORN || seq < expected || seq == UINT64_MAX) {
            torn++;
            continue;
        }
        expected = seq + 1;
        TRY(add_record(r, info, len, tries > 1, list));
    }
    if (torn) {
        list->consistency = OSCOPE_TORN;
        os_list_note(list, "%zu records of the kernel log left out: they contradict themselves",
                     torn);
    }
    return NULL;
}

struct oscope_error *linux_log(struct os_model *m, uint64_t from, struct os_list *list)
{
    struct ring r = {0};
    struct oscope_error *err = ring_open(linux_of(m), &r);

    if (!err)
        err = read_all(&r, from, list);
    free(r.text);
    return err;
}
