// node campaign.mjs FOLDER IMAGE [SCENARIO …]: edges at exact clocks into the real firmware under
// rp2040js, and what its HAL made of them. FOLDER holds node_modules and bootrom.json.

import { Board } from './board.mjs';
import { brokenPromises, EventReader, judge, LOST_MARKERS, LOST_PPS } from './events.mjs';

const CLOCK_HZ = 125e6;
const MS = CLOCK_HZ / 1000;
const INPUT_PINS = [2, 3, 4, 5, 6];
const DRDY_PIN = 7;
const PPS_PIN = 8;
const OUTPUT_PIN = 10;
const STAMPERS = [0, 1, 2, 3, 4, 5, 6];
const MARKER_INTERVAL = 1024;
const SHORTEST_CLOCKS = 8;

// Mulberry32: the same edges for the same seed.
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Bench {
  // What was injected, by stream; edges that must give no stamp are not in it.
  truth = new Map();
  levels = new Map();
  drdyFalls = 0;

  static async boot(folder, image, { seed, highAtStart = [] }) {
    const bench = new Bench();
    bench.random = generator(seed);
    bench.reader = new EventReader();
    bench.board = await Board.with(folder, image);
    bench.board.onLineByte = (byte) => bench.reader.take(byte);
    for (const input of highAtStart) {
      bench.board.setPin(INPUT_PINS[input], true);
      bench.levels.set(input, true);
    }
    if (!bench.board.runUntil(() => bench.reader.lastTold > 0, 2 * CLOCK_HZ)) throw new Error('the image did not boot');
    const selfTest = bench.reader.events.find((event) => event.kind === 'S');
    if (selfTest.value !== 0) throw new Error(`the self-test failed: ${selfTest.value}`);
    return bench;
  }

  // Edges of an input from `from` up to `until`; `gap` gives the clocks from one to the next.
  input(number, from, until, gap) {
    const edges = [];
    const truth = this.#truthOf(number);
    let level = this.levels.get(number) ?? false;
    for (let clock = from + gap(level); clock < until; clock += gap(level)) {
      level = !level;
      edges.push({ clock, pin: INPUT_PINS[number], level });
      truth.push({ clock, level });
    }
    this.levels.set(number, level);
    return edges;
  }

  // The ADC's DRDY: low for most of a sample, and only every 1024-th fall is a marker.
  samples(from, until, periodClocks) {
    const edges = [];
    for (let clock = from; clock + periodClocks < until; clock += periodClocks) {
      edges.push({ clock, pin: DRDY_PIN, level: true }, { clock: clock + 64, pin: DRDY_PIN, level: false });
      if (this.drdyFalls++ % MARKER_INTERVAL === 0) this.#truthOf(LOST_MARKERS).push({ clock: clock + 64, level: false });
    }
    return edges;
  }

  pps(from, until, periodClocks) {
    const edges = [];
    for (let clock = from; clock + 1000 < until; clock += periodClocks) {
      edges.push({ clock, pin: PPS_PIN, level: true }, { clock: clock + 1000, pin: PPS_PIN, level: false });
      this.#truthOf(LOST_PPS).push({ clock, level: true });
    }
    return edges;
  }

  inject(...lists) {
    this.board.inject(lists.flat().sort((a, b) => a.clock - b.clock));
  }

  // Runs until all that happened was promised complete.
  settle(limitClocks) {
    const { board } = this;
    const done = () => board.edgesLeft === 0;
    if (!board.runUntil(done, limitClocks)) throw new Error('edges are left over');
    const end = (board.clock - board.startClock) / 2;
    if (!board.runUntil(() => this.reader.lastTold > end, limitClocks)) throw new Error('the HAL fell silent');
  }

  rows() {
    return judge(this.truth, this.reader.events, this.board.startClock);
  }

  #truthOf(stream) {
    if (!this.truth.has(stream)) this.truth.set(stream, []);
    return this.truth.get(stream);
  }
}

// A number of clocks drawn anew each time.
const evenly = (bench, least, most) => () => Math.floor(least + bench.random() * (most - least));
// As many gaps of 100 ns as of 1 ms, in proportion; about 1,300 edges a second from five inputs.
const logEvenly = (bench, least, most) => () => Math.floor(least * (most / least) ** bench.random());

async function random(boot, seconds) {
  const bench = await boot({ seed: 1, highAtStart: [4] });
  const from = bench.board.clock + MS;
  const until = from + seconds * CLOCK_HZ;
  bench.inject(
    ...INPUT_PINS.map((_, input) => bench.input(input, from, until, logEvenly(bench, SHORTEST_CLOCKS, 60 * MS))),
    bench.samples(from, until, Math.floor(CLOCK_HZ / 32000)),
    bench.pps(from, until, 100 * MS),
  );
  bench.settle(2 * until);
  return bench;
}

async function bursts(boot, count) {
  const bench = await boot({ seed: 2 });
  for (let burst = 0; burst < count; burst++) {
    const from = bench.board.clock + MS;
    const until = from + 100 * MS;
    // 10,000 pulses a second on four inputs at once: a period of 100 us, the pulse 5 to 95 us of it.
    const pulse = () => {
      let high = 0;
      return (level) => {
        if (level) return high;
        const low = high ? 12500 - high : 625;
        high = Math.floor(625 + bench.random() * 11250);
        return low;
      };
    };
    bench.inject(...[0, 1, 2, 3].map((input) => bench.input(input, from, until, pulse())));
    bench.settle(30 * CLOCK_HZ);
  }
  return bench;
}

async function wrap(boot) {
  const bench = await boot({ seed: 3 });
  const { board } = bench;
  const turn = 2 ** 32; // clocks of the stamps' 31 bits; twice that is the counter's 32 bits
  for (const target of [turn, 2 * turn, 3 * turn, 4 * turn]) {
    while (board.clock - board.startClock < target - 100 * MS) {
      const left = target - 60 * MS - (board.clock - board.startClock);
      board.leap(2 * Math.floor(Math.min(left, 10 * CLOCK_HZ) / 2), STAMPERS);
      board.run(5 * MS);
    }
    const from = board.clock + MS;
    const until = from + 120 * MS;
    bench.inject(...INPUT_PINS.map((_, input) => bench.input(input, from, until, evenly(bench, 100, 0.4 * MS))), bench.samples(from, until, 500));
    bench.settle(10 * CLOCK_HZ);
  }
  return bench;
}

async function processorHeld(boot) {
  const bench = await boot({ seed: 4 });
  const from = bench.board.clock + MS;
  // 20,000 edges a second for 0.3 s: 6,000 an input, and its ring holds 2,048.
  bench.inject(...[0, 1, 2, 3, 4].map((input) => bench.input(input, from, from + 300 * MS, evenly(bench, 5000, 7500))));
  bench.board.run(10 * MS);
  bench.board.holdProcessor(295 * MS);
  bench.settle(30 * CLOCK_HZ);
  return bench;
}

async function fifoFull(boot, episodes) {
  const bench = await boot({ seed: 5 });
  for (let episode = 0; episode < episodes; episode++) {
    const from = bench.board.clock + MS;
    // From as many as the FIFO holds to far more.
    const until = from + (1 + 4 * bench.random()) * MS;
    bench.inject(
      ...INPUT_PINS.map((_, input) => bench.input(input, from, until, evenly(bench, SHORTEST_CLOCKS, 0.3 * MS))),
      bench.samples(from, until, 100), bench.pps(from, until, 0.4 * MS));
    bench.board.holdDma(true);
    bench.board.runUntil(() => bench.board.edgesLeft === 0, CLOCK_HZ);
    bench.board.holdDma(false);
    const after = bench.board.clock + MS;
    bench.inject(...INPUT_PINS.map((_, input) => bench.input(input, after, after + 2 * MS, evenly(bench, 1000, 0.2 * MS))));
    bench.settle(10 * CLOCK_HZ);
  }
  return bench;
}

// The pulse output comes back in on input 0; what was asked for is the truth.
async function output(boot, pulses) {
  const bench = await boot({ seed: 6 });
  const { board } = bench;
  const clocks = [];
  board.watchPin(OUTPUT_PIN, () => {
    clocks.push(board.clock);
    bench.levels.set(0, !bench.levels.get(0));
    board.setPin(INPUT_PINS[0], bench.levels.get(0));
  });
  const asked = [];
  let count = bench.reader.lastTold + 20 * MS;
  for (let pulse = 0; pulse < pulses; pulse++) {
    // 20 to 1,000 pulses a second, put in at most 250 ms ahead.
    count += Math.floor((0.5 + 24.5 * bench.random()) * MS);
    const width = Math.floor(1000 + bench.random() * 10000);
    asked.push({ count, width });
    while (bench.reader.lastTold < count - 125 * MS) board.run(MS);
    const command = Buffer.alloc(8);
    command.writeUInt32LE(count % 2 ** 32, 0);
    command.writeUInt32LE(width, 4);
    board.feed(command);
    board.run(MS);
  }
  board.runUntil(() => bench.reader.lastTold > count + 100 * MS, 5 * CLOCK_HZ);
  const stamps = bench.reader.events.filter((event) => (event.kind === 'R' || event.kind === 'F') && event.input === 0);
  const errors = asked.flatMap(({ count: at, width }, i) => [
    (stamps[2 * i]?.count ?? NaN) - at, (stamps[2 * i + 1]?.count ?? NaN) - at - width,
  ]);
  const wrong = errors.filter((error) => error !== 0).length;
  console.log(`output: ${pulses} pulses asked for, ${stamps.length} edges came back, ${wrong} not at their count; ` +
    `errors ${Math.min(...errors)} to ${Math.max(...errors)} counts`);
  bench.wrong = wrong || stamps.length !== 2 * pulses;
  return bench;
}

async function heap(boot) {
  const bench = await boot({ seed: 7 });
  bench.board.feed(Buffer.alloc(8));
  const told = () => bench.reader.events.find((event) => event.kind === 'G');
  if (!bench.board.runUntil(told, 60 * CLOCK_HZ)) throw new Error('the heap was not told');
  console.log(`heap: ${told().value} bytes free with HAL and application; the counter starts ` +
    `${(bench.board.startClock / CLOCK_HZ).toFixed(3)} s after the image`);
  bench.wrong = told().value < 65536;
  return bench;
}

const SCENARIOS = {
  heap: { run: heap },
  random: { run: (boot) => random(boot, 12) },
  bursts: { run: (boot) => bursts(boot, 8) },
  wrap: { run: wrap },
  'processor held': { run: processorHeld, losses: 'exact' },
  'FIFO full': { run: (boot) => fifoFull(boot, 20), losses: 'at least' },
  output: { run: (boot) => output(boot, 200) },
};

// No loss that was not told, no stamp out of a count, no promise broken.
function failures(bench, losses) {
  const found = [];
  const broken = brokenPromises(bench.reader.events);
  if (bench.wrong) found.push('see above');
  if (broken) found.push(`${broken} events after a T that had promised them`);
  for (const row of bench.rows()) {
    if (row.invented) found.push(`${row.stream}: ${row.invented} stamps of no edge`);
    if (row.missing && !losses) found.push(`${row.stream}: ${row.missing} missing`);
    if (losses === 'exact' && row.told !== row.missing) found.push(`${row.stream}: ${row.missing} missing, ${row.told} told`);
    if (losses === 'at least' && row.gaps > row.tellings) found.push(`${row.stream}: ${row.gaps} gaps, ${row.tellings} told`);
  }
  return found;
}

const [folder, image, ...names] = process.argv.slice(2);
const boot = (options) => Bench.boot(folder, image, options);
let failed = false;
let edges = 0;
let least = Infinity;
let most = -Infinity;
for (const [name, { run, losses }] of Object.entries(SCENARIOS)) {
  if (names.length && !names.includes(name)) continue;
  const began = Date.now();
  const bench = await run(boot);
  for (const row of bench.rows()) {
    edges += row.injected;
    least = Math.min(least, row.least);
    most = Math.max(most, row.most);
    console.log(`${name}: ${row.stream}: ${row.injected} injected, ${row.stamped} stamped, ${row.missing} missing in ` +
      `${row.gaps} gaps, told ${row.told} in ${row.tellings}, residual ${row.least} to ${row.most} counts`);
  }
  const found = failures(bench, losses);
  failed ||= found.length > 0;
  console.log(`${name}: ${(bench.board.clock / CLOCK_HZ).toFixed(2)} s emulated in ${((Date.now() - began) / 1000).toFixed(0)} s: ` +
    (found.length ? `FAILED: ${found.join('; ')}` : 'as it should be'));
}
console.log(`emulation: ${edges} edges, residual ${least} to ${most} counts: ${failed ? 'FAILED' : 'as it should be'}`);
process.exit(failed ? 1 : 0);
