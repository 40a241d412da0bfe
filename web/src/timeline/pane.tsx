// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Below the timeline: the slice that is chosen, or what is in the area that is selected.
import { duration } from '../format';
import { Grid } from '../grid';
import { Table } from '../model';
import type { Row, SelectedMessage } from '../protocol';
import { exactText } from './axis';
import { laneTitle } from './lanes';
import type { Scope } from './scope';
import { length } from './window';
import { facts, nameOf, sourceOf } from './words';

const TITLES: Record<string, string> = {
  tasks: 'CPU time by task',
  calls: 'System calls',
  traps: 'Traps and interrupts',
  faults: 'Page faults',
  counters: 'Counters',
};

function Chosen({ scope }: { scope: Scope }) {
  const s = scope.chosen;
  const lane = s && scope.feed.lanes.get(s.lane);
  if (!s || !lane) return null;
  const flows = scope.flowsOfChosen();
  const titleOf = (id: number) => {
    const l = scope.feed.lanes.get(id);
    return l ? laneTitle(l) : `lane ${id}`;
  };
  return (
    <section class="panel tl-chosen" aria-label="Chosen slice">
      <header>
        <h2 title={`From ${sourceOf(lane)}`}>{nameOf(lane, s)}</h2>
        <button class="act" onClick={() => scope.focus()}>
          Fit <kbd>f</kbd>
        </button>
        <button class="act" onClick={() => scope.areaHere()}>
          Select its time <kbd>m</kbd>
        </button>
        <button class="act" aria-pressed={scope.pins.includes(s.lane)} onClick={() => scope.pin(s.lane)}>
          {scope.pins.includes(s.lane) ? 'Unpin lane' : 'Pin lane'} <kbd>p</kbd>
        </button>
        <button class="act" onClick={() => scope.finder.next(true, true)}>
          Previous <kbd>[</kbd>
        </button>
        <button class="act" onClick={() => scope.finder.next(false, true)}>
          Next <kbd>]</kbd>
        </button>
      </header>
      <dl>
        {facts(lane, s, scope.zero).map(([name, value]) => (
          <div>
            <dt>{name}</dt>
            <dd data-fact={name}>{value}</dd>
          </div>
        ))}
        <div class="wide">
          <dt>made from</dt>
          <dd>{sourceOf(lane)}</dd>
        </div>
      </dl>
      {flows.length > 0 && (
        <>
          <h3>Its interrupt</h3>
          <ol class="tl-flow">
            {flows.map((f) => (
              <li>
                {titleOf(f.fromLane)} → {titleOf(f.toLane)} <b>{duration(Math.round(f.toTime - f.fromTime))}</b>
                <span class="dim"> at {exactText(f.toTime - scope.zero)}</span>
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function tableOf(t: SelectedMessage['tables'][number]): Table {
  const table = new Table(t.name, t.columns);
  table.cut = t.cut;
  t.rows.forEach((row, i) => table.rows.set(String(i), [String(i), ...row] as Row));
  return table;
}

/** The column that rows are sorted by: the time, else how often. */
function sortOf(t: SelectedMessage['tables'][number]): string {
  const name = ['cpu_time', 'total', 'count'].find((n) => t.columns.some((c) => c.name === n));
  return name ? `-${name}` : '';
}

function Selected({ scope }: { scope: Scope }) {
  const area = scope.area;
  const m = scope.feed.selected;
  if (!area) return null;
  return (
    <section class="panel tl-selected" aria-label="Selected area">
      <header>
        <h2 title="Slices are cut to the area">
          Selected: {duration(Math.round(length(area)))} from {exactText(area.from - scope.zero)}
        </h2>
        <button class="act" onClick={() => scope.setArea(null)}>
          Clear <kbd>Esc</kbd>
        </button>
      </header>
      {m ? (
        <div class="tl-tables">
          {m.tables.map((t) => (
            <div>
              <h3>{TITLES[t.name] ?? t.name}</h3>
              {t.rows.length ? (
                <Grid key={m.seq} table={tableOf(t)} label={TITLES[t.name] ?? t.name} columns={t.columns.map((c) => c.name)} sort={sortOf(t)} />
              ) : (
                <p class="dim">None, or their event set was off.</p>
              )}
            </div>
          ))}
        </div>
      ) : (
        <p class="missing dim">Being summed up …</p>
      )}
    </section>
  );
}

export function Pane({ scope }: { scope: Scope }) {
  if (!scope.chosen && !scope.area) return null;
  return (
    <div class="tl-pane">
      <Chosen scope={scope} />
      <Selected scope={scope} />
    </div>
  );
}
