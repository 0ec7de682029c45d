/* Errors: one code per exit code of the program, and a text that says what to do. */
#ifndef PW_ERROR_H
#define PW_ERROR_H

/* The list of all codes: name, exit code of the program, meaning. */
#define PW_CODES(X)                                                                                          \
    X(PW_OK, 0, "done and converged")                                                                        \
    X(PW_INTERNAL, 1, "internal error")                                                                      \
    X(PW_USAGE, 2, "usage or case file")                                                                     \
    X(PW_LIMIT, 3, "not converged at a limit")                                                               \
    X(PW_INFEASIBLE, 4, "infeasible market")                                                                 \
    X(PW_IO, 5, "input/output")                                                                              \
    X(PW_ENVIRONMENT, 6, "environment")                                                                      \
    X(PW_INTERRUPTED, 75, "interrupted")

enum pw_code {
#define PW_CODE_ENUM(name, exit_code, meaning) name = (exit_code),
    PW_CODES(PW_CODE_ENUM)
#undef PW_CODE_ENUM
};

/* An error under way: the code and one line for the user. Owned by the caller of whatever failed. */
struct pw_error {
    enum pw_code code;
    char text[1024];
};

/* Writes the code and a printf-style text into *err and returns the code. Text that does not fit is cut,
 * and what is then not UTF-8 becomes question marks. */
enum pw_code pw_fail(struct pw_error *err, enum pw_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A line "peerwatt: warning: ..." on standard error; none after pw_silence_warnings(). */
void pw_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void pw_silence_warnings(void);

/* The meaning of a code, a static string. */
const char *pw_code_meaning(enum pw_code code);

/* Returns from the calling function with the code of `call` unless it is PW_OK. */
#define PW_TRY(call)                                                                                         \
    do {                                                                                                     \
        enum pw_code pw_try_code = (call);                                                                   \
        if (pw_try_code != PW_OK)                                                                            \
            return pw_try_code;                                                                              \
    } while (0)

#endif
