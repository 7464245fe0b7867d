/* The kernels of the mains stream, in vectors that the compiler maps to the processor for which the
   including file compiles them. NAMED gives them names of their own. */

/* The frames under the filter slide by two: each is read, and converted, once. */
#define HALVE(taps)                                                          \
    do {                                                                     \
        float8 under[taps];                                                  \
        _Pragma("GCC unroll 16") for (size_t j = 0; j + 2 < (taps); j++)     \
            under[j + 2] = READ(j);                                          \
        for (size_t m = 0; m < count; m++, out += FRAME) {                   \
            _Pragma("GCC unroll 16") for (size_t j = 0; j + 2 < (taps); j++) \
                under[j] = under[j + 2];                                     \
            under[(taps)-2] = READ((taps)-2 + 2 * m);                        \
            under[(taps)-1] = READ((taps)-1 + 2 * m);                        \
            float8 sum = coefficients[(taps) / 2] * under[(taps) / 2];       \
            _Pragma("GCC unroll 8") for (size_t j = 0; j < (taps) / 2; j++)  \
                sum += coefficients[j] * (under[j] + under[(taps)-1 - j]);   \
            *(float8 *)out = sum;                                            \
        }                                                                    \
    } while (0)

#define HALVE_BY_TAPS          \
    switch (taps) {            \
    case 5: HALVE(5); break;   \
    case 7: HALVE(7); break;   \
    case 9: HALVE(9); break;   \
    case 13: HALVE(13); break; \
    default: break;            \
    }

/* FRAME codes from each instant on must be readable. */
static void NAMED(halve_readable)(const int32_t *codes, size_t channels, size_t count, size_t taps,
                                  const float *coefficients, float *out)
{
    if (count == 0)
        return;
#define READ(n) __builtin_convertvector(*(const codes8 *)(codes + (n) * channels), float8)
    HALVE_BY_TAPS
#undef READ
}

static void NAMED(halve_codes)(const int32_t *codes, size_t channels, size_t count, size_t taps,
                               const float *coefficients, float *out)
{
    /* The last outputs from a copy: behind the codes of an instant others may lie, or nothing. */
    const size_t most = (INSTANTS_BEHIND(channels) + 1) / 2, last = count < most ? count : most;
    const size_t before = count - last;
    int32_t end[MOST_HALVING_TAPS * FRAME] = {0};
    if (last)
        memcpy(end, codes + 2 * before * channels,
               (2 * (last - 1) + taps) * channels * sizeof *codes);
    NAMED(halve_readable)(codes, channels, before, taps, coefficients, out);
    NAMED(halve_readable)(end, channels, last, taps, coefficients, out + before * FRAME);
}

static void NAMED(halve_frames)(const float *frames, size_t count, size_t taps,
                                 const float *coefficients, float *out)
{
    if (count == 0)
        return;
#define READ(n) (*(const float8 *)(frames + (n) * FRAME))
    HALVE_BY_TAPS
#undef READ
}

static void NAMED(frames_of_codes)(const int32_t *codes, size_t channels, size_t count, float *out)
{
    const size_t behind = INSTANTS_BEHIND(channels), last = count < behind ? count : behind;
    for (size_t n = 0; n < count - last; n++)
        *(float8 *)(out + n * FRAME) =
            __builtin_convertvector(*(const codes8 *)(codes + n * channels), float8);
    for (size_t n = count - last; n < count; n++) {
        int32_t alone[FRAME] = {0};
        memcpy(alone, codes + n * channels, channels * sizeof *codes);
        *(float8 *)(out + n * FRAME) = __builtin_convertvector(*(const codes8 *)alone, float8);
    }
}

static inline double NAMED(cube_of_positive)(double x)
{
    return x > 0 ? x * x * x : 0;
}

static void NAMED(demodulate)(const float *frames, long first_frame, double instant,
                              double cycle_frames, double *real, double *imaginary)
{
    const long first = (long)ceil(instant - 2 * cycle_frames);
    const long last = (long)floor(instant + 2 * cycle_frames);
    const double turn = 2 * M_PI / cycle_frames;
    const double step_real = cos(turn), step_imaginary = -sin(turn);
    double turned_real = cos(turn * ((double)first - instant));
    double turned_imaginary = -sin(turn * ((double)first - instant));
    double8 sum_real = {0}, sum_imaginary = {0};
    double total = 0;
    for (long n = first; n <= last; n++) {
        const double x = fabs((double)n - instant) / cycle_frames;
        const double weight =
            NAMED(cube_of_positive)(2 - x) - 4 * NAMED(cube_of_positive)(1 - x);
        const float8 *at = (const float8 *)frames + (n - first_frame);
        const double8 frame = __builtin_convertvector(*at, double8);
        total += weight;
        sum_real += weight * turned_real * frame;
        sum_imaginary += weight * turned_imaginary * frame;
        const double before = turned_real;
        turned_real = before * step_real - turned_imaginary * step_imaginary;
        turned_imaginary = before * step_imaginary + turned_imaginary * step_real;
    }
    for (size_t lane = 0; lane < FRAME; lane++) {
        real[lane] = sum_real[lane] * M_SQRT2 / total;
        imaginary[lane] = sum_imaginary[lane] * M_SQRT2 / total;
    }
}

static void NAMED(widen_frames)(const float *frames, size_t count, double *out)
{
    for (size_t n = 0; n < count; n++)
        *(double8 *)(out + n * FRAME) =
            __builtin_convertvector(*(const float8 *)(frames + n * FRAME), double8);
}

/* Weights of one place; its first tap. */
static inline long NAMED(weights_at)(double place, const double *table, size_t segments,
                                     size_t taps, double *weights)
{
    const double whole = floor(place), scaled = (place - whole) * (double)segments;
    /* A hair below a whole frame the difference rounds to 1. */
    const size_t found = (size_t)scaled, segment = found < segments ? found : segments - 1;
    const double at = scaled - (double)segment - 0.5;
    const double *c = table + segment * 4 * taps;
    for (size_t t = 0; t < taps; t += FRAME, c += FRAME) {
        const double8 c0 = *(const double8 *)c, c1 = *(const double8 *)(c + taps);
        const double8 c2 = *(const double8 *)(c + 2 * taps), c3 = *(const double8 *)(c + 3 * taps);
        *(double8 *)(weights + t) = ((c3 * at + c2) * at + c1) * at + c0;
    }
    return (long)whole - (long)taps / 2 + 1;
}

static void NAMED(resample)(const double *frames, long first_frame, double start, double step,
                            double bend, size_t count, const double *table, size_t segments,
                            size_t taps, double *out)
{
    /* Weights some places ahead: by the time they are read, they have been written. */
    enum { AHEAD = 16 };
    __attribute__((aligned(64))) double weights[AHEAD][MOST_RESAMPLING_TAPS];
    long first_tap[AHEAD];
    for (size_t done = 0; done < count; done += AHEAD) {
        const size_t places = count - done < AHEAD ? count - done : AHEAD;
        for (size_t j = 0; j < places; j++) {
            const double k = (double)(done + j);
            first_tap[j] = NAMED(weights_at)(start + k * (step + k * bend), table, segments, taps,
                                             weights[j]);
        }
        for (size_t j = 0; j < places; j++, out += FRAME) {
            const double8 *from = (const double8 *)frames + (first_tap[j] - first_frame);
            const double *by = weights[j];
            /* Four sums, as one addition is done long after the next could begin. */
            double8 first = {0}, second = {0}, third = {0}, fourth = {0};
            for (size_t t = 0; t < taps; t += FRAME, by += FRAME, from += FRAME) {
                first += by[0] * from[0], second += by[1] * from[1];
                third += by[2] * from[2], fourth += by[3] * from[3];
                first += by[4] * from[4], second += by[5] * from[5];
                third += by[6] * from[6], fourth += by[7] * from[7];
            }
            *(double8 *)out = (first + second) + (third + fourth);
        }
    }
}

static void NAMED(chebyshev_series)(const double *series, size_t terms, double step, size_t count,
                                    double *out)
{
    const double8 places = {0, 1, 2, 3, 4, 5, 6, 7};
    for (size_t k = 0; k < count; k += FRAME) {
        const double8 root = (places + (double)k) * step;
        const double8 x = 2 * root * root - 1;
        double8 now = {0}, before = {0};
        for (size_t j = terms - 1; j > 0; j--) {
            const double8 after = 2 * x * now - before + series[j];
            before = now;
            now = after;
        }
        *(double8 *)(out + k) = x * now - before + series[0];
    }
}

#include "window_transform_body.h"

static const waveform_kernels NAMED(kernels) = {
    NAME, NAMED(halve_codes), NAMED(halve_frames), NAMED(frames_of_codes), NAMED(widen_frames),
    NAMED(demodulate), NAMED(resample), NAMED(transform), NAMED(chebyshev_series), NAMED(unfold),
};

#undef HALVE
#undef HALVE_BY_TAPS
#undef NAMED
#undef NAME
