/* SPDX-License-Identifier: Apache-2.0 */
/* Which recording it is, told from the content alone. */
#include "formats/profiles/formats.h"
#include "formats/profiles/sample_formats.h"

struct profile_format {
    enum profile_family family;
    bool (*recognise)(const uint8_t *bytes, uint64_t size);
    enum status (*parse)(const struct input_file *input, struct progress *progress,
                         struct profile *profile, struct error *err);
};

/* The first that recognises the content parses it, so the stricter come first. To
 * add a format: its two functions in formats.h and a row here. */
static const struct profile_format formats[] = {
    {PROFILE_TRACEMALLOC, pickle_recognise, tracemalloc_parse},
    {PROFILE_PSTATS, pstats_recognise, pstats_parse},
    {PROFILE_SAMPLES, flame_svg_recognise, flame_svg_parse},
    {PROFILE_SAMPLES, speedscope_recognise, speedscope_parse},
    {PROFILE_SAMPLES, chrometrace_recognise, chrometrace_parse},
    {PROFILE_SAMPLES, pyspy_json_recognise, pyspy_json_parse},
    {PROFILE_SAMPLES, pyspy_text_recognise, pyspy_text_parse},
    {PROFILE_SAMPLES, folded_recognise, folded_parse},
};

static const struct profile_format *find_format(const uint8_t *bytes, uint64_t size)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].recognise(bytes, size))
            return &formats[i];
    return NULL;
}

enum profile_family profile_recognise(const uint8_t *bytes, uint64_t size)
{
    const struct profile_format *format = find_format(bytes, size);
    return format ? format->family : PROFILE_NONE;
}

enum status profile_parse(const struct input_file *input, struct progress *progress,
                          struct profile *ret_profile, struct error *err)
{
    const struct profile_format *format = find_format(input->data, input->size);
    if (!format)
        return error_set(err, STATUS_UNSUPPORTED,
                         "%s: no recording that inquest knows: snapshots of tracemalloc, pstats "
                         "files, and what py-spy records or dumps",
                         input->name);
    struct profile profile;
    profile_init(&profile);
    if (err)
        *err = (struct error){0};
    enum status status = format->parse(input, progress, &profile, err);
    if (status == STATUS_OK && input->cut_short)
        status = profile_add_warning(&profile, "input",
                                     "the compressed file ends early: the recording was read "
                                     "whole, but the file is damaged");
    if (status != STATUS_OK) {
        profile_deinit(&profile);
        if (err && !err->message[0]) /* the builder has no words */
            error_set(err, status, "%s", status_name(status));
        return error_prefix(err, "%s", input->name), status;
    }
    profile_seal(&profile);
    *ret_profile = profile;
    return STATUS_OK;
}
