/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)pyspy_text_recognise(data, size);
    parse_and_check(pyspy_text_parse, data, size);
    return 0;
}
