/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/diff_profile.h"
#include "reports/cli/command.h"
#include "reports/commands/gates.h"
#include "reports/commands/postmortem_render.h"
#include "reports/commands/profile_html.h"
#include "reports/commands/recordings.h"

enum status command_report(struct command_run *run, struct error *err)
{
    struct gates gates;
    struct profile profile = {0};
    struct index *index;
    bool is_recording;
    enum status status = gates_parse(run->options, &gates, err);
    if (status != STATUS_OK)
        return status;
    status = command_open_either(run, 0, &is_recording, &profile, &index, err);
    if (status == STATUS_OK)
        status = is_recording ? recordings_add_up(run, &profile, err)
                              : recordings_refuse_cores(run, err);
    if (status == STATUS_OK) {
        const char *input = run->options->operands[0];
        const struct metric_source source = is_recording ? metric_source_profile(&profile, input)
                                                         : metric_source_core(index, input);
        gates.unit = is_recording ? profile.unit : NULL;
        status = gates_evaluate(&gates, run, NULL, &source, err);
    }
    if (status == STATUS_OK)
        status = is_recording ? profile_render_html(&profile, &gates, run->options,
                                                    output_text(run->answer), err)
                              : postmortem_report(run, index, err);
    profile_deinit(&profile);
    gates_deinit(&gates);
    return status;
}
