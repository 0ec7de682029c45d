/* What the exchange `innovation` and those who set its gains must both know; agent/innovation.c tells the
 * rest. */
#ifndef PW_INNOVATION_H
#define PW_INNOVATION_H

/* An asset of an agent: its limits, its curvature, and whether all assets of the agent are fixed. */
struct pw_answering {
    double p_min, p_max, a;
    int all_fixed;
};

/* By how much the power of an asset answers a unit of price: 1/a, and at most 1/least; a fixed one does not,
 * unless nothing else of its agent does. */
double pw_innovation_answer(const struct pw_answering *asset, double least);

#endif
