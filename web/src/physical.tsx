// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Physical memory as a grid of cells: who owns them, how hot they are, which change, how often their pages
// were allocated. A cell opens: its range is the grid then, down to pages.
import { useEffect, useRef, useState } from 'preact/hooks';
import { hex, range } from './address';
import { allocatedWords, mostTimes, timesOf } from './allocated';
import { inLines, Pointed } from './cells';
import { bytes, count } from './format';
import type { Table, View } from './model';
import { css, ownerColor } from './palette';
import { Legend } from './parts';
import type { Params } from './place';
import type { Row } from './protocol';
import { store } from './store';
import type { Shown } from './tab';

const PAGE = 4096n;
const BLINK_MS = 1500;
const CHANGES_KEPT = 1 << 15; // cells
const HEAT = ['heat0', 'heat1', 'heat2', 'heat3', 'heat4'];
const MODES: [name: string, title: string][] = [
  ['', 'Owner'],
  ['heat', 'Heat'],
  ['changes', 'Changes'],
  ['allocated', 'Allocations'],
];

export function showHeat(params: Params): boolean {
  return params.show === 'heat';
}

/** The ranges that were opened, one in the other; the last is shown. */
function zooms(params: Params): [bigint, bigint][] {
  return (params.zoom ?? '').split(' ').flatMap((text) => {
    const r = range(text);
    return r ? [r] : [];
  });
}

export function zoomed(params: Params): [bigint, bigint] | undefined {
  const list = zooms(params);
  return list[list.length - 1];
}

function zoomText(list: [bigint, bigint][]): string {
  return list.map(([from, to]) => `${hex(from)}-${hex(to)}`).join(' ');
}

export function Modes({ at }: { at: Shown }) {
  const now = at.params.show ?? '';
  return (
    <nav class="modes" aria-label="What cells show">
      {MODES.map(([name, title]) => (
        <a href={at.link({ show: name || undefined })} aria-current={now === name ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

interface Change {
  owner: string;
  times: number;
  last: number; // performance.now()
}

/** How often each cell's owner was seen to change while it was looked at, by the cell's key. */
function useChanges(t?: Table): Map<string, Change> {
  const seen = useRef(new Map<string, Change>());
  for (const row of t?.list() ?? []) {
    const owner = t!.text(row, 'owner');
    const before = seen.current.get(`${row[0]} ${t!.get(row, 'bytes')}`);
    if (!before) seen.current.set(`${row[0]} ${t!.get(row, 'bytes')}`, { owner, times: 0, last: -Infinity });
    else if (before.owner !== owner) Object.assign(before, { owner, times: before.times + 1, last: performance.now() });
  }
  for (const key of seen.current.keys()) {
    if (seen.current.size <= CHANGES_KEPT) break;
    seen.current.delete(key); // seen first: of ranges that were looked at long ago
  }
  return seen.current;
}

interface Cell {
  start: bigint;
  size: bigint;
  key: string;
  owner?: Row; // of the view "map"
  heat?: Row; // of the view "heat"
}

function cellsOf(t: Table | undefined, what: 'owner' | 'heat', within?: [bigint, bigint]): Cell[] {
  const cells = (t?.list() ?? []).map((row) => ({
    start: BigInt(t!.text(row, 'start')),
    size: BigInt(t!.num(row, 'bytes')),
    key: `${row[0]} ${t!.get(row, 'bytes')}`,
    [what]: row,
  }));
  return cells
    .filter((c) => !within || (c.start + c.size > within[0] && (c.start < within[1] || !within[1])))
    .sort((a, b) => (a.start < b.start ? -1 : 1));
}

/** Heat's cells are its own: the owner of one is that of the map's cell where it begins. */
function ownerAt(owners: Cell[], start: bigint): Row | undefined {
  return owners.find((c) => start >= c.start && start < c.start + c.size)?.owner;
}

/** The map's cell of the same range. */
function sameCell(owners: Cell[], cell: Cell): Row | undefined {
  return owners.find((c) => c.key === cell.key)?.owner;
}

function tasksIn(heat: View | undefined, c: Cell): string {
  const t = heat?.table('pages');
  const names = new Set<string>();
  for (const row of t?.list() ?? []) {
    const page = BigInt(t!.text(row, 'address'));
    if (page >= c.start && page < c.start + c.size && t!.get(row, 'pid') !== null)
      names.add(`${t!.text(row, 'comm')} (${t!.text(row, 'pid')})`);
  }
  return [...names].slice(0, 3).join(', ');
}

export function Crumbs({ at }: { at: Shown }) {
  const list = zooms(at.params);
  if (!list.length) return null;
  return (
    <nav class="crumbs" aria-label="Ranges">
      <a class="ref" href={at.link({ zoom: undefined })}>All of RAM</a>
      {list.map(([from, to], i) => (
        <>
          {' › '}
          <a class="ref mono" href={at.link({ zoom: zoomText(list.slice(0, i + 1)) })} aria-current={i === list.length - 1 ? 'page' : undefined}>
            {hex(from)}–{hex(to)}
          </a>
        </>
      ))}
    </nav>
  );
}

/** Drawn once more when what blinks has ended. */
function useLater(last: number): void {
  const [, set] = useState(0);
  useEffect(() => {
    const left = last + BLINK_MS - performance.now();
    if (left <= 0) return;
    const timer = setTimeout(() => set((n) => n + 1), left + 20);
    return () => clearTimeout(timer);
  });
}

export function PhysicalMap({ at, view, heat }: { at: Shown; view: View; heat: boolean }) {
  const mapView = store.view(at.guest.id, 'map');
  const map = mapView?.table('cells');
  const heatView = store.view(at.guest.id, 'heat');
  const changes = useChanges(map);
  const seen = [...changes.values()];
  const recent = Math.max(-Infinity, ...seen.map((c) => c.last));
  useLater(recent);
  const list = zooms(at.params);
  const within = zoomed(at.params);
  const t = view.table('cells');
  const owners = cellsOf(map, 'owner');
  const cells = heat ? cellsOf(t, 'heat', within) : owners;
  if (!cells.length || !t) return <p class="missing">{within ? 'There is no memory in that range.' : heat ? 'No access was counted yet.' : 'There is no memory.'}</p>;
  const showChanges = at.params.show === 'changes';
  const showAllocated = at.params.show === 'allocated';
  const most = Math.max(1, showAllocated ? mostTimes(mapView) : 0, ...(showAllocated ? [] : seen.map((c) => c.times)));
  const now = performance.now();
  // few cells change much more often than the others
  const level = (times: number) => (most > 1 ? Math.round((Math.log(times) / Math.log(most)) * 4) : 0);
  const owner = (c: Cell) => c.owner ?? ownerAt(owners, c.start);
  const color = (c: Cell): string => {
    if (heat) return c.heat && t.num(c.heat, 'hot') > 0 ? HEAT[Math.min(4, Math.floor(t.num(c.heat, 'level') / 2))] : 'free';
    if (!showChanges && !showAllocated) return ownerColor(t.text(c.owner!, 'owner'));
    const times = (showAllocated ? timesOf(mapView, c.owner) : changes.get(c.key)?.times) ?? 0;
    return times ? HEAT[level(times)] : 'free';
  };
  const describe = (c: Cell): string => {
    const o = owner(c);
    const change = changes.get(c.key);
    const parts = [`${hex(c.start)}–${hex(c.start + c.size)} (${bytes(Number(c.size))})`];
    if (o && map) parts.push(`${map.text(o, 'owner')}${c.owner ? `, ${map.num(o, 'share').toFixed(0)} % of it` : ''}`);
    if (change) parts.push(change.times ? `owner seen to change ${change.times} times` : 'owner not seen to change');
    const allocated = allocatedWords(mapView, c.owner ?? sameCell(owners, c));
    if (allocated) parts.push(allocated);
    if (c.heat) parts.push(`${t.text(c.heat, 'hot')} pages accessed: ${count(t.num(c.heat, 'reads'))} reads, ${count(t.num(c.heat, 'writes'))} writes, ${count(t.num(c.heat, 'execs'))} executed`);
    const tasks = tasksIn(heatView, c);
    if (tasks) parts.push(`of ${tasks}`);
    return parts.join('; ');
  };
  const open = (i: number) => {
    const c = cells[i];
    if (c.size <= PAGE) at.go({ pa: hex(c.start) });
    else at.go({ zoom: zoomText([...list, [c.start, c.start + c.size]]) });
  };
  const legend: [string, string][] = heat
    ? [['not accessed', 'free'], ...HEAT.map((c, i): [string, string] => [i === 0 ? 'few' : i === 4 ? 'most accesses' : '', c])]
    : showChanges || showAllocated
      ? [[showChanges ? 'not seen to change' : 'not seen to be allocated', 'free'], ...HEAT.map((c, i): [string, string] => [i === 0 ? 'once' : i === 4 ? `${most} times` : '', c]).slice(0, most > 1 ? 5 : 1)]
      : [];
  return (
    <>
      <Pointed
        class="physical"
        label={`Physical memory, ${cells.length} cells of ${bytes(Number(cells[0].size))}; the table beside has the sums. Arrow keys go from cell to cell, Enter opens one.`}
        n={cells.length}
        place={inLines(cells.length)}
        draw={(g, boxes) =>
          cells.forEach((c, i) => {
            const b = boxes[i];
            g.fillStyle = css(color(c));
            g.fillRect(b.x, b.y, b.w, b.h);
            if (now - (changes.get(c.key)?.last ?? -Infinity) >= BLINK_MS) return;
            g.strokeStyle = css('ink');
            g.lineWidth = 2;
            g.strokeRect(b.x + 1, b.y + 1, Math.max(1, b.w - 2), Math.max(1, b.h - 2));
          })
        }
        describe={(i) => describe(cells[i])}
        open={open}
        hint={`A cell is ${bytes(Number(cells[0].size))}; cells whose owner changed just now have a border. ${
          cells[0].size > PAGE ? 'A click opens a cell.' : 'A click shows who maps a page.'
        }`}
      />
      <Legend items={legend} />
    </>
  );
}
