/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks as a tree: below a task stand those that it awaits. A task that many await
 * is told once; tasks that are alike in everything are told once, with their number. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/commands/stacks_words.h"
#include "reports/commands/tasks_model.h"
#include "reports/commands/threads_text.h"
#include "reports/render/escape.h"
#include "reports/render/table.h"
#include "reports/render/terminal.h"

#define DEPTH_MAX      16
#define FRAMES_SHOWN   12
#define INNER_FRAMES   8
#define VALUE_COLUMNS  60
#define REPEATED_SHOWN 20 /* of the tasks shown above that a task awaits too */

enum told { TOLD_NOT, TOLD, TOLD_AS_ALIKE };

struct tree {
    const struct tasks_model *model;
    const struct tasks_format *format;
    struct text *text;
    uint8_t *told; /* of each task: enum told */
    uint64_t shown;
};

static void indent(struct tree *tree, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        text_append(tree->text, "    ");
}

static void faint(struct tree *tree, size_t depth, const char *words)
{
    indent(tree, depth);
    style_begin(tree->text, tree->format->color, STYLE_FAINT);
    escape_terminal(tree->text, words, ESCAPE_ONE_LINE);
    style_end(tree->text, tree->format->color);
    text_append_char(tree->text, '\n');
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool is_alike(const struct tasks_model *model, const struct model_task *a,
                     const struct model_task *b)
{
    if (a->edge_count || b->edge_count || a->awaiting != b->awaiting || a->is_deadlocked ||
        a->thread_id != b->thread_id || a->frame_count != b->frame_count ||
        !same(a->state, b->state) || !same(a->coroutine, b->coroutine) ||
        !same(a->waits_for, b->waits_for))
        return false;
    for (size_t i = 0; i < a->frame_count; i++) {
        const struct model_task_frame *left = &model->frames.items[a->first_frame + i];
        const struct model_task_frame *right = &model->frames.items[b->first_frame + i];
        if (left->line != right->line || !same(left->function, right->function) ||
            !same(left->file, right->file))
            return false;
    }
    return true;
}

static void title(struct tree *tree, const struct model_task *task, size_t depth, const char *via)
{
    struct text words = {0};
    indent(tree, depth);
    if (via) {
        style_begin(tree->text, tree->format->color, STYLE_FAINT);
        escape_terminal(tree->text, via, ESCAPE_ONE_LINE);
        style_end(tree->text, tree->format->color);
        text_append(tree->text, " ");
    }
    model_task_name(task, &words);
    style_begin(tree->text, tree->format->color, task->is_deadlocked ? STYLE_ALARM : STYLE_HEADING);
    escape_terminal(tree->text, text_string(&words), ESCAPE_ONE_LINE);
    style_end(tree->text, tree->format->color);
    text_clear(&words);
    text_printf(&words, " %s(): %s", task->coroutine ? task->coroutine : "?",
                task->is_deadlocked ? "deadlocked, " : "");
    text_append(&words, task->state ? task->state : "?");
    if (tree->told[task - tree->model->tasks.items])
        text_append(&words, ", shown above");
    else if (task->waits_for)
        text_printf(&words, ": %s", task->waits_for);
    escape_terminal(tree->text, text_string(&words), ESCAPE_ONE_LINE);
    text_append_char(tree->text, '\n');
    tree->text->failed |= words.failed;
    text_deinit(&words);
}

/* Python's own order: the outermost first. */
static void stack(struct tree *tree, const struct model_task *task, size_t depth)
{
    struct stack_format format = {.color = tree->format->color};
    size_t shown = task->frame_count;
    if (!tree->format->verbose && shown > FRAMES_SHOWN)
        shown = INNER_FRAMES;
    for (size_t i = task->frame_count; i-- > 0;) {
        const struct model_task_frame *frame = &tree->model->frames.items[task->first_frame + i];
        if (i == shown && shown < task->frame_count) {
            struct text words = {0};
            text_printf(&words, "  [%zu frames not shown; --verbose shows them]",
                        task->frame_count - shown - 1);
            faint(tree, depth, text_string(&words));
            text_deinit(&words);
        }
        if (i >= shown && i + 1 < task->frame_count)
            continue;
        struct stack_frame line = {
            .function = frame->function,
            .file = frame->file,
            .line = frame->line > 0 && frame->line <= INT32_MAX ? (int32_t)frame->line : 0};
        indent(tree, depth);
        frame_line(&line, &format, false, tree->text);
    }
}

static void context(struct tree *tree, const struct model_task *task, size_t depth)
{
    struct text value = {0};
    for (size_t i = 0; i < task->variable_count; i++) {
        const struct model_variable *variable =
            &tree->model->variables.items[task->first_variable + i];
        text_clear(&value);
        escape_terminal(&value, variable->value, ESCAPE_ONE_LINE);
        indent(tree, depth);
        text_append(tree->text, "  ");
        style_begin(tree->text, tree->format->color, STYLE_NAME);
        escape_terminal(tree->text, variable->name, ESCAPE_ONE_LINE);
        style_end(tree->text, tree->format->color);
        text_append(tree->text, " = ");
        append_fitted(tree->text, text_string(&value),
                      tree->format->verbose ? SIZE_MAX : VALUE_COLUMNS, false);
        text_append_char(tree->text, '\n');
        tree->text->failed |= value.failed;
    }
    text_deinit(&value);
}

/* Those after `task` that are the same but for their names and contexts: of all that
 * nobody awaits, or of those that `waiter` awaits, from its edge `edge` on. */
static void alike(struct tree *tree, size_t task, size_t depth, const struct model_task *waiter,
                  size_t edge)
{
    const struct tasks_model *model = tree->model;
    const struct model_task *first = &model->tasks.items[task];
    struct text words = {0};
    size_t end = waiter ? waiter->edge_count : model->tasks.count, count = 0, last = 0;
    bool may_be = !tree->format->verbose && (waiter ? first->awaiting == 1 : !first->awaiting);
    for (size_t i = waiter ? edge + 1 : task + 1; may_be && i < end; i++) {
        size_t other = waiter ? model->edges.items[waiter->first_edge + i].to : i;
        if (tree->told[other] || !is_alike(model, first, &model->tasks.items[other]))
            continue;
        tree->told[other] = TOLD_AS_ALIKE;
        last = other;
        count++;
    }
    if (count) {
        text_printf(&words, "  [and %zu more like it, ", count);
        model_task_name(&model->tasks.items[last], &words);
        text_append(&words, count == 1 ? "]" : " the last]");
        faint(tree, depth, text_string(&words));
    }
    text_deinit(&words);
}

/* One task, as edge `edge` of `waiter` leads to it (NULL: none), and those that it
 * awaits; bounded in depth. */
static void branch(struct tree *tree, size_t at, size_t depth, const struct model_task *waiter,
                   size_t edge)
{
    const struct tasks_model *model = tree->model;
    const struct model_task *task = &model->tasks.items[at];
    const char *via = waiter ? model->edges.items[waiter->first_edge + edge].via : NULL;
    bool told = tree->told[at];
    if (tree->format->limit && tree->shown >= tree->format->limit && !told)
        return;
    title(tree, task, depth, via);
    if (told || depth >= DEPTH_MAX)
        return;
    tree->told[at] = TOLD;
    tree->shown++;
    context(tree, task, depth);
    stack(tree, task, depth);
    if (!task->edge_count)
        alike(tree, at, depth, waiter, edge);
    for (size_t i = 0; i < task->edge_count; i++) {
        size_t to = model->edges.items[task->first_edge + i].to;
        if (!tree->told[to] || (tree->told[to] == TOLD && i < REPEATED_SHOWN))
            branch(tree, to, depth + 1, task, i);
    }
}

static void tell_deadlock(void *closure, const size_t *tasks, size_t count)
{
    struct tree *tree = closure;
    struct text words = {0};
    deadlock_words(tree->model, tasks, count, &words);
    style_printf(tree->text, tree->format->color, STYLE_ALARM, "Deadlock: ");
    escape_terminal(tree->text, text_string(&words), ESCAPE_ONE_LINE);
    text_append_char(tree->text, '\n');
    tree->text->failed |= words.failed;
    text_deinit(&words);
}

static bool is_over(const struct model_task *task)
{
    return same(task->state, "done") || same(task->state, "cancelled");
}

static int rank(const struct model_task *task)
{
    if (same(task->state, "running"))
        return 0;
    if (task->is_deadlocked)
        return 1;
    return is_over(task) ? 3 : 2;
}

/* Those that nobody awaits, by importance; then what is left, which waits in circles. */
static void forest(struct tree *tree)
{
    const struct tasks_model *model = tree->model;
    for (int wanted = 0; wanted <= 3; wanted++)
        for (size_t i = 0; i < model->tasks.count; i++) {
            const struct model_task *task = &model->tasks.items[i];
            if (!tree->told[i] && rank(task) == wanted && (!task->awaiting || task->is_deadlocked))
                branch(tree, i, 0, NULL, 0);
        }
    for (size_t i = 0; i < model->tasks.count; i++)
        if (!tree->told[i])
            branch(tree, i, 0, NULL, 0);
}

void tasks_render_text(const struct tasks_model *model, const struct tasks_format *format,
                       struct text *text)
{
    struct tree tree = {.model = model,
                        .format = format,
                        .text = text,
                        .told = calloc(model->tasks.count + 1, sizeof *tree.told)};
    struct text words = {0};
    size_t left = 0;
    if (!tree.told) {
        text->failed = true;
        return;
    }
    tasks_model_summary(model, &words);
    style_printf(text, format->color, STYLE_HEADING, "%s", text_string(&words));
    text_append_char(text, '\n');
    text->failed |= !tasks_model_deadlocks(model, tell_deadlock, &tree);
    if (model->tasks.count)
        text_append_char(text, '\n');
    forest(&tree);
    for (size_t i = 0; i < model->tasks.count; i++)
        left += !tree.told[i];
    if (left) {
        text_clear(&words);
        text_printf(&words, "[%zu more tasks: --limit 0 shows them]", left);
        text_append_char(text, '\n');
        faint(&tree, 0, text_string(&words));
    }
    text->failed |= words.failed;
    text_deinit(&words);
    free(tree.told);
}
