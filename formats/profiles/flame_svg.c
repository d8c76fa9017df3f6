/* SPDX-License-Identifier: Apache-2.0 */
/* Flame graphs as SVG, by py-spy record -f flamegraph (inferno draws it, from 0.10.1
 * on with the numbers), inferno itself, and FlameGraph's flamegraph.pl:
 *
 *   <svg id="frames" … total_samples="N">
 *   <g><title>LABEL (1,234 samples, 5.67%)</title>
 *      <rect x="…%" y="…" width="…%" … fg:x="FIRST SAMPLE" fg:w="SAMPLES"/>…</g>
 *
 * With fg:x and fg:w the tree comes out exact. Older pictures have x and width in
 * pixels: who is over whom is read off those, and how much off the titles. Frames too
 * narrow to draw (py-spy: under 0.1 %) are in no picture: they count as the caller's own. */
#include "formats/profiles/flame_svg.h"

#include <inttypes.h>
#include <string.h>

#include "formats/profiles/number.h"
#include "formats/profiles/sample_formats.h"
#include "formats/profiles/svg_reader.h"

#define LOOK_BYTES     ((size_t)4 << 10)
#define PROGRESS_BYTES ((uint64_t)4 << 20)
#define WHOLE_LIMIT    (UINT64_C(1) << 53) /* more samples than that are none */
#define NARROWEST      0.001               /* of the whole, of what py-spy draws */

struct svg_picture {
    struct profile *profile; /* borrowed */
    struct recorder recorder;
    struct flame_picture picture;
    struct stack_tree tree;
    struct text title, document_title;
    bool has_title, is_whole; /* is_whole: </svg> was seen last */
    double told_total;        /* total_samples; negative: not told */
    uint64_t with_numbers, bad_titles, bad_rects, differing;
};

bool flame_svg_recognise(const uint8_t *bytes, uint64_t size)
{
    static const char *const beginnings[] = {"<?xml", "<!DOCTYPE", "<svg", "<!--"};
    const char *text = (const char *)bytes;
    size_t look = size < LOOK_BYTES ? (size_t)size : LOOK_BYTES, at = 0;
    if (look >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
        at = 3;
    while (at < look && memchr(" \t\r\n", text[at], 4))
        at++;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        size_t length = strlen(beginnings[i]);
        if (look - at >= length && !memcmp(text + at, beginnings[i], length))
            return memmem(text + at, look - at, "<svg", 4);
    }
    return false;
}

/* ---- a frame's title: LABEL (1,234 samples, 5.67%) */

/* A number with commas between its thousands, up to the blank after it. */
static bool read_count(const char **text, const char *end, double *ret_count)
{
    char digits[32];
    size_t size = 0;
    for (; *text < end && **text != ' '; ++*text) {
        if (**text == ',')
            continue;
        if (size == sizeof digits)
            return false;
        digits[size++] = **text;
    }
    return *text < end && number_double(digits, size, ret_count) && *ret_count >= 0 &&
           *ret_count <= (double)WHOLE_LIMIT;
}

/* The label's size, the number and its unit; false: the title has no such end. */
static bool split_title(const char *title, size_t size, size_t *ret_label_size, double *ret_count,
                        const char **ret_unit, size_t *ret_unit_size)
{
    const char *open = memrchr(title, '(', size), *end = title + size;
    if (!open || open < title + 1 || open[-1] != ' ' || end[-1] != ')')
        return false;
    const char *at = open + 1;
    if (!read_count(&at, end, ret_count))
        return false;
    const char *unit = at + 1, *comma = memchr(unit, ',', (size_t)(end - unit));
    if (!comma || comma == unit || !memchr(comma, '%', (size_t)(end - comma)))
        return false;
    *ret_label_size = (size_t)(open - 1 - title);
    *ret_unit = unit;
    *ret_unit_size = (size_t)(comma - unit);
    return true;
}

static enum status keep_unit(struct svg_picture *svg, const char *unit, size_t size)
{
    if (svg->profile->unit)
        return STATUS_OK;
    bool is_microseconds = size == 2 && !memcmp(unit, "us", 2);
    svg->profile->unit =
        is_microseconds ? "microseconds" : arena_strndup(&svg->profile->arena, unit, size);
    return svg->profile->unit ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- a frame's rectangle */

static bool read_length(const struct svg_tag *tag, const char *name, double *ret_length,
                        bool *ret_is_percent)
{
    const char *value;
    size_t size;
    if (!svg_attribute(tag, name, &value, &size) || !size)
        return false;
    bool is_percent = value[size - 1] == '%';
    if (is_percent)
        *ret_is_percent = true;
    return number_double(value, size - is_percent, ret_length);
}

/* fg:x and fg:w */
static bool read_numbers(const struct svg_tag *tag, struct flame_rect *rect)
{
    const char *value;
    size_t size;
    uint64_t first, samples;
    if (!svg_attribute(tag, "fg:x", &value, &size) || !number_u64(value, size, &first) ||
        !svg_attribute(tag, "fg:w", &value, &size) || !number_u64(value, size, &samples) ||
        first > WHOLE_LIMIT || samples > WHOLE_LIMIT)
        return false;
    rect->x = (double)first;
    rect->width = rect->weight = (double)samples;
    return true;
}

static enum status take_rect(struct svg_picture *svg, const struct svg_tag *tag)
{
    struct flame_rect rect = {.node = PROFILE_NO_ID};
    const char *title = text_string(&svg->title), *unit, *ignored;
    size_t label_size, unit_size, ignored_size;
    bool is_percent_y = false;
    svg->has_title = false;
    if (!split_title(title, svg->title.size, &label_size, &rect.weight, &unit, &unit_size)) {
        svg->bad_titles++;
        return STATUS_OK;
    }
    double told = rect.weight;
    rect.has_numbers = svg_attribute(tag, "fg:w", &ignored, &ignored_size);
    if (!read_length(tag, "y", &rect.y, &is_percent_y) ||
        (rect.has_numbers
             ? !read_numbers(tag, &rect)
             : !read_length(tag, "x", &rect.x, &svg->picture.is_percent) ||
                   !read_length(tag, "width", &rect.width, &svg->picture.is_percent))) {
        svg->bad_rects++;
        return STATUS_OK;
    }
    svg->with_numbers += rect.has_numbers;
    svg->differing += told != rect.weight;
    enum status status = keep_unit(svg, unit, unit_size);
    if (status == STATUS_OK)
        status = recorder_label(&svg->recorder, title, label_size, &rect.frame);
    if (status == STATUS_OK && !array_push(&svg->picture.rects, rect))
        status = STATUS_NO_MEMORY;
    return status;
}

/* ---- the document */

static enum status take_tag(struct svg_picture *svg, const struct svg_tag *tag, bool is_title_text)
{
    const char *value;
    size_t size;
    double total;
    svg->is_whole = tag->is_end && svg_tag_is(tag, "svg");
    if (tag->is_end && svg_tag_is(tag, "title")) {
        text_clear(&svg->title);
        svg_append_text(&svg->title, tag->text, tag->text_size);
        svg->has_title = true;
        return text_ok(&svg->title) ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (tag->is_end && is_title_text) {
        text_clear(&svg->document_title);
        svg_append_text(&svg->document_title, tag->text, tag->text_size);
        return text_ok(&svg->document_title) ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (!tag->is_end && svg->has_title && svg_tag_is(tag, "rect"))
        return take_rect(svg, tag);
    if (!tag->is_end && svg_tag_is(tag, "svg") &&
        svg_attribute(tag, "total_samples", &value, &size) && number_double(value, size, &total))
        svg->told_total = total;
    return STATUS_OK;
}

static enum status take_tags(struct svg_picture *svg, const char *text, size_t size,
                             struct progress *progress, struct error *err)
{
    struct svg_reader reader = {text, text + size};
    struct svg_tag tag;
    uint64_t told = 0;
    bool is_title_text = false; /* <text id="title">: what made the picture, or its name */
    while (svg_next_tag(&reader, &tag)) {
        const char *id;
        size_t id_size, at = (size_t)(reader.at - text);
        enum status status = take_tag(svg, &tag, is_title_text);
        if (status != STATUS_OK)
            return recorder_failed(err, status);
        is_title_text = !tag.is_end && svg_tag_is(&tag, "text") &&
                        svg_attribute(&tag, "id", &id, &id_size) && id_size == 5 &&
                        !memcmp(id, "title", 5);
        if (at - told >= PROGRESS_BYTES) {
            told = at;
            progress_update(progress, "reading the picture", "bytes", at, size);
        }
    }
    return STATUS_OK;
}

/* ---- the whole */

static enum status warn(struct svg_picture *svg, uint64_t count, const char *what)
{
    return count ? profile_add_warning(svg->profile, "samples", "%" PRIu64 " %s", count, what)
                 : STATUS_OK;
}

static enum status warn_of_picture(struct svg_picture *svg,
                                   const struct flame_arrangement *arrangement)
{
    struct profile *profile = svg->profile;
    enum status status = STATUS_OK;
    if (profile->is_approximate)
        status = profile_add_warning(profile, "samples",
                                     "an old picture: which frame is over which is read off its "
                                     "pixels, so narrow frames may be under a wrong caller");
    if (status == STATUS_OK && !svg->is_whole)
        status = profile_add_warning(profile, "samples",
                                     "the picture was cut short: what is missing counts as its "
                                     "callers' own");
    if (status == STATUS_OK && svg->told_total >= 0 && svg->told_total != arrangement->total)
        status = profile_add_warning(profile, "samples",
                                     "the picture says %.0f samples in all, its frames %.0f",
                                     svg->told_total, arrangement->total);
    if (status == STATUS_OK && arrangement->total * NARROWEST > 1)
        status = profile_add_warning(profile, "samples",
                                     "frames too narrow to draw (py-spy: under 0.1 %%) are not in "
                                     "the picture: they count as their callers' own");
    return status;
}

static enum status warn_all(struct svg_picture *svg, const struct flame_arrangement *arrangement)
{
    const struct {
        uint64_t count;
        const char *what;
    } rows[] = {
        {svg->bad_titles, "titles are no label and its number: left out"},
        {svg->bad_rects, "frames have no place or no possible number: left out"},
        {svg->differing, "frames have another number in their title: it is not used"},
        {arrangement->orphans, "frames stand on no other: left out, with those on them"},
        {arrangement->overfull, "frames have more on them than they have: nothing is their own"},
    };
    enum status status = warn_of_picture(svg, arrangement);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && status == STATUS_OK; i++)
        status = warn(svg, rows[i].count, rows[i].what);
    if (status == STATUS_OK && svg->document_title.size)
        status = profile_add_fact(svg->profile, "title", text_string(&svg->document_title));
    return status;
}

/* Where some frames have fg:x and fg:w, those without have no place among them. */
static void keep_numbered(struct svg_picture *svg)
{
    struct flame_rect *rects = svg->picture.rects.items;
    size_t kept = 0;
    for (size_t i = 0; i < svg->picture.rects.count; i++)
        if (rects[i].has_numbers)
            rects[kept++] = rects[i];
    svg->bad_rects += svg->picture.rects.count - kept;
    svg->picture.rects.count = kept;
}

static enum status finish(struct svg_picture *svg, struct error *err)
{
    struct flame_arrangement arrangement;
    struct frame_map same = {0};
    uint32_t all;
    if (!svg->picture.rects.count)
        return error_set(err, STATUS_UNSUPPORTED,
                         "an SVG picture, but no flame graph: it has no frames with a title and "
                         "a number");
    svg->picture.is_exact = svg->with_numbers > 0;
    if (svg->picture.is_exact)
        keep_numbered(svg);
    svg->profile->is_approximate = !svg->picture.is_exact;
    enum status status = recorder_label(&svg->recorder, "all", 3, &all);
    if (status == STATUS_OK)
        status = flame_picture_arrange(&svg->picture, all, &svg->tree, &arrangement);
    if (status == STATUS_OK)
        status = warn_all(svg, &arrangement);
    if (status != STATUS_OK)
        return recorder_failed(err, status);
    status = stack_tree_record(&svg->tree, &same, &svg->recorder, err);
    return status == STATUS_OK ? recorder_finish(&svg->recorder, err) : status;
}

enum status flame_svg_parse(const struct input_file *input, struct progress *progress,
                            struct profile *profile, struct error *err)
{
    struct svg_picture svg = {.profile = profile, .told_total = -1};
    profile->family = PROFILE_SAMPLES;
    profile->format = "flame graph SVG";
    recorder_init(&svg.recorder, profile, LABEL_SPY, input->size);
    stack_tree_init(&svg.tree);
    enum status status = take_tags(&svg, (const char *)input->data, input->size, progress, err);
    if (status == STATUS_OK)
        status = finish(&svg, err);
    recorder_deinit(&svg.recorder);
    stack_tree_deinit(&svg.tree);
    array_deinit(&svg.picture.rects);
    text_deinit(&svg.title);
    text_deinit(&svg.document_title);
    return status;
}
