// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What a table is sorted by, as the address has it: sort.TABLE=COLUMN upwards, -COLUMN downwards, - in the
// order in which the rows come. Nothing stands there for what the table is sorted by at first.
import type { Change, Params } from './place';

const AS_THEY_COME = '-';

/** In columns: those that can be sorted by; what names no such column is as if it were not there. '': by none. */
export function orderOf(params: Params, table: string, first: string, columns: string[]): string {
  const said = params[`sort.${table}`];
  if (said === AS_THEY_COME) return '';
  return said && columns.includes(said.replace(/^-/, '')) ? said : first;
}

export function orderChange(table: string, first: string, sort: string): Change {
  return { [`sort.${table}`]: sort === first ? undefined : sort || AS_THEY_COME };
}

/** After a click on the heading of a column: downwards, upwards, not by it. */
export function turned(sort: string, column: string): string {
  return sort === `-${column}` ? column : sort === column ? '' : `-${column}`;
}
