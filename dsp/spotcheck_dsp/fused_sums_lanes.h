/* The fused sums in vectors, for whatever vector the including file has defined: LANES int32 (8 or
   16) a vector, the type `vec`, and LOAD, STORE, ZERO, ADD32, SUB32, ADD64, MAX_ABS, EVEN_PRODUCTS
   (int64 products of the even int32) and ODD_TO_EVEN.

   A vector holds LANES/2 pairs (u, i). With 1, 2 and 4 phases every vector begins with phase 1, with
   3 every third: so many vectors, a period, have accumulators of their own.
   Integer addition is associative: every order of summation gives the same bits. */

/* Accumulators of one vector of a period. */
typedef struct {
    vec uu, ii, ui, step, codes;
} NAMED(lanes);

static inline __attribute__((always_inline)) void NAMED(add)(
    NAMED(lanes) *to, vec *largest, const int32_t *codes, const int32_t *before, int lagged)
{
    const vec even = LOAD(codes), odd = ODD_TO_EVEN(even);
    to->uu = ADD64(to->uu, EVEN_PRODUCTS(even, even));
    to->ii = ADD64(to->ii, EVEN_PRODUCTS(odd, odd));
    to->ui = ADD64(to->ui, EVEN_PRODUCTS(even, odd));
    to->codes = ADD32(to->codes, even);
    *largest = MAX_ABS(*largest, even);
    if (lagged) {
        /* (u + u')(i − i') is ui − u'i' less ui' − u'i: one product where two are wanted. */
        const vec earlier = LOAD(before);
        const vec difference = ODD_TO_EVEN(SUB32(even, earlier));
        to->step = ADD64(to->step, EVEN_PRODUCTS(ADD32(even, earlier), difference));
    }
}

static inline __attribute__((always_inline)) void NAMED(keep)(
    fused_lanes *to, const NAMED(lanes) *sum, size_t k, int lagged)
{
    STORE(to->products[SUM_UU] + k * (LANES / 2), sum->uu);
    STORE(to->products[SUM_II] + k * (LANES / 2), sum->ii);
    STORE(to->products[SUM_UI] + k * (LANES / 2), sum->ui);
    STORE(to->codes + k * LANES, sum->codes);
    if (lagged)
        STORE(to->products[SUM_LAG] + k * (LANES / 2), sum->step);
}

static inline __attribute__((always_inline)) void NAMED(run)(
    const int32_t *codes, size_t frames, const size_t phases, const int lagged, fused_lanes *to)
{
    const size_t channels = 2 * phases, period = phases == 3 ? 3 : 1;
    const size_t frames_per_period = period * LANES / channels;
    const NAMED(lanes) none = {ZERO, ZERO, ZERO, ZERO, ZERO};
    /* Single names, not an array: an array that a loop indexes would live in memory. */
    NAMED(lanes) first = none, second = none, third = none;
    vec largest = LOAD(to->largest);
    const int32_t *before = lagged ? codes - channels : codes;
    int32_t joined[2][3 * LANES];
    for (size_t left = frames; left; left -= left < frames_per_period ? left : frames_per_period) {
        if (left < frames_per_period) {
            /* Zeros beyond the end add nothing to any sum. */
            memset(joined, 0, sizeof joined);
            memcpy(joined[0], codes, left * channels * sizeof *codes);
            if (lagged)
                memcpy(joined[1], before, left * channels * sizeof *codes);
            codes = joined[0];
            before = joined[1];
        }
        NAMED(add)(&first, &largest, codes, before, lagged);
        if (period == 3) {
            NAMED(add)(&second, &largest, codes + LANES, before + LANES, lagged);
            NAMED(add)(&third, &largest, codes + 2 * LANES, before + 2 * LANES, lagged);
        }
        codes += period * LANES;
        before += period * LANES;
    }
    NAMED(keep)(to, &first, 0, lagged);
    if (period == 3) {
        NAMED(keep)(to, &second, 1, lagged);
        NAMED(keep)(to, &third, 2, lagged);
    }
    STORE(to->largest, largest);
}

/* Rows that begin with the same phase, added up first. */
static inline __attribute__((always_inline)) void NAMED(fold_products)(
    const int64_t *lanes, const size_t phases, const size_t pairs, int sign, int64_t *to)
{
    const size_t row = LANES / 2 / phases * phases;
    int64_t sums[LANES / 2];
    vec sum = LOAD(lanes);
    for (size_t at = row; at < pairs; at += row)
        sum = ADD64(sum, LOAD(lanes + at));
    STORE(sums, sum);
    for (size_t phase = 0; phase < phases; phase++) {
        int64_t total = 0;
        for (size_t lane = phase; lane < row; lane += phases)
            total += sums[lane];
        to[phase * SUMS_PER_PHASE] += sign * total;
    }
}

static inline __attribute__((always_inline)) void NAMED(fold_codes)(
    const int32_t *lanes, const size_t phases, const size_t pairs, int64_t *to)
{
    const size_t row = 2 * (LANES / 2 / phases * phases);
    int32_t sums[LANES];
    vec sum = LOAD(lanes);
    for (size_t at = row; at < 2 * pairs; at += row)
        sum = ADD32(sum, LOAD(lanes + at));
    STORE(sums, sum);
    for (size_t channel = 0; channel < 2 * phases; channel++) {
        int32_t total = 0;
        for (size_t lane = channel; lane < row; lane += 2 * phases)
            total += sums[lane];
        to[channel / 2 * SUMS_PER_PHASE + (channel % 2 ? SUM_I : SUM_U)] += total;
    }
}

static inline __attribute__((always_inline)) void NAMED(fold_all)(
    const fused_lanes *lanes, const size_t phases, int lagged, int64_t *sums)
{
    const size_t pairs = (phases == 3 ? 3 : 1) * LANES / 2;
    NAMED(fold_products)(lanes->products[SUM_UI], phases, pairs, 1, sums + SUM_UI);
    NAMED(fold_products)(lanes->products[SUM_UU], phases, pairs, 1, sums + SUM_UU);
    NAMED(fold_products)(lanes->products[SUM_II], phases, pairs, 1, sums + SUM_II);
    if (lagged)
        NAMED(fold_products)(lanes->products[SUM_LAG], phases, pairs, -1, sums + SUM_LAG);
    NAMED(fold_codes)(lanes->codes, phases, pairs, sums);
}

/* One copy for each number of phases, so that all accumulators stay in registers. */
static void NAMED(chunk)(const int32_t *codes, size_t frames, size_t phases, int lagged,
                         fused_lanes *to)
{
    switch (2 * phases + (lagged ? 1 : 0)) {
    case 2: NAMED(run)(codes, frames, 1, 0, to); break;
    case 3: NAMED(run)(codes, frames, 1, 1, to); break;
    case 4: NAMED(run)(codes, frames, 2, 0, to); break;
    case 5: NAMED(run)(codes, frames, 2, 1, to); break;
    case 6: NAMED(run)(codes, frames, 3, 0, to); break;
    case 7: NAMED(run)(codes, frames, 3, 1, to); break;
    case 8: NAMED(run)(codes, frames, 4, 0, to); break;
    case 9: NAMED(run)(codes, frames, 4, 1, to); break;
    default: break;
    }
}

static void NAMED(fold)(const fused_lanes *lanes, size_t phases, int lagged, int64_t *sums)
{
    switch (phases) {
    case 1: NAMED(fold_all)(lanes, 1, lagged, sums); break;
    case 2: NAMED(fold_all)(lanes, 2, lagged, sums); break;
    case 3: NAMED(fold_all)(lanes, 3, lagged, sums); break;
    case 4: NAMED(fold_all)(lanes, 4, lagged, sums); break;
    default: break;
    }
}

#undef LANES
#undef NAMED
#undef LOAD
#undef STORE
#undef ZERO
#undef ADD32
#undef SUB32
#undef ADD64
#undef MAX_ABS
#undef EVEN_PRODUCTS
#undef ODD_TO_EVEN
#undef vec
