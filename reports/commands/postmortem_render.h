/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_POSTMORTEM_RENDER_H
#define INQUEST_REPORTS_COMMANDS_POSTMORTEM_RENDER_H

#include "inquest/base/text.h"
#include "reports/cli/output.h"
#include "reports/commands/postmortem_model.h"
#include "reports/commands/threads_rows.h"

/* The forms of one model. What is cut to keep a form readable or within its bound
 * is said and counted in it. */

#define MARKDOWN_LIMIT 65000u /* bytes; an issue's comment holds 65,536 characters */

/* The summary on standard output: for a narrow terminal at three in the morning. */
void postmortem_render_text(const struct postmortem *model, size_t width, bool color,
                            struct text *text);
/* The same in two: what needs the stacks alone, so that it can be read while the heap is
 * walked, and the rest. */
void postmortem_text_stacks(const struct postmortem *model, size_t width, bool color,
                            struct text *text);
void postmortem_text_rest(const struct postmortem *model, size_t width, bool color,
                          struct text *text);
void postmortem_render_markdown(const struct postmortem *model, struct text *text);
void postmortem_render_html(const struct postmortem *model, struct text *text);
/* Threads as in `threads --format json` are streamed from the index. */
enum status postmortem_render_json(const struct postmortem *model, struct index *index,
                                   const struct rows_options *options, struct text *text,
                                   struct output *output, struct error *err) MUST_CHECK;

/* postmortem.c: the answer on an open index, in the run's format. */
struct command_run;
enum status postmortem_report(struct command_run *run, struct index *index,
                              struct error *err) MUST_CHECK;

/* "65.6 MiB mapped, and 383.2 MiB only reserved". */
void memory_words(const struct postmortem *model, struct text *text);

/* `threads`: the verdict as a heading, then every group of the model. */
void threads_render_text(const struct postmortem *model, size_t width, bool color, bool verbose,
                         struct text *text);
void threads_render_markdown(const struct postmortem *model, struct text *text);

#endif
