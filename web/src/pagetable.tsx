// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Page tables: what is mapped where, level by level; one address's walk; who maps a physical page.
import { useState } from 'preact/hooks';
import { address, HALF, hex, taskId } from './address';
import { Pointed, type Box } from './cells';
import { bytes, cell } from './format';
import { Grid } from './grid';
import { Levels, Starts } from './levels';
import type { Table, View } from './model';
import { css, RIGHTS, rightsColor } from './palette';
import { Legend, Panel } from './parts';
import type { Params } from './place';
import type { Args, Row } from './protocol';
import { store } from './store';
import type { Shown, Tab } from './tab';

const LINE = 14; // pixels of a line of the map

function kernelHalf(params: Params, pid: number): boolean {
  return params.half ? params.half === 'kernel' : pid < 0 || (address(params.va) ?? 0n) >= HALF;
}

/** The address whose walk is shown. */
function vaOf(params: Params): bigint | undefined {
  return address(params.va);
}

function pidOf(params: Params): number {
  return taskId(params.task) ?? taskId(params.pid) ?? -1;
}

export function pageTableViews(params: Params): string[] {
  const views = ['pt'];
  if (vaOf(params) !== undefined) views.push('walk');
  if (address(params.pa) !== undefined) views.push('page');
  return views;
}

export function pageTableArgs(params: Params): Args {
  const [va, pa] = [vaOf(params), address(params.pa)];
  const kernel = kernelHalf(params, pidOf(params));
  return {
    pid: pidOf(params),
    from: kernel ? hex(HALF) : '0x0',
    to: kernel ? '0x0' : hex(HALF),
    ...(va === undefined ? {} : { va: hex(va) }),
    ...(pa === undefined ? {} : { pa: hex(pa) }),
  };
}

function sizeOf(t: Table, row: Row): bigint {
  return BigInt(Math.round(t.num(row, 'size')));
}

/** One after the other in lines, as wide as the logarithm of their sizes; a gap in addresses is one. */
function inBands(t: Table, rows: Row[]): (w: number, h: number) => Box[] {
  const weights = rows.map((row) => 1 + Math.log2(Math.max(1, t.num(row, 'size') / 4096)) / 2);
  const sum = weights.reduce((a, b) => a + b, 0) + rows.length * 0.3;
  return (w, h) => {
    const lines = Math.max(1, Math.floor(h / LINE));
    const unit = Math.min(16, (w * (lines - 0.5)) / Math.max(1, sum));
    let [x, y] = [0, 0];
    let end = -1n;
    return rows.map((row, i) => {
      const start = BigInt(t.text(row, 'start'));
      const wide = Math.max(1, weights[i] * unit);
      if (end >= 0n && start !== end) x += Math.max(1, unit * 0.5);
      if (x + wide > w) [x, y] = [0, y + LINE];
      const box = { x, y, w: Math.min(wide, w), h: LINE - 3 };
      x += wide;
      end = start + sizeOf(t, row);
      return box;
    });
  };
}

function VaMap({ at, view }: { at: Shown; view: View }) {
  const t = view.table('regions');
  if (!t) return null;
  const rows = t.list();
  if (!rows.length) return <p class="missing">Nothing is mapped in this half.</p>;
  const va = vaOf(at.params);
  const chosen = (row: Row) =>
    va !== undefined && va >= BigInt(t.text(row, 'start')) && va - BigInt(t.text(row, 'start')) < sizeOf(t, row);
  return (
      <Pointed
        class="va-map"
        label={`Virtual memory: ${rows.length} stretches. Arrow keys go from one to the next, Enter shows the walk.`}
        n={rows.length}
        place={inBands(t, rows)}
        draw={(g, boxes) =>
          rows.forEach((row, i) => {
            const b = boxes[i];
            g.fillStyle = css(rightsColor(t.text(row, 'perm')));
            g.fillRect(b.x, b.y, Math.max(0.7, b.w - 0.6), b.h);
            if (!chosen(row)) return;
            g.fillStyle = css('ink');
            g.fillRect(b.x, b.y + b.h, Math.max(2, b.w - 0.6), 2);
          })
        }
        describe={(i) => {
          const row = rows[i];
          return `${t.text(row, 'start')}–${hex(BigInt(t.text(row, 'start')) + sizeOf(t, row))}: ${bytes(t.num(row, 'size'))} in pages of ${bytes(t.num(row, 'page_size'))}, ${t.text(row, 'perm')} ${t.text(row, 'attr')} at physical ${t.text(row, 'pa')}`;
        }}
        open={(i) => at.go({ va: t.text(rows[i], 'start') })}
        hint={
          <span class="legend-line">
            {rows.length} stretches{t.cut ? `, ${t.cut} more are not shown` : ''}. Width: logarithm of the size.
            <Legend items={RIGHTS.map(([name, color]) => [name, color])} />
          </span>
        }
      />
  );
}

function AddressBox({ at, name, label }: { at: Shown; name: 'va' | 'pa'; label: string }) {
  const [wrong, setWrong] = useState(false);
  return (
    <form
      class="ask"
      onSubmit={(e) => {
        e.preventDefault();
        const typed = new FormData(e.currentTarget).get(name) as string;
        const v = address(typed);
        setWrong(v === undefined);
        if (v !== undefined) at.go({ [name]: hex(v), ...(name === 'va' ? { half: undefined } : {}) });
      }}
    >
      <input
        key={at.params[name]}
        type="search"
        name={name}
        aria-label={label}
        placeholder="0x…"
        defaultValue={at.params[name] ?? ''}
        aria-invalid={wrong}
      />
      <button class="act">{label}</button>
      {wrong && <span class="bad" role="alert">That is no address: hexadecimal digits, at most 16.</span>}
    </form>
  );
}

/** Each level's entry, as in the manuals: level, index, entry, what it says. */
function Walk({ at, view }: { at: Shown; view: View }) {
  const t = view.table('walk');
  if (!t) return null;
  return (
    <ol class="walk" aria-label="Walk" tabIndex={0}>
      {t.list().map((row) => {
        const leaf = t.text(row, 'kind') === 'leaf';
        const column = (name: string) => {
          const c = t.column(name);
          return c && <span data-column={name} title={c.doc}>{cell(c, t.get(row, name))}</span>;
        };
        const pa = t.get(row, 'pa');
        return (
          <li key={row[0]}>
            <b>level {column('level')}</b> <span class="mono">table {column('table')} [{column('index')}] = {column('pte')}</span>{' '}
            <b class={leaf || t.text(row, 'kind') === 'table' ? 'good' : 'bad'}>{column('kind')}</b>
            <br />
            {pa !== null && (
              <span class="mono">
                → {leaf ? <a class="ref" href={at.link({ pa: pageOf(t, row, vaOf(at.params)!) })}>{column('pa')}</a> : column('pa')}{' '}
              </span>
            )}
            <span class="flags">{column('decoded')}</span>{' '}
            <span class="dim">{leaf ? <>maps {column('page_size')}</> : <>an entry covers {column('span')}</>}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** The physical page that the address itself lies in, of a leaf that may be larger. */
function pageOf(t: Table, row: Row, va: bigint): string {
  const within = va & (BigInt(Math.max(4096, t.num(row, 'page_size'))) - 1n);
  return hex(BigInt(t.text(row, 'pa')) + (within & ~0xfffn));
}

/** Who maps one physical page. */
export function PageOwners({ at }: { at: Shown }) {
  return (
    <Panel guest={at.guest.id} view="page" title={`Physical page ${at.params.pa}`} class="fill" extra={<a class="act" href={at.link({ pa: undefined })}>Close</a>}>
      {(view) => {
        const t = view.table('maps');
        const rows = t?.list() ?? [];
        const mapped = rows.filter((row) => t?.get(row, 'va') !== null);
        return (
          <>
            <p class="under" aria-live="polite">
              {t && rows[0] && <b data-fact="owner" title={t.column('owner')?.doc}>{t.text(rows[0], 'owner')}</b>}
              {rows.length > 0 && `, mapped ${mapped.length === 1 ? 'once' : `${mapped.length} times`}`}
            </p>
            {mapped.length > 0 && (
              <Grid
                table={t}
                label="Who maps the page"
                columns={['pid', 'comm', 'va', 'perm', 'page_size']}
                link={(row) =>
                  t && (t.num(row, 'pid') > 0
                    ? at.link({ task: t.text(row, 'pid'), part: 'pt', va: t.text(row, 'va'), pa: at.params.pa }, 'tasks')
                    : at.link({ va: t.text(row, 'va'), pa: at.params.pa }, 'pagetables'))
                }
              />
            )}
          </>
        );
      }}
    </Panel>
  );
}

export function PageTables({ at, pid }: { at: Shown; pid: number }) {
  const guest = at.guest.id;
  const kernel = kernelHalf(at.params, pid);
  const va = vaOf(at.params);
  const walk = store.view(guest, 'walk')?.table('walk');
  return (
    <>
      <Panel
        guest={guest}
        view="pt"
        title={`${kernel ? 'Kernel' : 'User'} half of the address space`}
        class="wide map-panel"
        extra={
          <a class="act" href={at.link({ half: kernel ? 'user' : 'kernel', va: undefined })}>
            {kernel ? 'User half' : 'Kernel half'}
          </a>
        }
      >
        {(view) => <VaMap at={at} view={view} />}
      </Panel>
      <Panel guest={guest} view="pt" title={va === undefined ? 'Mapped stretches' : 'Level by level'} class="fill" quiet>
        {(view) =>
          va === undefined ? (
            <Grid
              table={view.table('regions')}
              label="Mapped stretches"
              columns={['start', 'size', 'perm', 'page_size', 'pa', 'attr']}
              filter={at.params.filter}
              link={(row) => at.link({ va: view.table('regions')!.text(row, 'start') })}
            />
          ) : (
            <Levels at={at} regions={view.table('regions')} walk={walk} va={va} />
          )
        }
      </Panel>
      <div class="stack">
        {va === undefined ? (
          <section class="panel" aria-label="The walk of one address">
            <h2>The walk of one address</h2>
            <AddressBox at={at} name="va" label="Show the walk" />
            <p class="dim">Or click a stretch: its tables are shown side by side, root first. What lies far apart begins at</p>
            <Starts at={at} regions={store.view(guest, 'pt')?.table('regions')} />
          </section>
        ) : (
          <Panel
            guest={guest}
            view="walk"
            title="Walk"
            class="fill"
            extra={<AddressBox at={at} name="va" label="Show the walk" />}
          >
            {(view) => <Walk at={at} view={view} />}
          </Panel>
        )}
        {address(at.params.pa) === undefined ? null : <PageOwners at={at} />}
      </div>
    </>
  );
}

function WhoseTables(at: Shown) {
  const pid = pidOf(at.params);
  return (
    <form
      class="ask"
      onSubmit={(e) => {
        e.preventDefault();
        const typed = new FormData(e.currentTarget).get('pid') as string;
        at.go({ pid: taskId(typed) === undefined ? undefined : String(taskId(typed)), va: undefined, half: undefined });
      }}
    >
      <input key={pid} type="search" name="pid" aria-label="Process" placeholder="process: its id; none: the kernel" defaultValue={pid < 0 ? '' : String(pid)} />
      <button class="act">Show its tables</button>
    </form>
  );
}

export const pagetables: Tab = {
  name: 'pagetables',
  title: 'Page tables',
  views: pageTableViews,
  args: pageTableArgs,
  live: true,
  Tools: WhoseTables,
  Body: (at) => (
    <div class="page pagetables">
      <PageTables at={at} pid={pidOf(at.params)} />
    </div>
  ),
};
