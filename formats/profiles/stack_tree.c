/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/profiles/stack_tree.h"

#include <stdlib.h>

#include "inquest/base/cleanup.h"

#define CUT (PROFILE_NO_ID - 1) /* the frame that stands for those left out; no id is so high */

void stack_tree_init(struct stack_tree *tree)
{
    *tree = (struct stack_tree){0};
    id_map_init(&tree->children);
}

void stack_tree_deinit(struct stack_tree *tree)
{
    array_deinit(&tree->nodes);
    id_map_deinit(&tree->children);
}

static enum status add_node(struct stack_tree *tree, struct stack_node node, uint32_t *ret_node)
{
    if (tree->nodes.count >= CUT)
        return STATUS_OVER_LIMIT;
    if (!array_push(&tree->nodes, node))
        return STATUS_NO_MEMORY;
    *ret_node = (uint32_t)tree->nodes.count - 1;
    return STATUS_OK;
}

enum status stack_tree_root(struct stack_tree *tree, uint32_t track, uint32_t *ret_node)
{
    return add_node(tree, (struct stack_node){.parent = PROFILE_NO_ID, .frame = track}, ret_node);
}

enum status stack_tree_child(struct stack_tree *tree, uint32_t node, uint32_t frame,
                             uint32_t *ret_child)
{
    uint32_t depth = tree->nodes.items[node].depth + 1, child;
    if (depth > STACK_DEPTH_LIMIT) {
        *ret_child = node;
        return STATUS_OK;
    }
    if (depth == STACK_DEPTH_LIMIT)
        frame = CUT;
    uint64_t key = (uint64_t)node << 32 | frame;
    child = id_map_find(&tree->children, key);
    if (child == PROFILE_NO_ID) {
        struct stack_node made = {.parent = node, .frame = frame, .depth = depth};
        enum status status = add_node(tree, made, &child);
        if (status != STATUS_OK)
            return status;
        if (!id_map_put(&tree->children, key, child))
            return STATUS_NO_MEMORY;
    }
    *ret_child = child;
    return STATUS_OK;
}

/* Writes the node's frames to path, outermost first; *ret_track is its root's. */
static enum status read_path(const struct stack_tree *tree, const struct stack_node *node,
                             const struct frame_map *map, struct recorder *recorder, uint32_t *path,
                             uint32_t *ret_track)
{
    while (node->depth) {
        uint32_t *slot = &path[node->depth - 1];
        if (node->frame == CUT) {
            enum status status = recorder_left_out(recorder, slot);
            if (status != STATUS_OK)
                return status;
        } else {
            *slot = frame_map_get(map, node->frame);
        }
        node = &tree->nodes.items[node->parent];
    }
    *ret_track = node->frame;
    return STATUS_OK;
}

enum status stack_tree_record(const struct stack_tree *tree, const struct frame_map *map,
                              struct recorder *recorder, struct error *err)
{
    CLEANUP_FREE uint32_t *path = malloc(STACK_DEPTH_LIMIT * sizeof *path);
    if (!path)
        return recorder_failed(err, STATUS_NO_MEMORY);
    uint64_t steps = 0;
    for (size_t i = 0; i < tree->nodes.count; i++) {
        const struct stack_node *node = &tree->nodes.items[i];
        uint32_t track;
        if (!node->count)
            continue;
        steps += node->depth;
        if (steps > recorder->frame_limit)
            return recorder_too_large(recorder, err);
        enum status status = read_path(tree, node, map, recorder, path, &track);
        if (status != STATUS_OK)
            return recorder_failed(err, status);
        status = recorder_add(recorder, track, path, node->depth, node->weight, node->count, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
