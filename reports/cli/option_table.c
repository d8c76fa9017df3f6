/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/options.h"

/* Every option of every command. To add one: its id in options.h, its field in
 * struct options, a row here, and its OPTION_BIT in the rows of the commands that
 * have it (commands.c). Help, completion and man page follow. */

static const struct option_choice formats[] = {
    {"text", FORMAT_TEXT},
    {"json", FORMAT_JSON},
    {"csv", FORMAT_CSV},
    {"md", FORMAT_MARKDOWN},
    {NULL, 0},
};

static const struct option_choice colors[] = {
    {"auto", COLOR_AUTO},
    {"always", COLOR_ALWAYS},
    {"never", COLOR_NEVER},
    {NULL, 0},
};

/* clang-format off */
#define TARGET(field) offsetof(struct options, field)
#define FLAG(name, letter, field, help) {name, letter, NULL, OPTION_IS_FLAG, TARGET(field), help, NULL}
#define VALUE(name, letter, argument, type, field, help) {name, letter, argument, type, TARGET(field), help, NULL}
#define CHOICE(name, argument, field, choices, help) {name, 0, argument, OPTION_IS_CHOICE, TARGET(field), help, choices}

const struct option option_table[OPTION_COUNT] = {
    [OPTION_OUTPUT] = VALUE("output", 'o', "FILE", OPTION_IS_FILE, output,
        "write to FILE"),
    [OPTION_FORMAT] = CHOICE("format", "FORMAT", format, formats, "format of standard output"),
    [OPTION_LIMIT] = VALUE("limit", 0, "N", OPTION_IS_NUMBER, limit, "show at most N rows (0: all)"),
    [OPTION_FILES] = FLAG("files", 0, files, "list the files that the process had mapped"),
    [OPTION_NO_LOCALS] = FLAG("no-locals", 0, no_locals, "leave the local variables out"),
    [OPTION_THREAD] = VALUE("thread", 0, "ID", OPTION_IS_TEXT, thread,
        "this thread alone, by native id, ident or name"),
    [OPTION_BY] = VALUE("by", 0, "WHAT", OPTION_IS_TEXT, by, "what a row stands for"),
    [OPTION_SORT] = VALUE("sort", 0, "KEY", OPTION_IS_TEXT, sort, "what the rows are in order of"),
    [OPTION_ICICLE] = FLAG("icicle", 0, icicle, "the root at the top, what it holds below it"),
    [OPTION_PLAIN] = FLAG("plain", 0, plain,
        "write object and ref as ordinary tables, several times as large"),
    [OPTION_SYSROOT] = VALUE("sysroot", 0, "DIR", OPTION_IS_FOLDER, sysroot,
        "where the dead process's files are"),
    [OPTION_EXECUTABLE] = VALUE("exe", 0, "FILE", OPTION_IS_FILE, executable,
        "the executable of the dead process"),
    [OPTION_REDACT] = FLAG("redact", 0, redact,
        "no values of strings, bytes or numbers, no environment"),
    [OPTION_NO_CACHE] = FLAG("no-cache", 0, no_cache, "keep no index, and use none that was kept"),
    [OPTION_NO_PROGRESS] = FLAG("no-progress", 0, no_progress, "no progress bar on the terminal"),
    [OPTION_QUIET] = FLAG("quiet", 'q', quiet, "no warnings and no progress bar, errors only"),
    [OPTION_VERBOSE] = FLAG("verbose", 'v', verbose, "say more: all warnings, what was written"),
    [OPTION_COLOR] = CHOICE("color", "WHEN", color, colors,
        "colours: auto is on a terminal, unless NO_COLOR is set"),
    [OPTION_HELP] = FLAG("help", 'h', help, "show this help"),
    [OPTION_VERSION] = FLAG("version", 'V', version, "show the version"),
};
/* clang-format on */
