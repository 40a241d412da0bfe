/* SPDX-License-Identifier: MIT */
/*
 * Where the guest's serial ports go, and whether somebody could connect there: QEMU's list of
 * character devices (query-chardev) tells what is behind each, its command line which of them are
 * serial ports. Names as QEMU makes them: "serialN" for -serial (system/vl.c), else the id of
 * -serial chardev:ID; "pty:/dev/pts/3" (chardev/char-pty.c); "unix:PATH,server=on", with
 * "disconnected:" in front while nobody is there (chardev/char-socket.c); "mux" for what is shared.
 */
#include "session/devices.h"

#include "base/util.h"
#include "session/private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

enum { PORTS_MAX = 16, CMDLINE_MAX = 1 << 16 };

/* ---- which of them are serial ports ---- */

/* QEMU's command line, its words ended by 0 each; NULL: it can't be read. */
static char *read_words(pid_t pid, size_t *n)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : calloc(1, CMDLINE_MAX + 1);
    *n = 0;
    for (ssize_t got; text && *n < CMDLINE_MAX; *n += (size_t)got)
        if ((got = read(fd, text + *n, CMDLINE_MAX - *n)) <= 0)
            break;
    return text;
}

/* -serial chardev:LABEL */
static bool named_serial(const char *words, size_t n, const char *label)
{
    bool serial = false;

    for (const char *w = words; w && w < words + n; w += strlen(w) + 1) {
        if (serial && !strncmp(w, "chardev:", 8) && !strcmp(w + 8, label))
            return true;
        serial = !strcmp(w, "-serial") || !strcmp(w, "--serial");
    }
    return false;
}

bool serial_is_port(const char *words, size_t n, const char *label)
{
    bool number = !strncmp(label, "serial", 6) && label[6] &&
                  strspn(label + 6, "0123456789") == strlen(label + 6);

    return number || named_serial(words, n, label);
}

/* ---- what is behind one ---- */

/* Has another process than QEMU the terminal open? Those that we may look into. */
static bool pty_taken(const char *path, pid_t qemu)
{
    DIR *proc = opendir("/proc");
    bool taken = false;

    for (struct dirent *p; proc && !taken && (p = readdir(proc));) {
        char dir[64], link[256];
        int pid = atoi(p->d_name);
        if (pid <= 0 || pid == qemu || pid == getpid())
            continue;
        snprintf(dir, sizeof dir, "/proc/%d/fd", pid);
        DIR *d = opendir(dir);
        for (struct dirent *e; d && !taken && (e = readdir(d));) {
            ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
            link[MAX(n, 0)] = '\0';
            taken = !strcmp(link, path);
        }
        if (d)
            closedir(d);
    }
    if (proc)
        closedir(proc);
    return taken;
}

/* A path of QEMU's, relative to where QEMU runs. */
static void set_path(struct oscope_serial_port *p, const char *path, size_t n, pid_t qemu)
{
    if (*path == '/')
        snprintf(p->path, sizeof p->path, "%.*s", (int)n, path);
    else
        snprintf(p->path, sizeof p->path, "/proc/%d/cwd/%.*s", (int)qemu, (int)n, path);
}

void serial_look(struct oscope_serial_port *p, const char *file, pid_t qemu)
{
    static const char gone[] = "disconnected:";
    static const struct {
        const char *file, *kind, *why;
    } others[] = {
        {"mux", "shared", "it is shared with QEMU's monitor"},
        {"stdio", "terminal",
         "it is QEMU's standard input and output, the terminal it was started "
         "in"},
        {"vc", "window", "it is in QEMU's window"},
        {"null", "nothing", "it leads nowhere"},
        {"file", "file", "it is written to a file"},
        {"telnet", "telnet", "telnet is not spoken here"},
        {"tcp", "TCP socket", "of sockets only those with a path are opened"},
    };
    bool alone = !strncmp(file, gone, sizeof gone - 1);

    file += alone ? sizeof gone - 1 : 0;
    p->kind = "other";
    p->why = "nobody can connect there";
    if (!strncmp(file, "pty:", 4)) {
        p->kind = "pty";
        set_path(p, file + 4, strlen(file + 4), qemu);
        p->free = !pty_taken(p->path, qemu);
        p->why = p->free ? NULL : "another program has it open";
    } else if (!strncmp(file, "unix:", 5)) {
        p->kind = "socket";
        set_path(p, file + 5, strcspn(file + 5, ","), qemu);
        p->free = alone && strstr(file, "server=on");
        p->why = p->free ? NULL : "somebody is connected there already";
    } else {
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
            if (!strncmp(file, others[i].file, strlen(others[i].file))) {
                p->kind = others[i].kind;
                p->why = others[i].why;
            }
    }
}

struct oscope_error *session_serial(struct oscope_session *s, struct os_list *l)
{
    pid_t qemu;
    size_t n;
    json_t *answer;

    TRY(session_need_qemu(s, "a dump has no serial ports", "serial ports"));
    TRY(broker_call(&s->own->link, "chardevs", BROKER_TIMEOUT_MS, &answer));
    qemu = s->own->desc.pid;
    AUTO_FREE char *words = read_words(qemu, &n);
    const json_t *all = json_object_get(answer, "chardevs");
    struct oscope_error *err = NULL;
    for (size_t i = 0; i < json_array_size(all) && !err && l->n < PORTS_MAX; i++) {
        const char *label = json_string_value(json_array_get(json_array_get(all, i), 0));
        const char *file = json_string_value(json_array_get(json_array_get(all, i), 1));
        if (!label || !file || !serial_is_port(words, n, label))
            continue;
        struct oscope_serial_port *p = os_list_add(l);
        if (!p) {
            err = error_nomem();
            continue;
        }
        *p = (struct oscope_serial_port){0};
        str_copy(p->label, sizeof p->label, label);
        serial_look(p, file, qemu);
    }
    json_decref(answer);
    return err;
}
