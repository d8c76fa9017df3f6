/* SPDX-License-Identifier: Apache-2.0 */
/* --format pstats: the text of print_stats, print_callers and print_callees, byte by
 * byte, whatever Python wrote the file; of a sampled one as 3.15 heads its columns. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/commands/heap_answer.h"
#include "reports/commands/hotspots_answer.h"
#include "reports/render/escape.h"

struct printing {
    struct hotspots_answer *answer;
    const struct pstats *stats;
    const struct profile *profile;
    struct text *text;
    struct pstats_list list;
    uint32_t width; /* of the longest name shown, and two */
    struct text name;
};

static void append_spaces(struct text *text, size_t count)
{
    while (count--)
        text_append_char(text, ' ');
}

/* "%8.3f" */
static void append_number(struct text *text, double value)
{
    if (isnan(value))
        text_append(text, "     nan");
    else
        text_printf(text, "%8.3f", value);
}

/* The standard name, padded to `width` characters. */
static void append_name(struct printing *printing, uint32_t function, uint32_t width)
{
    text_clear(&printing->name);
    pstats_standard_name(printing->profile, function, &printing->name);
    uint32_t used = pstats_width(text_string(&printing->name), printing->name.size);
    escape_terminal(printing->text, text_string(&printing->name), ESCAPE_ONE_LINE);
    append_spaces(printing->text, used < width ? width - used : 0);
}

/* ---- What comes first. */

static enum status choose(struct printing *printing, struct error *err)
{
    const struct options *options = printing->answer->run->options;
    const char *restrictions[OPTION_LIST_MOST + 2];
    char limit[24];
    size_t count = 0;
    if (options->callers || options->callees) /* print_callers(F, *restrictions) */
        restrictions[count++] = options->callers ? options->callers : options->callees;
    for (size_t i = 0; i < options->restrictions.count; i++)
        restrictions[count++] = options->restrictions.items[i];
    if (options_has_limit(options) && options->limit) {
        snprintf(limit, sizeof limit, "%" PRIu64, options->limit);
        restrictions[count++] = limit;
    }
    return pstats_choose(printing->stats, options->sort, options->reverse_order, restrictions,
                         count, &printing->list, err);
}

/* Of all names, unless some are left out. */
static void measure(struct printing *printing)
{
    uint32_t width = printing->stats->name_width;
    if (printing->list.rows.count < printing->profile->stats.count) {
        width = 0;
        for (size_t i = 0; i < printing->list.rows.count; i++) {
            uint32_t row = printing->list.rows.items[i];
            text_clear(&printing->name);
            pstats_standard_name(printing->profile, printing->profile->stats.items[row].function,
                                 &printing->name);
            uint32_t used = pstats_width(text_string(&printing->name), printing->name.size);
            width = used > width ? used : width;
        }
    }
    printing->width = width + 2;
}

static void print_message(struct printing *printing)
{
    escape_terminal(printing->text, text_string(&printing->list.message), ESCAPE_KEEP_LINES);
    text_append_char(printing->text, '\n');
}

static void print_head(struct printing *printing)
{
    const struct hotspots_answer *answer = printing->answer;
    const struct pstats *stats = printing->stats;
    for (size_t i = 0; i < answer->file_count; i++) {
        escape_terminal(printing->text, answer->files[i], ESCAPE_ONE_LINE);
        text_append_char(printing->text, '\n');
    }
    text_append(printing->text, answer->file_count ? "\n" : "");
    for (size_t i = 0; i < stats->top_level.count; i++) {
        uint32_t name = printing->profile->functions.items[stats->top_level.items[i]].name;
        append_spaces(printing->text, 9);
        escape_terminal(printing->text, profile_text(printing->profile, name), ESCAPE_ONE_LINE);
        text_append_char(printing->text, '\n');
    }
    text_printf(printing->text, "         %" PRId64 " function calls ", stats->calls);
    if (stats->calls != stats->primitive_calls)
        text_printf(printing->text, "(%" PRId64 " primitive calls) ", stats->primitive_calls);
    text_printf(printing->text, "in %.3f seconds\n\n", stats->seconds);
}

/* ---- print_stats */

static void append_right(struct text *text, const char *string, size_t width)
{
    size_t size = strlen(string);
    append_spaces(text, size < width ? width - size : 0);
    text_append(text, string);
}

/* "12", or "12/3" where some were recursive. */
static void append_calls(struct text *text, int64_t calls, int64_t primitive, size_t width)
{
    char number[48];
    if (calls != primitive)
        snprintf(number, sizeof number, "%" PRId64 "/%" PRId64, calls, primitive);
    else
        snprintf(number, sizeof number, "%" PRId64, calls);
    append_right(text, number, width);
}

static void append_per_call(struct text *text, double time, int64_t calls)
{
    if (calls)
        append_number(text, time / (double)calls);
    else
        append_spaces(text, 8);
    text_append_char(text, ' ');
}

static void print_stat(struct printing *printing, uint32_t row)
{
    const struct profile_stat *stat = &printing->profile->stats.items[row];
    struct text *text = printing->text;
    append_calls(text, stat->calls, stat->primitive_calls, 9);
    text_append_char(text, ' ');
    append_number(text, stat->self);
    text_append_char(text, ' ');
    append_per_call(text, stat->self, stat->calls);
    append_number(text, stat->total);
    text_append_char(text, ' ');
    append_per_call(text, stat->total, stat->primitive_calls);
    append_name(printing, stat->function, 0);
    text_append_char(text, '\n');
}

static void print_stats(struct printing *printing)
{
    print_head(printing);
    if (!printing->list.rows.count)
        return;
    print_message(printing);
    text_append(printing->text, printing->profile->is_sampled
                                    ? " nsamples  tottime persample cumtime persample"
                                    : "   ncalls  tottime  percall  cumtime  percall");
    text_append(printing->text, " filename:lineno(function)\n");
    for (size_t i = 0; i < printing->list.rows.count; i++) {
        print_stat(printing, printing->list.rows.items[i]);
        output_drain(printing->answer->run->answer);
    }
    text_append(printing->text, "\n\n");
}

/* ---- print_callers, print_callees */

/* A heading over the numbers, where the first function with callers has numbers. */
static void print_call_heading(struct printing *printing, const char *title)
{
    const struct profile *profile = printing->profile;
    bool numbers = false;
    text_append(printing->text, "Function ");
    append_spaces(printing->text, printing->width > 9 ? printing->width - 9 : 0);
    text_printf(printing->text, "%s\n", title);
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        if (!stat->call_count)
            continue;
        numbers = !profile->calls.items[stat->first_call].is_count;
        break;
    }
    if (!numbers)
        return;
    append_spaces(printing->text, printing->width);
    text_printf(printing->text, "    %s  tottime  cumtime\n",
                profile->is_sampled ? "nsamples" : "ncalls");
}

static double total_of(const struct printing *printing, const double *totals, uint32_t function)
{
    return function < printing->profile->functions.count ? totals[function] : 0;
}

/* The lines after the first begin at the same column. */
static void print_call(struct printing *printing, const struct profile_call *call, uint32_t other,
                       const double *totals, bool first)
{
    struct text *text = printing->text;
    append_spaces(text, first ? 0 : printing->width + (call->is_count ? 3 : 1));
    if (call->is_count) {
        append_name(printing, other, 0);
        text_printf(text, "(%" PRId64 ") ", call->calls);
        append_number(text, total_of(printing, totals, other));
    } else {
        append_calls(text, call->calls, call->primitive_calls, first ? 7 : 9);
        text_append_char(text, ' ');
        append_number(text, call->self);
        text_append_char(text, ' ');
        append_number(text, call->total);
        text_append(text, "  ");
        append_name(printing, other, 0);
    }
    text_append_char(text, '\n');
}

static void print_calls(struct printing *printing, const struct pstats_edges *edges,
                        const double *totals, bool callers)
{
    const struct profile *profile = printing->profile;
    print_message(printing);
    print_call_heading(printing, callers ? "was called by..." : "called...");
    for (size_t i = 0; i < printing->list.rows.count; i++) {
        uint32_t function = profile->stats.items[printing->list.rows.items[i]].function;
        uint64_t start = edges->first[function], end = edges->first[function + 1];
        append_name(printing, function, printing->width);
        text_append(printing->text, callers ? "<- " : "-> ");
        text_append(printing->text, start == end ? "\n" : "");
        for (uint64_t at = start; at < end; at++) {
            const struct profile_call *call = &profile->calls.items[edges->calls[at]];
            print_call(printing, call, callers ? call->caller : call->callee, totals, at == start);
        }
        output_drain(printing->answer->run->answer);
    }
    text_append(printing->text, "\n\n");
}

static enum status print_relation(struct printing *printing, bool callers, struct error *err)
{
    const struct profile *profile = printing->profile;
    struct pstats_edges edges;
    if (!printing->list.rows.count)
        return STATUS_OK;
    double *totals = calloc(profile->functions.count + 1, sizeof *totals);
    if (!totals)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < profile->stats.count; i++)
        totals[profile->stats.items[i].function] = profile->stats.items[i].total;
    enum status status = pstats_edges_init(&edges, printing->stats, callers, err);
    if (status == STATUS_OK) {
        print_calls(printing, &edges, totals, callers);
        pstats_edges_deinit(&edges);
    }
    free(totals);
    return status;
}

enum status hotspots_print_pstats(struct hotspots_answer *answer, struct error *err)
{
    const struct options *options = answer->run->options;
    struct printing printing = {.answer = answer,
                                .stats = &answer->stats,
                                .profile = answer->profile,
                                .text = output_text(answer->run->answer)};
    if (!answer->has_stats)
        return error_set(err, STATUS_USAGE, "%s: --format pstats is for pstats files; this is %s",
                         options->operands[0], answer->profile->format);
    if (options->by)
        return error_set(err, STATUS_USAGE, "--format pstats has rows by function alone");
    text_init(&printing.name);
    enum status status = choose(&printing, err);
    if (status == STATUS_OK) {
        measure(&printing);
        if (options->callers || options->callees)
            status = print_relation(&printing, options->callers, err);
        else
            print_stats(&printing);
        pstats_list_deinit(&printing.list);
    }
    text_deinit(&printing.name);
    return name_input(answer->run, status, err);
}
