#define PW_ROW_KERNEL pw_row_kernel_plain
#include "agent/rows_kernel_body.h"

const struct pw_row_kernel *pw_row_kernel_best(void)
{
#ifdef PW_HAS_AVX2_KERNEL
    if (__builtin_cpu_supports("avx2"))
        return &pw_row_kernel_avx2;
#endif
    return &pw_row_kernel_plain;
}
