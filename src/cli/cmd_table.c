/* SPDX-License-Identifier: MIT */
/* Every command, in the order in which the overview shows them. */
#include "cli/cmd_table.h"

#include "draw/text.h"

const struct cmd_entry *const cmd_table[] = {
    &cmd_run,   &cmd_attach,  &cmd_core,   &cmd_list,       &cmd_detach,  &cmd_info,  &cmd_ps,
    &cmd_bt,    &cmd_vm,      &cmd_pt,     &cmd_mem,        &cmd_dmesg,   &cmd_dev,   &cmd_events,
    &cmd_top,   &cmd_web,     &cmd_record, &cmd_report,     &cmd_export,  &cmd_probe, &cmd_sym,
    &cmd_print, &cmd_profile, &cmd_help,   &cmd_completion, &cmd_version, NULL,
};

const struct cmd_entry *cmd_find(const char *name)
{
    for (size_t i = 0; cmd_table[i]; i++)
        if (!strcmp(cmd_table[i]->name, name))
            return cmd_table[i];
    return NULL;
}

const char *cmd_nearest(const char *name)
{
    unsigned best = 3; /* further away is no suggestion */
    const char *near = NULL;

    for (size_t i = 0; cmd_table[i]; i++) {
        unsigned d = text_distance(name, cmd_table[i]->name);
        if (d < best && d < strlen(cmd_table[i]->name)) {
            best = d;
            near = cmd_table[i]->name;
        }
    }
    return near;
}
