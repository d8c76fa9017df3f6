/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_FLAME_PALETTE_H
#define INQUEST_REPORTS_RENDER_FLAME_PALETTE_H

#include <stdbool.h>

#include "inquest/base/text.h"
#include "reports/render/flame_colors.h"

/* Colours by what something belongs to, "package.module": the package chooses a hue, its
 * module one near it and the tint, so that one key has one colour in every picture. */

/* The colours that a picture uses. */
struct flame_palette {
    bool used[FLAME_HUES][FLAME_TINTS];
};

/* Appends the class of a key's colour; grey for NULL and "". */
void flame_palette_class(const char *key, struct text *text);
void flame_palette_use(struct flame_palette *palette, const char *key);
/* The same of one hue for all parts of a package, which choose the tint: NULL is the middle. */
void flame_palette_part_class(const char *package, const char *part, struct text *text);
void flame_palette_use_part(struct flame_palette *palette, const char *package, const char *part);
/* Appends the <style> of a picture that stands alone: what all of them have, and the rules of the
 * colours in use, light and dark. */
void flame_palette_style(const struct flame_palette *palette, struct text *text);
/* The rules alone, in one line: a page has the rest. */
void flame_palette_rules(const struct flame_palette *palette, bool dark, struct text *text);

#endif
