/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_LABELS_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_LABELS_H

#include "analyzer/objects/references.h"
#include "inquest/analyzer/heap_index.h"

/* Labels of references as small numbers, each distinct one once: by field name,
 * by the address of an attribute's name or of a dict's key. Texts are made at
 * the end, when the number of each is known. */
struct label_table;

struct label_table *label_table_create(struct python_process *process);
void label_table_destroy(struct label_table *table);

/* The code that heap_index.h speaks of; 0 where there is none, or no memory. */
uint32_t label_code(struct label_table *table, const struct reference *reference);

/* Takes the labels of another table of the process in, in their order;
 * ret_codes gives the codes here by the codes there. The caller frees it. */
enum status label_table_join(struct label_table *table, const struct label_table *other,
                             uint32_t **ret_codes) MUST_CHECK;

/* Which kind of label (enum reference_label) a code stands for; LABEL_NONE also
 * of a weak one. */
uint8_t label_kind(const struct label_table *table, uint32_t code);
/* Codes that are no index are below this. */
uint32_t label_code_end(const struct label_table *table);

/* The label's text, appended. */
void label_text(struct label_table *table, uint32_t code, struct text *text);
/* As label_text, in a namespace: a key that is a str is the attribute of that
 * name, which is no value and never redacted. */
void label_attribute_text(struct label_table *table, uint32_t code, struct text *text);

/* All texts, for the index; ret_labels points into *text and *offsets, which
 * the caller frees. */
enum status label_texts(struct label_table *table, struct text *text, uint64_t **ret_offsets,
                        struct heap_labels *ret_labels) MUST_CHECK;

#endif
