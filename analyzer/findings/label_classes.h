/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_LABEL_CLASSES_H
#define INQUEST_ANALYZER_FINDINGS_LABEL_CLASSES_H

#include "inquest/analyzer/heap_reader.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"

/* Which references lead to the same place of alike objects: those with the same
 * attribute, and those to any item of a container. */
enum {
    LABEL_CLASS_NONE, /* no reference, or a weak one */
    LABEL_CLASS_ITEM, /* "[3]", "['key']" */
    LABEL_CLASS_DICT, /* ".__dict__" */
    LABEL_CLASS_FIRST /* from here on: one for each text */
};

struct label_classes {
    struct heap_reader *reader;
    ARRAY(uint32_t) of_code;    /* what is known of each label */
    ARRAY(const char *) texts;  /* class - LABEL_CLASS_FIRST */
    uint32_t *slots, slot_mask; /* open addressing by text: class, 0 empty */
    struct arena arena;
};

enum status label_classes_init(struct label_classes *classes, struct heap_reader *reader,
                               struct error *err) MUST_CHECK;
void label_classes_deinit(struct label_classes *classes);

/* `exact`: items too are told apart by their keys, because they are attributes in a
 * namespace. */
enum status label_class(struct label_classes *classes, uint32_t label, bool exact,
                        uint32_t *ret_class, struct error *err) MUST_CHECK;
/* "[…]" of LABEL_CLASS_ITEM; NULL of LABEL_CLASS_NONE. */
const char *label_class_text(const struct label_classes *classes, uint32_t label_class);

#endif
