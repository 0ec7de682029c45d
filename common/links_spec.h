/* Which links a market is to have, as the setting market.links says. */
#ifndef PW_LINKS_SPEC_H
#define PW_LINKS_SPEC_H

enum { PW_TEXT_ROOM = 512 };

/* Who may trade with whom. */
enum pw_links_kind {
    PW_LINKS_ALL,
    PW_LINKS_SIDES,
    PW_LINKS_TABLE,
    PW_LINKS_RANDOM,
    PW_LINKS_NEAREST,
    PW_LINKS_PEERS,
    PW_LINKS_CHOSEN,
    PW_LINKS_POOL,
    PW_LINKS_COMMUNITIES
};

/* Who may trade with whom inside a community, and how communities trade with each other. */
enum pw_inside { PW_INSIDE_MANAGER, PW_INSIDE_MESH };
enum pw_between { PW_BETWEEN_MESH, PW_BETWEEN_POOL, PW_BETWEEN_MEMBERS };

struct pw_links_spec {
    enum pw_links_kind kind;
    int among_sides; /* random, peers, chosen: consumers with producers only */
    int choose;      /* chosen: enum pw_choose_choice */
    double density;  /* random: probability of a link */
    long count;      /* nearest, peers: links that each agent asks for; chosen: most links of an agent */
    long seed;       /* random, peers, chosen */
    enum pw_inside inside;   /* communities */
    enum pw_between between; /* communities */
    char path[PW_TEXT_ROOM]; /* table: a CSV path */
};

#endif
