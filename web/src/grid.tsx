// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// A table of a view: sorted by a click on a heading, filtered by words; each heading says what it is.
// Columns of which nothing is known are left out.
import { useState } from 'preact/hooks';
import { cell, isNumber } from './format';
import type { Table } from './model';
import type { Row } from './protocol';

const MOST = 500; // rows drawn

/** Words must all occur in a row; NAME=TEXT in that column, whole. */
export function matches(t: Table, row: Row, filter: string): boolean {
  return filter
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .every((word) => {
      const [name, value] = word.split('=', 2);
      if (value !== undefined && t.column(name)) return t.text(row, name).toLowerCase() === value;
      return row.slice(1).some((v) => String(v).toLowerCase().includes(word));
    });
}

function order(t: Table, rows: Row[], sort: string): Row[] {
  const down = sort.startsWith('-');
  const name = down ? sort.slice(1) : sort;
  if (!t.column(name)) return rows;
  const sign = down ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [t.get(a, name), t.get(b, name)];
    if (x === y) return 0;
    if (x === null || y === null) return x === null ? 1 : -1; // not known: last
    return x < y ? -sign : sign;
  });
}

/** What makes a row one that can be chosen. */
function selectable(row: Row, p: { chosen?: string; choose?: (row: Row) => void }) {
  const choose = p.choose;
  if (!choose) return {};
  return {
    class: 'selectable',
    tabIndex: 0,
    'aria-current': p.chosen === row[0],
    onClick: () => choose(row),
    onKeyDown: (e: KeyboardEvent) => {
      const to = e.key === 'ArrowDown' ? 'nextElementSibling' : e.key === 'ArrowUp' ? 'previousElementSibling' : null;
      const next = to && ((e.currentTarget as HTMLElement)[to] as HTMLElement | null);
      if (e.key === 'Enter') choose(row);
      else if (next) next.focus();
      else return;
      e.preventDefault();
    },
  };
}

export function Grid(props: {
  table?: Table;
  columns: string[];
  sort?: string;
  filter?: string;
  most?: number;
  label: string;
  keep?: (row: Row) => boolean; // rows that are shown; all
  chosen?: string; // key of the row that is
  choose?: (row: Row) => void; // a click, Enter
}) {
  const [sort, setSort] = useState(props.sort ?? '');
  const t = props.table;
  if (!t) return null;
  const whole = t.list();
  const known = (name: string) => !whole.length || whole.some((row) => t.get(row, name) !== null);
  const columns = props.columns.filter(known).flatMap((name) => t.column(name) ?? []);
  const kept = props.keep ? whole.filter(props.keep) : whole;
  const all = kept.filter((row) => !props.filter || matches(t, row, props.filter));
  const rows = order(t, all, sort).slice(0, props.most ?? MOST);
  const left = all.length - rows.length + t.cut;
  const by = (name: string) => setSort(sort === `-${name}` ? name : sort === name ? '' : `-${name}`);
  const state = (name: string) => (sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : 'none');
  return (
    <div class="scroll">
      <table aria-label={props.label}>
        <thead>
          <tr>
            {columns.map((c) => (
              <th class={isNumber(c) ? 'number' : ''} title={c.doc} aria-sort={state(c.name)}>
                <button onClick={() => by(c.name)}>
                  {c.name.replace(/_/g, ' ')}
                  <span aria-hidden="true">{sort === c.name ? ' ▲' : sort === `-${c.name}` ? ' ▼' : ''}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row[0]} data-key={row[0]} {...selectable(row, props)}>
              {columns.map((c) => (
                <td class={isNumber(c) ? 'number' : c.kind === 'hex' ? 'mono' : ''} data-column={c.name}>
                  {cell(c, t.get(row, c.name))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {!all.length && <p class="missing dim">{props.filter ? 'Nothing matches.' : 'Nothing yet.'}</p>}
      {left > 0 && !props.most && <p class="dim">{left} more rows are not shown.</p>}
    </div>
  );
}
