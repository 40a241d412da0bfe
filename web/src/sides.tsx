// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Guests side by side: their numbers in one table, and a column of pictures for each.
import { CpuBars } from './cpu';
import { bytes, count } from './format';
import { Grid } from './grid';
import { Health, Seek, SetsButton } from './health';
import { Owners } from './memory';
import { Panel, sourceOf } from './parts';
import { part } from './place';
import type { Guest } from './protocol';
import { Rates } from './overview';
import { store } from './store';
import type { Shown, Tab } from './tab';

const VIEWS = ['info', 'memory', 'modes', 'rates', 'sched'];
const MOST = 8; // side by side

interface Measure {
  name: string;
  view: string;
  doc: string;
  of: (guest: string) => number | undefined;
  text: (v: number) => string;
}

const percent = (v: number) => `${v.toFixed(1)} %`;

/** The mean over vCPUs of that share. */
function mode(field: string): (guest: string) => number | undefined {
  return (guest) => {
    const t = store.view(guest, 'modes')?.table('cpus');
    const rows = t?.list() ?? [];
    if (!t || !rows.length) return undefined;
    return rows.reduce((sum, row) => sum + t.num(row, `${field}_share`), 0) / rows.length;
  };
}

function rate(set: string): (guest: string) => number | undefined {
  return (guest) => {
    const t = store.view(guest, 'rates')?.table('sets');
    const row = t?.list().find((r) => t.text(r, 'set') === set);
    return t && row ? t.num(row, 'rate') : undefined;
  };
}

function owner(name: string): (guest: string) => number | undefined {
  return (guest) => {
    const t = store.view(guest, 'memory')?.table('owners');
    const row = t?.list().find((r) => t.text(r, 'owner') === name);
    return t && row ? t.num(row, 'bytes') : undefined;
  };
}

function fact(name: string): (guest: string) => number | undefined {
  return (guest) => {
    const t = store.view(guest, 'info')?.table('info');
    const row = t?.list()[0];
    return t && row && t.get(row, name) !== null ? t.num(row, name) : undefined;
  };
}

const MEASURES: Measure[] = [
  { name: 'user', view: 'modes', doc: 'mean over vCPUs', of: mode('user'), text: percent },
  { name: 'kernel', view: 'modes', doc: 'mean over vCPUs', of: mode('kernel'), text: percent },
  { name: 'firmware', view: 'modes', doc: 'mean over vCPUs', of: mode('firmware'), text: percent },
  { name: 'idle', view: 'modes', doc: 'mean over vCPUs', of: mode('idle'), text: percent },
  { name: 'scheduler events', view: 'rates', doc: 'a second', of: rate('sched'), text: (v) => `${count(v)}/s` },
  { name: 'traps', view: 'rates', doc: 'a second', of: rate('traps'), text: (v) => `${count(v)}/s` },
  { name: 'system calls', view: 'rates', doc: 'a second', of: rate('syscalls'), text: (v) => `${count(v)}/s` },
  { name: 'RAM', view: 'info', doc: '', of: fact('ram'), text: bytes },
  { name: 'free', view: 'memory', doc: 'pages that nobody owns', of: owner('free'), text: bytes },
  { name: 'anonymous', view: 'memory', doc: 'pages of processes', of: owner('anon'), text: bytes },
  { name: 'tasks', view: 'info', doc: '', of: fact('tasks'), text: (v) => String(v) },
  { name: 'threads', view: 'info', doc: '', of: fact('threads'), text: (v) => String(v) },
];

const HEALTH: [name: string, doc: string, of: (g: Guest) => string][] = [
  ['behind', 'how far what is shown is behind the guest, ms', (g) => `${store.status.get(g.id)?.behind ?? 0} ms`],
  [
    'lost',
    'events that found no room, and packets that were overwritten before they were read',
    (g) => {
      const s = store.status.get(g.id);
      return s ? `${s.lost_events} events, ${s.lost_packets} packets` : '–';
    },
  ],
  [
    'memory read',
    'whether what was read of a running guest fits together',
    (g) => (g.kind === 'recording' ? '–' : store.view(g.id, 'info')?.consistency || '–'),
  ],
];

function Comparison({ guests, at }: { guests: Guest[]; at: Shown }) {
  const lines = MEASURES.filter((m) => guests.some((g) => m.of(g.id) !== undefined));
  return (
    <section class="panel wide" aria-label="Comparison">
      <header>
        <h2>Comparison</h2>
      </header>
      <div class="scroll">
        <table class="compare" aria-label="Comparison">
          <thead>
            <tr>
              <th>measure</th>
              {guests.map((g) => (
                <th class="number">
                  <a href={at.link({}, 'overview').replace(/^#[^/]*/, `#${encodeURIComponent(g.id)}`)}>{g.id}</a>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map((m) => {
              const values = guests.map((g) => m.of(g.id));
              const most = Math.max(...values.map((v) => v ?? 0));
              return (
                <tr key={m.name} data-measure={m.name}>
                  <td title={m.doc}>{m.name}</td>
                  {values.map((v, i) => (
                    <td class="number" data-guest={guests[i].id} title={sourceOf(guests[i].id, m.view)}>
                      {v === undefined ? '–' : m.text(v)}
                      <meter min={0} max={Math.max(most, 1e-9)} value={v ?? 0} aria-hidden="true" />
                    </td>
                  ))}
                </tr>
              );
            })}
            {HEALTH.map(([name, doc, of]) => (
              <tr key={name}>
                <td title={doc}>{name}</td>
                {guests.map((g) => (
                  <td class="number" data-guest={g.id}>
                    {of(g)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Column({ guest, at }: { guest: Guest; at: Shown }) {
  const id = guest.id;
  const recording = guest.kind === 'recording';
  return (
    <section class="column" aria-label={id}>
      <Health guest={guest} />
      <div class="bar-top">
        <Seek guest={guest} />
        <SetsButton guest={guest} views={VIEWS} shortcut={id === at.guest.id} />
      </div>
      <Panel guest={id} view="modes" title="vCPUs">
        {(view) => <CpuBars view={view} />}
      </Panel>
      <Panel guest={id} view="rates" title="Events a second">
        {(view) => <Rates view={view} />}
      </Panel>
      {!recording && (
        <Panel guest={id} view="memory" title="Memory">
          {(view) => <Owners view={view} />}
        </Panel>
      )}
      <Panel guest={id} view="sched" title="Busiest tasks">
        {(view) => (
          <Grid
            table={view.table('tasks')}
            label={`Busiest tasks of ${id}`}
            columns={['tid', 'comm', 'share', 'latency_max']}
            sort="-share"
            most={8}
          />
        )}
      </Panel>
    </section>
  );
}

function chosen(at: Shown): Guest[] {
  const all = store.guests ?? [];
  const names = at.params.with?.split(',').map(part);
  return (names ? all.filter((g) => names.includes(g.id)) : all).slice(0, MOST);
}

function Sides(at: Shown) {
  const guests = chosen(at);
  return (
    <div class="page sides">
      <Comparison guests={guests} at={at} />
      <div class="columns wide">
        {guests.map((g) => (
          <Column key={g.id} guest={g} at={at} />
        ))}
      </div>
    </div>
  );
}

/** Which guests stand there; all as long as nothing was chosen. */
function Choice(at: Shown) {
  const all = store.guests ?? [];
  const on = chosen(at).map((g) => g.id);
  const toggle = (id: string) => {
    const next = on.includes(id) ? on.filter((n) => n !== id) : [...on, id];
    at.go({ with: next.length && next.length < all.length ? next.map(encodeURIComponent).join() : undefined });
  };
  return (
    <fieldset class="choice">
      <legend>Guests</legend>
      {all.map((g) => (
        <label>
          <input type="checkbox" checked={on.includes(g.id)} onChange={() => toggle(g.id)} /> {g.id}
        </label>
      ))}
    </fieldset>
  );
}

export const sides: Tab = {
  name: 'guests',
  title: 'Guests',
  views: () => VIEWS,
  guests: (at) => chosen(at).map((g) => g.id),
  ownSets: true,
  Tools: Choice,
  Body: Sides,
};
