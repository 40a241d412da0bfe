// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Counters: what was counted in stretches of time, as the server tells them; those without anything are left out.
import { bytes } from '../format';
import { amountOf, firstAfter, type LaneData } from './frame';
import type { Win } from './window';

/** What was counted in a stretch of time. */
export interface Counted {
  start: number; // ns
  duration: number;
  amount: number;
  over: number; // ns that the rate is over: a stretch that was cut is not told for a short one
}

/** ns of a whole stretch: all are that long, but for those that the window has cut. */
export function stretchOf(data: LaneData): number {
  let most = 1;
  for (let i = 0; i < data.n; i++) most = Math.max(most, data.duration[i]);
  return most * data.unit;
}

const perSecond = (amount: number, ns: number) => (amount * 1e9) / Math.max(1, ns);

/** The highest rate that is seen, a second. */
export function mostOf(data: LaneData, over: number, win: Win): number {
  let most = 0;
  for (let i = Math.max(0, firstAfter(data, (win.from - data.from) / data.unit, 0, data.n) - 1); i < data.n; i++) {
    if (data.from + data.start[i] * data.unit >= win.to) break;
    if (data.from + (data.start[i] + data.duration[i]) * data.unit > win.from) most = Math.max(most, amountOf(data, i));
  }
  return perSecond(most, over);
}

/** Not below that rate: a digit or one and a half times a power of ten; of bytes the same of a power of two. */
export function roundAbove(rate: number, unit?: string): number {
  const base = unit === 'bytes' ? 2 : 10;
  const power = base ** Math.floor(Math.log(Math.max(1, rate)) / Math.log(base) + 1e-9);
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((k) => k * power >= rate * 0.9999) ?? 10) * power;
}

/** How high each column from x0 to x1 is, 0 to 1 of `most` a second: the highest of what lies in it. */
export function columnsOf(data: LaneData, over: number, base: number, per: number, x0: number, x1: number, most: number): Float64Array {
  const high = new Float64Array(Math.max(0, x1 - x0));
  const unit = data.unit * per;
  for (let i = Math.max(0, firstAfter(data, (x0 - base) / unit, 0, data.n) - 1); i < data.n; i++) {
    const a = Math.floor(base + data.start[i] * unit);
    if (a >= x1) break;
    const b = Math.max(a + 1, Math.floor(base + (data.start[i] + data.duration[i]) * unit));
    const tall = Math.min(1, perSecond(amountOf(data, i), over) / most);
    for (let x = Math.max(a, x0); x < Math.min(b, x1); x++) if (high[x - x0] < tall) high[x - x0] = tall;
  }
  return high;
}

/** What was counted then: a stretch, or the time up to the next in which nothing was. */
export function counted(data: LaneData, time: number, span: Win): Counted | null {
  const known = { from: Math.max(data.from, span.from), to: Math.min(data.to, span.to) };
  if (time < known.from || time >= known.to) return null;
  const after = firstAfter(data, (time - data.from) / data.unit, 0, data.n);
  const start = (i: number) => data.from + data.start[i] * data.unit;
  const end = (i: number) => start(i) + data.duration[i] * data.unit;
  const over = stretchOf(data);
  if (after && time < end(after - 1)) return { start: start(after - 1), duration: end(after - 1) - start(after - 1), amount: amountOf(data, after - 1), over };
  const from = after ? end(after - 1) : known.from;
  const to = after < data.n ? start(after) : known.to;
  return { start: from, duration: Math.max(1, to - from), amount: 0, over: Math.max(1, to - from) };
}

/** A number in few digits: 12.3k. */
function few(v: number): string {
  const [name, size] = ([['G', 1e9], ['M', 1e6], ['k', 1e3]] as const).find(([, n]) => v >= n) ?? ['', 1];
  return `${Number((v / size).toPrecision(3))}${name}`;
}

/** "12.3k switches/s"; bytes: "1.5 MiB/s". */
export function rateText(amount: number, ns: number, unit = ''): string {
  const rate = perSecond(amount, ns);
  if (unit !== 'bytes') return `${few(rate)} ${unit}/s`;
  const text = bytes(rate < 1024 ? Number(rate.toPrecision(3)) : rate).replace('.0 ', ' ');
  return `${text}/s`;
}

/** All of it: "12 345 switches". */
export function countText(amount: number, unit = ''): string {
  const threes = String(amount).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return `${threes} ${unit}`;
}
