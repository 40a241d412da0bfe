// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What is seen and chosen, as the address has it. Times are whole ns.
import type { Change, Params } from '../place';
import type { Win } from './window';

export interface Place {
  win: Win | null; // null: everything; live: the newest
  lane: number | null;
  at: number | null; // where the chosen slice begins
  pins: number[];
  folded: string[];
  sel: Win | null;
  text: string; // looked for
}

const FOLDED = ['counters']; // at first: they would leave tasks little room
const NONE = 'none';

function folded(text: string | undefined): string[] {
  const keys = (text ?? '').split(',').filter((s) => /^[a-z]+\d*$/.test(s));
  return keys.length ? keys.filter((s) => s !== NONE) : [...FOLDED];
}

function whole(text: string | undefined): number | null {
  return text && /^\d{1,19}$/.test(text) ? Number(text) : null;
}

function span(from: number | null, to: number | null): Win | null {
  return from !== null && to !== null && to > from ? { from, to } : null;
}

export function readPlace(p: Params): Place {
  const [a, b] = (p.sel ?? '').split('-', 2);
  const lane = whole(p.lane);
  return {
    win: span(whole(p.from), whole(p.to)),
    lane,
    at: lane === null ? null : whole(p.at),
    pins: (p.pins ?? '').split(',').flatMap((s) => whole(s) ?? []),
    folded: folded(p.folded),
    sel: span(whole(a), whole(b)),
    text: p.text ?? '',
  };
}

export function writePlace(p: Place): Change {
  const n = (v: number | null | undefined) => (v === null || v === undefined ? undefined : String(Math.max(0, Math.round(v))));
  return {
    from: n(p.win?.from),
    to: n(p.win?.to),
    lane: n(p.lane),
    at: p.lane === null ? undefined : n(p.at),
    pins: p.pins.join(',') || undefined,
    folded: p.folded.join() === FOLDED.join() ? undefined : p.folded.join(',') || NONE,
    sel: p.sel ? `${n(p.sel.from)}-${n(p.sel.to)}` : undefined,
    text: p.text || undefined,
  };
}
