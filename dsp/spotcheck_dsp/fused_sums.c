/* The fused pass: variants for AVX-512, AVX2, NEON and any processor, chosen at run time. */
#include "fused_sums.h"

#include <string.h>

static void chunk_plain(const int32_t *codes, size_t frames, size_t phases, int lagged,
                        fused_lanes *to)
{
    const size_t channels = 2 * phases;
    uint32_t most = to->largest[0];
    for (size_t phase = 0; phase < phases; phase++) {
        int64_t ui = 0, uu = 0, ii = 0, sum_u = 0, sum_i = 0, step = 0;
        const int32_t *at = codes + 2 * phase;
        for (size_t n = 0; n < frames; n++, at += channels) {
            const int64_t u = at[0], i = at[1];
            ui += u * i;
            uu += u * u;
            ii += i * i;
            sum_u += u;
            sum_i += i;
            const uint32_t size_u = (uint32_t)(u < 0 ? -u : u), size_i = (uint32_t)(i < 0 ? -i : i);
            most = size_u > most ? size_u : most;
            most = size_i > most ? size_i : most;
        }
        if (lagged) {
            at = codes + 2 * phase;
            for (size_t n = 0; n < frames; n++, at += channels) {
                const int64_t u = at[0], i = at[1], u_before = at[-(ptrdiff_t)channels];
                step += (u + u_before) * (i - at[1 - (ptrdiff_t)channels]);
            }
        }
        to->products[SUM_UI][phase] = ui;
        to->products[SUM_LAG][phase] = step;
        to->products[SUM_UU][phase] = uu;
        to->products[SUM_II][phase] = ii;
        to->codes[2 * phase] = (int32_t)sum_u;
        to->codes[2 * phase + 1] = (int32_t)sum_i;
    }
    to->largest[0] = most;
}

static void fold_plain(const fused_lanes *lanes, size_t phases, int lagged, int64_t *sums)
{
    for (size_t phase = 0; phase < phases; phase++, sums += SUMS_PER_PHASE) {
        sums[SUM_UI] += lanes->products[SUM_UI][phase];
        sums[SUM_UU] += lanes->products[SUM_UU][phase];
        sums[SUM_II] += lanes->products[SUM_II][phase];
        sums[SUM_U] += lanes->codes[2 * phase];
        sums[SUM_I] += lanes->codes[2 * phase + 1];
        if (lagged)
            sums[SUM_LAG] -= lanes->products[SUM_LAG][phase];
    }
}

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx512ifma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#define LANES 16
#define NAMED(what) what##_avx512ifma
#define vec __m512i
#define LOAD(from) _mm512_loadu_si512(from)
#define LOAD_FIRST(from, count) _mm512_maskz_loadu_epi32((__mmask16)((1U << (count)) - 1), from)
#define STORE(to, value) _mm512_storeu_si512(to, value)
#define ZERO _mm512_setzero_si512()
#define ADD32(a, b) _mm512_add_epi32(a, b)
#define SUB32(a, b) _mm512_sub_epi32(a, b)
#define ADD64(a, b) _mm512_add_epi64(a, b)
#define MAX_ABS(most, a) _mm512_max_epu32(most, _mm512_abs_epi32(a))
#define ODD_TO_EVEN(a) _mm512_srli_epi64(a, 32)
#define ADD_PRODUCTS(sum, a, b) _mm512_add_epi64(sum, _mm512_mul_epi32(a, b))
/* A product of 52 bits and its addition are one instruction, for what is not negative. */
#define RAISED_CODES(a) _mm512_add_epi32(a, _mm512_set1_epi32(1 << 23))
#define EVEN_FACTORS(a) _mm512_and_si512(RAISED_CODES(a), _mm512_set1_epi64(0xffffffff))
#define ODD_FACTORS(a) _mm512_srli_epi64(RAISED_CODES(a), 32)
#define ADD_FACTORS(sum, a, b) _mm512_madd52lo_epu64(sum, a, b)
#define RAISED 1
#include "fused_sums_lanes.h"
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#define LANES 16
#define NAMED(what) what##_avx512
#define vec __m512i
#define LOAD(from) _mm512_loadu_si512(from)
#define LOAD_FIRST(from, count) _mm512_maskz_loadu_epi32((__mmask16)((1U << (count)) - 1), from)
#define STORE(to, value) _mm512_storeu_si512(to, value)
#define ZERO _mm512_setzero_si512()
#define ADD32(a, b) _mm512_add_epi32(a, b)
#define SUB32(a, b) _mm512_sub_epi32(a, b)
#define ADD64(a, b) _mm512_add_epi64(a, b)
#define MAX_ABS(most, a) _mm512_max_epu32(most, _mm512_abs_epi32(a))
#define ODD_TO_EVEN(a) _mm512_srli_epi64(a, 32)
#define ADD_PRODUCTS(sum, a, b) _mm512_add_epi64(sum, _mm512_mul_epi32(a, b))
#include "fused_sums_lanes.h"
#pragma GCC pop_options

/* From element 8 − count on: a mask of the first `count` lanes. */
static const int32_t first_of_8[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

#pragma GCC push_options
#pragma GCC target("avx2")
#define LANES 8
#define NAMED(what) what##_avx2
#define vec __m256i
#define LOAD(from) _mm256_loadu_si256((const __m256i *)(from))
#define LOAD_FIRST(from, count) \
    _mm256_maskload_epi32(from, LOAD(first_of_8 + 8 - (count)))
#define STORE(to, value) _mm256_storeu_si256((__m256i *)(to), value)
#define ZERO _mm256_setzero_si256()
#define ADD32(a, b) _mm256_add_epi32(a, b)
#define SUB32(a, b) _mm256_sub_epi32(a, b)
#define ADD64(a, b) _mm256_add_epi64(a, b)
#define MAX_ABS(most, a) _mm256_max_epu32(most, _mm256_abs_epi32(a))
#define ODD_TO_EVEN(a) _mm256_srli_epi64(a, 32)
#define ADD_PRODUCTS(sum, a, b) _mm256_add_epi64(sum, _mm256_mul_epi32(a, b))
#include "fused_sums_lanes.h"
#pragma GCC pop_options
#endif

#if defined(__aarch64__)
#include <arm_neon.h>

/* Two registers of 4 lanes as one vector of 8. */
typedef struct {
    int32x4_t low, high;
} neon8;

#define NEON8(low, high) ((neon8){low, high})
#define PAIRWISE(function, a, b) NEON8(function((a).low, (b).low), function((a).high, (b).high))
#define NEON_ADD64(a, b) \
    vreinterpretq_s32_s64(vaddq_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)))
#define NEON_MAX_ABS(most, a) \
    vreinterpretq_s32_u32(vmaxq_u32(vreinterpretq_u32_s32(most), \
                                    vreinterpretq_u32_s32(vabsq_s32(a))))
#define NEON_PRODUCTS(a, b) \
    vreinterpretq_s32_s64(vmull_s32(vmovn_s64(vreinterpretq_s64_s32(a)), \
                                    vmovn_s64(vreinterpretq_s64_s32(b))))
#define NEON_ODD(a) vreinterpretq_s32_u64(vshrq_n_u64(vreinterpretq_u64_s32(a), 32))

static inline neon8 neon_load(const void *from)
{
    return NEON8(vld1q_s32((const int32_t *)from), vld1q_s32((const int32_t *)from + 4));
}

static inline neon8 neon_load_first(const int32_t *from, size_t count)
{
    int32_t first[8] = {0};
    memcpy(first, from, count * sizeof *from);
    return neon_load(first);
}

static inline void neon_store(void *to, neon8 value)
{
    vst1q_s32((int32_t *)to, value.low);
    vst1q_s32((int32_t *)to + 4, value.high);
}

#define LANES 8
#define NAMED(what) what##_neon
#define vec neon8
#define LOAD(from) neon_load(from)
#define LOAD_FIRST(from, count) neon_load_first(from, count)
#define STORE(to, value) neon_store(to, value)
#define ZERO NEON8(vdupq_n_s32(0), vdupq_n_s32(0))
#define ADD32(a, b) PAIRWISE(vaddq_s32, a, b)
#define SUB32(a, b) PAIRWISE(vsubq_s32, a, b)
#define ADD64(a, b) PAIRWISE(NEON_ADD64, a, b)
#define MAX_ABS(most, a) PAIRWISE(NEON_MAX_ABS, most, a)
#define ODD_TO_EVEN(a) NEON8(NEON_ODD((a).low), NEON_ODD((a).high))
#define ADD_PRODUCTS(sum, a, b) ADD64(sum, PAIRWISE(NEON_PRODUCTS, a, b))
#include "fused_sums_lanes.h"
#endif

static const fused_variant plain = {"plain", chunk_plain, fold_plain, NULL};
#if defined(__aarch64__)
static const fused_variant neon = {"neon", chunk_neon, fold_neon, NULL};
#elif defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
static const fused_variant avx2 = {"avx2", chunk_avx2, fold_avx2, NULL};
static const fused_variant avx512 = {"avx512", chunk_avx512, fold_avx512, &avx2};
static const fused_variant avx512ifma = {"avx512ifma", chunk_avx512ifma, fold_avx512ifma, &avx2};
#endif

const fused_variant *const *fused_variants(size_t *count)
{
    static const fused_variant *found[4];
    size_t n = 0;
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        if (__builtin_cpu_supports("avx512ifma"))
            found[n++] = &avx512ifma;
        found[n++] = &avx512;
    }
    if (__builtin_cpu_supports("avx2"))
        found[n++] = &avx2;
#elif defined(__aarch64__)
    found[n++] = &neon;
#endif
    found[n++] = &plain;
    *count = n;
    return found;
}

/* Σ(u·i' − u'·i) is u·i at the end less u·i before the begin less Σ(u + u')(i − i'). */
static void add_end(const int32_t *frame, int sign, size_t phases, int64_t *sums)
{
    for (size_t phase = 0; phase < phases; phase++)
        sums[phase * SUMS_PER_PHASE + SUM_LAG] +=
            sign * (int64_t)frame[2 * phase] * frame[2 * phase + 1];
}

static uint32_t largest_of(const fused_lanes *lanes)
{
    uint32_t largest = 0;
    for (size_t k = 0; k < 16; k++)
        largest = lanes->largest[k] > largest ? lanes->largest[k] : largest;
    return largest;
}

uint32_t fused_slots(const fused_variant *by, const int32_t *codes, size_t frames, size_t phases,
                     size_t slot_length, int lagged, fused_state *state, int64_t *slots)
{
    const size_t channels = 2 * phases, size = phases * SUMS_PER_PHASE;
    fused_lanes lanes[2];
    if (by->for_brief && slot_length < BRIEF_SLOT)
        by = by->for_brief;
    int64_t *target[2] = {NULL, NULL};
    memset(lanes[0].largest, 0, sizeof lanes[0].largest);
    memset(lanes[1].largest, 0, sizeof lanes[1].largest);
    if (state->filled && slot_length - state->filled <= frames)
        memcpy(slots, state->partial, size * sizeof *slots);
    size_t turn = 0;
    for (size_t done = 0; done < frames; turn ^= 1) {
        const size_t wanted = slot_length - state->filled, left = frames - done;
        int64_t *sums = wanted <= left ? slots : state->partial;
        const int32_t *from = codes + done * channels;
        const int32_t *before = done ? from - channels : state->previous;
        size_t count = wanted < left ? wanted : left;
        count = count < LONGEST_CHUNK ? count : LONGEST_CHUNK;
        if (state->filled == 0) {
            memset(sums, 0, size * sizeof *sums);
            if (lagged)
                add_end(before, -1, phases, sums);
        }
        int32_t joined[4 * MOST_PHASES];
        if (lagged && done == 0) {
            /* The frame before the first of a block lies in the state: join the two. */
            memcpy(joined, before, channels * sizeof *joined);
            memcpy(joined + channels, from, channels * sizeof *joined);
            from = joined + channels;
            count = 1;
        }
        by->chunk(from, count, phases, lagged, &lanes[turn]);
        target[turn] = sums;
        /* Folded one chunk later: narrow loads would wait for the wide stores just made. */
        if (target[turn ^ 1])
            by->fold(&lanes[turn ^ 1], phases, lagged, target[turn ^ 1]);
        done += count;
        state->filled += count;
        if (state->filled == slot_length) {
            if (lagged)
                add_end(from + (count - 1) * channels, 1, phases, sums);
            state->filled = 0;
            slots += size;
        }
    }
    if (frames) {
        by->fold(&lanes[turn ^ 1], phases, lagged, target[turn ^ 1]);
        memcpy(state->previous, codes + (frames - 1) * channels, channels * sizeof *codes);
    }
    const uint32_t one = largest_of(&lanes[0]), other = largest_of(&lanes[1]);
    return one > other ? one : other;
}
