// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What all views are made of: panels that say where their numbers are from, and why there are none.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { duration } from './format';
import type { View } from './model';
import { store } from './store';

/** Where a view's numbers are from and how good they are, in a sentence or two. */
export function sourceOf(guest: string, name: string): string {
  const view = store.view(guest, name);
  const source = store.views.get(name)?.source ?? '';
  if (!view || view.error) return source;
  const age = Math.max(0, performance.now() - view.made) / 1000;
  return `${source}; made ${age.toFixed(1)} s ago in ${duration(view.took)}, ${view.consistency}`;
}

/** Which sets the views need that are not on. */
export function lacking(guest: string, names: string[]): string[] {
  const on = store.setsOn(guest);
  const needed = names.flatMap((n) => store.views.get(n)?.needs ?? []);
  return [...new Set(needed)].filter((s) => !on.includes(s));
}

function isRecording(guest: string): boolean {
  return store.guests?.find((g) => g.id === guest)?.kind === 'recording';
}

/** Why there is nothing to see. */
export function Missing({ guest, name, view }: { guest: string; name: string; view?: View }) {
  const status = store.status.get(guest);
  const off = isRecording(guest) ? [] : lacking(guest, [name]);
  const needs = store.views.get(name)?.needs ?? [];
  const refused = status?.refused.find((r) => needs.includes(r.set));
  if (view?.error)
    return (
      <p class="missing">
        {view.error}
        {view.hint && <span class="dim"> {view.hint}</span>}
      </p>
    );
  if (isRecording(guest) && store.views.get(name)?.needs === null)
    return <p class="missing">A recording has no memory to look at.</p>;
  if (off.length)
    return (
      <p class="missing">
        Made from events, and these sets are off: <b>{off.join(', ')}</b>.
        <br />
        <button class="act" onClick={() => store.switchSets(guest, off, true)}>
          Switch on {off.join(', ')}
        </button>
        <br />
        <span class="dim">They cost the guest a few percent, and nothing when they are off again.</span>
      </p>
    );
  if (!isRecording(guest) && needs.length === 0 && store.views.get(name)?.needs && !store.setsOn(guest).length)
    return <p class="missing dim">No event set is on.</p>;
  if (refused) return <p class="missing">{refused.why}</p>;
  if (isRecording(guest) && !status?.busy && status?.span)
    return <p class="missing">The recording was made without what this needs: {needs.join(', ')}.</p>;
  return <p class="missing dim">{status?.error || 'Being fetched …'}</p>;
}

/** The event sets that these views are made from. */
export function neededBy(views: string[]): string[] {
  return [...new Set(views.flatMap((v) => store.views.get(v)?.needs ?? []))];
}

/** A box with a view, its heading, and on that its source. */
export function Panel(props: {
  guest: string;
  view: string;
  title: string;
  class?: string;
  extra?: ComponentChildren;
  quiet?: boolean; // another panel beside it says the view's notes
  children: (view: View) => ComponentChildren;
}) {
  const view = store.view(props.guest, props.view);
  const source = sourceOf(props.guest, props.view);
  const quality = view?.consistency === 'torn' || view?.consistency === 'retried' ? view.consistency : '';
  return (
    <section class={`panel ${props.class ?? ''}`} data-view={props.view} aria-label={props.title}>
      <header>
        <h2 title={source}>{props.title}</h2>
        {quality && <span class={`badge ${quality}`} title={source}>{quality}</span>}
        {props.extra}
      </header>
      <div class="body">
        {view && !view.error ? props.children(view) : <Missing guest={props.guest} name={props.view} view={view} />}
        {view && !props.quiet && view.notes.length > 0 && (
          <ul class="notes">
            {view.notes.map((n) => (
              <li>{n}</li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

/** A canvas that fits its box; draw gets its size in CSS pixels. */
export function Canvas(props: {
  class: string;
  label: string;
  draw: (g: CanvasRenderingContext2D, w: number, h: number) => void;
  onMove?: (x: number, y: number, w: number, h: number) => void;
  onLeave?: () => void;
  onClick?: (x: number, y: number, w: number, h: number) => void;
  onKey?: (e: KeyboardEvent) => void; // it can have the focus then
}) {
  const ref = useRef<HTMLCanvasElement>(null);
  const paint = () => {
    const c = ref.current;
    const g = c?.getContext('2d');
    if (!c || !g) return;
    const scale = devicePixelRatio || 1;
    const [w, h] = [c.clientWidth, c.clientHeight];
    if (c.width !== Math.round(w * scale) || c.height !== Math.round(h * scale)) {
      c.width = Math.round(w * scale);
      c.height = Math.round(h * scale);
    }
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, w, h);
    props.draw(g, w, h);
  };
  const latest = useRef(paint);
  latest.current = paint;
  useEffect(paint);
  useEffect(() => {
    const again = () => latest.current();
    const sizes = new ResizeObserver(again);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    if (ref.current) sizes.observe(ref.current);
    scheme.addEventListener('change', again);
    return () => {
      sizes.disconnect();
      scheme.removeEventListener('change', again);
    };
  }, []);
  return (
    <canvas
      ref={ref}
      class={props.class}
      role={props.onKey ? 'application' : 'img'}
      aria-label={props.label}
      tabIndex={props.onKey ? 0 : undefined}
      onKeyDown={(e) => props.onKey?.(e)}
      onClick={(e) => {
        const c = e.currentTarget;
        props.onClick?.(e.offsetX, e.offsetY, c.clientWidth, c.clientHeight);
      }}
      onMouseMove={(e) => {
        const c = e.currentTarget;
        props.onMove?.(e.offsetX, e.offsetY, c.clientWidth, c.clientHeight);
      }}
      onMouseLeave={() => props.onLeave?.()}
    />
  );
}

export function Legend({ items }: { items: [name: string, color: string, value?: string, doc?: string][] }) {
  return (
    <ul class="legend">
      {items.map(([name, color, value, doc]) => (
        <li title={doc}>
          <i class={`swatch bg-${color}`} />
          {name}
          {value !== undefined && <b data-name={name}>{value}</b>}
        </li>
      ))}
    </ul>
  );
}

/** A bar of parts in percent. */
export function Bar({ parts, label }: { parts: [name: string, color: string, percent: number][]; label: string }) {
  return (
    <div class="bar" role="img" aria-label={label}>
      {parts.map(([name, color, percent]) =>
        percent > 0 ? (
          <i class={`bg-${color}`} style={{ width: `${percent}%` }} title={`${name} ${percent.toFixed(1)} %`} />
        ) : null,
      )}
    </div>
  );
}
