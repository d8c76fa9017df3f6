/* SPDX-License-Identifier: Apache-2.0 */
/* The answer for people: text, and the same as Markdown. */
#include <string.h>

#include "inquest/analyzer/source_line.h"
#include "reports/commands/answer.h"
#include "reports/commands/heap_answer.h"
#include "reports/commands/hotspots_answer.h"
#include "reports/commands/recordings.h"
#include "reports/render/escape.h"

static int64_t whole(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

static void append_counted(struct text *text, uint64_t count, const char *one, const char *many)
{
    format_count(text, whole(count));
    text_printf(text, " %s", count == 1 ? one : many);
}

/* ---- The first line. */

static void append_row_name(const struct hotspots_answer *answer, const struct hotspot *row,
                            struct text *text)
{
    const struct hotspots *hotspots = &answer->hotspots;
    const char *function = hotspot_function(hotspots, row), *file = hotspot_file(hotspots, row);
    const char *module = hotspot_module(hotspots, row);
    if (function || module)
        text_append(text, function ? function : module);
    else if (file)
        text_append(text, file);
    if (!function && file && answer->by == HOTSPOT_LINE)
        text_printf(text, ":%d", hotspot_line(hotspots, row));
    if (answer->by == HOTSPOT_THREAD)
        profile_track_name(answer->profile, row->key, text);
}

/* Of functions of pstats, one that comes first in the file of those that are equal. */
static bool find_hottest_stat(const struct profile *profile, struct hotspot *ret_row)
{
    const struct profile_stat *best = NULL;
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        if (!best || stat->self > best->self ||
            (stat->self == best->self && stat->function < best->function))
            best = stat;
    }
    if (best)
        *ret_row = (struct hotspot){.key = best->function, .self = best->self};
    return best;
}

static bool find_hottest(const struct hotspots_answer *answer, struct hotspot *ret_row)
{
    const struct hotspots *hotspots = &answer->hotspots;
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    const struct hotspot *best = NULL;
    if (answer->stat_rows)
        return find_hottest_stat(answer->profile, ret_row);
    for (size_t i = 0; i < hotspots->rows.count; i++) {
        const struct hotspot *row = &hotspots->rows.items[i];
        double value = snapshot ? row->total : row->self;
        if (!best || value > (snapshot ? best->total : best->self))
            best = row;
    }
    if (best)
        *ret_row = *best;
    return best;
}

static void append_hottest(const struct hotspots_answer *answer, struct text *text)
{
    const struct hotspots *hotspots = &answer->hotspots;
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    struct hotspot best;
    if (hotspots->whole <= 0 || answer->by == HOTSPOT_TRACEBACK || !find_hottest(answer, &best))
        return;
    text_append(text, snapshot ? "; largest: " : "; hottest: ");
    append_row_name(answer, &best, text);
    text_append(text, ", ");
    format_share(text, (snapshot ? best.total : best.self) / hotspots->whole);
    if (!snapshot)
        text_append(text, " by itself");
}

static void append_headline(const struct hotspots_answer *answer, struct text *text)
{
    const struct profile *profile = answer->profile;
    const struct hotspots *hotspots = &answer->hotspots;
    if (answer->relation) {
        const struct options *options = answer->run->options;
        text_printf(text, "%s: ", options->callers ? options->callers : options->callees);
        unit_amount(&answer->unit, answer->relations.total, text);
        text_append(text, " in all, ");
        unit_amount(&answer->unit, answer->relations.self, text);
        text_append(text, " by itself");
        if (answer->relations.matched > 1) {
            text_append(text, "; the name stands for ");
            append_counted(text, answer->relations.matched, "place", "places");
        }
        return;
    }
    unit_amount(&answer->unit, hotspots->whole, text);
    bool counts_itself =
        profile->family == PROFILE_SAMPLES && hotspots->whole == (double)hotspots->whole_count;
    text_append(text, counts_itself ? "" : " in ");
    if (profile->family == PROFILE_TRACEMALLOC)
        append_counted(text, hotspots->whole_count, "block", "blocks");
    else if (profile->family == PROFILE_PSTATS && !profile->is_sampled)
        append_counted(text, hotspots->whole_count, "call", "calls");
    else if (!counts_itself)
        append_counted(text, hotspots->whole_count, "sample", "samples");
    append_hottest(answer, text);
}

static void write_headline(const struct hotspots_answer *answer)
{
    struct text *text = output_text(answer->run->answer), line;
    text_init(&line);
    append_headline(answer, &line);
    answer_line(answer->run, text_string(&line), true);
    text->failed |= line.failed;
    text_deinit(&line);
}

/* Of what the numbers are the sum. */
static void write_inputs(const struct hotspots_answer *answer)
{
    struct text *text = output_text(answer->run->answer), note;
    text_init(&note);
    recordings_append_note(answer->run->options, &note);
    if (note.size) {
        text_append(text, answer->run->format == FORMAT_MARKDOWN ? "\n" : "");
        answer_line(answer->run, text_string(&note), false);
    }
    text->failed |= note.failed;
    text_deinit(&note);
}

/* ---- Tables. */

#define COLUMNS_MAX 10

static size_t relation_columns(const struct hotspots_answer *answer, struct column *columns)
{
    enum column_kind amount = answer->unit.kind;
    size_t count = 0;
    columns[count++] = (struct column){"total", NULL, amount};
    columns[count++] = (struct column){"share", NULL, COLUMN_SHARE};
    columns[count++] = (struct column){"self", NULL, amount};
    columns[count++] = (struct column){
        answer->profile->family == PROFILE_PSTATS ? "calls" : "count", NULL, COLUMN_COUNT};
    if (answer->profile->family != PROFILE_TRACEMALLOC)
        columns[count++] = (struct column){"function", NULL, COLUMN_PLAIN};
    columns[count++] = (struct column){"where", NULL, COLUMN_PLAIN};
    return count;
}

static size_t key_columns(const struct hotspots_answer *answer, struct column *columns)
{
    size_t count = 0;
    switch (answer->by) {
    case HOTSPOT_FUNCTION:
    case HOTSPOT_LINE:
        if (answer->profile->family != PROFILE_TRACEMALLOC)
            columns[count++] = (struct column){"function", NULL, COLUMN_PLAIN};
        columns[count++] = (struct column){"where", NULL, COLUMN_PLAIN};
        break;
    case HOTSPOT_THREAD:
        columns[count++] = (struct column){"thread", NULL, COLUMN_PLAIN};
        columns[count++] = (struct column){"pid", NULL, COLUMN_PLAIN};
        columns[count++] = (struct column){"tid", NULL, COLUMN_PLAIN};
        break;
    default: columns[count++] = (struct column){answer->by_word, NULL, COLUMN_PLAIN}; break;
    }
    return count;
}

static size_t shown_columns(const struct hotspots_answer *answer, struct column *columns)
{
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    bool one_amount = snapshot || answer->by == HOTSPOT_THREAD || answer->by == HOTSPOT_TRACEBACK;
    enum column_kind amount = answer->unit.kind;
    size_t count = 0;
    if (answer->relation)
        return relation_columns(answer, columns);
    if (!one_amount) {
        columns[count++] = (struct column){"self", NULL, amount};
        columns[count++] = (struct column){"share", NULL, COLUMN_SHARE};
    }
    columns[count++] = (struct column){snapshot ? "size" : "total", NULL, amount};
    columns[count++] = (struct column){"share", NULL, COLUMN_SHARE};
    columns[count++] = (struct column){
        answer->profile->family == PROFILE_PSTATS && !answer->profile->is_sampled ? "calls"
                                                                                  : "count",
        NULL, COLUMN_COUNT};
    if (snapshot)
        columns[count++] = (struct column){"average", NULL, COLUMN_BYTES};
    return count + key_columns(answer, columns + count);
}

static const char *sort_words(const struct hotspots_answer *answer)
{
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    if (answer->stat_rows)
        return answer->run->options->sort ? answer->run->options->sort : "their own time";
    switch (answer->options.sort) {
    case HOTSPOT_BY_SELF: return "what they take themselves";
    case HOTSPOT_BY_TOTAL: return snapshot ? "size" : "what they take with what they call";
    case HOTSPOT_BY_COUNT: return "count";
    case HOTSPOT_BY_FILE: return "file";
    case HOTSPOT_BY_LINE: return "line";
    default: return "name";
    }
}

static void append_title(const struct hotspots_answer *answer, struct text *text)
{
    static const char *const titles[] = {
        [HOTSPOT_FUNCTION] = "Functions", [HOTSPOT_LINE] = "Lines",
        [HOTSPOT_FILE] = "Files",         [HOTSPOT_MODULE] = "Modules",
        [HOTSPOT_THREAD] = "Threads",     [HOTSPOT_TRACEBACK] = "Tracebacks",
    };
    if (answer->relation) {
        text_append(text, strcmp(answer->relation, "callers") ? "Whom it calls" : "Who calls it");
        return;
    }
    text_printf(text, "%s, by %s", titles[answer->by], sort_words(answer));
    if (answer->options.total == HOTSPOT_EACH_TIME)
        text_append(text, "; an allocation counts for every frame of its stack, each time");
    else if (answer->profile->family == PROFILE_TRACEMALLOC &&
             answer->options.total == HOTSPOT_ONCE)
        text_append(text, "; an allocation counts once for everything on its stack");
    if (answer->unit.name)
        text_printf(text, "; in %s", answer->unit.name);
}

/* ---- Tracebacks of a snapshot, as Traceback.format writes them: the oldest frame first,
 * under each its source where it is at hand. */

static void append_amounts(const struct hotspots_answer *answer, const struct hotspot *row,
                           struct text *text)
{
    format_bytes(text, whole(row->size));
    text_append(text, " (");
    format_share(text, answer->hotspots.whole > 0 ? row->total / answer->hotspots.whole : 0);
    text_append(text, ") in ");
    append_counted(text, row->count, "block", "blocks");
}

static void append_frame(const struct hotspots_answer *answer, uint32_t id, struct text *text,
                         struct text *source)
{
    const struct profile *profile = answer->profile;
    const struct profile_frame *frame = &profile->frames.items[id];
    const char *file = profile_text(profile, profile->functions.items[frame->function].file);
    text_append(text, "  File \"");
    escape_terminal(text, file, ESCAPE_ONE_LINE);
    text_printf(text, "\", line %d\n", frame->line);
    text_clear(source);
    if (answer->run->options->redact ||
        !source_line_append(answer->run->options->sysroot, file, frame->line, source))
        return;
    text_append(text, "    ");
    escape_terminal(text, text_string(source), ESCAPE_ONE_LINE);
    text_append_char(text, '\n');
}

static void write_tracebacks(const struct hotspots_answer *answer)
{
    const struct profile *profile = answer->profile;
    struct text *text = output_text(answer->run->answer), source;
    text_init(&source);
    for (size_t i = 0; i < answer->shown_count; i++) {
        const struct hotspot *row = &answer->hotspots.rows.items[i];
        const struct profile_stack *stack = &profile->stacks.items[row->key];
        text_append(text, i ? "\n" : "");
        append_amounts(answer, row, text);
        text_append_char(text, '\n');
        for (uint32_t j = 0; j < stack->depth; j++)
            append_frame(answer, profile->stack_frames.items[stack->first + j], text, &source);
        output_drain(answer->run->answer);
    }
    text->failed |= source.failed;
    text_deinit(&source);
}

static void write_rows(const struct hotspots_answer *answer)
{
    bool are_tracebacks = answer->profile->family == PROFILE_TRACEMALLOC && !answer->relation &&
                          answer->by == HOTSPOT_TRACEBACK && answer->run->format == FORMAT_TEXT;
    struct column columns[COLUMNS_MAX];
    struct table rows;
    struct text words;
    text_init(&words);
    append_title(answer, &words);
    answer_heading(answer->run, text_string(&words));
    table_init(&rows, columns, shown_columns(answer, columns));
    if (are_tracebacks) {
        write_tracebacks(answer);
    } else {
        hotspots_fill_shown(answer, &rows);
        answer_table(answer->run, &rows);
    }
    output_text(answer->run->answer)->failed |= rows.failed;
    table_deinit(&rows);
    if (answer->shown_count < answer->row_count) {
        text_clear(&words);
        format_count(&words, whole(answer->row_count - answer->shown_count));
        text_append(&words, " more; --limit 0 shows all");
        answer_note(answer->run, text_string(&words));
    }
    text_deinit(&words);
}

/* ---- The largest stacks, one frame a line: what runs is at the end. */

static void write_paths(const struct hotspots_answer *answer)
{
    static const struct column columns[] = {{"share", NULL, COLUMN_SHARE},
                                            {"path", NULL, COLUMN_PLAIN}};
    struct table paths;
    struct text path;
    if (!answer->paths.rows.count || answer->paths.whole <= 0)
        return;
    answer_heading(answer->run, "Largest stacks");
    table_init(&paths, columns, 2);
    text_init(&path);
    for (size_t i = 0; i < answer->paths.rows.count && i < HOTSPOT_PATHS; i++) {
        const struct hotspot *row = &answer->paths.rows.items[i];
        text_clear(&path);
        hotspots_append_path(answer->profile, row->key, " > ", &path);
        table_real(&paths, row->total / answer->paths.whole);
        table_string(&paths, text_string(&path));
    }
    answer_table(answer->run, &paths);
    output_text(answer->run->answer)->failed |= paths.failed || path.failed;
    text_deinit(&path);
    table_deinit(&paths);
}

/* A command on the same inputs. `more` is NULL-terminated. */
static void suggest(struct hotspots_answer *answer, const char *reason, const char *command,
                    const char *const *more)
{
    const struct options *options = answer->run->options;
    size_t count = 0;
    const char **words = arena_alloc(&answer->arena, (options->operand_count + 8) * sizeof *words);
    if (!words) {
        output_text(answer->run->answer)->failed = true;
        return;
    }
    words[count++] = command;
    for (size_t i = 0; i < options->operand_count; i++)
        words[count++] = strcmp(options->operands[i], "-") ? options->operands[i] : "FILE";
    while (*more)
        words[count++] = *more++;
    answer_command(answer->run, reason, words);
}

static void write_next(struct hotspots_answer *answer)
{
    const struct command_run *run = answer->run;
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    struct text name;
    text_init(&name);
    answer_heading(run, "Next");
    if (!answer->relation && answer->by == HOTSPOT_FUNCTION && answer->row_count) {
        struct hotspot row = hotspots_row(answer, 0);
        append_row_name(answer, &row, &name);
        suggest(answer, "who calls it", "hotspots",
                (const char *[]){"--callers", text_string(&name), NULL});
    }
    if (snapshot && answer->by == HOTSPOT_LINE)
        suggest(answer, "whole stacks", "hotspots", (const char *[]){"--by", "traceback", NULL});
    suggest(answer, "all of it as a picture", "flamegraph",
            (const char *[]){"-o", "flame.svg", NULL});
    if (snapshot)
        suggest(answer, "by package, file and line", "flamegraph",
                (const char *[]){"--treemap", "-o", "treemap.svg", NULL});
    text_deinit(&name);
}

void hotspots_render(struct hotspots_answer *answer)
{
    write_headline(answer);
    write_inputs(answer);
    write_rows(answer);
    write_paths(answer);
    write_next(answer);
}
