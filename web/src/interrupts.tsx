// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Interrupts: how long each hop takes, line by line, and the way of one as a sequence.
import { useRef } from 'preact/hooks';
import { duration } from './format';
import { Grid } from './grid';
import type { Table, View } from './model';
import { Panel } from './parts';
import { Sequence } from './sequence';
import { hopsOf, MARKS, Spread } from './spread';
import type { Row } from './protocol';
import type { Shown, Tab } from './tab';

export const HOPS = ['pending', 'claim', 'entry', 'handler', 'complete', 'back'];

function lineOf(t: Table, row: Row): string {
  return `${t.get(row, 'irq') ?? ''} ${t.text(row, 'name')}`;
}

/** What the hops of a line take: in numbers, and how their times are spread. */
function Hops({ view, line }: { view: View; line: string }) {
  const [t, lines, distribution] = [view.table('hops'), view.table('lines'), view.table('distribution')];
  if (!t || !lines) return null;
  const rows = t.list().filter((row) => lineOf(t, row) === line);
  if (!rows.length) return <p class="missing dim">No interrupt of a line that is known.</p>;
  const doc = (hop: string) => lines.column(hop)?.doc;
  return (
    <>
      <table class="hops" aria-label="Hops">
        <thead>
          <tr>
            <th class="plain-head" title={t.column('hop')?.doc}>hop</th>
            <th class="plain-head number" title={t.column('count')?.doc}>count</th>
            {MARKS.map(([field, color]) => (
              <th class="plain-head number" title={t.column(field)?.doc}>
                <i class={`swatch bg-${color}`} /> {field}
              </th>
            ))}
            <th class="plain-head" title={t.column('how')?.doc}>how</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row[0]}>
              <td data-column="hop" title={doc(t.text(row, 'hop'))}>{t.text(row, 'hop')}</td>
              <td data-column="count" class="number">{t.num(row, 'count')}</td>
              {MARKS.map(([field]) => (
                <td data-column={field} class="number">{duration(t.num(row, field))}</td>
              ))}
              <td data-column="how" class={t.text(row, 'how') === 'inferred' ? 'guess' : ''}>{t.text(row, 'how')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {distribution && <Spread hops={hopsOf(t, rows, distribution, doc)} table={distribution} />}
    </>
  );
}

function Interrupts(at: Shown) {
  const { guest: { id: guest }, params: { filter, line, at: chosen } } = at;
  // what was chosen stays, when the last seconds have left it behind
  const kept = useRef<{ table: Table; hops?: Table; row: Row } | null>(null);
  const busiest = (view: View) => {
    const t = view.table('lines');
    const row = t?.list().sort((a, b) => t.num(b, 'count') - t.num(a, 'count'))[0];
    return line ?? (t && row ? lineOf(t, row) : '');
  };
  const pick = (view: View) => {
    const t = view.table('interrupts');
    const of = busiest(view);
    const rows = t?.list().filter((row) => lineOf(t, row) === of) ?? [];
    if (t) rows.sort((a, b) => t.num(b, 'time') - t.num(a, 'time'));
    const newest = rows.find((row) => t!.get(row, 'back') !== null) ?? rows[0]; // that is over
    const row = chosen ? t?.rows.get(chosen) : newest;
    if (t && row) kept.current = { table: t, hops: view.table('hops'), row };
    return kept.current && (!chosen || kept.current.row[0] === chosen) ? kept.current : null;
  };
  return (
    <div class="page interrupts">
      <Panel guest={guest} view="irqflow" title="Lines; the hops' medians" class="wide" quiet>
        {(view) => {
          const t = view.table('lines');
          return (
            <Grid
              table={t}
              label="Interrupt lines"
              columns={['irq', 'name', 'count', 'rate', ...HOPS]}
              sort="-count"
              chosen={t?.list().find((row) => lineOf(t, row) === busiest(view))?.[0]}
              choose={(row) => at.go({ line: lineOf(t!, row), at: undefined })}
            />
          );
        }}
      </Panel>
      <Panel
        guest={guest}
        view="irqflow"
        title={chosen ? 'One interrupt' : 'The newest interrupt'}
        quiet
        class="fill"
        extra={
          chosen && (
            <button class="plain" onClick={() => at.go({ at: undefined })}>
              the newest again <kbd>Escape</kbd>
            </button>
          )
        }
      >
        {(view) => {
          const one = pick(view);
          return one ? (
            <Sequence {...one} arch={at.guest.arch} lines={view.table('lines')} />
          ) : (
            <p class="missing dim">{chosen ? 'That interrupt is not among the last ones any more.' : 'Nothing yet.'}</p>
          );
        }}
      </Panel>
      <div class="column">
        <Panel guest={guest} view="irqflow" title="How long the hops of this line take" quiet>
          {(view) => <Hops view={view} line={busiest(view)} />}
        </Panel>
        <Panel guest={guest} view="irqflow" title="Its last interrupts" class="fill grow">
          {(view) => {
            const t = view.table('interrupts');
            const of = busiest(view);
            return (
              <Grid
                table={t}
                label="Interrupts"
                columns={['time', 'cpu', 'irq', 'name', 'raised', ...HOPS]}
                sort="-time"
                filter={filter}
                keep={t && ((row) => lineOf(t, row) === of)}
                chosen={chosen}
                choose={(row) => at.go({ at: row[0], line: of })}
              />
            );
          }}
        </Panel>
      </div>
    </div>
  );
}

export const interrupts: Tab = {
  name: 'interrupts',
  title: 'Interrupts',
  views: () => ['irqflow'],
  filters: true,
  keys: [{ key: 'Escape', what: 'interrupts: follow the newest again', press: (at) => at.go({ at: undefined }) }],
  Body: Interrupts,
};
