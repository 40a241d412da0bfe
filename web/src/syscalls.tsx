// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// System calls: how long they took, and who made them.
import { taskId } from './address';
import { Pointed, type Box } from './cells';
import { count, duration } from './format';
import { Grid } from './grid';
import type { Table, View } from './model';
import { css, font, scale } from './palette';
import { Panel } from './parts';
import type { Params } from './place';
import type { Row } from './protocol';
import { store } from './store';
import type { Shown, Tab } from './tab';

const LINES = 16; // calls drawn, those that were made most often
const [HIGH, NAMES, SCALE] = [22, 120, 18]; // of a line, the names, the scale; pixels where text has its usual size

/** A call, or of it those that took [low, high). */
interface Cell {
  name: string;
  line: number;
  n: number;
  doc: string;
  low?: number;
  column: number;
}

interface Heat {
  names: string[];
  lows: number[];
  cells: Cell[]; // line by line: the name, then what there is of it
  most: number;
}

/** The upper end of each power of two, by the lower one. */
function highs(latency?: Table): Map<number, number> {
  const out = new Map<number, number>();
  for (const row of latency?.list() ?? []) {
    const high = latency!.get(row, 'high');
    out.set(latency!.num(row, 'low'), typeof high === 'number' ? high : Infinity);
  }
  return out;
}

function between(low: number, high: number | undefined): string {
  return high === undefined || high === Infinity ? `${duration(low)} or more` : `${duration(low)} to ${duration(high)}`;
}

function heatOf(calls: Table, latency: Table): Heat {
  const chosen = calls
    .list()
    .sort((a, b) => calls.num(b, 'count') - calls.num(a, 'count'))
    .slice(0, LINES);
  const names = chosen.map((row) => calls.text(row, 'name'));
  const ends = highs(latency);
  const found = latency.list().filter((row) => latency.num(row, 'count') > 0 && names.includes(latency.text(row, 'name')));
  const used = found.map((row) => latency.num(row, 'low')).sort((a, b) => a - b);
  const lows: number[] = [];
  for (let low = used[0]; low !== undefined && low <= used[used.length - 1]; low = low ? low * 2 : 2) lows.push(low);
  const cells = names.flatMap((name, line): Cell[] => {
    const row = chosen[line];
    const took = calls.get(row, 'avg') === null ? '' : `, on average ${duration(calls.num(row, 'avg'))}, at most ${duration(calls.num(row, 'max'))}`;
    const doc = `${name}: ${calls.num(row, 'count')} calls, ${calls.num(row, 'errors')} errors${took}`;
    const own = found
      .filter((r) => latency.text(r, 'name') === name)
      .sort((a, b) => latency.num(a, 'low') - latency.num(b, 'low'))
      .map((r): Cell => {
        const [low, n] = [latency.num(r, 'low'), latency.num(r, 'count')];
        return { name, line, n, low, column: lows.indexOf(low), doc: `${name}: ${n} took ${between(low, ends.get(low))}` };
      });
    return [{ name, line, n: 0, column: -1, doc }, ...own];
  });
  return { names, lows, cells, most: Math.max(1, ...cells.map((c) => c.n)) };
}

/** Dark to light, evenly for the eye: the same for all who see. */
const HEAT = ['heat0', 'heat1', 'heat2', 'heat3', 'heat4'];

/** A line's height, the room for names, a column's width. */
function measure(w: number, columns: number): [number, number, number] {
  const k = scale();
  return [HIGH * k, NAMES * k, (w - NAMES * k) / Math.max(1, columns)];
}

function Heatmap({ at, view }: { at: Shown; view: View }) {
  const calls = view.table('calls');
  const latency = view.table('latency');
  if (!calls || !latency) return null;
  const heat = heatOf(calls, latency);
  if (!heat.names.length) return <p class="missing dim">No call was made.</p>;
  const { call, low } = at.params;
  const place = (w: number): Box[] => {
    const [LINE, LEFT, wide] = measure(w, heat.lows.length);
    return heat.cells.map((c) => ({
      x: c.column < 0 ? 0 : LEFT + c.column * wide,
      y: c.line * LINE + 1,
      w: c.column < 0 ? LEFT - 4 : wide - 1,
      h: LINE - 2,
    }));
  };
  const isChosen = (c: Cell) => c.name === call && (low ? c.low === Number(low) : c.low === undefined);
  return (
    <Pointed
      class="calls-heat"
      height={`${(heat.names.length * HIGH + SCALE) / 13}rem`}
      label={`How long calls took, ${heat.names.length} calls; the table below has the numbers. Arrow keys go from one to the next, Enter chooses it.`}
      n={heat.cells.length}
      place={place}
      draw={(g, boxes, w) => {
        const [LINE, LEFT, wide] = measure(w, heat.lows.length);
        g.font = font(12);
        g.textBaseline = 'middle';
        g.fillStyle = css('well');
        heat.names.forEach((_, line) => heat.lows.forEach((__, k) => g.fillRect(LEFT + k * wide, line * LINE + 1, wide - 1, LINE - 2)));
        heat.cells.forEach((c, i) => {
          const b = boxes[i];
          if (c.column < 0) {
            g.fillStyle = css('ink');
            g.textAlign = 'right';
            g.fillText(c.name, LEFT - 8, c.line * LINE + LINE / 2, LEFT - 12);
          } else {
            g.fillStyle = css(HEAT[Math.round((Math.log(c.n + 1) / Math.log(heat.most + 1)) * (HEAT.length - 1))]);
            g.fillRect(b.x, b.y, b.w, b.h);
          }
          if (!isChosen(c)) return;
          g.strokeStyle = css('accent');
          g.lineWidth = 2;
          g.strokeRect(b.x + 1, b.y + 1, b.w - 2, b.h - 2);
        });
        g.fillStyle = css('dim');
        g.textAlign = 'left';
        const every = Math.max(1, Math.ceil((64 * scale()) / wide));
        heat.lows.forEach((value, k) => {
          if (k % every === 0 && LEFT + k * wide + 56 * scale() < w) g.fillText(duration(value), LEFT + k * wide, (heat.names.length + 0.4) * LINE);
        });
      }}
      describe={(i) => heat.cells[i].doc}
      open={(i) => {
        const c = heat.cells[i];
        at.go({ call: isChosen(c) ? undefined : c.name, low: isChosen(c) ? undefined : c.low?.toString(), task: undefined });
      }}
      hint={`Calls by how long they took, to the right the longer; the strongest colour is ${count(heat.most)}. A click shows who made them, and the single calls.`}
    />
  );
}

/** What is chosen, one level less. */
function less({ task, low }: Params): Partial<Record<'task' | 'low' | 'call', undefined>> {
  return task ? { task: undefined } : low ? { low: undefined } : { call: undefined };
}

function showSingles(params: Params): boolean {
  return Boolean(params.call) || taskOf(params) !== undefined;
}

function taskOf(params: Params): number | undefined {
  const tid = taskId(params.task);
  return tid !== undefined && tid > 0 ? tid : undefined;
}

function Singles({ at, view, latency }: { at: Shown; view: View; latency?: Table }) {
  const t = view.table('singles');
  if (!t) return null;
  const { call, filter } = at.params;
  const low = at.params.low ? Number(at.params.low) : undefined;
  const high = low === undefined ? undefined : highs(latency).get(low) ?? (low ? low * 2 : 2);
  const tid = taskOf(at.params);
  const keep = (row: Row) => {
    const took = t.get(row, 'duration');
    if (call && t.text(row, 'name') !== call) return false;
    if (tid !== undefined && t.num(row, 'tid') !== tid) return false;
    return low === undefined || (typeof took === 'number' && took >= low && took < high!);
  };
  return (
    <Grid
      table={t}
      label="Single calls"
      columns={['time', 'tid', 'cpu', 'call', 'result', 'duration']}
      sort="-time"
      filter={filter}
      keep={keep}
      link={(row) => at.link({ task: t.text(row, 'tid') }, 'tasks')}
      named="tid"
    />
  );
}

function Syscalls(at: Shown) {
  const { guest: { id: guest }, params } = at;
  const { filter, call, low, task } = params;
  const of = [call && `of ${call}`, low && `that took ${between(Number(low), Number(low) * 2 || 2)}`, task && `made by task ${task}`].filter(Boolean);
  const back = (
    <button class="plain" onClick={() => at.go(less(params))}>
      back <kbd>Esc</kbd>
    </button>
  );
  const chosen = showSingles(params);
  return (
    <div class={chosen ? 'page syscalls chosen' : 'page syscalls'}>
      <Panel guest={guest} view="syscalls" title="How long calls took" class="wide" quiet>
        {(view) => <Heatmap at={at} view={view} />}
      </Panel>
      <Panel guest={guest} view="syscalls" title="By call" class="fill" quiet>
        {(view) => (
          <Grid
            table={view.table('calls')}
            label="System calls"
            columns={chosen ? ['name', 'count', 'errors', 'avg', 'max'] : ['name', 'count', 'errors', 'unfinished', 'total', 'avg', 'max']}
            sort="-count"
            filter={filter}
            chosen={call}
            choose={(row) => at.go({ call: row[0] === call ? undefined : row[0], low: undefined, task: undefined })}
          />
        )}
      </Panel>
      <Panel guest={guest} view="syscalls" title={call ? `By task: ${call}` : 'By task'} class="fill">
        {(view) => {
          const t = view.table('tasks');
          return (
            <Grid
              table={t}
              label="System calls by task"
              columns={['tid', 'comm', 'name', 'count', 'errors', 'total', 'max']}
              sort="-count"
              filter={filter}
              keep={call && t ? (row) => t.text(row, 'name') === call : undefined}
              chosen={task && call ? `${task} ${call}` : undefined}
              choose={(row) => {
                if (!t) return;
                const [tid, name] = [t.text(row, 'tid'), t.text(row, 'name')];
                const again = tid === task && name === call;
                at.go({ call: name, low: name === call ? low : undefined, task: again ? undefined : tid });
              }}
            />
          );
        }}
      </Panel>
      {chosen && (
        <Panel guest={guest} view="calls" title={`Single calls ${of.join(', ')}`} class="fill wide" extra={back}>
          {(view) => <Singles at={at} view={view} latency={store.view(guest, 'syscalls')?.table('latency')} />}
        </Panel>
      )}
    </div>
  );
}

export const syscalls: Tab = {
  name: 'syscalls',
  title: 'Syscalls',
  views: (params) => (showSingles(params) ? ['syscalls', 'calls'] : ['syscalls']),
  args: (params) => {
    const tid = taskOf(params);
    return tid === undefined ? {} : { tid };
  },
  filters: true,
  keys: [{ key: 'Escape', what: 'system calls: one choice less (task, time, call)', press: (at) => at.go(less(at.params)) }],
  Body: Syscalls,
};
