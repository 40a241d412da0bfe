/* SPDX-License-Identifier: MIT */
/*
 * Addresses of sockets in strace's form. Layouts: include/uapi/linux/{un,in,in6,netlink}.h of Linux
 * 6.12, little-endian but for what is in network order. The bytes are the guest's: each length is
 * checked, and what is too short for its family is shown as it is.
 */
#include "os/linux/call_words.h"

#include "arch/syscalls.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    /* include/linux/socket.h */
    FAMILY_UNIX = 1,
    FAMILY_INET = 2,
    FAMILY_INET6 = 10,
    FAMILY_NETLINK = 16,

    FAMILY_SIZE = 2,
    INET_SIZE = 8, /* what of sockaddr_in says something */
    INET6_SIZE = 24,
    INET6_SCOPED_SIZE = 28,
    NETLINK_SIZE = 12,

    TEXT_SIZE = 4 * ARCH_SYSCALL_ADDRESS + 128,
};

static const struct trace_value families[] = {
    {0, "AF_UNSPEC"},   {1, "AF_UNIX"},    {2, "AF_INET"}, {10, "AF_INET6"},
    {16, "AF_NETLINK"}, {17, "AF_PACKET"}, {29, "AF_CAN"}, {31, "AF_BLUETOOTH"},
    {38, "AF_ALG"},     {40, "AF_VSOCK"},  {44, "AF_XDP"}, {0, NULL}};

struct bytes {
    uint8_t data[ARCH_SYSCALL_ADDRESS];
    size_t n;
};

static struct bytes bytes_of(const char *text)
{
    struct bytes b = {.n = 0};
    int c;

    while (b.n < sizeof b.data && (c = words_byte(&text)) >= 0)
        b.data[b.n++] = (uint8_t)c;
    return b;
}

static unsigned be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A path ends at a 0; a name in the abstract space begins with one, and has them. */
static void unix_text(char out[TEXT_SIZE], const char *path)
{
    const char *at = path, *end;
    bool abstract = words_byte(&at) == 0;

    if (!*path) {
        snprintf(out, TEXT_SIZE, "{sa_family=AF_UNIX}");
        return;
    }
    if (abstract)
        path = at;
    for (end = at = path; *at && (words_byte(&at) != 0 || abstract) && at != end; end = at)
        ;
    snprintf(out, TEXT_SIZE, "{sa_family=AF_UNIX, sun_path=%s\"%.*s\"}", abstract ? "@" : "",
             (int)(end - path), path);
}

static void inet6_text(char out[TEXT_SIZE], const struct bytes *b)
{
    char address[INET6_ADDRSTRLEN] = "";
    int n;

    inet_ntop(AF_INET6, b->data + 8, address, sizeof address);
    n = snprintf(out, TEXT_SIZE,
                 "{sa_family=AF_INET6, sin6_port=htons(%u), sin6_flowinfo=htonl(%" PRIu32 "), "
                 "inet_pton(AF_INET6, \"%s\", &sin6_addr)",
                 be16(b->data + 2), (uint32_t)be16(b->data + 4) << 16 | be16(b->data + 6), address);
    if (b->n >= INET6_SCOPED_SIZE)
        n += snprintf(out + n, TEXT_SIZE - (size_t)n, ", sin6_scope_id=%" PRIu32,
                      le32(b->data + 24));
    snprintf(out + n, TEXT_SIZE - (size_t)n, "}");
}

/* Another family, or too short for its own: the text of the bytes behind the family's. */
static void other_text(char out[TEXT_SIZE], unsigned family, const char *text)
{
    const char *name = words_value(families, family);

    if (name)
        snprintf(out, TEXT_SIZE, "{sa_family=%s, sa_data=\"%s\"}", name, text);
    else
        snprintf(out, TEXT_SIZE, "{sa_family=%u, sa_data=\"%s\"}", family, text);
}

const char *linux_sockaddr(struct os_words *w, const char *text, uint64_t given)
{
    const char *rest = text;
    char out[TEXT_SIZE], address[INET_ADDRSTRLEN] = "";
    struct bytes b = bytes_of(text);

    if (!strcmp(text, "\\0"))
        return words_keep(w, "NULL");
    if (b.n < FAMILY_SIZE) {
        snprintf(out, sizeof out, "\"%s\"%s", text, given > b.n ? "..." : "");
        return words_keep(w, out);
    }
    unsigned family = b.data[0] | (unsigned)b.data[1] << 8;
    words_byte(&rest);
    words_byte(&rest);
    if (family == FAMILY_UNIX) {
        unix_text(out, rest);
    } else if (family == FAMILY_INET && b.n >= INET_SIZE) {
        inet_ntop(AF_INET, b.data + 4, address, sizeof address);
        snprintf(out, sizeof out,
                 "{sa_family=AF_INET, sin_port=htons(%u), sin_addr=inet_addr(\"%s\")}",
                 be16(b.data + 2), address);
    } else if (family == FAMILY_INET6 && b.n >= INET6_SIZE) {
        inet6_text(out, &b);
    } else if (family == FAMILY_NETLINK && b.n >= NETLINK_SIZE) {
        snprintf(out, sizeof out,
                 "{sa_family=AF_NETLINK, nl_pid=%" PRIu32 ", nl_groups=%08" PRIx32 "}",
                 le32(b.data + 4), le32(b.data + 8));
    } else {
        other_text(out, family, rest);
    }
    return words_keep(w, out);
}
