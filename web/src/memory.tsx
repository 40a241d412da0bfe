// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Who owns physical memory: sums, and a map on which what changed is marked.
import { useRef, useState } from 'preact/hooks';
import { bytes } from './format';
import { Grid } from './grid';
import type { Table, View } from './model';
import { css, ownerColor } from './palette';
import { Bar, Canvas, Legend, Panel } from './parts';
import type { Row } from './protocol';
import type { Shown, Tab } from './tab';

const BLINK_MS = 1500;

export function ownerParts(t: Table): [name: string, color: string, percent: number][] {
  return t
    .list()
    .filter((row) => t.text(row, 'owner') !== 'total')
    .map((row) => [t.text(row, 'owner'), ownerColor(t.text(row, 'owner')), t.num(row, 'percent')]);
}

export function Owners({ view }: { view: View }) {
  const t = view.table('owners');
  if (!t) return null;
  const rows = t.list().filter((row) => t.text(row, 'owner') !== 'total' && t.num(row, 'bytes') > 0);
  const words = rows.map((row) => `${t.text(row, 'owner')} ${bytes(t.num(row, 'bytes'))}`).join(', ');
  return (
    <>
      <Bar parts={ownerParts(t)} label={`Memory: ${words}`} />
      <Legend
        items={rows.map((row) => [
          t.text(row, 'owner'),
          ownerColor(t.text(row, 'owner')),
          bytes(t.num(row, 'bytes')),
          t.column('owner')?.doc,
        ])}
      />
    </>
  );
}

/** When each cell's owner was seen to change last, by the cell's key. */
function useChanges(t?: Table): Map<string, number> {
  const owners = useRef(new Map<string, string>());
  const changes = useRef(new Map<string, number>());
  for (const row of t?.list() ?? []) {
    const owner = t!.text(row, 'owner');
    const before = owners.current.get(row[0]);
    if (before !== undefined && before !== owner) changes.current.set(row[0], performance.now());
    owners.current.set(row[0], owner);
  }
  return changes.current;
}

function describe(t: Table, row: Row): string {
  return `${t.text(row, 'start')}–${t.text(row, 'end')}: ${t.text(row, 'owner')}, ${t.num(row, 'share').toFixed(0)} % of ${bytes(t.num(row, 'bytes'))}`;
}

function PhysicalMap({ view }: { view: View }) {
  const t = view.table('cells');
  const changes = useChanges(t);
  const [at, setAt] = useState(-1);
  if (!t) return null;
  const rows = t.list().sort((a, b) => (BigInt(t.text(a, 'start')) < BigInt(t.text(b, 'start')) ? -1 : 1));
  const shape = (w: number, h: number) => {
    const side = Math.max(3, Math.floor(Math.sqrt((w * h) / Math.max(1, rows.length))));
    const across = Math.max(1, Math.floor(w / side));
    const lines = Math.ceil(rows.length / across);
    return { across, side, high: Math.min(side, h / lines) };
  };
  const now = performance.now();
  return (
    <>
      <Canvas
        class="map"
        label={`Physical memory, ${rows.length} cells of ${rows.length ? bytes(t.num(rows[0], 'bytes')) : ''}; the table beside has the sums`}
        draw={(g, w, h) => {
          const { across, side, high } = shape(w, h);
          rows.forEach((row, i) => {
            const [x, y] = [(i % across) * side, Math.floor(i / across) * high];
            g.fillStyle = css(ownerColor(t.text(row, 'owner')));
            g.fillRect(x, y, side - 1, high - 1);
            if (now - (changes.get(row[0]) ?? -BLINK_MS) < BLINK_MS || i === at) {
              g.strokeStyle = css('ink');
              g.lineWidth = 2;
              g.strokeRect(x + 1, y + 1, side - 3, high - 3);
            }
          });
        }}
        onMove={(x, y, w, h) => {
          const { across, side, high } = shape(w, h);
          const i = Math.floor(y / high) * across + Math.min(across - 1, Math.floor(x / side));
          setAt(i < rows.length ? i : -1);
        }}
        onLeave={() => setAt(-1)}
      />
      <p class="under">{at >= 0 && rows[at] ? describe(t, rows[at]) : 'Point at a cell. Cells that changed just now have a border.'}</p>
    </>
  );
}

function Physical({ guest: { id: guest } }: Shown) {
  return (
    <div class="page memory">
      <Panel guest={guest} view="memory" title="Owners">
        {(view) => (
          <>
            <Owners view={view} />
            <Grid table={view.table('owners')} label="Owners" columns={['owner', 'pages', 'bytes', 'percent']} />
          </>
        )}
      </Panel>
      <Panel guest={guest} view="map" title="Physical memory" class="fill">
        {(view) => <PhysicalMap view={view} />}
      </Panel>
    </div>
  );
}

export const memory: Tab = {
  name: 'memory',
  title: 'Memory',
  views: () => ['memory', 'map'],
  live: true,
  Body: Physical,
};
