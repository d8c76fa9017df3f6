/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/recordings.h"

#include "inquest/analyzer/profile_merge.h"
#include "inquest/analyzer/profile_pstats.h"
#include "reports/cli/messages.h"

#define NAMES_SHOWN 6

/* ---- Adding up. */

/* What its file says of a part has been said; what adding it found stands before that. */
static void say_warning(const struct command_run *run, const struct profile *sum, size_t before,
                        const struct profile *part)
{
    if (sum->warnings.count > before + part->warnings.count && !run->options->quiet)
        message_print("%s", sum->warnings.items[before].message);
}

static enum status add_part(struct command_run *run, const struct profile *part, size_t operand,
                            struct profile *sum, struct error *err)
{
    size_t before = sum->warnings.count;
    enum status status = profile_merge_add(sum, part, run->options->operands[operand], err);
    if (status == STATUS_OK)
        say_warning(run, sum, before, part);
    return status;
}

static enum status add_up_stacks(struct command_run *run, struct profile *profile,
                                 struct error *err)
{
    struct profile sum;
    profile_merge_init(&sum);
    enum status status = add_part(run, profile, 0, &sum, err);
    profile_deinit(profile); /* one part in memory at a time, beside the sum */
    for (size_t i = 1; status == STATUS_OK && i < run->options->operand_count; i++) {
        struct profile part;
        status = command_open_profile(run, i, &part, err);
        if (status != STATUS_OK)
            break;
        status = add_part(run, &part, i, &sum, err);
        profile_deinit(&part);
    }
    if (status != STATUS_OK) {
        profile_deinit(&sum);
        return status;
    }
    profile_seal(&sum);
    *profile = sum;
    return STATUS_OK;
}

enum status recordings_add_stats(struct command_run *run, struct pstats *stats, size_t operand,
                                 struct profile *ret_part, struct error *err)
{
    struct profile part;
    enum status status = command_open_profile(run, operand, &part, err);
    if (status != STATUS_OK)
        return status;
    if (part.family != PROFILE_PSTATS)
        status = error_set(err, STATUS_USAGE,
                           "%s: only pstats files are added to a pstats file; this is %s",
                           run->options->operands[operand], part.format);
    if (status == STATUS_OK)
        status = pstats_add(stats, &part, err);
    if (status == STATUS_OK && ret_part)
        *ret_part = part;
    else
        profile_deinit(&part);
    return status;
}

static enum status add_up_stats(struct command_run *run, struct profile *profile, struct error *err)
{
    struct pstats stats;
    enum status status = pstats_init(&stats, profile, err);
    for (size_t i = run->options->operand_count; status == STATUS_OK && i-- > 1;)
        status = recordings_add_stats(run, &stats, i, NULL, err);
    *profile = stats.profile;
    stats.profile = (struct profile){0};
    pstats_deinit(&stats);
    return status;
}

enum status recordings_add_up(struct command_run *run, struct profile *profile, struct error *err)
{
    if (run->options->operand_count < 2)
        return STATUS_OK;
    enum status status = profile->family == PROFILE_PSTATS ? add_up_stats(run, profile, err)
                                                           : add_up_stacks(run, profile, err);
    return status == STATUS_OK ? command_check_gates(run, profile, err) : status;
}

enum status recordings_refuse_cores(const struct command_run *run, struct error *err)
{
    if (run->options->operand_count < 2)
        return STATUS_OK;
    return error_set(err, STATUS_USAGE,
                     "%s: this is a core, and only recordings are added up; %s takes one core",
                     run->options->operands[0], run->command->name);
}

/* ---- Saying so. */

void recordings_append_name(const struct options *options, struct text *text)
{
    text_append(text, options->operands[0]);
    if (options->operand_count > 1)
        text_printf(text, " and %zu more", options->operand_count - 1);
}

void recordings_append_note(const struct options *options, struct text *text)
{
    if (options->operand_count < 2)
        return;
    text_printf(text, "%zu files added up: ", options->operand_count);
    for (size_t i = 0; i < options->operand_count && i < NAMES_SHOWN; i++)
        text_printf(text, "%s%s", i ? ", " : "", options->operands[i]);
    if (options->operand_count > NAMES_SHOWN)
        text_append(text, ", …");
}

static void write_inputs(const struct options *options, struct json_writer *json)
{
    json_member_string(json, "input", options->operands[0]);
    if (options->operand_count < 2)
        return;
    json_key(json, "inputs");
    json_begin_array(json);
    for (size_t i = 0; i < options->operand_count; i++)
        json_string(json, options->operands[i]);
    json_end_array(json);
}

static void write_warnings(const struct profile *profile, struct json_writer *json)
{
    struct text sentence = {0};
    json_key(json, "warnings");
    json_begin_array(json);
    for (size_t i = 0; i < profile->warnings.count; i++) {
        text_clear(&sentence);
        text_printf(&sentence, "%s%s%s", profile->warnings.items[i].area,
                    *profile->warnings.items[i].area ? ": " : "",
                    profile->warnings.items[i].message);
        json_string(json, text_string(&sentence));
    }
    json_end_array(json);
    json->failed |= sentence.failed;
    text_deinit(&sentence);
}

void recordings_begin_json(const struct command_run *run, const char *command,
                           const struct profile *profile, struct json_writer *json)
{
    struct text schema = {0};
    text_printf(&schema, "inquest/%s/1", command);
    json_init(json, output_text(run->answer));
    json_begin_object(json);
    json_member_string(json, "schema", text_string(&schema));
    write_inputs(run->options, json);
    write_warnings(profile, json);
    json->failed |= schema.failed;
    text_deinit(&schema);
}
