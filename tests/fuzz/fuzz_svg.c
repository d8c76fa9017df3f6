/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)flame_svg_recognise(data, size);
    parse_and_check(flame_svg_parse, data, size);
    return 0;
}
