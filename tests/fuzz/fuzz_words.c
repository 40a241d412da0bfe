/* SPDX-License-Identifier: MIT */
/*
 * What is said of a system call's event, whatever its fields hold. Input: byte 0 which event, byte
 * 1 the room for words (times 16), byte 2: bit 0 partial; then fields: a byte 0 to 7 and 8 bytes
 * are a number, any other begins a text, up to a 0. Texts are printable, as events have them; so
 * must be what is said.
 */
#include "fuzz.h"

#include "os/model.h"
#include "os/words.h"

#include <oscope/events.h>

static void check(const char *text, const char *buf, size_t room)
{
    if (!text)
        return;
    if (text >= buf && text < buf + room && !memchr(text, 0, (size_t)(buf + room - text)))
        abort();
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            abort();
}

/* The field at data; how many bytes it took. */
static size_t read_field(struct oscope_field *f, const uint8_t *data, size_t size, char *text)
{
    size_t n = 1;

    *f = (struct oscope_field){.name = "flags",
                               .kind = data[0] & 1 ? OSCOPE_FIELD_HEX : OSCOPE_FIELD_UINT};
    if (data[0] < 8) {
        for (; n < size && n < 9; n++)
            f->value.u = f->value.u << 8 | data[n];
        return n;
    }
    for (n = 0; n < size && data[n]; n++)
        text[n] = data[n] >= ' ' && data[n] <= '~' ? (char)data[n] : '?';
    text[n] = '\0';
    f->kind = OSCOPE_FIELD_TEXT;
    f->value.text = text;
    return n + (n < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "syscall_entry_openat", "syscall_entry_renameat2", "syscall_entry_execve",
        "syscall_entry_writev", "syscall_entry_sendmsg",   "syscall_entry_connect",
        "syscall_entry_sendto", "syscall_exit_readv",      "syscall_exit_recvmsg",
        "syscall_exit_read",    "syscall_exit_mmap",       "syscall_entry_unknown",
        "syscall_entry_mmap",   "syscall_entry_",          "syscall_exit_x",
    };
    static struct oscope_event e;
    size_t used = 0;

    if (size < 3 || size > 2048)
        return 0;
    size_t room = 16u * data[1];
    char *buf = malloc(room + 1), *texts = malloc(2 * size);
    struct os_words w = {buf, room};
    e = (struct oscope_event){.name = names[data[0] % (sizeof names / sizeof *names)],
                              .partial = data[2] & 1};
    for (size_t at = 3; at < size && e.nfields < OSCOPE_FIELDS_MAX; e.nfields++) {
        struct oscope_field *f = &e.fields[e.nfields];
        at += read_field(f, data + at, size - at, texts + used);
        if (f->kind == OSCOPE_FIELD_TEXT)
            used += strlen(texts + used) + 1;
    }
    os_find("linux")->call_words(&e, &w);
    for (size_t i = 0; i < e.nfields; i++) {
        check(e.fields[i].meaning, buf, room);
        check(e.fields[i].detail, buf, room);
    }
    free(buf);
    free(texts);
    return 0;
}
