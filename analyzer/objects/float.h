/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_FLOAT_H
#define INQUEST_ANALYZER_OBJECTS_FLOAT_H

#include "inquest/base/text.h"

/* Appends the shortest text that reads back as the same double, in the form of
 * Python's repr: "0.1", "1e+16", "inf", "nan". `with_point`: "1.0" rather than
 * "1", as float has it and complex has not. `with_plus`: "+" before one that is
 * not negative. */
void double_append(struct text *text, double value, bool with_point, bool with_plus);

#endif
