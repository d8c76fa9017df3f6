/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_SVG_READER_H
#define FORMATS_PROFILES_SVG_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "inquest/base/text.h"

/* The tags of an XML text, one after the other, with the text between them.
 * Comments, CDATA, processing instructions and declarations are passed over. No
 * entity is read but those that XML has itself; nothing is looked up elsewhere. */
struct svg_reader {
    const char *at, *end;
};

/* Borrowed from the text. */
struct svg_tag {
    const char *text; /* before the tag, since the last tag, as it stands there */
    size_t text_size;
    const char *name, *attributes;
    size_t name_size, attributes_size;
    bool is_end; /* </name> */
};

/* false: there is none any more. */
bool svg_next_tag(struct svg_reader *reader, struct svg_tag *ret_tag);
bool svg_tag_is(const struct svg_tag *tag, const char *name);
/* The value as it stands there. */
bool svg_attribute(const struct svg_tag *tag, const char *name, const char **ret_value,
                   size_t *ret_size);
/* Appends the text with its entities undone; unknown ones stay as they are. */
void svg_append_text(struct text *text, const char *bytes, size_t size);

#endif
