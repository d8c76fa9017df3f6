/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_WORDS_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_WORDS_H

#include "analyzer/findings/suspects_finder.h"

/* Pieces of sentences. */
void words_share(struct text *text, double share); /* 61 %, 6.1 % */

/* ---- suspects_phrases.c */
/* "a dict with 40,000 entries", "an lru_cache (maxsize 128, 128 entries, 3 hits, 40 misses)" */
void words_object(struct finder *finder, uint32_t object, struct text *text);
/* ", a class attribute": what the path alone does not say of the holder. */
void words_holder(const struct finder *finder, const struct suspect *suspect, struct text *text);

#endif
