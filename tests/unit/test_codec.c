/* Offers as bytes, and packed for other ranks: they come back as they were, and no bytes do harm. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/codec.h"
#include "coordinator/parcels.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MOST_OFFERS = 40 };

static struct pw_offer random_offer(struct test_rng *rng, int n_products)
{
    static const double special[] = {0, -0.0, DBL_MAX, -DBL_MAX, DBL_MIN, 4.9406564584124654e-324, 1e-300};
    struct pw_offer offer = {test_below(rng, INT32_MAX), test_below(rng, 1000), test_below(rng, 100000), {0}};
    if (test_below(rng, 4) == 0) /* the smallest ids and the largest */
        offer = test_below(rng, 2) ? (struct pw_offer){0}
                                   : (struct pw_offer){INT32_MAX, INT32_MAX, INT32_MAX, {0}};
    for (int q = 0; q < n_products; q++)
        offer.r[q] = test_below(rng, 4) ? test_uniform(rng, -1e6, 1e6) : special[test_below(rng, 7)];
    return offer;
}

/* A packet in memory of just its size, so that a read beyond it is seen. */
static unsigned char *packet_of(const struct pw_offer *offers, uint32_t count, int n_products, uint64_t mark,
                                size_t *size)
{
    struct pw_packet_header header = {n_products, count, mark};
    *size = pw_packet_header_size() + count * pw_offer_size(n_products);
    unsigned char *bytes = malloc(*size);
    pw_encode_header(bytes, &header);
    for (uint32_t i = 0; i < count; i++)
        pw_encode_offer(bytes + pw_packet_header_size() + i * pw_offer_size(n_products), &offers[i],
                        n_products);
    return bytes;
}

static int same_offer(const struct pw_offer *x, const struct pw_offer *y, int n_products)
{
    return x->agent == y->agent && x->slot == y->slot && x->round == y->round &&
           memcmp(x->r, y->r, (size_t)n_products * sizeof *x->r) == 0;
}

START_TEST(packets_come_back)
{
    struct test_rng rng = test_rng(91);
    for (int run = 0; run < 2000; run++) {
        int n_products = 1 + run % PW_MOST_PRODUCTS;
        uint32_t count = (uint32_t)test_below(&rng, MOST_OFFERS);
        uint64_t mark = (uint64_t)run * UINT64_C(0x9e3779b97f4a7c15);
        struct pw_offer offers[MOST_OFFERS], back;
        struct pw_packet_header header;
        struct pw_error err;
        size_t size;
        for (uint32_t i = 0; i < count; i++)
            offers[i] = random_offer(&rng, n_products);
        unsigned char *bytes = packet_of(offers, count, n_products, mark, &size);
        ck_assert_int_eq(pw_decode_header(bytes, size, n_products, &header, &err), PW_OK);
        ck_assert(header.count == count && header.mark == mark && header.n_reals == n_products);
        int wrong = 0;
        for (uint32_t i = 0; i < count; i++)
            wrong += pw_decode_offer(bytes, i, n_products, &back, &err) != PW_OK ||
                     !same_offer(&back, &offers[i], n_products);
        ck_assert_int_eq(wrong, 0);
        free(bytes);
    }
}
END_TEST

/* The bytes by hand: every number little-endian, whatever the machine. */
START_TEST(bytes_are_as_documented)
{
    static const unsigned char expected[] = {
        'P',  'W',  'A',  'T',  2,    0,    0,    0,    2, 0, 0, 0,
        1,    0,    0,    0,                                        /* magic, version, numbers, count */
        0xF0, 0xDE, 0xBC, 0x9A, 0x78, 0x56, 0x34, 0x12,             /* mark */
        3,    0,    0,    0,    4,    0,    0,    0,    5, 1, 0, 0, /* agent, slot, round */
        0,    0,    0,    0,    0,    0,    0xF0, 0x3F, 0, 0, 0, 0,
        0,    0,    0x04, 0xC0}; /* 1.0, -2.5 */
    struct pw_offer offer = {3, 4, 261, {1.0, -2.5}};
    size_t size;
    unsigned char *bytes = packet_of(&offer, 1, 2, UINT64_C(0x123456789abcdef0), &size);
    ck_assert_uint_eq(size, sizeof expected);
    ck_assert_mem_eq(bytes, expected, size);
    free(bytes);
}
END_TEST

/* Decodes all of a packet in a block of just its size. PW_OK only if everything in it makes sense. */
static enum pw_code decode_all(const unsigned char *bytes, size_t size, int n_products)
{
    struct pw_packet_header header;
    struct pw_offer offer;
    struct pw_error err = {0};
    unsigned char *block = malloc(size > 0 ? size : 1);
    memcpy(block, bytes, size);
    enum pw_code code = pw_decode_header(block, size, n_products, &header, &err);
    int nonsense =
        code == PW_OK && (header.n_reals != n_products ||
                          size != pw_packet_header_size() + header.count * pw_offer_size(n_products));
    for (uint32_t i = 0; code == PW_OK && i < header.count; i++) {
        code = pw_decode_offer(block, i, n_products, &offer, &err);
        nonsense += code == PW_OK && (offer.agent < 0 || offer.slot < 0 || offer.round < 0);
        for (int q = 0; code == PW_OK && q < n_products; q++)
            nonsense += !isfinite(offer.r[q]);
    }
    ck_assert(code == PW_OK || (code == PW_INTERNAL && err.text[0] != '\0'));
    ck_assert_int_eq(nonsense, 0);
    free(block);
    return code;
}

START_TEST(packets_of_another_length_are_refused)
{
    struct test_rng rng = test_rng(92);
    struct pw_offer offers[5];
    for (int n_products = 1; n_products <= 3; n_products++) {
        size_t size;
        unsigned char longer[400] = {0};
        for (int i = 0; i < 5; i++)
            offers[i] = random_offer(&rng, n_products);
        unsigned char *bytes = packet_of(offers, 5, n_products, 0, &size);
        memcpy(longer, bytes, size);
        for (size_t length = 0; length < sizeof longer; length++)
            ck_assert_int_eq(decode_all(longer, length, n_products), length == size ? PW_OK : PW_INTERNAL);
        free(bytes);
    }
}
END_TEST

/* Each kind of nonsense by itself. */
START_TEST(nonsense_is_refused)
{
    static const struct {
        size_t at;
        unsigned char byte;
        const char *what;
    } spoilt[] = {
        {0, 'p', "magic"},       {4, 1, "version"},      {8, 2, "products"},
        {8, 0, "no products"},   {12, 3, "count"},       {15, 0xFF, "count"},
        {27, 0x80, "agent < 0"}, {31, 0x80, "slot < 0"}, {35, 0x80, "round < 0"},
    };
    struct pw_offer offers[2] = {{1, 2, 3, {4}}, {5, 6, 7, {8}}};
    const double not_finite[] = {NAN, INFINITY, -INFINITY};
    size_t size;
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        unsigned char *bytes = packet_of(offers, 2, 1, 0, &size);
        bytes[spoilt[i].at] = spoilt[i].byte;
        ck_assert_msg(decode_all(bytes, size, 1) == PW_INTERNAL, "%s", spoilt[i].what);
        free(bytes);
    }
    for (int i = 0; i < 3; i++) {
        offers[1].r[0] = not_finite[i];
        unsigned char *bytes = packet_of(offers, 2, 1, 0, &size);
        ck_assert_int_eq(decode_all(bytes, size, 1), PW_INTERNAL);
        free(bytes);
    }
}
END_TEST

/* Random bytes changed, anywhere: refused, or a packet that makes sense. Both happen. */
START_TEST(corruption_does_no_harm)
{
    struct test_rng rng = test_rng(93);
    int taken = 0, refused = 0;
    for (int run = 0; run < 30000; run++) {
        int n_products = 1 + run % 3;
        struct pw_offer offers[4];
        size_t size;
        for (int i = 0; i < 4; i++)
            offers[i] = random_offer(&rng, n_products);
        unsigned char *bytes = packet_of(offers, 4, n_products, 0, &size);
        for (int changes = 1 + test_below(&rng, 4); changes > 0; changes--)
            bytes[test_below(&rng, (int)size)] = (unsigned char)test_below(&rng, 256);
        if (decode_all(bytes, size, n_products) == PW_OK)
            taken++;
        else
            refused++;
        free(bytes);
    }
    ck_assert_int_gt(taken, 1000);
    ck_assert_int_gt(refused, 1000);
}
END_TEST

/* ---- Parcels ---- */

enum { RANKS = 4 };

/* A transport that keeps the last packet to each rank. */
struct post {
    unsigned char bytes[RANKS][8192];
    size_t size[RANKS];
    int sent[RANKS], is_busy[RANKS];
};

static void keep(struct pw_transport *transport, int to, enum pw_tag tag, const void *bytes, size_t size)
{
    struct post *post = transport->state;
    ck_assert(tag == PW_TAG_OFFERS && size <= sizeof post->bytes[to]);
    memcpy(post->bytes[to], bytes, size);
    post->size[to] = size;
    post->sent[to]++;
}

static int busy(struct pw_transport *transport, int to)
{
    return ((struct post *)transport->state)->is_busy[to];
}

static void expect_packet(const struct post *post, int to, uint64_t mark, const struct pw_offer *offers,
                          uint32_t count)
{
    struct pw_packet_header header;
    struct pw_offer offer;
    struct pw_error err;
    ck_assert_int_eq(pw_decode_header(post->bytes[to], post->size[to], 2, &header, &err), PW_OK);
    ck_assert(header.count == count && header.mark == mark);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_int_eq(pw_decode_offer(post->bytes[to], i, 2, &offer, &err), PW_OK);
        ck_assert(same_offer(&offer, &offers[i], 2));
    }
}

/* Offers to a rank travel in one packet, in order; to a busy rank they gather until it is free. */
START_TEST(parcels_gather)
{
    static struct post post;
    struct test_rng rng = test_rng(94);
    struct pw_offer offers[100];
    struct pw_transport transport = {.size = RANKS, .state = &post, .send = keep, .busy = busy};
    struct pw_parcels *parcels = pw_parcels_create(&transport, 2);
    for (int i = 0; i < 100; i++)
        offers[i] = random_offer(&rng, 2);
    ck_assert_int_eq(pw_parcels_flush(parcels, 0), 0);
    for (int i = 0; i < 3; i++)
        pw_parcels_add(parcels, 1, &offers[i]);
    pw_parcels_add(parcels, 3, &offers[3]);
    post.is_busy[1] = 1;
    ck_assert_int_eq(pw_parcels_flush(parcels, 7), 1);
    expect_packet(&post, 3, 7, &offers[3], 1);
    ck_assert_int_eq(post.sent[1], 0);
    for (int i = 3; i < 100; i++)
        pw_parcels_add(parcels, 1, &offers[i]);
    ck_assert_int_eq(pw_parcels_flush(parcels, 8), 0);
    post.is_busy[1] = 0;
    ck_assert_int_eq(pw_parcels_flush(parcels, 9), 1);
    expect_packet(&post, 1, 9, offers, 100);
    ck_assert_int_eq(pw_parcels_flush(parcels, 10), 0);
    pw_parcels_add(parcels, 1, &offers[5]); /* starts a new packet */
    ck_assert_int_eq(pw_parcels_flush(parcels, 11), 1);
    expect_packet(&post, 1, 11, &offers[5], 1);
    ck_assert(post.sent[0] == 0 && post.sent[1] == 2 && post.sent[2] == 0 && post.sent[3] == 1);
    pw_parcels_add(parcels, 2, &offers[0]);
    pw_parcels_destroy(parcels);
    pw_parcels_destroy(NULL);
}
END_TEST

Suite *codec_suite(void)
{
    Suite *suite = suite_create("codec");
    TCase *codec = tcase_create("codec"), *parcels = tcase_create("parcels");
    tcase_add_test(codec, packets_come_back);
    tcase_add_test(codec, bytes_are_as_documented);
    tcase_add_test(codec, packets_of_another_length_are_refused);
    tcase_add_test(codec, nonsense_is_refused);
    tcase_add_test(codec, corruption_does_no_harm);
    tcase_add_test(parcels, parcels_gather);
    tcase_set_timeout(codec, 60);
    suite_add_tcase(suite, codec);
    suite_add_tcase(suite, parcels);
    return suite;
}
