/* Floating-point kernels of the mains stream; mains_stream.py says what they are for.

   A frame is what all channels had at one instant: FRAME values, of which as many count as there are
   channels. */
#ifndef SPOTCHECK_WAVEFORM_KERNELS_H
#define SPOTCHECK_WAVEFORM_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum { FRAME = 8, MOST_DECIMATION_TAPS = 16, MOST_RESAMPLING_TAPS = 128, SERIES_AT_ONCE = 32 };

/* Symmetric; 5, 7, 9 or 13 taps where `by` is 2, and 10, 13 or 16 where it is 4. */
typedef struct {
    size_t by, taps;
    float coefficients[MOST_DECIMATION_TAPS];
} decimation_filter;

typedef struct {
    const char *name;

    /* What a frame given to these holds beyond the channels (1 to FRAME) may be worked upon or left;
       what a result holds there means nothing. */

    /* Every `by`-th frame behind a filter: frame m of `out` is the sum of coefficient[j] × frame
       by·m+j. The codes of an instant lie `channels` after those of the one before; nothing behind
       the last one needed is read. */
    void (*decimate_codes)(const int32_t *codes, size_t channels, size_t count,
                           const decimation_filter *filter, float *out);
    void (*decimate_frames)(const float *frames, size_t channels, size_t count,
                            const decimation_filter *filter, float *out);

    /* Codes as they are, 24 bits of which float holds without loss. Codes as above. */
    void (*frames_of_codes)(const int32_t *codes, size_t channels, size_t count, float *out);

    /* RMS phasors of the fundamental at an instant: four boxes of one cycle (a cubic B-spline) over
       the frames two cycles to either side. Cosine phase at the instant itself. The first of the
       frames has the number `first_frame`; none but ceil(instant − 2 cycles) to
       floor(instant + 2 cycles) are read. `real` and `imaginary` have room for FRAME. */
    void (*demodulate)(const float *frames, long first_frame, size_t channels, double instant,
                       double cycle_frames, double *real, double *imaginary);

    /* Frames at the places start + k·step + k²·bend, k < count, between the given frames, the first of
       which has the number `first_frame`. Places never fall. How one rounds depends on the processor:
       where it may be whole, the frames to both sides of it must be there.
       `table` holds for each of `segments` parts of a sample interval the cubics in ±½ of all taps:
       [segment][power][tap], taps a multiple of FRAME. Tap t of a value at q weighs frame
       floor(q) − taps/2 + 1 + t. */
    void (*resample)(const float *frames, long first_frame, size_t channels, double start,
                     double step, double bend, size_t count, const double *table, size_t segments,
                     size_t taps, double *out);

    /* The discrete Fourier transform of 320·parts frames, parts 5 or 6, two by two as complex values:
       160·parts complex frames, 8 real parts and 8 imaginary ones each. `turns` holds cosine and
       −sine of n/(320·parts) of a turn, for all n. */
    void (*transform)(const double *values, size_t channels, size_t parts, const double *turns,
                      double *out);

    /* A Chebyshev series of at least two terms in 2x² − 1 at x = k·step, k < count; `out` has room for
       a multiple of SERIES_AT_ONCE. */
    void (*chebyshev_series)(const double *series, size_t terms, double step, size_t count,
                             double *out);

    /* Bins 0 to count − 1, no more than 160·parts, of the real frames that `transform` took, times the
       scale of each: (channels, count) complex values. */
    void (*unfold)(const double *transformed, size_t channels, size_t parts, const double *turns,
                   const double *scale, size_t count, double *out);

    /* RMS of the groups of each order (harmonic_groups.py) from the RMS phasors of all bins, 10 or 12 an
       order: `out` takes harmonic groups, their subgroups, interharmonic groups, their centred
       subgroups, (4, channels, orders); `all` the RMS of all bins of each channel. */
    void (*group_levels)(const double *phasors, size_t channels, size_t orders, size_t bins,
                         double *out, double *all);
} waveform_kernels;

/* Those that this processor can run, the fastest first; the last is for any. */
const waveform_kernels *const *waveform_variants(size_t *count);

#endif
