/* SPDX-License-Identifier: MIT */
/*
 * Prototypes of functions. The index does not have them, so all units are gone through: that is for
 * what is asked once, of a kernel that is not large.
 */
#include "symbols/dwarf_impl.h"

#include <string.h>

enum { CHILDREN_MAX = 1 << 20 };

/* The function of that name that the unit defines. */
static bool find_in(Dwarf_Die *unit, const char *name, Dwarf_Die *out)
{
    Dwarf_Die die;

    if (dwarf_child(unit, &die))
        return false;
    for (int i = 0; i < CHILDREN_MAX; i++) {
        const char *own = dwarf_tag(&die) == DW_TAG_subprogram ? dwarf_diename(&die) : NULL;
        if (own && !strcmp(own, name) && !dwarf_flag(&die, DW_AT_declaration)) {
            *out = die;
            return true;
        }
        if (dwarf_siblingof(&die, &die))
            return false;
    }
    return false;
}

static void fill(struct dwarf *d, Dwarf_Die *function, struct dwarf_prototype *out)
{
    Dwarf_Die child;

    *out = (struct dwarf_prototype){.result = dwarf_type_of(d, function)};
    if (dwarf_child(function, &child))
        return;
    for (int i = 0; i < CHILDREN_MAX && out->n < DWARF_PARAMETERS; i++) {
        if (dwarf_tag(&child) == DW_TAG_formal_parameter)
            out->parameters[out->n++] = dwarf_type_of(d, &child);
        if (dwarf_siblingof(&child, &child))
            return;
    }
}

bool dwarf_function(struct types *ts, const char *name, struct dwarf_prototype *out)
{
    struct dwarf *d = (struct dwarf *)ts;
    Dwarf_CU *cu = NULL;
    Dwarf_Die unit, die;
    uint8_t type;

    while (dwarf_get_units(d->dw, cu, &cu, NULL, &type, &unit, NULL) == 0)
        if ((type == DW_UT_compile || type == DW_UT_partial) && find_in(&unit, name, &die)) {
            fill(d, &die, out);
            return true;
        }
    return false;
}
