/* SPDX-License-Identifier: MIT */
/* Guest strings as valid, harmless UTF-8. */
#include "export/text.h"

/*
 * Bytes of the character at s (n left), 0 if it is none or a control character. Well-formed
 * sequences: The Unicode Standard, table 3-7.
 */
static size_t character(const uint8_t *s, size_t n)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t len;

    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7f;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    switch (s[0]) {
    case 0xc2: low = 0xa0; break;  /* below: C1 controls */
    case 0xe0: low = 0xa0; break;  /* overlong */
    case 0xed: high = 0x9f; break; /* surrogates */
    case 0xf0: low = 0x90; break;
    case 0xf4: high = 0x8f; break;
    }
    if (n < len || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    return len;
}

size_t export_text(char *dst, size_t cap, const char *s, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    size_t out = 0;

    n = strnlen(s, n);
    for (size_t i = 0; i < n;) {
        uint8_t b = (uint8_t)s[i];
        size_t len = character((const uint8_t *)s + i, n - i);
        if (cap - out <= (len ? len : 4))
            break;
        if (len) {
            memcpy(dst + out, s + i, len);
            out += len;
            i += len;
        } else {
            const char escape[4] = {'\\', 'x', digits[b >> 4], digits[b & 15]};
            memcpy(dst + out, escape, 4);
            out += 4;
            i++;
        }
    }
    dst[out] = '\0';
    return out;
}
