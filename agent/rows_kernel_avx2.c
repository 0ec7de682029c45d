/* The passes of rows_kernel.h for processors with AVX2. */
#include "agent/rows_kernel.h"

#ifdef PW_HAS_VECTOR_KERNELS
#pragma GCC target("avx2,fma")
#define PW_ROW_KERNEL pw_row_kernel_avx2
#include "agent/rows_kernel.c"
#else
typedef int pw_row_kernel_needs_gcc_on_x86;
#endif
