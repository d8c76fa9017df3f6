/* SPDX-License-Identifier: Apache-2.0 */
/* One line a stack, the outermost frame first: "main (app.py:3);work (app.py:9) 12", as
 * py-spy writes it and flame graph tools read it. There is no way to quote: a semicolon
 * in a name becomes a colon. Most readers take whole numbers alone, so seconds and
 * milliseconds are written as microseconds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/commands/export_stacks.h"
#include "reports/render/escape.h"

static void append_place(const struct profile *profile, const struct call_node *node,
                         struct text *label)
{
    const struct profile_function *function = &profile->functions.items[node->function];
    const char *name = profile_text(profile, function->name);
    const char *file = profile_text(profile, function->file);
    int32_t line = node->line ? node->line : function->line;
    text_append(label, name);
    if (!*file)
        return;
    text_append(label, *name ? " (" : "");
    text_append(label, file);
    if (line)
        text_printf(label, ":%d", line);
    text_append(label, *name ? ")" : "");
}

/* Whether a track's name is py-spy's own root frames, which it may have several of. */
static bool is_root_frames(const char *name)
{
    return !strncmp(name, "thread (", 8) || !strncmp(name, "process ", 8);
}

/* As py-spy's own root frames, so that it is read back as what it was. */
static void append_track(const struct export_stacks *stacks, struct text *line,
                         struct text *scratch)
{
    const struct profile *profile = stacks->tree.profile;
    const struct profile_track *track = &profile->tracks.items[stacks->track];
    const char *name = profile_text(profile, track->name);
    if (is_root_frames(name)) {
        escape_collapsed(line, name, false);
        text_append_char(line, ';');
        return;
    }
    if (stacks->several_processes && track->pid >= 0)
        text_printf(line, "process %" PRId64 ":\"\";", track->pid);
    if (track->tid < 0 && !*name)
        return;
    text_clear(scratch);
    if (track->tid >= 0)
        text_printf(scratch, "thread (%" PRId64 ")%s%s", track->tid, *name ? ": " : "", name);
    else
        text_printf(scratch, "thread: %s", name);
    escape_collapsed(line, text_string(scratch), true);
    text_append_char(line, ';');
}

/* Whether stacks begin with their process or thread: where there are several, and where the
 * recording's own did. */
static bool tells_tracks(const struct profile *profile)
{
    static const char *const formats[] = {"austin", "profiling.sampling collapsed"};
    if (profile->tracks.count != 1)
        return profile->tracks.count > 1;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (!strcmp(profile->format, formats[i]))
            return true;
    }
    return is_root_frames(profile_text(profile, profile->tracks.items[0].name));
}

static double microseconds_in(const char *unit)
{
    if (!strcmp(unit, "seconds"))
        return 1e6;
    return !strcmp(unit, "milliseconds") ? 1e3 : 0;
}

/* The shortest number that reads back, never with an exponent. */
static void append_amount(double value, double microseconds, struct text *line)
{
    char number[64];
    if (microseconds > 0)
        value = round(value * microseconds);
    if (value == (double)(int64_t)value) {
        text_printf(line, " %" PRId64 "\n", (int64_t)value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        double back;
        snprintf(number, sizeof number, "%.*g", digits, value);
        if (sscanf(number, "%lf", &back) == 1 && back == value)
            break;
    }
    if (strchr(number, 'e'))
        snprintf(number, sizeof number, "%.12f", value);
    text_printf(line, " %s\n", number);
}

enum status export_collapsed(struct export_stacks *stacks, struct error *err)
{
    const struct call_tree *tree = &stacks->tree;
    struct text *text = output_text(stacks->run->answer), label;
    bool of_tracks = tells_tracks(tree->profile);
    double microseconds = microseconds_in(tree->profile->unit);
    text_init(&label);
    for (uint32_t i = 1; i < tree->nodes.count; i++) {
        if (!export_stack_at(stacks, i) || !(tree->nodes.items[i].self > 0))
            continue;
        if (of_tracks && stacks->track != PROFILE_NO_ID)
            append_track(stacks, text, &label);
        for (uint32_t j = 0; j < stacks->depth; j++) {
            text_clear(&label);
            append_place(tree->profile, &tree->nodes.items[stacks->path[j]], &label);
            text_append(text, j ? ";" : "");
            escape_collapsed(text, text_string(&label), true);
        }
        append_amount(tree->nodes.items[i].self, microseconds, text);
        output_drain(stacks->run->answer);
    }
    bool ok = text_ok(&label);
    text_deinit(&label);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}
