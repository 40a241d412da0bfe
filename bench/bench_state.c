/* SPDX-License-Identifier: MIT */
/*
 * Times the state plane inside one process: kernel discovery cold and from the cache, the hot task
 * walk, the classification of all pages, the session's own memory. Prints one JSON object;
 * bench/bench.py makes the table. Argument: session id or core file, as `oscope -s` takes it.
 */
#include "base/clock.h"
#include "base/util.h"
#include "os/model.h"
#include "session/session.h"

#include <stdio.h>
#include <unistd.h>

enum { ROUNDS = 31 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, compare);
    return v[n / 2];
}

static void die(struct oscope_error *err)
{
    if (!err)
        return;
    fprintf(stderr, "bench_state: %s\n", err->message);
    exit(1);
}

static struct os_open_options options(const struct oscope_session *s, const char *cache,
                                      const char *dir)
{
    return (struct os_open_options){.vmlinux = s->opts.files.vmlinux,
                                    .profile = s->opts.files.profile,
                                    .cache_dir = cache,
                                    .session_dir = dir};
}

/* Milliseconds to find the kernel and all a `ps` needs. */
static double open_ms(struct oscope_session *s, const char *cache, const char *dir)
{
    double ms[ROUNDS];
    struct os_open_options opts = options(s, cache, dir);

    for (size_t i = 0; i < ROUNDS; i++) {
        struct os_model *m;
        uint64_t start = clock_ns();
        die(os_open(s->target, s->arch, &opts, &m));
        ms[i] = (double)(clock_ns() - start) / 1e6;
        os_close(m);
    }
    return median(ms, ROUNDS);
}

static double walk_ns(struct os_model *m, bool threads, size_t *n)
{
    double ns[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        struct os_list list;
        os_list_init(&list, sizeof(struct oscope_task));
        target_refresh(m->target);
        uint64_t start = clock_ns();
        die(m->ops->tasks(m, threads, &list));
        *n = list.n;
        ns[i] = (double)(clock_ns() - start) / (double)(list.n ? list.n : 1);
        os_list_free(&list);
    }
    return median(ns, ROUNDS);
}

static double classify_mpages(struct os_model *m, uint64_t *pages)
{
    enum { CHUNK = 1 << 15 };
    static uint8_t owners[CHUNK];
    double rate[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        uint64_t total = 0, start = clock_ns();
        for (size_t r = 0; r < m->target->nram; r++) {
            uint64_t pfn = m->target->ram[r].gpa >> TARGET_PAGE_SHIFT;
            uint64_t end = pfn + (m->target->ram[r].size >> TARGET_PAGE_SHIFT);
            for (; pfn < end; pfn += CHUNK) {
                size_t n = end - pfn < CHUNK ? end - pfn : CHUNK;
                die(m->ops->page_owners(m, pfn, n, owners));
                total += n;
            }
        }
        rate[i] = (double)total * 1e3 / (double)(clock_ns() - start);
        *pages = total;
    }
    return median(rate, ROUNDS);
}

/* A line of /proc/self/status in KiB. */
static long status_kib(const char *key)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtol(line + strlen(key) + 1, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

int main(int argc, char **argv)
{
    char cache[] = "/tmp/oscope-bench-XXXXXX";
    struct oscope_open_options opts = {.session = argc > 1 ? argv[1] : NULL, .no_cache = true};
    struct oscope_session *s;
    struct os_model *m;
    size_t ntasks, nthreads;
    uint64_t pages;

    die(oscope_session_open(&opts, &s));
    if (!mkdtemp(cache))
        return 1;
    double cold = open_ms(s, NULL, NULL);
    double warm = open_ms(s, cache, cache);
    struct os_open_options warm_opts = options(s, cache, cache);
    die(os_open(s->target, s->arch, &warm_opts, &m));
    double task = walk_ns(m, false, &ntasks), thread = walk_ns(m, true, &nthreads);
    long anon = status_kib("RssAnon");
    double mpages = classify_mpages(m, &pages);
    printf("{\"discovery_cold_ms\": %.3f, \"discovery_cached_ms\": %.3f, \"tasks\": %zu, "
           "\"ns_per_task\": %.1f, \"threads\": %zu, \"ns_per_thread\": %.1f, \"pages\": %llu, "
           "\"mpages_per_s\": %.1f, \"session_anon_kib\": %ld, \"peak_anon_kib\": %ld}\n",
           cold, warm, ntasks, task, nthreads, thread, (unsigned long long)pages, mpages, anon,
           status_kib("RssAnon"));
    os_close(m);
    oscope_session_close(s);
    char clean[128];
    snprintf(clean, sizeof clean, "rm -rf '%s'", cache);
    return system(clean) != 0;
}
