/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for himself, through others; and who only looks so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/runtime/wait_cycles.h"

#define NODES 8

/* Edges as "01 12 20", those that can go on as "3", those that await any as "4". */
static const char *cycles_of(const char *edges, const char *can_go_on, const char *awaits_any)
{
    static char result[NODES + 1];
    struct wait_edge list[32];
    bool go[NODES] = {false}, any[NODES] = {false}, in_cycle[NODES];
    size_t count = 0, size = 0;
    for (const char *at = edges; *at; at += at[2] ? 3 : 2)
        list[count++] = (struct wait_edge){(uint32_t)(at[0] - '0'), (uint32_t)(at[1] - '0')};
    for (; *can_go_on; can_go_on++)
        go[*can_go_on - '0'] = true;
    for (; *awaits_any; awaits_any++)
        any[*awaits_any - '0'] = true;
    struct wait_graph graph = {list, count, NODES, go, any};
    assert_int_equal(wait_cycles_find(&graph, in_cycle), STATUS_OK);
    for (int i = 0; i < NODES; i++)
        if (in_cycle[i])
            result[size++] = (char)('0' + i);
    result[size] = '\0';
    return result;
}

static void circles(void **state)
{
    (void)state;
    assert_string_equal(cycles_of("", "", ""), "");
    assert_string_equal(cycles_of("01 12", "", ""), "");
    assert_string_equal(cycles_of("01 10", "", ""), "01");
    assert_string_equal(cycles_of("00", "", ""), "0");
    /* 3 waits for the circle and is not in it; 4 and 5 are another */
    assert_string_equal(cycles_of("01 12 20 31 45 54", "", ""), "01245");
    /* the bridge between two circles is in none */
    assert_string_equal(cycles_of("01 10 21 32 34 43", "", ""), "0134");
}

static void ways_out(void **state)
{
    (void)state;
    assert_string_equal(cycles_of("01 10", "1", ""), "");
    /* 2 waits for both: that 3 goes on does not help it */
    assert_string_equal(cycles_of("02 20 23", "3", ""), "02");
    /* it would, if one were enough */
    assert_string_equal(cycles_of("02 20 23", "3", "2"), "");
    assert_string_equal(cycles_of("02 20 23 30", "", "2"), "023");
}

static void large_graphs(void **state)
{
    (void)state;
    uint32_t count = 200000;
    struct wait_edge *edges = malloc(count * sizeof *edges);
    bool *flags = calloc(count, sizeof *flags), *in_cycle = malloc(count * sizeof *in_cycle);
    size_t found = 0;
    for (uint32_t i = 0; i < count; i++)
        edges[i] = (struct wait_edge){i, i + 1 < count ? i + 1 : count / 2};
    struct wait_graph graph = {edges, count, count, flags, flags};
    assert_int_equal(wait_cycles_find(&graph, in_cycle), STATUS_OK);
    for (uint32_t i = 0; i < count; i++)
        found += in_cycle[i];
    assert_int_equal(found, count / 2);
    free(edges);
    free(flags);
    free(in_cycle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(circles),
        cmocka_unit_test(ways_out),
        cmocka_unit_test(large_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
