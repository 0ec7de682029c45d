#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/links.h"
#include "common/memory.h"
#include "tests/unit/choosing.h"

enum { N_MARKETS = 50 };
static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}
int main(void)
{
    for (int must = 1; must >= 1; must--)
        for (int k = 1; k <= 4; k++) {
            static const char *names[] = {"random", "nearest", "greedy", "planned"};
            for (int w = 0; w < 4; w++) {
                double shares[N_MARKETS], sum = 0, links = 0;
                int bad = 0;
                for (int m = 0; m < N_MARKETS; m++) {
                    struct pw_market *market = test_recipe(40, m, must);
                    struct test_bounds bounds = test_bounds(market);
                    struct pw_error err;
                    struct pw_links_spec spec = {
                        .kind = PW_LINKS_CHOSEN, .choose = w, .count = k, .seed = 1 + m, .among_sides = 1};
                    if (w >= 0)
                        pw_links_build(market, &spec, 0, &err);
                    shares[m] = w < 0 ? test_best_matching(market, &bounds) : test_share(market, &bounds);
                    links += market->n_links;
                    if (isnan(shares[m])) {
                        bad++;
                        shares[m] = 0;
                    }
                    sum += shares[m];
                    pw_market_destroy(market);
                }
                qsort(shares, N_MARKETS, sizeof(double), ascending);
                printf("must %d K %d %-8s min %.5f median %.5f mean %.5f links %.1f bad %d\n", must, k,
                       w < 0 ? "best" : names[w], shares[0], shares[N_MARKETS / 2], sum / N_MARKETS,
                       links / N_MARKETS, bad);
                fflush(stdout);
            }
        }
    return 0;
}
