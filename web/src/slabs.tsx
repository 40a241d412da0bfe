// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The kernel's slab caches: what its own objects take, the largest first.
import { bytes } from './format';
import { Grid } from './grid';
import type { Table } from './model';
import { Panel } from './parts';
import { store } from './store';
import type { Shown } from './tab';

const COLUMNS = ['name', 'bytes', 'objects', 'active', 'used', 'size', 'per_slab', 'slabs', 'partial', 'flags'];

/** Of how many caches, their bytes, and of these what the kernel says it can get back: as far as that is known. */
function sums(t: Table): string {
  const rows = t.list();
  const total = (some: typeof rows) => bytes(some.reduce((sum, row) => sum + t.num(row, 'bytes'), 0));
  const known = (column: string) => rows.every((row) => t.get(row, column) !== null);
  const back = rows.filter((row) => t.text(row, 'flags').split(' ').includes('reclaimable'));
  return [
    `${rows.length} caches`,
    ...(known('bytes') ? [total(rows)] : []),
    ...(known('bytes') && known('flags') ? [`reclaimable ${total(back)}`] : []),
  ].join(', ');
}

function Sums({ guest }: { guest: string }) {
  const t = store.view(guest, 'slabs')?.table('slabs');
  if (!t) return null;
  return (
    <span class="dim" data-fact="slabs" title={`The sum of the column bytes. ${t.column('flags')?.doc ?? ''}`}>
      {sums(t)}
    </span>
  );
}

export function Slabs({ at }: { at: Shown }) {
  const guest = at.guest.id;
  const none = store.view(guest, 'slabs')?.error; // a sentence takes no room from what stands beside it
  return (
    <Panel guest={guest} view="slabs" title="Slab caches" class={none ? '' : 'fill slabs'} extra={<Sums guest={guest} />}>
      {(view) => (
        <Grid table={view.table('slabs')} label="Slab caches" columns={COLUMNS} sort="-bytes" filter={at.params.filter} />
      )}
    </Panel>
  );
}
