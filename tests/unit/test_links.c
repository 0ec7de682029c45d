/* Link rules against counting by definition on random markets. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/links.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MOST_AGENTS = 40 };

/* Who can inject and consume, by bit. */
enum { INJECTS = 1, CONSUMES = 2 };

/* A market of n agents of random kind (able to inject, to consume, both or neither), two assets each whose
 * limits cancel in part, and random coordinates on a coarse grid, so that distances tie. */
static struct pw_market *random_agents(int n, struct test_rng *rng, int *kind)
{
    struct pw_market *market = pw_market_create(n, 1, 2 * n, 0);
    market->x = calloc((size_t)n, sizeof(double));
    market->y = calloc((size_t)n, sizeof(double));
    for (int i = 0; i < n; i++) {
        kind[i] = test_below(rng, 4);
        double shift = test_uniform(rng, 1, 5);
        market->p_min[2 * i] = -shift;
        market->p_max[2 * i] = -shift;
        market->p_min[2 * i + 1] = shift - (kind[i] & CONSUMES ? test_uniform(rng, 0.1, 9) : 0);
        market->p_max[2 * i + 1] = shift + (kind[i] & INJECTS ? test_uniform(rng, 0.1, 9) : 0);
        market->asset_first[i + 1] = 2 * i + 2;
        market->x[i] = test_below(rng, 6);
        market->y[i] = test_below(rng, 6);
    }
    return market;
}

static void build(struct pw_market *market, const struct pw_links_spec *spec)
{
    struct pw_error err = {0};
    ck_assert_msg(pw_links_build(market, spec, 0.25, &err) == PW_OK, "%s", err.text);
}

static int sells(const int *kind, int i, int j)
{
    return i != j && kind[i] & INJECTS && kind[j] & CONSUMES;
}

/* Fills linked [n * n], symmetric, from the market's links, each of which must be there once, between two
 * agents, with the fee; and checks the index by agent. */
static void read_links(const struct pw_market *market, int *linked)
{
    int n = market->n_agents, wrong = 0;
    memset(linked, 0, (size_t)(n * n) * sizeof *linked);
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l];
        ck_assert(a >= 0 && a < n && b >= 0 && b < n && a != b);
        linked[a * n + b]++;
        linked[b * n + a]++;
        wrong += linked[a * n + b] != 1 || market->fee_a[l] != 0.25 || market->fee_b[l] != 0.25 ||
                 market->t_max[l] != INFINITY;
    }
    for (int e = 0; e < 2 * market->n_links; e++) {
        int twin = market->end_twin[e], l = market->end_link[e];
        int owner = pw_market_end_agent(market, e), other = pw_market_end_agent(market, twin);
        wrong += market->end_twin[twin] != e || twin == e || market->end_link[twin] != l;
        wrong += owner + other != market->link_a[l] + market->link_b[l] || owner == other;
        wrong += e < market->end_first[owner] || e >= market->end_first[owner + 1];
    }
    for (int i = 0; i < n; i++) {
        int degree = 0;
        for (int j = 0; j < n; j++)
            degree += linked[i * n + j];
        wrong += pw_market_degree(market, i) != degree;
    }
    ck_assert_int_eq(wrong, 0);
}

/* The rule of sides: the first can inject, the second consume; one way only where neither can do both. */
static void check_sides(const struct pw_market *market, const int *kind)
{
    int wrong = 0;
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l];
        int both = kind[a] == (INJECTS | CONSUMES) || kind[b] == (INJECTS | CONSUMES);
        wrong += !sells(kind, a, b) || market->t_min[l] != (both ? -INFINITY : 0.0);
    }
    ck_assert_int_eq(wrong, 0);
}

static void check_free(const struct pw_market *market)
{
    int wrong = 0;
    for (int l = 0; l < market->n_links; l++)
        wrong += market->t_min[l] != -INFINITY;
    ck_assert_int_eq(wrong, 0);
}

START_TEST(all_and_sides_by_definition)
{
    struct test_rng rng = test_rng(21);
    int kind[MOST_AGENTS], linked[MOST_AGENTS * MOST_AGENTS];
    for (int run = 0; run < 200; run++) {
        int n = 1 + test_below(&rng, MOST_AGENTS);
        struct pw_market *market = random_agents(n, &rng, kind);
        build(market, &(struct pw_links_spec){.kind = PW_LINKS_ALL});
        read_links(market, linked);
        check_free(market);
        ck_assert_int_eq(market->n_links, n * (n - 1) / 2);
        build(market, &(struct pw_links_spec){.kind = PW_LINKS_SIDES});
        read_links(market, linked);
        check_sides(market, kind);
        int wrong = 0;
        for (int k = 0; k < n * n; k++)
            wrong += linked[k] != (sells(kind, k / n, k % n) || sells(kind, k % n, k / n));
        ck_assert_int_eq(wrong, 0);
        pw_market_destroy(market);
    }
}
END_TEST

/* Density 1 is everything; a thinner draw is a part of it, with about the share that is asked for, the same
 * whenever it is drawn, and a pair's draw does not depend on the size of the market. */
START_TEST(random_links_are_a_share_of_all)
{
    enum { AGENTS = 300 };
    int *kind = calloc(AGENTS, sizeof *kind), *linked = calloc(AGENTS * AGENTS, sizeof *linked);
    int *small = calloc(AGENTS * AGENTS, sizeof *small);
    struct test_rng rng = test_rng(22);
    struct pw_market *market = random_agents(AGENTS, &rng, kind), *part = random_agents(100, &rng, kind);
    double pairs = AGENTS * (AGENTS - 1) / 2.0;
    static const double densities[] = {0.01, 0.3, 0.9, 1};
    for (int i = 0; i < 4; i++) {
        double p = densities[i];
        struct pw_links_spec spec = {.kind = PW_LINKS_RANDOM, .density = p, .seed = 5};
        build(market, &spec);
        read_links(market, linked);
        check_free(market);
        ck_assert_double_le(fabs(market->n_links - p * pairs), 5 * sqrt(p * (1 - p) * pairs));
        build(part, &spec);
        read_links(part, small);
        int wrong = 0;
        for (int k = 0; k < 100 * 100; k++)
            wrong += small[k] != linked[k / 100 * AGENTS + k % 100];
        ck_assert_int_eq(wrong, 0);
    }
    pw_market_destroy(market);
    pw_market_destroy(part);
    free(kind);
    free(linked);
    free(small);
}
END_TEST

START_TEST(random_links_among_sides)
{
    struct test_rng rng = test_rng(23);
    int kind[MOST_AGENTS], linked[MOST_AGENTS * MOST_AGENTS], before = -1, changed = 0;
    struct pw_market *market = random_agents(MOST_AGENTS, &rng, kind);
    double pairs = 0, found = 0;
    for (int k = 0; k < MOST_AGENTS * MOST_AGENTS; k++)
        pairs += k / MOST_AGENTS < k % MOST_AGENTS && (sells(kind, k / MOST_AGENTS, k % MOST_AGENTS) ||
                                                       sells(kind, k % MOST_AGENTS, k / MOST_AGENTS));
    for (int seed = 0; seed < 100; seed++) {
        struct pw_links_spec spec = {.kind = PW_LINKS_RANDOM, .density = 0.4, .seed = seed, .among_sides = 1};
        build(market, &spec);
        read_links(market, linked);
        check_sides(market, kind);
        found += market->n_links / 100.0;
        changed += market->n_links != before;
        before = market->n_links;
    }
    ck_assert_int_gt(changed, 50); /* the seed matters */
    ck_assert_double_le(fabs(found - 0.4 * pairs), 5 * sqrt(0.24 * pairs / 100));
    pw_market_destroy(market);
}
END_TEST

/* How many agents are nearer to i than j is; the lower id counts as nearer at the same distance. */
static int nearer(const struct pw_market *market, int i, int j)
{
    int count = 0;
    double dx = market->x[i] - market->x[j], dy = market->y[i] - market->y[j], to_j = dx * dx + dy * dy;
    for (int k = 0; k < market->n_agents; k++) {
        dx = market->x[i] - market->x[k], dy = market->y[i] - market->y[k];
        double to_k = dx * dx + dy * dy; /* whole numbers: exact */
        count += k != i && (to_k < to_j || (to_k == to_j && k < j));
    }
    return count;
}

START_TEST(nearest_by_definition)
{
    struct test_rng rng = test_rng(24);
    int kind[MOST_AGENTS], linked[MOST_AGENTS * MOST_AGENTS];
    for (int run = 0; run < 100; run++) {
        int n = 1 + test_below(&rng, MOST_AGENTS), count = 1 + test_below(&rng, 8);
        struct pw_market *market = random_agents(n, &rng, kind);
        build(market, &(struct pw_links_spec){.kind = PW_LINKS_NEAREST, .count = count});
        read_links(market, linked);
        check_free(market);
        int wrong = 0;
        for (int k = 0; k < n * n; k++) {
            int i = k / n, j = k % n;
            int asked = nearer(market, i, j) < count || nearer(market, j, i) < count;
            wrong += linked[k] != (i != j && asked);
        }
        ck_assert_int_eq(wrong, 0);
        pw_market_destroy(market);
    }
}
END_TEST

/* Everybody gets the links that they ask for, if there are as many others, and only those that somebody asks
 * for are made. */
START_TEST(peers_get_what_they_ask_for)
{
    struct test_rng rng = test_rng(25);
    int kind[MOST_AGENTS], linked[MOST_AGENTS * MOST_AGENTS];
    for (int run = 0; run < 200; run++) {
        int n = 1 + test_below(&rng, MOST_AGENTS), count = 1 + test_below(&rng, 50), sides = run % 2;
        struct pw_market *market = random_agents(n, &rng, kind);
        build(market, &(struct pw_links_spec){
                          .kind = PW_LINKS_PEERS, .count = count, .seed = run, .among_sides = sides});
        read_links(market, linked);
        int asked = 0;
        for (int i = 0; i < n; i++) {
            int others = 0;
            for (int j = 0; j < n; j++)
                others += i != j && (!sides || sells(kind, i, j) || sells(kind, j, i));
            int wants = others < count ? others : count;
            asked += wants;
            ck_assert_int_ge(pw_market_degree(market, i), wants);
            ck_assert_int_le(pw_market_degree(market, i), others);
        }
        ck_assert_int_le(market->n_links, asked);
        ck_assert_int_ge(2 * market->n_links, asked);
        if (sides)
            check_sides(market, kind);
        else
            check_free(market);
        pw_market_destroy(market);
    }
}
END_TEST

/* Each pair is linked with the same probability 1 - (1 - k/(n-1))^2, over many seeds. */
START_TEST(peers_are_drawn_evenly)
{
    enum { AGENTS = 8, COUNT = 2, SEEDS = 4000 };
    struct test_rng rng = test_rng(26);
    int kind[AGENTS], linked[AGENTS * AGENTS], times[AGENTS * AGENTS] = {0};
    struct pw_market *market = random_agents(AGENTS, &rng, kind);
    double miss = 1 - (double)COUNT / (AGENTS - 1), p = 1 - miss * miss;
    for (int seed = 0; seed < SEEDS; seed++) {
        build(market, &(struct pw_links_spec){.kind = PW_LINKS_PEERS, .count = COUNT, .seed = seed});
        read_links(market, linked);
        for (int k = 0; k < AGENTS * AGENTS; k++)
            times[k] += linked[k];
    }
    for (int k = 0; k < AGENTS * AGENTS; k++)
        if (k / AGENTS != k % AGENTS)
            ck_assert_double_le(fabs(times[k] - p * SEEDS), 5 * sqrt(p * (1 - p) * SEEDS));
    pw_market_destroy(market);
}
END_TEST

/* More links than can be are refused before one is made, by every rule. */
START_TEST(too_many_links_are_refused_at_once)
{
    static const struct pw_links_spec specs[] = {
        {.kind = PW_LINKS_ALL},
        {.kind = PW_LINKS_SIDES},
        {.kind = PW_LINKS_RANDOM, .density = 0.5},
        {.kind = PW_LINKS_PEERS, .count = 30000},
    };
    enum { AGENTS = 100000 };
    struct pw_market *market = pw_market_create(AGENTS, 1, AGENTS, 0);
    for (int n = 0; n < AGENTS; n++) {
        market->asset_first[n + 1] = n + 1;
        market->p_min[n] = n < AGENTS / 2 ? -1 : 0;
        market->p_max[n] = n < AGENTS / 2 ? 0 : 1;
    }
    for (int i = 0; i < 4; i++) {
        struct pw_error err = {0};
        ck_assert_int_eq(pw_links_build(market, &specs[i], 0, &err), PW_USAGE);
        ck_assert_ptr_nonnull(strstr(err.text, "links, but "));
    }
    pw_market_destroy(market);
}
END_TEST

/* The kinds whose links ranks can make in part. */
static const struct pw_links_spec part_specs[] = {
    {.kind = PW_LINKS_ALL},
    {.kind = PW_LINKS_SIDES},
    {.kind = PW_LINKS_RANDOM, .density = 0.3, .seed = 3},
    {.kind = PW_LINKS_RANDOM, .density = 0.6, .seed = 4, .among_sides = 1},
    {.kind = PW_LINKS_NEAREST, .count = 4},
    {.kind = PW_LINKS_PEERS, .count = 3, .seed = 5},
    {.kind = PW_LINKS_PEERS, .count = 3, .seed = 6, .among_sides = 1},
};

/* The whole without the links that have no end in the block. */
static void check_part(const struct pw_market *whole, const struct pw_market *part, struct pw_block block)
{
    int k = 0, wrong = 0;
    for (int l = 0; l < whole->n_links; l++) {
        int a = whole->link_a[l], b = whole->link_b[l];
        if (!pw_block_has(block, a) && !pw_block_has(block, b))
            continue;
        ck_assert_int_lt(k, part->n_links);
        wrong += part->link_a[k] != a || part->link_b[k] != b || part->t_min[k] != whole->t_min[l] ||
                 part->t_max[k] != whole->t_max[l] || part->fee_a[k] != whole->fee_a[l] ||
                 part->fee_b[k] != whole->fee_b[l];
        k++;
    }
    ck_assert_int_eq(k, part->n_links);
    ck_assert_int_eq(wrong, 0);
    for (int n = block.first; n < block.end; n++)
        ck_assert_int_eq(pw_market_degree(part, n), pw_market_degree(whole, n));
}

START_TEST(parts_are_those_of_the_whole)
{
    const struct pw_links_spec *spec = &part_specs[_i];
    ck_assert(pw_links_have_parts(spec->kind));
    for (int run = 0; run < 100; run++) {
        struct test_rng rng = test_rng((uint64_t)(100 + run)), same = rng;
        int kind[MOST_AGENTS], n = 1 + test_below(&rng, MOST_AGENTS), first = test_below(&rng, n + 1);
        struct pw_block block = {first, first + test_below(&rng, n - first + 1)};
        struct pw_market *whole = random_agents(n, &same, kind);
        same = test_rng((uint64_t)(100 + run));
        struct pw_market *part = random_agents(n, &same, kind);
        struct pw_error err;
        build(whole, spec);
        ck_assert_int_eq(pw_links_build_part(part, spec, 0.25, block, &err), PW_OK);
        check_part(whole, part, block);
        pw_market_destroy(whole);
        pw_market_destroy(part);
    }
}
END_TEST

Suite *links_suite(void)
{
    Suite *suite = suite_create("links");
    TCase *rules = tcase_create("rules");
    tcase_add_test(rules, all_and_sides_by_definition);
    tcase_add_test(rules, random_links_are_a_share_of_all);
    tcase_add_test(rules, random_links_among_sides);
    tcase_add_test(rules, nearest_by_definition);
    tcase_add_test(rules, peers_get_what_they_ask_for);
    tcase_add_test(rules, peers_are_drawn_evenly);
    tcase_add_test(rules, too_many_links_are_refused_at_once);
    tcase_add_loop_test(rules, parts_are_those_of_the_whole, 0,
                        (int)(sizeof part_specs / sizeof *part_specs));
    tcase_set_timeout(rules, 60);
    suite_add_tcase(suite, rules);
    return suite;
}
