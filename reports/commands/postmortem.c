/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/command.h"
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
    default: postmortem_render_text(model, terminal_width(), run->color, text); break;
    }
    return STATUS_OK;
}

static enum status answer(struct command_run *run, struct index *index, struct error *err)
{
    const struct options *options = run->options;
    struct postmortem model;
    struct postmortem_options model_options = {
        .input = options->operands[0],
        .stacks = {.no_locals = options->no_locals,
                   .group_limit = options->given & OPTION_BIT(OPTION_LIMIT) ? options->limit : 0,
                   .outer_frames = OUTER_FRAMES,
                   .inner_frames = INNER_FRAMES}};
    enum status status = postmortem_build(index, &model_options, &model, err);
    if (status)
        return status;
    status = render(&model, run, index, err);
    if (!status && run->summary)
        postmortem_render_text(&model, terminal_width(), run->color, output_text(run->summary));
    postmortem_deinit(&model);
    return status;
}

enum status postmortem_report(struct command_run *run, struct index *index, struct error *err)
{
    return answer(run, index, err);
}

enum status command_postmortem(struct command_run *run, struct error *err)
{
    struct index *index;
    enum status status = command_open_index(run, 0, &index, err);
    return status == STATUS_OK ? answer(run, index, err) : status;
}
