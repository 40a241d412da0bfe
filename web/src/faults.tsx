// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Page faults: of what kind, by whom, and one with what it did to the page table.
import { useRef } from 'preact/hooks';
import { Donut } from './charts';
import { count, duration, moment } from './format';
import { Grid } from './grid';
import type { Table, View } from './model';
import { Panel } from './parts';
import type { Row } from './protocol';
import type { Shown, Tab } from './tab';

const KINDS: Record<string, string> = { minor: 'sky', cow: 'orange', major: 'purple', segv: 'vermilion', bus: 'blue', oom: 'yellow' };
const LEVELS = ['pgd', 'p4d', 'pud', 'pmd', 'pte'];
const ACCESS: Record<string, string> = { r: 'read', w: 'write', x: 'execute' };

function Kinds({ view, at }: { view: View; at: Shown }) {
  const t = view.table('kinds');
  if (!t) return null;
  const rows = t.list().sort((a, b) => t.num(b, 'count') - t.num(a, 'count'));
  const kind = at.params.kind;
  return (
    <Donut
      label="Faults by kind"
      middle={[count(rows.reduce((n, row) => n + t.num(row, 'count'), 0)), 'faults']}
      heads={['kind', 'count', 'share', 'time']}
      slices={rows.map((row) => ({
        key: t.text(row, 'kind'),
        name: t.text(row, 'kind'),
        color: KINDS[t.text(row, 'kind')] ?? 'unknown',
        value: t.num(row, 'count'),
        text: String(t.num(row, 'count')),
        more: t.get(row, 'total') === null ? '–' : duration(t.num(row, 'total')),
        doc: t.column('kind')?.doc,
      }))}
      chosen={kind}
      choose={(k) => at.go({ kind: k === kind ? undefined : k })}
    />
  );
}

/** What a fault did to each level of the page table. */
function Entries({ table, row }: { table: Table; row: Row }) {
  const entry = (name: string) => table.get(row, name) as string | null;
  const words = (v: string | null) => (v === null ? 'not seen' : /^0x0*$/.test(v) ? '0' : v);
  return (
    <table aria-label="Page table entries">
      <thead>
        <tr>
          <th class="plain-head" title="root first">level</th>
          <th class="plain-head" title={table.column('pgd')?.doc}>entry before</th>
          <th class="plain-head" title={table.column('pgd_after')?.doc}>and after</th>
          <th class="plain-head" />
        </tr>
      </thead>
      <tbody>
        {LEVELS.map((level) => {
          const [before, after] = [entry(level), entry(`${level}_after`)];
          const changed = after !== null && after !== before;
          return (
            <tr class={changed ? 'changed' : ''}>
              <td data-column="level">{level}</td>
              <td data-column="before" class={`mono ${before === null ? 'dim' : ''}`}>{words(before)}</td>
              <td data-column="after" class={`mono ${after === null ? 'dim' : ''}`}>{words(after)}</td>
              <td>{changed && <span class="badge">changed</span>}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function One({ table: t, row }: { table: Table; row: Row }) {
  const text = (name: string) => t.text(row, name);
  const fact = (name: string, of: string, value: string) => (
    <div title={t.column(of)?.doc}>
      <dt>{name}</dt>
      <dd data-fact={of}>{value}</dd>
    </div>
  );
  const took = t.get(row, 'duration');
  const area = t.get(row, 'vma_start') === null ? 'none: nothing lies there' : `${text('area') || '[anon]'} ${text('perms')}`;
  return (
    <>
      <dl class="facts">
        {fact('kind', 'kind', text('kind') || 'unfinished')}
        {fact('task', 'tid', `${text('tid')} ${text('comm')}`)}
        {fact('address', 'address', text('address'))}
        {fact('access', 'access', `${ACCESS[text('access')] ?? 'not known'}, from ${text('from') || 'not known'}`)}
        {fact('area', 'area', area)}
        {t.get(row, 'vma_start') !== null && fact('of', 'vma_start', `${text('vma_start')}–${text('vma_end')}`)}
        {fact('code', 'ip', t.get(row, 'ip') === null ? 'not known' : `${text('ip')} ${text('symbol')}`)}
        {fact('result', 'result_text', `${text('result_text') || text('result')}, tried ${text('tries')} ×`)}
        {fact('served in', 'duration', took === null ? 'no end was seen' : duration(took as number))}
        {fact('when', 'time', `${moment(t.num(row, 'time'))} s, vCPU ${text('cpu')}`)}
      </dl>
      <Entries table={t} row={row} />
    </>
  );
}

function Faults(at: Shown) {
  const { guest: { id: guest }, params: { filter, kind, task, at: chosen } } = at;
  const kept = useRef<{ table: Table; row: Row } | null>(null);
  const pick = (view: View) => {
    const t = view.table('faults');
    const row = chosen ? t?.rows.get(chosen) : undefined;
    if (t && row) kept.current = { table: t, row };
    return kept.current?.row[0] === chosen ? kept.current : null;
  };
  return (
    <div class="page faults">
      <Panel guest={guest} view="faults" title="Faults by kind" quiet>
        {(view) => <Kinds view={view} at={at} />}
      </Panel>
      <Panel guest={guest} view="faults" title="By task" class="fill half" quiet>
        {(view) => (
          <Grid
            table={view.table('tasks')}
            label="Faults by task"
            columns={['tid', 'comm', 'count', 'minor', 'major', 'cow', 'failed', 'total', 'max']}
            sort="-count"
            chosen={task}
            choose={(row) => at.go({ task: row[0] === task ? undefined : row[0] })}
          />
        )}
      </Panel>
      <Panel guest={guest} view="faults" title="The last faults" class={chosen ? 'fill' : 'fill wide'}>
        {(view) => {
          const t = view.table('faults');
          const keep = (row: Row) => (!kind || t!.text(row, 'kind') === kind) && (!task || t!.text(row, 'tid') === task);
          return (
            <Grid
              table={t}
              label="Page faults"
              columns={
                chosen
                  ? ['time', 'tid', 'comm', 'kind', 'access', 'address', 'duration']
                  : ['time', 'cpu', 'tid', 'comm', 'kind', 'access', 'from', 'address', 'area', 'perms', 'symbol', 'result_text', 'duration']
              }
              sort="-time"
              filter={filter}
              keep={t && keep}
              chosen={chosen}
              choose={(row) => at.go({ at: row[0] })}
            />
          );
        }}
      </Panel>
      {chosen && (
        <Panel
          guest={guest}
          view="faults"
          title="One fault"
          quiet
          class="fill"
          extra={
            <button class="plain" onClick={() => at.go({ at: undefined })}>
              close <kbd>Escape</kbd>
            </button>
          }
        >
          {(view) => {
            const one = pick(view);
            return one ? <One {...one} /> : <p class="missing dim">That fault is not among the last ones any more.</p>;
          }}
        </Panel>
      )}
    </div>
  );
}

export const faults: Tab = {
  name: 'faults',
  title: 'Faults',
  views: () => ['faults'],
  filters: true,
  keys: [{ key: 'Escape', what: 'faults: close the one that is open', press: (at) => at.go({ at: undefined }) }],
  Body: Faults,
};
