// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The axis of time: where its marks are, and what stands at them.
import { length, type Win } from './window';

const UNITS: [name: string, ns: number][] = [
  ['s', 1e9],
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
];

/** 1, 2 or 5 times a power of ten, not less than n. */
export function step(n: number): number {
  const ten = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  const times = [1, 2, 5, 10].find((k) => k * ten >= n * 0.999) ?? 10;
  return Math.max(1, times * ten);
}

/** That many ns in a unit that shows differences of `exact` ns; the whole number's digits in threes. */
export function timeText(ns: number, exact: number, unit?: string): string {
  const [name, size] = UNITS.find(([u, s]) => (unit ? u === unit : Math.abs(ns) >= s)) ?? UNITS[3];
  const digits = Math.max(0, Math.ceil(Math.log10(size / Math.max(exact, 1)) - 1e-9));
  const [left, right] = Math.abs(ns / size).toFixed(digits).split('.');
  const threes = left.replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return `${ns < 0 ? '−' : ''}${threes}${right ? `.${right}` : ''} ${name}`;
}

/** To the nanosecond, in seconds: 1.234 567 890 s. */
export function exactText(ns: number): string {
  const whole = Math.floor(ns / 1e9);
  const rest = String(Math.round(ns - whole * 1e9)).padStart(9, '0');
  return `${whole}.${rest.slice(0, 3)}\u202f${rest.slice(3, 6)}\u202f${rest.slice(6)} s`;
}

export interface Axis {
  /** ns, that marks count from; 0: from the beginning. */
  base: number;
  baseText: string;
  marks: { time: number; text: string }[];
  minor: number[];
}

/**
 * Marks at least `apart` pixels from each other; zero: the time that is called 0. Where numbers get
 * long they count from a round moment before the window, which stands beside the axis.
 */
export function axisOf(w: Win, pixels: number, apart: number, zero: number): Axis {
  const every = step((length(w) / Math.max(1, pixels)) * apart);
  const from = w.from - zero;
  const round = step(Math.max(length(w), every) * 10);
  const base = from > 100 * length(w) ? Math.floor(from / round) * round : 0;
  const most = w.to - zero - base;
  const unit = (UNITS.find(([, s]) => most >= s && every >= s / 1000) ?? UNITS[3])[0];
  const marks: Axis['marks'] = [];
  const minor: number[] = [];
  for (let i = Math.floor((from - base) / every); i * every + base <= w.to - zero; i++) {
    const at = i * every;
    for (let k = 1; k < 5; k++) minor.push(zero + base + at + (k * every) / 5);
    if (at + base >= from) marks.push({ time: zero + base + at, text: (base ? '+' : '') + timeText(at, every, at === 0 ? unit : unit) });
  }
  return { base, baseText: base ? timeText(base, round, 's') : '', marks, minor };
}
