/* Fees by where and to whom: what each end of a link pays on |t|, kind by kind, and what each kind collects.
 */
#ifndef PW_FEES_H
#define PW_FEES_H

#include "common/error.h"
#include "common/market.h"
#include "common/outcome.h"
#include "common/preferences.h"

/* Rates, money per energy (and unit of distance), >= 0; a link with an agent without assets, which only
 * passes power on, has no distance, and one with an agent without a zone (community) crosses none. */
struct pw_fees_spec {
    double base;      /* market.fee: what the links have already where no table says otherwise */
    double distance;  /* of the distance between both agents' x,y */
    double zone;      /* where both are in different zones */
    double community; /* where both are in different communities */
    struct pw_preferences *preferences; /* NULL: none */
};

struct pw_fees;

/* Adds the fees of the spec to those that the links of the market have: fee_a and fee_b become the sums. The
 * market must have coordinates and labels where the rates need them, and its links must not change
 * afterwards. PW_USAGE if preferences contradict each other. One product. For pw_fees_destroy(). */
enum pw_code pw_fees_create(struct pw_market *market, const struct pw_fees_spec *spec, struct pw_fees **out,
                            struct pw_error *err);
void pw_fees_destroy(struct pw_fees *fees);

/* True if some fee may be other than 0. */
int pw_fees_exist(const struct pw_fees *fees);

/* Fills by_kind [PW_N_FEE_KINDS] with what the fees on the agreed trades come to, money per hour. */
void pw_fees_collect(const struct pw_fees *fees, const struct pw_market *market, const double *trade,
                     double *by_kind);

#endif
