/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reports/render/escape.h"

#define MOST_BYTES ((size_t)1 << 20) /* of the picture */
#define PATIENCE   10000             /* milliseconds for all of it */
#define NAME_BYTES 42

extern char **environ;

/* A string in single quotes, in which gnuplot interprets nothing but a quote. */
static void quoted(struct text *script, const char *string)
{
    struct text shown = {0};
    escape_terminal(&shown, string, ESCAPE_ONE_LINE);
    text_append_char(script, '\'');
    const char *bytes = text_string(&shown);
    size_t size = strlen(bytes);
    if (size > NAME_BYTES) { /* from its end: names differ there; not within a character */
        bytes += size - NAME_BYTES;
        while ((*bytes & 0xC0) == 0x80)
            bytes++;
        text_append(script, "…");
    }
    for (; *bytes; bytes++)
        text_append_char(script, *bytes == '\'' || *bytes == '\\' ? '`' : *bytes);
    text_append_char(script, '\'');
    text_deinit(&shown);
}

static void write_script(const struct chart *chart, struct text *script)
{
    text_append(script, "set terminal svg size 1100,420 noenhanced font 'sans-serif,12' "
                        "background '#ffffff'\n"
                        "set key outside right top noenhanced\nset grid\nset yrange [0:*]\n"
                        "set format y '%.0s%c'\nset xlabel ");
    quoted(script, chart->x_title);
    text_append(script, "\nset ylabel ");
    quoted(script, chart->y_title);
    text_append(script, "\nplot ");
    for (size_t i = 0; i < chart->series_count; i++) {
        text_append(script, i ? ", '-' using 1:2 with linespoints title "
                              : "'-' using 1:2 with linespoints title ");
        quoted(script, chart->series[i].name);
    }
    text_append_char(script, '\n');
    for (size_t i = 0; i < chart->series_count; i++) {
        for (size_t j = 0; j < chart->time_count; j++)
            text_printf(script, "%.9g %.17g\n", chart->times[j], chart->series[i].values[j]);
        text_append(script, "e\n");
    }
}

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Feeds the script and takes the picture, whichever can go on. */
static bool exchange(int in, int out, const struct text *script, struct text *picture)
{
    size_t sent = 0;
    long end = now() + PATIENCE;
    bool ended = false;
    while (!ended && picture->size < MOST_BYTES) {
        struct pollfd files[2] = {{.fd = out, .events = POLLIN}, {.fd = in, .events = POLLOUT}};
        long left = end - now();
        if (left <= 0 || poll(files, in >= 0 ? 2 : 1, (int)left) <= 0)
            break;
        if (files[0].revents) {
            char block[8192];
            ssize_t got = read(out, block, sizeof block);
            ended = got == 0;
            if (got < 0 && errno != EINTR)
                break;
            text_append_n(picture, block, got > 0 ? (size_t)got : 0);
        }
        if (in >= 0 && files[1].revents) {
            ssize_t put = write(in, script->data + sent, script->size - sent);
            sent += put > 0 ? (size_t)put : 0;
            if (put < 0 || sent == script->size) {
                close(in);
                in = -1;
            }
        }
    }
    if (in >= 0)
        close(in);
    return ended;
}

/* False: it can't be started. */
static bool start(pid_t *ret_child, int *ret_in, int *ret_out)
{
    static char name[] = "gnuplot", defaults[] = "-d";
    static char *const arguments[] = {name, defaults, NULL};
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    if (pipe2(in, O_CLOEXEC) != 0)
        return false;
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    bool started = posix_spawnp(ret_child, name, &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    if (!started) {
        close(in[1]);
        close(out[0]);
        return false;
    }
    *ret_in = in[1];
    *ret_out = out[0];
    return true;
}

static bool is_picture(const struct text *picture)
{
    return text_ok(picture) && picture->size && strstr(text_string(picture), "</svg>") &&
           !strstr(text_string(picture), "<script");
}

bool gnuplot_chart(const struct chart *chart, struct text *text)
{
    struct text script = {0}, picture = {0};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    pid_t child;
    int in, out, result = -1;
    write_script(chart, &script);
    sigaction(SIGPIPE, &ignore, &before); /* it may end before it has read all */
    bool ok = text_ok(&script) && start(&child, &in, &out);
    if (ok) {
        ok = exchange(in, out, &script, &picture);
        close(out);
        if (!ok)
            kill(child, SIGKILL);
        while (waitpid(child, &result, 0) < 0 && errno == EINTR)
            ;
        ok = ok && WIFEXITED(result) && WEXITSTATUS(result) == 0 && is_picture(&picture);
    }
    sigaction(SIGPIPE, &before, NULL);
    if (ok)
        text_append_n(text, text_string(&picture), picture.size);
    text_deinit(&script);
    text_deinit(&picture);
    return ok;
}
