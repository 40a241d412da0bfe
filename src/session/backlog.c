/* SPDX-License-Identifier: MIT */
/*
 * Copying rings: see backlog.h. The copy holds to the rules of capture/wire.h as the engine does:
 * the same packets have the same numbers, the position says what is complete and moves past a
 * packet's end before the first byte of the next one is written. A packet that could not be copied,
 * or not to its end, has a header that can't be.
 */
#include "session/backlog.h"

#include "base/clock.h"
#include "base/thread.h"
#include "base/util.h"
#include "capture/layout.h"

#include <sys/mman.h>
#include <time.h>

/* A vCPU that publishes as fast as it can fills the smallest rings in some 2 ms. */
enum { STEP_NS = 1000000 };

struct backlog {
    const struct trace_rings *of;
    struct trace_rings rings;
    uint64_t *at; /* copied up to this position of each */
    _Atomic uint64_t copied;
    pthread_t thread;
    bool running;
    atomic_bool stop;
};

static struct wire_ring *ring(const struct backlog *b, uint32_t i)
{
    return (struct wire_ring *)(b->rings.first + i * b->rings.stride);
}

static uint8_t *packet(const struct backlog *b, uint32_t i, uint64_t n)
{
    return (uint8_t *)ring(b, i) + layout_ring_head() +
           n % b->rings.packets * b->rings.packet_bytes;
}

/* All below is complete; before it is written on, who sees that sees this. */
static void advance(struct backlog *b, uint32_t i, uint64_t position)
{
    b->at[i] = position;
    atomic_store_explicit(&ring(b, i)->position, position, memory_order_release);
    atomic_thread_fence(memory_order_release);
}

static void spoil(struct backlog *b, uint32_t i, uint64_t n)
{
    const struct wire_packet p = {.content_size = UINT64_MAX};

    memcpy(packet(b, i, n), &p, sizeof p);
}

/* The engine was faster: goes on with a packet that it won't reach at once. */
static void overtaken(struct backlog *b, uint32_t i)
{
    uint64_t bytes = b->rings.packet_bytes, n = b->at[i] / bytes;
    uint64_t next = trace_ring_oldest(b->of, trace_ring_position(b->of, i));
    bool begun = b->at[i] % bytes != 0;

    if (next <= n)
        next = n + 1;
    if (begun)
        spoil(b, i, n++);
    if (next - n > b->rings.packets) /* all that was kept is gone */
        n = next - b->rings.packets;
    for (; n < next; n++) {
        advance(b, i, n * bytes);
        spoil(b, i, n);
    }
    advance(b, i, next * bytes);
}

/* Where the content of a complete packet ends. */
static uint32_t content(const struct backlog *b, const struct wire_packet *p)
{
    uint64_t n = p->content_size / 8;

    return n < sizeof *p || n > b->rings.packet_bytes ? b->rings.packet_bytes : (uint32_t)n;
}

/* Copies the rest of the packet that is next, which is complete. False: it is not there any more.
 */
static bool copy_rest(struct backlog *b, uint32_t i)
{
    uint64_t n = b->at[i] / b->rings.packet_bytes;
    uint32_t from = (uint32_t)(b->at[i] % b->rings.packet_bytes);
    uint8_t *to = packet(b, i, n);
    struct wire_packet p;

    if (!trace_ring_copy(b->of, i, n, 0, sizeof p, &p))
        return false;
    uint32_t end = MAX(content(b, &p), from);
    if (!trace_ring_copy(b->of, i, n, from, end, to + from))
        return false;
    memcpy(to, &p, sizeof p); /* it says where it ends only now */
    return true;
}

static void copy_ring(struct backlog *b, uint32_t i)
{
    const uint64_t bytes = b->rings.packet_bytes, position = trace_ring_position(b->of, i);
    uint64_t head = position / bytes, n;

    atomic_store_explicit(
        &ring(b, i)->discarded,
        atomic_load_explicit(&trace_ring(b->of, i)->discarded, memory_order_relaxed),
        memory_order_relaxed);
    while ((n = b->at[i] / bytes) < head)
        if (head - n < b->of->packets && copy_rest(b, i))
            advance(b, i, (n + 1) * bytes);
        else
            overtaken(b, i);
    if (n > head || position <= b->at[i])
        return;
    uint32_t from = (uint32_t)(b->at[i] % bytes), to = (uint32_t)(position % bytes);
    if (trace_ring_copy(b->of, i, n, from, to, packet(b, i, n) + from))
        advance(b, i, position);
    else
        overtaken(b, i);
}

static void step(struct backlog *b)
{
    uint64_t now = clock_ns();

    for (uint32_t i = 0; i < b->rings.count; i++)
        copy_ring(b, i);
    atomic_store_explicit(&b->copied, now, memory_order_release);
}

void backlog_step(struct backlog *b)
{
    if (!b->running)
        step(b);
}

uint64_t backlog_copied(const struct backlog *b)
{
    return atomic_load_explicit(&b->copied, memory_order_acquire);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
    const struct timespec t = {0, STEP_NS};
    struct backlog *b = arg;

    while (!atomic_load(&b->stop)) {
        step(b);
        nanosleep(&t, NULL);
    }
    return NULL;
}

struct oscope_error *backlog_start(struct backlog *b)
{
    atomic_store(&b->stop, false);
    int failed = thread_start(&b->thread, run, b);
    b->running = !failed;
    return failed ? error_errno(failed, "start a thread that keeps events") : NULL;
}

void backlog_stop(struct backlog *b)
{
    if (!b->running)
        return;
    atomic_store(&b->stop, true);
    pthread_join(b->thread, NULL);
    b->running = false;
}

/* ---- opening ---- */

/* As many packets as there is memory for, at least the engine's: a power of two. */
static uint32_t packets(const struct trace_rings *of)
{
    uint64_t most = (uint64_t)BACKLOG_BYTES / MAX(of->count, 1u) / of->packet_bytes;
    uint32_t n = of->packets;

    while (n * UINT64_C(2) <= most)
        n *= 2;
    return n;
}

struct oscope_error *backlog_open(const struct trace_rings *of, struct backlog **out)
{
    struct backlog *b = calloc(1, sizeof *b);
    uint64_t size;

    *out = NULL;
    if (!b)
        return error_nomem();
    b->of = of;
    b->rings = *of;
    b->rings.first = NULL;
    b->rings.packets = packets(of);
    b->rings.stride = layout_ring_head() + (uint64_t)b->rings.packets * of->packet_bytes;
    b->at = calloc(MAX(of->count, 1u), sizeof *b->at);
    size = b->rings.stride * MAX(of->count, 1u);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p != MAP_FAILED)
        b->rings.first = p;
    if (!b->at || p == MAP_FAILED) {
        backlog_close(b);
        return error_nomem();
    }
    for (uint32_t i = 0; i < of->count; i++) {
        advance(b, i, trace_ring_position(of, i));
        atomic_store(&ring(b, i)->discarded, atomic_load(&trace_ring(of, i)->discarded));
    }
    atomic_store(&b->copied, clock_ns());
    *out = b;
    return NULL;
}

const struct trace_rings *backlog_rings(const struct backlog *b)
{
    return &b->rings;
}

void backlog_close(struct backlog *b)
{
    if (!b)
        return;
    backlog_stop(b);
    if (b->rings.first)
        munmap((void *)b->rings.first, b->rings.stride * MAX(b->rings.count, 1u));
    free(b->at);
    free(b);
}
