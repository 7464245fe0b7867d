#include "decimation_cascade.h"

#include <stdlib.h>
#include <string.h>

/* Instants that are held back, and those that are laid behind them, are fewer. */
enum { MOST_HELD = 48 };

static void *zeroed(size_t size)
{
    const size_t whole = (size + 63) / 64 * 64;
    void *found = aligned_alloc(64, whole);
    if (found)
        memset(found, 0, whole);
    return found;
}

static int ring_open(frame_ring *ring, size_t size)
{
    ring->size = size;
    ring->frames = zeroed(2 * size * FRAME * sizeof(float));
    return ring->frames != NULL;
}

/* `count` frames were written where `end` stands: each goes to its other place too. */
static void ring_grown(frame_ring *ring, size_t count)
{
    const size_t at = (size_t)(ring->end % (long)ring->size);
    const size_t before = count < ring->size - at ? count : ring->size - at;
    float *const half = ring->frames + ring->size * FRAME;
    memcpy(half + at * FRAME, ring->frames + at * FRAME, before * FRAME * sizeof(float));
    memcpy(ring->frames, half, (count - before) * FRAME * sizeof(float));
    ring->end += (long)count;
}

int cascade_open(decimation_cascade *cascade, size_t analysis_kept, size_t track_kept)
{
    int opened = ring_open(&cascade->analysis, analysis_kept) & ring_open(&cascade->track, track_kept);
    cascade->codes = zeroed((MOST_HELD * cascade->channels + FRAME) * sizeof *cascade->codes);
    opened &= cascade->codes != NULL;
    for (size_t k = 1; k < cascade->stages; k++)
        if (k != cascade->analysis_stages) {
            cascade->stage[k].frames = zeroed((CHUNK + MOST_HELD) * FRAME * sizeof(float));
            opened &= cascade->stage[k].frames != NULL;
        }
    return opened;
}

void cascade_close(decimation_cascade *cascade)
{
    for (size_t k = 0; k < cascade->stages; k++)
        free(cascade->stage[k].frames);
    free(cascade->codes);
    free(cascade->analysis.frames);
    free(cascade->track.frames);
}

static size_t outputs_of(size_t inputs, const decimation_filter *filter)
{
    return inputs < filter->taps ? 0 : (inputs - filter->taps) / filter->by + 1;
}

/* Where what so many stages made goes. */
static float *room_for(decimation_cascade *cascade, size_t stages)
{
    if (stages == cascade->analysis_stages)
        return ring_frames(&cascade->analysis, cascade->analysis.end);
    if (stages == cascade->stages)
        return ring_frames(&cascade->track, cascade->track.end);
    return cascade->stage[stages].frames + cascade->stage[stages].held * FRAME;
}

static void decimate_on(decimation_cascade *cascade, size_t stages);

/* `count` frames that so many stages made were written into their room: what can follow, follows. */
static void arrived(decimation_cascade *cascade, size_t stages, size_t count)
{
    if (stages == cascade->analysis_stages) {
        ring_grown(&cascade->analysis, count);
        if (stages == cascade->stages) {
            memcpy(ring_frames(&cascade->track, cascade->track.end),
                   ring_frames(&cascade->analysis, cascade->analysis.end - (long)count),
                   count * FRAME * sizeof(float));
            ring_grown(&cascade->track, count);
        }
    } else if (stages == cascade->stages) {
        ring_grown(&cascade->track, count);
    } else {
        cascade->stage[stages].held += count;
    }
    if (stages < cascade->stages)
        decimate_on(cascade, stages);
}

static void decimate_on(decimation_cascade *cascade, size_t stages)
{
    decimation_stage *stage = &cascade->stage[stages];
    const int of_analysis = stages == cascade->analysis_stages;
    const size_t held =
        of_analysis ? (size_t)(cascade->analysis.end - cascade->analysis_taken) : stage->held;
    const size_t outputs = outputs_of(held, &stage->filter), taken = stage->filter.by * outputs;
    const float *from =
        of_analysis ? ring_frames(&cascade->analysis, cascade->analysis_taken) : stage->frames;
    if (outputs == 0)
        return;
    cascade->kernels->decimate_frames(from, cascade->channels, outputs, &stage->filter,
                                      room_for(cascade, stages + 1));
    if (of_analysis) {
        cascade->analysis_taken += (long)taken;
    } else {
        stage->held -= taken;
        memmove(stage->frames, stage->frames + taken * FRAME, stage->held * FRAME * sizeof(float));
    }
    arrived(cascade, stages + 1, outputs);
}

static void decimate_codes(decimation_cascade *cascade, const int32_t *codes, size_t outputs)
{
    cascade->kernels->decimate_codes(codes, cascade->channels, outputs, &cascade->stage[0].filter,
                                     room_for(cascade, 1));
    arrived(cascade, 1, outputs);
}

/* What was held back goes first, with as many of the new instants as its last filter needs. */
static void take_and_decimate(decimation_cascade *cascade, const int32_t *codes, size_t instants)
{
    const decimation_filter *const filter = &cascade->stage[0].filter;
    const size_t channels = cascade->channels, by = filter->by, enough = filter->taps + by;
    const size_t held = cascade->codes_held, joined = instants < enough ? instants : enough;
    const size_t size = channels * sizeof *codes;
    memcpy(cascade->codes + held * channels, codes, joined * size);
    const size_t first = outputs_of(held + joined, filter);
    decimate_codes(cascade, cascade->codes, first);
    if (joined == instants) {
        cascade->codes_held = held + joined - by * first;
        memmove(cascade->codes, cascade->codes + by * first * channels, cascade->codes_held * size);
        return;
    }
    const size_t taken = by * first - held, others = outputs_of(instants - taken, filter);
    decimate_codes(cascade, codes + taken * channels, others);
    cascade->codes_held = instants - taken - by * others;
    memcpy(cascade->codes, codes + (taken + by * others) * channels, cascade->codes_held * size);
}

/* So few at once that neither ring loses what still waits to be decimated. */
static size_t chunk_of(const decimation_cascade *cascade)
{
    const size_t analysis = cascade->analysis.size, track = cascade->track.size;
    const size_t least = analysis < track ? analysis : track;
    return least / 2 < CHUNK ? least / 2 : CHUNK;
}

void cascade_take(decimation_cascade *cascade, const int32_t *codes, size_t instants)
{
    const size_t chunk = chunk_of(cascade);
    for (size_t done = 0; done < instants; done += chunk) {
        const size_t count = instants - done < chunk ? instants - done : chunk;
        const int32_t *from = codes + done * cascade->channels;
        if (cascade->analysis_stages) {
            take_and_decimate(cascade, from, count);
        } else {
            cascade->kernels->frames_of_codes(from, cascade->channels, count,
                                              room_for(cascade, 0));
            arrived(cascade, 0, count);
        }
    }
}
