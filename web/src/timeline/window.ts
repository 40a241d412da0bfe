// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The window of time that is seen, and how it moves. Times are ns of the guest's events' clock.

export interface Win {
  from: number;
  to: number;
}

export const NARROWEST = 100; // ns
const MARGIN = 0.02; // of the width, beside what is known
const BESIDE = 0.5; // of the width: how far the window may leave the span

export function length(w: Win): number {
  return w.to - w.from;
}

/** Not too narrow, not much wider than the span; half of it inside, or all of the span in it. */
export function clamp(w: Win, span: Win): Win {
  const widest = Math.max(length(span) * (1 + 2 * MARGIN), NARROWEST);
  const n = Math.min(Math.max(length(w), NARROWEST), widest);
  const middle = (w.from + w.to) / 2;
  const all = n >= length(span);
  const low = all ? span.to - n : span.from - BESIDE * n;
  const high = all ? span.from : span.to - (1 - BESIDE) * n;
  const from = Math.min(Math.max(middle - n / 2, low), high);
  return { from, to: from + n };
}

/** factor below 1: closer. `at`: the part of the window (0 to 1) that stays where it is. */
export function zoom(w: Win, factor: number, at: number, span: Win): Win {
  const widest = Math.max(length(span) * (1 + 2 * MARGIN), NARROWEST);
  const n = Math.min(Math.max(length(w) * factor, NARROWEST), widest);
  const from = w.from + at * (length(w) - n);
  return clamp({ from, to: from + n }, span);
}

/** part: of the window's width, to the right if positive. */
export function pan(w: Win, part: number, span: Win): Win {
  const by = length(w) * part;
  return clamp({ from: w.from + by, to: w.to + by }, span);
}

export function whole(span: Win): Win {
  const by = Math.max(length(span) * MARGIN, NARROWEST / 2);
  return { from: span.from - by, to: span.to + by };
}

/** A slice with some of what is around it. */
export function around(start: number, duration: number, span: Win): Win {
  const by = Math.max(duration * 0.4, 2000);
  return clamp({ from: start - by, to: start + duration + by }, span);
}

/** As wide as before, with that moment in it; unchanged if it is there already. */
export function bringIn(w: Win, start: number, duration: number, span: Win): Win {
  const edge = length(w) * 0.05;
  if (start >= w.from + edge && start + duration <= w.to - edge) return w;
  if (duration > length(w) * 0.9) return around(start, duration, span);
  const middle = start + duration / 2;
  return clamp({ from: middle - length(w) / 2, to: middle + length(w) / 2 }, span);
}

/** As wide as before, at the newest. */
export function newest(w: Win, span: Win): Win {
  const n = length(w);
  return { from: span.to + MARGIN * n - n, to: span.to + MARGIN * n };
}

/** Part of the way from one window to another; the same widths' ratio for the same part. */
export function toward(now: Win, goal: Win, part: number): Win {
  const [a, b] = [length(now), length(goal)];
  if (Math.abs(a - b) < b * 0.002 && Math.abs(now.from - goal.from) < b * 0.0005) return goal;
  return { from: now.from + (goal.from - now.from) * part, to: now.to + (goal.to - now.to) * part };
}

/** What is asked for when that window is seen: so much of it more on either side, as far as there is anything. */
export function wanted(w: Win, span: Win, beside = 1): Win {
  const n = length(w) * beside;
  const from = Math.floor(Math.max(w.from - n, span.from));
  const to = Math.ceil(Math.min(w.to + n, span.to));
  return to > from ? { from, to } : { from: Math.floor(w.from), to: Math.ceil(w.to) };
}

/**
 * Whether what there is of a lane does for that window: it reaches as far as anything is known, and
 * a pixel of it is about as long. had.pixel, pixel: ns.
 */
export function serves(had: Win & { pixel: number; known: number }, w: Win, pixel: number, span: Win): boolean {
  const left = Math.max(w.from, span.from);
  const right = Math.min(w.to, span.to);
  if (right <= left) return true;
  if (had.from > left || had.to < right || had.known < right) return false;
  if (pixel < 1 && had.pixel <= 1.5) return true; // no closer than it is
  return had.pixel < pixel * 1.5 && had.pixel > pixel / 3;
}
