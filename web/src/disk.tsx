// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Disks by region: what was written and read, and what is just now.
import { inLines, Pointed } from './cells';
import { bytes } from './format';
import { Grid } from './grid';
import type { Table, View } from './model';
import { css } from './palette';
import { Legend, Panel } from './parts';
import type { Row } from './protocol';
import type { Shown, Tab } from './tab';

const FRESH_NS = 1.5e9; // before the interval's end
const HEAT = ['heat0', 'heat1', 'heat2', 'heat3', 'heat4'];

/** Regions of a disk that were used a moment ago, by their first sector. */
function freshRegions(view: View, map: Table, regions: Row[]): Set<number> {
  const requests = view.table('requests');
  const interval = view.table('interval');
  const whole = interval?.list()[0];
  const out = new Set<number>();
  if (!requests || !interval || !whole || !regions.length) return out;
  const since = interval.num(whole, 'end') - FRESH_NS;
  const disk = map.num(regions[0], 'disk');
  const size = Math.max(1, map.num(regions[0], 'sectors'));
  const end = Math.max(...regions.map((row) => map.num(row, 'first') + map.num(row, 'sectors')));
  for (const row of requests.list()) {
    if (requests.num(row, 'time') < since || requests.num(row, 'disk') !== disk) continue;
    const first = requests.num(row, 'sector');
    const last = Math.min(end, first + Math.max(1, requests.num(row, 'sectors'))) - 1; // a guest may ask for any sector
    for (let k = Math.floor(first / size); k <= Math.floor(last / size); k++) out.add(k * size);
  }
  return out;
}

function DiskMap({ view, map, regions }: { view: View; map: Table; regions: Row[] }) {
  const fresh = freshRegions(view, map, regions);
  const most = Math.max(1, ...regions.map((row) => map.num(row, 'write_bytes')));
  const color = (row: Row) => {
    const written = map.num(row, 'write_bytes');
    if (written > 0) return HEAT[Math.min(4, Math.floor(Math.sqrt(written / most) * 4.99))];
    return map.num(row, 'read_bytes') > 0 ? 'green' : 'free';
  };
  const last = regions[regions.length - 1];
  const words = `disk ${map.text(last, 'disk')}, ${bytes(map.num(last, 'disk_bytes'))}`;
  return (
    <>
      <h3>
        {words} <span class="dim">a cell is {bytes(map.num(regions[0], 'bytes'))}</span>
      </h3>
      <Pointed
        class="disk-map"
        label={`Map of ${words}, ${regions.length} regions; the table below has the sums. Arrow keys go from one to the next.`}
        n={regions.length}
        place={inLines(regions.length)}
        draw={(g, boxes) =>
          regions.forEach((row, i) => {
            const b = boxes[i];
            g.fillStyle = css(color(row));
            g.fillRect(b.x, b.y, b.w, b.h);
            if (!fresh.has(map.num(row, 'first'))) return;
            g.strokeStyle = css('vermilion');
            g.lineWidth = 3;
            g.strokeRect(b.x + 1.5, b.y + 1.5, Math.max(1, b.w - 3), Math.max(1, b.h - 3));
          })
        }
        describe={(i) => {
          const row = regions[i];
          const first = map.num(row, 'first');
          return `sectors ${first}–${first + map.num(row, 'sectors') - 1} (${bytes(map.num(row, 'bytes'))}): ${map.num(row, 'writes')} writes of ${bytes(map.num(row, 'write_bytes'))}, ${map.num(row, 'reads')} reads of ${bytes(map.num(row, 'read_bytes'))}${fresh.has(first) ? '; used just now' : ''}`;
        }}
        hint="Regions in the order of their sectors. The more was written, the stronger the colour; a border: used just now."
      />
      <Legend
        items={[
          ['not used', 'free'],
          ['read only', 'green'],
          ...HEAT.map((c, i): [string, string] => [i === 0 ? 'little written' : i === 4 ? 'most written' : '', c]),
        ]}
      />
    </>
  );
}

function Disks({ guest: { id: guest }, params: { filter } }: Shown) {
  return (
    <div class="page disk">
      <Panel guest={guest} view="blk" title="Disks by region" class="fill">
        {(view) => {
          const map = view.table('map');
          const rows = map?.list().sort((a, b) => map.num(a, 'first') - map.num(b, 'first')) ?? [];
          const disks = [...new Set(rows.map((row) => map!.num(row, 'disk')))].sort((a, b) => a - b);
          if (!map || !disks.length) return <p class="missing">No disk was used since the set was switched on.</p>;
          return disks.map((d) => <DiskMap key={d} view={view} map={map} regions={rows.filter((row) => map.num(row, 'disk') === d)} />);
        }}
      </Panel>
      <Panel guest={guest} view="blk" title="Disks" quiet>
        {(view) => (
          <Grid
            table={view.table('disks')}
            label="Disks"
            columns={['disk', 'access', 'requests', 'errors', 'unfinished', 'bytes', 'iops', 'throughput', 'avg', 'max', 'depth']}
          />
        )}
      </Panel>
      <Panel guest={guest} view="blk" title="Requests" class="fill" quiet>
        {(view) => (
          <Grid
            table={view.table('requests')}
            label="Requests"
            columns={['time', 'disk', 'access', 'sector', 'sectors', 'latency', 'result', 'cpu']}
            sort="-time"
            filter={filter}
          />
        )}
      </Panel>
    </div>
  );
}

export const disk: Tab = {
  name: 'disk',
  title: 'Disk',
  views: () => ['blk'],
  filters: true,
  Body: Disks,
};
