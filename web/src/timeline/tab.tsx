// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The timeline's tab: its canvas, what stands around it, and its keys.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { duration } from '../format';
import { Legend, Missing } from '../parts';
import { store } from '../store';
import type { Key, Shown, Tab } from '../tab';
import { laneTitle } from './lanes';
import { listen } from './input';
import { CLASSES } from './colors';
import { Pane } from './pane';
import { scopeOf, type Scope } from './scope';
import { facts, nameOf, SOURCES, sourceOf, spoken } from './words';
import type { Slice } from './scope';

/** Sets that make lanes, in the order in which these stand. */
const SETS = ['sched', 'traps', 'irq', 'syscalls', 'faults', 'modes', 'mmio', 'blk', 'uart'];

/** Those that tell what passes through a console: of a server that shows none they cannot be switched on. */
const TELLS = ['mmio', 'uart'];

/** The tooltip is written without Preact: it moves with the pointer. */
function showTip(tip: HTMLElement, scope: Scope, s: Slice | null, x: number, y: number): void {
  const lane = s && scope.feed.lanes.get(s.lane);
  tip.hidden = !s || !lane;
  if (!s || !lane) return;
  const line = (name: string, text: string) => {
    const p = document.createElement('p');
    const b = document.createElement('span');
    b.className = 'dim';
    b.textContent = `${name} `;
    p.append(b, text);
    return p;
  };
  const title = document.createElement('b');
  title.textContent = nameOf(lane, s);
  tip.replaceChildren(title, ...facts(lane, s, scope.zero).map(([name, value]) => line(name, value)), line('made from', sourceOf(lane)));
  const { width, height, point } = scope.screen;
  const box = tip.getBoundingClientRect();
  const [wide, high] = [box.width / point, box.height / point];
  const left = x + 16 + wide > width ? x - 12 - wide : x + 16;
  const top = y + 18 + high > height ? y - 10 - high : y + 18;
  tip.style.left = `${Math.max(0, left) * point}px`;
  tip.style.top = `${Math.max(0, top) * point}px`;
}

/** What the lane or slice that keys are about is, in words. */
function said(scope: Scope): string {
  const s = scope.chosen;
  const lane = scope.feed.lanes.get(s?.lane ?? scope.cursor ?? -1);
  if (!lane) return '';
  return s ? spoken(lane, s, scope.zero) : laneTitle(lane);
}

function Off({ guest }: { guest: string }) {
  const on = store.setsOn(guest);
  const off = SETS.filter((s) => !on.includes(s) && (store.consoles || !TELLS.includes(s)));
  if (!off.length) return null;
  return (
    <div class="tl-sets" role="group" aria-label="Event sets that are off">
      <span class="dim">Not recorded, as these event sets are off:</span>
      {off.map((s) => (
        <button class="act" onClick={() => store.switchSets(guest, [s], true)} title={`Switch the event set ${s} on`}>
          + {s}
        </button>
      ))}
      <button class="act" onClick={() => store.switchSets(guest, off, true)}>
        + all
      </button>
    </div>
  );
}

const LEGENDS = [
  ['task', 'Tasks'],
  ['trap', 'Traps'],
  ['irq', 'Interrupts'],
] as const;

/** What colours mean, of the lanes that there are. */
function Colours({ scope }: { scope: Scope }) {
  const kinds = new Set([...scope.feed.lanes.values()].map((l) => l.kind));
  return (
    <div class="tl-legend">
      {LEGENDS.filter(([kind]) => kinds.has(kind)).map(([kind, title]) => (
        <>
          <b>{title}</b>
          <Legend items={CLASSES[kind].filter((c) => !c.hatched).map((c) => [c.name, c.color, undefined, SOURCES[kind]])} />
        </>
      ))}
      <span class="tl-hatch">
        <i />
        not recorded
      </span>
      <span class="dim">paler: several, merged</span>
    </div>
  );
}

function useWords(scope: Scope): void {
  const [, redraw] = useState(0);
  useLayoutEffect(() => scope.subscribe(() => redraw((n) => n + 1)), [scope]);
}

function Timeline(at: Shown) {
  const scope = scopeOf(at.guest);
  const canvas = useRef<HTMLCanvasElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  useWords(scope);
  useEffect(() => {
    const c = canvas.current!;
    scope.onHover = (s, x, y) => tip.current && showTip(tip.current, scope, s, x, y);
    const detach = scope.attach(c);
    const deaf = listen(c, scope);
    return () => {
      deaf();
      detach();
      scope.onHover = null;
    };
  }, [scope]);
  // At once: later there may be another address, of which this would know nothing.
  useLayoutEffect(() => scope.show(at.params, at.go));
  const { feed } = scope;
  const empty = !feed.span || !feed.lanes.size;
  return (
    <div class="page timeline">
      {at.guest.kind === 'live' && store.setsOn(at.guest.id).includes('sched') && <Off guest={at.guest.id} />}
      <div class="tl-box">
        <canvas
          ref={canvas}
          class="tl"
          tabIndex={0}
          role="application"
          aria-label="Timeline: arrow keys go between lanes and slices, ? has all keys"
          aria-describedby="tl-said"
          data-span={feed.span && !feed.busy ? `${feed.span.from} ${feed.span.to}` : undefined}
        />
        <div ref={tip} class="tl-tip" hidden />
        {empty && (
          <div class="tl-empty">
            <Missing guest={at.guest.id} name="timeline" />
          </div>
        )}
      </div>
      <p id="tl-said" class="spoken" aria-live="polite">
        {said(scope)}
      </p>
      {(feed.busy || feed.notes.length > 0) && (
        <ul class="notes">
          {feed.busy && feed.span && feed.extent && (
            <li role="status">Being read: {duration(feed.span.to - feed.span.from)} of {duration(feed.extent.to - feed.extent.from)} …</li>
          )}
          {feed.notes.map((n) => (
            <li>{n}</li>
          ))}
        </ul>
      )}
      {!empty && <Colours scope={scope} />}
      <Pane scope={scope} />
    </div>
  );
}

const SEARCH = 'tl-search';

function Tools(at: Shown) {
  const scope = scopeOf(at.guest);
  useWords(scope);
  return (
    <>
      <input
        id={SEARCH}
        type="search"
        placeholder="search names, Enter: the next"
        aria-label="Search slices and lanes"
        value={scope.text}
        onInput={(e) => scope.search(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === 'Enter') scope.searchNext(e.shiftKey);
          if (e.key !== 'Escape') return;
          e.preventDefault(); // it would empty the field
          e.currentTarget.blur();
        }}
      />
      <span class="bad" role="status">
        {scope.finder.missed && 'none found'}
      </span>
      {at.guest.kind === 'live' && (
        <button
          class="act"
          aria-pressed={scope.motion.follow}
          onClick={() => scope.motion.setFollow(!scope.motion.follow)}
        >
          {scope.motion.follow ? 'Following' : 'Follow'} <kbd>l</kbd>
        </button>
      )}
      <button class="act" onClick={() => scope.motion.showAll()}>
        Whole span <kbd>z</kbd>
      </button>
    </>
  );
}

const key = (name: string, what: string, press: (s: Scope) => void): Key => ({ key: name, what, press: (at) => press(scopeOf(at.guest)) });

const KEYS: Key[] = [
  key('w', 'closer, at the pointer; so does the wheel', (s) => s.zoomBy(0.6)),
  key('s', 'farther', (s) => s.zoomBy(1 / 0.6)),
  key('a', 'earlier; dragging moves, too', (s) => s.motion.panBy(-0.2)),
  key('d', 'later', (s) => s.motion.panBy(0.2)),
  key('Home', 'to the beginning', (s) => s.motion.toBegin()),
  key('End', 'to the end', (s) => s.motion.toEnd()),
  key('z', 'the whole span', (s) => s.motion.showAll()),
  key('l', 'live: follow the newest, or no longer', (s) => s.motion.setFollow(!s.motion.follow)),
  key('ArrowUp', 'the lane above', (s) => s.step(-1)),
  key('ArrowDown', 'the lane below', (s) => s.step(1)),
  key('ArrowLeft', 'the slice before, in this lane', (s) => s.finder.next(true, false)),
  key('ArrowRight', 'the slice after', (s) => s.finder.next(false, false)),
  key('[', 'the one before of that name, or of what is searched', (s) => s.finder.next(true, true)),
  key(']', 'the one after of that name', (s) => s.finder.next(false, true)),
  key('/', 'search slices and lanes by name', () => document.getElementById(SEARCH)?.focus()),
  key('f', 'fit the chosen slice, or the selected area', (s) => s.focus()),
  key('m', 'select the time of the chosen slice, or all that is seen; so does dragging with Shift', (s) => s.areaHere()),
  key('p', 'pin the lane at the top, or unpin it', (s) => s.pin()),
  key('x', 'fold what belongs to this lane, or unfold it', (s) => s.foldCursor()),
  key('c', 'fold what belongs to tasks, or unfold it', (s) => s.fold('calls')),
  key('o', 'put tasks in order anew, the busiest first', (s) => s.feed.resort()),
  key('PageUp', 'up; so does the wheel over the names', (s) => s.scrollBy(-300)),
  key('PageDown', 'down', (s) => s.scrollBy(300)),
  key('Escape', 'nothing selected, then nothing chosen', (s) => s.clear()),
];

export const timeline: Tab = {
  name: 'timeline',
  title: 'Timeline',
  views: () => ['timeline'],
  ownTime: true,
  keys: KEYS,
  Body: Timeline,
  Tools,
};
