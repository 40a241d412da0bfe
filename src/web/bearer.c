/* SPDX-License-Identifier: MIT */
/* The file with the token of who scrapes: see web.h. */
#include "web/web.h"

#include "base/error.h"
#include "base/util.h"
#include "web/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct oscope_error *web_bearer(const char *file, char **out)
{
    AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char text[GATE_BEARER + 2]; /* a line feed, and one byte that is too many */
    struct stat st;

    *out = NULL;
    if (fd < 0 || fstat(fd, &st))
        return error_errno(errno, "%s", file);
    if (st.st_mode & S_IRWXO)
        return error_hint(error_new(OSCOPE_E_PERMISSION, "%s: everybody can read it", file),
                          "chmod o= %s", file);
    ssize_t n = read(fd, text, sizeof text - 1);
    if (n < 0)
        return error_errno(errno, "%s", file);
    text[n] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (!gate_bearer_ok(text))
        return error_hint(error_new(OSCOPE_E_BAD_DATA,
                                    "%s: no token of %d to %d letters, digits and -._~+/=", file,
                                    GATE_BEARER_MIN, GATE_BEARER - 1),
                          "openssl rand -hex 32 > %s", file);
    return (*out = strdup(text)) ? NULL : error_nomem();
}
