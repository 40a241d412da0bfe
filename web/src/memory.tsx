// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Who owns physical memory: sums, free blocks, a map (physical.tsx), slab caches (slabs.tsx).
import { address, hex } from './address';
import { bytes } from './format';
import { Grid } from './grid';
import type { Table, View } from './model';
import { PageOwners } from './pagetable';
import { ownerColor } from './palette';
import { Bar, Legend, Panel } from './parts';
import { Crumbs, Modes, PhysicalMap, showHeat, zoomed } from './physical';
import { Slabs } from './slabs';
import type { Shown, Tab } from './tab';

export function ownerParts(t: Table): [name: string, color: string, percent: number][] {
  return t
    .list()
    .filter((row) => t.text(row, 'owner') !== 'total')
    .map((row) => [t.text(row, 'owner'), ownerColor(t.text(row, 'owner')), t.num(row, 'percent')]);
}

export function Owners({ view }: { view: View }) {
  const t = view.table('owners');
  if (!t) return null;
  const rows = t.list().filter((row) => t.text(row, 'owner') !== 'total' && t.num(row, 'bytes') > 0);
  const words = rows.map((row) => `${t.text(row, 'owner')} ${bytes(t.num(row, 'bytes'))}`).join(', ');
  return (
    <>
      <Bar parts={ownerParts(t)} label={`Memory: ${words}`} />
      <Legend
        items={rows.map((row) => [
          t.text(row, 'owner'),
          ownerColor(t.text(row, 'owner')),
          bytes(t.num(row, 'bytes')),
          t.column('owner')?.doc,
        ])}
      />
    </>
  );
}

/** Free blocks: a line an order, a column a zone. */
function Buddy({ view }: { view: View }) {
  const t = view.table('buddy');
  if (!t) return null;
  const rows = t.list();
  const zone = (row: (typeof rows)[0]) => `${t.text(row, 'zone')}${t.num(row, 'node') ? ` of node ${t.text(row, 'node')}` : ''}`;
  const zones = [...new Set(rows.map(zone))];
  const orders = [...new Set(rows.map((row) => t.num(row, 'order')))].sort((a, b) => a - b);
  const at = new Map(rows.map((row) => [`${zone(row)} ${t.num(row, 'order')}`, row]));
  const total = (name: string, column: string) => {
    const row = rows.find((r) => zone(r) === name);
    return row && t.get(row, column) !== null ? bytes(t.num(row, column)) : '–';
  };
  const sums: [string, string][] = [
    ['free', 'zone_free'],
    ['per CPU', 'zone_percpu'],
    ['managed', 'zone_managed'],
  ];
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Orders and zones">
      <table aria-label="Free blocks">
        <thead>
          <tr>
            <th title={t.column('order')?.doc}>order</th>
            {zones.map((name) => (
              <th class="number" title={t.column('blocks')?.doc}>{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {orders.map((order) => (
            <tr key={order}>
              <td data-column="order">
                {order} <span class="dim">{bytes(4096 * 2 ** order)}</span>
              </td>
              {zones.map((name) => {
                const row = at.get(`${name} ${order}`);
                return (
                  <td class="number" data-column={name} title={row && bytes(t.num(row, 'bytes'))}>
                    {row ? t.num(row, 'blocks') : '–'}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
        <tfoot>
          {sums.map(([title, column]) => (
            <tr key={column}>
              <th scope="row" title={t.column(column)?.doc}>{title}</th>
              {zones.map((name) => (
                <td class="number" data-column={`${name} ${column}`}>{total(name, column)}</td>
              ))}
            </tr>
          ))}
        </tfoot>
      </table>
    </div>
  );
}

function Memory(at: Shown) {
  const guest = at.guest.id;
  const heat = showHeat(at.params);
  const page = address(at.params.pa) !== undefined;
  return (
    <div class="page memory">
      <div class="stack">
        <Panel guest={guest} view="memory" title="Owners">
          {(view) => (
            <>
              <Owners view={view} />
              <Grid table={view.table('owners')} label="Owners" columns={['owner', 'pages', 'bytes', 'percent']} />
            </>
          )}
        </Panel>
        {page && <PageOwners at={at} />}
        {heat && (
          <Panel guest={guest} view="heat" title="Hottest pages" class="fill" quiet>
            {(view) => {
              const t = view.table('pages');
              return (
                <Grid
                  table={t}
                  label="Hottest pages"
                  filter={at.params.filter}
                  columns={['address', 'owner', 'comm', 'maps', 'reads', 'writes', 'execs']}
                  link={(row) => t && at.link({ pa: t.text(row, 'address') })}
                />
              );
            }}
          </Panel>
        )}
        {!page && !heat && (
          <Panel guest={guest} view="buddy" title="Free blocks by order" class="fill">
            {(view) => <Buddy view={view} />}
          </Panel>
        )}
      </div>
      <div class="stack">
        <Panel guest={guest} view={heat ? 'heat' : 'map'} title="Physical memory" class="fill" extra={<><Crumbs at={at} /><Modes at={at} /></>}>
          {(view) => <PhysicalMap at={at} view={view} heat={heat} />}
        </Panel>
        {!heat && <Slabs at={at} />}
      </div>
    </div>
  );
}

export const memory: Tab = {
  name: 'memory',
  title: 'Memory',
  views: (params) => [
    'memory',
    'map',
    ...(showHeat(params) ? ['heat'] : ['buddy', 'slabs']),
    ...(address(params.pa) === undefined ? [] : ['page']),
  ],
  args: (params) => {
    const at = zoomed(params);
    const pa = address(params.pa);
    return {
      ...(at ? { from: hex(at[0]), to: hex(at[1]) } : {}),
      ...(pa === undefined ? {} : { pa: hex(pa) }),
    };
  },
  live: true,
  filters: true,
  Body: Memory,
};
