// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// A table of a view: sorted by a click on a heading, which the address keeps, filtered by words; each heading
// says what it is.
// Columns of which nothing is known are left out. Rows may be links, and a tree.
import { useContext } from 'preact/hooks';
import { cell, isNumber } from './format';
import type { Table } from './model';
import { orderChange, orderOf, turned } from './order';
import type { Column, Row, Value } from './protocol';
import { Here } from './tab';
import { visible } from './tree';

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

/** Addresses are texts: of two the longer is the higher. */
function less(c: Column, x: Value, y: Value): boolean {
  if (c.kind === 'hex' && String(x).length !== String(y).length) return String(x).length < String(y).length;
  return x! < y!;
}

function order(t: Table, rows: Row[], sort: string): Row[] {
  const down = sort.startsWith('-');
  const name = down ? sort.slice(1) : sort;
  const c = t.column(name);
  if (!c) return rows;
  const sign = down ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [t.get(a, name), t.get(b, name)];
    if (x === y) return 0;
    if (x === null || y === null) return x === null ? 1 : -1; // not known: last
    return less(c, x, y) ? -sign : sign;
  });
}

/** What makes a row one that can be chosen. */
function selectable(row: Row, p: { chosen?: string; choose?: (row: Row) => void }) {
  const choose = p.choose;
  if (!choose) return {};
  return {
    class: 'selectable',
    tabIndex: 0,
    'aria-current': p.chosen === row[0] ? ('true' as const) : undefined,
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

/** Rows as a tree, by the column "depth" and in the table's order, as long as nothing else is asked for. */
export interface Tree {
  column: string; // that has the branches
  closed: string[]; // keys of rows whose children are not shown
  toggle: (key: string) => void;
}

export interface GridProps {
  table?: Table;
  columns: string[];
  sort?: string; // at first
  as?: string; // its name in the address, where the tab has two tables of one name
  filter?: string;
  most?: number;
  label: string;
  /** The address that a row leads to, from its column `named`, or the first. */
  link?: (row: Row) => string | undefined;
  named?: string;
  tree?: Tree;
  keep?: (row: Row) => boolean; // rows that are shown; all
  chosen?: string; // key of the row that is
  choose?: (row: Row) => void; // a click, Enter
}

function Branch({ tree, row, depth, parent }: { tree: Tree; row: Row; depth: number; parent: boolean }) {
  const closed = tree.closed.includes(row[0]);
  return (
    <span class="branch" style={{ paddingLeft: `${depth * 14}px` }}>
      {parent ? (
        <button
          class={closed ? 'fold closed' : 'fold'}
          aria-expanded={!closed}
          aria-label={`Children of ${row[0]}`}
          onClick={() => tree.toggle(row[0])}
        />
      ) : (
        <i class="fold" />
      )}
    </span>
  );
}

export function Grid(props: GridProps) {
  const here = useContext(Here);
  const t = props.table;
  if (!t) return null;
  const first = props.sort ?? '';
  const name = props.as ?? t.name;
  const sort = orderOf(here?.params ?? {}, name, first, props.columns);
  const whole = t.list();
  const known = (name: string) => !whole.length || whole.some((row) => t.get(row, name) !== null);
  const columns = props.columns.filter(known).flatMap((name) => t.column(name) ?? []);
  const kept = props.keep ? whole.filter(props.keep) : whole;
  const tree = sort || props.filter ? undefined : props.tree;
  const shown = tree ? visible(t, kept, tree.closed) : undefined;
  const all = shown ? shown.map((s) => s.row) : kept.filter((row) => !props.filter || matches(t, row, props.filter));
  const rows = order(t, all, sort).slice(0, props.most ?? MOST);
  const left = all.length - rows.length + t.cut;
  const named = props.named ?? columns[0]?.name;
  const by = (column: string) => here?.go(orderChange(name, first, turned(sort, column)));
  const state = (name: string) => (sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : 'none');
  const value = (row: Row, c: Column, link?: string) => {
    const text = cell(c, t.get(row, c.name));
    return link && c.name === named ? <a href={link}>{text}</a> : text;
  };
  const follow = (e: MouseEvent, link?: string) => {
    const chosen = getSelection()?.type === 'Range'; // a text, to be copied
    if (link && !chosen && !(e.target as HTMLElement).closest('a, button')) location.hash = link;
  };
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
          {rows.map((row, i) => {
            const link = props.link?.(row);
            return (
              <tr
                key={row[0]}
                data-key={row[0]}
                class={link ? 'leads' : ''}
                aria-current={props.chosen === row[0] ? 'true' : undefined}
                onClick={(e) => follow(e, link)}
                {...selectable(row, props)}
              >
                {columns.map((c) => (
                  <td class={isNumber(c) ? 'number' : c.kind === 'hex' ? 'mono' : ''} data-column={c.name}>
                    {shown && tree && c.name === tree.column && (
                      <Branch tree={tree} row={row} depth={t.num(row, 'depth')} parent={shown[i].parent} />
                    )}
                    {value(row, c, link)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {!all.length && <p class="missing dim">{props.filter ? 'Nothing matches.' : 'Nothing yet.'}</p>}
      {left > 0 && !props.most && <p class="dim">{left} more rows are not shown.</p>}
    </div>
  );
}
