// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Why the vCPUs left what they did: causes by time and by number, over time, and one by one.
import { Donut, Stacks } from './charts';
import { count, duration } from './format';
import { Grid } from './grid';
import type { Table, View } from './model';
import { TRAPS } from './palette';
import { Legend, Panel } from './parts';
import type { Row } from './protocol';
import type { Key, Shown, Tab } from './tab';

function kindColor(kind: string): string {
  return TRAPS.find(([, name]) => name === kind)?.[2] ?? 'unknown';
}

/** Kinds of traps by time until the return, or by number (the choice `by`). at: a kind can be chosen. */
export function TrapKinds({ table, by, at }: { table?: Table; by: string | undefined; at?: Shown }) {
  if (!table) return null;
  const sums = new Map<string, { total: number; count: number }>();
  for (const row of table.list()) {
    const sum = sums.get(table.text(row, 'kind')) ?? { total: 0, count: 0 };
    sum.total += table.num(row, 'total');
    sum.count += table.num(row, 'count');
    sums.set(table.text(row, 'kind'), sum);
  }
  const kinds = TRAPS.filter(([, kind]) => sums.has(kind));
  const slices = kinds.map(([, kind]) => {
    const sum = sums.get(kind)!;
    const [time, number] = [duration(sum.total), String(sum.count)];
    return {
      key: kind,
      name: kind,
      color: kindColor(kind),
      value: by === 'count' ? sum.count : sum.total,
      text: by === 'count' ? number : time,
      more: by === 'count' ? time : number,
      doc: table.column(by === 'count' ? 'count' : 'total')?.doc,
    };
  });
  const all = [...sums.values()].reduce((n, s) => n + s.count, 0);
  const chosen = at?.params.kind;
  return (
    <Donut
      label={by === 'count' ? 'Traps by kind' : 'Time in traps by kind'}
      slices={slices}
      middle={[count(all), 'traps']}
      heads={by === 'count' ? ['kind', 'count', 'share', 'time'] : ['kind', 'time', 'share', 'count']}
      chosen={chosen}
      choose={at && ((kind) => at.go({ kind: kind === chosen ? undefined : kind, cause: undefined }))}
    />
  );
}

export function By({ at }: { at: Shown }) {
  const by = at.params.by;
  return (
    <button class="plain" onClick={() => at.go({ by: by === 'count' ? undefined : 'count' })}>
      {by === 'count' ? 'by time' : 'by number'} <kbd>b</kbd>
    </button>
  );
}

export const byKey: Key = {
  key: 'b',
  what: 'kinds of traps: by time, or by number',
  press: (at) => at.go({ by: at.params.by === 'count' ? undefined : 'count' }),
};

function Rates({ view }: { view: View }) {
  const t = view.table('rates');
  const rows = t?.list().sort((a, b) => t.num(a, 'time') - t.num(b, 'time')) ?? [];
  if (!t || !rows.length) return null;
  const from = t.num(rows[0], 'time');
  const last = rows[rows.length - 1];
  const span = Math.max(1, t.num(last, 'time') + t.num(last, 'duration') - from);
  const most = Math.max(1, ...rows.map((row) => t.num(row, 'rate')));
  const seen = TRAPS.filter(([field]) => rows.some((row) => t.num(row, field) > 0));
  const mean = (field: string) => rows.reduce((n, row) => n + t.num(row, field), 0) / (span / 1e9);
  return (
    <>
      <Stacks
        class="tall"
        label={`Traps over the last ${(span / 1e9).toFixed(1)} seconds, at most ${count(most)} a second`}
        most={most}
        stacks={rows.map((row) => ({
          left: (t.num(row, 'time') - from) / span,
          wide: t.num(row, 'duration') / span,
          parts: seen.map(([field, , color]) => [color, t.num(row, field) / Math.max(1e-9, t.num(row, 'duration') / 1e9)]),
        }))}
      />
      <Legend items={seen.map(([field, name, color]) => [name, color, `${count(Math.round(mean(field)))}/s`, t.column(field)?.doc])} />
      <p class="under">The last {(span / 1e9).toFixed(1)} s; the top is {count(Math.round(most))} a second.</p>
    </>
  );
}

function Traps(at: Shown) {
  const { guest: { id: guest }, params: { filter, kind, cause, by } } = at;
  const ofKind = (t?: Table) => (kind && t ? (row: Row) => t.text(row, 'kind') === kind : undefined);
  return (
    <div class="page traps">
      <Panel
        guest={guest}
        view="traps"
        title={by === 'count' ? 'Traps by kind' : 'Time in traps by kind, until their return'}
        quiet
        extra={<By at={at} />}
      >
        {(view) => <TrapKinds table={view.table('causes')} by={by} at={at} />}
      </Panel>
      <Panel guest={guest} view="traps" title="Traps a second" quiet>
        {(view) => <Rates view={view} />}
      </Panel>
      <Panel guest={guest} view="traps" title={kind ? `Causes: ${kind}` : 'Causes'} class="wide causes" quiet>
        {(view) => {
          const t = view.table('causes');
          return (
            <Grid
              table={t}
              label="Causes of traps"
              columns={['name', 'kind', 'to', 'count', 'rate', 'from_user', 'from_kernel', 'total', 'avg', 'max']}
              sort="-count"
              filter={filter}
              keep={ofKind(t)}
              chosen={cause}
              choose={(row) => at.go({ cause: cause === row[0] ? undefined : row[0] })}
            />
          );
        }}
      </Panel>
      <Panel guest={guest} view="traps" title="The last traps" class="fill wide">
        {(view) => {
          const [t, causes] = [view.table('traps'), view.table('causes')];
          const one = causes?.list().find((row) => row[0] === cause);
          const codes = new Set(
            causes?.list().filter((row) => !kind || causes.text(row, 'kind') === kind).map((row) => causes.num(row, 'cause')),
          );
          const keep = (row: Row) =>
            one && causes
              ? t!.num(row, 'cause') === causes.num(one, 'cause') && t!.text(row, 'to') === causes.text(one, 'to')
              : codes.has(t!.num(row, 'cause'));
          return (
            <Grid
              table={t}
              label="Traps"
              columns={['time', 'cpu', 'tid', 'comm', 'name', 'from', 'to', 'epc', 'symbol', 'tval', 'error', 'depth', 'duration']}
              sort="-time"
              filter={filter}
              keep={t && (kind || one) ? keep : undefined}
            />
          );
        }}
      </Panel>
    </div>
  );
}

export const traps: Tab = {
  name: 'traps',
  title: 'Traps',
  views: () => ['traps'],
  filters: true,
  keys: [{ key: 'Escape', what: 'traps: of all kinds and causes again', press: (at) => at.go({ kind: undefined, cause: undefined }) }, byKey],
  Body: Traps,
};
