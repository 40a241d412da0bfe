// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Rows in the order of a tree, each with its depth.
import type { Table } from './model';
import type { Row } from './protocol';

export interface Shown {
  row: Row;
  parent: boolean; // it has children
}

/** Those whose forebears are all open. */
export function visible(t: Table, rows: Row[], closed: string[]): Shown[] {
  const out: Shown[] = [];
  let under = Infinity; // rows deeper than this are in a branch that is closed
  rows.forEach((row, i) => {
    const depth = t.num(row, 'depth');
    if (depth > under) return;
    const parent = i + 1 < rows.length && t.num(rows[i + 1], 'depth') > depth;
    under = closed.includes(row[0]) ? depth : Infinity;
    out.push({ row, parent });
  });
  return out;
}
