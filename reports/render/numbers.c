/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/render/table.h"

/* Puts commas into the digits of `number`, which may have a sign and a fraction. */
static void append_grouped(struct text *text, const char *number)
{
    if (*number == '-')
        text_append_char(text, *number++);
    size_t digits = strspn(number, "0123456789");
    for (size_t i = 0; i < digits; i++) {
        if (i && (digits - i) % 3 == 0)
            text_append_char(text, ',');
        text_append_char(text, number[i]);
    }
    text_append(text, number + digits);
}

void format_count(struct text *text, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    append_grouped(text, digits);
}

void format_bytes(struct text *text, int64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    char digits[40];
    double value = (double)bytes / 1024;
    size_t unit = 0;
    if (bytes > -1024 && bytes < 1024) {
        text_printf(text, "%" PRId64 " B", bytes);
        return;
    }
    /* 1023.95 would be printed as 1,024.0 */
    while (fabs(value) >= 1023.95 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(digits, sizeof digits, "%.1f", value);
    append_grouped(text, digits);
    text_printf(text, " %s", units[unit]);
}

void format_seconds(struct text *text, double seconds)
{
    double size = fabs(seconds);
    if (!isfinite(seconds))
        text_append(text, "unknown");
    else if (seconds == 0)
        text_append(text, "0 s");
    else if (size < 0.0009995)
        text_printf(text, "%.3g µs", seconds * 1e6);
    else if (size < 0.9995)
        text_printf(text, "%.3g ms", seconds * 1e3);
    else if (size < 59.95)
        text_printf(text, "%.3g s", seconds);
    else if (size < 3599.5)
        text_printf(text, "%s%d min %02d s", seconds < 0 ? "-" : "", (int)(lround(size) / 60),
                    (int)(lround(size) % 60));
    else {
        char hours[40];
        double minutes = round(size / 60);
        snprintf(hours, sizeof hours, "%.0f", floor(minutes / 60));
        text_append(text, seconds < 0 ? "-" : "");
        append_grouped(text, hours);
        text_printf(text, " h %02.0f min", fmod(minutes, 60));
    }
}

void format_share(struct text *text, double part_of_one)
{
    if (!isfinite(part_of_one))
        text_append(text, "unknown");
    else if (part_of_one > 0 && part_of_one < 0.0005)
        text_append(text, "<0.1 %");
    else
        text_printf(text, "%.1f %%", part_of_one * 100);
}

void format_amount(struct text *text, enum column_kind kind, const char *unit, double value)
{
    if (value < 0) {
        text_append(text, "−");
        value = -value;
    }
    int64_t whole = value < 9e18 ? (int64_t)value : INT64_MAX;
    switch (kind) {
    case COLUMN_SECONDS: format_seconds(text, value); return;
    case COLUMN_SHARE: text_printf(text, "%.1f %%", value * 100); return;
    case COLUMN_BYTES: format_bytes(text, whole); return;
    default: break;
    }
    if (value < 9e15 && value != floor(value))
        text_printf(text, "%.6g", value);
    else
        format_count(text, whole);
    if (unit)
        text_printf(text, " %s", unit);
}
