/* SPDX-License-Identifier: MIT */
/*
 * Proposing a profile: what in a kernel's DWARF looks like tasks. propose_find.c looks for members
 * and variables by name and type, propose_tasks.c for the tasks themselves,
 * propose_memory.c and propose_locks.c for the rest; propose.c writes the text. All of it is
 * guessing from the words that kernels are written with, so each finding has a score, and what else
 * was considered is kept.
 */
#ifndef OS_PROFILE_PROPOSE_H
#define OS_PROFILE_PROPOSE_H

#include "os/profile/profile.h"

#include <stdio.h>

enum { FOUND_TEXT = 192, FOUND_OTHERS = 3, SURE = 10, LIKELY = 6 };

/* An expression and how much speaks for it: SURE or more, LIKELY or more, a guess; 0: none. */
struct found {
    char text[FOUND_TEXT];
    const struct type *type;
    int score;
    char others[FOUND_OTHERS][FOUND_TEXT]; /* the runners-up, best first */
    int other_scores[FOUND_OTHERS];
};

/* Takes it if it is the best so far, else among the others if it is one of the best. */
void found_try(struct found *f, const char *text, const struct type *type, int score);

/* ---- propose_find.c ---- */

/* A word that such things are called by; {0} ends a list. In a name, '_' and capitals do not count.
 */
struct word {
    const char *text;
    int score;
};
/* The score of the word that is the name, or half of that of the longest word that it contains. */
int word_score(const char *name, const struct word *words);

struct member {
    const char *path;             /* "trapframe.epc" */
    const char *name;             /* "epc" */
    const struct type *type, *in; /* in: what it is directly in */
    unsigned depth;
};
typedef void member_fn(const struct member *m, void *arg);
/* All members of a structure, to a depth of structures in it (0: its own), in it or pointed to. */
void each_member(struct types *ts, const struct type *t, unsigned depth, member_fn *fn, void *arg);

/* Of variables: their own and, if they are structures, those in them. path: "ptable.proc". */
typedef void variable_fn(const struct member *m, void *arg);
void each_variable(struct profile_model *pm, unsigned depth, variable_fn *fn, void *arg);

enum wants {
    WANTS_INT = 1 << 0,  /* a number, not a character or truth value */
    WANTS_WORD = 1 << 1, /* a number of an address's size */
    WANTS_POINTER = 1 << 2,
    WANTS_NAME = 1 << 3, /* an array of characters, or a pointer to them */
    WANTS_ENUM = 1 << 4,
    WANTS_ARRAY = 1 << 5,
};
bool type_is(const struct type *t, unsigned wants);
/* Of a structure, its own members or those of structures in it. */
void find_member(struct types *ts, const struct type *t, unsigned depth, unsigned wants,
                 const struct word *words, struct found *out);
/* Of the kernel's variables. */
void find_variable(struct profile_model *pm, unsigned wants, const struct word *words,
                   struct found *out);
bool type_same(const struct type *a, const struct type *b);
/* What a pointer points to, an array's elements are, defined; NULL: it is none. */
const struct type *type_pointee(struct types *ts, const struct type *t);
const struct type *type_element(struct types *ts, const struct type *t);
bool type_is_struct(const struct type *t);

/* ---- propose_tasks.c ---- */

struct tasks_found {
    enum profile_tasks how;
    const struct type *type;
    struct found where; /* the array; or of a list its first */
    char next[FOUND_TEXT], end[FOUND_TEXT];
    struct found id, parent, name, state, size, pagetable, stack;
    struct found current;
};
/* False: nothing looks like tasks. */
bool find_tasks(struct profile_model *pm, struct tasks_found *out);

/* ---- propose.c ---- */

struct proposal {
    struct profile_model *pm;
    struct tasks_found tasks;
    FILE *out;
    uint64_t delta;   /* of the kernel's image: virtual minus physical address */
    const char *word; /* an integer of an address's size, as this kernel's DWARF calls it */
};

/* key = expression, once it is known to compile, else as a comment. f: what was considered, or
 * NULL; task: is it about a task? */
bool proposal_put(struct proposal *p, const char *key, const char *text, const struct found *f,
                  int score, bool task);
/* The same of what was found, if there is anything; of what yields a physical address. */
void proposal_put_found(struct proposal *p, const char *key, const struct found *f, bool task);
void proposal_put_physical(struct proposal *p, const char *key, const struct found *f, bool task);

/* What a state's name says, as [states] has it; NULL: nothing. */
const char *proposal_meaning(const char *name);

/* ---- propose_names.c ---- */

/* [syscall] names, if macros name them; lines of [states], if macros look like such: false: none.
 */
void proposal_calls(struct proposal *p);
bool proposal_states(struct proposal *p);

/* ---- propose_locks.c ---- */

/* Functions that take and give back locks and pages, by their names and prototypes. */
void proposal_locks(struct proposal *p);

/* ---- propose_memory.c ---- */

void proposal_memory(struct proposal *p);
void proposal_log(struct proposal *p);

#endif
