/* SPDX-License-Identifier: Apache-2.0 */
/* Groups threads with equal stacks, and folds recursion within a stack. */
#include <string.h>

#include "reports/commands/stacks_model.h"

#define MAX_CYCLE   10 /* frames of one turn of a recursion */
#define MIN_REPEATS 4  /* turns: the first and the last stay, the others fold */

static bool same_frame(const struct stack_frame *a, const struct stack_frame *b)
{
    return a->function == b->function && a->file == b->file && a->line == b->line &&
           a->is_native == b->is_native;
}

/* ---- Groups. */
static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_stack(const struct stacks *stacks, const struct stack_thread *a,
                       const struct stack_thread *b)
{
    if (a->frame_count != b->frame_count || a->is_python != b->is_python ||
        a->collecting != b->collecting || !same_text(a->state, b->state) ||
        !same_text(a->stack_note, b->stack_note))
        return false;
    for (size_t i = 0; i < a->frame_count; i++)
        if (!same_frame(&stacks->frames.items[a->first_frame + i],
                        &stacks->frames.items[b->first_frame + i]))
            return false;
    return true;
}

#define HASH_PRIME UINT64_C(0x9E3779B97F4A7C15)

static uint64_t hash_text(uint64_t hash, const char *string)
{
    for (; string && *string; string++)
        hash = (hash ^ (unsigned char)*string) * HASH_PRIME;
    return hash;
}

static uint64_t hash_stack(const struct stacks *stacks, const struct stack_thread *thread)
{
    uint64_t hash = hash_text(hash_text(thread->frame_count, thread->state), thread->stack_note);
    for (size_t i = 0; i < thread->frame_count; i++) {
        const struct stack_frame *frame = &stacks->frames.items[thread->first_frame + i];
        hash = (hash ^ (uint64_t)(uintptr_t)frame->function) * HASH_PRIME;
        hash = (hash ^ (uint64_t)(uintptr_t)frame->file) * HASH_PRIME;
        hash = (hash ^ (uint64_t)frame->line) * HASH_PRIME;
    }
    return hash ^ hash >> 31;
}

/* The group that each thread goes to: open addressing over the stacks' hashes.
 * `slots` hold a group's number plus one. */
static size_t find_group(const struct stacks *stacks, size_t *slots, size_t mask,
                         const size_t *first_of, size_t thread)
{
    const struct stack_thread *wanted = &stacks->threads.items[thread];
    size_t slot = (size_t)hash_stack(stacks, wanted) & mask;
    for (; slots[slot]; slot = (slot + 1) & mask)
        if (same_stack(stacks, wanted, &stacks->threads.items[first_of[slots[slot] - 1]]))
            break;
    return slot;
}

/* Fills group_of, and counts each group's members. */
static bool assign_groups(struct stacks *stacks, size_t *group_of)
{
    size_t mask = 15;
    while (mask < stacks->threads.count * 2)
        mask = mask * 2 + 1;
    size_t *slots = calloc(mask + 1, sizeof *slots);
    size_t *first_of = calloc(stacks->threads.count, sizeof *first_of);
    bool ok = slots && first_of;
    for (size_t i = 0; ok && i < stacks->threads.count; i++) {
        bool alone = stack_thread_matters(&stacks->threads.items[i]);
        size_t slot = alone ? 0 : find_group(stacks, slots, mask, first_of, i);
        if (!alone && slots[slot]) {
            group_of[i] = slots[slot] - 1;
        } else {
            group_of[i] = stacks->groups.count;
            first_of[stacks->groups.count] = i;
            if (!alone)
                slots[slot] = stacks->groups.count + 1;
            ok = array_push(&stacks->groups, (struct stack_group){0});
        }
        if (ok)
            stacks->groups.items[group_of[i]].member_count++;
    }
    free(slots);
    free(first_of);
    return ok;
}

/* "worker-9" before "worker-10", threads without a name last. */
static int compare_members(const void *a, const void *b, void *context)
{
    const struct stack_thread *threads = context;
    const struct stack_thread *left = &threads[*(const size_t *)a];
    const struct stack_thread *right = &threads[*(const size_t *)b];
    int order = !left->name - !right->name;
    if (!order && left->name)
        order = strverscmp(left->name, right->name);
    return order ? order : left->id < right->id ? -1 : left->id > right->id;
}

static void sort_members(struct stacks *stacks)
{
    for (size_t i = 0; i < stacks->groups.count; i++) {
        const struct stack_group *group = &stacks->groups.items[i];
        qsort_r(stacks->members.items + group->first_member, group->member_count,
                sizeof *stacks->members.items, compare_members, stacks->threads.items);
    }
}

bool stacks_group(struct stacks *stacks)
{
    size_t count = stacks->threads.count, next = 0;
    size_t *group_of = calloc(count ? count : 1, sizeof *group_of);
    bool ok = group_of && (!count || assign_groups(stacks, group_of)) &&
              array_reserve(&stacks->members, count);
    if (ok) {
        stacks->members.count = count;
        for (size_t i = 0; i < stacks->groups.count; i++) {
            stacks->groups.items[i].first_member = next;
            next += stacks->groups.items[i].member_count;
            stacks->groups.items[i].member_count = 0;
        }
        for (size_t i = 0; i < count; i++) {
            struct stack_group *group = &stacks->groups.items[group_of[i]];
            stacks->members.items[group->first_member + group->member_count++] = i;
        }
        sort_members(stacks);
    }
    free(group_of);
    return ok;
}

/* ---- Recursion. Works from the outermost frame in: position 0 is the outermost. */
struct stack_view {
    const struct stack_frame *innermost;
    size_t count;
};

static const struct stack_frame *view_at(const struct stack_view *view, size_t position)
{
    return &view->innermost[view->count - 1 - position];
}

/* How many whole turns of `cycle` frames follow each other from `position` on. */
static size_t count_repeats(const struct stack_view *view, size_t position, size_t cycle)
{
    size_t equal = 0;
    while (position + equal + cycle < view->count &&
           same_frame(view_at(view, position + equal), view_at(view, position + equal + cycle)))
        equal++;
    return equal / cycle + 1;
}

/* The cycle that hides most frames; the shortest of equals. 0: none worth it. */
static size_t find_cycle(const struct stack_view *view, size_t position, size_t *ret_repeats)
{
    size_t best = 0, best_frames = 0;
    for (size_t cycle = 1; cycle <= MAX_CYCLE; cycle++) {
        size_t repeats = count_repeats(view, position, cycle);
        if (repeats < MIN_REPEATS || repeats * cycle <= best_frames + cycle)
            continue;
        best = cycle;
        best_frames = repeats * cycle;
        *ret_repeats = repeats;
    }
    return best;
}

static bool push_frames(struct stacks *stacks, const struct stack_view *view, size_t position,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t frame = (size_t)(view_at(view, position + i) - stacks->frames.items);
        struct stack_item item = {.kind = STACK_FRAME, .frame = frame};
        if (!array_push(&stacks->items, item))
            return false;
    }
    return true;
}

static bool collapse_thread(struct stacks *stacks, const struct stack_thread *thread)
{
    struct stack_view view = {.count = thread->frame_count};
    size_t position = 0, repeats = 0;
    if (!view.count)
        return true;
    view.innermost = stacks->frames.items + thread->first_frame;
    while (position < view.count) {
        size_t cycle = find_cycle(&view, position, &repeats);
        if (!cycle) {
            if (!push_frames(stacks, &view, position++, 1))
                return false;
            continue;
        }
        struct stack_item gap = {
            .kind = STACK_REPEATED, .cycle = (uint32_t)cycle, .times = repeats - 2};
        size_t last = position + (repeats - 1) * cycle;
        if (!push_frames(stacks, &view, position, cycle) || !array_push(&stacks->items, gap) ||
            !push_frames(stacks, &view, last, cycle))
            return false;
        position = last + cycle;
    }
    return true;
}

/* Takes the middle out of a stack that is still too long to be read. */
static void omit_middle(struct stacks *stacks, size_t first, size_t outer, size_t inner)
{
    size_t count = stacks->items.count - first;
    if (!(outer + inner) || count <= outer + inner + 1)
        return;
    struct stack_item *items = stacks->items.items + first;
    struct stack_item gap = {.kind = STACK_OMITTED};
    for (size_t i = outer; i < count - inner; i++)
        gap.times += items[i].kind == STACK_FRAME ? 1 : items[i].times * items[i].cycle;
    items[outer] = gap;
    memmove(items + outer + 1, items + count - inner, inner * sizeof *items);
    stacks->items.count = first + outer + 1 + inner;
}

bool stacks_collapse(struct stacks *stacks, const struct stacks_options *options)
{
    for (size_t i = 0; i < stacks->groups.count; i++) {
        struct stack_group *group = &stacks->groups.items[i];
        size_t thread = stacks->members.items[group->first_member];
        group->first_item = stacks->items.count;
        if (!collapse_thread(stacks, &stacks->threads.items[thread]))
            return false;
        omit_middle(stacks, group->first_item, options->outer_frames, options->inner_frames);
        group->item_count = stacks->items.count - group->first_item;
        for (size_t j = 0; j < group->item_count; j++) {
            const struct stack_item *item = &stacks->items.items[group->first_item + j];
            if (item->kind == STACK_FRAME)
                stacks->frames.items[item->frame].is_shown = true;
        }
    }
    return true;
}
