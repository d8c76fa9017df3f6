/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "inquest_config.h"
#include "reports/cli/exit_status.h"
#include "reports/cli/help.h"

/* roff's own characters: a backslash, a dash that must stay one, and a dot or
 * quote that begins a line. */
static void append_roff(struct text *text, const char *string)
{
    bool line_start = !text->size || text->data[text->size - 1] == '\n';
    if (line_start && strchr(".'", *string) && *string)
        text_append(text, "\\&");
    for (; *string; string++) {
        if (*string == '\\')
            text_append(text, "\\e");
        else if (*string == '-')
            text_append(text, "\\-");
        else if (*string == '\'')
            text_append(text, "\\(aq");
        else
            text_append_char(text, *string);
    }
}

static void append_section(struct text *text, const char *title)
{
    text_printf(text, ".SH \"%s\"\n", title);
}

static void append_paragraph(struct text *text, const char *words)
{
    append_roff(text, words);
    text_append(text, "\n");
}

/* A tagged paragraph: the tag in bold, then its words. */
static void append_tagged(struct text *text, const char *tag, const char *words)
{
    text_append(text, ".TP\n\\fB");
    append_roff(text, tag);
    text_append(text, "\\fR\n");
    append_paragraph(text, words);
}

static void append_option(struct text *text, const struct option *option)
{
    unsigned formats = 0;
    for (const struct command *command = command_table; command->name; command++)
        formats |= command->formats;
    struct text name, words;
    text_init(&name);
    text_init(&words);
    option_spelling(&name, option);
    option_words(&words, option, formats);
    text_append(&words, ".");
    append_tagged(text, text_string(&name), text_string(&words));
    text_deinit(&words);
    text_deinit(&name);
}

static void append_command(struct text *text, const struct command *command)
{
    text_printf(text, ".SS \"%s %s\"\n", command->name, command->arguments);
    append_paragraph(text, command->details);
    text_append(text, ".PP\nOptions:");
    const char *separator = " ";
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (!(command->options & OPTION_BIT(id)))
            continue;
        text_printf(text, "%s\\fB", separator);
        append_roff(text, "--");
        append_roff(text, option_table[id].name);
        text_append(text, "\\fR");
        separator = ", ";
    }
    text_append(text, ".\n.PP\n.RS\n");
    append_paragraph(text, command->example);
    text_append(text, ".RE\n");
}

struct fact {
    const char *name, *meaning;
};

static const struct fact environment[] = {
    {"XDG_CACHE_HOME",
     "The folder of the cache is inquest in this one; ~/.cache where it is unset."},
    {"NO_COLOR", "Set to anything: no colours, unless --color always."},
    {"COLUMNS", "The width of tables on standard output."},
    {"TMPDIR", "Where a wrapped input is unwrapped to, in a file without a name."},
};

void man_render(struct text *text)
{
    text_append(text, ".\\\" Printed by `inquest help man`.\n"
                      ".TH INQUEST 1 \"\" \"inquest " INQUEST_VERSION "\" \"User Commands\"\n"
                      ".SH NAME\ninquest \\- " PROGRAM_SUMMARY "\n"
                      ".SH SYNOPSIS\n\\fBinquest\\fR \\fICOMMAND\\fR \\fIINPUT\\fR... "
                      "[\\fIOPTIONS\\fR]\n");
    append_section(text, "DESCRIPTION");
    append_paragraph(text, PROGRAM_DETAILS);
    append_section(text, "COMMANDS");
    for (const struct command *command = command_table; command->name; command++)
        append_command(text, command);
    append_section(text, "OPTIONS");
    for (int id = 0; id < OPTION_COUNT; id++)
        append_option(text, &option_table[id]);
    append_section(text, "EXIT STATUS");
    for (unsigned i = 0; i < exit_status_count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", (int)exit_status_table[i].number);
        append_tagged(text, number, exit_status_table[i].meaning);
    }
    append_section(text, "ENVIRONMENT");
    for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
        append_tagged(text, environment[i].name, environment[i].meaning);
    append_section(text, "SECURITY");
    append_paragraph(text, "A dump holds secrets, and so does its index: indexes and reports are "
                           "written with mode 0600, the cache's folder has mode 0700. --redact "
                           "leaves the values out. Nothing that a dump names is ever run.");
    append_section(text, "SEE ALSO");
    append_paragraph(text, "core(5), gcore(1), coredumpctl(1), sqlite3(1)");
}
