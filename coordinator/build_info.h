/* What this program is made of. */
#ifndef PW_BUILD_INFO_H
#define PW_BUILD_INFO_H

/* One library or tool and its version. */
struct pw_component {
    const char *name;
    char version[160];
};

enum { PW_MOST_COMPONENTS = 16 };

/* Static texts: version of peerwatt, revision of its source, flags of the build. */
const char *pw_build_version(void);
const char *pw_build_revision(void);
const char *pw_build_flags(void);

/* Fills `components` with the compiler and the libraries, but for MPI's; returns how many. */
int pw_build_components(struct pw_component components[PW_MOST_COMPONENTS]);

#endif
