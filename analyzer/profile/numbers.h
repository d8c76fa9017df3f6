/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_NUMBERS_H
#define INQUEST_ANALYZER_PROFILE_NUMBERS_H

#include "inquest/formats/profile.h"

/* What the functions, frames and stacks of one recording are in another that it is added
 * to, where equal ones are one. */
struct profile_numbers {
    uint32_t *function, *frame, *stack;
};

/* Of `from`, nothing numbered yet: PROFILE_NO_ID. False: out of memory. */
bool profile_numbers_init(struct profile_numbers *numbers, const struct profile *from) MUST_CHECK;
void profile_numbers_deinit(struct profile_numbers *numbers);

/* Functions that have no number yet are added to `to` under their own name and place. */
enum status profile_numbers_add_functions(struct profile_numbers *numbers,
                                          const struct profile *from,
                                          struct profile *to) MUST_CHECK;
/* Frames of functions that all have numbers; without lines, those of one function are one. */
enum status profile_numbers_add_frames(struct profile_numbers *numbers, const struct profile *from,
                                       bool with_lines, struct profile *to) MUST_CHECK;
/* Stacks of frames that all have numbers. */
enum status profile_numbers_add_stacks(struct profile_numbers *numbers, const struct profile *from,
                                       struct profile *to) MUST_CHECK;

#endif
