/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/help.h"
#include "inquest/analyzer/gate.h"

#include <stdio.h>
#include <string.h>

#include "reports/cli/exit_status.h"

#define WIDTH       80
#define NAME_COLUMN 22 /* options and commands are shorter */

static size_t line_size(const struct text *text)
{
    const char *string = text_string(text), *newline = memrchr(string, '\n', text->size);
    return newline ? text->size - (size_t)(newline + 1 - string) : text->size;
}

/* Appends the words, broken at WIDTH; lines after the first begin at `indent`. */
static void append_wrapped(struct text *text, const char *words, size_t indent)
{
    while (*words) {
        size_t size = strcspn(words, " ");
        size_t used = line_size(text);
        if (used > indent && used + 1 + size > WIDTH)
            text_printf(text, "\n%*s", (int)indent, "");
        else if (used > indent)
            text_append_char(text, ' ');
        text_append_n(text, words, size);
        words += size;
        words += strspn(words, " ");
    }
    text_append_char(text, '\n');
}

static void append_row(struct text *text, const char *name, const char *words)
{
    text_printf(text, "  %-*s", NAME_COLUMN - 2, name);
    if (strlen(name) > NAME_COLUMN - 4)
        text_printf(text, "\n%*s", NAME_COLUMN, "");
    append_wrapped(text, words, NAME_COLUMN);
}

void option_spelling(struct text *text, const struct option *option)
{
    if (option->letter)
        text_printf(text, "-%c, ", option->letter);
    text_printf(text, "--%s", option->name);
    if (option->argument)
        text_printf(text, "%s%s", option->type == OPTION_IS_OPTIONAL_CHOICE ? "" : " ",
                    option->argument);
}

void option_words(struct text *text, const struct option *option, unsigned formats)
{
    text_append(text, option->help);
    const char *separator = ": ";
    bool in_words = option->type == OPTION_IS_OPTIONAL_CHOICE; /* the help says what they mean */
    for (const struct option_choice *choice = in_words ? NULL : option->choices;
         choice && choice->name; choice++) {
        if (option == &option_table[OPTION_FORMAT] && !(choice->value & formats))
            continue;
        text_printf(text, "%s%s", separator, choice->name);
        separator = ", ";
    }
    if (option == &option_table[OPTION_OUTPUT] && formats) {
        text_append(text, ", whose ending chooses the format: ");
        output_endings(text, formats);
    }
}

static void append_options(struct text *text, uint64_t options, unsigned formats)
{
    struct text name, words;
    text_init(&name);
    text_init(&words);
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (!(options & OPTION_BIT(id)))
            continue;
        text_clear(&name);
        text_clear(&words);
        option_spelling(&name, &option_table[id]);
        option_words(&words, &option_table[id], formats);
        append_row(text, text_string(&name), text_string(&words));
    }
    text_deinit(&words);
    text_deinit(&name);
}

static void render_command(struct text *text, const struct command *command)
{
    text_printf(text, "usage: inquest %s %s [OPTIONS]\n\n", command->name, command->arguments);
    append_wrapped(text, command->details, 0);
    text_printf(text, "\n  %s\n\noptions:\n", command->example);
    append_options(text, command->options, command->formats);
}

static void render_program(struct text *text)
{
    text_append(text, "usage: inquest COMMAND INPUT... [OPTIONS]\n\n");
    append_wrapped(text, PROGRAM_DETAILS, 0);
    text_append(text, "\ncommands:\n");
    uint64_t shared = UINT64_MAX;
    for (const struct command *command = command_table; command->name; command++) {
        struct text name;
        text_init(&name);
        text_printf(&name, "%s %s", command->name, command->arguments);
        append_row(text, text_string(&name), command->summary);
        text_deinit(&name);
        shared &= command->options;
    }
    text_append(text, "\noptions of every command (inquest COMMAND --help lists the others):\n");
    append_options(text, shared, 0);
    text_append(text, "\nexit status:\n");
    for (unsigned i = 0; i < exit_status_count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", (int)exit_status_table[i].number);
        append_row(text, number, exit_status_table[i].meaning);
    }
}

void help_render(struct text *text, const struct command *command)
{
    if (command)
        render_command(text, command);
    else
        render_program(text);
}

/* The table of what --fail-if can ask for. */
static void render_metrics(struct text *text)
{
    static const struct {
        unsigned family;
        const char *name;
    } families[] = {{METRIC_CORE, "cores"},
                    {METRIC_TRACEMALLOC, "tracemalloc"},
                    {METRIC_PSTATS, "pstats"},
                    {METRIC_SAMPLES, "py-spy and others"}};
    static const enum metric_field fields[] = {FIELD_SELF, FIELD_TOTAL, FIELD_CALLS, FIELD_SIZE,
                                               FIELD_COUNT};
    text_append(text, "--fail-if 'METRIC OP VALUE[UNIT]': OP is > >= < or <=; of two inputs the "
                      "value is\nNEW's, with % it is growth over OLD, with a sign (> +10MB) the "
                      "change; of one\ninput % is the share of all. UNIT: B KB MB GB KiB MiB GiB s "
                      "ms us min h.\ntrend also takes growth(METRIC) and growth(ROW), as "
                      "'growth(heap) > 5%/h'.\n");
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        text_printf(text, "\n%s:\n", families[i].name);
        for (const struct metric *metric = metric_table; metric->name; metric++) {
            struct text name = {0};
            if (!(metric->families & families[i].family))
                continue;
            text_append(&name, metric->name);
            if (metric->argument)
                text_printf(&name, "(%s)", metric->argument);
            for (size_t j = 0; j < sizeof fields / sizeof *fields; j++)
                if (metric->fields & fields[j])
                    text_printf(&name, " .%s", metric_field_name(fields[j]));
            append_row(text, text_string(&name), metric->meaning);
            text_deinit(&name);
        }
    }
}

enum status command_help(struct command_run *run, struct error *err)
{
    struct text *text = output_text(run->answer);
    const char *topic = run->options->operand_count ? run->options->operands[0] : NULL;
    const struct command *command = topic ? command_find(topic) : NULL;
    if (!topic || command)
        help_render(text, command);
    else if (!strcmp(topic, "completion"))
        completion_render(text);
    else if (!strcmp(topic, "metrics"))
        render_metrics(text);
    else if (!strcmp(topic, "man"))
        man_render(text);
    else
        return error_set(err, STATUS_USAGE, "there is no command '%s'; see inquest --help", topic);
    return STATUS_OK;
}
