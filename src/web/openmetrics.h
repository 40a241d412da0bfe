/* SPDX-License-Identifier: MIT */
/*
 * The text of /metrics: OpenMetrics 1.0 (prometheus.io/docs/specs/om/open_metrics_spec). All
 * samples of a family stand together, after the lines that say what it is; a "# EOF" line ends all.
 */
#ifndef WEB_OPENMETRICS_H
#define WEB_OPENMETRICS_H

#include "draw/out.h"

#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum openmetrics_type { OPENMETRICS_GAUGE, OPENMETRICS_COUNTER, OPENMETRICS_INFO };

struct openmetrics_family {
    const char *name; /* without "_total", "_info"; ends with "_" and the unit, if there is one */
    enum openmetrics_type type;
    const char *unit; /* "" none; "seconds": values are given in ns */
    const char *help; /* one line, no backslash or quote */
};

/* What the family is. */
void openmetrics_begin(struct out *o, const struct openmetrics_family *f);
/* One sample of it; labels: of openmetrics_label(), or "". */
void openmetrics_sample(struct out *o, const struct openmetrics_family *f, const char *labels,
                        uint64_t value);
void openmetrics_end(struct out *o);

enum { OPENMETRICS_VALUE = 128 }; /* bytes of a label's value; the rest is cut off */
/*
 * Appends NAME="value", with a comma if o is not empty. The value may come from the guest: what is
 * no UTF-8, or would move a terminal, becomes \xNN as text. NULL: "".
 */
void openmetrics_label(struct out *o, const char *name, const char *value);
void openmetrics_label_number(struct out *o, const char *name, uint64_t value);

#endif
