/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inquest/base/temporary_file.h"
#include "inquest/base/text.h"
#include "reports/cli/exit_status.h"
#include "reports/render/escape.h"

static volatile sig_atomic_t bar_drawn;

/* Made before it is needed: a handler can't format. */
static char bus_message[512];
static volatile sig_atomic_t bus_message_size;

bool signals_bar_is_drawn(bool drawn)
{
    bool was = bar_drawn;
    bar_drawn = drawn;
    return was;
}

static void clean_up(void)
{
    temporary_files_remove();
    if (bar_drawn && write(STDERR_FILENO, "\r\033[K", 4) < 0)
        bar_drawn = 0;
}

/* Ends as the signal would have without us, so that the shell sees which it was:
 * SA_RESETHAND put the default back, and the signal waits until we return. */
static void on_end(int signal_number)
{
    clean_up();
    raise(signal_number);
}

static void on_bus(int signal_number)
{
    (void)signal_number;
    clean_up();
    if (write(STDERR_FILENO, bus_message, (size_t)bus_message_size) < 0)
        _exit(EXIT_STATUS_INPUT);
    _exit(EXIT_STATUS_INPUT);
}

void signals_set_input(const char *name)
{
    struct text text;
    text_init(&text);
    text.limit = sizeof bus_message - 128;
    text_append(&text, "inquest: ");
    escape_terminal(&text, name, ESCAPE_ONE_LINE);
    bus_message_size = 0;
    if (text_ok(&text))
        bus_message_size = snprintf(
            bus_message, sizeof bus_message,
            "%s: it shrank, or could not be read, while it was read; try again on a copy\n",
            text_string(&text));
    text_deinit(&text);
}

static void handle(int signal_number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESETHAND}, old;
    sigemptyset(&action.sa_mask);
    if (sigaction(signal_number, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
        return; /* as under nohup */
    sigaction(signal_number, &action, NULL);
}

void signals_init(void)
{
    signals_set_input("an input");
    handle(SIGINT, on_end);
    handle(SIGTERM, on_end);
    handle(SIGHUP, on_end);
    handle(SIGBUS, on_bus);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}
