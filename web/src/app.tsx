// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The page: guests, how one is, and a view of it. The address after # says which: #GUEST/TAB.
import { render } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Cpu } from './cpu';
import { duration } from './format';
import { Memory } from './memory';
import { Overview } from './overview';
import { lacking, sourceOf } from './parts';
import type { Guest } from './protocol';
import { store } from './store';
import { Syscalls } from './syscalls';
import { Tasks } from './tasks';

interface TabInfo {
  name: string;
  views: string[];
  filters?: boolean;
  live?: boolean; // of guest memory: a recording has none
}

const TABS: TabInfo[] = [
  { name: 'overview', views: ['memory', 'modes', 'rates', 'sched'] },
  { name: 'cpu', views: ['modes'] },
  { name: 'tasks', views: ['tasks'], filters: true, live: true },
  { name: 'memory', views: ['memory', 'map'], live: true },
  { name: 'syscalls', views: ['syscalls'], filters: true },
];

const KEYS: [string, string][] = [
  ['1–5', 'show another view'],
  ['g', 'the next guest'],
  ['e', 'switch the event sets of this view on, or off'],
  ['t', 'tasks: processes or threads'],
  ['/', 'go to the filter; Escape leaves it'],
  ['?', 'these keys'],
];

interface Place {
  guest: string;
  tab: string;
  filter: string;
  threads: boolean;
}

function readPlace(): Place {
  const [path, query] = location.hash.slice(1).split('?', 2);
  const slash = path.lastIndexOf('/');
  const params = new URLSearchParams(query ?? '');
  const part = (s: string) => {
    try {
      return decodeURIComponent(s);
    } catch {
      return '';
    }
  };
  return {
    guest: part(slash < 0 ? path : path.slice(0, slash)),
    tab: TABS.find((t) => t.name === path.slice(slash + 1))?.name ?? 'overview',
    filter: params.get('filter') ?? '',
    threads: params.get('threads') === '1',
  };
}

function hashOf(p: Place): string {
  const params = new URLSearchParams();
  if (p.filter) params.set('filter', p.filter);
  if (p.threads) params.set('threads', '1');
  const query = params.toString();
  return `#${encodeURIComponent(p.guest)}/${p.tab}${query ? `?${query}` : ''}`;
}

function viewsOf(p: Place, tab: TabInfo, recording: boolean): string[] {
  const views = tab.views.map((v) => (v === 'tasks' && p.threads ? 'threads' : v));
  return recording ? views.filter((v) => store.views.get(v)?.needs) : ['info', ...views];
}

/** The event sets that these views are made from. */
function neededBy(views: string[]): string[] {
  return [...new Set(views.flatMap((v) => store.views.get(v)?.needs ?? []))];
}

/** How a guest is, in a line. */
function Health({ guest }: { guest: Guest }) {
  const status = store.status.get(guest.id);
  const info = store.view(guest.id, 'info');
  const lost = (status?.lost_events ?? 0) + (status?.lost_packets ?? 0);
  const refused = status?.refused.map((r) => r.set) ?? [];
  const on = status?.error ? [] : store.setsOn(guest.id).filter((s) => !refused.includes(s));
  return (
    <div class="health" role="status">
      <b>{guest.id}</b>
      {guest.arch && <span>{guest.arch}</span>}
      {guest.kind === 'recording' ? <span>recording</span> : <span>{status?.ended ? 'ended' : guest.status}</span>}
      {status?.ended && <span class="bad">The guest has ended. What is shown is what was seen last.</span>}
      {info?.consistency && (
        <span class={info.consistency === 'torn' ? 'bad' : 'dim'} title={sourceOf(guest.id, 'info')}>
          memory {info.consistency}
        </span>
      )}
      {guest.kind === 'live' && <span class="dim">{on.length ? `events on: ${on.join(', ')}` : 'no events are on'}</span>}
      {on.length > 0 && status && <span class="dim">{status.behind} ms behind</span>}
      {lost > 0 && status ? (
        <span class="bad">
          lost {status.lost_events} events, {status.lost_packets} packets
        </span>
      ) : (
        on.length > 0 && <span class="good">none lost</span>
      )}
      {status?.busy && <span class="dim">being changed …</span>}
      {status?.error && <span class="bad">{status.error}</span>}
      {status?.notes.map((n) => <span class="dim">{n}</span>)}
    </div>
  );
}

/** Of a recording: the moment that is looked at. */
function Seek({ guest }: { guest: Guest }) {
  const span = store.status.get(guest.id)?.span;
  if (guest.kind !== 'recording' || !span || span[1] <= span[0]) return null;
  const [from, to, at] = span;
  return (
    <label class="seek">
      <span>{duration(at - from)}</span>
      <input
        type="range"
        min={0}
        max={1000}
        value={Math.round(((at - from) / (to - from)) * 1000)}
        aria-label="Moment of the recording"
        onChange={(e) => store.seek(guest.id, from + (Number(e.currentTarget.value) / 1000) * (to - from))}
      />
      <span class="dim">of {duration(to - from)}</span>
    </label>
  );
}

function SetsButton({ guest, views }: { guest: Guest; views: string[] }) {
  const needed = neededBy(views);
  if (guest.kind !== 'live' || !needed.length) return null;
  const off = lacking(guest.id, views);
  return (
    <button class="act" onClick={() => store.switchSets(guest.id, needed, off.length > 0)}>
      {off.length ? `Switch on ${off.join(', ')}` : `Switch off ${needed.join(', ')}`} <kbd>e</kbd>
    </button>
  );
}

function Body({ place, guest }: { place: Place; guest: Guest }) {
  const recording = guest.kind === 'recording';
  switch (place.tab) {
    case 'cpu':
      return <Cpu guest={guest.id} />;
    case 'tasks':
      return <Tasks guest={guest.id} filter={place.filter} threads={place.threads} />;
    case 'memory':
      return <Memory guest={guest.id} />;
    case 'syscalls':
      return <Syscalls guest={guest.id} filter={place.filter} />;
    default:
      return <Overview guest={guest.id} recording={recording} />;
  }
}

function Nothing({ named }: { named: string }) {
  if (store.refused)
    return (
      <p class="missing">
        Not let in. Open the URL that <code>oscope web</code> printed; it is good once.
      </p>
    );
  if (!store.connected || store.guests === null) return <p class="missing dim">Connecting …</p>;
  if (named) return <p class="missing">There is no guest {named} now. It is shown when it comes.</p>;
  return (
    <p class="missing">
      There is no guest. Start one with <code>oscope run -- qemu-system-…</code>: it is shown when it is there.
    </p>
  );
}

function Help({ close }: { close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => ref.current?.showModal(), []);
  return (
    <dialog ref={ref} onClose={close} aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button class="act" onClick={() => ref.current?.close()}>
        Close
      </button>
    </dialog>
  );
}

function useRedraw(): void {
  const [, set] = useState(0);
  useLayoutEffect(() => store.subscribe(() => set((n) => n + 1)), []);
}

function App() {
  useRedraw();
  const [place, setPlace] = useState(readPlace);
  const [help, setHelp] = useState(false);
  const filter = useRef<HTMLInputElement>(null);
  const guests = store.guests ?? [];
  const known = guests.find((g) => g.id === place.guest);
  const guest = known ?? (place.guest ? undefined : guests[0]);
  const tabs = TABS.filter((t) => guest?.kind !== 'recording' || !t.live);
  const tab = tabs.find((t) => t.name === place.tab) ?? TABS[0];
  const views = guest ? viewsOf(place, tab, guest.kind === 'recording') : [];

  // Keys come faster than drawings: each is about the place that the one before led to.
  const latest = useRef(place);
  const move = (next: Place) => {
    latest.current = next;
    setPlace(next);
  };
  const go = (change: Partial<Place>) => {
    const next = { ...latest.current, guest: latest.current.guest || guest?.id || '', ...change };
    history.replaceState(null, '', hashOf(next));
    move(next);
  };

  useEffect(() => {
    const moved = () => move(readPlace());
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);

  // The guest that is shown stays, whichever comes later.
  useEffect(() => {
    if (!place.guest && guest) go({});
  });

  useEffect(() => {
    if (!store.connected) return;
    const wanted = new Map(guests.filter((g) => g.kind === 'live').map((g) => [g.id, ['info']]));
    if (guest) wanted.set(guest.id, views);
    store.watch(wanted);
  });

  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      const typing = e.target instanceof HTMLInputElement && e.target.type === 'search';
      if (typing && e.key === 'Escape') filter.current?.blur();
      if (typing || e.ctrlKey || e.altKey || e.metaKey || help) return;
      const at = latest.current;
      const on = guests.find((g) => g.id === at.guest) ?? guest;
      const shown = tabs.find((t) => t.name === at.tab) ?? TABS[0];
      const seen = on ? viewsOf(at, shown, on.kind === 'recording') : [];
      const number = Number(e.key);
      if (number >= 1 && number <= tabs.length) go({ tab: tabs[number - 1].name });
      else if (e.key === '?') setHelp(true);
      else if (e.key === '/' && filter.current) filter.current.focus();
      else if (e.key === 't' && shown.name === 'tasks') go({ threads: !at.threads });
      else if (e.key === 'g' && guests.length) {
        const i = guests.findIndex((g) => g.id === on?.id);
        go({ guest: guests[(i + 1) % guests.length].id });
      } else if (e.key === 'e' && on?.kind === 'live') {
        const needed = neededBy(seen);
        if (needed.length) store.switchSets(on.id, needed, lacking(on.id, seen).length > 0);
      } else return;
      e.preventDefault();
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  });

  return (
    <>
      <aside>
        <h1>oscope</h1>
        <nav aria-label="Guests">
          {guests.map((g) => {
            const info = store.view(g.id, 'info');
            const table = info?.table('info');
            const row = table?.list()[0];
            const ended = store.status.get(g.id)?.ended;
            return (
              <a
                href={hashOf({ ...place, guest: g.id })}
                aria-current={g.id === guest?.id ? 'page' : undefined}
                title={info ? sourceOf(g.id, 'info') : g.name ?? ''}
              >
                <b>{g.id}</b>
                <span>{g.kind === 'recording' ? 'recording' : ended ? 'ended' : g.status}</span>
                {table && row && <span class="dim">{table.text(row, 'release')}</span>}
              </a>
            );
          })}
        </nav>
        <button class="plain" onClick={() => setHelp(true)}>
          Keys <kbd>?</kbd>
        </button>
      </aside>
      <main>
        {!store.connected && store.guests !== null && (
          <p class="lost" role="alert">
            The connection to oscope web is lost. What is shown is what was seen last; trying
            again. If it was started anew, open the URL that it printed.
          </p>
        )}
        {guest ? (
          <>
            <Health guest={guest} />
            <div class="bar-top">
              <nav class="tabs" aria-label="Views">
                {tabs.map((t, i) => (
                  <a href={hashOf({ ...place, guest: guest.id, tab: t.name })} aria-current={t === tab ? 'page' : undefined}>
                    <kbd>{i + 1}</kbd> {t.name === 'cpu' ? 'CPU' : t.name[0].toUpperCase() + t.name.slice(1)}
                  </a>
                ))}
              </nav>
              <Seek guest={guest} />
              {tab.name === 'tasks' && (
                <button class="act" onClick={() => go({ threads: !place.threads })}>
                  {place.threads ? 'Show processes' : 'Show threads'} <kbd>t</kbd>
                </button>
              )}
              {tab.filters && (
                <input
                  ref={filter}
                  type="search"
                  placeholder="filter: words, or column=value"
                  aria-label="Filter"
                  value={place.filter}
                  onInput={(e) => go({ filter: e.currentTarget.value })}
                />
              )}
              <SetsButton guest={guest} views={views} />
            </div>
            <Body place={{ ...place, tab: tab.name }} guest={guest} />
          </>
        ) : (
          <Nothing named={place.guest} />
        )}
      </main>
      {help && <Help close={() => setHelp(false)} />}
    </>
  );
}

render(<App />, document.getElementById('app')!);
store.connect();
