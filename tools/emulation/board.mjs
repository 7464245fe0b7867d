// The RP2040 under rp2040js, clock by clock: image, PIO, DMA, UART and pins.
//
// What rp2040js 1.4 does otherwise than the chip, and is set right here: its PIO blocks run beside
// the processor instead of with it, disabled state machines run too, a joined FIFO stays short, and
// the UART's transmit interrupt is never done with.
// What it does not model: the two clocks of the input synchronisers (the same for all inputs), the
// contention for the bus, and the time that a byte takes on the UART.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const FLASH_START = 0x10000000;
const CLOCK_NS = 8;
const START_PIN = 9;
const FJOIN_RX = 0x80000000;
const FJOIN_TX = 0x40000000;
const SHIFTCTRL = 0xd0 - 0xc8;
const UART_DATA = 0;
const UART_TRANSMIT = 0x20;

async function load(folder) {
  const library = await import(pathToFileURL(join(folder, 'node_modules/rp2040js/dist/esm/index.js')));
  const { FIFO } = await import(pathToFileURL(join(folder, 'node_modules/rp2040js/dist/esm/utils/fifo.js')));
  const bootrom = new Uint32Array(JSON.parse(readFileSync(join(folder, 'bootrom.json'))));
  return { ...library, FIFO, bootrom };
}

function joinFifos(machine, FIFO) {
  const write = machine.writeUint32.bind(machine);
  machine.writeUint32 = (offset, value) => {
    write(offset, value);
    if (offset === SHIFTCTRL) {
      machine.rxFIFO = new FIFO(value & FJOIN_RX ? 8 : value & FJOIN_TX ? 0 : 4);
      machine.txFIFO = new FIFO(value & FJOIN_TX ? 8 : value & FJOIN_RX ? 0 : 4);
    }
  };
}

function interruptOncePerByte(uart) {
  const write = uart.writeUint32.bind(uart);
  uart.checkInterrupts = () => {
    uart.rp2040.setInterrupt(uart.irq, (uart.interruptStatus & uart.interruptMask) !== 0);
  };
  uart.writeUint32 = (offset, value) => {
    write(offset, value);
    if (offset === UART_DATA) {
      uart.interruptStatus |= UART_TRANSMIT;
      uart.checkInterrupts();
    }
  };
}

export class Board {
  // Clocks since the image was started.
  clock = 0;
  // The clock from which on the state machines count, once the HAL has raised the pin.
  startClock = null;
  onLineByte = () => {};
  onPin = () => {};

  static async with(folder, imagePath) {
    return new Board(await load(folder), readFileSync(imagePath));
  }

  constructor({ RP2040, LogLevel, ConsoleLogger, GPIOPinState, FIFO, bootrom }, image) {
    const chip = new RP2040();
    this.chip = chip;
    chip.logger = new ConsoleLogger(LogLevel.Error, true);
    chip.loadBootrom(bootrom);
    chip.flash.set(image, 0);
    chip.core.PC = FLASH_START;
    this.machines = [];
    for (const block of chip.pio) {
      block.run = () => {};
      for (const machine of block.machines) {
        joinFifos(machine, FIFO);
        this.machines.push(machine);
      }
    }
    interruptOncePerByte(chip.uart[0]);
    chip.uart[0].onByte = (byte) => this.onLineByte(byte);
    chip.gpio[START_PIN].addListener((state) => {
      if (state === GPIOPinState.High && this.machines[0].enabled) this.raise = true;
    });
    this.edges = [];
    this.nextEdge = 0;
    this.dmaHeld = false;
  }

  watchPin(pin, callback) {
    this.chip.gpio[pin].addListener((state) => callback(state, this.clock));
  }

  // Edges as {clock, pin, level} in the order of their clocks, all still to come.
  inject(edges) {
    this.edges = this.edges.slice(this.nextEdge).concat(edges);
    this.nextEdge = 0;
  }

  get edgesLeft() {
    return this.edges.length - this.nextEdge;
  }

  feed(bytes) {
    for (const byte of bytes) this.chip.uart[0].feedByte(byte);
  }

  setPin(pin, level) {
    this.chip.gpio[pin].setInputValue(level);
  }

  // One instruction of the processor, or one clock of its sleep, and the clocks that it takes.
  step() {
    const { core } = this.chip;
    const clocks = core.waiting ? 1 : core.executeInstruction();
    this.pass(clocks);
  }

  runUntil(condition, limitClocks) {
    const end = this.clock + limitClocks;
    while (this.clock < end) {
      for (let i = 0; i < 64; i++) this.step();
      if (condition()) return true;
    }
    return false;
  }

  run(clocks) {
    const end = this.clock + clocks;
    while (this.clock < end) this.step();
  }

  // Time passes for pins, PIO, DMA and timers; the processor is held off.
  holdProcessor(clocks) {
    const end = this.clock + clocks;
    while (this.clock < end) this.pass(1);
  }

  // No DMA transfer begins while held, as if the bus were taken.
  holdDma(held) {
    this.dmaHeld = held;
    for (const channel of this.chip.dma.channels) {
      if (held) {
        channel.transferAlarm.cancel();
        channel.scheduleTransfer = () => {};
      } else {
        delete channel.scheduleTransfer;
        if (channel.active) channel.scheduleTransfer();
      }
    }
  }

  // Idle time in one step: every stamping machine's X and all timers go on by the same time.
  // Only to be called while no edge is due; `clocks` is even, as a count is two clocks.
  leap(clocks, stampers) {
    for (const index of stampers) {
      const machine = this.machines[index];
      machine.x = (machine.x - (clocks / 2)) >>> 0;
    }
    this.clock += clocks;
    this.chip.clock.tick(clocks * CLOCK_NS);
  }

  pass(clocks) {
    if (this.raise) {
      this.raise = false;
      this.startClock = this.clock;
      this.setPin(START_PIN, true);
    }
    for (let i = 0; i < clocks; i++) {
      while (this.nextEdge < this.edges.length && this.edges[this.nextEdge].clock <= this.clock) {
        const edge = this.edges[this.nextEdge++];
        if (edge.clock < this.clock) throw new Error('an edge was injected too late');
        this.setPin(edge.pin, edge.level);
      }
      for (const machine of this.machines) if (machine.enabled) machine.step();
      this.chip.pio[0].checkChangedPins();
      this.chip.pio[1].checkChangedPins();
      this.clock++;
    }
    this.chip.clock.tick(clocks * CLOCK_NS);
  }
}
