/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/help.h"

/* The words are those of our own tables: letters, digits and dashes, which mean
 * nothing to a shell. */

static void append_command_names(struct text *text, const char *separator)
{
    for (const struct command *command = command_table; command->name; command++)
        text_printf(text, "%s%s", command == command_table ? "" : separator, command->name);
}

/* "-o | --output": the patterns that match an option's name */
static void append_pattern(struct text *text, const struct option *option)
{
    if (option->letter)
        text_printf(text, "-%c | ", option->letter);
    text_printf(text, "--%s", option->name);
}

static void append_choices(struct text *text, const struct option *option)
{
    for (const struct option_choice *choice = option->choices; choice->name; choice++)
        text_printf(text, "%s%s", choice == option->choices ? "" : " ", choice->name);
}

/* What may follow an option that takes a value. */
static void append_values(struct text *text, const struct option *option)
{
    if (option->type == OPTION_IS_FLAG || option->type == OPTION_IS_OPTIONAL_CHOICE)
        return;
    text_append(text, "    ");
    append_pattern(text, option);
    text_append(text, ")\n        ");
    switch (option->type) {
    case OPTION_IS_FILE: text_append(text, "_inquest_reply -f"); break;
    case OPTION_IS_FOLDER: text_append(text, "_inquest_reply -d"); break;
    case OPTION_IS_CHOICE:
        text_append(text, "_inquest_reply -W '");
        append_choices(text, option);
        text_append(text, "'");
        break;
    default: text_append(text, ":"); break;
    }
    text_append(text, "\n        return\n        ;;\n");
}

static void append_command_options(struct text *text, const struct command *command)
{
    text_printf(text, "    %s) options='", command->name);
    const char *separator = "";
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (!(command->options & OPTION_BIT(id)))
            continue;
        if (option_table[id].letter)
            text_printf(text, "%s-%c", separator, option_table[id].letter);
        text_printf(text, "%s--%s", option_table[id].letter ? " " : separator,
                    option_table[id].name);
        separator = " ";
    }
    text_append(text, "' ;;\n");
}

/* bash splits --format=json at "=": the word before is then "=", or it is the
 * current one. */
static const char start[] =
    "# Completion of inquest for bash; printed by `inquest help completion`.\n"
    "_inquest_reply()\n"
    "{\n"
    "    [[ $1 == -W ]] || compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$current\")\n"
    "}\n"
    "\n"
    "_inquest()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command='' options='' i\n"
    "    COMPREPLY=()\n"
    "    if [[ $current == = ]]; then\n"
    "        current=''\n"
    "    elif [[ $previous == = ]]; then\n"
    "        previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        ";

void completion_render(struct text *text)
{
    text_append(text, start);
    append_command_names(text, " | ");
    text_append(text, ")\n            command=${COMP_WORDS[i]}\n            break\n            ;;\n"
                      "        esac\n    done\n    case $previous in\n");
    for (int id = 0; id < OPTION_COUNT; id++)
        append_values(text, &option_table[id]);
    text_append(text, "    esac\n    case $command in\n");
    for (const struct command *command = command_table; command->name; command++)
        append_command_options(text, command);
    text_append(text, "    *) options='--help --version' ;;\n    esac\n"
                      "    if [[ $current == -* ]]; then\n"
                      "        _inquest_reply -W \"$options\"\n"
                      "    elif [[ -z $command || $command == help ]]; then\n"
                      "        _inquest_reply -W '");
    append_command_names(text, " ");
    text_append(text, "'\n    else\n        _inquest_reply -f\n    fi\n}\n"
                      "complete -F _inquest inquest\n");
}
