/* SPDX-License-Identifier: MIT */
/*
 * What things look like: one table of roles, colours that the colour-blind can tell apart (Okabe
 * and Ito's set), and for each what is done without colours. Nobody else names a colour.
 */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include "tui/screen.h"

enum role {
    ROLE_TEXT,
    ROLE_DIM,
    ROLE_BOLD,
    ROLE_TITLE,    /* the line on top */
    ROLE_TAB,      /* names of tabs, */
    ROLE_TAB_ON,   /* and of the one shown */
    ROLE_HEAD,     /* of a table */
    ROLE_SORTED,   /* the column that it is sorted by */
    ROLE_SELECTED, /* the line with the cursor */
    ROLE_MATCH,    /* what was searched for */
    ROLE_KEY,      /* a key's name in the line at the bottom, */
    ROLE_LABEL,    /* and what it does */
    ROLE_GOOD,
    ROLE_WARN,
    ROLE_BAD,
    ROLE_KERNEL,
    ROLE_USER,
    ROLE_FIRMWARE,
    ROLE_GUEST_KERNEL,
    ROLE_GUEST_USER,
    ROLE_IDLE,
    ROLE_UNKNOWN,
    ROLE_CURSOR, /* one cell of many */
    ROLE_PERM_X, /* memory that may be executed, */
    ROLE_PERM_W, /* written, */
    ROLE_PERM_R, /* only read */
    ROLE_CHOSEN, /* what belongs to the line with the cursor, elsewhere on the screen */
    ROLES
};
struct ink theme_ink(enum role r);
/* The same role as a filled stretch: its colour behind. */
struct ink theme_fill(enum role r);

/* The i-th of colours to tell tasks and the like apart; they repeat. */
enum { THEME_HUES = 12 };
struct ink theme_hue(unsigned i);

/* From cold (0) to hot (1), as a foreground. */
struct ink theme_heat(double share);
/* What owns memory: "free", "slab" …; filled is the same behind. */
struct ink theme_owner(const char *owner);

/* SGR parameters ("1;31"), as the renderers of text write them. */
struct ink theme_sgr(const char *parameters, size_t n);

#endif
