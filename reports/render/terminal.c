/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MIN_WIDTH     40
#define MAX_WIDTH     1000
#define DEFAULT_WIDTH 100

void style_begin(struct text *text, bool color, enum style style)
{
    static const char *const codes[] = {
        [STYLE_HEADING] = "\033[1m",
        [STYLE_ALARM] = "\033[1;31m",
        [STYLE_NAME] = "\033[36m",
        [STYLE_FAINT] = "\033[2m",
    };
    if (color)
        text_append(text, codes[style]);
}

void style_end(struct text *text, bool color)
{
    if (color)
        text_append(text, "\033[0m");
}

void style_printf(struct text *text, bool color, enum style style, const char *format, ...)
{
    va_list arguments;
    style_begin(text, color, style);
    va_start(arguments, format);
    text_vprintf(text, format, arguments);
    va_end(arguments);
    style_end(text, color);
}

static size_t within_bounds(size_t width)
{
    return width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
}

size_t terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    char *end;
    if (columns && *columns) {
        unsigned long width = strtoul(columns, &end, 10);
        if (!*end && width)
            return within_bounds(width);
    }
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return within_bounds(size.ws_col);
    return DEFAULT_WIDTH;
}
