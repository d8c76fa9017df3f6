/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_CLI_COMMAND_H
#define INQUEST_REPORTS_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/analyzer/index.h"
#include "inquest/analyzer/object_values.h"
#include "inquest/base/error.h"
#include "inquest/formats/profile.h"
#include "reports/cli/options.h"
#include "reports/cli/output.h"

/* One run of one command: what its function is given. */
struct command_run {
    const struct command *command;
    const struct options *options; /* operands without the command's name */
    unsigned format;               /* of `answer`: --format, or what -o's ending asks for */
    bool color;                    /* text on standard output has colours; a file never has */
    struct output *answer;         /* standard output or the file of -o; committed by the caller
                                      when the function returns STATUS_OK */
    struct output *summary;        /* of commands with COMMAND_SUMMARIZES, while `answer` is a
                                      file: standard output, for text; NULL otherwise */
    bool is_second;                /* standard output has had its own answer, in --format */
    bool is_tripped;               /* a gate was: exit status 1, beside the answer */
    struct command_state *state;   /* run.c's own */
};

/* Opens the index of the input that operand `operand` names, building it where
 * it must be. It is closed, and its warnings printed, after the function. */
enum status command_open_index(struct command_run *run, size_t operand, struct index **ret_index,
                               struct error *err) MUST_CHECK;

/* The recording that an operand names, without an index where it is a dump. The caller
 * ends it; its warnings are printed after the function. A COMMAND_GATED command's gates are
 * checked on it where it is the only input. */
enum status command_open_profile(struct command_run *run, size_t operand,
                                 struct profile *ret_profile, struct error *err) MUST_CHECK;

/* Checks a COMMAND_GATED command's gates on what several inputs add up to. */
enum status command_check_gates(struct command_run *run, const struct profile *sum,
                                struct error *err) MUST_CHECK;

/* The values of objects of an operand that is opened already, as command_open_index did with
 * `index`. The caller closes them. NULL with a sentence in *ret_warning, which is said on
 * standard error too, where they are not to be had; without one where they are redacted. */
enum status command_open_values(struct command_run *run, size_t operand, struct index *index,
                                struct object_values **ret_values, const char **ret_warning,
                                struct error *err) MUST_CHECK;

/* Says a warning on an operand that no index holds. It stays valid as long as the run. */
enum status command_warn(struct command_run *run, size_t operand, const char *words,
                         const char **ret_warning, struct error *err) MUST_CHECK;

/* An index with the stacks alone, whatever the command needs: the caller closes it, and its
 * warnings are not printed. */
enum status command_open_stacks(struct command_run *run, size_t operand, struct index **ret_index,
                                struct error *err) MUST_CHECK;

/* As one of the two above: the recording where the input has one, else the index of a core. */
enum status command_open_either(struct command_run *run, size_t operand, bool *ret_is_recording,
                                struct profile *ret_profile, struct index **ret_index,
                                struct error *err) MUST_CHECK;

typedef enum status (*command_function)(struct command_run *run, struct error *err);

enum command_flags {
    COMMAND_WRITES_INDEX = 1,   /* -o is an index: needed, and no answer is opened */
    COMMAND_SUMMARIZES = 2,     /* a short text on standard output beside the file of -o */
    COMMAND_LISTS_WARNINGS = 4, /* all of them in its text: one terminal needs them once */
    COMMAND_NEEDS_HEAP = 8,     /* its index has the object graph, not the stacks alone */
    COMMAND_GATED = 16,         /* --fail-if is checked on its input when that is opened */
    COMMAND_ANY_ENDING = 32,    /* the ending of -o says nothing: --to does */
};

struct command {
    const char *name;
    const char *arguments; /* "INPUT", as help shows them */
    const char *summary;   /* one line, lower case, no full stop */
    const char *details;   /* a paragraph for help and the man page */
    const char *example;   /* a whole command line */
    size_t operands_min, operands_max;
    uint64_t options; /* OPTION_BITs */
    unsigned formats; /* set of output_format that the answer can have */
    unsigned flags;   /* command_flags */
    command_function function;
};

/* commands.c; NULL-named end. */
extern const struct command command_table[];
/* NULL: there is none of this name. */
const struct command *command_find(const char *name);

/* The whole program: returns the exit status. */
int command_line_run(int argc, char **argv);

/* reports/commands/NAME.c */
enum status command_postmortem(struct command_run *run, struct error *err);
enum status command_threads(struct command_run *run, struct error *err);
enum status command_tasks(struct command_run *run, struct error *err);
enum status command_heap(struct command_run *run, struct error *err);
enum status command_leaks(struct command_run *run, struct error *err);
enum status command_cycles(struct command_run *run, struct error *err);
enum status command_waste(struct command_run *run, struct error *err);
enum status command_show(struct command_run *run, struct error *err);
enum status command_hotspots(struct command_run *run, struct error *err);
enum status command_export(struct command_run *run, struct error *err);
enum status command_flamegraph(struct command_run *run, struct error *err);
enum status command_diff(struct command_run *run, struct error *err);
enum status command_trend(struct command_run *run, struct error *err);
enum status command_report(struct command_run *run, struct error *err);
enum status command_info(struct command_run *run, struct error *err);
enum status command_load(struct command_run *run, struct error *err);
enum status command_query(struct command_run *run, struct error *err);
/* reports/cli/help.c */
enum status command_help(struct command_run *run, struct error *err);

#endif
