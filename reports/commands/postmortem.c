/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/session.h"
#include "reports/cli/command.h"
#include "reports/commands/postmortem_parts.h"
#include "reports/commands/postmortem_render.h"
#include "reports/render/terminal.h"

#define OUTER_FRAMES 100
#define INNER_FRAMES 200

static enum status render(const struct postmortem *model, struct command_run *run,
                          struct index *index, struct error *err)
{
    const struct options *options = run->options;
    struct text *text = output_text(run->answer);
    const struct rows_options rows = {
        .no_locals = options->no_locals,
        .limit = options->given & OPTION_BIT(OPTION_LIMIT) ? options->limit : 0};
    switch (run->format) {
    case FORMAT_JSON: return postmortem_render_json(model, index, &rows, text, run->answer, err);
    case FORMAT_MARKDOWN: postmortem_render_markdown(model, text); break;
    case FORMAT_HTML: postmortem_render_html(model, text); break;
    default: break; /* for people: printed already */
    }
    return STATUS_OK;
}

static struct postmortem_options model_options(const struct options *options)
{
    return (struct postmortem_options){
        .input = options->operands[0],
        .stacks = {.no_locals = options->no_locals,
                   .group_limit = options->given & OPTION_BIT(OPTION_LIMIT) ? options->limit : 0,
                   .outer_frames = OUTER_FRAMES,
                   .inner_frames = INNER_FRAMES}};
}

/* Where the text for people goes; NULL: nowhere. */
static struct output *text_output(const struct command_run *run)
{
    return run->summary ? run->summary : run->format == FORMAT_TEXT ? run->answer : NULL;
}

/* The stacks are known long before the heap: they are printed while it is walked. */
static enum status print_stacks(struct command_run *run, bool *ret_printed, struct error *err)
{
    const struct postmortem_options options = model_options(run->options);
    struct postmortem model;
    struct index *index;
    enum status status = command_open_stacks(run, 0, &index, err);
    if (status != STATUS_OK)
        return status;
    status = postmortem_build(index, &options, &model, err);
    if (status == STATUS_OK) {
        postmortem_text_stacks(&model, terminal_width(), run->color, output_text(text_output(run)));
        *ret_printed = output_flush(text_output(run)) == STATUS_OK;
        postmortem_deinit(&model);
    }
    index_close(index);
    return status;
}

static enum status answer(struct command_run *run, struct index *index, bool printed,
                          struct error *err)
{
    const struct postmortem_options options = model_options(run->options);
    struct output *people = text_output(run);
    struct postmortem model;
    struct parts parts;
    enum status status = postmortem_build(index, &options, &model, err);
    if (status != STATUS_OK)
        return status;
    status = parts_load(index, &parts, err);
    if (status == STATUS_OK) {
        model.parts = &parts;
        if (people && !printed)
            postmortem_text_stacks(&model, terminal_width(), run->color, output_text(people));
        if (people)
            postmortem_text_rest(&model, terminal_width(), run->color, output_text(people));
        if (people != run->answer)
            status = render(&model, run, index, err);
        parts_deinit(&parts);
    }
    postmortem_deinit(&model);
    return status;
}

enum status postmortem_report(struct command_run *run, struct index *index, struct error *err)
{
    return answer(run, index, false, err);
}

enum status command_postmortem(struct command_run *run, struct error *err)
{
    struct index *index;
    bool printed = false;
    enum status status = STATUS_OK;
    if (text_output(run) && session_content(run->options->operands[0]) == SESSION_CORE)
        status = print_stacks(run, &printed, err);
    if (status == STATUS_OK)
        status = command_open_index(run, 0, &index, err);
    return status == STATUS_OK ? answer(run, index, printed, err) : status;
}
