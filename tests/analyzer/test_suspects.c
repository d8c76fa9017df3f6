/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/suspect_rules.h"
#include "tests/analyzer/suspects_fixture.h"
#include "tests/helpers/random_heap.h"

#define KIB 1024u

static struct made_heap made;
static struct suspects suspects;

struct names {
    uint32_t dict, list, str, object, session, type, module;
};

static struct names begin(void)
{
    made_heap_begin(&made);
    return (struct names){
        .dict = made_type(&made, "dict", KIND_DICT),
        .list = made_type(&made, "list", KIND_LIST),
        .str = made_type(&made, "str", KIND_STR),
        .object = made_type(&made, "shop.models.State", KIND_UNKNOWN),
        .session = made_type(&made, "shop.models.Session", KIND_UNKNOWN),
        .type = made_type(&made, "type", KIND_TYPE),
        .module = made_type(&made, "module", KIND_MODULE),
    };
}

static void find(void)
{
    struct error err = {0};
    made_heap_end(&made);
    if (suspects_find(&made.findings, &suspects, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static void end(void)
{
    suspects_deinit(&suspects);
    made_heap_free(&made);
}

static size_t alarms(void)
{
    size_t count = 0;
    while (count < suspects.items.count && suspects.items.items[count].is_alarm)
        count++;
    return count;
}

static void assert_says(const char *sentence, const char *words)
{
    if (!strstr(sentence, words))
        fail_msg("no '%s' in '%s'", words, sentence);
}

static const struct suspect_part *part_of(const struct suspect *suspect, const char *kind,
                                          const char *title)
{
    for (size_t i = 0; i < suspect->parts.count; i++)
        if (strcmp(suspect->parts.items[i].kind, kind) == 0 &&
            strcmp(suspect->parts.items[i].title, title) == 0)
            return &suspect->parts.items[i];
    fail_msg("no %s '%s'", kind, title);
    return NULL;
}

/* The namespace of a module, as a root. */
static uint32_t module_dict(const struct names *names, const char *name)
{
    uint32_t dict = made_object(&made, names->dict, 200);
    made_root(&made, dict, ROOT_MODULE, name);
    return dict;
}

static uint32_t add_session(const struct names *names, uint32_t holder, const char *label)
{
    uint32_t session = made_held(&made, holder, label, names->session, 48);
    uint32_t dict = made_held(&made, session, ".__dict__", names->dict, 100);
    uint32_t basket = made_held(&made, dict, "['basket']", names->list, 56);
    made_held(&made, basket, "[0]", names->str, 9 * KIB);
    made_held(&made, dict, "['user']", names->str, 1 * KIB);
    return session;
}

/* SESSIONS with `count` of them, among noise. */
static uint32_t make_shop(const struct names *names, unsigned count, unsigned noise)
{
    uint32_t module = module_dict(names, "shop.cache"), other = module_dict(names, "shop.web");
    for (unsigned i = 0; i < noise; i++)
        made_held(&made, other, "['page']", names->str, 100);
    uint32_t sessions = made_held(&made, module, "['SESSIONS']", names->dict, 4 * KIB);
    for (unsigned i = 0; i < count; i++)
        add_session(names, sessions, "['u']");
    return sessions;
}

/* ---- Single suspects. */

static void names_the_dict_and_what_is_in_it(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t sessions = make_shop(&names, 100, 50);
    find();
    const struct suspect *suspect = &suspects.items.items[0];
    assert_int_equal(alarms(), 1);
    assert_int_equal(suspect->kind, SUSPECT_SINGLE);
    assert_int_equal(suspect->object, sessions);
    assert_int_equal(suspect->accumulation, sessions);
    assert_int_equal(suspect->retained, made_retained(&made, &sessions, 1));
    assert_string_equal(suspect->title, "shop.cache.SESSIONS");
    assert_string_equal(suspect->path, "shop.cache.SESSIONS");
    assert_string_equal(suspect->holder, "module-level dict");
    assert_says(suspect->why, "keeps 1023.9 KiB alive");
    assert_says(suspect->why, "100 `shop.models.Session`, of which 89 % is `.basket`");
    assert_int_equal(part_of(suspect, "field", ".basket")->bytes, 100 * (56 + 9 * KIB));
    assert_int_equal(part_of(suspect, "field", ".user")->instances, 100);
    assert_int_equal(part_of(suspect, "type", "str")->bytes, 100 * 10 * KIB);
    assert_int_equal(part_of(suspect, "type", "shop.models.Session")->instances, 100);
    end();
}

/* A word of C memory leads there too, and is nearer; an entirely named way says more. */
static void name_is_told_before_c_memory(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t sessions = make_shop(&names, 0, 10), module = module_dict(&names, "shop.state");
    uint32_t current = made_held(&made, module, "['CURRENT']", names.object, 48);
    uint32_t pages = made_held(&made, current, ".pages", names.list, 64 * KIB);
    for (unsigned i = 0; i < 2000; i++)
        made_held(&made, pages, "[0]", names.str, 1 * KIB);
    made_root(&made, pages, ROOT_STATIC, "libshop.so");
    made_root(&made, sessions, ROOT_STATIC, "libshop.so");
    find();
    assert_int_equal(alarms(), 1);
    assert_int_equal(suspects.items.items[0].object, pages);
    assert_says(suspects.items.items[0].path, "CURRENT");
    end();
}

static void fingerprint_stays(void **state)
{
    (void)state;
    char first[17];
    for (unsigned round = 0; round < 2; round++) {
        struct names names = begin();
        make_shop(&names, 100 + 50 * round, 50 - 30 * round);
        find();
        if (round)
            assert_string_equal(suspects.items.items[0].fingerprint, first);
        else
            memcpy(first, suspects.items.items[0].fingerprint, sizeof first);
        assert_int_equal(strlen(first), 16);
        end();
    }
    struct names names = begin();
    uint32_t module = module_dict(&names, "shop.cache");
    uint32_t others = made_held(&made, module, "['OTHERS']", names.dict, 4 * KIB);
    for (unsigned i = 0; i < 100; i++)
        add_session(&names, others, "['u']");
    find();
    assert_string_not_equal(suspects.items.items[0].fingerprint, first);
    end();
}

/* The way goes past an instance and its __dict__ to where the memory falls apart. */
static void goes_down_to_where_it_gathers(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t module = module_dict(&names, "shop.state");
    uint32_t holder = made_held(&made, module, "['STATE']", names.object, 48);
    uint32_t dict = made_held(&made, holder, ".__dict__", names.dict, 100);
    made_held(&made, dict, "['name']", names.str, 100);
    uint32_t pending = made_held(&made, dict, "['pending']", names.list, 8 * KIB);
    for (unsigned i = 0; i < 100; i++)
        add_session(&names, pending, "[0]");
    find();
    assert_int_equal(alarms(), 1);
    assert_int_equal(suspects.items.items[0].object, pending);
    assert_string_equal(suspects.items.items[0].title, "shop.state.STATE.pending");
    assert_string_equal(suspects.items.items[0].holder, "attribute of shop.models.State");
    end();
}

static void two_leaks_of_one_object_are_two(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t module = module_dict(&names, "shop.state"), lists[2];
    uint32_t holder = made_held(&made, module, "['STATE']", names.object, 48);
    for (unsigned i = 0; i < 2; i++) {
        lists[i] = made_held(&made, holder, i ? ".sent" : ".pending", names.list, 8 * KIB);
        for (unsigned j = 0; j < 60; j++)
            add_session(&names, lists[i], "[0]");
    }
    made_held(&made, lists[0], "[0]", names.str, 1);
    find();
    assert_int_equal(alarms(), 2);
    assert_int_equal(suspects.items.items[0].object, lists[0]);
    assert_int_equal(suspects.items.items[1].object, lists[1]);
    for (size_t i = alarms(); i < suspects.items.count; i++)
        assert_int_not_equal(suspects.items.items[i].object, module);
    end();
}

static void chain_is_told_at_its_first(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t module = module_dict(&names, "shop.cache");
    uint32_t node = made_held(&made, module, "['HEAD']", names.session, 1 * KIB), head = node;
    for (unsigned i = 0; i < 500; i++)
        node = made_held(&made, node, ".next", names.session, 1 * KIB);
    find();
    assert_int_equal(alarms(), 1);
    assert_int_equal(suspects.items.items[0].object, head);
    assert_says(suspects.items.items[0].why, "a chain or tree of 501 `shop.models.Session`");
    uint64_t of_fields = 0;
    for (size_t i = 0; i < suspects.items.items[0].parts.count; i++) {
        const struct suspect_part *part = &suspects.items.items[0].parts.items[i];
        of_fields += strcmp(part->kind, "field") == 0 ? part->bytes : 0;
    }
    assert_true(of_fields <= suspects.items.items[0].retained); /* what a node holds is its own */
    end();
}

/* Of 600 KiB: a structure of many small different things, code, classes. */
static void program_itself_is_no_suspect(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t code = made_type(&made, "code", KIND_CODE);
    uint32_t function = made_type(&made, "function", KIND_FUNCTION);
    uint32_t module = module_dict(&names, "shop.web");
    uint32_t app = made_held(&made, module, "['app']", names.object, 48);
    for (unsigned i = 0; i < 20; i++)
        made_held(&made, app, ".part", names.str, 10 * KIB);
    uint32_t class = made_held(&made, module, "['View']", names.type, 1 * KIB);
    made_root(&made, class, ROOT_TYPE, "shop.web.View");
    uint32_t class_dict = made_held(&made, class, ".__dict__", names.dict, 1 * KIB);
    for (unsigned i = 0; i < 100; i++)
        made_held(&made, made_held(&made, class_dict, "['f']", function, 100), ".__code__", code,
                  4 * KIB);
    find();
    for (size_t i = 0; i < alarms(); i++)
        fail_msg("%s", suspects.items.items[i].why);
    end();
}

static void class_attribute_is_named(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t class = made_object(&made, names.type, 1 * KIB);
    made_root(&made, class, ROOT_TYPE, "shop.models.Order");
    uint32_t dict = made_held(&made, class, ".__dict__", names.dict, 1 * KIB);
    uint32_t list = made_held(&made, dict, "['instances']", names.list, 1 * KIB);
    for (unsigned i = 0; i < 100; i++)
        add_session(&names, list, "[0]");
    find();
    assert_int_equal(alarms(), 1);
    assert_string_equal(suspects.items.items[0].path, "shop.models.Order.instances");
    assert_string_equal(suspects.items.items[0].holder, "class attribute");
    end();
}

/* ---- Groups. */

static void group_has_no_single_holder(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t module = module_dict(&names, "shop.cache");
    uint32_t by_id = made_held(&made, module, "['BY_ID']", names.dict, 4 * KIB);
    uint32_t by_name = made_held(&made, module, "['BY_NAME']", names.dict, 4 * KIB);
    uint32_t members[60], shared = made_object(&made, names.str, 300 * KIB);
    for (unsigned i = 0; i < 60; i++) {
        members[i] = add_session(&names, by_id, "['i']");
        made_refer(&made, by_name, "['n']", members[i]);
        made_refer(&made, members[i], ".shared", shared);
    }
    find();
    const struct suspect *group = &suspects.items.items[0];
    assert_int_equal(group->kind, SUSPECT_GROUP);
    assert_int_equal(group->type, names.session);
    assert_int_equal(group->instances, 60);
    /* with what they hold together, which no one of them dominates */
    assert_int_equal(group->retained, made_retained(&made, members, 60));
    assert_true(group->retained > 900 * KIB);
    assert_int_equal(part_of(group, "holder", "shop.cache.BY_ID")->instances, 60);
    assert_int_equal(part_of(group, "holder", "shop.cache.BY_NAME")->object, by_name);
    assert_says(group->why, "`shop.cache.BY_ID` refers to 60 of them, `shop.cache.BY_NAME` to 60");
    uint64_t bits[MADE_OBJECTS / 64 + 1], bytes = 0;
    assert_int_equal(suspect_mark(&suspects, group, bits), STATUS_OK);
    for (uint32_t i = 0; i < made.heap.count; i++)
        bytes += graph_bit(bits, i) ? heap_size(&made.heap, i) : 0;
    assert_int_equal(bytes, group->retained);
    end();
}

static void part_of_a_group_is_not_told_again(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t module = module_dict(&names, "shop.tenants");
    uint32_t tenant = made_type(&made, "shop.tenants.Tenant", KIND_UNKNOWN);
    for (unsigned i = 0; i < 20; i++) {
        uint32_t one = made_held(&made, module, "['T']", tenant, 48);
        uint32_t list = made_held(&made, one, ".sessions", names.list, 100);
        for (unsigned j = 0; j < 5; j++)
            add_session(&names, list, "[0]");
    }
    find();
    assert_int_equal(alarms(), 1);
    assert_int_equal(suspects.items.items[0].type, tenant);
    assert_says(suspects.items.items[0].why,
                "20 `shop.tenants.Tenant`, of which 100 % is `.sessions`");
    end();
}

/* ---- Not held, as far as we know. */

static void tells_c_code_and_garbage_apart(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t held[40];
    make_shop(&names, 10, 10);
    for (unsigned i = 0; i < 40; i++) {
        held[i] = made_object(&made, names.object, 10 * KIB);
        made_root(&made, held[i], ROOT_EXTENSION, "refcount 1, 0 found");
        uint32_t node = made_object(&made, names.session, 10 * KIB);
        made_refer(&made, node, ".self", node);
    }
    find();
    assert_int_equal(alarms(), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct suspect *suspect = &suspects.items.items[i];
        assert_int_equal(suspect->instances, 40);
        assert_int_equal(suspect->retained, 400 * KIB);
        if (suspect->kind == SUSPECT_EXTENSION)
            assert_says(suspect->why, "held by C code alone (one has refcount 1, 0 found)");
        else
            assert_says(suspect->why, "not yet collected");
    }
    assert_int_not_equal(suspects.items.items[0].kind, suspects.items.items[1].kind);
    end();
}

/* ---- Rules. */

static void structure_is_told_where_its_parts_are_not(void **state)
{
    (void)state;
    struct suspect_candidate heap[] = {
        {.share = 0.60, .retained = 600 * KIB, .parent = -1, .is_structure = true},
        {.share = 0.30, .retained = 300 * KIB, .parent = 0},
        {.share = 0.25, .retained = 250 * KIB, .parent = 0},
    };
    suspect_rules_apply(heap, 3, 0.1, 64 * KIB);
    assert_false(heap[0].is_alarm);
    assert_true(heap[1].is_alarm && heap[2].is_alarm);
    suspect_rules_apply(heap, 3, 0.4, 64 * KIB);
    assert_true(heap[0].is_alarm);
    assert_false(heap[1].is_alarm || heap[2].is_alarm);
    suspect_rules_apply(heap, 3, 0.1, 280 * KIB);
    assert_true(heap[1].is_alarm);
    assert_false(heap[0].is_alarm || heap[2].is_alarm);
    suspect_rules_apply(heap, 3, 0.7, 64 * KIB);
    assert_false(heap[0].is_alarm || heap[1].is_alarm || heap[2].is_alarm);
}

static void many_parts_are_told_as_one(void **state)
{
    (void)state;
    struct suspect_candidate heap[6] = {
        {.share = 0.9, .retained = 900 * KIB, .parent = -1, .is_structure = true}};
    for (size_t i = 1; i < 6; i++)
        heap[i] = (struct suspect_candidate){.share = 0.18, .retained = 180 * KIB};
    suspect_rules_apply(heap, 6, 0.1, 64 * KIB);
    assert_true(heap[0].is_alarm);
    for (size_t i = 1; i < 6; i++)
        assert_false(heap[i].is_alarm);
    /* a damaged index: parents in a ring, or out of range */
    heap[0].parent = 1;
    heap[1].parent = 77;
    heap[2].parent = 2;
    suspect_rules_apply(heap, 6, 0.1, 64 * KIB);
}

/* What a context variable keeps is the suspect, however many nodes are above it. */
static void variables_in_two_nodes(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t node_type = made_type(&made, "hamt_bitmap_node", KIND_UNKNOWN);
    uint32_t node = made_object(&made, node_type, 48);
    made_root(&made, node, ROOT_THREAD, "<thread 'MainThread'>");
    uint32_t below = made_held(&made, node, ".<node>", node_type, 64);
    uint32_t rows = made_held(&made, below, ".<value>", names.list, 4096);
    for (unsigned i = 0; i < 100; i++)
        made_held(&made, rows, "[…]", names.session, 20 * KIB);
    find();
    assert_int_equal(alarms(), 1);
    assert_true(suspects.items.items[0].object == rows ||
                suspects.items.items[0].accumulation == rows);
    end();
}

/* Ints that lie among the C variables are nothing that a program gathered, however many. */
static void immortal_ints_are_no_content(void **state)
{
    (void)state;
    struct names names = begin();
    uint32_t integer = made_type(&made, "int", KIND_INT), parts[2];
    uint32_t variables = made_object(&made, names.dict, 4096);
    made_root(&made, variables, ROOT_MODULE, "__main__");
    uint32_t kept = made_held(&made, variables, "['kept']", names.dict, 4096);
    for (unsigned i = 0; i < 40; i++)
        made.refcount[made_held(&made, kept, "[…]", integer, 28)] = HEAP_MOST;
    for (unsigned i = 0; i < 2; i++) {
        parts[i] = made_held(&made, kept, "['buffer']", names.list, 4096);
        for (unsigned item = 0; item < 50; item++)
            made_held(&made, parts[i], "[…]", names.session, 20 * KIB);
    }
    find();
    assert_int_equal(alarms(), 2);
    for (unsigned i = 0; i < 2; i++)
        assert_true(suspects.items.items[i].object == parts[0] ||
                    suspects.items.items[i].object == parts[1]);
    end();
}

/* ---- Any heap: sizes are those of the definition, and the same each time. */

static uint32_t below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)((random_heap_next(state) >> 32) * limit >> 32);
}

static void make_random(uint64_t *state)
{
    static const char *const labels[] = {".a", "['b']", "[0]", ".__dict__", "key", "x"};
    struct names names = begin();
    uint32_t types[] = {names.dict,    names.list, names.str,   names.object,
                        names.session, names.type, names.module};
    uint32_t count = 20 + below(state, 300);
    /* one number a statement: the order of arguments is the compiler's choice */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t type = types[below(state, 7)];
        made_object(&made, type, (1 + below(state, 40)) * KIB);
    }
    for (uint32_t i = 0; i < count + below(state, 2 * count); i++) {
        uint32_t source = below(state, count), target = below(state, count);
        made_refer(&made, source, labels[below(state, 6)], target);
    }
    for (uint32_t i = 0; i < 1 + below(state, 12); i++) {
        uint32_t object = below(state, count);
        enum root_kind kind =
            below(state, 4) ? (enum root_kind)below(state, ROOT_KIND_COUNT) : ROOT_EXTENSION;
        made_root(&made, object, kind, "shop.any");
    }
}

static void any_heap_adds_up(void **state)
{
    (void)state;
    uint64_t random = 20261122;
    unsigned seen[SUSPECT_KIND_COUNT] = {0};
    for (unsigned round = 0; round < 400; round++) {
        make_random(&random);
        find();
        for (size_t i = 0; i < suspects.items.count; i++) {
            const struct suspect *suspect = &suspects.items.items[i];
            bool exact = suspect->share >= SUSPECT_LEAST_SHARE;
            seen[suspect->kind]++;
            assert_true(i == 0 || suspect->is_alarm != suspect[-1].is_alarm ||
                        suspect->retained <= suspect[-1].retained);
            assert_true(*suspect->title && *suspect->why);
            if (suspect->kind == SUSPECT_SINGLE)
                assert_int_equal(suspect->retained, made_retained(&made, &suspect->object, 1));
            else if (suspect->kind == SUSPECT_GROUP ||
                     (suspect->kind == SUSPECT_EXTENSION && exact && i < 8))
                assert_int_equal(suspect->retained, made_retained(&made, suspect->members.items,
                                                                  suspect->members.count));
        }
        end();
    }
    for (unsigned kind = 0; kind < SUSPECT_INTERNED; kind++)
        assert_in_range(seen[kind], 20, UINT32_MAX);
}

static void tree_is_the_dominators(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (unsigned round = 0; round < 100; round++) {
        make_random(&random);
        find();
        const struct dominated_tree *tree = &suspects.tree;
        const uint32_t *idom = made.facts.dominators.idom;
        for (uint32_t at = 0; at < tree->count; at++)
            assert_int_equal(tree->position[tree->order[at].node], at);
        for (uint32_t i = 0; i < made.heap.count; i++) {
            uint32_t holder = below(&random, made.heap.count), above = i;
            while (above < GRAPH_NONE && above != holder)
                above = idom[above];
            assert_int_equal(dominated_by(tree, i, holder), above == holder);
        }
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_in_two_nodes),
        cmocka_unit_test(immortal_ints_are_no_content),
        cmocka_unit_test(names_the_dict_and_what_is_in_it),
        cmocka_unit_test(name_is_told_before_c_memory),
        cmocka_unit_test(fingerprint_stays),
        cmocka_unit_test(goes_down_to_where_it_gathers),
        cmocka_unit_test(two_leaks_of_one_object_are_two),
        cmocka_unit_test(chain_is_told_at_its_first),
        cmocka_unit_test(program_itself_is_no_suspect),
        cmocka_unit_test(class_attribute_is_named),
        cmocka_unit_test(group_has_no_single_holder),
        cmocka_unit_test(part_of_a_group_is_not_told_again),
        cmocka_unit_test(tells_c_code_and_garbage_apart),
        cmocka_unit_test(structure_is_told_where_its_parts_are_not),
        cmocka_unit_test(many_parts_are_told_as_one),
        cmocka_unit_test(any_heap_adds_up),
        cmocka_unit_test(tree_is_the_dominators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
