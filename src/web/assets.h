/* SPDX-License-Identifier: MIT */
/* The page's files, as they were bundled into the program (web/, src/web/embed.py). */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stddef.h>

struct asset {
    const char *path; /* of the request: "/app.js" */
    const char *type; /* Content-Type */
    const unsigned char *data;
    size_t size;
};

extern const struct asset assets[]; /* path NULL ends */

/* The asset of exactly that path, or NULL. */
const struct asset *asset_find(const char *path);

#endif
