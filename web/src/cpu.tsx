// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What vCPUs' time went to.
import { Grid } from './grid';
import type { Table, View } from './model';
import { css, MODES } from './palette';
import { Bar, Canvas, Legend, Panel } from './parts';
import type { Row } from './protocol';
import type { Shown, Tab } from './tab';

/** The modes that any row has seen, and their shares of one. */
export function shares(t: Table, row: Row): [name: string, color: string, percent: number][] {
  return MODES.map(([field, name, color]) => [name, color, t.num(row, `${field}_share`)]);
}

export function modesSeen(t?: Table): typeof MODES {
  return MODES.filter(([field]) => t?.list().some((row) => t.num(row, `${field}_share`) > 0));
}

function words(t: Table, row: Row): string {
  return shares(t, row)
    .filter(([, , p]) => p > 0)
    .map(([name, , p]) => `${name} ${p.toFixed(1)} %`)
    .join(', ');
}

/** A line a vCPU: its name, a bar, busy in percent. */
export function CpuBars({ view }: { view: View }) {
  const t = view.table('cpus');
  if (!t) return null;
  return (
    <>
      {t.list().map((row) => {
        const cpu = t.text(row, 'cpu');
        const busy = 100 - t.num(row, 'idle_share') - t.num(row, 'unknown_share');
        return (
          <div class="cpu-bar" key={row[0]} title={words(t, row)}>
            <span>vCPU {cpu}</span>
            <Bar parts={shares(t, row)} label={`vCPU ${cpu}: ${words(t, row)}`} />
            <b data-cpu={cpu}>{busy.toFixed(0)} %</b>
          </div>
        );
      })}
      <Legend items={modesSeen(t).map(([field, name, color]) => [name, color, undefined, t.column(`${field}_share`)?.doc])} />
    </>
  );
}

/** Modes over time, stacked; idle is what is left empty. */
function Stacked({ view, cpu, words }: { view: View; cpu: number; words: string }) {
  const t = view.table('bins');
  const interval = view.table('interval');
  const whole = interval?.list()[0];
  if (!t || !interval || !whole) return null;
  const from = interval.num(whole, 'start');
  const span = Math.max(1, interval.num(whole, 'end') - from);
  const rows = t.list().filter((row) => t.num(row, 'cpu') === cpu);
  return (
    <Canvas
      class="stacked"
      label={`vCPU ${cpu} over the last ${(span / 1e9).toFixed(1)} seconds: ${words}`}
      draw={(g, w, h) => {
        for (const row of rows) {
          const x = ((t.num(row, 'time') - from) / span) * w;
          const wide = (t.num(row, 'duration') / span) * w;
          let y = h;
          for (const [, color, percent] of shares(t, row)) {
            if (color === 'idle' || percent <= 0) continue;
            const high = (percent / 100) * h;
            g.fillStyle = css(color);
            g.fillRect(x, y - high, Math.max(1, wide - 1), high);
            y -= high;
          }
        }
        g.strokeStyle = css('line');
        g.strokeRect(0.5, 0.5, w - 1, h - 1);
      }}
    />
  );
}

function Cpu({ guest: { id: guest } }: Shown) {
  return (
    <div class="page cpu">
      <Panel guest={guest} view="modes" title="Modes of each vCPU over time">
        {(view) => {
          const cpus = view.table('cpus');
          if (!cpus) return null;
          return (
            <>
              {cpus.list().map((row) => (
                <div class="cpu-time" key={row[0]}>
                  <h3>
                    vCPU {cpus.text(row, 'cpu')} <span class="dim">{words(cpus, row)}</span>
                  </h3>
                  <Stacked view={view} cpu={cpus.num(row, 'cpu')} words={words(cpus, row)} />
                </div>
              ))}
              <Legend items={modesSeen(cpus).map(([field, name, color]) => [name, color, undefined, cpus.column(`${field}_share`)?.doc])} />
            </>
          );
        }}
      </Panel>
      <Panel guest={guest} view="modes" title="Time by task" class="fill">
        {(view) => (
          <Grid
            table={view.table('tasks')}
            label="Time by task"
            columns={['tid', 'comm', 'share', 'user', 'kernel', 'firmware', 'guest_kernel', 'guest_user', 'idle']}
            sort="-share"
          />
        )}
      </Panel>
    </div>
  );
}

export const cpu: Tab = {
  name: 'cpu',
  title: 'CPU',
  views: () => ['modes'],
  Body: Cpu,
};
