/* SPDX-License-Identifier: MIT */
/*
 * oscope completion: shell completion made from the command table, so that it cannot go stale.
 *
 * What completes an argument: words ("text json"), "@file", "@qemu" (a QEMU, then
 * files), "@subcommand", "@columns" and "@sort" (columns of the command's views), and what oscope
 * itself knows at that moment: "@pid", "@session".
 */
#include "cli/cmd_table.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* The columns of the command's views, each once, blanks between them; sort: "-NAME" too. */
static void completion_columns(struct out *o, const struct cmd_entry *cmd, bool sort)
{
    const char *names[128];
    size_t ndocs, n = 0, k, len = strlen(cmd->name);
    const struct oscope_view_doc *docs = oscope_view_docs(&ndocs);

    for (size_t i = 0; i < ndocs; i++) {
        const char *d = docs[i].command;
        if (strncmp(d, cmd->name, len) != 0 || (d[len] && d[len] != ' '))
            continue;
        for (const struct oscope_column *c = docs[i].columns; c->name; c++) {
            for (k = 0; k < n && strcmp(names[k], c->name) != 0;)
                k++;
            if (k == n && n < sizeof names / sizeof names[0])
                names[n++] = c->name;
        }
    }
    for (k = 0; k < n; k++) {
        out_printf(o, "%s%s", k ? " " : "", names[k]);
        if (sort)
            out_printf(o, " -%s", names[k]);
    }
}

static bool completion_is_columns(const char *how)
{
    return how && (!strcmp(how, "@columns") || !strcmp(how, "@sort"));
}

/* ---- bash ---- */

static void bash_compgen(struct out *o, const struct cmd_entry *cmd, const char *how)
{
    if (!how) {
        out_str(o, ":");
    } else if (!strcmp(how, "@columns")) { /* the name after the last comma */
        out_str(o, "compopt -o nospace; COMPREPLY=($(compgen -P \"${cur%\"${cur##*,}\"}\" -W \"");
        completion_columns(o, cmd, false);
        out_str(o, "\" -- \"${cur##*,}\"))");
    } else if (!strcmp(how, "@sort")) {
        out_str(o, "COMPREPLY=($(compgen -W \"");
        completion_columns(o, cmd, true);
        out_str(o, "\" -- \"$cur\"))");
    } else if (!strcmp(how, "@file"))
        out_str(o, "COMPREPLY=($(compgen -f -- \"$cur\"))");
    else if (!strcmp(how, "@qemu"))
        out_str(o, "COMPREPLY=($(compgen -c -X '!qemu-system-*' -- \"$cur\")); "
                   "[[ $COMPREPLY ]] || COMPREPLY=($(compgen -f -- \"$cur\"))");
    else if (!strcmp(how, "@pid"))
        out_str(o, "COMPREPLY=($(compgen -W \"$(oscope ps --no-header --columns pid "
                   "2>/dev/null)\" -- \"$cur\"))");
    else if (!strcmp(how, "@session"))
        out_str(o, "COMPREPLY=($(compgen -W \"$(oscope list --no-header --columns id "
                   "2>/dev/null)\" -- \"$cur\"))");
    else if (!strcmp(how, "@subcommand"))
        out_str(o, "COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))");
    else
        out_printf(o, "COMPREPLY=($(compgen -W \"%s\" -- \"$cur\"))", how);
}

static void bash_words(struct out *o, const struct cli_option *options)
{
    for (const struct cli_option *p = options; p && p->name; p++)
        out_printf(o, " --%s%s", p->name, p->arg_optional ? "=" : "");
}

/* case branches: options whose argument stands in the next word; cmd NULL: of any command */
static void bash_arguments(struct out *o, const struct cmd_entry *cmd,
                           const struct cli_option *options)
{
    const char *name = cmd ? cmd->name : "*";

    for (const struct cli_option *p = options; p && p->name; p++) {
        if (!p->arg || p->arg_optional || (!cmd && completion_is_columns(p->complete)))
            continue;
        out_printf(o, "    %s:--%s", name, p->name);
        if (p->letter)
            out_printf(o, "|%s:-%c", name, p->letter);
        out_str(o, ") ");
        bash_compgen(o, cmd, p->complete);
        out_str(o, "; return ;;\n");
    }
}

/* --columns is an option of all views, but each has its own names. */
static void bash_columns(struct out *o, const struct cmd_entry *cmd)
{
    for (const struct cli_option *p = cli_view_options; p->name; p++)
        if (completion_is_columns(p->complete)) {
            out_printf(o, "    %s:--%s) ", cmd->name, p->name);
            bash_compgen(o, cmd, p->complete);
            out_str(o, "; return ;;\n");
        }
}

static void completion_bash(struct out *o)
{
    out_str(o, "# bash completion of oscope, made by 'oscope completion bash'\n"
               "_oscope() {\n"
               "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
               "  local cmd= i word commands=\"");
    for (size_t i = 0; cmd_table[i]; i++)
        if (!(cmd_table[i]->flags & CMD_HIDDEN))
            out_printf(o, "%s%s", i ? " " : "", cmd_table[i]->name);
    out_str(o, "\"\n"
               "  COMPREPLY=()\n"
               "  if [[ $cur == = ]]; then cur=; " /* --option=ARG are three words */
               "elif [[ $prev == = ]]; then prev=\"${COMP_WORDS[COMP_CWORD-2]}\"; fi\n"
               "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
               "    word=\"${COMP_WORDS[i]}\"\n"
               "    case \" $commands \" in *\" $word \"*) cmd=\"$word\"; break ;; esac\n"
               "  done\n"
               "  case \"$cmd:$prev\" in\n");
    for (size_t i = 0; cmd_table[i]; i++) {
        bash_arguments(o, cmd_table[i], cmd_table[i]->options);
        if (cmd_table[i]->flags & CMD_VIEW)
            bash_columns(o, cmd_table[i]);
    }
    bash_arguments(o, NULL, cli_view_options);
    bash_arguments(o, NULL, cli_guest_options);
    bash_arguments(o, NULL, cli_common_options);
    out_str(o, "  esac\n"
               "  case \"$cmd:$cur\" in\n");
    for (size_t i = 0; cmd_table[i]; i++) {
        const struct cmd_entry *c = cmd_table[i];
        out_printf(o, "    %s:-*) COMPREPLY=($(compgen -W \"", c->name);
        const struct cli_option *tables[CLI_TABLES];
        for (size_t k = 0, n = cmd_options(c, tables); k < n; k++)
            bash_words(o, tables[k]);
        out_printf(o, "\" -- \"$cur\")) ;;\n    %s:*) ", c->name);
        bash_compgen(o, c, c->complete);
        out_str(o, " ;;\n");
    }
    out_str(o, "    :-*) COMPREPLY=($(compgen -W \"");
    bash_words(o, cli_common_options);
    bash_words(o, cli_view_options);
    bash_words(o, cli_guest_options);
    out_str(o, "\" -- \"$cur\")) ;;\n"
               "    :*) COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\")) ;;\n"
               "  esac\n"
               "}\n"
               "complete -F _oscope oscope\n");
}

/* ---- zsh ---- */

/* Text inside '…[…]' of _arguments. */
static void zsh_text(struct out *o, const char *s)
{
    for (; *s; s++) {
        if (*s == '\'') {
            out_str(o, "'\\''");
            continue;
        }
        if (strchr("[]:\\", *s))
            out_char(o, '\\');
        out_char(o, *s);
    }
}

static void zsh_action(struct out *o, const struct cmd_entry *cmd, const char *how)
{
    bool columns = completion_is_columns(how);

    if (!how || (columns && !cmd))
        out_str(o, ":");
    else if (columns) {
        bool sort = !strcmp(how, "@sort");
        out_str(o, sort ? ":(" : ":_values -s , column ");
        completion_columns(o, cmd, sort);
        out_str(o, sort ? ")" : "");
    } else if (!strcmp(how, "@file"))
        out_str(o, ":_files");
    else if (!strcmp(how, "@qemu"))
        out_str(o, ":_oscope_qemu");
    else if (!strcmp(how, "@pid"))
        out_str(o, ":_oscope_pids");
    else if (!strcmp(how, "@session"))
        out_str(o, ":_oscope_sessions");
    else if (!strcmp(how, "@subcommand"))
        out_str(o, ":_oscope_commands");
    else
        out_printf(o, ":(%s)", how);
}

static void zsh_options(struct out *o, const struct cmd_entry *cmd,
                        const struct cli_option *options)
{
    for (const struct cli_option *p = options; p && p->name; p++)
        for (int letter = 0; letter <= (p->letter ? 1 : 0); letter++) {
            if (letter)
                out_printf(o, "        '-%c", p->letter);
            else
                out_printf(o, "        '--%s%s", p->name, p->arg_optional ? "=-" : "");
            out_char(o, '[');
            zsh_text(o, p->doc);
            out_char(o, ']');
            if (p->arg) {
                out_str(o, p->arg_optional ? "::" : ":");
                zsh_text(o, p->arg);
                zsh_action(o, cmd, p->complete);
            }
            out_str(o, "' \\\n");
        }
}

static void completion_zsh(struct out *o)
{
    out_str(o, "#compdef oscope\n"
               "# zsh completion of oscope, made by 'oscope completion zsh'\n"
               "_oscope_pids() { compadd -- ${(f)\"$(oscope ps --no-header --columns pid "
               "2>/dev/null | tr -d ' ')\"} }\n"
               "_oscope_sessions() { compadd -- ${(f)\"$(oscope list --no-header --columns id "
               "2>/dev/null)\"} }\n"
               "_oscope_qemu() { compadd -- ${(k)commands[(I)qemu-system-*]}; _files }\n"
               "_oscope_commands() {\n  local -a commands=(\n");
    for (size_t i = 0; cmd_table[i]; i++) {
        if (cmd_table[i]->flags & CMD_HIDDEN)
            continue;
        out_printf(o, "    '%s:", cmd_table[i]->name);
        zsh_text(o, cmd_table[i]->summary);
        out_str(o, "'\n");
    }
    out_str(o, "  )\n  _describe command commands\n}\n"
               "_oscope() {\n"
               "  local line state\n"
               "  _arguments -C \\\n");
    zsh_options(o, NULL, cli_common_options);
    zsh_options(o, NULL, cli_view_options);
    zsh_options(o, NULL, cli_guest_options);
    out_str(o, "        '1:command:_oscope_commands' '*::arg:->args'\n"
               "  [[ $state == args ]] || return\n"
               "  case $line[1] in\n");
    for (size_t i = 0; cmd_table[i]; i++) {
        const struct cmd_entry *c = cmd_table[i];
        out_printf(o, "    %s) _arguments \\\n", c->name);
        const struct cli_option *tables[CLI_TABLES];
        for (size_t k = 0, n = cmd_options(c, tables); k < n; k++)
            zsh_options(o, c, tables[k]);
        out_str(o, "        '*:argument");
        zsh_action(o, c, c->complete);
        out_str(o, "' ;;\n");
    }
    out_str(o, "  esac\n}\n_oscope \"$@\"\n");
}

/* ---- fish ---- */

static void fish_text(struct out *o, const char *s)
{
    out_char(o, '\'');
    for (; *s; s++) {
        if (*s == '\'' || *s == '\\')
            out_char(o, '\\');
        out_char(o, *s);
    }
    out_char(o, '\'');
}

static void fish_action(struct out *o, const struct cmd_entry *cmd, const char *how)
{
    if (!how || (completion_is_columns(how) && !cmd))
        return;
    if (completion_is_columns(how)) {
        bool sort = !strcmp(how, "@sort");
        out_str(o, sort ? " -a '" : " -a '(__fish_append , ");
        completion_columns(o, cmd, sort);
        out_str(o, sort ? "'" : ")'");
        return;
    }
    if (!strcmp(how, "@file"))
        out_str(o, " -F");
    else if (!strcmp(how, "@qemu"))
        out_str(o, " -F -a '(complete -C qemu-system- | string match \"qemu-system-*\")'");
    else if (!strcmp(how, "@pid"))
        out_str(o, " -a '(oscope ps --no-header --columns pid 2>/dev/null | string trim)'");
    else if (!strcmp(how, "@session"))
        out_str(o, " -a '(oscope list --no-header --columns id 2>/dev/null)'");
    else if (!strcmp(how, "@subcommand"))
        out_str(o, " -a '(__oscope_commands)'");
    else
        out_printf(o, " -a '%s'", how);
}

static void fish_options(struct out *o, const struct cmd_entry *cmd,
                         const struct cli_option *options, const char *when)
{
    for (const struct cli_option *p = options; p && p->name; p++) {
        out_printf(o, "complete -c oscope -n '%s' -l %s", when, p->name);
        if (p->letter)
            out_printf(o, " -s %c", p->letter);
        if (p->arg && !p->arg_optional)
            out_str(o, p->complete && !strcmp(p->complete, "@file") ? " -r" : " -x");
        out_str(o, " -d ");
        fish_text(o, p->doc);
        fish_action(o, cmd, p->complete);
        out_char(o, '\n');
    }
}

static void completion_fish(struct out *o)
{
    out_str(o, "# fish completion of oscope, made by 'oscope completion fish'\n"
               "function __oscope_commands\n  string split ' ' '");
    for (size_t i = 0; cmd_table[i]; i++)
        if (!(cmd_table[i]->flags & CMD_HIDDEN))
            out_printf(o, "%s%s", i ? " " : "", cmd_table[i]->name);
    out_str(o, "'\nend\ncomplete -c oscope -f\n");
    fish_options(o, NULL, cli_common_options, "true");
    for (size_t i = 0; cmd_table[i]; i++) {
        const struct cmd_entry *c = cmd_table[i];
        char when[96];
        if (!(c->flags & CMD_HIDDEN)) {
            out_printf(o, "complete -c oscope -n __fish_use_subcommand -a %s -d ", c->name);
            fish_text(o, c->summary);
            out_char(o, '\n');
        }
        snprintf(when, sizeof when, "__fish_seen_subcommand_from %s", c->name);
        const struct cli_option *tables[CLI_TABLES];
        for (size_t k = 0, n = cmd_options(c, tables); k < n; k++)
            if (tables[k] != cli_common_options)
                fish_options(o, c, tables[k], when);
        if (c->complete) {
            out_printf(o, "complete -c oscope -n '%s'", when);
            fish_action(o, c, c->complete);
            out_char(o, '\n');
        }
    }
}

static int completion_run(struct cli *c)
{
    const char *shell = c->argv[0];
    struct out o;

    out_init(&o, STDOUT_FILENO);
    if (!strcmp(shell, "bash"))
        completion_bash(&o);
    else if (!strcmp(shell, "zsh"))
        completion_zsh(&o);
    else if (!strcmp(shell, "fish"))
        completion_fish(&o);
    else
        return cli_usage(c, "'%s' is not bash, zsh or fish", shell);
    int status = out_flush(&o) || o.error == EPIPE
                     ? CLI_OK
                     : cli_failed(c, "cannot write the output: %s", strerror(o.error));
    out_free(&o);
    return status;
}

const struct cmd_entry cmd_completion = {
    .name = "completion",
    .group = "Help",
    .args = "bash|zsh|fish",
    .summary = "print a shell's completion script",
    .least = 1,
    .most = 1,
    .complete = "bash zsh fish",
    .run = completion_run,
};
