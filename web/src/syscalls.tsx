// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// System calls: how long they took, and who made them.
import { count, duration } from './format';
import { Grid } from './grid';
import type { Table, View } from './model';
import { css } from './palette';
import { Canvas, Panel } from './parts';
import type { Shown, Tab } from './tab';
import { useState } from 'preact/hooks';

const LINES = 16; // calls drawn, those that were made most often
const LINE = 22; // pixels

interface Heat {
  names: string[];
  lows: number[];
  cells: Map<string, number>; // "NAME LOW" -> count
  most: number;
}

function heatOf(calls: Table, latency: Table): Heat {
  const names = calls
    .list()
    .sort((a, b) => calls.num(b, 'count') - calls.num(a, 'count'))
    .slice(0, LINES)
    .map((row) => calls.text(row, 'name'));
  const cells = new Map<string, number>();
  const lows = new Set<number>();
  let most = 1;
  for (const row of latency.list()) {
    const n = latency.num(row, 'count');
    if (!n || !names.includes(latency.text(row, 'name'))) continue;
    lows.add(latency.num(row, 'low'));
    cells.set(`${latency.text(row, 'name')} ${latency.num(row, 'low')}`, n);
    most = Math.max(most, n);
  }
  const sorted = [...lows].sort((a, b) => a - b);
  const all: number[] = [];
  for (let low = sorted[0]; low !== undefined && low <= sorted[sorted.length - 1]; low = low ? low * 2 : 1) all.push(low);
  return { names, lows: all, cells, most };
}

/** Dark to light, evenly for the eye: the same for all who see. */
const HEAT = ['heat0', 'heat1', 'heat2', 'heat3', 'heat4'];

function Heatmap({ view }: { view: View }) {
  const calls = view.table('calls');
  const latency = view.table('latency');
  const [at, setAt] = useState('');
  if (!calls || !latency) return null;
  const heat = heatOf(calls, latency);
  if (!heat.names.length) return <p class="missing dim">No call was made.</p>;
  const left = 120;
  const below = 18;
  const place = (x: number, y: number, w: number) => {
    const i = Math.floor(((x - left) / (w - left)) * heat.lows.length);
    const [name, low] = [heat.names[Math.floor(y / LINE)], heat.lows[i]];
    const n = heat.cells.get(`${name} ${low}`);
    return n ? `${name}: ${n} took ${duration(low)} to ${duration(low * 2)}` : '';
  };
  return (
    <>
      <div class="heat-box" style={{ height: `${heat.names.length * LINE + below}px` }}>
        <Canvas
          class="heat"
          label="How long calls took; the table below has the numbers"
          draw={(g, w) => {
            const wide = (w - left) / Math.max(1, heat.lows.length);
            g.font = '12px system-ui, sans-serif';
            g.textBaseline = 'middle';
            heat.names.forEach((name, i) => {
              g.fillStyle = css('ink');
              g.textAlign = 'right';
              g.fillText(name, left - 8, i * LINE + LINE / 2, left - 12);
              heat.lows.forEach((low, k) => {
                const n = heat.cells.get(`${name} ${low}`) ?? 0;
                const level = n ? Math.round((Math.log(n + 1) / Math.log(heat.most + 1)) * (HEAT.length - 1)) : -1;
                g.fillStyle = css(n ? HEAT[level] : 'well');
                g.fillRect(left + k * wide, i * LINE + 1, wide - 1, LINE - 2);
              });
            });
            g.fillStyle = css('dim');
            g.textAlign = 'left';
            const every = Math.max(1, Math.ceil(64 / wide));
            heat.lows.forEach((low, k) => {
              if (k % every === 0 && left + k * wide + 56 < w) g.fillText(duration(low), left + k * wide, heat.names.length * LINE + below / 2);
            });
          }}
          onMove={(x, y, w) => setAt(place(x, y, w))}
          onLeave={() => setAt('')}
        />
      </div>
      <p class="under">{at || `Calls by how long they took, to the right the longer; the strongest colour is ${count(heat.most)}.`}</p>
    </>
  );
}

function Syscalls({ guest: { id: guest }, params: { filter } }: Shown) {
  return (
    <div class="page syscalls">
      <Panel guest={guest} view="syscalls" title="How long calls took" class="wide">
        {(view) => <Heatmap view={view} />}
      </Panel>
      <Panel guest={guest} view="syscalls" title="By call" class="fill">
        {(view) => (
          <Grid
            table={view.table('calls')}
            label="System calls"
            columns={['name', 'count', 'errors', 'unfinished', 'total', 'avg', 'max']}
            sort="-count"
            filter={filter}
          />
        )}
      </Panel>
      <Panel guest={guest} view="syscalls" title="By task" class="fill">
        {(view) => (
          <Grid
            table={view.table('tasks')}
            label="System calls by task"
            columns={['tid', 'comm', 'name', 'count', 'errors', 'total', 'max']}
            sort="-count"
            filter={filter}
          />
        )}
      </Panel>
    </div>
  );
}

export const syscalls: Tab = {
  name: 'syscalls',
  title: 'Syscalls',
  views: () => ['syscalls'],
  filters: true,
  Body: Syscalls,
};
