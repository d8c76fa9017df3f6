/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_COMPARE_FUNCTION_MATCH_H
#define INQUEST_ANALYZER_COMPARE_FUNCTION_MATCH_H

#include "inquest/analyzer/diff_profile.h"

/* Fills old_of: of each function of NEW the one of OLD that it is, PROFILE_NO_ID for none.
 * No function of OLD is taken twice. False: out of memory. */
bool function_match(const struct profile *old_profile, const struct profile *new_profile,
                    enum match_rule rule, uint32_t *old_of) MUST_CHECK;

#endif
