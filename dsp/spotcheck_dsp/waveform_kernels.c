/* The kernels of the mains stream, compiled for several kinds of processor; chosen at run time. */
#include "waveform_kernels.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* Instants of which codes lie within FRAME codes of one before. */
#define INSTANTS_BEHIND(channels) ((FRAME - 1) / (channels))

/* Complex values of a part of a window: see window_transform_body.h. */
enum { PART = 160 };

typedef float two_floats __attribute__((vector_size(8), aligned(4), may_alias));
typedef double two_doubles __attribute__((vector_size(16)));

#define NAME "plain"
#define WIDE(from) __builtin_convertvector(*(const two_floats *)(from), two_doubles)
#if defined(__aarch64__)
#define ROOTS(values) vsqrtq_f64(values)
#elif defined(__x86_64__)
#define ROOTS(values) _mm_sqrt_pd(values)
#else
#define ROOTS(values) ((two_doubles){sqrt((values)[0]), sqrt((values)[1])})
#endif
#define NAMED(what) what##_plain
#define WIDTH 2
#define FLOATS 4
#include "waveform_kernels_body.h"

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define NAME "avx2"
#define WIDE(from) _mm256_cvtps_pd(_mm_loadu_ps(from))
#define ROOTS(values) _mm256_sqrt_pd(values)
#define NAMED(what) what##_avx2
#define WIDTH 4
#define FLOATS 8
#include "waveform_kernels_body.h"
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,fma,prefer-vector-width=512")
#define NAME "avx512"
/* The compiler itself would do it in halves. */
#define WIDE(from) _mm512_cvtps_pd(_mm256_loadu_ps(from))
#define ROOTS(values) _mm512_sqrt_pd(values)
#define NAMED(what) what##_avx512
#define WIDTH 8
#define FLOATS 8
#include "waveform_kernels_body.h"
#pragma GCC pop_options
#endif

const waveform_kernels *const *waveform_variants(size_t *count)
{
    static const waveform_kernels *found[3];
    size_t n = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
        found[n++] = &kernels_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        found[n++] = &kernels_avx2;
#endif
    found[n++] = &kernels_plain;
    *count = n;
    return found;
}
