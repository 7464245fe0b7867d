// node product.mjs FOLDER IMAGE OUT: boots the product's own image, puts 20 pulses of a known period
// into input 0, and writes what comes on the line to OUT. product_line.py judges it.

import { writeFileSync } from 'node:fs';
import { Board } from './board.mjs';

const CLOCK_HZ = 125e6;
const INPUT_PIN = 2;
const HELLO_BYTES = 28;
const PULSES = 20;
const PERIOD_CLOCKS = 1_000_000;
const WIDTH_CLOCKS = 400_000;

const [folder, image, out] = process.argv.slice(2);
const board = await Board.with(folder, image);
const line = [];
board.onLineByte = (byte) => line.push(byte);
if (!board.runUntil(() => line.length >= HELLO_BYTES, 6 * CLOCK_HZ)) throw new Error('the image did not say HELLO');
const hello = board.clock;
const first = board.clock + 125_000;
board.inject(Array.from({ length: PULSES }, (_, i) => first + i * PERIOD_CLOCKS).flatMap((clock) => [
  { clock, pin: INPUT_PIN, level: true }, { clock: clock + WIDTH_CLOCKS, pin: INPUT_PIN, level: false },
]));
board.run(PULSES * PERIOD_CLOCKS + 0.15 * CLOCK_HZ);
writeFileSync(out, JSON.stringify({
  hello_s: hello / CLOCK_HZ, first_clock: first - board.startClock, period_clocks: PERIOD_CLOCKS, pulses: PULSES,
  line: Buffer.from(line).toString('hex'),
}));
