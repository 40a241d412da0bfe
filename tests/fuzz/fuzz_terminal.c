/* SPDX-License-Identifier: MIT */
/* A guest's console: any bytes, in pieces whose lengths the first byte of each tells. */
#include "fuzz.h"

#include "base/util.h"
#include "tui/terminal.h"

/* The screen draws nowhere; what comes here must be safe. */
bool screen_utf8(const struct screen *s)
{
    return s != NULL;
}

int screen_put(struct screen *s, struct area a, int y, int x, int cells, struct ink ink,
               const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f || y < 0 || y >= a.h || x >= a.w)
            abort();
    return cells;
}

void screen_cursor(struct screen *s, int y, int x)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct terminal *t = terminal_new();
    char bytes[64], text[512];
    int back = 0;

    for (size_t at = 0; at < size;) {
        size_t n = MIN((size_t)data[at] + 1, size - at - 1);
        terminal_write(t, (const char *)data + at + 1, n);
        if (data[at] & 1)
            terminal_take(t, bytes, sizeof bytes);
        at += n + 1;
    }
    terminal_draw(NULL, (struct area){0, 0, 10, 80}, t, &back, true);
    back = 30;
    terminal_draw((struct screen *)text, (struct area){0, 0, 40, 60}, t, &back, true);
    terminal_text(t, 0, text, sizeof text);
    terminal_free(t);
    return 0;
}
