/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/options.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct parser {
    int argc;
    char **argv;
    int next; /* in argv */
    struct options *options;
    struct error *err;
};

static enum status unknown_option(struct parser *parser, const char *name)
{
    const char *names[OPTION_COUNT + 1] = {0};
    for (int i = 0; i < OPTION_COUNT; i++)
        names[i] = option_table[i].name;
    const char *nearest = nearest_name(name, names);
    if (nearest)
        return error_set(parser->err, STATUS_USAGE, "unknown option --%s; did you mean --%s?", name,
                         nearest);
    return error_set(parser->err, STATUS_USAGE, "unknown option --%s; see inquest --help", name);
}

static enum status set_number(struct parser *parser, const struct option *option, const char *value)
{
    uint64_t number = 0;
    for (const char *c = value; *c; c++) {
        if (*c < '0' || *c > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*c - '0'), &number))
            return error_set(parser->err, STATUS_USAGE, "--%s takes a whole number, not '%s'",
                             option->name, value);
    }
    *(uint64_t *)((char *)parser->options + option->target) = number;
    return STATUS_OK;
}

static enum status set_choice(struct parser *parser, const struct option *option, const char *value)
{
    char known[128] = "";
    for (const struct option_choice *choice = option->choices; choice->name; choice++) {
        if (!strcmp(choice->name, value)) {
            *(unsigned *)((char *)parser->options + option->target) = choice->value;
            return STATUS_OK;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", choice->name);
    }
    if (option == &option_table[OPTION_FORMAT]) {
        parser->options->unknown_format = value; /* the command says which ones it has */
        return STATUS_OK;
    }
    return error_set(parser->err, STATUS_USAGE, "--%s takes one of %s, not '%s'", option->name,
                     known, value);
}

static enum status add_value(struct parser *parser, const struct option *option, const char *value)
{
    struct option_list *list = (struct option_list *)((char *)parser->options + option->target);
    if (list->count == OPTION_LIST_MOST)
        return error_set(parser->err, STATUS_USAGE, "--%s can be given %d times at most",
                         option->name, OPTION_LIST_MOST);
    list->items[list->count++] = value;
    return STATUS_OK;
}

static enum status set_value(struct parser *parser, enum option_id id, const char *value)
{
    const struct option *option = &option_table[id];
    if (!*value && !option->may_be_empty)
        return error_set(parser->err, STATUS_USAGE, "--%s needs a value: %s", option->name,
                         option->argument);
    parser->options->given |= OPTION_BIT(id);
    switch (option->type) {
    case OPTION_IS_NUMBER: return set_number(parser, option, value);
    case OPTION_IS_CHOICE: return set_choice(parser, option, value);
    case OPTION_IS_LIST: return add_value(parser, option, value);
    default: *(const char **)((char *)parser->options + option->target) = value; return STATUS_OK;
    }
}

/* `value` NULL: none was attached, so it is the next word. */
static enum status take_option(struct parser *parser, enum option_id id, const char *value)
{
    const struct option *option = &option_table[id];
    if (option->type == OPTION_IS_FLAG) {
        if (value)
            return error_set(parser->err, STATUS_USAGE, "--%s takes no value", option->name);
        parser->options->given |= OPTION_BIT(id);
        *(bool *)((char *)parser->options + option->target) = true;
        return STATUS_OK;
    }
    if (option->type == OPTION_IS_OPTIONAL_CHOICE) {
        parser->options->given |= OPTION_BIT(id);
        return set_choice(parser, option, value ? value : option->choices->name);
    }
    if (!value && parser->next >= parser->argc)
        return error_set(parser->err, STATUS_USAGE, "--%s needs a value: %s", option->name,
                         option->argument);
    return set_value(parser, id, value ? value : parser->argv[parser->next++]);
}

static enum status take_long(struct parser *parser, const char *word)
{
    size_t size = strcspn(word, "=");
    for (int id = 0; id < OPTION_COUNT; id++) {
        const char *name = option_table[id].name;
        if (strlen(name) == size && !strncmp(name, word, size))
            return take_option(parser, (enum option_id)id, word[size] ? word + size + 1 : NULL);
    }
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(size < sizeof name ? size : sizeof name), word);
    return unknown_option(parser, name);
}

/* "-qv", "-oFILE", "-qo FILE" */
static enum status take_letters(struct parser *parser, const char *letters)
{
    for (const char *letter = letters; *letter; letter++) {
        int id = 0;
        while (id < OPTION_COUNT && option_table[id].letter != *letter)
            id++;
        if (id == OPTION_COUNT)
            return error_set(parser->err, STATUS_USAGE, "unknown option -%c; see inquest --help",
                             *letter);
        bool flag = option_table[id].type == OPTION_IS_FLAG;
        enum status status =
            take_option(parser, (enum option_id)id, flag || !letter[1] ? NULL : letter + 1);
        if (status != STATUS_OK || !flag)
            return status;
    }
    return STATUS_OK;
}

enum status options_parse(int argc, char **argv, const char **operands, struct options *ret_options,
                          struct error *err)
{
    struct options options = {.format = FORMAT_TEXT, .operands = operands};
    struct parser parser = {.argc = argc, .argv = argv, .next = 1, .options = &options, .err = err};
    bool ended = false;
    while (parser.next < argc) {
        const char *word = argv[parser.next++];
        enum status status = STATUS_OK;
        if (ended || word[0] != '-' || !word[1])
            operands[options.operand_count++] = word;
        else if (!strcmp(word, "--"))
            ended = true;
        else if (word[1] == '-')
            status = take_long(&parser, word + 2);
        else
            status = take_letters(&parser, word + 1);
        if (status != STATUS_OK)
            return status;
    }
    *ret_options = options;
    return STATUS_OK;
}

static const struct option_choice endings[] = {
    {".html", FORMAT_HTML}, {".htm", FORMAT_HTML},    {".svg", FORMAT_SVG},  {".json", FORMAT_JSON},
    {".csv", FORMAT_CSV},   {".md", FORMAT_MARKDOWN}, {".txt", FORMAT_TEXT}, {".xml", FORMAT_JUNIT},
};
#define ENDINGS (sizeof endings / sizeof *endings)

unsigned output_format_for_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < ENDINGS; i++) {
        if (!strcasecmp(dot, endings[i].name))
            return endings[i].value;
    }
    return 0;
}

void output_endings(struct text *text, unsigned formats)
{
    unsigned said = 0;
    for (size_t i = 0; i < ENDINGS; i++) {
        if (!(endings[i].value & formats & ~said))
            continue;
        text_printf(text, "%s%s", said ? " " : "", endings[i].name);
        said |= endings[i].value;
    }
}

const char *output_format_name(unsigned format)
{
    switch (format) {
    case FORMAT_TEXT: return "text";
    case FORMAT_JSON: return "json";
    case FORMAT_CSV: return "csv";
    case FORMAT_MARKDOWN: return "md";
    case FORMAT_HTML: return "html";
    case FORMAT_SVG: return "svg";
    case FORMAT_JUNIT: return "junit";
    case FORMAT_PSTATS: return "pstats";
    default: return "unknown";
    }
}
