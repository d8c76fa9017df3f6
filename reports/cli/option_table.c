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
    {"junit", FORMAT_JUNIT},
    {"pstats", FORMAT_PSTATS},
    {NULL, 0},
};

static const struct option_choice colors[] = {
    {"auto", COLOR_AUTO},
    {"always", COLOR_ALWAYS},
    {"never", COLOR_NEVER},
    {NULL, 0},
};

static const struct option_choice cumulatives[] = {
    {"all", CUMULATIVE_ALL},
    {"once", CUMULATIVE_ONCE},
    {NULL, 0},
};

static const struct option_choice export_targets[] = {
    {"collapsed", EXPORT_COLLAPSED},
    {"speedscope", EXPORT_SPEEDSCOPE},
    {"pprof", EXPORT_PPROF},
    {NULL, 0},
};

/* clang-format off */
#define TARGET(field) offsetof(struct options, field)
#define FLAG(name, letter, field, help) {name, letter, NULL, OPTION_IS_FLAG, TARGET(field), help, NULL, false}
#define VALUE(name, letter, argument, type, field, help) {name, letter, argument, type, TARGET(field), help, NULL, false}
#define PATTERN(name, field, help) {name, 0, "PATTERN[:LINE]", OPTION_IS_LIST, TARGET(field), help, NULL, true}
#define CHOICE(name, argument, field, choices, help) {name, 0, argument, OPTION_IS_CHOICE, TARGET(field), help, choices, false}

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
    [OPTION_REVERSE] = FLAG("reverse", 0, reverse, "merged by innermost frame: what costs, then its callers"),
    [OPTION_TREEMAP] = FLAG("treemap", 0, treemap,
        "no stacks, but what each place took itself: package, file, and line or function"),
    [OPTION_PLAIN] = FLAG("plain", 0, plain,
        "write object and ref as ordinary tables, several times as large"),
    [OPTION_CALLERS] = VALUE("callers", 0, "FUNCTION", OPTION_IS_TEXT, callers,
        "who calls FUNCTION, a name or FILE:LINE"),
    [OPTION_CALLEES] = VALUE("callees", 0, "FUNCTION", OPTION_IS_TEXT, callees,
        "whom FUNCTION calls"),
    [OPTION_FILTER] = PATTERN("filter", filter,
        "only what is in files of this pattern, as fnmatch takes it; again: or in these"),
    [OPTION_EXCLUDE] = PATTERN("exclude", exclude,
        "nothing that is in files of this pattern; again: nor in these"),
    [OPTION_DOMAIN] = VALUE("domain", 0, "N", OPTION_IS_LIST, domain,
        "only allocations of this domain; Python's own is 0"),
    [OPTION_EXCLUDE_DOMAIN] = VALUE("exclude-domain", 0, "N", OPTION_IS_LIST, not_domain,
        "no allocations of this domain"),
    [OPTION_ALL_FRAMES] = FLAG("all-frames", 0, all_frames,
        "filters look at every frame of a stack, not at the innermost alone"),
    [OPTION_CUMULATIVE] = {"cumulative", 0, "[=once]", OPTION_IS_OPTIONAL_CHOICE, TARGET(cumulative),
        "count an allocation for every frame of its stack, as often as the frame is on it; with "
        "=once for each frame once", cumulatives, false},
    [OPTION_RESTRICT] = VALUE("restrict", 0, "R", OPTION_IS_LIST, restrictions,
        "rows as pstats restricts them: a number, a part of one, or a regular expression; in order"),
    [OPTION_STRIP_DIRS] = FLAG("strip-dirs", 0, strip_dirs, "file names without their folders"),
    [OPTION_REVERSE_ORDER] = FLAG("reverse-order", 0, reverse_order, "the rows the other way round"),
    [OPTION_TO] = CHOICE("to", "FORMAT", target, export_targets, "the format to write"),
    [OPTION_THRESHOLD] = VALUE("threshold", 0, "PERCENT", OPTION_IS_TEXT, threshold,
        "of the heap that a suspect keeps at least (10; from 1 on)"),
    [OPTION_LEAST] = VALUE("least", 0, "BYTES", OPTION_IS_TEXT, least,
        "that a suspect keeps at least (256K; from 64K on)"),
    [OPTION_FAIL_IF] = VALUE("fail-if", 0, "EXPR", OPTION_IS_LIST, fail_if,
        "exit with 1 where this holds, as 'total.self > 20%'; may be given again"),
    [OPTION_MATCH] = VALUE("match", 0, "RULE", OPTION_IS_TEXT, match,
        "what counts as the same frame in both: exact, line or function"),
    [OPTION_NORMALIZE] = FLAG("normalize", 0, normalize, "scale both to the same total"),
    [OPTION_NOISE] = FLAG("noise", 0, noise, "let changes that chance explains trip gates, too"),
    [OPTION_TIMES] = VALUE("times", 0, "LIST", OPTION_IS_TEXT, times,
        "when the inputs were made, as 0,3600,7200 (seconds) or dates"),
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
