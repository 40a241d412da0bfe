// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The timeline's colours as pixels: those of app.css, and shades of them. What a class of a lane is called.
import { css } from '../palette';
import type { Lane } from '../protocol';

/** A pixel as ImageData has it, read as a little-endian word: 0xAABBGGRR. */
export type Pixel = number;

export interface ClassInfo {
  name: string;
  color: string; // of app.css; '': by name
  thin?: boolean; // nothing runs: drawn as a line
  hatched?: boolean;
  foreign?: boolean; // its name is not its own: it is that of who woke the task
}

const NOT_KNOWN: ClassInfo = { name: 'not recorded', color: 'unknown', hatched: true };

/** By class; the last stands for all that follow. */
export const CLASSES: Record<Lane['kind'], ClassInfo[]> = {
  cpu: [{ name: 'task', color: '' }, { name: 'idle', color: 'unknown', thin: true }, NOT_KNOWN],
  task: [
    { name: 'running', color: 'green' },
    { name: 'runnable', color: 'orange', foreign: true },
    { name: 'sleeping', color: 'unknown', thin: true },
    { name: 'uninterruptible', color: 'vermilion' },
    { name: 'stopped, other', color: 'purple' },
    NOT_KNOWN,
  ],
  trap: [
    { name: 'timer', color: 'sky' },
    { name: 'external', color: 'orange' },
    { name: 'IPI', color: 'yellow' },
    { name: 'page fault', color: 'vermilion' },
    { name: 'system call', color: 'blue' },
    { name: 'other', color: 'unknown' },
    { name: 'firmware', color: 'purple' },
  ],
  irq: [
    { name: 'hard', color: 'orange' },
    { name: 'softirq', color: 'sky' },
    { name: 'vector', color: 'yellow' },
  ],
  wait: [{ name: 'waits for an interrupt', color: 'unknown' }],
  call: [{ name: 'system call', color: '' }],
  fault: [{ name: 'page fault', color: 'vermilion' }],
  mmio: [{ name: 'access', color: 'green' }],
  counter: [{ name: 'counted', color: 'blue' }],
};

/** Instead of a class: its event set was off then. */
export const UNRECORDED = 0xff;

export function classInfo(kind: Lane['kind'], n: number): ClassInfo {
  if (n === UNRECORDED) return NOT_KNOWN;
  const list = CLASSES[kind];
  return list[Math.min(n, list.length - 1)];
}

const HUES = ['blue', 'orange', 'green', 'purple', 'sky', 'vermilion', 'yellow'];

export function pixel(hex: string): Pixel {
  const n = parseInt(hex.slice(1), 16);
  return (0xff000000 | ((n & 0xff) << 16) | (n & 0xff00) | (n >>> 16)) >>> 0;
}

/** part 0: a, 1: b. */
export function mix(a: Pixel, b: Pixel, part: number): Pixel {
  const of = (shift: number) => {
    const x = (a >>> shift) & 0xff;
    return Math.round(x + (((b >>> shift) & 0xff) - x) * part) << shift;
  };
  return (0xff000000 | of(0) | of(8) | of(16)) >>> 0;
}

export function luminance(p: Pixel): number {
  return (0.299 * (p & 0xff) + 0.587 * ((p >>> 8) & 0xff) + 0.114 * ((p >>> 16) & 0xff)) / 255;
}

export function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return h >>> 0;
}

const DARK_INK = pixel('#101418');
const LIGHT_INK = pixel('#ffffff');

export class Colors {
  private known = new Map<string, Pixel>();
  private texts = new Map<string, string>();
  private shades: Pixel[][] = [];
  private byName: Pixel[] = [];
  private paler = new Map<Pixel, Pixel>();

  constructor() {
    const [white, black] = [pixel('#ffffff'), pixel('#000000')];
    for (const part of [0, 0.4, -0.3])
      this.shades.push(HUES.map((hue) => mix(this.get(hue), part < 0 ? black : white, Math.abs(part))));
  }

  /** A colour of app.css, as it stands there. */
  css(name: string): string {
    let text = this.texts.get(name);
    if (text === undefined) this.texts.set(name, (text = css(name)));
    return text;
  }

  /** The same as a pixel. */
  get(name: string): Pixel {
    let p = this.known.get(name);
    if (p === undefined) {
      const value = this.css(name);
      p = pixel(/^#[0-9a-f]{6}$/i.test(value) ? value : '#888888');
      this.known.set(name, p);
    }
    return p;
  }

  /** The same for a number always; those next to each other differ. */
  number(n: number): Pixel {
    const hue = n + Math.floor(n / 7) + Math.floor(n / 49);
    return this.shades[Math.floor(n / 3) % this.shades.length][hue % HUES.length];
  }

  /** What stands for several. */
  pale(c: Pixel): Pixel {
    let p = this.paler.get(c);
    if (p === undefined) this.paler.set(c, (p = mix(c, this.get('panel'), 0.25)));
    return p;
  }

  task(tid: number): Pixel {
    return this.number(tid);
  }

  /** Of a name that ends with a thread id ("comm tid"): that task's; of others: by their text. */
  ofName(id: number, names: string[]): Pixel {
    let p = this.byName[id];
    if (p === undefined) {
      const name = names[id];
      if (name === undefined) return this.get('unknown');
      const tid = / (\d+)$/.exec(name);
      p = tid ? this.task(Number(tid[1])) : this.number(hash(name));
      this.byName[id] = p;
    }
    return p;
  }

  /** What is read on that ground. */
  on(ground: Pixel): Pixel {
    return luminance(ground) > 0.45 ? DARK_INK : LIGHT_INK;
  }
}
