// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The page: guests, how one is, and a view of it.
import { render } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Health, Seek, SetsButton } from './health';
import { Help } from './help';
import { lacking, neededBy, sourceOf } from './parts';
import { changed, hashOf, readPlace, type Change, type Place } from './place';
import type { Guest } from './protocol';
import { Record, toggleRecord } from './record';
import { store, type Wish } from './store';
import { Here, type Shown, type Tab } from './tab';
import { DIGITS, TABS } from './tabs';

const WATCHES = 16;

function viewsOf(p: Place, tab: Tab, recording: boolean): string[] {
  const views = tab.views(p.params);
  const known = views.filter((v) => store.views.has(v));
  return recording ? known.filter((v) => store.views.get(v)?.needs) : [...new Set(['info', ...known])];
}

function tabsOf(guest?: Guest): Tab[] {
  return TABS.filter((t) => (guest?.kind !== 'recording' || !t.live) && (!t.console || store.consoles));
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

function Guests({ guests, place, guest }: { guests: Guest[]; place: Place; guest?: Guest }) {
  return (
    <nav aria-label="Guests">
      {guests.map((g) => {
        const info = store.view(g.id, 'info');
        const table = info?.table('info');
        const row = table?.list()[0];
        const ended = store.status.get(g.id)?.ended;
        return (
          <a
            href={hashOf({ ...place, guest: g.id, params: changed(place.params, { moment: undefined }) })}
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
  );
}

function useRedraw(): void {
  const [, set] = useState(0);
  useLayoutEffect(() => store.subscribe(() => set((n) => n + 1)), []);
}

function App() {
  useRedraw();
  const [place, setPlace] = useState(() => readPlace(location.hash));
  const [help, setHelp] = useState(false);
  const filter = useRef<HTMLInputElement>(null);
  const guests = store.guests ?? [];

  // Keys come faster than drawings: each is about the place that the one before led to.
  const latest = useRef(place);
  const move = (next: Place) => {
    latest.current = next;
    setPlace(next);
  };
  const whose = (p: Place) => guests.find((g) => g.id === p.guest) ?? (p.guest ? undefined : guests[0]);
  const tabOf = (p: Place, g?: Guest) => tabsOf(g).find((t) => t.name === p.tab) ?? TABS[0];
  const to = (p: Place, change: Change, tab?: string): Place => ({
    guest: p.guest || whose(p)?.id || '',
    tab: tab ?? tabOf(p, whose(p)).name,
    params: changed(tab && tab !== p.tab ? { ...(p.params.moment && { moment: p.params.moment }) } : p.params, change), // of a recording
  });
  const visit = (next: Place) => {
    history.replaceState(null, '', hashOf(next));
    move(next);
  };
  const shown = (p: Place, g: Guest): Shown => ({
    guest: g,
    params: p.params,
    go: (change, tab) => visit(to(latest.current, change, tab)),
    link: (change, tab) => hashOf(to(p, change, tab)),
  });

  const guest = whose(place);
  const tab = tabOf(place, guest);
  const views = guest ? viewsOf(place, tab, guest.kind === 'recording') : [];
  const at = guest && shown(place, guest);

  useEffect(() => {
    const moved = () => move(readPlace(location.hash));
    addEventListener('hashchange', moved);
    moved(); // what came between the first drawing and now was not heard of
    return () => removeEventListener('hashchange', moved);
  }, []);

  // The guest that is shown stays, whichever comes later.
  useEffect(() => {
    // What the address says by now may not have been heard of yet.
    if (!place.guest && guest && !readPlace(location.hash).guest) visit(to(latest.current, {}));
  });

  // Before it is painted: what is of something else now is not shown under the new heading.
  useLayoutEffect(() => {
    if (!store.connected) return;
    const wanted = new Map<string, Wish>();
    for (const g of at && tab.guests ? guests.filter((one) => tab.guests!(at).includes(one.id)) : guest ? [guest] : [])
      wanted.set(g.id, { views: viewsOf(place, tab, g.kind === 'recording'), args: tab.args?.(place.params) ?? {} });
    for (const g of guests) // a page may watch so many: WATCHES_MAX of src/web/page.c
      if (g.kind === 'live' && !wanted.has(g.id) && wanted.size < WATCHES) wanted.set(g.id, { views: ['info'], args: {} });
    store.watch(wanted);
  });

  const press = (key: string, p: Place, on: Guest | undefined): boolean => {
    const here = tabOf(p, on);
    const own = here.keys?.find((k) => k.key === key);
    const digit = tabsOf(on)[DIGITS.indexOf(key)];
    if (own && on) own.press(shown(p, on));
    else if (digit) visit(to(p, {}, digit.name));
    else if (key === '<' || key === '>') {
      const all = tabsOf(on);
      const next = all.indexOf(here) + (key === '>' ? 1 : all.length - 1);
      visit(to(p, {}, all[next % all.length].name));
    } else if (key === '?') setHelp(true);
    else if (key === 'R' && on) toggleRecord(on);
    else if (key === '/' && filter.current) filter.current.focus();
    else if (key === 'g' && guests.length) {
      const i = guests.findIndex((g) => g.id === on?.id);
      visit({ ...to(p, { moment: undefined }), guest: guests[(i + 1) % guests.length].id });
    } else if (key === 'e' && on?.kind === 'live') {
      const seen = viewsOf(p, here, false);
      const needed = neededBy(seen);
      if (needed.length) store.switchSets(on.id, needed, lacking(on.id, seen).length > 0);
    } else return false;
    return true;
  };

  // As soon as it is shown: who presses a key means what he sees.
  useLayoutEffect(() => {
    const key = (e: KeyboardEvent) => {
      const target = e.target as HTMLElement;
      const typing = target.matches?.('input[type=search], textarea, [contenteditable]');
      if (typing && e.key === 'Escape' && target === filter.current) target.blur();
      if (typing || e.ctrlKey || e.altKey || e.metaKey || help) return;
      if (press(e.key, latest.current, whose(latest.current))) e.preventDefault();
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  });

  return (
    <>
      <aside>
        <h1>oscope</h1>
        <Guests guests={guests} place={place} guest={guest} />
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
        {store.connected && store.silent && (
          <p class="lost" role="alert">
            Nothing has come from oscope web for some seconds. What is shown is what was seen last.
          </p>
        )}
        {at ? (
          <>
            {!tab.guests && <Health guest={at.guest} />}
            <nav class="tabs" aria-label="Views">
              {tabsOf(at.guest).map((t, i) => (
                <a href={hashOf(to(place, {}, t.name))} aria-current={t === tab ? 'page' : undefined}>
                  {DIGITS[i] && <kbd>{DIGITS[i]}</kbd>} {t.title}
                </a>
              ))}
            </nav>
            <div class="bar-top">
              {!tab.guests && !tab.ownTime && <Seek guest={at.guest} at={at} />}
              {!tab.guests && <Record guest={at.guest} />}
              {tab.Tools && <tab.Tools {...at} />}
              {tab.filters && (
                <input
                  ref={filter}
                  type="search"
                  placeholder="filter: words, or column=value"
                  aria-label="Filter"
                  value={place.params.filter ?? ''}
                  onInput={(e) => at.go({ filter: e.currentTarget.value })}
                />
              )}
              {!tab.ownSets && <SetsButton guest={at.guest} views={views} />}
            </div>
            <Here.Provider value={at}>
              <tab.Body key={`${at.guest.id} ${tab.name}`} {...at} />
            </Here.Provider>
          </>
        ) : (
          <Nothing named={place.guest} />
        )}
      </main>
      {help && <Help tab={tab} close={() => setHelp(false)} />}
    </>
  );
}

render(<App />, document.getElementById('app')!);
store.connect();
store.watchSilence();
