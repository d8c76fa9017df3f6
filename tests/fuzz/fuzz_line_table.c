/* SPDX-License-Identifier: Apache-2.0 */
/* Byte 0 chooses the form, bytes 1 and 2 the offset, the rest is the table. */
#include <stdlib.h>

#include "inquest/formats/line_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source_position position = {0, 0, 0, 0};
    if (size < 3)
        return 0;
    enum status status = line_table_find((enum line_table_form)(data[0] % 3), data + 3, size - 3, 1,
                                         (int16_t)(data[1] | data[2] << 8), &position);
    /* an answer is one of four statuses, and columns only come with a line */
    if (status != STATUS_OK && status != STATUS_CORRUPT && status != STATUS_NOT_IN_DUMP)
        abort();
    return 0;
}
