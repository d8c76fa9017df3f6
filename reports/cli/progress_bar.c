/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/progress_bar.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "reports/cli/signals.h"
#include "reports/render/escape.h"
#include "reports/render/table.h"

#define REDRAW_NS     INT64_C(100000000)
#define FIRST_DRAW_NS INT64_C(300000000) /* what is quick needs no bar */
#define BAR_CELLS     20
#define WIDTH_UNKNOWN 80

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void append_amount(struct text *text, const char *unit, uint64_t amount)
{
    int64_t value = amount > INT64_MAX ? INT64_MAX : (int64_t)amount;
    if (!strcmp(unit, "bytes")) {
        format_bytes(text, value);
        return;
    }
    format_count(text, value);
    text_printf(text, " %s", unit);
}

static void append_bar(struct text *text, double share)
{
    int filled = (int)(share * BAR_CELLS);
    text_append(text, " [");
    for (int i = 0; i < BAR_CELLS; i++)
        text_append_char(text, i < filled ? '#' : ' ');
    text_printf(text, "] %3d %%", (int)(share * 100));
}

void progress_bar_line(struct text *text, const char *stage, const char *unit, uint64_t done,
                       uint64_t total, uint64_t started_at, double seconds, unsigned width)
{
    struct text line;
    text_init(&line);
    escape_terminal(&line, stage, ESCAPE_ONE_LINE);
    if (total)
        append_bar(&line, done < total ? (double)done / (double)total : 1.0);
    text_append(&line, "  ");
    append_amount(&line, unit, done);
    double rate = seconds > 0 && done > started_at ? (double)(done - started_at) / seconds : 0;
    if (rate >= 1 && rate < 1e18) {
        text_append(&line, ", ");
        append_amount(&line, unit, (uint64_t)rate);
        text_append(&line, "/s");
    }
    if (rate > 0 && total > done) {
        text_append(&line, ", ");
        format_seconds(&line, (double)(total - done) / rate);
        text_append(&line, " left");
    }
    append_fitted(text, text_string(&line), width, false);
    text_deinit(&line);
}

static unsigned line_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return WIDTH_UNKNOWN - 1;
    return size.ws_col - 1u; /* the last column makes some terminals wrap */
}

static void write_all(const struct text *text)
{
    if (text_ok(text) && write(STDERR_FILENO, text_string(text), text->size) < 0)
        return; /* a bar that can't be drawn is not worth a word */
}

static void draw(const struct progress_bar *bar, const char *unit, uint64_t done, uint64_t total)
{
    struct text text;
    text_init(&text);
    text_append(&text, "\r");
    progress_bar_line(&text, bar->stage, unit, done, total, bar->started_at,
                      (double)(bar->drawn_ns - bar->started_ns) / 1e9, line_width());
    text_append(&text, "\033[K");
    signals_bar_is_drawn(true);
    write_all(&text);
    text_deinit(&text);
}

static void update(struct progress *progress, const char *stage, const char *unit, uint64_t done,
                   uint64_t total)
{
    struct progress_bar *bar = progress->context;
    int64_t now = now_ns();
    if (!bar->stage || strcmp(bar->stage, stage) != 0) {
        bar->stage = stage;
        bar->started_ns = now;
        bar->started_at = done;
        if (!bar->drawn_ns)
            bar->drawn_ns = now + FIRST_DRAW_NS - REDRAW_NS;
    }
    if (now - bar->drawn_ns < REDRAW_NS)
        return;
    bar->drawn_ns = now;
    draw(bar, unit, done, total);
}

void progress_bar_init(struct progress_bar *bar)
{
    *bar = (struct progress_bar){0};
    bar->progress.update = update;
    bar->progress.context = bar;
}

void progress_bar_clear(struct progress_bar *bar)
{
    if (signals_bar_is_drawn(false) && write(STDERR_FILENO, "\r\033[K", 4) < 0)
        return;
    bar->stage = NULL;
    bar->drawn_ns = 0;
}
