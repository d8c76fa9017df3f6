/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/flame_palette.h"

#include <inttypes.h>
#include <string.h>

#include "inquest/base/fnv.h"
#include "reports/render/assets.h"

#define NEAR_HUES 6 /* of one package */

static uint32_t hash_bytes(const char *bytes, size_t size)
{
    uint32_t hash = fnv32(FNV32_START, bytes, size);
    return hash ^ hash >> 15;
}

/* False: grey. */
static bool color_of(const char *key, unsigned *ret_hue, unsigned *ret_tint)
{
    if (!key || !*key)
        return false;
    size_t package = strcspn(key, "."), size = strlen(key);
    uint32_t own = hash_bytes(key, size);
    unsigned near = size > package ? own / FLAME_TINTS % NEAR_HUES : 0;
    *ret_hue = (hash_bytes(key, package) + near) % FLAME_HUES;
    *ret_tint = own % FLAME_TINTS;
    return true;
}

static void append_class(bool has_color, unsigned hue, unsigned tint, struct text *text)
{
    if (has_color)
        text_printf(text, "c%u%c", hue, 'a' + (int)tint);
    else
        text_append(text, "c");
}

void flame_palette_class(const char *key, struct text *text)
{
    unsigned hue = 0, tint = 0;
    bool has_color = color_of(key, &hue, &tint);
    append_class(has_color, hue, tint, text);
}

void flame_palette_use(struct flame_palette *palette, const char *key)
{
    unsigned hue, tint;
    if (color_of(key, &hue, &tint))
        palette->used[hue][tint] = true;
}

static bool part_color(const char *package, const char *part, unsigned *ret_hue, unsigned *ret_tint)
{
    if (!package || !*package)
        return false;
    *ret_hue = hash_bytes(package, strlen(package)) % FLAME_HUES;
    *ret_tint = part ? hash_bytes(part, strlen(part)) % FLAME_TINTS : FLAME_TINTS / 2;
    return true;
}

void flame_palette_part_class(const char *package, const char *part, struct text *text)
{
    unsigned hue = 0, tint = 0;
    bool has_color = part_color(package, part, &hue, &tint);
    append_class(has_color, hue, tint, text);
}

void flame_palette_use_part(struct flame_palette *palette, const char *package, const char *part)
{
    unsigned hue, tint;
    if (part_color(package, part, &hue, &tint))
        palette->used[hue][tint] = true;
}

void flame_palette_rules(const struct flame_palette *palette, bool dark, struct text *text)
{
    for (unsigned hue = 0; hue < FLAME_HUES; hue++)
        for (unsigned tint = 0; tint < FLAME_TINTS; tint++)
            if (palette->used[hue][tint])
                text_printf(text, ".c%u%c{fill:#%06" PRIx32 "}", hue, 'a' + (int)tint,
                            dark ? flame_colors[hue].dark[tint] : flame_colors[hue].light[tint]);
    text_append_char(text, '\n');
}

void flame_palette_style(const struct flame_palette *palette, struct text *text)
{
    text_append(text, "<style><![CDATA[\n");
    text_append_n(text, asset_flame_css.bytes, asset_flame_css.size);
    flame_palette_rules(palette, false, text);
    text_append(text, "@media (prefers-color-scheme: dark) {\n");
    text_append_n(text, asset_flame_dark_css.bytes, asset_flame_dark_css.size);
    flame_palette_rules(palette, true, text);
    text_append(text, "}\n]]></style>\n");
}
