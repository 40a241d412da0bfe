/* SPDX-License-Identifier: MIT */
/* The shell: one line, one command. `help` lists them. */
#include "user.h"

static const char *const help =
    "ps | stats | mem | locks     what the kernel knows\n"
    "run PROGRAM [ARGS] [&]       forkstorm syscalls sleepers toucher pingpong spinner crash\n"
    "trouble NAME [ARGS]          deadlock leak lostwake inversion sharing faultloop storm\n"
    "trouble NAME off             the kernel does it right again\n"
    "kill PID | halt | reboot | help\n";

/* Runs it; a '&' at the end of its arguments: does not wait for it. */
static void run(const char *name, const char *args)
{
    char copy[128];
    copy_name(copy, args, sizeof(copy));
    size_t n = strlen(copy);
    while (n && (copy[n - 1] == ' ' || copy[n - 1] == '\n'))
        copy[--n] = '\0';
    bool background = n && copy[n - 1] == '&';
    if (background)
        copy[n - 1] = '\0';
    int pid = spawn(name, copy), status = 0, ended;
    if (background)
        return;
    do
        ended = wait(&status);
    while (ended > 0 && ended != pid);
    printf("%s (%d) ended with status %d\n", name, pid, status);
}

static void command(const char *line)
{
    static const struct {
        const char *name;
        enum report what;
    } reports[] = {
        {"ps", REPORT_PS}, {"stats", REPORT_STATS}, {"mem", REPORT_MEM}, {"locks", REPORT_LOCKS}};
    char name[32], program[32];
    const char *args = word(line, name, sizeof(name));
    for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
        if (same_string(name, reports[i].name)) {
            report(reports[i].what);
            return;
        }
    if (same_string(name, "run")) {
        args = word(args, program, sizeof(program));
        run(program, args);
    } else if (same_string(name, "trouble")) {
        spawn("trouble", args); /* most of them never end */
    } else if (same_string(name, "kill")) {
        if (kill((int)number(args, 0)))
            printf("no such process\n");
    } else if (same_string(name, "halt")) {
        poweroff(false);
    } else if (same_string(name, "reboot")) {
        poweroff(true);
    } else if (*name) {
        write(help, (unsigned)strlen(help));
    }
}

int main(const char *args)
{
    char line[129];
    (void)args;
    for (;;) {
        printf("teachos$ ");
        int n = read(line, sizeof(line) - 1);
        if (n < 0)
            return 1;
        line[n] = '\0';
        command(line);
    }
}
