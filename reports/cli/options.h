/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_CLI_OPTIONS_H
#define INQUEST_REPORTS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"
#include "inquest/base/text.h"

/* The command line. Everything that is known of an option is its row of
 * option_table (option_table.c): parsing, --help, the bash completion and the
 * man page are all made from it. */

/* Bits, so that a command can say which it has. */
enum output_format {
    FORMAT_TEXT = 1,
    FORMAT_JSON = 2,
    FORMAT_CSV = 4,
    FORMAT_MARKDOWN = 8,
    FORMAT_HTML = 16,
    FORMAT_SVG = 32,
    FORMAT_JUNIT = 64,
    FORMAT_PSTATS = 128, /* as Python's pstats prints it */
};

enum cumulative_choice { CUMULATIVE_NOT, CUMULATIVE_ALL, CUMULATIVE_ONCE };
enum export_target { EXPORT_NONE, EXPORT_COLLAPSED, EXPORT_SPEEDSCOPE, EXPORT_PPROF };
enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* An option that can be given more than once. */
#define OPTION_LIST_MOST 64
struct option_list {
    const char *items[OPTION_LIST_MOST];
    size_t count;
};

/* What the user asked for. Strings are argv's own. */
struct options {
    const char *output;     /* -o, NULL: standard output */
    const char *sysroot;    /* NULL: none given */
    const char *executable; /* NULL: none given */
    uint64_t limit;         /* --limit; 0: all. Only where options_has_limit */
    bool redact, no_cache, no_progress, quiet, verbose, help, version;
    bool files;         /* info --files */
    bool no_locals;     /* threads, postmortem --no-locals */
    const char *thread; /* threads --thread: an id or a name; NULL: all */
    const char *by;     /* heap --by: what rows stand for; NULL: the command's own choice */
    const char *sort;   /* heap --sort: what rows are in order of; NULL: as above */
    bool icicle;        /* flamegraph --icicle: the root at the top */
    bool reverse;       /* flamegraph, diff --reverse: innermost frame first */
    bool treemap;       /* flamegraph --treemap: places instead of stacks */
    bool plain;         /* load --plain: no virtual tables */
    const char *callers, *callees;         /* hotspots: of this function; NULL: none */
    struct option_list filter, exclude;    /* hotspots: PATTERN[:LINE] */
    struct option_list domain, not_domain; /* hotspots: numbers */
    struct option_list restrictions;       /* hotspots --restrict: as pstats takes them */
    bool all_frames;                       /* hotspots: filters look at every frame */
    bool strip_dirs;                       /* hotspots: file names without folders */
    bool reverse_order;                    /* hotspots: the rows the other way round */
    unsigned cumulative;                   /* hotspots, a cumulative_choice */
    unsigned target;                       /* export --to, an export_target */
    const char *threshold;                 /* leaks --threshold: percent; NULL: the default */
    const char *least;                     /* leaks --least: bytes; NULL: the default */
    struct option_list fail_if;            /* --fail-if: gates */
    const char *match;          /* diff --match: exact, line or function; NULL: the default */
    bool normalize;             /* diff --normalize: both scaled to one total */
    bool noise;                 /* diff --noise: changes within chance trip gates, too */
    const char *times;          /* trend --times: of the inputs, comma between; NULL: recorded */
    unsigned format;            /* --format, an output_format; FORMAT_TEXT unless given */
    const char *unknown_format; /* --format that no command has; NULL: it is one of them */
    unsigned color;             /* --color, a color_choice */
    uint64_t given;             /* OPTION_BITs of what was on the command line */
    const char **operands;      /* what is not an option */
    size_t operand_count;
};

/* In the order in which help lists them. */
enum option_id {
    OPTION_OUTPUT,
    OPTION_FORMAT,
    OPTION_LIMIT,
    OPTION_FILES,
    OPTION_NO_LOCALS,
    OPTION_THREAD,
    OPTION_BY,
    OPTION_SORT,
    OPTION_ICICLE,
    OPTION_REVERSE,
    OPTION_TREEMAP,
    OPTION_PLAIN,
    OPTION_CALLERS,
    OPTION_CALLEES,
    OPTION_FILTER,
    OPTION_EXCLUDE,
    OPTION_DOMAIN,
    OPTION_EXCLUDE_DOMAIN,
    OPTION_ALL_FRAMES,
    OPTION_CUMULATIVE,
    OPTION_RESTRICT,
    OPTION_STRIP_DIRS,
    OPTION_REVERSE_ORDER,
    OPTION_TO,
    OPTION_THRESHOLD,
    OPTION_LEAST,
    OPTION_FAIL_IF,
    OPTION_MATCH,
    OPTION_NORMALIZE,
    OPTION_NOISE,
    OPTION_TIMES,
    OPTION_SYSROOT,
    OPTION_EXECUTABLE,
    OPTION_REDACT,
    OPTION_NO_CACHE,
    OPTION_NO_PROGRESS,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_COLOR,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COUNT
};

/* A set of options, as a command's row lists them. */
#define OPTION_BIT(id) (UINT64_C(1) << (id))

enum option_type {
    OPTION_IS_FLAG,            /* target: bool */
    OPTION_IS_FILE,            /* target: const char * */
    OPTION_IS_FOLDER,          /* target: const char * */
    OPTION_IS_TEXT,            /* target: const char * */
    OPTION_IS_NUMBER,          /* target: uint64_t */
    OPTION_IS_CHOICE,          /* target: unsigned */
    OPTION_IS_LIST,            /* target: struct option_list */
    OPTION_IS_OPTIONAL_CHOICE, /* target: unsigned; --name is the first choice, --name=CHOICE */
};

struct option_choice {
    const char *name;
    unsigned value;
};

struct option {
    const char *name;     /* "output", without the dashes */
    char letter;          /* 'o', 0: none */
    const char *argument; /* "FILE" as help shows it; NULL for a flag */
    enum option_type type;
    size_t target;                       /* offset in struct options */
    const char *help;                    /* lower case, no full stop */
    const struct option_choice *choices; /* NULL-named end; of OPTION_IS_CHOICE alone */
    bool may_be_empty;                   /* a pattern can be: fnmatch takes it */
};

/* Whether --limit was given; otherwise the command's own default holds. */
static inline bool options_has_limit(const struct options *options)
{
    return options->given & OPTION_BIT(OPTION_LIMIT);
}

extern const struct option option_table[OPTION_COUNT];

/* Parses argv[1] on; options may stand anywhere, "--" ends them. The command's
 * name is the first operand. `operands` has room for `argc` strings. Errors are
 * STATUS_USAGE. */
enum status options_parse(int argc, char **argv, const char **operands, struct options *ret_options,
                          struct error *err) MUST_CHECK;

/* The format that a file name's ending asks for; 0 where it asks for none. */
unsigned output_format_for_path(const char *path);
/* Appends one ending for each of a set of formats: ".html .json". */
void output_endings(struct text *text, unsigned formats);
const char *output_format_name(unsigned format);

/* The nearest of `names` (NULL-terminated) to `word`, NULL where none is near. */
const char *nearest_name(const char *word, const char *const *names);

#endif
