/* SPDX-License-Identifier: MIT */
/*
 * What oscope and the probe engine inside QEMU share: one memory file, made by `oscope run`, of
 * which QEMU inherits the descriptor. Three parts:
 *
 *   control   who is there, which probes are wished for, which are in force
 *   sets      two probe sets; the one that is not in force may be rewritten
 *   rings     one for each vCPU: packets of events, and what each probe did there
 *
 * This is the only header that both sides include. It knows no OS and no architecture: sites are
 * addresses and bit patterns, programs read registers by name and memory by address, events are
 * numbers with bytes. All values are in the host's byte order and all offsets are from the start of
 * the file.
 *
 * Nothing that oscope writes here is trusted by the engine beyond what the verifier
 * (probe/verify.h) accepted, and the engine copies a set before it verifies it.
 */
#ifndef CAPTURE_WIRE_H
#define CAPTURE_WIRE_H

#include <stdatomic.h>
#include <stdint.h>

#define WIRE_MAGIC UINT64_C(0x314556454f43534f) /* "OSCOEVE1" */

enum {
    WIRE_VERSION = 7,
    WIRE_PAGE = 4096,
    WIRE_VCPUS = 512,    /* most rings */
    WIRE_PROBES = 1024,  /* in a set */
    WIRE_CODE = 16384,   /* instructions of all programs of a set */
    WIRE_REGISTERS = 64, /* names of registers that programs read */
    WIRE_NAME = 24,      /* bytes of a register's name with its 0 */
    WIRE_DIRECT = 16,    /* ranges of guest memory at hand in QEMU's own address space */
    WIRE_PROGRAM = 512,  /* instructions of a program */
    WIRE_RECORD = 2048,  /* bytes of an event, header included; less than a packet */
    WIRE_SLOTS = 16,     /* registers of a program */
    WIRE_TABLES = 8,     /* of constants, in a set */
    WIRE_TABLE = 512,    /* constants of a table */
    WIRE_VARS = 8,       /* variables that outlive a run of a program */
    WIRE_KEEPERS = 4,    /* readers that nothing is overwritten for */
    WIRE_SYSTEM = 8,     /* kinds of system instructions, see wire_one_thread */
    WIRE_RAM = 32,       /* ranges of guest RAM */
};

/* ---- programs ---- */

/*
 * A program has WIRE_SLOTS slots of 64 bits, all 0 at the start. It runs from its first instruction
 * to WIRE_OP_END; jumps lead forward only. An event begins with WIRE_OP_EVENT, is filled in order
 * by WIRE_OP_PUT*, and is published by WIRE_OP_END; a program that ends without WIRE_OP_EVENT (its
 * predicate said no) publishes nothing.
 *
 * A memory read that fails leaves 0 and marks the event: WIRE_EVENT_FAULT.
 *
 * Variables are shared by all programs of a set. One that the set before used too keeps what it
 * has; others begin empty.
 */
enum wire_op {
    WIRE_OP_END,      /* done */
    WIRE_OP_IMM,      /* d = imm */
    WIRE_OP_REG,      /* d = guest register number imm of the set */
    WIRE_OP_VCPU,     /* d = index of the vCPU */
    WIRE_OP_PC,       /* d = virtual address of the instruction at the site */
    WIRE_OP_VALUE,    /* d = value imm (enum wire_value) of what happened at the site */
    WIRE_OP_LOAD,     /* d = guest memory, size bytes, little-endian, at s + imm */
    WIRE_OP_SEXT,     /* d = s, its lowest size bytes sign-extended */
    WIRE_OP_ADD,      /* d = d + s */
    WIRE_OP_SUB,      /* d = d - s */
    WIRE_OP_MUL,      /* d = d * s */
    WIRE_OP_AND,      /* d = d & s */
    WIRE_OP_OR,       /* d = d | s */
    WIRE_OP_XOR,      /* d = d ^ s */
    WIRE_OP_SHL,      /* d = d << (s & 63) */
    WIRE_OP_SHR,      /* d = d >> (s & 63), logical */
    WIRE_OP_MOV,      /* d = s */
    WIRE_OP_TABLE,    /* d = table number imm of the set, at s; its last entry if s is beyond it */
    WIRE_OP_RECALL,   /* d = what variable imm has under the key s; 0: nothing */
    WIRE_OP_KEEP,     /* variable imm has s (16 bits; 0: nothing) under the key d (48 bits) from now
                       * on, on all vCPUs. The event is marked when there is no room. */
    WIRE_OP_JEQ,      /* if d == s: skip imm instructions */
    WIRE_OP_JNE,      /* if d != s */
    WIRE_OP_JLT,      /* if d < s, unsigned */
    WIRE_OP_JSLT,     /* if d < s, signed */
    WIRE_OP_EVENT,    /* begins event type imm (< 65535) */
    WIRE_OP_EVENT_OF, /* begins event type imm + s, with s at most WIRE_TABLE - 1 */
    WIRE_OP_PUT,      /* appends the lowest size bytes of s */
    WIRE_OP_PUT_STR,  /* appends the string at guest address s, at most imm bytes, and a 0; bytes
                       * that are no printable ASCII become '?' */
    WIRE_OP_PUT_MEM,  /* appends imm bytes at guest address s */
    WIRE_OP_PUT_DATA, /* appends the first bytes of those at guest address s, of which there are d,
                       * at most imm, as text, and a 0: printable ASCII as it is, all else, '"' and
                       * '\\' as a string literal in C has them, at most 4 characters a byte */
    WIRE_OP_PUT_TEXT, /* appends the string at guest address s as such text, at most imm characters,
                       * and a 0. Ends it with a '\\' of its own, there is more; for address 0 it
                       * is "\\0", which no string gives */
    WIRE_OP_PUT_LIST, /* the same for the strings whose addresses, of 8 bytes, stand at guest
                       * address s, up to one that is 0: each in '"', with ", " between them */
    WIRE_OP_COUNT,
};

struct wire_insn {
    uint8_t op;   /* enum wire_op */
    uint8_t d, s; /* slots */
    uint8_t size; /* 1, 2, 4 or 8 where the operation has a size */
    int32_t imm_high;
    uint64_t imm;
};
/* imm_high is 0: it pads, and leaves room. */

/* ---- probes ---- */

enum wire_site {
    WIRE_SITE_EXEC,   /* before the instruction at virtual address `address` executes */
    WIRE_SITE_OPCODE, /* before an instruction whose first bytes, as a little-endian number, have
                       * (bytes & mask) == value */
    WIRE_SITE_IDLE,   /* the vCPU goes idle; no registers, no memory but direct */
    WIRE_SITE_RESUME, /* and runs again */
    WIRE_SITE_MEMORY, /* after an instruction's access (enum wire_access in mask) to any of the
                       * `value` bytes from virtual address `address` on */
    WIRE_SITE_BLOCK,  /* where a block of translated code begins whose first instruction is one of
                       * the `value` bytes from `address` on */
    WIRE_SITE_TRAP, /* the vCPU has taken a trap of a kind in `mask` (enum wire_trap), and is about
                     * to execute at its vector; not with every QEMU */
    WIRE_SITE_COUNT,
};

/* Which traps a probe wants: a set of these. */
enum wire_trap {
    WIRE_TRAP_INTERRUPT = 1, /* from outside; the instruction at `from` is yet to be executed */
    WIRE_TRAP_EXCEPTION = 2, /* by the instruction at `from` */
};

/*
 * An atomic instruction's read and write are two accesses, an access that fails is none. Those that
 * QEMU's callbacks do not see do not fire: walks of page tables, what devices do, and instructions
 * whose helper uses the host's address directly (riscv64's vectors, cache-line zeroing).
 */
enum wire_access {
    WIRE_ACCESS_READ = 1,
    WIRE_ACCESS_WRITE = 2,
};

/* What programs may ask about their site, by WIRE_OP_VALUE. */
enum wire_value {
    WIRE_VALUE_ADDRESS, /* WIRE_SITE_MEMORY: virtual address of the first byte of the access */
    WIRE_VALUE_SIZE,    /* its bytes */
    WIRE_VALUE_WRITE,   /* 1: it was a write, 0: a read */
    WIRE_VALUE_DATA,  /* what was read or written; of more than 8 bytes the lowest 8. QEMU tells an
                       * atomic instruction's operand for what it writes. */
    WIRE_VALUE_INSNS, /* WIRE_SITE_BLOCK: instructions of the block. An exception may leave it
                       * before its end. */
    WIRE_VALUE_FROM,  /* WIRE_SITE_TRAP: virtual address at which it is taken, ... */
    WIRE_VALUE_TO,    /* ... and that of its vector */
    WIRE_VALUE_COUNT,
};

struct wire_probe {
    uint32_t site; /* enum wire_site */
    uint32_t slot; /* where its counts are, < WIRE_PROBES; the same while a probe stays */
    uint64_t address;
    uint64_t mask, value;
    uint32_t first, count; /* its program in wire_set.code */
};

/* Guest virtual addresses that are at hand: [va, va + size) lies at hva in QEMU. */
struct wire_direct {
    uint64_t va, size, hva;
};

/* Guest RAM: guest-physical [gpa, gpa + size) lies at hva in QEMU. Whole pages. */
struct wire_ram {
    uint64_t gpa, size, hva;
};

/* Whether accesses to guest memory are counted, see struct wire_heat. */
enum wire_heat_mode {
    WIRE_HEAT_OFF,    /* no counters */
    WIRE_HEAT_PAUSED, /* they stay as they are */
    WIRE_HEAT_ON,     /* each access is counted */
};

struct wire_set {
    uint64_t generation; /* equal to wire_control.wish once complete */
    uint32_t nprobes, ncode, nregisters, ndirect, ntables;
    uint32_t heat; /* enum wire_heat_mode */
    uint32_t nram, zero;
    struct wire_ram ram[WIRE_RAM];             /* of which accesses are counted */
    char registers[WIRE_REGISTERS][WIRE_NAME]; /* as the plugin interface names them */
    struct wire_direct direct[WIRE_DIRECT];
    uint16_t tables[WIRE_TABLES][WIRE_TABLE];
    struct wire_probe probes[WIRE_PROBES];
    struct wire_insn code[WIRE_CODE];
};

/* ---- control ---- */

enum wire_engine {
    WIRE_ENGINE_ABSENT, /* nothing loaded yet */
    WIRE_ENGINE_READY,
    WIRE_ENGINE_REFUSED, /* it can't work here; wire_control.error says why */
};

/*
 * A reader that the rings keep for what it has not read. It says in wire_ring.keep[] of each ring
 * which packet it reads next; UINT64_MAX: it reads none of this ring. It is believed until `until`
 * (ns, CLOCK_MONOTONIC of the host), which it moves on, and as long as its process is there.
 */
enum wire_keep {
    WIRE_KEEP_NOTHING,
    WIRE_KEEP_DROP, /* new events find no place, and are counted */
    WIRE_KEEP_WAIT, /* the vCPU waits for its reader, though not for ever */
};

struct wire_keeper {
    _Atomic uint32_t mode; /* enum wire_keep */
    _Atomic int32_t pid;
    _Atomic uint64_t until;
};

/* Instructions whose first bytes, as a little-endian number, have (bytes & mask) == value. */
struct wire_system {
    uint64_t mask, value;
    uint64_t waits; /* 1: the vCPU goes idle there */
};

/*
 * For a QEMU that runs all vCPUs in one thread (-icount, thread=single): vCPUs do not tell there
 * when they go idle, so the engine looks for wishes at system instructions. How else it works there
 * says capture/tcg/single.h. nsystem 0: each vCPU has its own thread.
 */
struct wire_one_thread {
    uint32_t nsystem, zero;
    struct wire_system system[WIRE_SYSTEM]; /* all that opcode probes may want is among them */
    char
        identity[WIRE_NAME]; /* a register that has another value on each vCPU; "": there is none */
};

struct wire_control {
    uint64_t magic; /* WIRE_MAGIC */
    uint32_t version;
    uint32_t packet_bytes; /* a power of two, at least WIRE_PAGE */
    uint32_t packets;      /* of a ring; a power of two, at least 4 */
    uint32_t rings;        /* how many there are */
    uint64_t sets_at;      /* struct wire_set[2] */
    uint64_t rings_at;     /* the first struct wire_ring */
    uint64_t ring_stride;  /* to the next: its head, counts and packets */
    uint64_t bytes;        /* of the whole file */
    uint8_t uuid[16];      /* of the trace; stands in each packet */
    struct wire_one_thread one_thread;

    /* Written by the engine. */
    _Alignas(64) _Atomic uint32_t engine; /* enum wire_engine */
    _Atomic uint32_t vcpus;               /* there were so far: rings that may be in use */
    int32_t api;                          /* plugin interface */
    _Atomic uint64_t in_force;            /* generation of the set that the vCPUs run */
    _Atomic uint64_t refused;             /* newest generation that the verifier refused */
    _Atomic uint64_t still;               /* the still_until that a vCPU stands still for, or 0 */
    char target[32];                      /* QEMU's name of the architecture */
    char error[160];

    /* Written by the broker: the set in sets[wish & 1] is to come in force. 0: none ever was. */
    _Alignas(64) _Atomic uint64_t wish;
    /* And what it saw of the guest: how often it was reset, and when it was started or reset last
     * (ns, CLOCK_MONOTONIC of the host; 0: not known). */
    _Atomic uint64_t resets, started;
    /* vCPUs that share a thread stand still at the next system instruction until then (ns,
     * CLOCK_MONOTONIC of the host), or until this is another number; 0: they need not. */
    _Atomic uint64_t still_until;

    /* Written by readers. */
    _Alignas(64) struct wire_keeper keepers[WIRE_KEEPERS];
};

/* ---- rings ---- */

/* What a probe did on one vCPU. Single writer. */
struct wire_count {
    _Atomic uint64_t fired;     /* its site was reached */
    _Atomic uint64_t published; /* events */
    _Atomic uint64_t faults;    /* events with a failed read */
    _Atomic uint64_t dropped;   /* events that found no place in the ring */
    _Atomic uint64_t timed;     /* of the times it fired: those whose time was taken */
    _Atomic uint64_t cost;      /* ns that these took, waiting for a reader not included */
};

/*
 * A broadcast ring: the writer never waits, readers keep their own place and notice when it was
 * overtaken. Packet n lies at index n % packets. `position` = n * packet_bytes + content bytes of
 * the packet that is being written; everything below it, as far as the ring reaches back, is
 * complete. A reader copies and then looks at `position` again: what it copied of packet n is good
 * unless position / packet_bytes >= n + packets - 1 (the writer may have begun to reuse it; it
 * announces a packet before its first byte).
 */
struct wire_ring {
    _Alignas(64) _Atomic uint64_t position;
    _Atomic uint64_t discarded; /* events that found no place (too large, or kept for a reader) */
    uint64_t last_time;         /* the writer's: of the last event */
    uint64_t reserved;
    _Atomic uint64_t keep[WIRE_KEEPERS]; /* the readers': see struct wire_keeper */
    struct wire_count counts[WIRE_PROBES];
    /* packets * packet_bytes follow, at the next multiple of WIRE_PAGE */
};

/*
 * A packet is one of CTF 1.8 (section 5): this header and context, then events, all of one
 * generation of probes. content_size and
 * timestamp_end are filled in when the packet is closed; while it is open, `position` tells.
 */
struct wire_packet {
    uint32_t magic; /* 0xC1FC1FC1 */
    uint8_t uuid[16];
    uint32_t stream_id;       /* 0 */
    uint64_t timestamp_begin; /* ns, CLOCK_MONOTONIC of the host */
    uint64_t timestamp_end;
    uint64_t content_size; /* bits */
    uint64_t packet_size;  /* bits */
    uint64_t packet_seq_num;
    uint64_t events_discarded; /* of this stream so far */
    uint32_t cpu_id;
} __attribute__((packed));

enum {
    WIRE_EVENT_FAULT = 1, /* something that the event should hold could not be read */
};

/*
 * Events are packed, without alignment. The low 31 bits of the time suffice, for a packet is closed
 * before 2^31 ns have passed since its last event. To CTF, id and time are the event's header and
 * flags its context: a header with more in it than an id and a time makes readers complain. Bits
 * are allocated from the lowest on, as CTF's are in little-endian (1.8, section 4.1.5).
 */
#define WIRE_TIME_MASK UINT32_C(0x7fffffff)
struct wire_event {
    uint16_t id;
    uint32_t time : 31;
    uint32_t flags : 1; /* WIRE_EVENT_* */
} __attribute__((packed));

/* ---- counters of accesses ---- */

#define WIRE_HEAT_MAGIC UINT64_C(0x314145484f43534f) /* "OSCOHEA1" */
/* Name of the file as /proc/PID/fd tells it: "/memfd:" WIRE_HEAT_NAME " (deleted)". */
#define WIRE_HEAT_NAME "oscope-heat"

/*
 * The engine makes a second memory file when a set first wants accesses counted, and closes it when
 * none does any more: this head, then for each vCPU a shard, a struct wire_page_heat for each page
 * of RAM, range after range. It is sparse: pages that are never touched take no memory, and
 * reading them through a mapping would change that. Counters only grow.
 */
struct wire_heat {
    uint64_t magic;   /* WIRE_HEAT_MAGIC */
    uint32_t version; /* WIRE_VERSION */
    uint32_t shards;
    uint64_t pages;        /* of all ranges */
    uint64_t shards_at;    /* the first shard */
    uint64_t shard_stride; /* to the next */
    uint64_t bytes;        /* of the whole file */
    uint32_t nram, zero;
    struct wire_ram ram[WIRE_RAM];

    _Alignas(64) _Atomic uint32_t closed; /* nothing will change here any more */
    _Atomic uint32_t changing;            /* odd while the two below are changed */
    _Atomic uint64_t watched; /* ns of time in which accesses were counted, before ... */
    _Atomic uint64_t since;   /* ... this (CLOCK_MONOTONIC), from when on they are; 0:
                               * they are not now */
};

/* What a vCPU did to a page. Single writer. */
struct wire_page_heat {
    _Atomic uint64_t reads, writes; /* accesses; one that lies in two pages counts in both */
    _Atomic uint64_t execs;         /* instructions in translated blocks that were begun */
};

_Static_assert(sizeof(struct wire_heat) <= WIRE_PAGE, "wire format");
_Static_assert(sizeof(struct wire_page_heat) == 24, "wire format");
_Static_assert(sizeof(struct wire_insn) == 16, "wire format");
_Static_assert(sizeof(struct wire_packet) == 76, "wire format");
_Static_assert(sizeof(struct wire_event) == 6, "wire format");

#endif
