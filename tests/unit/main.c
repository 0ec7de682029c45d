/* All unit suites in one program, each test in a process of its own. An argument runs one suite by name. */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/suites.h"

int main(int argc, char **argv)
{
    SRunner *runner = srunner_create(NULL);
#define ADD_SUITE(suite) srunner_add_suite(runner, suite());
    PW_SUITES(ADD_SUITE)
#undef ADD_SUITE
    srunner_run(runner, argc > 1 ? argv[1] : NULL, NULL, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
