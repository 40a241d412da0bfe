/* SPDX-License-Identifier: MIT */
/*
 * A GDB stub in a thread, on a Unix socket: a RISC-V machine of two harts and 64 KiB of RAM at
 * 0x80000000, whose byte at offset n is n * 7 + n / 256. What it does wrong is chosen by its mode.
 * It keeps what it was asked, so that a test can see that nothing was ever written.
 */
#ifndef FAKE_GDB_H
#define FAKE_GDB_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum fake_gdb_mode {
    FAKE_WELL,
    FAKE_NO_ACK,       /* offers to go without acknowledgements */
    FAKE_PLAIN,        /* knows neither target.xml nor threads nor physical addresses */
    FAKE_MAP,          /* has a memory map */
    FAKE_PROCESSES,    /* "D" is refused: it wants "D;2" */
    FAKE_RUNS_ON,      /* does not stop the target by itself, and is late to say that it stopped */
    FAKE_NOTIFIES,     /* notifications and noise in front of each answer */
    FAKE_SHORT,        /* answers m with one byte */
    FAKE_DAMAGED_ONCE, /* every second answer comes damaged at first */
    FAKE_DAMAGED,      /* all answers to m are damaged, again and again */
    FAKE_REFUSES,      /* says that every m came damaged */
    FAKE_HUGE_SIZE,    /* PacketSize=ffffffffffffffffff */
    FAKE_TINY_SIZE,    /* PacketSize=1 */
    FAKE_TOO_MUCH,     /* more memory than was asked for */
    FAKE_NO_HEX,       /* memory that is no hex */
    FAKE_ERROR,        /* E14 for memory */
    FAKE_BOMB,         /* run lengths without end, for memory */
    FAKE_ENDLESS_PACKET,  /* a packet that does not end, for memory */
    FAKE_HALF,            /* closes in the middle of an answer */
    FAKE_SILENT,          /* never answers */
    FAKE_MUTE,            /* no answer to m */
    FAKE_THREADS_ENDLESS, /* qsThreadInfo never comes to an end */
    FAKE_THREADS_ODD,     /* a list that is none */
    FAKE_XML_CYCLE,
    FAKE_XML_ENDLESS,
    FAKE_XML_ENTITY,
    FAKE_XML_BROKEN,
    FAKE_XML_MANY,   /* registers without end */
    FAKE_REGS_WRONG, /* g is no hex */
    FAKE_REGS_SHORT, /* g holds nothing, p everything */
    FAKE_EXITED,     /* "W00" */
};

struct fake_gdb {
    enum fake_gdb_mode mode;
    char dir[64], path[80];
    int listen_fd, fd;
    pthread_t thread;
    /* What a test may look at, after fake_gdb_end() or between clients. */
    pthread_mutex_t lock;
    bool running, physical, no_ack, forbidden;
    unsigned clients, requests, detached;
    unsigned answers;
};

void fake_gdb_begin(struct fake_gdb *f, enum fake_gdb_mode mode);
/* Waits until no client is there. */
void fake_gdb_quiet(struct fake_gdb *f);
void fake_gdb_end(struct fake_gdb *f);

static inline uint8_t fake_gdb_byte(uint64_t off)
{
    return (uint8_t)(off * 7 + off / 256);
}

#endif
