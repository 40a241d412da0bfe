// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The guest at a glance.
import { CpuBars } from './cpu';
import { bytes, count, duration } from './format';
import { Grid } from './grid';
import { Owners } from './memory';
import type { View } from './model';
import { css } from './palette';
import { Canvas, Panel } from './parts';
import type { Shown, Tab } from './tab';

const FACTS = ['os', 'release', 'arch', 'vcpus', 'ram', 'uptime', 'tasks', 'threads', 'paging', 'confidence'];

function Facts({ view }: { view: View }) {
  const t = view.table('info');
  const row = t?.list()[0];
  if (!t || !row) return null;
  return (
    <dl>
      {FACTS.map((name) => {
        const c = t.column(name);
        const v = t.get(row, name);
        if (!c || v === null) return null;
        const text = c.kind === 'bytes' ? bytes(v as number) : c.kind === 'duration' ? duration(v as number) : String(v);
        return (
          <div title={c.doc}>
            <dt>{name}</dt>
            <dd data-fact={name}>{text}</dd>
          </div>
        );
      })}
    </dl>
  );
}

/** Events of a set over time. */
function Spark({ view, set }: { view: View; set: string }) {
  const t = view.table('bins');
  if (!t?.column(set)) return null;
  const values = t.list().map((row) => t.num(row, set));
  const most = Math.max(1, ...values);
  return (
    <Canvas
      class="spark"
      label={`${set}: at most ${count(most)} a second`}
      draw={(g, w, h) => {
        const wide = w / Math.max(1, values.length);
        g.fillStyle = css('sky');
        values.forEach((v, i) => g.fillRect(i * wide, h - (v / most) * h, Math.max(1, wide - 1), (v / most) * h));
      }}
    />
  );
}

export function Rates({ view }: { view: View }) {
  const t = view.table('sets');
  if (!t?.rows.size) return <p class="missing dim">No event set is on.</p>;
  return (
    <div class="rates">
      {t.list().map((row) => (
        <div key={row[0]} title={`${t.column('rate')?.doc}; peak ${count(t.num(row, 'peak'))}/s`}>
          <span>{t.text(row, 'set')}</span>
          <b>{count(t.num(row, 'rate'))}/s</b>
          <Spark view={view} set={t.text(row, 'set')} />
        </div>
      ))}
    </div>
  );
}

function Overview({ guest: { id: guest, kind } }: Shown) {
  const recording = kind === 'recording';
  return (
    <div class="page overview">
      <Panel guest={guest} view="modes" title="vCPUs">
        {(view) => <CpuBars view={view} />}
      </Panel>
      {!recording && (
        <Panel guest={guest} view="info" title="Guest">
          {(view) => <Facts view={view} />}
        </Panel>
      )}
      {!recording && (
        <Panel guest={guest} view="memory" title="Memory">
          {(view) => <Owners view={view} />}
        </Panel>
      )}
      <Panel guest={guest} view="rates" title="Events a second">
        {(view) => <Rates view={view} />}
      </Panel>
      <Panel guest={guest} view="sched" title="Busiest tasks" class="fill wide">
        {(view) => (
          <Grid
            table={view.table('tasks')}
            label="Busiest tasks"
            columns={['tid', 'comm', 'run', 'share', 'slices', 'wakeups', 'migrations', 'wait', 'latency_avg', 'latency_max']}
            sort="-run"
          />
        )}
      </Panel>
    </div>
  );
}

export const overview: Tab = {
  name: 'overview',
  title: 'Overview',
  views: () => ['memory', 'modes', 'rates', 'sched'],
  Body: Overview,
};
