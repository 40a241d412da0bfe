/* SPDX-License-Identifier: MIT */
#include "tui/save.h"

#include "collect/collect.h"

#include "base/error.h"
#include "base/util.h"
#include "draw/render.h"
#include "draw/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

struct oscope_error *save_views(const char *name, const struct collect_status *status,
                                const struct oscope_view *const *views, size_t n, char *path,
                                size_t size)
{
    struct render_options r = {.json = true};
    time_t now = time(NULL);
    struct tm t;
    struct out o;
    char when[32];

    strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime_r(&now, &t));
    snprintf(path, size, "oscope-%s-%s.json", name, when);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno == EEXIST ? error_new(OSCOPE_E_BUSY, "%s is there already", path)
                               : error_errno(errno, "%s", path);
    out_init(&o, fd);
    out_printf(&o,
               "{\n\"top\": {\"lost_events\": %" PRIu64 ", \"lost_packets\": %" PRIu64
               ", \"behind\": %" PRIu64 "}",
               status->lost_events, status->lost_packets, status->behind);
    for (size_t i = 0; i < n; i++) {
        out_str(&o, ",\n");
        text_json(&o, views[i]->name, strlen(views[i]->name));
        out_str(&o, ": ");
        render_json(&o, views[i], &r);
    }
    out_str(&o, "}\n");
    bool written = out_flush(&o);
    int error = o.error;
    out_free(&o);
    return written ? NULL : error_errno(error, "%s", path);
}
