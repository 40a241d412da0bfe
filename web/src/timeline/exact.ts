// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// A slice that was pointed at, as it is: what came of a window is cut to that, and rounded to its units.
import type { Feed, Found } from './feed';
import type { Slice } from './scope';

const TRIES = 8; // slices looked at: others may begin at about the same time, in other rows

/** null: it is not found any more. */
export async function exactOf(feed: Feed, s: Slice): Promise<Found | null> {
  const data = feed.data.get(s.lane);
  if (!data) return null;
  const slack = 2 * data.unit;
  const cut = s.start <= data.from;
  const end = s.start + s.duration;
  const same = (f: Found) =>
    f.name === s.name && (cut ? f.start <= s.start + slack : Math.abs(f.start - s.start) <= slack) && (s.open || f.start + f.duration >= end - slack);
  let from = cut ? data.from + 1 : s.start - slack;
  for (let i = 0; i < TRIES; i++) {
    const found = await feed.find('', from, cut, s.lane);
    if (!found || (!cut && found.start > s.start + slack)) return null;
    if (same(found)) return found;
    from = found.start;
  }
  return null;
}
