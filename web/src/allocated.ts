// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// How often the pages of a cell of the physical grid were allocated, as the server has counted it by looking.
import type { View } from './model';
import type { Row } from './protocol';

const PAGE = 4096;

/** cell: a row of the map's cells. null: it is not followed; undefined: nothing is. */
export function timesOf(map: View | undefined, cell: Row | undefined): number | null | undefined {
  const t = map?.table('allocated');
  if (!t || !cell) return undefined;
  const row = t.rows.get(cell[0]); // both have the cell's start as their key; without a row: never
  return row ? (t.get(row, 'times') as number | null) : 0;
}

/** Of all cells that are followed. */
export function mostTimes(map: View | undefined): number {
  const t = map?.table('allocated');
  return (t?.list() ?? []).reduce((most, row) => Math.max(most, t!.num(row, 'times')), 0);
}

/** In words, with what the number is good for; '' where there is none. */
export function allocatedWords(map: View | undefined, cell: Row | undefined, clock: (ms: number) => string = timeOfDay): string {
  const times = timesOf(map, cell);
  const t = map?.table('looks');
  const row = t?.list()[0];
  if (times === undefined || !t || !row) return '';
  if (times === null) return 'how often allocated: not followed, there is too much RAM';
  const looks = t.num(row, 'looks');
  const whose = map!.table('cells')!.num(cell!, 'bytes') > PAGE ? 'its pages were ' : '';
  return `${whose}allocated ${times} ${times === 1 ? 'time' : 'times'} in ${looks} ${looks === 1 ? 'look' : 'looks'} since ${clock(
    t.num(row, 'since') * 1000,
  )} (what came and went between two looks is not seen)`;
}

function timeOfDay(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB'); // 23:59:59
}
