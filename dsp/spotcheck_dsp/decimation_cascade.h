/* Codes to frames of the analysis and of the track: one decimation after the other, block by block.

   The last frames of both are kept in rings of which each half holds all frames, so that whatever is
   kept lies in one piece, and a step never has to move what came before it. */
#ifndef SPOTCHECK_DECIMATION_CASCADE_H
#define SPOTCHECK_DECIMATION_CASCADE_H

#include "waveform_kernels.h"

enum {
    MOST_STAGES = 12,
    CHUNK = 2048, /* instants that are taken at once: they stay in the cache */
};

typedef struct {
    float *frames; /* 2·size frames; frame n lies at n mod size, and again `size` behind it */
    size_t size;
    long end;      /* number of the next frame */
} frame_ring;

/* Frame n of those that are kept, and behind it all that are newer. */
static inline float *ring_frames(const frame_ring *ring, long frame)
{
    return ring->frames + (size_t)(frame % (long)ring->size) * FRAME;
}

static inline long ring_first(const frame_ring *ring)
{
    return ring->end > (long)ring->size ? ring->end - (long)ring->size : 0;
}

typedef struct {
    decimation_filter filter;
    size_t held;   /* frames that wait to be decimated */
    float *frames; /* room for CHUNK, and what a filter reaches; none where codes or the analysis are
                      decimated */
} decimation_stage;

typedef struct {
    const waveform_kernels *kernels;
    size_t channels, stages, analysis_stages;
    decimation_stage stage[MOST_STAGES];
    int32_t *codes; /* instants that wait for the first stage */
    size_t codes_held;
    frame_ring analysis, track;
    long analysis_taken; /* frames of the analysis that the track is made of already */
} decimation_cascade;

/* Rooms of all sizes, zeroed; 0 where there is no memory for them. What `cascade` holds must be zero
   but for kernels, channels, stages, analysis_stages, and the filters' taps and coefficients. */
int cascade_open(decimation_cascade *cascade, size_t analysis_kept, size_t track_kept);
void cascade_close(decimation_cascade *cascade);

void cascade_take(decimation_cascade *cascade, const int32_t *codes, size_t instants);

#endif
