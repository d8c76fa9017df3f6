/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_MERGE_H
#define INQUEST_ANALYZER_PROFILE_MERGE_H

#include "inquest/base/error.h"
#include "inquest/formats/profile.h"

/* Several recordings of one kind as one: what each stack took or allocated, added up by
 * process or thread (samples) or by domain (tracemalloc). Files of pstats have sums of
 * their own, see profile_pstats.h. */

/* An empty sum. It takes recordings of the family and unit of the first that is added,
 * until it is sealed (profile_seal); its owner ends it with profile_deinit. */
void profile_merge_init(struct profile *ret_sum);

/* Adds a recording, which `name` stands for in warnings and errors. Processes and threads of
 * one name and number are one. Facts stay that are the same in all; variables of py-spy dump
 * are left out. STATUS_USAGE where kinds or units differ: the sum is as it was. After other
 * errors it can only be ended. */
enum status profile_merge_add(struct profile *sum, const struct profile *part, const char *name,
                              struct error *err) MUST_CHECK;

#endif
