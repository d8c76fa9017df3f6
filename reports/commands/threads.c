/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/command.h"
#include "reports/commands/answer.h"
#include "reports/commands/postmortem_render.h"
#include "reports/render/terminal.h"

#define DEFAULT_GROUPS 20 /* of threads, in text */
#define OUTER_FRAMES   40
#define INNER_FRAMES   80

static enum status write_json(struct command_run *run, struct index *index,
                              const struct rows_options *rows, struct error *err)
{
    struct json_writer json;
    json_init(&json, output_text(run->answer));
    enum status status = answer_begin_json(&json, "threads", run->options->operands[0], index, err);
    if (!status)
        status = threads_write_json(index, rows, &json, run->answer, err);
    if (status)
        return status;
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* The forms for people are made from the model. */
static enum status write_model(struct command_run *run, struct index *index, struct error *err)
{
    const struct options *options = run->options;
    bool is_text = run->format == FORMAT_TEXT;
    bool limited = options->given & OPTION_BIT(OPTION_LIMIT);
    struct postmortem_options model_options = {.input = options->operands[0],
                                               .stacks = {.no_locals = options->no_locals,
                                                          .thread = options->thread,
                                                          .group_limit = limited   ? options->limit
                                                                         : is_text ? DEFAULT_GROUPS
                                                                                   : 0}};
    if (!options->verbose) {
        model_options.stacks.outer_frames = OUTER_FRAMES;
        model_options.stacks.inner_frames = INNER_FRAMES;
    }
    struct postmortem model;
    enum status status = postmortem_build(index, &model_options, &model, err);
    if (status)
        return status;
    struct text *text = output_text(run->answer);
    if (run->format == FORMAT_MARKDOWN)
        threads_render_markdown(&model, text);
    else if (run->format == FORMAT_HTML)
        postmortem_render_html(&model, text);
    else
        threads_render_text(&model, terminal_width(), run->color, options->verbose, text);
    postmortem_deinit(&model);
    return STATUS_OK;
}

enum status command_threads(struct command_run *run, struct error *err)
{
    const struct options *options = run->options;
    struct rows_options rows = {.thread = options->thread,
                                .no_locals = options->no_locals,
                                .limit =
                                    options->given & OPTION_BIT(OPTION_LIMIT) ? options->limit : 0};
    struct index *index;
    enum status status = command_open_index(run, 0, &index, err);
    if (status)
        return status;
    if (run->format == FORMAT_JSON)
        return write_json(run, index, &rows, err);
    if (run->format == FORMAT_CSV)
        return threads_write_csv(index, &rows, output_text(run->answer), run->answer, err);
    return write_model(run, index, err);
}
