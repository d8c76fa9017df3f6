/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inquest/analyzer/diff_profile.h"
#include "inquest/analyzer/session.h"
#include "inquest/base/array.h"
#include "inquest/base/cleanup.h"
#include "inquest_config.h"
#include "reports/cli/command.h"
#include "reports/cli/exit_status.h"
#include "reports/cli/help.h"
#include "reports/cli/messages.h"
#include "reports/cli/progress_bar.h"
#include "reports/cli/signals.h"
#include "reports/commands/gates.h"

#define RECORDING_WARNINGS 10 /* shown without -v */

struct opened_index {
    struct index *index;
    const char *input;
};

struct said_warning {
    const char *input, *message;
};

struct command_state {
    struct progress_bar bar;
    ARRAY(struct opened_index) opened;
    struct arena arena;
    ARRAY(struct said_warning) warnings; /* that no index holds */
    struct gates gates;                  /* of --fail-if, of COMMAND_GATED commands */
};

/* ---- What a command's function calls. */

static bool wants_progress(const struct options *options)
{
    const char *terminal = getenv("TERM");
    return !options->no_progress && !options->quiet && isatty(STDERR_FILENO) && terminal &&
           strcmp(terminal, "dumb") != 0;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && S_ISREG(first.st_mode) &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* The gates of a command on one input. */
static enum status check_gates(struct command_run *run, const struct metric_source *source,
                               const char *unit, struct error *err)
{
    if (!(run->command->flags & COMMAND_GATED) || !run->state->gates.outcomes.count)
        return STATUS_OK;
    run->state->gates.unit = unit;
    return gates_evaluate(&run->state->gates, run, NULL, source, err);
}

/* What session.h wants to know of the command line. */
static struct session_options session_options(struct command_run *run, size_t operand)
{
    const struct options *options = run->options;
    return (struct session_options){
        .input = options->operands[operand],
        .sysroot = options->sysroot,
        .executable = options->executable,
        .output = run->command->flags & COMMAND_WRITES_INDEX ? options->output : NULL,
        .redact = options->redact,
        .no_cache = options->no_cache,
        .heap = run->command->flags & COMMAND_NEEDS_HEAP,
        .plain = options->plain,
        .progress = wants_progress(options) ? &run->state->bar.progress : NULL,
        .command = run->command->name,
    };
}

/* A command whose argument is a core has nothing to say of a recording. */
static enum status check_kind(const struct command_run *run, const char *input, struct index *index,
                              struct error *err)
{
    const char *kind = index_meta(index, "kind");
    if (strncmp(run->command->arguments, "CORE", 4) != 0 || !kind || !strcmp(kind, "core"))
        return STATUS_OK;
    return error_set(err, STATUS_UNSUPPORTED, "%s: %s needs a core; this is a recording (%s)",
                     input, run->command->name, kind);
}

enum status command_open_index(struct command_run *run, size_t operand, struct index **ret_index,
                               struct error *err)
{
    const struct options *options = run->options;
    struct command_state *state = run->state;
    const struct session_options session = session_options(run, operand);
    struct opened_index opened = {.input = session.input};
    if (options->output && is_same_file(opened.input, options->output))
        return error_set(err, STATUS_USAGE, "%s: -o would overwrite the input", opened.input);
    if (!array_reserve(&state->opened, 1))
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    signals_set_input(opened.input);
    enum status status = session_open(&session, &opened.index, err);
    progress_bar_clear(&state->bar);
    if (status != STATUS_OK)
        return status;
    state->opened.items[state->opened.count++] = opened;
    *ret_index = opened.index;
    status = check_kind(run, opened.input, opened.index, err);
    const char *kind = index_meta(opened.index, "kind");
    const struct metric_source source = metric_source_core(opened.index, opened.input);
    if (status == STATUS_OK && kind && !strcmp(kind, "core"))
        status = check_gates(run, &source, NULL, err);
    return status;
}

static bool say(struct command_state *state, const char *input, const char *words)
{
    struct said_warning warning = {input, arena_strdup(&state->arena, words)};
    return warning.message && array_push(&state->warnings, warning);
}

enum status command_warn(struct command_run *run, size_t operand, const char *words,
                         const char **ret_warning, struct error *err)
{
    struct command_state *state = run->state;
    if (!say(state, run->options->operands[operand], words))
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    *ret_warning = state->warnings.items[state->warnings.count - 1].message;
    return STATUS_OK;
}

enum status command_open_values(struct command_run *run, size_t operand, struct index *index,
                                struct object_values **ret_values, const char **ret_warning,
                                struct error *err)
{
    const struct session_options session = session_options(run, operand);
    const char *redacted = index_meta(index, "redacted");
    struct command_state *state = run->state;
    struct error reason = {0};
    *ret_values = NULL;
    *ret_warning = NULL;
    enum status status = object_values_open(&session, index, ret_values, &reason);
    progress_bar_clear(&state->bar);
    if (status == STATUS_OK || (redacted && !strcmp(redacted, "1")))
        return STATUS_OK;
    if (status == STATUS_NO_MEMORY)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    return command_warn(run, operand, reason.message, ret_warning, err);
}

enum status command_open_stacks(struct command_run *run, size_t operand, struct index **ret_index,
                                struct error *err)
{
    struct session_options session = session_options(run, operand);
    session.heap = false;
    session.output = NULL;
    signals_set_input(session.input);
    enum status status = session_open(&session, ret_index, err);
    progress_bar_clear(&run->state->bar);
    return status;
}

static bool keep_warnings(struct command_state *state, const char *input,
                          const struct profile *profile)
{
    for (size_t i = 0; i < profile->warnings.count; i++) {
        if (!say(state, input, profile->warnings.items[i].message))
            return false;
    }
    return true;
}

enum status command_open_profile(struct command_run *run, size_t operand,
                                 struct profile *ret_profile, struct error *err)
{
    const struct options *options = run->options;
    const struct session_options session = session_options(run, operand);
    if (options->output && is_same_file(session.input, options->output))
        return error_set(err, STATUS_USAGE, "%s: -o would overwrite the input", session.input);
    signals_set_input(session.input);
    struct profile profile;
    enum status status = session_open_profile(&session, &profile, err);
    progress_bar_clear(&run->state->bar);
    if (status == STATUS_OK && !keep_warnings(run->state, session.input, &profile)) {
        profile_deinit(&profile);
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (status != STATUS_OK)
        return status;
    *ret_profile = profile;
    return options->operand_count == 1 ? command_check_gates(run, ret_profile, err) : STATUS_OK;
}

enum status command_check_gates(struct command_run *run, const struct profile *sum,
                                struct error *err)
{
    const struct metric_source source = metric_source_profile(sum, run->options->operands[0]);
    return check_gates(run, &source, sum->unit, err);
}

enum status command_open_either(struct command_run *run, size_t operand, bool *ret_is_recording,
                                struct profile *ret_profile, struct index **ret_index,
                                struct error *err)
{
    enum session_content content = session_content(run->options->operands[operand]);
    if (content == SESSION_RECORDING) {
        *ret_is_recording = true;
        return command_open_profile(run, operand, ret_profile, err);
    }
    enum status status = command_open_index(run, operand, ret_index, err);
    const char *kind = status == STATUS_OK ? index_meta(*ret_index, "kind") : NULL;
    *ret_is_recording = kind && strcmp(kind, "core") != 0;
    if (status == STATUS_OK && *ret_is_recording)
        status = session_profile_of(*ret_index, ret_profile, err);
    return status;
}

/* ---- What is wrong with a command line. */

static enum status unknown_command(const char *name, struct error *err)
{
    const char *names[32] = {0};
    for (size_t i = 0; command_table[i].name && i + 1 < sizeof names / sizeof *names; i++)
        names[i] = command_table[i].name;
    const char *nearest = nearest_name(name, names);
    if (nearest)
        return error_set(err, STATUS_USAGE, "unknown command '%s'; did you mean %s?", name,
                         nearest);
    return error_set(err, STATUS_USAGE, "unknown command '%s'; see inquest --help", name);
}

/* Names what the command has: on standard output, or else in a file. */
static enum status wrong_format(const struct command *command, const char *format,
                                struct error *err)
{
    struct text known;
    text_init(&known);
    for (const struct option_choice *choice = option_table[OPTION_FORMAT].choices; choice->name;
         choice++) {
        if (choice->value & command->formats)
            text_printf(&known, "%s%s", known.size ? ", " : "", choice->name);
    }
    enum status status;
    if (known.size) {
        status = error_set(err, STATUS_USAGE, "%s --format takes one of %s, not '%s'",
                           command->name, text_string(&known), format);
    } else {
        output_endings(&known, command->formats);
        status = error_set(err, STATUS_USAGE, "%s needs -o FILE, whose ending is one of %s",
                           command->name, text_string(&known));
    }
    text_deinit(&known);
    return status;
}

static enum status check_options(const struct command *command, const struct options *options,
                                 struct error *err)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (options->given & ~command->options & OPTION_BIT(id))
            return error_set(err, STATUS_USAGE, "%s has no option --%s; see inquest %s --help",
                             command->name, option_table[id].name, command->name);
    }
    return options->unknown_format ? wrong_format(command, options->unknown_format, err)
                                   : STATUS_OK;
}

/* A file of that name would be no help to anybody: '-' is a standard stream. */
static enum status check_output(const struct command *command, const struct options *options,
                                struct error *err)
{
    bool is_index = command->flags & COMMAND_WRITES_INDEX;
    if (is_index && !options->output)
        return error_set(err, STATUS_USAGE, "%s needs -o FILE, the index to write", command->name);
    if (!options->output || strcmp(options->output, "-") != 0)
        return STATUS_OK;
    return error_set(err, STATUS_USAGE,
                     is_index ? "-o -: an index can't be written to standard output; name a file"
                              : "-o -: without -o the answer is on standard output");
}

static enum status check_operands(const struct command *command, const struct options *options,
                                  struct error *err)
{
    if (options->operand_count < command->operands_min)
        return error_set(err, STATUS_USAGE, "%s needs %s; see inquest %s --help", command->name,
                         command->arguments, command->name);
    if (options->operand_count > command->operands_max)
        return error_set(err, STATUS_USAGE, "%s takes no '%s' after %s; see inquest %s --help",
                         command->name, options->operands[command->operands_max],
                         command->operands_max ? command->arguments : "it", command->name);
    size_t pipes = 0;
    for (size_t i = 0; i < options->operand_count; i++)
        pipes += !strcmp(options->operands[i], "-");
    if (pipes > 1)
        return error_set(err, STATUS_USAGE, "'-' is standard input, which can be read only once");
    return check_output(command, options, err);
}

/* The ending of -o decides, where it says something. */
static enum status check_ending(const struct command *command, const struct options *options,
                                struct error *err)
{
    struct text known;
    if (output_format_for_path(options->output) & command->formats)
        return STATUS_OK;
    text_init(&known);
    output_endings(&known, command->formats);
    enum status status = error_set(err, STATUS_USAGE, "%s: its ending must be one of %s",
                                   options->output, text_string(&known));
    text_deinit(&known);
    return status;
}

/* Whether -o is one answer, of the format of its ending, and --format another, on standard
 * output. */
static bool asks_for_two(const struct command *command, const struct options *options)
{
    unsigned ending = options->output ? output_format_for_path(options->output) : 0;
    return ending && options->given & OPTION_BIT(OPTION_FORMAT) && ending != options->format &&
           !(command->flags & (COMMAND_WRITES_INDEX | COMMAND_ANY_ENDING));
}

/* The ending of -o decides; --format is for standard output, and for endings that
 * say nothing. */
static enum status choose_format(struct command_run *run, struct error *err)
{
    const struct options *options = run->options;
    bool given = options->given & OPTION_BIT(OPTION_FORMAT);
    unsigned ending = options->output ? output_format_for_path(options->output) : 0;
    run->format = ending ? ending : options->format;
    if (options->output && (ending || !given))
        return check_ending(run->command, options, err);
    return run->format & run->command->formats
               ? STATUS_OK
               : wrong_format(run->command, output_format_name(run->format), err);
}

/* ---- Running. */

static bool wants_color(const struct command_run *run)
{
    const struct options *options = run->options;
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (options->output && !(run->command->flags & COMMAND_SUMMARIZES))
        return false;
    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    return isatty(STDOUT_FILENO) && !(no_color && *no_color) && terminal &&
           strcmp(terminal, "dumb") != 0;
}

/* Before the work, so that an answer that can't be written costs no time. */
static enum status open_outputs(struct command_run *run, struct error *err)
{
    if (run->command->flags & COMMAND_WRITES_INDEX)
        return STATUS_OK;
    enum status status = STATUS_OK;
    run->format = FORMAT_TEXT;
    if (!(run->command->flags & COMMAND_ANY_ENDING))
        status = choose_format(run, err);
    if (status == STATUS_OK)
        status = output_open(run->options->output, &run->answer, err);
    if (status == STATUS_OK && run->options->output && run->command->flags & COMMAND_SUMMARIZES &&
        !run->is_second)
        status = output_open(NULL, &run->summary, err);
    return status;
}

static enum status commit(struct output **output, struct error *err)
{
    struct output *committed = *output;
    *output = NULL;
    return committed ? output_commit(committed, err) : STATUS_OK;
}

/* Whether the reader of standard error has just read the warnings in the answer. */
static bool answer_showed_warnings(const struct command_run *run)
{
    return run->command->flags & COMMAND_LISTS_WARNINGS && run->format == FORMAT_TEXT &&
           !run->options->output && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

static void close_indexes(struct command_run *run, bool print_warnings)
{
    struct command_state *state = run->state;
    print_warnings &= !run->options->quiet && !answer_showed_warnings(run);
    for (size_t i = 0; i < state->opened.count; i++) {
        if (print_warnings)
            warnings_print(state->opened.items[i].index, state->opened.items[i].input,
                           run->options->verbose);
        index_close(state->opened.items[i].index);
    }
    for (size_t i = 0; print_warnings && i < state->warnings.count; i++) {
        if (i < RECORDING_WARNINGS || run->options->verbose)
            message_print("%s: %s", state->warnings.items[i].input,
                          state->warnings.items[i].message);
    }
    if (print_warnings && !run->options->verbose && state->warnings.count > RECORDING_WARNINGS)
        message_print("%zu more warnings: see -v", state->warnings.count - RECORDING_WARNINGS);
    array_deinit(&state->opened);
    array_deinit(&state->warnings);
    arena_deinit(&state->arena);
}

static enum status run_once(const struct command *command, const struct options *options,
                            bool is_second, bool *ret_tripped, struct error *err)
{
    struct command_state state = {0};
    struct command_run run = {
        .command = command, .options = options, .is_second = is_second, .state = &state};
    arena_init(&state.arena);
    progress_bar_init(&state.bar);
    run.color = wants_color(&run);
    enum status status =
        command->flags & COMMAND_GATED ? gates_parse(options, &state.gates, err) : STATUS_OK;
    if (status == STATUS_OK)
        status = open_outputs(&run, err);
    if (status == STATUS_OK)
        status = command->function(&run, err);
    progress_bar_clear(&state.bar);
    if (status == STATUS_OK)
        status = commit(&run.answer, err);
    if (status == STATUS_OK)
        status = commit(&run.summary, err);
    output_destroy(run.answer);
    output_destroy(run.summary);
    close_indexes(&run, status == STATUS_OK);
    gates_deinit(&state.gates);
    *ret_tripped = run.is_tripped;
    return status;
}

/* Two answers are two runs, of which the second has nothing more to say on standard error. */
static enum status run_command(const struct command *command, const struct options *options,
                               bool *ret_tripped, struct error *err)
{
    if (!asks_for_two(command, options))
        return run_once(command, options, false, ret_tripped, err);
    for (size_t i = 0; i < options->operand_count; i++) {
        if (!strcmp(options->operands[i], "-"))
            return error_set(err, STATUS_USAGE,
                             "--format %s and -o %s are two answers, and what comes through a "
                             "pipe is read once; give a file",
                             output_format_name(options->format), options->output);
    }
    struct options printed = *options, written = *options;
    printed.output = NULL;
    written.given &= ~OPTION_BIT(OPTION_FORMAT);
    written.quiet = true;
    enum status status = check_ending(command, options, err);
    if (status == STATUS_OK)
        status = run_once(command, &printed, false, ret_tripped, err);
    return status == STATUS_OK ? run_once(command, &written, true, ret_tripped, err) : status;
}

/* Help and version are answers too: on standard output, with its failures. */
static enum status print_text(void (*render)(struct text *, const struct command *),
                              const struct command *command, struct error *err)
{
    struct output *output;
    enum status status = output_open(NULL, &output, err);
    if (status != STATUS_OK)
        return status;
    render(output_text(output), command);
    return output_commit(output, err);
}

static void version_render(struct text *text, const struct command *command)
{
    (void)command;
    text_append(text, "inquest " INQUEST_VERSION "\n");
}

static enum status run_line(struct options *options, bool *ret_tripped, struct error *err)
{
    const struct command *command = NULL;
    if (options->version)
        return print_text(version_render, NULL, err);
    if (options->operand_count) {
        command = command_find(options->operands[0]);
        if (!command)
            return unknown_command(options->operands[0], err);
        options->operands++;
        options->operand_count--;
    }
    if (options->help)
        return print_text(help_render, command, err);
    if (!command)
        return error_set(err, STATUS_USAGE, "no command given; inquest --help lists them");
    enum status status = check_options(command, options, err);
    if (status == STATUS_OK)
        status = check_operands(command, options, err);
    return status == STATUS_OK ? run_command(command, options, ret_tripped, err) : status;
}

/* A closed standard stream must not become the number of a file of ours. */
static void fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_STATUS_OUTPUT);
    }
}

int command_line_run(int argc, char **argv)
{
    fill_standard_streams();
    signals_init();
    struct error err = {0};
    struct options options;
    const char CLEANUP_FREE **operands = calloc((size_t)argc + 1, sizeof *operands);
    bool tripped = false;
    enum status status = operands ? options_parse(argc, argv, operands, &options, &err)
                                  : error_set(&err, STATUS_NO_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = run_line(&options, &tripped, &err);
    if (status != STATUS_OK && err.message[0])
        message_print("%s", err.message);
    if (status == STATUS_OK && tripped)
        return EXIT_STATUS_TRIPPED;
    return (int)exit_status_for(status);
}
