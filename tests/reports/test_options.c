/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what is parsed, what is refused, and that help, completion
 * and man page say what the tables say. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "reports/cli/command.h"
#include "reports/cli/exit_status.h"
#include "reports/cli/help.h"
#include "reports/cli/options.h"
#include "reports/cli/progress_bar.h"

#define WORDS 16

/* Parses a line of words that blanks part. */
static enum status parse(const char *line, struct options *ret_options, struct error *err)
{
    static char copy[256], *argv[WORDS];
    static const char *operands[WORDS];
    int argc = 0;
    snprintf(copy, sizeof copy, "inquest %s", line);
    for (char *word = strtok(copy, " "); word && argc < WORDS; word = strtok(NULL, " "))
        argv[argc++] = word;
    *err = (struct error){0};
    return options_parse(argc, argv, operands, ret_options, err);
}

static struct options parsed(const char *line)
{
    struct options options;
    struct error err;
    if (parse(line, &options, &err) != STATUS_OK)
        fail_msg("%s: %s", line, err.message);
    return options;
}

static void refused(const char *line, const char *why)
{
    struct options options;
    struct error err;
    assert_int_equal(parse(line, &options, &err), STATUS_USAGE);
    if (!strstr(err.message, why))
        fail_msg("%s: '%s' does not say '%s'", line, err.message, why);
}

static void test_spellings(void **state)
{
    (void)state;
    static const char *const same[] = {
        "info a --output x.txt --limit 12 --quiet",
        "info a --output=x.txt --limit=12 -q",
        "info -o x.txt a -q --limit 12",
        "-qo x.txt info --limit=12 a",
        "info -ox.txt -q --limit 12 -- a",
        "--limit 12 -qox.txt info a",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct options options = parsed(same[i]);
        assert_string_equal(options.output, "x.txt");
        assert_true(options_has_limit(&options));
        assert_int_equal(options.limit, 12);
        assert_true(options.quiet);
        assert_false(options.verbose);
        assert_int_equal(options.operand_count, 2);
        assert_string_equal(options.operands[0], "info");
        assert_string_equal(options.operands[1], "a");
        assert_int_equal(options.given, OPTION_BIT(OPTION_OUTPUT) | OPTION_BIT(OPTION_LIMIT) |
                                            OPTION_BIT(OPTION_QUIET));
    }
}

static void test_defaults_and_operands(void **state)
{
    (void)state;
    struct options options = parsed("query - --");
    assert_int_equal(options.operand_count, 2);
    assert_string_equal(options.operands[1], "-");
    assert_int_equal(options.format, FORMAT_TEXT);
    assert_int_equal(options.color, COLOR_AUTO);
    assert_false(options_has_limit(&options));
    assert_null(options.output);
    options = parsed("query x -- --not-an-option -q");
    assert_int_equal(options.operand_count, 4);
    assert_string_equal(options.operands[2], "--not-an-option");
    assert_false(options.quiet);
    options = parsed("info a --format json --format=md --color never");
    assert_int_equal(options.format, FORMAT_MARKDOWN);
    assert_int_equal(options.color, COLOR_NEVER);
    assert_null(options.unknown_format);
    assert_string_equal(parsed("info a --format yaml").unknown_format, "yaml");
}

static void test_refused(void **state)
{
    (void)state;
    refused("info --fromat json", "did you mean --format?");
    refused("info --zzzzzz", "unknown option --zzzzzz");
    refused("info -z", "unknown option -z");
    refused("info -qz", "unknown option -z");
    refused("info a -o", "--output needs a value: FILE");
    refused("info a --output=", "--output needs a value");
    refused("info --quiet=yes", "takes no value");
    refused("info --limit -1", "whole number");
    refused("info --limit 1x", "whole number");
    refused("info --limit 18446744073709551616", "whole number");
    refused("info --color=blue", "auto, always, never");
    assert_int_equal(parsed("info --limit 18446744073709551615").limit, UINT64_MAX);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"postmortem", "threads", "info", "load", NULL};
    assert_string_equal(nearest_name("thraeds", names), "threads");
    assert_string_equal(nearest_name("post", names), "postmortem");
    assert_string_equal(nearest_name("inof", names), "info");
    assert_null(nearest_name("hotspots", names));
    assert_null(nearest_name("", names));
    assert_null(nearest_name("a-word-that-is-longer-than-all-names-together", names));
}

static void test_endings(void **state)
{
    (void)state;
    assert_int_equal(output_format_for_path("a.json"), FORMAT_JSON);
    assert_int_equal(output_format_for_path("a.b/c.HTML"), FORMAT_HTML);
    assert_int_equal(output_format_for_path("a.json/c"), 0);
    assert_int_equal(output_format_for_path("json"), 0);
    assert_int_equal(output_format_for_path("a.html.gz"), 0);
    struct text text;
    text_init(&text);
    output_endings(&text, FORMAT_HTML | FORMAT_CSV);
    assert_string_equal(text_string(&text), ".html .csv");
    text_deinit(&text);
}

static bool said_in(const char *where, const char *what)
{
    return strstr(where, what) != NULL;
}

/* Undoes the breaking of lines. */
static void squeeze(struct text *text)
{
    char *to = text->data;
    for (const char *from = text->data; *from; from++) {
        bool blank = *from == ' ' || *from == '\n';
        if (!blank || (to > text->data && to[-1] != ' '))
            *to++ = blank ? ' ' : *from;
    }
    *to = '\0';
}

/* Every option of every command stands in its help, in the completion and in the
 * man page: nothing is listed by hand. */
/* "--reverse", and not the beginning of "--reverse-order". */
static bool option_said_in(const char *text, const char *name)
{
    size_t size = strlen(name);
    for (; (text = strstr(text, name)); text += size)
        if (!isalpha((unsigned char)text[size]) && text[size] != '-')
            return true;
    return false;
}

static void test_tables_are_told(void **state)
{
    (void)state;
    struct text completion, man, program;
    text_init(&completion);
    text_init(&man);
    text_init(&program);
    completion_render(&completion);
    man_render(&man);
    help_render(&program, NULL);
    squeeze(&program);
    for (const struct command *command = command_table; command->name; command++) {
        struct text help;
        text_init(&help);
        help_render(&help, command);
        assert_non_null(command->function);
        assert_true(said_in(text_string(&program), command->summary));
        assert_true(said_in(text_string(&completion), command->name));
        assert_true(said_in(text_string(&man), command->name));
        assert_true(said_in(text_string(&help), command->example));
        for (int id = 0; id < OPTION_COUNT; id++) {
            char name[64];
            snprintf(name, sizeof name, "--%s", option_table[id].name);
            bool has = command->options & OPTION_BIT(id);
            assert_int_equal(option_said_in(text_string(&help), name), has);
            assert_true(!has || said_in(text_string(&completion), name));
        }
        text_deinit(&help);
    }
    text_deinit(&program);
    text_deinit(&man);
    text_deinit(&completion);
}

static void test_option_rows_are_whole(void **state)
{
    (void)state;
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option *option = &option_table[id];
        assert_non_null(option->name);
        assert_non_null(option->help);
        assert_int_equal(option->argument == NULL, option->type == OPTION_IS_FLAG);
        assert_int_equal(option->choices != NULL, option->type == OPTION_IS_CHOICE ||
                                                      option->type == OPTION_IS_OPTIONAL_CHOICE);
        for (int other = 0; other < id; other++) {
            assert_string_not_equal(option->name, option_table[other].name);
            assert_true(!option->letter || option->letter != option_table[other].letter);
        }
    }
}

static void test_help_fits_a_terminal(void **state)
{
    (void)state;
    for (const struct command *command = command_table; command->name; command++) {
        struct text help;
        text_init(&help);
        help_render(&help, command);
        for (const char *line = text_string(&help); *line;) {
            size_t size = strcspn(line, "\n");
            assert_true(size <= 80);
            line += size + (line[size] == '\n');
        }
        text_deinit(&help);
    }
}

static void test_exit_statuses(void **state)
{
    (void)state;
    assert_int_equal(exit_status_for(STATUS_OK), 0);
    assert_int_equal(exit_status_for(STATUS_USAGE), 2);
    assert_int_equal(exit_status_for(STATUS_CORRUPT), 3);
    assert_int_equal(exit_status_for(STATUS_UNSUPPORTED), 3);
    assert_int_equal(exit_status_for(STATUS_IO), 3);
    assert_int_equal(exit_status_for(STATUS_NO_MEMORY), 3);
    assert_int_equal(exit_status_for(STATUS_OUTPUT), 4);
}

static void check_bar(const char *start, const char *end, uint64_t done, uint64_t total,
                      double seconds, unsigned width)
{
    struct text text;
    text_init(&text);
    progress_bar_line(&text, "unwrapping", "bytes", done, total, 0, seconds, width);
    const char *line = text_string(&text);
    if (strncmp(line, start, strlen(start)) != 0 || strlen(line) < strlen(end) ||
        strcmp(line + strlen(line) - strlen(end), end) != 0)
        fail_msg("'%s' is not '%s' … '%s'", line, start, end);
    text_deinit(&text);
}

static void test_progress_line(void **state)
{
    (void)state;
    check_bar("unwrapping [##########          ]  50 %  512.0 MiB, 256.0 MiB/s, 2", " s left",
              UINT64_C(512) << 20, UINT64_C(1024) << 20, 2, 100);
    check_bar("unwrapping  512.0 MiB, ", "256.0 MiB/s", UINT64_C(512) << 20, 0, 2, 100);
    check_bar("unwrapping [                    ]   0 %  0 ", "B", 0, 1000, 0, 100);
    check_bar("unwrapping [####################] 100 %  ", "KiB/s", 2048, 1024, 1, 100);
    check_bar("unwrapping [####", "…", 512, 1024, 1, 17);
}

/* ---- Writing the answer. */

static void test_output_to_full_disk(void **state)
{
    (void)state;
    struct error err = {0};
    struct output *output;
    assert_int_equal(output_open("/dev/full", &output, &err), STATUS_OK);
    text_append(output_text(output), "x");
    assert_int_equal(output_drain(output), STATUS_OK); /* not enough yet */
    assert_int_equal(output_commit(output, &err), STATUS_OUTPUT);
    assert_non_null(strstr(err.message, "/dev/full"));
    output_destroy(NULL);
}

static void test_output_drains(void **state)
{
    (void)state;
    struct output *output;
    assert_int_equal(output_open("/dev/null", &output, NULL), STATUS_OK);
    for (int i = 0; i < 1000000; i++) {
        text_append(output_text(output), "some text of an answer\n");
        assert_int_equal(output_drain(output), STATUS_OK);
    }
    assert_true(output_text(output)->capacity < 1 << 20);
    assert_int_equal(output_commit(output, NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_defaults_and_operands),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_endings),
        cmocka_unit_test(test_tables_are_told),
        cmocka_unit_test(test_option_rows_are_whole),
        cmocka_unit_test(test_help_fits_a_terminal),
        cmocka_unit_test(test_exit_statuses),
        cmocka_unit_test(test_progress_line),
        cmocka_unit_test(test_output_to_full_disk),
        cmocka_unit_test(test_output_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
