/* SPDX-License-Identifier: MIT */
/* The entries that cmd_table.c lists, one a file. */
#ifndef CLI_CMD_TABLE_H
#define CLI_CMD_TABLE_H

#include "cli/cmd.h"

extern const struct cmd_entry cmd_run, cmd_attach, cmd_core, cmd_list, cmd_detach;
extern const struct cmd_entry cmd_dev;
extern const struct cmd_entry cmd_info, cmd_ps, cmd_bt, cmd_vm, cmd_pt, cmd_mem, cmd_dmesg;
extern const struct cmd_entry cmd_events, cmd_record, cmd_report, cmd_export, cmd_probe,
    cmd_profile;
extern const struct cmd_entry cmd_sym, cmd_print, cmd_top, cmd_web;
extern const struct cmd_entry cmd_help, cmd_completion, cmd_version;

#endif
