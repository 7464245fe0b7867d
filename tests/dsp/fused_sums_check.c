/* Holds every variant of the fused sums against plain 128-bit sums, and prints a digest of them.

   Built with the sanitizers by the tests, and for aarch64 under an emulator; blocks are allocated to
   their exact size, so that a read beyond an end is seen. */
#include "fused_sums.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 32);
}

/* Apart, so that the codes are the same however many variants there are. */
static uint64_t code_seed = 20261124, block_seed = 1;

static uint64_t digest = 1469598103934665603u;

static void digest_sums(const int64_t *sums, size_t count)
{
    for (size_t k = 0; k < count; k++)
        for (int shift = 0; shift < 64; shift += 8)
            digest = (digest ^ ((uint64_t)sums[k] >> shift & 0xff)) * 1099511628211u;
}

/* The definition, one product after the other. */
static void expected_sums(const int32_t *codes, size_t from, size_t to, size_t phases, int lagged,
                          int64_t *sums)
{
    for (size_t phase = 0; phase < phases; phase++) {
        __int128 sum[SUMS_PER_PHASE] = {0};
        for (size_t n = from; n < to; n++) {
            const int32_t *now = codes + 2 * (n * phases + phase);
            const int64_t u = now[0], i = now[1];
            const int64_t u_before = n ? now[-2 * (ptrdiff_t)phases] : 0;
            const int64_t i_before = n ? now[1 - 2 * (ptrdiff_t)phases] : 0;
            sum[SUM_UI] += u * i;
            sum[SUM_LAG] += lagged ? (__int128)u * i_before - (__int128)u_before * i : 0;
            sum[SUM_UU] += u * u;
            sum[SUM_II] += i * i;
            sum[SUM_U] += u;
            sum[SUM_I] += i;
        }
        for (size_t k = 0; k < SUMS_PER_PHASE; k++)
            sums[phase * SUMS_PER_PHASE + k] = (int64_t)sum[k];
    }
}

/* The stream in blocks of random lengths. */
static uint32_t in_blocks(const fused_variant *by, const int32_t *codes, size_t frames,
                          size_t phases, size_t slot_length, int lagged, int64_t *slots)
{
    fused_state state;
    memset(&state, 0, sizeof state);
    uint32_t largest = 0;
    for (size_t done = 0; done < frames;) {
        size_t count = 1 + next_random(&block_seed) % (next_random(&block_seed) % 8 ? 40 : 700);
        count = count < frames - done ? count : frames - done;
        const size_t size = count * 2 * phases * sizeof *codes;
        int32_t *block = malloc(size);
        memcpy(block, codes + done * 2 * phases, size);
        const size_t completed = (state.filled + count) / slot_length;
        const uint32_t found = fused_slots(by, block, count, phases, slot_length, lagged, &state, slots);
        largest = found > largest ? found : largest;
        slots += completed * phases * SUMS_PER_PHASE;
        done += count;
        free(block);
    }
    return largest;
}

static int check(size_t phases, size_t slot_length, int lagged, int extreme)
{
    const size_t slots = 1 + 3000 / slot_length, frames = slots * slot_length;
    const size_t size = phases * SUMS_PER_PHASE;
    int32_t *codes = malloc(frames * 2 * phases * sizeof *codes);
    int64_t *expected = malloc(slots * size * sizeof *expected);
    int64_t *found = malloc(slots * size * sizeof *found);
    uint32_t largest = 0;
    for (size_t k = 0; k < frames * 2 * phases; k++) {
        codes[k] = extreme ? (next_random(&code_seed) % 2 ? 1 << 23 : -(1 << 23))
                           : (int32_t)(next_random(&code_seed) & 0xffffff) - (1 << 23);
        const uint32_t size_of_code = (uint32_t)(codes[k] < 0 ? -codes[k] : codes[k]);
        largest = size_of_code > largest ? size_of_code : largest;
    }
    for (size_t slot = 0; slot < slots; slot++)
        expected_sums(codes, slot * slot_length, (slot + 1) * slot_length, phases, lagged,
                      expected + slot * size);
    size_t count;
    const fused_variant *const *variants = fused_variants(&count);
    int wrong = 0;
    for (size_t k = 0; k < count; k++) {
        memset(found, 0xff, slots * size * sizeof *found);
        const uint32_t peak = in_blocks(variants[k], codes, frames, phases, slot_length, lagged, found);
        if (peak != largest || memcmp(found, expected, slots * size * sizeof *found)) {
            printf("%s differs: phases %zu, slots of %zu, lagged %d\n", variants[k]->name, phases,
                   slot_length, lagged);
            wrong = 1;
        }
    }
    digest_sums(expected, slots * size);
    free(codes);
    free(expected);
    free(found);
    return wrong;
}

int main(void)
{
    static const size_t lengths[] = {1, 2, 3, 7, 8, 9, 29, 31, 61, 200, 247, 248, 249, 1000, 65535};
    int wrong = 0;
    for (size_t phases = 1; phases <= MOST_PHASES; phases++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
            for (int lagged = 0; lagged < 2; lagged++)
                for (int extreme = 0; extreme < 2; extreme++)
                    wrong |= check(phases, lengths[k], lagged, extreme);
    size_t count;
    const fused_variant *const *variants = fused_variants(&count);
    for (size_t k = 0; k < count; k++)
        printf("%s ", variants[k]->name);
    printf("digest %016llx\n", (unsigned long long)digest);
    return wrong;
}
