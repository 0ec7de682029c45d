"""Who sells, who buys, who does neither: the rule, and how each is drawn everywhere."""

from typing import NamedTuple

import numpy as np

import style


class Role(NamedTuple):
    """A role: its name in legends, marker, fill colour and hatching."""

    label: str
    marker: str
    colour: str
    hatch: str


SELLER = Role("seller", "s", style.DARK, "")
BUYER = Role("buyer", "o", style.LIGHT, "////")
NEITHER = Role("no net power", "D", "#ffffff", "")
ROLES = (SELLER, BUYER, NEITHER)


def of_agents(trace):
    """For each role a mask over the agents. A power within the run's own tolerance is none."""
    power = np.nan_to_num(trace.column("agents", "power"))
    threshold = 1e-3 * np.max(np.abs(power), initial=0.0)
    threshold = np.fmin(threshold, trace.scalar("tolerance_primal"))
    sells, buys = power > threshold, power < -threshold
    return {SELLER: sells, BUYER: buys, NEITHER: ~(sells | buys)}
