// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What vCPUs' time went to.
import { Donut } from './charts';
import { duration } from './format';
import { Grid } from './grid';
import type { Table, View } from './model';
import { css, MODES } from './palette';
import { Bar, Canvas, Legend, Panel } from './parts';
import type { Row } from './protocol';
import type { Shown, Tab } from './tab';
import { By, byKey, TrapKinds } from './traps';

const TASKS = 8; // drawn as bars, the busiest

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

/** Whose time the ring shows: "cpu N", "task TID", or all vCPUs'. */
function Modes({ view, at }: { view: View; at: Shown }) {
  const [kind, id] = (at.params.of ?? '').split(' ');
  const t = view.table(kind === 'task' ? 'tasks' : 'cpus');
  const rows = t?.list().filter((row) => !kind || row[0] === id) ?? [];
  if (!t || !rows.length) return <p class="missing dim">{kind ? 'It had no time in these seconds.' : 'Nothing yet.'}</p>;
  const sums = MODES.map(([field, name, color]) => ({ field, name, color, ns: rows.reduce((n, row) => n + t.num(row, field), 0) }));
  const whole = sums.reduce((n, s) => n + s.ns, 0);
  return (
    <Donut
      label="Time by mode"
      middle={[duration(whole), kind === 'task' ? `task ${id}` : kind ? `vCPU ${id}` : 'all vCPUs']}
      heads={['mode', 'time', 'share']}
      slices={sums
        .filter((s) => s.ns > 0)
        .map((s) => ({ key: s.field, name: s.name, color: s.color, value: s.ns, text: duration(s.ns), doc: t.column(s.field)?.doc }))}
    />
  );
}

/** A bar a task, as long as its time beside the busiest one's, parted by mode; idle is none. */
function TaskBars({ view, at }: { view: View; at: Shown }) {
  const t = view.table('tasks');
  if (!t) return null;
  const parts = (row: Row): [string, string, number][] =>
    MODES.filter(([field]) => field !== 'idle').map(([field, name, color]) => [name, color, t.num(row, field)]);
  const sum = (row: Row) => parts(row).reduce((n, [, , ns]) => n + ns, 0);
  const rows = t.list().sort((a, b) => sum(b) - sum(a)).slice(0, TASKS);
  const most = Math.max(1, ...rows.map(sum));
  return (
    <div class="task-bars">
      {rows.map((row) => {
        const chosen = at.params.of === `task ${row[0]}`;
        const said = parts(row).filter(([, , ns]) => ns > 0).map(([name, , ns]) => `${name} ${duration(ns)}`).join(', ');
        return (
          <button
            key={row[0]}
            data-task={row[0]}
            title={said}
            aria-pressed={chosen}
            onClick={() => at.go({ of: chosen ? undefined : `task ${row[0]}` })}
          >
            <span>
              {t.text(row, 'tid')} {t.text(row, 'comm')}
            </span>
            <Bar parts={parts(row).map(([name, color, ns]) => [name, color, (ns / most) * 100])} label={`${t.text(row, 'comm')}: ${said}`} />
            <b>{duration(sum(row))}</b>
          </button>
        );
      })}
    </div>
  );
}

function Cpu(at: Shown) {
  const { guest: { id: guest }, params: { of, by } } = at;
  return (
    <div class="page cpu">
      <Panel
        guest={guest}
        view="modes"
        title="Time by mode"
        quiet
        extra={
          of && (
            <button class="plain" onClick={() => at.go({ of: undefined })}>
              of all vCPUs <kbd>Escape</kbd>
            </button>
          )
        }
      >
        {(view) => <Modes view={view} at={at} />}
      </Panel>
      <Panel guest={guest} view="traps" title={by === 'count' ? 'Traps by kind' : 'Time in traps, until their return'} quiet extra={<By at={at} />}>
        {(view) => <TrapKinds table={view.table('causes')} by={by} />}
      </Panel>
      <Panel guest={guest} view="modes" title="Modes of each vCPU over time">
        {(view) => {
          const cpus = view.table('cpus');
          if (!cpus) return null;
          return (
            <>
              {cpus.list().map((row) => (
                <div class="cpu-time" key={row[0]}>
                  <h3>
                    <button
                      class="plain"
                      aria-pressed={of === `cpu ${row[0]}`}
                      onClick={() => at.go({ of: of === `cpu ${row[0]}` ? undefined : `cpu ${row[0]}` })}
                    >
                      vCPU {cpus.text(row, 'cpu')}
                    </button>{' '}
                    <span class="dim">{words(cpus, row)}</span>
                  </h3>
                  <Stacked view={view} cpu={cpus.num(row, 'cpu')} words={words(cpus, row)} />
                </div>
              ))}
              <Legend items={modesSeen(cpus).map(([field, name, color]) => [name, color, undefined, cpus.column(`${field}_share`)?.doc])} />
            </>
          );
        }}
      </Panel>
      <Panel guest={guest} view="modes" title="Busiest tasks by mode" quiet>
        {(view) => <TaskBars view={view} at={at} />}
      </Panel>
      <Panel guest={guest} view="modes" title="Time by task" class="fill wide" quiet>
        {(view) => (
          <Grid
            table={view.table('tasks')}
            label="Time by task"
            columns={['tid', 'comm', 'share', 'user', 'kernel', 'firmware', 'guest_kernel', 'guest_user', 'idle']}
            sort="-share"
            chosen={of?.startsWith('task ') ? of.slice(5) : undefined}
            choose={(row) => at.go({ of: of === `task ${row[0]}` ? undefined : `task ${row[0]}` })}
          />
        )}
      </Panel>
    </div>
  );
}

export const cpu: Tab = {
  name: 'cpu',
  title: 'CPU',
  views: () => ['modes', 'traps'],
  keys: [{ key: 'Escape', what: "cpu: all vCPUs' time again", press: (at) => at.go({ of: undefined }) }, byKey],
  Body: Cpu,
};
