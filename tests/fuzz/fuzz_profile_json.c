/* SPDX-License-Identifier: Apache-2.0 */
/* Each input as all three kinds of JSON, whichever it is recognised as. */
#include "fuzz_samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)speedscope_recognise(data, size);
    (void)chrometrace_recognise(data, size);
    (void)pyspy_json_recognise(data, size);
    parse_and_check(speedscope_parse, data, size);
    parse_and_check(chrometrace_parse, data, size);
    parse_and_check(pyspy_json_parse, data, size);
    return 0;
}
