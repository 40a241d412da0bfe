/* SPDX-License-Identifier: MIT */
/* The other side of the GDB protocol, written on its own: nothing of target/gdb_packet.c but the
 * list of what may be sent is used here. */
#include "fake_gdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "target/gdb_packet.h"

enum { RAM = 64 << 10 };
#define BASE UINT64_C(0x80000000)

/* ---- sending ---- */

static void send_all(struct fake_gdb *f, const char *data, size_t n)
{
    while (n) {
        ssize_t w = send(f->fd, data, n, MSG_NOSIGNAL);
        if (w <= 0)
            return;
        data += w, n -= (size_t)w;
    }
}

static void send_packet(struct fake_gdb *f, const char *text, bool damage)
{
    unsigned sum = damage;
    char tail[8];

    for (const char *p = text; *p; p++)
        sum += (unsigned char)*p;
    snprintf(tail, sizeof tail, "#%02x", sum & 255);
    if (f->mode == FAKE_NOTIFIES)
        send_all(f, "noise%Stop:T05thread:1;#d9", 26);
    send_all(f, "$", 1);
    send_all(f, text, strlen(text));
    send_all(f, tail, 3);
}

/* An answer, once more for each '-'. */
static void answer(struct fake_gdb *f, const char *text)
{
    bool damage = f->mode == FAKE_DAMAGED_ONCE && f->answers++ % 2;
    char c = '-';

    send_packet(f, text, damage);
    while (!f->no_ack && recv(f->fd, &c, 1, 0) == 1 && c == '-')
        send_packet(f, text, false);
}

/* ---- memory ---- */

static void answer_memory(struct fake_gdb *f, const char *request)
{
    unsigned long long address = 0;
    size_t n = 0, most = f->mode == FAKE_SHORT ? 1 : 2048;
    static char text[600000];

    if (sscanf(request, "m%llx,%zx", &address, &n) != 2 || address < BASE ||
        address - BASE >= RAM || n > BASE + RAM - address || !f->physical) {
        answer(f, "E14");
        return;
    }
    n = n < most ? n : most;
    if (f->mode == FAKE_TOO_MUCH)
        n *= 2;
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", fake_gdb_byte(address - BASE + i));
    switch (f->mode) {
    case FAKE_NO_HEX: answer(f, "0123zz"); break;
    case FAKE_ERROR: answer(f, "E14"); break;
    case FAKE_MUTE: break;
    case FAKE_HALF:
        send_all(f, "$0011", 5);
        shutdown(f->fd, SHUT_RDWR);
        break;
    case FAKE_BOMB:
        strcpy(text, "0");
        for (int i = 0; i < 20000; i++)
            strcat(text + 2 * i, "*~");
        answer(f, text);
        break;
    case FAKE_ENDLESS_PACKET:
        memset(text, '0', sizeof text);
        send_all(f, "$", 1);
        for (int i = 0; i < 8; i++)
            send_all(f, text, sizeof text);
        break;
    case FAKE_DAMAGED:
        for (char c = '-'; c == '-';) {
            send_packet(f, text, true);
            if (recv(f->fd, &c, 1, 0) != 1)
                break;
        }
        break;
    default: answer(f, text); break;
    }
}

/* ---- descriptions ---- */

static const char *document(const struct fake_gdb *f, const char *name)
{
    static char many[600000];

    if (!strcmp(name, "core.xml"))
        return "<?xml version=\"1.0\"?><!DOCTYPE feature SYSTEM \"gdb-target.dtd\">"
               "<feature name=\"org.gnu.gdb.riscv.cpu\"><reg name=\"zero\" bitsize=\"64\"/>"
               "<reg name=\"ra\" bitsize=\"64\"/><reg name=\"sp\" bitsize=\"64\"/>"
               "<reg name=\"PC\" bitsize=\"64\" regnum=\"32\"/></feature>";
    if (!strcmp(name, "csr.xml"))
        return "<feature name=\"org.gnu.gdb.riscv.csr\">"
               "<reg name=\"satp\" bitsize=\"64\" regnum=\"449\"/>"
               "<reg name=\"cycle\" bitsize=\"64\" regnum=\"3137\"/></feature>";
    if (strcmp(name, "target.xml") != 0)
        return NULL;
    switch (f->mode) {
    case FAKE_XML_CYCLE: return "<target><xi:include href=\"target.xml\"/></target>";
    case FAKE_XML_ENTITY:
        return "<!DOCTYPE t [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><target>&b;</target>";
    case FAKE_XML_BROKEN: return "<target><feature></target>";
    case FAKE_XML_MANY:
        strcpy(many, "<target>");
        for (size_t i = 0, at = 8; i < 9000; i++, at += 31)
            strcpy(many + at, "<reg name=\"r\" bitsize=\"64\"/>   ");
        return strcat(many + 8 + 9000 * 31, "</target>"), many;
    default:
        return "<?xml version=\"1.0\"?><target><architecture>riscv:rv64</architecture>"
               "<xi:include href=\"core.xml\"/><xi:include href=\"csr.xml\"/></target>";
    }
}

static void answer_document(struct fake_gdb *f, const char *text, const char *range)
{
    unsigned at = 0, n = 0;
    char part[4096];

    if (!text || sscanf(range, "%x,%x", &at, &n) != 2 || at > strlen(text)) {
        answer(f, "E00");
        return;
    }
    size_t left = strlen(text + at), most = f->mode == FAKE_XML_MANY ? 4000 : 100;
    n = n < most ? n : (unsigned)most;
    snprintf(part, sizeof part, "%c%.*s", left > n ? 'm' : 'l', (int)n, text + at);
    answer(f, part);
}

static void answer_features(struct fake_gdb *f, const char *rest)
{
    char name[32];
    const char *colon = strchr(rest, ':');

    if (f->mode == FAKE_XML_ENDLESS) {
        char part[4000];
        snprintf(part, sizeof part, "m%*s", (int)sizeof part - 2, "");
        answer(f, part);
        return;
    }
    snprintf(name, sizeof name, "%.*s", colon ? (int)(colon - rest) : 0, rest);
    answer_document(f, document(f, name), colon ? colon + 1 : "");
}

/* ---- the rest ---- */

static void answer_registers(struct fake_gdb *f)
{
    /* zero, ra (not known), sp, pc: 0x1122, 0x80001000 */
    if (f->mode == FAKE_REGS_WRONG)
        answer(f, "00112z");
    else if (f->mode == FAKE_REGS_SHORT)
        answer(f, "");
    else
        answer(f, "0000000000000000xxxxxxxxxxxxxxxx2211000000000000"
                  "0010008000000000");
}

static void answer_register(struct fake_gdb *f, const char *number)
{
    unsigned n = (unsigned)strtoul(number, NULL, 16);

    answer(f, n == 0     ? "0000000000000000"
              : n == 449 ? "efbeadde000000a0"
              : n == 32  ? "0010008000000000"
              : n == 2   ? "2211000000000000"
                         : "E14");
}

static void answer_supported(struct fake_gdb *f)
{
    char text[160];

    snprintf(text, sizeof text, "PacketSize=%s;junk;%s%s%s",
             f->mode == FAKE_HUGE_SIZE   ? "ffffffffffffffffff"
             : f->mode == FAKE_TINY_SIZE ? "1"
                                         : "1000",
             f->mode == FAKE_PLAIN ? "" : "qXfer:features:read+;",
             f->mode == FAKE_NO_ACK ? "QStartNoAckMode+;" : "",
             f->mode == FAKE_MAP ? "qXfer:memory-map:read+" : "");
    answer(f, text);
}

static void answer_threads(struct fake_gdb *f, bool first)
{
    if (f->mode == FAKE_PLAIN)
        answer(f, "");
    else if (f->mode == FAKE_THREADS_ODD)
        answer(f, "m1;;2");
    else if (f->mode == FAKE_THREADS_ENDLESS)
        answer(f, "m1");
    else if (f->mode == FAKE_PROCESSES)
        answer(f, first ? "mp02.01,p02.02" : "l");
    else
        answer(f, first ? "m1,2" : "l");
}

static void answer_detach(struct fake_gdb *f, const char *rest)
{
    bool right = !strcmp(rest, f->mode == FAKE_PROCESSES ? ";02" : "");

    f->detached += right;
    f->running |= right;
    answer(f, right ? "OK" : "E22");
}

static void answer_physical(struct fake_gdb *f, const char *request)
{
    if (f->mode == FAKE_PLAIN) {
        answer(f, "");
    } else if (request[0] == 'q') {
        answer(f, f->physical ? "1" : "0");
    } else {
        f->physical = request[strlen(request) - 1] == '1';
        answer(f, "OK");
    }
}

static bool starts(const char *text, const char *with, const char **rest)
{
    *rest = text + strlen(with);
    return !strncmp(text, with, strlen(with));
}

static void handle(struct fake_gdb *f, const char *request)
{
    static const char map[] =
        "<memory-map><memory type=\"ram\" start=\"0x80000000\" length=\"0x10000\"/>"
        "<memory type=\"flash\" start=\"0\" length=\"0x1000\"/></memory-map>";
    const char *rest;

    if (!strcmp(request, "?"))
        answer(f, f->mode == FAKE_EXITED ? "W00" : "T05thread:1;");
    else if (starts(request, "qSupported", &rest))
        answer_supported(f);
    else if (!strcmp(request, "QStartNoAckMode"))
        answer(f, "OK"), f->no_ack = true;
    else if (starts(request, "qXfer:features:read:", &rest))
        answer_features(f, rest);
    else if (starts(request, "qXfer:memory-map:read::", &rest))
        answer_document(f, map, rest);
    else if (!strcmp(request, "qfThreadInfo") || !strcmp(request, "qsThreadInfo"))
        answer_threads(f, request[1] == 'f');
    else if (!strcmp(request, "qC"))
        answer(f, f->mode == FAKE_PROCESSES ? "QCp02.01" : "QC1");
    else if (starts(request, "qThreadExtraInfo,2", &rest))
        answer(f, "4350552331205b68616c746564205d"); /* CPU#1 [halted ] */
    else if (starts(request, "Hg", &rest))
        answer(f, f->mode == FAKE_PLAIN ? "" : "OK");
    else if (!strcmp(request, "g"))
        answer_registers(f);
    else if (starts(request, "p", &rest))
        answer_register(f, rest);
    else if (starts(request, "m", &rest))
        answer_memory(f, request);
    else if (strstr(request, "PhyMemMode"))
        answer_physical(f, request);
    else if (starts(request, "D", &rest))
        answer_detach(f, rest);
    else
        answer(f, "");
}

/* ---- receiving ---- */

/* The next request; false when the client is gone. */
static bool receive(struct fake_gdb *f, char *out, size_t n)
{
    unsigned sum = 0, want;
    char c, tail[3] = "";
    size_t len = 0;

    do {
        if (recv(f->fd, &c, 1, 0) != 1)
            return false;
        if (c == 3) {
            if (f->mode == FAKE_RUNS_ON) { /* to the "?" that it did not answer, too: at once */
                f->running = false;
                send_packet(f, "T02thread:1;", false);
            }
            answer(f, "T02thread:1;");
            if (f->mode == FAKE_RUNS_ON && !f->no_ack && recv(f->fd, &c, 1, 0) != 1)
                return false;
        }
    } while (c != '$');
    while (recv(f->fd, &c, 1, 0) == 1 && c != '#') {
        sum += (unsigned char)c;
        if (len + 1 < n)
            out[len++] = c;
    }
    out[len] = '\0';
    if (recv(f->fd, tail, 2, MSG_WAITALL) != 2)
        return false;
    want = (unsigned)strtoul(tail, NULL, 16);
    if (!f->no_ack)
        send_all(f, want == (sum & 255) ? "+" : "-", 1);
    return true;
}

static void serve(struct fake_gdb *f)
{
    char request[512];

    pthread_mutex_lock(&f->lock);
    f->clients++;
    f->no_ack = false;
    f->running = f->mode == FAKE_RUNS_ON;
    while (receive(f, request, sizeof request)) {
        f->requests++;
        f->forbidden |= !gdb_allowed(request);
        if (f->mode == FAKE_SILENT || (f->running && !strcmp(request, "?")))
            continue;
        if (f->mode == FAKE_REFUSES && request[0] == 'm')
            send_all(f, "-", 1);
        else
            handle(f, request);
    }
    pthread_mutex_unlock(&f->lock);
}

static void *serve_all(void *arg)
{
    struct fake_gdb *f = arg;

    while ((f->fd = accept(f->listen_fd, NULL, NULL)) >= 0) {
        serve(f);
        close(f->fd);
    }
    return NULL;
}

void fake_gdb_begin(struct fake_gdb *f, enum fake_gdb_mode mode)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    *f = (struct fake_gdb){.mode = mode, .dir = "/tmp/fake_gdb.XXXXXX", .running = true};
    pthread_mutex_init(&f->lock, NULL);
    if (!mkdtemp(f->dir))
        abort();
    snprintf(f->path, sizeof f->path, "%s/stub", f->dir);
    memcpy(addr.sun_path, f->path, strlen(f->path) + 1);
    f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (f->listen_fd < 0 || bind(f->listen_fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
        listen(f->listen_fd, 4) < 0 || pthread_create(&f->thread, NULL, serve_all, f))
        abort();
}

void fake_gdb_quiet(struct fake_gdb *f)
{
    pthread_mutex_lock(&f->lock);
    pthread_mutex_unlock(&f->lock);
}

void fake_gdb_end(struct fake_gdb *f)
{
    shutdown(f->listen_fd, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->listen_fd);
    unlink(f->path);
    rmdir(f->dir);
    pthread_mutex_destroy(&f->lock);
}
