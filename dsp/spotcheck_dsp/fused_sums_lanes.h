/* The fused sums in vectors, for whatever vector the including file has defined: LANES int32 (8 or
   16) a vector, the type `vec`, and
   LOAD, STORE, ZERO, ADD32, SUB32, ADD64, MAX_ABS: what they say;
   LOAD_FIRST: so many int32, at most LANES, and zeros behind them, of which nothing is read;
   ODD_TO_EVEN: the odd int32 in the places of the even ones;
   ADD_PRODUCTS: int64 products of the even int32, onto a sum;
   where it has a better way to add products of codes, EVEN_FACTORS and ODD_FACTORS: codes as
   ADD_FACTORS wants them, which adds their products. Where RAISED is 1 the factors are 2²³ above the
   codes, which the fold takes back.

   A vector holds LANES/2 pairs (u, i). With 1, 2 and 4 phases every vector begins with phase 1, with
   3 every third: so many vectors, a period, have accumulators of their own. Where few frames of 3
   phases come at once, each is rather a vector of its own, a quarter of it idle: less to fold.
   Integer addition is associative: every order of summation gives the same bits. */

#ifndef ADD_FACTORS
#define EVEN_FACTORS(codes) (codes)
#define ODD_FACTORS(codes) ODD_TO_EVEN(codes)
#define ADD_FACTORS(sum, a, b) ADD_PRODUCTS(sum, a, b)
#define RAISED 0
#endif

/* Accumulators of one vector of a period. */
typedef struct {
    vec uu, ii, ui, step, codes;
} NAMED(lanes);

static inline __attribute__((always_inline)) void NAMED(add)(
    NAMED(lanes) *to, vec *largest, const int32_t *from, const int32_t *from_before, size_t count,
    int lagged)
{
    const vec codes = count < LANES ? LOAD_FIRST(from, count) : LOAD(from);
    const vec even = EVEN_FACTORS(codes), odd = ODD_FACTORS(codes);
    to->uu = ADD_FACTORS(to->uu, even, even);
    to->ii = ADD_FACTORS(to->ii, odd, odd);
    to->ui = ADD_FACTORS(to->ui, even, odd);
    to->codes = ADD32(to->codes, codes);
    *largest = MAX_ABS(*largest, codes);
    if (lagged) {
        /* (u + u')(i − i') is ui − u'i' less ui' − u'i: one product where two are wanted. */
        const vec before = count < LANES ? LOAD_FIRST(from_before, count) : LOAD(from_before);
        const vec difference = ODD_TO_EVEN(SUB32(codes, before));
        to->step = ADD_PRODUCTS(to->step, ADD32(codes, before), difference);
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

/* Onto what was kept: apart from the loop, which so has all registers for itself. */
static inline __attribute__((always_inline)) void NAMED(add_kept)(
    fused_lanes *to, size_t k, const int32_t *codes, const int32_t *before, size_t count, int lagged)
{
    NAMED(lanes) sum = {
        LOAD(to->products[SUM_UU] + k * (LANES / 2)), LOAD(to->products[SUM_II] + k * (LANES / 2)),
        LOAD(to->products[SUM_UI] + k * (LANES / 2)), ZERO, LOAD(to->codes + k * LANES),
    };
    vec largest = LOAD(to->largest);
    if (lagged)
        sum.step = LOAD(to->products[SUM_LAG] + k * (LANES / 2));
    NAMED(add)(&sum, &largest, codes, before, count, lagged);
    NAMED(keep)(to, &sum, k, lagged);
    STORE(to->largest, largest);
}

/* `period` vectors of `width` codes, again and again. */
static inline __attribute__((always_inline)) void NAMED(run)(
    const int32_t *codes, size_t frames, const size_t phases, const int lagged, const size_t width,
    const size_t period, fused_lanes *to)
{
    const size_t channels = 2 * phases, step = period * width, frames_per_period = step / channels;
    const NAMED(lanes) none = {ZERO, ZERO, ZERO, ZERO, ZERO};
    /* Single names, not an array: an array that a loop indexes would live in memory. */
    NAMED(lanes) first = none, second = none, third = none;
    vec largest = LOAD(to->largest);
    const int32_t *before = lagged ? codes - channels : codes;
    size_t periods = frames / frames_per_period;
    for (const int32_t *const end = codes + periods * step; codes != end;) {
        NAMED(add)(&first, &largest, codes, before, width, lagged);
        if (period == 3) {
            NAMED(add)(&second, &largest, codes + LANES, before + LANES, LANES, lagged);
            NAMED(add)(&third, &largest, codes + 2 * LANES, before + 2 * LANES, LANES, lagged);
        }
        codes += step, before += step;
    }
    NAMED(keep)(to, &first, 0, lagged);
    if (period == 3) {
        NAMED(keep)(to, &second, 1, lagged);
        NAMED(keep)(to, &third, 2, lagged);
    }
    STORE(to->largest, largest);
    size_t left = frames % frames_per_period * channels;
    const size_t begun = left ? period : 0;
    periods += left > 0;
    /* Zeros behind the last code add nothing to any sum but what they are raised by. */
    for (size_t k = 0; k < begun; k++) {
        const size_t count = left < LANES ? left : LANES;
        NAMED(add_kept)(to, k, codes, before, count, lagged);
        codes += count, before += count, left -= count;
    }
    to->pairs = period * LANES / 2;
    to->raised_frames = periods * (period * LANES / channels);
}

/* Rows that begin with the same phase, added up first. */
static inline __attribute__((always_inline)) void NAMED(fold_products)(
    const int64_t *lanes, const size_t phases, const size_t pairs, int64_t *totals)
{
    const size_t row = LANES / 2 / phases * phases;
    int64_t sums[LANES / 2];
    vec sum = LOAD(lanes);
    for (size_t at = row; at + row <= pairs; at += row)
        sum = ADD64(sum, LOAD(lanes + at));
    STORE(sums, sum);
    for (size_t phase = 0; phase < phases; phase++) {
        totals[phase] = 0;
        for (size_t lane = phase; lane < row; lane += phases)
            totals[phase] += sums[lane];
    }
}

static inline __attribute__((always_inline)) void NAMED(fold_codes)(
    const int32_t *lanes, const size_t phases, const size_t pairs, int64_t *totals)
{
    const size_t row = 2 * (LANES / 2 / phases * phases);
    int32_t sums[LANES];
    vec sum = LOAD(lanes);
    for (size_t at = row; at + row <= 2 * pairs; at += row)
        sum = ADD32(sum, LOAD(lanes + at));
    STORE(sums, sum);
    for (size_t channel = 0; channel < 2 * phases; channel++) {
        int32_t total = 0;
        for (size_t lane = channel; lane < row; lane += 2 * phases)
            total += sums[lane];
        totals[channel] = total;
    }
}

static inline __attribute__((always_inline)) void NAMED(fold_all)(
    const fused_lanes *lanes, const size_t phases, const size_t pairs, int lagged, int64_t *sums)
{
    int64_t ui[MOST_PHASES], uu[MOST_PHASES], ii[MOST_PHASES], lag[MOST_PHASES];
    int64_t codes[2 * MOST_PHASES];
    NAMED(fold_products)(lanes->products[SUM_UI], phases, pairs, ui);
    NAMED(fold_products)(lanes->products[SUM_UU], phases, pairs, uu);
    NAMED(fold_products)(lanes->products[SUM_II], phases, pairs, ii);
    if (lagged)
        NAMED(fold_products)(lanes->products[SUM_LAG], phases, pairs, lag);
    NAMED(fold_codes)(lanes->codes, phases, pairs, codes);
    for (size_t phase = 0; phase < phases; phase++, sums += SUMS_PER_PHASE) {
        const int64_t u = codes[2 * phase], i = codes[2 * phase + 1];
        if (RAISED) {
            /* (u + R)(i + R) is ui + R(u + i) + R², with R = 2²³. */
            const int64_t raised = (int64_t)lanes->raised_frames * (1LL << 46);
            ui[phase] -= (u + i) * (1LL << 23) + raised;
            uu[phase] -= u * (1LL << 24) + raised;
            ii[phase] -= i * (1LL << 24) + raised;
        }
        sums[SUM_UI] += ui[phase];
        sums[SUM_UU] += uu[phase];
        sums[SUM_II] += ii[phase];
        sums[SUM_U] += u;
        sums[SUM_I] += i;
        if (lagged)
            sums[SUM_LAG] -= lag[phase];
    }
}

/* One copy for each number of phases, so that all accumulators stay in registers. */
static void NAMED(chunk)(const int32_t *codes, size_t frames, size_t phases, int lagged,
                         fused_lanes *to)
{
    const int brief = LANES == 8 && frames < BRIEF_CHUNK;
    switch (2 * phases + (lagged ? 1 : 0)) {
    case 2: NAMED(run)(codes, frames, 1, 0, LANES, 1, to); break;
    case 3: NAMED(run)(codes, frames, 1, 1, LANES, 1, to); break;
    case 4: NAMED(run)(codes, frames, 2, 0, LANES, 1, to); break;
    case 5: NAMED(run)(codes, frames, 2, 1, LANES, 1, to); break;
    case 6:
        if (brief)
            NAMED(run)(codes, frames, 3, 0, 6, 1, to);
        else
            NAMED(run)(codes, frames, 3, 0, LANES, 3, to);
        break;
    case 7:
        if (brief)
            NAMED(run)(codes, frames, 3, 1, 6, 1, to);
        else
            NAMED(run)(codes, frames, 3, 1, LANES, 3, to);
        break;
    case 8: NAMED(run)(codes, frames, 4, 0, LANES, 1, to); break;
    case 9: NAMED(run)(codes, frames, 4, 1, LANES, 1, to); break;
    default: break;
    }
}

static void NAMED(fold)(const fused_lanes *lanes, size_t phases, int lagged, int64_t *sums)
{
    switch (phases) {
    case 1: NAMED(fold_all)(lanes, 1, LANES / 2, lagged, sums); break;
    case 2: NAMED(fold_all)(lanes, 2, LANES / 2, lagged, sums); break;
    case 3:
        if (lanes->pairs == LANES / 2)
            NAMED(fold_all)(lanes, 3, LANES / 2, lagged, sums);
        else
            NAMED(fold_all)(lanes, 3, 3 * LANES / 2, lagged, sums);
        break;
    case 4: NAMED(fold_all)(lanes, 4, LANES / 2, lagged, sums); break;
    default: break;
    }
}

#undef LANES
#undef NAMED
#undef LOAD
#undef LOAD_FIRST
#undef STORE
#undef ZERO
#undef ADD32
#undef SUB32
#undef ADD64
#undef MAX_ABS
#undef ADD_PRODUCTS
#undef ODD_TO_EVEN
#undef EVEN_FACTORS
#undef ODD_FACTORS
#undef ADD_FACTORS
#undef RAISED
#undef vec
