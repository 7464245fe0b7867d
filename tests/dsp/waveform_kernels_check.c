/* Holds every variant of the kernels of the mains stream against plain loops in double.

   Built with the sanitizers by the tests, and for aarch64 under an emulator; every array has exactly
   the size that waveform_kernels.h lets a kernel touch, so that a read beyond an end is seen. */
#include "decimation_cascade.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 20261124;
static int wrong;

static uint32_t below(uint32_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 32) % limit;
}

/* −1 to 1 in steps of 2⁻²³: exact in float too. */
static double fraction(void)
{
    return ((double)below((1 << 24) + 1) - (1 << 23)) / (1 << 23);
}

/* 0, 1 and other small numbers more often than large ones. */
static size_t length(void)
{
    return below(3) ? below(12) : below(70);
}

static void *room(size_t count, size_t size)
{
    void *found = calloc(count, size);
    /* NaN, or −1: what nobody writes is seen. */
    memset(found, 0xff, count * size);
    return found;
}

static void expect(double found, double expected, double within, const char *variant,
                   const char *kernel)
{
    /* The other way round, a NaN would pass. */
    if (!(fabs(found - expected) <= within)) {
        printf("%s %s: %.17g where %.17g is expected\n", variant, kernel, found, expected);
        wrong = 1;
    }
}

static float *random_frames(size_t count)
{
    float *frames = room(count * FRAME, sizeof *frames);
    for (size_t k = 0; k < count * FRAME; k++)
        frames[k] = (float)(8388608 * fraction());
    return frames;
}

static int32_t *random_codes(size_t count)
{
    int32_t *codes = room(count, sizeof *codes);
    for (size_t k = 0; k < count; k++)
        codes[k] = (int32_t)(8388608 * fraction());
    return codes;
}

/* One output; float32 rounds every addition and product by 2⁻²⁴ of what it has. */
static void expect_filtered(const float *found, const double *values, size_t apart, size_t lanes,
                            const decimation_filter *filter, const char *variant, const char *kernel)
{
    for (size_t lane = 0; lane < lanes; lane++) {
        double sum = 0, size = 0;
        for (size_t j = 0; j < filter->taps; j++) {
            sum += filter->coefficients[j] * values[j * apart + lane];
            size += fabs(filter->coefficients[j] * values[j * apart + lane]);
        }
        expect(found[lane], sum, size * (double)(filter->taps / 2 + 3) / (1 << 24), variant, kernel);
    }
}

static const size_t sizes[][2] = {{2, 5}, {2, 7}, {2, 9}, {2, 13}, {4, 10}, {4, 13}, {4, 16}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void check_decimations(const waveform_kernels *by, size_t channels, size_t count,
                              const size_t size[2])
{
    decimation_filter filter = {.by = size[0], .taps = size[1]};
    const size_t taps = filter.taps, apart = filter.by, instants = count ? apart * (count - 1) + taps : 0;
    for (size_t j = 0; j <= (taps - 1) / 2; j++)
        filter.coefficients[j] = filter.coefficients[taps - 1 - j] = (float)fraction();
    int32_t *codes = random_codes(instants * channels);
    float *frames = random_frames(instants);
    float *of_codes = room(count * FRAME, sizeof *of_codes), *of_frames = room(count * FRAME, sizeof *of_frames);
    double *wide_codes = room(instants * channels, sizeof *wide_codes);
    double *wide_frames = room(instants * FRAME, sizeof *wide_frames);
    for (size_t k = 0; k < instants * channels; k++)
        wide_codes[k] = codes[k];
    for (size_t k = 0; k < instants * FRAME; k++)
        wide_frames[k] = frames[k];
    by->decimate_codes(codes, channels, count, &filter, of_codes);
    by->decimate_frames(frames, channels, count, &filter, of_frames);
    for (size_t m = 0; m < count; m++) {
        float alone[FRAME];
        expect_filtered(of_codes + m * FRAME, wide_codes + apart * m * channels, channels, channels,
                        &filter, by->name, "decimate_codes");
        expect_filtered(of_frames + m * FRAME, wide_frames + apart * m * FRAME, FRAME, channels,
                        &filter, by->name, "decimate_frames");
        /* No result may depend on how the stream was cut. */
        by->decimate_codes(codes + apart * m * channels, channels, 1, &filter, alone);
        for (size_t lane = 0; lane < channels; lane++)
            expect(alone[lane], of_codes[m * FRAME + lane], 0, by->name, "decimate_codes of one");
    }
    free(codes), free(frames), free(of_codes), free(of_frames), free(wide_codes), free(wide_frames);
}

static void check_frames(const waveform_kernels *by, size_t channels, size_t count)
{
    int32_t *codes = random_codes(count * channels);
    float *frames = room(count * FRAME, sizeof *frames);
    by->frames_of_codes(codes, channels, count, frames);
    for (size_t k = 0; k < count * FRAME; k++)
        if (k % FRAME < channels)
            expect(frames[k], codes[k / FRAME * channels + k % FRAME], 0, by->name, "frames_of_codes");
    free(codes), free(frames);
}

static double positive_cube(double x)
{
    return x > 0 ? x * x * x : 0;
}

static void check_demodulation(const waveform_kernels *by, size_t channels)
{
    const double cycle = 60 + 58 * fraction(), instant = 1e5 * fraction();
    const long first = (long)ceil(instant - 2 * cycle), last = (long)floor(instant + 2 * cycle);
    float *frames = random_frames((size_t)(last - first + 1));
    double real[FRAME], imaginary[FRAME];
    by->demodulate(frames, first, channels, instant, cycle, real, imaginary);
    for (size_t lane = 0; lane < channels; lane++) {
        double total = 0, cosines = 0, sines = 0;
        for (long n = first; n <= last; n++) {
            const double x = fabs((double)n - instant) / cycle;
            const double weight = positive_cube(2 - x) - 4 * positive_cube(1 - x);
            const double angle = 2 * M_PI * ((double)n - instant) / cycle;
            const double value = frames[(size_t)(n - first) * FRAME + lane];
            total += weight;
            cosines += weight * value * cos(angle);
            sines -= weight * value * sin(angle);
        }
        /* 480 turns that follow from each other; the codes reach 2²³. */
        expect(real[lane], M_SQRT2 * cosines / total, 8388608 * 1e-12, by->name, "demodulate");
        expect(imaginary[lane], M_SQRT2 * sines / total, 8388608 * 1e-12, by->name, "demodulate");
    }
    free(frames);
}

static double interpolated(const float *frames, long first_frame, double place,
                           const double *table, size_t segments, size_t taps, size_t lane,
                           double *size)
{
    const double whole = floor(place), scaled = (place - whole) * (double)segments;
    const size_t found = (size_t)scaled, segment = found < segments ? found : segments - 1;
    const double at = scaled - (double)segment - 0.5;
    const double *cubic = table + segment * 4 * taps;
    double sum = 0;
    *size = 0;
    for (size_t t = 0; t < taps; t++) {
        const double weight = cubic[t] + at * (cubic[taps + t] + at * (cubic[2 * taps + t] +
                                                                       at * cubic[3 * taps + t]));
        const long frame = (long)whole - (long)taps / 2 + 1 + (long)t - first_frame;
        sum += weight * frames[(size_t)frame * FRAME + lane];
        *size += 4 * fabs(frames[(size_t)frame * FRAME + lane]);
    }
    return sum;
}

static void check_resampling(const waveform_kernels *by, size_t channels, double start)
{
    static const size_t part[] = {1, 3, 64};
    const size_t segments = part[below(3)], taps = FRAME * (1 + below(MOST_RESAMPLING_TAPS / FRAME));
    const size_t count = length();
    /* So few digits that every place is exact, however the processor rounds. */
    const double step = (double)below(below(2) ? 1 << 11 : 1 << 12) / 1024, bend = (double)below(1 << 8) / 65536;
    const double last = count ? start + (double)(count - 1) * (step + (double)(count - 1) * bend) : start;
    const long first_frame = (long)floor(start) - (long)taps / 2 + 1;
    const size_t held = count ? (size_t)((long)floor(last) + (long)taps / 2 - first_frame + 1) : 0;
    float *frames = random_frames(held);
    double *table = room(segments * 4 * taps, sizeof *table);
    double *out = room(count * FRAME, sizeof *out);
    for (size_t k = 0; k < segments * 4 * taps; k++)
        table[k] = fraction();
    by->resample(frames, first_frame, channels, start, step, bend, count, table, segments, taps, out);
    for (size_t k = 0; k < count; k++)
        for (size_t lane = 0; lane < channels; lane++) {
            const double place = start + (double)k * (step + (double)k * bend);
            double size;
            const double expected = interpolated(frames, first_frame, place, table, segments, taps, lane, &size);
            expect(out[k * FRAME + lane], expected, size * 4e-15, by->name, "resample");
        }
    free(frames), free(table), free(out);
}

static void check_series(const waveform_kernels *by)
{
    const size_t terms = 2 + below(30), count = length();
    const double step = count ? (1 + fraction()) / 2 / (double)count : 1;
    double *series = room(terms, sizeof *series), size = 0;
    double *out = room((count + SERIES_AT_ONCE - 1) / SERIES_AT_ONCE * SERIES_AT_ONCE, sizeof *out);
    for (size_t j = 0; j < terms; j++)
        size += fabs(series[j] = fraction());
    by->chebyshev_series(series, terms, step, count, out);
    for (size_t k = 0; k < count; k++) {
        const long double root = (long double)k * step, x = 2 * root * root - 1;
        long double sum = series[0], before = 1, now = x;
        for (size_t j = 1; j < terms; j++) {
            const long double after = 2 * x * now - before;
            sum += series[j] * now;
            before = now, now = after;
        }
        expect(out[k], (double)sum, size * 1e-12, by->name, "chebyshev_series");
    }
    free(series), free(out);
}

/* Which share of bin k's power belongs to a group of order h; clauses in harmonic_groups.py. */
static double share(size_t which, size_t h, size_t k, size_t bins)
{
    const double away = fabs((double)k - (double)(h * bins)), half = (double)bins / 2;
    const size_t beyond = k - h * bins;
    switch (which) {
    case 0: return away < half ? 1 : away == half ? 0.5 : 0;
    case 1: return away <= 1;
    case 2: return k > h * bins && beyond < bins;
    default: return k > h * bins + 1 && beyond + 1 < bins;
    }
}

static void check_groups(const waveform_kernels *by, size_t channels, size_t bins)
{
    const size_t orders = 1 + below(51), count = orders * bins;
    double *phasors = room(2 * channels * count, sizeof *phasors), *all = room(channels, sizeof *all);
    double *out = room(4 * channels * orders, sizeof *out);
    for (size_t k = 0; k < 2 * channels * count; k++)
        phasors[k] = fraction();
    by->group_levels(phasors, channels, orders, bins, out, all);
    for (size_t channel = 0; channel < channels; channel++) {
        const double *of = phasors + 2 * channel * count;
        double total = 0;
        for (size_t k = 0; k < count; k++)
            total += of[2 * k] * of[2 * k] + of[2 * k + 1] * of[2 * k + 1];
        expect(all[channel] * all[channel], total, total * 1e-13, by->name, "all of group_levels");
        for (size_t which = 0; which < 4; which++)
            for (size_t h = 0; h < orders; h++) {
                double sum = 0;
                for (size_t k = 0; k < count; k++)
                    sum += share(which, h, k, bins) *
                           (of[2 * k] * of[2 * k] + of[2 * k + 1] * of[2 * k + 1]);
                const double level = out[(which * channels + channel) * orders + h];
                expect(level * level, sum, sum * 1e-14, by->name, "group_levels");
            }
    }
    free(phasors), free(all), free(out);
}

/* Cosine and −sine, laid end to end. */
static double *turns_of(size_t count)
{
    double *turns = room(2 * count, sizeof *turns);
    for (size_t n = 0; n < count; n++) {
        turns[2 * n] = cos(2 * M_PI * (double)n / (double)count);
        turns[2 * n + 1] = -sin(2 * M_PI * (double)n / (double)count);
    }
    return turns;
}

static void check_transform(const waveform_kernels *by, size_t parts, size_t channels)
{
    const size_t count = 320 * parts, bins = 102 * parts;
    double *values = room(count * FRAME, sizeof *values), *turns = turns_of(count);
    double *transformed = room(count * FRAME, sizeof *transformed);
    double *scale = room(bins, sizeof *scale), *out = room(2 * channels * bins, sizeof *out);
    for (size_t k = 0; k < count * FRAME; k++)
        values[k] = fraction();
    for (size_t k = 0; k < bins; k++)
        scale[k] = fraction();
    by->transform(values, channels, parts, turns, transformed);
    by->unfold(transformed, channels, parts, turns, scale, bins, out);
    for (size_t channel = 0; channel < channels; channel++)
        for (size_t k = 0; k < bins; k++) {
            double real = 0, imaginary = 0;
            for (size_t n = 0; n < count; n++) {
                const double *turn = turns + 2 * (n * k % count);
                real += values[n * FRAME + channel] * turn[0];
                imaginary += values[n * FRAME + channel] * turn[1];
            }
            const double *found = out + 2 * (channel * bins + k);
            expect(found[0], scale[k] * real, 1e-11, by->name, "transform");
            expect(found[1], scale[k] * imaginary, 1e-11, by->name, "transform");
        }
    free(values), free(turns), free(transformed), free(scale), free(out);
}

/* Plain decimation of a whole array: what a stage must have made in the end. */
static size_t decimated(const decimation_filter *filter, const double *frames, size_t count, double *out)
{
    const size_t outputs = count < filter->taps ? 0 : (count - filter->taps) / filter->by + 1;
    for (size_t m = 0; m < outputs; m++)
        for (size_t lane = 0; lane < FRAME; lane++) {
            double sum = 0;
            for (size_t j = 0; j < filter->taps; j++)
                sum += filter->coefficients[j] * frames[(filter->by * m + j) * FRAME + lane];
            out[m * FRAME + lane] = sum;
        }
    return outputs;
}

static void expect_kept(const frame_ring *ring, const double *frames, size_t count, size_t channels,
                        const char *variant, const char *which)
{
    expect((double)ring->end, (double)count, 0, variant, which);
    for (long n = ring_first(ring); n < ring->end; n++)
        for (size_t lane = 0; lane < channels; lane++)
            expect((ring_frames(ring, ring_first(ring)) + (n - ring_first(ring)) * FRAME)[lane],
                   frames[(size_t)n * FRAME + lane], 8388608 * 1e-6, variant, which);
}

static void check_cascade(const waveform_kernels *by, size_t stages, size_t analysis_stages)
{
    const size_t instants = 2000 + below(2000), channels = 1 + below(FRAME);
    decimation_cascade cascade = {
        .kernels = by, .channels = channels, .stages = stages, .analysis_stages = analysis_stages};
    for (size_t k = 0; k < stages; k++) {
        decimation_filter *filter = &cascade.stage[k].filter;
        const size_t *size = sizes[below(SIZES)];
        filter->by = size[0], filter->taps = size[1];
        for (size_t j = 0; j < filter->taps; j++)
            filter->coefficients[j] = (float)(1.0 / (double)filter->taps);
    }
    expect(cascade_open(&cascade, 64 + below(900), 64 + below(900)), 1, 0, by->name, "cascade_open");
    double *frames = room(instants * FRAME, sizeof *frames), *analysis = NULL;
    memset(frames, 0, instants * FRAME * sizeof *frames);
    for (size_t done = 0, count; done < instants; done += count) {
        count = below(4) ? below(20) : below(1500);
        count = count < instants - done ? count : instants - done;
        int32_t *codes = random_codes(count * channels);
        for (size_t k = 0; k < count * channels; k++)
            frames[(done + k / channels) * FRAME + k % channels] = codes[k];
        cascade_take(&cascade, codes, count);
        free(codes);
    }
    size_t count = instants, analysed = 0;
    for (size_t k = 0; k <= stages; k++) {
        if (k == analysis_stages)
            analysis = frames, analysed = count;
        if (k < stages) {
            double *next = room(count * FRAME, sizeof *next);
            count = decimated(&cascade.stage[k].filter, frames, count, next);
            if (frames != analysis)
                free(frames);
            frames = next;
        }
    }
    expect_kept(&cascade.analysis, analysis, analysed, channels, by->name, "analysis");
    expect_kept(&cascade.track, frames, count, channels, by->name, "track");
    if (frames != analysis)
        free(frames);
    free(analysis);
    cascade_close(&cascade);
}

int main(void)
{
    size_t variants;
    const waveform_kernels *const *found = waveform_variants(&variants);
    for (size_t k = 0; k < variants; k++) {
        for (size_t channels = 1; channels <= FRAME; channels++)
            for (size_t turn = 0; turn < 24; turn++) {
                const size_t count = turn < 6 ? turn : length();
                for (size_t size = 0; size < SIZES; size++)
                    check_decimations(found[k], channels, count, sizes[size]);
                check_frames(found[k], channels, count);
            }
        for (size_t turn = 0; turn < 100; turn++) {
            check_demodulation(found[k], 1 + below(FRAME));
            check_resampling(found[k], 1 + below(FRAME), (double)below(1 << 20) / 64 - 4096);
            check_series(found[k]);
            check_groups(found[k], 1 + below(FRAME), below(2) ? 10 : 12);
        }
        for (size_t parts = 5; parts <= 6; parts++)
            for (size_t channels = 1; channels <= FRAME; channels++)
                check_transform(found[k], parts, channels);
        for (size_t stages = 0; stages <= 5; stages++)
            for (size_t analysis = 0; analysis <= stages; analysis++)
                check_cascade(found[k], stages, analysis);
        /* A hair below a whole frame, as near as a double lies to it. */
        check_resampling(found[k], FRAME, -0x1p-60);
        printf("%s ", found[k]->name);
    }
    printf("%s\n", wrong ? "differ" : "agree");
    return wrong;
}
