/* SPDX-License-Identifier: Apache-2.0 */
/* The tables `object` and `ref`: the virtual ones give the rows that ordinary ones
 * give, whatever the query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/index/index_private.h"
#include "tests/analyzer/virtual_fixture.h"

/* ---- The same rows as ordinary tables. */

static void compare(const struct random_heap *heap, unsigned one, unsigned two)
{
    struct index *packed = virtual_index(heap, NULL, false),
                 *plain = virtual_index(heap, NULL, true);
    struct text got, wanted;
    text_init(&got);
    text_init(&wanted);
    for (size_t i = 0; i < virtual_shape_count; i++) {
        const char *sql = virtual_shape(i, one, two);
        struct error err = {0};
        if (virtual_run(plain, sql, &wanted, &err) != STATUS_OK ||
            virtual_run(packed, sql, &got, &err))
            fail_msg("%s: %s", sql, err.message);
        if (strcmp(text_string(&got), text_string(&wanted)) != 0)
            fail_msg("%s:\n%.2000s\n-- instead of --\n%.2000s", sql, text_string(&got),
                     text_string(&wanted));
    }
    text_deinit(&got);
    text_deinit(&wanted);
    index_close(packed);
    index_close(plain);
}

static void test_same_rows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct random_heap heap;
        uint32_t objects = (uint32_t)(seed * seed * 37 + 20);
        random_heap_make(&heap, seed, objects, seed % 2 ? RANDOM_HEAP_HIGH : RANDOM_HEAP_PLAIN);
        compare(&heap, objects / 3, objects / 3 + 40);
        random_heap_deinit(&heap);
    }
}

static void test_same_rows_long(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 7, 700, RANDOM_HEAP_LONG_ROWS);
    compare(&heap, 4, 700);
    random_heap_deinit(&heap);
}

static void test_empty_heap(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 1, 0, RANDOM_HEAP_PLAIN);
    heap.labels.count = 0;
    compare(&heap, 1, 2);
    random_heap_deinit(&heap);
}

static void test_one_object(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 2, 1, RANDOM_HEAP_PLAIN);
    compare(&heap, 1, 2);
    random_heap_deinit(&heap);
}

/* ---- Plans: what is walked by which constraint, and what is not sorted. */

struct plan {
    const char *sql, *wanted, *unwanted;
};

static const struct plan plans[] = {
    {"SELECT * FROM object WHERE id = 5", "INDEX 0:i=", NULL},
    {"SELECT * FROM object WHERE rowid = 5", "INDEX 0:i=", NULL},
    {"SELECT * FROM object WHERE id > 5 AND id <= 9", "INDEX 0:i>il", NULL},
    {"SELECT * FROM object WHERE address = 5", "INDEX 0:a=", NULL},
    {"SELECT * FROM object WHERE address >= 5 AND address < 90", "INDEX 0:aga<", NULL},
    {"SELECT * FROM object WHERE type_id = 5", "INDEX 0:t=", NULL},
    {"SELECT * FROM object WHERE type_id IN (5, 6, 7)", "INDEX 0:|", "t="},
    {"SELECT * FROM object ORDER BY id", "INDEX 0:", "B-TREE"},
    {"SELECT * FROM object ORDER BY id DESC LIMIT 1", "INDEX 1:", "B-TREE"},
    {"SELECT * FROM object WHERE id IN (5, 3)", "INDEX 0:i=", NULL},
    {"SELECT * FROM object ORDER BY address", "TEMP B-TREE", NULL},
    {"SELECT * FROM ref WHERE source_id = 5", "INDEX 0:s=", NULL},
    {"SELECT * FROM ref WHERE target_id = 5", "INDEX 1:t=", NULL},
    {"SELECT * FROM ref WHERE target_id IN (5, 6)", "INDEX 1:t=", NULL},
    {"SELECT * FROM ref WHERE source_id = 5 AND target_id = 6", "INDEX 2:s=t=", NULL},
    {"SELECT * FROM ref WHERE source_id > 5 ORDER BY source_id", "INDEX 0:s>", "B-TREE"},
    {"SELECT * FROM ref ORDER BY rowid", "INDEX 0:", "B-TREE"},
    {"SELECT * FROM ref ORDER BY source_id, rowid", "INDEX 0:", "B-TREE"},
    {"SELECT * FROM ref WHERE source_id = 5 ORDER BY rowid", "INDEX 0:s=", "B-TREE"},
    {"SELECT * FROM ref ORDER BY source_id DESC", "B-TREE", NULL},
    {"SELECT * FROM ref WHERE target_id = 5 ORDER BY source_id", "INDEX 1:t=", "B-TREE"},
    {"SELECT target_id, count(*) FROM ref GROUP BY target_id", "INDEX 1:", "B-TREE"},
    {"SELECT source_id, count(*) FROM ref GROUP BY source_id", "INDEX 0:", "B-TREE"},
    /* few objects first, then their referrers; never all references for each */
    {"SELECT * FROM ref r JOIN object o ON o.id = r.target_id WHERE o.type_id = 3",
     "SCAN o VIRTUAL TABLE INDEX 0:t=|SCAN r VIRTUAL TABLE INDEX 1:t=|", NULL},
    {"SELECT * FROM object o JOIN ref r ON r.source_id = o.id JOIN object t ON t.id = r.target_id"
     " WHERE o.id = 5",
     "SCAN o VIRTUAL TABLE INDEX 0:i=|SCAN r VIRTUAL TABLE INDEX 0:s=|"
     "SCAN t VIRTUAL TABLE INDEX 0:i=|",
     NULL},
    {"SELECT * FROM ref r JOIN object o ON o.id = r.target_id", "=|", NULL},
    {"SELECT * FROM meta m JOIN object o ON o.id = m.value", "SCAN o VIRTUAL TABLE INDEX 0:i=|",
     NULL},
};

static void test_plans(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 12, 5000, RANDOM_HEAP_PLAIN);
    struct index *index = virtual_index(&heap, NULL, false);
    sqlite3_set_authorizer(index->db, NULL, NULL); /* EXPLAIN is not for users */
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        char sql[512], details[2048] = "";
        sqlite3_stmt *rows;
        snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", plans[i].sql);
        assert_int_equal(sqlite3_prepare_v2(index->db, sql, -1, &rows, NULL), SQLITE_OK);
        while (sqlite3_step(rows) == SQLITE_ROW) {
            strcat(details, (const char *)sqlite3_column_text(rows, 3));
            strcat(details, "|");
        }
        sqlite3_finalize(rows);
        if (!strstr(details, plans[i].wanted) ||
            (plans[i].unwanted && strstr(details, plans[i].unwanted)))
            fail_msg("%s: %s", plans[i].sql, details);
    }
    index_close(index);
    random_heap_deinit(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_rows),  cmocka_unit_test(test_same_rows_long),
        cmocka_unit_test(test_empty_heap), cmocka_unit_test(test_one_object),
        cmocka_unit_test(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
