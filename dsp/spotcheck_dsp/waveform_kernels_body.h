/* The kernels of the mains stream, in vectors that the compiler maps to the processor for which the
   including file compiles them: WIDTH doubles (2, 4 or 8) or FLOATS float32 (4 or 8). WIDE reads WIDTH
   float32 as doubles, ROOTS takes the roots of a vector. NAMED gives the kernels names of their own.

   A frame is taken in groups of as many channels as a vector holds; groups without a channel are left
   out. */

typedef double NAMED(doubles) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef int64_t NAMED(masks) __attribute__((vector_size(8 * WIDTH)));
typedef float NAMED(floats) __attribute__((vector_size(4 * FLOATS), aligned(4), may_alias));
typedef int32_t NAMED(codes) __attribute__((vector_size(4 * FLOATS), aligned(4), may_alias));

#define DOUBLES NAMED(doubles)
#define EACH_GROUP(at, width) for (size_t at = 0; at < channels; at += (width))

/* The frames under the filter slide by so many: each is read, and converted, once. */
#define DECIMATE(taps, by)                                                      \
    do {                                                                        \
        NAMED(floats) under[taps];                                              \
        _Pragma("GCC unroll 16") for (size_t j = 0; j + (by) < (taps); j++)     \
            under[j + (by)] = READ(j);                                          \
        for (size_t m = 0; m < count; m++) {                                    \
            _Pragma("GCC unroll 16") for (size_t j = 0; j + (by) < (taps); j++) \
                under[j] = under[j + (by)];                                     \
            _Pragma("GCC unroll 4") for (size_t j = (taps) - (by); j < (taps); j++) \
                under[j] = READ(j + (by) * m);                                  \
            NAMED(floats) sum = coefficients[0] * (under[0] + under[(taps)-1]); \
            _Pragma("GCC unroll 8") for (size_t j = 1; j < (taps) / 2; j++)     \
                sum += coefficients[j] * (under[j] + under[(taps)-1 - j]);      \
            if ((taps) % 2)                                                     \
                sum += coefficients[(taps) / 2] * under[(taps) / 2];            \
            *(NAMED(floats) *)(out + m * FRAME + at) = sum;                     \
        }                                                                       \
    } while (0)

#define DECIMATE_BY_FILTER                   \
    switch (100 * filter->by + filter->taps) { \
    case 205: DECIMATE(5, 2); break;         \
    case 207: DECIMATE(7, 2); break;         \
    case 209: DECIMATE(9, 2); break;         \
    case 213: DECIMATE(13, 2); break;        \
    case 410: DECIMATE(10, 4); break;        \
    case 413: DECIMATE(13, 4); break;        \
    case 416: DECIMATE(16, 4); break;        \
    default: break;                          \
    }

static inline NAMED(floats) NAMED(floats_of)(const int32_t *codes)
{
    return __builtin_convertvector(*(const NAMED(codes) *)codes, NAMED(floats));
}

/* FRAME codes from each instant on must be readable. */
static void NAMED(decimate_readable)(const int32_t *codes, size_t channels, size_t count,
                                     const decimation_filter *filter, float *out)
{
    const float *const coefficients = filter->coefficients;
    if (count == 0)
        return;
#define READ(n) NAMED(floats_of)(codes + (n) * channels + at)
    EACH_GROUP (at, FLOATS)
        DECIMATE_BY_FILTER
#undef READ
}

static void NAMED(decimate_codes)(const int32_t *codes, size_t channels, size_t count,
                                  const decimation_filter *filter, float *out)
{
    /* The last outputs from a copy: behind the codes of an instant others may lie, or nothing. */
    const size_t by = filter->by, most = (INSTANTS_BEHIND(channels) + by - 1) / by;
    const size_t last = count < most ? count : most, before = count - last;
    int32_t end[MOST_DECIMATION_TAPS * FRAME] = {0};
    if (last)
        memcpy(end, codes + by * before * channels,
               (by * (last - 1) + filter->taps) * channels * sizeof *codes);
    NAMED(decimate_readable)(codes, channels, before, filter, out);
    NAMED(decimate_readable)(end, channels, last, filter, out + before * FRAME);
}

static void NAMED(decimate_frames)(const float *frames, size_t channels, size_t count,
                                   const decimation_filter *filter, float *out)
{
    const float *const coefficients = filter->coefficients;
    if (count == 0)
        return;
#define READ(n) (*(const NAMED(floats) *)(frames + (n) * FRAME + at))
    EACH_GROUP (at, FLOATS)
        DECIMATE_BY_FILTER
#undef READ
}

static void NAMED(frames_of_codes)(const int32_t *codes, size_t channels, size_t count, float *out)
{
    const size_t behind = INSTANTS_BEHIND(channels), last = count < behind ? count : behind;
    for (size_t n = 0; n < count - last; n++)
        EACH_GROUP (at, FLOATS)
            *(NAMED(floats) *)(out + n * FRAME + at) = NAMED(floats_of)(codes + n * channels + at);
    for (size_t n = count - last; n < count; n++) {
        int32_t alone[FRAME] = {0};
        memcpy(alone, codes + n * channels, channels * sizeof *codes);
        EACH_GROUP (at, FLOATS)
            *(NAMED(floats) *)(out + n * FRAME + at) = NAMED(floats_of)(alone + at);
    }
}

static inline DOUBLES NAMED(cube_of_positive)(DOUBLES x)
{
    x = (DOUBLES)((NAMED(masks))x & (x > 0));
    return x * x * x;
}

static void NAMED(demodulate)(const float *frames, long first_frame, size_t channels,
                              double instant, double cycle_frames, double *real, double *imaginary)
{
    enum { AT_ONCE = 64 };
    const long first = (long)ceil(instant - 2 * cycle_frames);
    const long last = (long)floor(instant + 2 * cycle_frames);
    const double turn = 2 * M_PI / cycle_frames, per_frame = 1 / cycle_frames;
    /* WIDTH frames at a time: each lane turns on by WIDTH frames. */
    double step_real = cos(turn), step_imaginary = -sin(turn);
    double now_real = cos(turn * ((double)first - instant));
    double now_imaginary = -sin(turn * ((double)first - instant));
    DOUBLES turned_real, turned_imaginary, places, total = {0};
    for (int lane = 0; lane < WIDTH; lane++) {
        turned_real[lane] = now_real, turned_imaginary[lane] = now_imaginary;
        places[lane] = (double)first + lane - instant;
        const double before = now_real;
        now_real = before * step_real - now_imaginary * step_imaginary;
        now_imaginary = before * step_imaginary + now_imaginary * step_real;
    }
    for (int doubled = 1; doubled < WIDTH; doubled *= 2) {
        const double before = step_real;
        step_real = before * before - step_imaginary * step_imaginary;
        step_imaginary = 2 * before * step_imaginary;
    }
    DOUBLES sum_real[FRAME / WIDTH] = {{0}}, sum_imaginary[FRAME / WIDTH] = {{0}};
    for (long done = first; done <= last; done += AT_ONCE) {
        __attribute__((aligned(64))) double weights[2][AT_ONCE];
        for (size_t k = 0; k < AT_ONCE; k += WIDTH) {
            const DOUBLES x = places * per_frame, size = (DOUBLES)((NAMED(masks))x & INT64_MAX);
            const DOUBLES weight =
                NAMED(cube_of_positive)(2 - size) - 4 * NAMED(cube_of_positive)(1 - size);
            total += weight;
            *(DOUBLES *)(weights[0] + k) = weight * turned_real;
            *(DOUBLES *)(weights[1] + k) = weight * turned_imaginary;
            const DOUBLES before = turned_real;
            turned_real = before * step_real - turned_imaginary * step_imaginary;
            turned_imaginary = before * step_imaginary + turned_imaginary * step_real;
            places += WIDTH;
        }
        const size_t left = (size_t)(last - done) + 1, count = left < AT_ONCE ? left : AT_ONCE;
        EACH_GROUP (at, WIDTH) {
            const float *from = frames + (done - first_frame) * FRAME + at;
            DOUBLES even_real = {0}, even_imaginary = {0};
            DOUBLES odd_real = sum_real[at / WIDTH], odd_imaginary = sum_imaginary[at / WIDTH];
            size_t n = 0;
            for (; n + 2 <= count; n += 2) {
                const DOUBLES even = WIDE(from + n * FRAME), odd = WIDE(from + (n + 1) * FRAME);
                even_real += weights[0][n] * even, even_imaginary += weights[1][n] * even;
                odd_real += weights[0][n + 1] * odd, odd_imaginary += weights[1][n + 1] * odd;
            }
            if (n < count) {
                const DOUBLES even = WIDE(from + n * FRAME);
                even_real += weights[0][n] * even, even_imaginary += weights[1][n] * even;
            }
            sum_real[at / WIDTH] = even_real + odd_real;
            sum_imaginary[at / WIDTH] = even_imaginary + odd_imaginary;
        }
    }
    double sum = 0;
    for (int lane = 0; lane < WIDTH; lane++)
        sum += total[lane];
    EACH_GROUP (at, WIDTH) {
        *(DOUBLES *)(real + at) = sum_real[at / WIDTH] * (M_SQRT2 / sum);
        *(DOUBLES *)(imaginary + at) = sum_imaginary[at / WIDTH] * (M_SQRT2 / sum);
    }
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
    for (size_t t = 0; t < taps; t += WIDTH, c += WIDTH) {
        const DOUBLES c0 = *(const DOUBLES *)c, c1 = *(const DOUBLES *)(c + taps);
        const DOUBLES c2 = *(const DOUBLES *)(c + 2 * taps), c3 = *(const DOUBLES *)(c + 3 * taps);
        *(DOUBLES *)(weights + t) = ((c3 * at + c2) * at + c1) * at + c0;
    }
    return (long)whole - (long)taps / 2 + 1;
}

/* Two places of which the second is `apart` frames on: frames that both weigh are read once. */
static inline __attribute__((always_inline)) void NAMED(resample_two)(
    const float *from, const size_t apart, const double *first_by, const double *second_by,
    size_t taps, double *out)
{
    /* Four sums, as one addition is done long after the next could begin. */
    DOUBLES first[2] = {{0}, {0}}, second[2] = {{0}, {0}};
    for (size_t t = 0; t < taps; t += 8, from += 8 * FRAME, first_by += 8, second_by += 8) {
        _Pragma("GCC unroll 10") for (size_t j = 0; j < 8 + apart; j++)
        {
            const DOUBLES frame = WIDE(from + j * FRAME);
            if (j < 8)
                first[j % 2] += first_by[j] * frame;
            if (j >= apart)
                second[(j - apart) % 2] += second_by[j - apart] * frame;
        }
    }
    *(DOUBLES *)out = first[0] + first[1];
    *(DOUBLES *)(out + FRAME) = second[0] + second[1];
}

static inline void NAMED(resample_one)(const float *from, const double *by, size_t taps, double *out)
{
    DOUBLES sum[4] = {{0}, {0}, {0}, {0}};
    for (size_t t = 0; t < taps; t += 4, from += 4 * FRAME, by += 4)
        _Pragma("GCC unroll 4") for (size_t j = 0; j < 4; j++)
            sum[j] += by[j] * WIDE(from + j * FRAME);
    *(DOUBLES *)out = (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void NAMED(resample)(const float *frames, long first_frame, size_t channels, double start,
                            double step, double bend, size_t count, const double *table,
                            size_t segments, size_t taps, double *out)
{
    /* Weights some places ahead: by the time they are read, they have been written. */
    enum { AHEAD = 16 };
    __attribute__((aligned(64))) double weights[AHEAD * MOST_RESAMPLING_TAPS];
    long first_tap[AHEAD];
    for (size_t done = 0; done < count; done += AHEAD, out += AHEAD * FRAME) {
        const size_t places = count - done < AHEAD ? count - done : AHEAD;
        for (size_t j = 0; j < places; j++) {
            const double k = (double)(done + j);
            first_tap[j] = NAMED(weights_at)(start + k * (step + k * bend), table, segments, taps,
                                             weights + j * taps);
        }
        EACH_GROUP (at, WIDTH) {
            for (size_t j = 0; j < places; j += 2) {
                const float *from = frames + (first_tap[j] - first_frame) * FRAME + at;
                const double *by = weights + j * taps, *next_by = by + taps;
                double *to = out + j * FRAME + at;
                const long apart = j + 1 < places ? first_tap[j + 1] - first_tap[j] : 0;
                if (j + 1 == places) {
                    NAMED(resample_one)(from, by, taps, to);
                } else if (apart == 1) {
                    NAMED(resample_two)(from, 1, by, next_by, taps, to);
                } else if (apart == 2) {
                    NAMED(resample_two)(from, 2, by, next_by, taps, to);
                } else {
                    NAMED(resample_one)(from, by, taps, to);
                    NAMED(resample_one)(from + apart * FRAME, next_by, taps, to + FRAME);
                }
            }
        }
    }
}

static void NAMED(chebyshev_series)(const double *series, size_t terms, double step, size_t count,
                                    double *out)
{
    /* So many vectors at once that none waits for its own last term. */
    enum { VECTORS = SERIES_AT_ONCE / WIDTH < 4 ? SERIES_AT_ONCE / WIDTH : 4 };
    for (size_t k = 0; k < count; k += VECTORS * WIDTH) {
        DOUBLES x[VECTORS], now[VECTORS], before[VECTORS];
        for (size_t v = 0; v < VECTORS; v++) {
            for (size_t lane = 0; lane < WIDTH; lane++)
                x[v][lane] = (double)(k + v * WIDTH + lane) * step;
            x[v] = 2 * x[v] * x[v] - 1;
            now[v] = x[v] * 0 + series[terms - 1];
            before[v] = x[v] * 0;
        }
        for (size_t j = terms - 2; j > 0; j--)
            _Pragma("GCC unroll 4") for (size_t v = 0; v < VECTORS; v++)
            {
                const DOUBLES after = 2 * x[v] * now[v] - before[v] + series[j];
                before[v] = now[v];
                now[v] = after;
            }
        for (size_t v = 0; v < VECTORS; v++)
            *(DOUBLES *)(out + k + v * WIDTH) = x[v] * now[v] - before[v] + series[0];
    }
}

static inline __attribute__((always_inline)) double NAMED(group_squares)(
    const double *phasors, size_t orders, const size_t bins, double *group, double *subgroup,
    double *between, double *centred)
{
    const size_t half = bins / 2;
    double below_group = 0, below_subgroup = 0, total = 0;
    for (size_t h = 0; h < orders; h++, phasors += 2 * bins) {
        double power[12];
        for (size_t j = 0; j < bins; j++)
            power[j] = phasors[2 * j] * phasors[2 * j] + phasors[2 * j + 1] * phasors[2 * j + 1];
        /* Sums, no differences: little between two strong orders must not be lost. */
        double near = 0, far = 0;
        for (size_t j = 2; j < half; j++)
            near += power[j], far += power[j + half - 1];
        /* The bin halfway between two orders belongs to both by half. */
        group[h] = below_group + power[0] + power[1] + near + power[half] / 2;
        subgroup[h] = below_subgroup + power[0] + power[1];
        centred[h] = near + power[half] + far;
        between[h] = centred[h] + power[1] + power[bins - 1];
        total += power[0] + between[h];
        below_group = power[half] / 2 + far + power[bins - 1];
        below_subgroup = power[bins - 1];
    }
    return total;
}

static void NAMED(group_levels)(const double *phasors, size_t channels, size_t orders, size_t bins,
                                double *out, double *all)
{
    const size_t apart = channels * orders;
    for (size_t channel = 0; channel < channels; channel++) {
        const double *of = phasors + 2 * channel * orders * bins;
        double *to = out + channel * orders;
        const double total =
            bins == 10 ? NAMED(group_squares)(of, orders, 10, to, to + apart, to + 2 * apart, to + 3 * apart)
                       : NAMED(group_squares)(of, orders, 12, to, to + apart, to + 2 * apart, to + 3 * apart);
        all[channel] = sqrt(total);
    }
    size_t k = 0;
    for (; k + WIDTH <= 4 * apart; k += WIDTH)
        *(DOUBLES *)(out + k) = ROOTS(*(const DOUBLES *)(out + k));
    for (; k < 4 * apart; k++)
        out[k] = sqrt(out[k]);
}

#include "window_transform_body.h"

static const waveform_kernels NAMED(kernels) = {
    NAME, NAMED(decimate_codes), NAMED(decimate_frames), NAMED(frames_of_codes), NAMED(demodulate),
    NAMED(resample), NAMED(transform), NAMED(chebyshev_series), NAMED(unfold),
    NAMED(group_levels),
};

#undef DECIMATE
#undef DECIMATE_BY_FILTER
#undef EACH_GROUP
#undef WIDE
#undef ROOTS
#undef DOUBLES
#undef WIDTH
#undef FLOATS
#undef NAMED
#undef NAME
