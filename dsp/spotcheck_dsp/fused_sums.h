/* Exact sums over interleaved int32 samples u1, i1, u2, i2, …; what they are says slot_sums.py. */
#ifndef SPOTCHECK_FUSED_SUMS_H
#define SPOTCHECK_FUSED_SUMS_H

#include <stddef.h>
#include <stdint.h>

enum {
    MOST_PHASES = 4,
    /* So many codes of 24 bits add up within an int32, and fill vectors with any number of phases. */
    LONGEST_CHUNK = 248,
    /* Shorter slots go quicker with shorter vectors, fewer frames at once with one a frame: there is
       less to fold. */
    BRIEF_SLOT = 128,
    BRIEF_CHUNK = 30,
    SUM_UI = 0, SUM_LAG, SUM_UU, SUM_II, SUM_U, SUM_I, SUMS_PER_PHASE
};

/* What a chunk leaves in the lanes of its accumulators; pair k belongs to phase k mod phases.
   At most 24 pairs; rows are read that begin among them and may end beyond. Aligned, as a vector
   that straddles a cache line is stored twice as slowly. `raised_frames` of each phase, zeros
   included, were summed up above themselves (see RAISED). */
typedef struct {
    int64_t products[4][32];
    int32_t codes[64];
    uint32_t largest[16];
    size_t pairs, raised_frames;
} __attribute__((aligned(64))) fused_lanes;

/* Sums up `frames` (at most LONGEST_CHUNK) and raises `largest` to the largest |code|. With `lagged`
   the frame before `codes` must be readable, and products[SUM_LAG] is Σ(u + u')(i − i'), primes
   meaning one sample earlier; else it is 0. */
typedef void (*fused_chunk)(const int32_t *codes, size_t frames, size_t phases, int lagged,
                            fused_lanes *to);

/* Adds what a chunk left to the sums of its slot, −products[SUM_LAG] to the lagged one. */
typedef void (*fused_fold)(const fused_lanes *lanes, size_t phases, int lagged, int64_t *sums);

typedef struct fused_variant {
    const char *name;
    fused_chunk chunk;
    fused_fold fold;
    const struct fused_variant *for_brief; /* what slots shorter than BRIEF_SLOT are left to */
} fused_variant;

/* The variants that this processor can run, the fastest first; the last is plain C. */
const fused_variant *const *fused_variants(size_t *count);

/* State between blocks; `partial` holds the sums of the `filled` frames of an unfinished slot. */
typedef struct {
    int32_t previous[2 * MOST_PHASES];
    int64_t partial[MOST_PHASES * SUMS_PER_PHASE];
    size_t filled;
} fused_state;

/* Completed slots go to `slots`, one after the other; returns the largest |code|. */
uint32_t fused_slots(const fused_variant *by, const int32_t *codes, size_t frames, size_t phases,
                     size_t slot_length, int lagged, fused_state *state, int64_t *slots);

#endif
