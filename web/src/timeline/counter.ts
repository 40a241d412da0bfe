// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Counters: what was counted in stretches of time, as the server tells them; those without anything are left out. Of a
// level (how many there are of something) the amount is the integral over ns, and what is shown the mean.
import { bytes } from '../format';
import { amountOf, firstAfter, type LaneData } from './frame';
import type { Lane } from '../protocol';
import type { Win } from './window';

type Kind = Pick<Lane, 'unit' | 'level' | 'off'>;

/** What was counted in a stretch of time. */
export interface Counted {
  start: number; // ns
  duration: number;
  amount: number;
  value: number; // a second; of a level: on average
  off: boolean; // it did not count
}

/** ns of a whole stretch: all are that long, but for those that the window has cut. */
export function stretchOf(data: LaneData): number {
  let most = 1;
  for (let i = 0; i < data.n; i++) most = Math.max(most, data.duration[i]);
  return most * data.unit;
}

/**
 * What is shown of the i-th: its rate a second, over a whole stretch, as one that was cut is not told for a short one;
 * of a level the mean.
 */
function valueOf(kind: Kind, data: LaneData, i: number, over: number): number {
  return kind.level ? amountOf(data, i) / (data.duration[i] * data.unit) : (amountOf(data, i) * 1e9) / over;
}

/** The highest value that is seen. */
export function mostOf(kind: Kind, data: LaneData, over: number, win: Win): number {
  let most = 0;
  for (let i = Math.max(0, firstAfter(data, (win.from - data.from) / data.unit, 0, data.n) - 1); i < data.n; i++) {
    if (data.from + data.start[i] * data.unit >= win.to) break;
    if (data.from + (data.start[i] + data.duration[i]) * data.unit > win.from) most = Math.max(most, valueOf(kind, data, i, over));
  }
  return most;
}

/** Not below that value: a digit or one and a half times a power of ten; of bytes the same of a power of two. */
export function roundAbove(value: number, unit?: string): number {
  const base = unit === 'bytes' ? 2 : 10;
  const power = base ** Math.floor(Math.log(Math.max(1, value)) / Math.log(base) + 1e-9);
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((k) => k * power >= value * 0.9999) ?? 10) * power;
}

/** How high each column from x0 to x1 is, 0 to 1 of `most`: the highest of what lies in it. */
export function columnsOf(kind: Kind, data: LaneData, over: number, base: number, per: number, x0: number, x1: number, most: number): Float64Array {
  const high = new Float64Array(Math.max(0, x1 - x0));
  const unit = data.unit * per;
  for (let i = Math.max(0, firstAfter(data, (x0 - base) / unit, 0, data.n) - 1); i < data.n; i++) {
    const a = Math.floor(base + data.start[i] * unit);
    if (a >= x1) break;
    const b = Math.max(a + 1, Math.floor(base + (data.start[i] + data.duration[i]) * unit));
    const tall = Math.min(1, valueOf(kind, data, i, over) / most);
    for (let x = Math.max(a, x0); x < Math.min(b, x1); x++) if (high[x - x0] < tall) high[x - x0] = tall;
  }
  return high;
}

/** When it did not count, within that time. */
export function gapsOf(kind: Kind, within: Win): Win[] {
  const all = (kind.off ?? []).map(([from, to]) => ({ from: Math.max(from, within.from), to: Math.min(to ?? Infinity, within.to) }));
  return all.filter((gap) => gap.to > gap.from);
}

/** What was counted then: a stretch, or the time up to the next in which nothing was; or that it did not count. */
export function counted(kind: Kind, data: LaneData, time: number, span: Win): Counted | null {
  const known = { from: Math.max(data.from, span.from), to: Math.min(data.to, span.to) };
  if (time < known.from || time >= known.to) return null;
  for (const gap of gapsOf(kind, known)) {
    if (time >= gap.to) known.from = gap.to;
    else if (time < gap.from) known.to = Math.min(known.to, gap.from);
    else return { start: gap.from, duration: gap.to - gap.from, amount: 0, value: 0, off: true };
  }
  const after = firstAfter(data, (time - data.from) / data.unit, 0, data.n);
  const start = (i: number) => data.from + data.start[i] * data.unit;
  const end = (i: number) => start(i) + data.duration[i] * data.unit;
  const over = stretchOf(data);
  if (after && time < end(after - 1))
    return { start: start(after - 1), duration: end(after - 1) - start(after - 1), amount: amountOf(data, after - 1), value: valueOf(kind, data, after - 1, over), off: false };
  const from = after ? Math.max(end(after - 1), known.from) : known.from;
  const to = after < data.n ? Math.min(start(after), known.to) : known.to;
  return { start: from, duration: Math.max(1, to - from), amount: 0, value: 0, off: false };
}

/** A number in few digits: 12.3k. */
function few(v: number): string {
  const [name, size] = ([['G', 1e9], ['M', 1e6], ['k', 1e3]] as const).find(([, n]) => v >= n) ?? ['', 1];
  return `${Number((v / size).toPrecision(3))}${name}`;
}

/** "12.3k switches/s"; bytes: "1.5 MiB/s"; of a level "2.5 tasks". */
export function valueText(value: number, { unit = '', level }: Kind): string {
  if (unit !== 'bytes') return `${few(value)} ${unit}${level ? '' : '/s'}`;
  const text = bytes(value < 1024 ? Number(value.toPrecision(3)) : value).replace('.0 ', ' ');
  return `${text}/s`;
}

/** All of it: "12 345 switches". */
export function countText(amount: number, unit = ''): string {
  const threes = String(amount).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return `${threes} ${unit}`;
}
