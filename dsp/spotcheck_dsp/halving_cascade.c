#include "halving_cascade.h"

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

int cascade_open(halving_cascade *cascade, size_t analysis_kept, size_t track_kept)
{
    int opened = ring_open(&cascade->analysis, analysis_kept) & ring_open(&cascade->track, track_kept);
    cascade->codes = zeroed((MOST_HELD * cascade->channels + FRAME) * sizeof *cascade->codes);
    opened &= cascade->codes != NULL;
    for (size_t k = 1; k < cascade->stages; k++)
        if (k != cascade->analysis_halvings) {
            cascade->stage[k].frames = zeroed((CHUNK + MOST_HELD) * FRAME * sizeof(float));
            opened &= cascade->stage[k].frames != NULL;
        }
    return opened;
}

void cascade_close(halving_cascade *cascade)
{
    for (size_t k = 0; k < cascade->stages; k++)
        free(cascade->stage[k].frames);
    free(cascade->codes);
    free(cascade->analysis.frames);
    free(cascade->track.frames);
}

static size_t outputs_of(size_t inputs, size_t taps)
{
    return inputs < taps ? 0 : (inputs - taps) / 2 + 1;
}

/* Where frames of so many halvings go. */
static float *room_for(halving_cascade *cascade, size_t halvings)
{
    if (halvings == cascade->analysis_halvings)
        return ring_frames(&cascade->analysis, cascade->analysis.end);
    if (halvings == cascade->stages)
        return ring_frames(&cascade->track, cascade->track.end);
    return cascade->stage[halvings].frames + cascade->stage[halvings].held * FRAME;
}

static void halve_on(halving_cascade *cascade, size_t halvings);

/* `count` frames of so many halvings were written into their room: what can follow, follows. */
static void arrived(halving_cascade *cascade, size_t halvings, size_t count)
{
    if (halvings == cascade->analysis_halvings) {
        ring_grown(&cascade->analysis, count);
        if (halvings == cascade->stages) {
            memcpy(ring_frames(&cascade->track, cascade->track.end),
                   ring_frames(&cascade->analysis, cascade->analysis.end - (long)count),
                   count * FRAME * sizeof(float));
            ring_grown(&cascade->track, count);
        }
    } else if (halvings == cascade->stages) {
        ring_grown(&cascade->track, count);
    } else {
        cascade->stage[halvings].held += count;
    }
    if (halvings < cascade->stages)
        halve_on(cascade, halvings);
}

static void halve_on(halving_cascade *cascade, size_t halvings)
{
    halving_stage *stage = &cascade->stage[halvings];
    const int of_analysis = halvings == cascade->analysis_halvings;
    const size_t held =
        of_analysis ? (size_t)(cascade->analysis.end - cascade->analysis_taken) : stage->held;
    const size_t outputs = outputs_of(held, stage->taps);
    const float *from =
        of_analysis ? ring_frames(&cascade->analysis, cascade->analysis_taken) : stage->frames;
    if (outputs == 0)
        return;
    cascade->kernels->halve_frames(from, cascade->channels, outputs, stage->taps,
                                   stage->coefficients, room_for(cascade, halvings + 1));
    if (of_analysis) {
        cascade->analysis_taken += 2 * (long)outputs;
    } else {
        stage->held -= 2 * outputs;
        memmove(stage->frames, stage->frames + 2 * outputs * FRAME,
                stage->held * FRAME * sizeof(float));
    }
    arrived(cascade, halvings + 1, outputs);
}

static void halve_codes(halving_cascade *cascade, const int32_t *codes, size_t outputs)
{
    const halving_stage *stage = &cascade->stage[0];
    cascade->kernels->halve_codes(codes, cascade->channels, outputs, stage->taps,
                                  stage->coefficients, room_for(cascade, 1));
    arrived(cascade, 1, outputs);
}

/* What was held back goes first, with as many of the new instants as its last filter needs. */
static void take_and_halve(halving_cascade *cascade, const int32_t *codes, size_t instants)
{
    const size_t channels = cascade->channels, taps = cascade->stage[0].taps;
    const size_t held = cascade->codes_held, joined = instants < taps + 2 ? instants : taps + 2;
    const size_t size = channels * sizeof *codes;
    memcpy(cascade->codes + held * channels, codes, joined * size);
    const size_t first = outputs_of(held + joined, taps);
    halve_codes(cascade, cascade->codes, first);
    if (2 * first < held || joined == instants) {
        cascade->codes_held = held + joined - 2 * first;
        memmove(cascade->codes, cascade->codes + 2 * first * channels, cascade->codes_held * size);
        return;
    }
    const size_t taken = 2 * first - held, others = outputs_of(instants - taken, taps);
    halve_codes(cascade, codes + taken * channels, others);
    cascade->codes_held = instants - taken - 2 * others;
    memcpy(cascade->codes, codes + (taken + 2 * others) * channels, cascade->codes_held * size);
}

/* So few at once that neither ring loses what still waits to be halved. */
static size_t chunk_of(const halving_cascade *cascade)
{
    const size_t analysis = cascade->analysis.size, track = cascade->track.size;
    const size_t least = analysis < track ? analysis : track;
    return least / 2 < CHUNK ? least / 2 : CHUNK;
}

void cascade_take(halving_cascade *cascade, const int32_t *codes, size_t instants)
{
    const size_t chunk = chunk_of(cascade);
    for (size_t done = 0; done < instants; done += chunk) {
        const size_t count = instants - done < chunk ? instants - done : chunk;
        const int32_t *from = codes + done * cascade->channels;
        if (cascade->analysis_halvings) {
            take_and_halve(cascade, from, count);
        } else {
            cascade->kernels->frames_of_codes(from, cascade->channels, count,
                                              room_for(cascade, 0));
            arrived(cascade, 0, count);
        }
    }
}
