/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "reports/cli/command.h"
#include "reports/cli/messages.h"
#include "reports/render/table.h"

/* Says nothing on standard output: the index is the answer. */
enum status command_load(struct command_run *run, struct error *err)
{
    struct index *index;
    struct stat file;
    enum status status = command_open_index(run, 0, &index, err);
    if (status != STATUS_OK || !run->options->verbose || stat(run->options->output, &file) != 0)
        return status;
    struct text size;
    text_init(&size);
    format_bytes(&size, file.st_size);
    message_print("%s: written, %s", run->options->output, text_string(&size));
    text_deinit(&size);
    return STATUS_OK;
}
