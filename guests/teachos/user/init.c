/* SPDX-License-Identifier: MIT */
/*
 * The first process. The words on QEMU's -append say what to do:
 *
 *     work=PROGRAM[,ARGS]    runs it
 *     trouble=NAME[,ARGS]    runs the program `trouble` with that
 *     exit                   power off when work and trouble have ended
 *     exit=MS                power off after that many milliseconds
 *
 * Without exit it starts a shell, too, and another one should that end.
 */
#include "user.h"

/* The value of a word KEY=VALUE of the line, up to a blank; false: there is none. */
static bool lookup(const char *line, const char *key, char *to, unsigned size)
{
    size_t n = strlen(key);
    while (*line) {
        const char *end = line;
        while (*end && *end != ' ')
            end++;
        if ((size_t)(end - line) >= n && !memcmp(line, key, n) &&
            (line[n] == '=' || line + n == end)) {
            const char *value = line[n] == '=' ? line + n + 1 : end;
            size_t length = (size_t)(end - value);
            copy_name(to, value, length + 1 < size ? length + 1 : size);
            return true;
        }
        line = *end ? end + 1 : end;
    }
    return false;
}

static int start(const char *line)
{
    char name[32];
    const char *args = word(line, name, sizeof(name));
    return spawn(name, args);
}

int main(const char *args)
{
    char line[256] = "", value[96];
    int todo[2] = {0, 0}, shell = 0;
    (void)args;
    bootargs(line, sizeof(line));
    printf("init: %d CPUs, %d pages free\n", (int)cpus(), (int)freemem());
    if (lookup(line, "trouble", value, sizeof(value)))
        todo[0] = spawn("trouble", value);
    if (lookup(line, "work", value, sizeof(value)))
        todo[1] = start(value);
    bool leaves = lookup(line, "exit", value, sizeof(value));
    if (leaves && *value) {
        sleep(number(value, 0));
        poweroff(false);
    }
    while (!leaves || todo[0] || todo[1]) {
        if (!leaves && !shell)
            shell = spawn("sh", "");
        int status, pid = wait(&status);
        if (pid == shell)
            shell = 0;
        for (int i = 0; i < 2; i++)
            if (pid == todo[i])
                todo[i] = 0;
    }
    poweroff(false);
}
