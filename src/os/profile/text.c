/* SPDX-License-Identifier: MIT */
/* Lines of a profile: see text.h. The file is the user's, or anybody's: all lengths are bounded. */
#include "os/profile/text.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct reader {
    struct profile_text *out;
    const char *section;
    unsigned line;
};

static struct oscope_error *wrong(const struct reader *r, const char *what)
{
    return error_new(OSCOPE_E_USAGE, "%s:%u: %s", r->out->file, r->line, what);
}

/* Without blanks around it. */
static void strip(const char **s, size_t *n)
{
    while (*n && isspace((unsigned char)**s))
        ++*s, --*n;
    while (*n && isspace((unsigned char)(*s)[*n - 1]))
        --*n;
}

/* Cuts a comment off: '#' at the start, or behind two blanks or a tab. */
static size_t without_comment(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool blanks = i == 0 || s[i - 1] == '\t' ||
                      (s[i - 1] == ' ' && (i == 1 || isspace((unsigned char)s[i - 2])));
        if (s[i] == '#' && blanks)
            return i;
    }
    return n;
}

static bool is_key(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && s[i] != '_' && s[i] != '-' && s[i] != '.' &&
            s[i] != ':')
            return false;
    return n > 0;
}

static struct oscope_error *read_section(struct reader *r, const char *s, size_t n)
{
    if (n < 3 || s[n - 1] != ']' || !is_key(s + 1, n - 2))
        return wrong(r, "a section is '[NAME]'");
    r->section = arena_strndup(&r->out->memory, s + 1, n - 2);
    return r->section ? NULL : error_nomem();
}

static struct oscope_error *read_entry(struct reader *r, const char *s, size_t n)
{
    const char *equals = memchr(s, '=', n), *key = s, *value = equals ? equals + 1 : NULL;

    if (!equals)
        return wrong(r, "'KEY = VALUE' or '[SECTION]' expected");
    size_t key_n = (size_t)(equals - s), value_n = n - key_n - 1;
    strip(&key, &key_n);
    strip(&value, &value_n);
    if (!is_key(key, key_n))
        return wrong(r, "a key has letters, digits, '_', '-', '.' and ':' only");
    if (!r->section)
        return wrong(r, "a '[SECTION]' must come first");
    struct profile_entry e = {.section = r->section,
                              .key = arena_strndup(&r->out->memory, key, key_n),
                              .value = arena_strndup(&r->out->memory, value, value_n),
                              .line = r->line};
    if (!e.key || !e.value)
        return error_nomem();
    const struct profile_entry *before = profile_text_find(r->out, e.section, e.key);
    if (before)
        return error_new(OSCOPE_E_USAGE, "%s:%u: '%s' of [%s] stands in line %u already",
                         r->out->file, r->line, e.key, e.section, before->line);
    return vec_push(&r->out->entries, e) ? NULL : error_nomem();
}

/* An indented line goes on with the value before. */
static struct oscope_error *read_more(struct reader *r, const char *s, size_t n)
{
    if (!r->out->entries.len)
        return wrong(r, "an indented line goes on with a value, and there is none");
    struct profile_entry *e = &r->out->entries.data[r->out->entries.len - 1];
    if (strlen(e->value) + n >= PROFILE_VALUE_MAX)
        return wrong(r, "the value is too long");
    e->value =
        arena_printf(&r->out->memory, "%s%s%.*s", e->value, e->value[0] ? " " : "", (int)n, s);
    return e->value ? NULL : error_nomem();
}

static struct oscope_error *read_line(struct reader *r, const char *s, size_t n)
{
    bool indented = n && isspace((unsigned char)s[0]);

    if (memchr(s, '\0', n))
        return wrong(r, "a zero byte: this is no text");
    n = without_comment(s, n);
    strip(&s, &n);
    if (!n)
        return NULL;
    if (n > PROFILE_VALUE_MAX)
        return wrong(r, "the line is too long");
    if (s[0] == '[')
        return read_section(r, s, n);
    return indented ? read_more(r, s, n) : read_entry(r, s, n);
}

struct oscope_error *profile_text_parse(const char *file, const char *bytes, size_t n,
                                        struct profile_text *out)
{
    struct reader r = {.out = out};
    struct oscope_error *err = NULL;

    *out = (struct profile_text){.file = file};
    if (!(out->file = arena_strdup(&out->memory, file)))
        return error_nomem();
    if (n > PROFILE_BYTES_MAX)
        err = error_new(OSCOPE_E_USAGE, "'%s' is too large for a profile", file);
    for (size_t at = 0; !err && at < n;) {
        const char *end = memchr(bytes + at, '\n', n - at);
        size_t len = end ? (size_t)(end - bytes) - at : n - at;
        if (++r.line > PROFILE_LINES_MAX)
            err = wrong(&r, "too many lines");
        else
            err = read_line(&r, bytes + at, len);
        at += len + 1;
    }
    if (err)
        profile_text_free(out);
    return err;
}

struct oscope_error *profile_text_read(const char *path, struct profile_text *out)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    AUTO_FREE char *bytes = NULL;
    struct stat st;

    if (fd < 0 || fstat(fd, &st))
        return error_errno(errno, "profile '%s'", path);
    if (!S_ISREG(st.st_mode) || st.st_size > PROFILE_BYTES_MAX)
        return error_new(OSCOPE_E_USAGE, "'%s' is no profile: %s", path,
                         S_ISREG(st.st_mode) ? "it is too large" : "no file");
    if (!(bytes = malloc((size_t)st.st_size + 1)))
        return error_nomem();
    ssize_t n = read(fd, bytes, (size_t)st.st_size);
    if (n < 0)
        return error_errno(errno, "read '%s'", path);
    return profile_text_parse(path, bytes, (size_t)n, out);
}

void profile_text_free(struct profile_text *t)
{
    vec_free(&t->entries);
    arena_free(&t->memory);
    *t = (struct profile_text){0};
}

const struct profile_entry *profile_text_find(const struct profile_text *t, const char *section,
                                              const char *key)
{
    for (size_t i = 0; i < t->entries.len; i++) {
        const struct profile_entry *e = &t->entries.data[i];
        if (!strcmp(e->section, section) && !strcmp(e->key, key))
            return e;
    }
    return NULL;
}

struct oscope_error *profile_at(const struct profile_text *t, const struct profile_entry *e,
                                struct oscope_error *err)
{
    return error_prefix(err, "%s:%u: %s", t->file, e->line, e->key);
}
