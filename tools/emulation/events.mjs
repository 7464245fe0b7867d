// What the probe sends, and how it is held against what was injected.

const EVENT_BYTES = 6;
const NAMES = new Map([
  [0x52, 'R'], [0x46, 'F'], [0x4d, 'M'], [0x50, 'P'], [0x54, 'T'], [0x4c, 'L'], [0x53, 'S'], [0x47, 'G'],
]);
const COUNTED = new Set(['R', 'F', 'M', 'P', 'T']);
export const LOST_MARKERS = 5;
export const LOST_PPS = 6;

export class EventReader {
  events = [];
  #pending = [];
  #newest = 0;

  take(byte) {
    this.#pending.push(byte);
    if (this.#pending.length < EVENT_BYTES) return;
    const [code, input, ...value] = this.#pending;
    this.#pending = [];
    const kind = NAMES.get(code);
    if (kind === undefined) throw new Error(`the probe sent a kind ${code} that is none`);
    const event = { kind, input, value: Buffer.from(value).readUInt32LE(0) };
    if (COUNTED.has(kind)) {
      // The counter of 32 bits made a line: each count is the nearest to the newest one.
      event.count = this.#newest + ((event.value - this.#newest) | 0);
      this.#newest = Math.max(this.#newest, event.count);
    }
    this.events.push(event);
  }

  get lastTold() {
    return this.events.findLast((event) => event.kind === 'T')?.count ?? -1;
  }
}

// Holds the events of one stream against its injected edges, both in order.
// An event belongs to the next edge of its direction that happened up to one count before it.
function matched(edges, events, startClock) {
  const result = { injected: edges.length, stamped: 0, missing: 0, gaps: 0, invented: 0, least: Infinity, most: -Infinity };
  let next = 0;
  for (const event of events) {
    let at = next;
    const residual = () => event.count - (edges[at].clock - startClock) / 2;
    while (at < edges.length && residual() > 1) at++;
    if (at === edges.length || residual() <= 0 || edges[at].level !== event.level) {
      result.invented++;
      continue;
    }
    if (at > next) result.gaps++;
    result.missing += at - next;
    result.stamped++;
    result.least = Math.min(result.least, residual());
    result.most = Math.max(result.most, residual());
    next = at + 1;
  }
  if (next < edges.length) result.gaps++;
  result.missing += edges.length - next;
  return result;
}

const STREAMS = [0, 1, 2, 3, 4].map((input) => ({
  name: `input ${input}`, lossInput: input,
  mine: (event) => (event.kind === 'R' || event.kind === 'F') && event.input === input,
  level: (event) => event.kind === 'R',
})).concat([
  { name: 'markers', lossInput: LOST_MARKERS, mine: (event) => event.kind === 'M', level: () => false },
  { name: 'PPS', lossInput: LOST_PPS, mine: (event) => event.kind === 'P', level: () => true },
]);

// One row per stream that had edges. `silent` are the missing edges that no L owned up to.
export function judge(truth, events, startClock) {
  return STREAMS.filter((stream) => truth.get(stream.lossInput)?.length).map((stream) => {
    const own = events.filter(stream.mine);
    for (const event of own) event.level = stream.level(event);
    const row = matched(truth.get(stream.lossInput), own, startClock);
    const losses = events.filter((event) => event.kind === 'L' && event.input === stream.lossInput);
    row.stream = stream.name;
    row.told = losses.reduce((sum, event) => sum + event.value, 0);
    row.tellings = losses.length;
    return row;
  });
}

// How many events came after a T that had promised that they were all there.
export function brokenPromises(events) {
  let promised = -1;
  let broken = 0;
  for (const event of events) {
    if (event.kind === 'T') promised = event.count;
    else if (event.count !== undefined && event.count < promised) broken++;
  }
  return broken;
}
