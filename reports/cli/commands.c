/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "reports/cli/command.h"

/* The table of commands. To add one: its function in reports/commands/NAME.c,
 * declared in command.h, and a row here. Help, completion and man page follow. */

#define BIT(name) OPTION_BIT(OPTION_##name)
/* What every command has */
#define ALWAYS (BIT(QUIET) | BIT(VERBOSE) | BIT(COLOR) | BIT(HELP) | BIT(VERSION))
/* what one has that reads a dump, */
#define READS_DUMP (BIT(SYSROOT) | BIT(EXECUTABLE) | BIT(REDACT) | BIT(NO_CACHE) | BIT(NO_PROGRESS))
/* and one that writes an answer. */
#define ANSWERS (BIT(OUTPUT) | BIT(FORMAT))

#define TABLE_FORMATS (FORMAT_TEXT | FORMAT_JSON | FORMAT_CSV | FORMAT_MARKDOWN)

const struct command command_table[] = {
    {
        .name = "postmortem",
        .arguments = "CORE",
        .summary = "why it died and what it was doing",
        .details = "Prints a summary: the signal and what caused it, the exception in flight, the "
                   "stacks of the threads that matter, and what filled the memory. With -o it "
                   "also writes one report.",
        .example = "inquest postmortem core.zst -o report.html",
        .operands_min = 1,
        .operands_max = 1,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(NO_LOCALS) | BIT(FAIL_IF),
        .formats = FORMAT_TEXT | FORMAT_JSON | FORMAT_MARKDOWN | FORMAT_HTML,
        .flags = COMMAND_SUMMARIZES | COMMAND_NEEDS_HEAP | COMMAND_GATED,
        .function = command_postmortem,
    },
    {
        .name = "threads",
        .arguments = "CORE",
        .summary = "each thread's Python stack with locals, exceptions, who holds the GIL",
        .details = "Shows every thread, the most important first; threads with the same stack are "
                   "shown once, and recursion is folded. JSON and CSV hold everything.",
        .example = "inquest threads core --format json",
        .operands_min = 1,
        .operands_max = 1,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(NO_LOCALS) | BIT(THREAD) |
                   BIT(FAIL_IF),
        .formats = TABLE_FORMATS | FORMAT_HTML,
        .flags = COMMAND_GATED,
        .function = command_threads,
    },
    {
        .name = "tasks",
        .arguments = "CORE",
        .summary = "asyncio tasks, what each awaits, as a tree",
        .details = "Shows the tasks of all event loops: state, coroutine stack, context variables, "
                   "what each waits for and whom. Those that wait for themselves, through others, "
                   "are called deadlocked and come first.",
        .example = "inquest tasks core --format json",
        .operands_min = 1,
        .operands_max = 1,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(FAIL_IF),
        .formats = TABLE_FORMATS,
        .flags = COMMAND_GATED,
        .function = command_tasks,
    },
    {
        .name = "heap",
        .arguments = "CORE",
        .summary = "types by number and size, the largest holders, where the memory went",
        .details = "A type's own size is what sys.getsizeof gives for its instances together; its "
                   "retained size is what each of them keeps, those within another counted once. "
                   "--by type (the default), module or size; --sort retained (the default), "
                   "shallow, instances or name.",
        .example = "inquest heap core --by module --limit 10",
        .operands_min = 1,
        .operands_max = 1,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(BY) | BIT(SORT) | BIT(FAIL_IF),
        .formats = TABLE_FORMATS,
        .flags = COMMAND_NEEDS_HEAP | COMMAND_GATED,
        .function = command_heap,
    },
    {
        .name = "leaks",
        .arguments = "CORE",
        .summary = "leak suspects, largest first: what keeps a large share of the heap, and how",
        .details = "A suspect is an object that keeps 10 % of the reachable heap (--threshold) and "
                   "256 KiB (--least), named where its memory falls apart into many small parts; "
                   "or a group of instances of one type that together do, with no single holder. "
                   "What C code alone holds and what was not yet collected is told apart.",
        .example = "inquest leaks core --threshold 5",
        .operands_min = 1,
        .operands_max = 1,
        .options =
            ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(THRESHOLD) | BIT(LEAST) | BIT(FAIL_IF),
        .formats = TABLE_FORMATS,
        .flags = COMMAND_NEEDS_HEAP | COMMAND_GATED,
        .function = command_leaks,
    },
    {
        .name = "cycles",
        .arguments = "CORE",
        .summary = "reference cycles by shape, garbage first, and why it was not collected",
        .details = "A row is a shape: the types and the fields that join them, with the number of "
                   "copies. Garbage is what no root leads to. --limit bounds the rows of each "
                   "table, and the drawings of an SVG (-o FILE.svg).",
        .example = "inquest cycles core -o cycles.svg",
        .operands_min = 1,
        .operands_max = 1,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(FAIL_IF),
        .formats = TABLE_FORMATS | FORMAT_SVG,
        .flags = COMMAND_NEEDS_HEAP | COMMAND_GATED,
        .function = command_cycles,
    },
    {
        .name = "waste",
        .arguments = "CORE",
        .summary = "memory to gain: equal values, empty and over-sized containers, __dict__s",
        .details = "Counts what the program could do without, kind by kind, with the bytes to gain "
                   "and where most of it is held. One object can be in several kinds: the sums "
                   "are upper bounds. --limit bounds the rows of each kind.",
        .example = "inquest waste core --limit 20",
        .operands_min = 1,
        .operands_max = 1,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(FAIL_IF),
        .formats = TABLE_FORMATS,
        .flags = COMMAND_NEEDS_HEAP | COMMAND_GATED,
        .function = command_waste,
    },
    {
        .name = "show",
        .arguments = "CORE OBJECT",
        .summary = "one object: its size, fields, who refers to it, the path from a root",
        .details = "OBJECT is an address (0x7f...), an id of the index (#17) or a path as inquest "
                   "writes them: a module, type, thread or frame, then attributes and keys.",
        .example = "inquest show core \"shop.cache.SESSIONS['u17'].basket\"",
        .operands_min = 2,
        .operands_max = 2,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT),
        .formats = TABLE_FORMATS,
        .flags = COMMAND_NEEDS_HEAP,
        .function = command_show,
    },
    {
        .name = "hotspots",
        .arguments = "PROFILE...",
        .summary = "where a recording's time or memory went, by function, line, file, ...",
        .details =
            "Self is what a function takes itself, total what it takes with all that it "
            "calls, once however often it is on the stack. --by function, line, file, "
            "module, thread or traceback; --sort self, total, count, name and all keys of "
            "pstats. Several recordings of one kind and unit are added up, and --format pstats "
            "prints what print_stats, print_callers or print_callees would. Filters are those of "
            "tracemalloc; with --domain, patterns hold within the domain.",
        .example = "inquest hotspots app.pstats --sort cumulative --limit 20",
        .operands_min = 1,
        .operands_max = SIZE_MAX,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(BY) | BIT(SORT) | BIT(CALLERS) |
                   BIT(CALLEES) | BIT(FILTER) | BIT(EXCLUDE) | BIT(DOMAIN) | BIT(EXCLUDE_DOMAIN) |
                   BIT(ALL_FRAMES) | BIT(CUMULATIVE) | BIT(RESTRICT) | BIT(STRIP_DIRS) |
                   BIT(REVERSE_ORDER) | BIT(FAIL_IF),
        .formats = TABLE_FORMATS | FORMAT_PSTATS,
        .flags = COMMAND_GATED,
        .function = command_hotspots,
    },
    {
        .name = "flamegraph",
        .arguments = "INPUT...",
        .summary = "a flame graph: of a recording its calls or allocations, of a core its memory",
        .details =
            "Each frame is as wide as the time, the samples or the bytes of what it stands "
            "for; of a core, as the memory that would be freed with it. --reverse merges "
            "by the innermost frame, --by count counts blocks or samples. Several recordings "
            "of one kind and unit are added up. The SVG can be looked at anywhere; in a "
            "browser it zooms and searches. --treemap draws areas of packages, files and "
            "lines instead. The text form is an outline of the same tree.",
        .example = "inquest flamegraph profile.pstats -o profile.svg",
        .operands_min = 1,
        .operands_max = SIZE_MAX,
        .options =
            ALWAYS | READS_DUMP | ANSWERS | BIT(ICICLE) | BIT(REVERSE) | BIT(BY) | BIT(TREEMAP),
        .formats = FORMAT_SVG | FORMAT_TEXT | FORMAT_JSON,
        .flags = COMMAND_NEEDS_HEAP,
        .function = command_flamegraph,
    },
    {
        .name = "diff",
        .arguments = "OLD NEW",
        .summary = "what grew, appeared and went between two inputs of one kind",
        .details = "Compares two cores, two tracemalloc snapshots or two recordings of calls. What "
                   "changed most is the first row; --fail-if makes it a gate for CI. -o writes a "
                   "report, or a differential flame graph as SVG.",
        .example = "inquest diff baseline.index new.pstats --fail-if 'total.self > 20%'",
        .operands_min = 2,
        .operands_max = 2,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(BY) | BIT(FAIL_IF) |
                   BIT(MATCH) | BIT(NORMALIZE) | BIT(NOISE) | BIT(ICICLE) | BIT(REVERSE) |
                   BIT(CUMULATIVE),
        .formats = TABLE_FORMATS | FORMAT_HTML | FORMAT_SVG | FORMAT_JUNIT,
        .flags = COMMAND_NEEDS_HEAP,
        .function = command_diff,
    },
    {
        .name = "trend",
        .arguments = "INPUT INPUT INPUT...",
        .summary = "three or more inputs of one kind: what grows by the hour, steadily or not",
        .details = "Fits a line through each row's numbers and puts those first that grew in every "
                   "interval. Times are those of the files, unless --times says others; --by type, "
                   "instances or region of cores, line, function, file or module of recordings.",
        .example = "inquest trend core.1 core.2 core.3 --fail-if 'growth(heap) > 5%/h'",
        .operands_min = 3,
        .operands_max = SIZE_MAX,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(BY) | BIT(FAIL_IF) | BIT(TIMES),
        .formats = TABLE_FORMATS | FORMAT_HTML | FORMAT_JUNIT,
        .flags = COMMAND_NEEDS_HEAP,
        .function = command_trend,
    },
    {
        .name = "report",
        .arguments = "INPUT...",
        .summary = "one self-contained page of all that the input can answer",
        .details = "Of a core its post-mortem; of a recording, or several added up, hot functions "
                   "or lines, a flame graph, callers and callees, of memory a treemap. The page "
                   "asks for nothing from anywhere and can be read without scripts.",
        .example = "inquest report profile.pstats -o profile.html",
        .operands_min = 1,
        .operands_max = SIZE_MAX,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(NO_LOCALS) | BIT(FAIL_IF),
        .formats = FORMAT_HTML,
        .flags = COMMAND_NEEDS_HEAP,
        .function = command_report,
    },
    {
        .name = "info",
        .arguments = "INPUT",
        .summary = "what this file is: program, Python, time, size, what is missing",
        .details = "Shows what the file says of itself and of its process, and every warning. "
                   "With --files or -v it lists the mapped files with their build ids too.",
        .example = "inquest info core.lz4 --files",
        .operands_min = 1,
        .operands_max = 1,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT) | BIT(FILES),
        .formats = TABLE_FORMATS,
        .flags = COMMAND_LISTS_WARNINGS,
        .function = command_info,
    },
    {
        .name = "load",
        .arguments = "INPUT",
        .summary = "builds an index of a dump",
        .details = "Writes a SQLite database, mode 0600, that every other command takes in place "
                   "of the dump. It appears under its name only when it is whole.",
        .example = "inquest load core.gz -o core.index",
        .operands_min = 1,
        .operands_max = 1,
        .options = ALWAYS | READS_DUMP | BIT(OUTPUT) | BIT(PLAIN),
        .flags = COMMAND_WRITES_INDEX | COMMAND_NEEDS_HEAP,
        .function = command_load,
    },
    {
        .name = "query",
        .arguments = "INPUT SQL",
        .summary = "SQL over the index",
        .details = "Runs one statement that reads. The tables are those that the README lists; "
                   "PRAGMA table_list names them.",
        .example = "inquest query core.index 'SELECT name, state FROM thread' --format csv",
        .operands_min = 2,
        .operands_max = 2,
        .options = ALWAYS | READS_DUMP | ANSWERS | BIT(LIMIT),
        .formats = TABLE_FORMATS,
        .flags = COMMAND_NEEDS_HEAP,
        .function = command_query,
    },
    {
        .name = "export",
        .arguments = "PROFILE...",
        .summary = "a recording for other tools: collapsed stacks, speedscope, pprof",
        .details = "collapsed is one line a stack, as flamegraph.pl, inferno and py-spy's raw "
                   "have it; speedscope opens in speedscope.app; pprof is a gzipped profile.proto "
                   "for go tool pprof and others. pstats holds no stacks: its are estimated, and "
                   "the files say so where they can.",
        .example = "inquest export profile.raw --to pprof -o profile.pb.gz",
        .operands_min = 1,
        .operands_max = SIZE_MAX,
        .options = ALWAYS | READS_DUMP | BIT(OUTPUT) | BIT(TO),
        .formats = FORMAT_TEXT,
        .flags = COMMAND_ANY_ENDING,
        .function = command_export,
    },
    {
        .name = "help",
        .arguments = "[COMMAND]",
        .summary = "shows this help, or a command's",
        .details = "'metrics' lists what gates can ask for. Two topics are made for other "
                   "programs: 'completion' prints the completion for bash, and 'man' the man "
                   "page.",
        .example = "inquest help threads",
        .operands_min = 0,
        .operands_max = 1,
        .options = ALWAYS,
        .formats = FORMAT_TEXT,
        .function = command_help,
    },
    {0},
};

const struct command *command_find(const char *name)
{
    for (const struct command *command = command_table; command->name; command++) {
        if (!strcmp(command->name, name))
            return command;
    }
    return NULL;
}
