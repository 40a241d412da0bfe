// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The tables on the way to an address side by side, the root's first: each entry of a table with what
// lies below it, and the one that the walk takes. Made of mapped stretches: an entry's rights are
// those that anything below it has.
import { HALF, hex } from './address';
import { bytes } from './format';
import type { Table } from './model';
import type { Row } from './protocol';
import type { Shown } from './tab';

const MOST = 512;

interface Entry {
  index: bigint;
  start: bigint;
  mapped: number; // bytes
  flags: string;
  pa?: bigint; // of a leaf, or where all below it is one stretch
}

function join(a: string, b: string): string {
  return [...a].map((c, i) => (c !== '-' ? c : b[i] ?? '-')).join('');
}

/** Where the page at va lies, of a stretch that has it. */
function physical(t: Table, row: Row, va: bigint): bigint | undefined {
  const [start, pa] = [BigInt(t.text(row, 'start')), BigInt(t.text(row, 'pa'))];
  const attr = t.text(row, 'attr');
  if (attr.includes('REPEAT')) return undefined;
  return attr.includes('SAME') ? pa : pa + (va - start);
}

/** Entries of `span` bytes each that have something mapped in [from, to). */
function entries(t: Table, from: bigint, to: bigint, span: bigint): Entry[] {
  const out = new Map<bigint, Entry>();
  for (const row of t.list()) {
    const start = BigInt(t.text(row, 'start'));
    const end = start + BigInt(Math.round(t.num(row, 'size')));
    if (end <= from || start >= to) continue;
    let at = start > from ? start - (start % span) : from;
    for (; at < end && at < to && out.size <= MOST; at += span) {
      const low = at > start ? at : start;
      const high = at + span < end ? at + span : end;
      const e = out.get(at);
      const flags = t.text(row, 'perm');
      if (e) {
        e.flags = join(e.flags, flags);
        e.mapped += Number(high - low);
        e.pa = undefined;
      } else {
        const whole = BigInt(Math.round(t.num(row, 'page_size'))) >= span;
        out.set(at, { index: at / span, start: at, mapped: Number(high - low), flags, pa: whole ? physical(t, row, low) : undefined });
      }
    }
  }
  return [...out.values()].sort((a, b) => (a.start < b.start ? -1 : 1));
}

function Column(props: { at: Shown; label: string; entries: Entry[]; span: bigint; here: bigint; mask: bigint }) {
  const { at, span, mask } = props;
  return (
    <div class="level">
      <h3>
        {props.label} <span class="dim">an entry covers {bytes(Number(span))}</span>
      </h3>
      <table aria-label={props.label}>
        <thead>
          <tr>
            <th class="number" title="index in the table">index</th>
            <th title="first virtual address; an entry covers as many bytes as its heading says">from</th>
            <th class="number" title="bytes below this entry that are mapped">mapped</th>
            <th title="Read Write eXecute User Accessed Dirty Global: what anything below this entry has">flags</th>
            {props.entries.some((e) => e.pa !== undefined) && <th title="physical address of the page">physical</th>}
          </tr>
        </thead>
        <tbody>
          {props.entries.map((e) => (
            <tr key={String(e.start)} aria-current={e.start === props.here ? 'true' : undefined} class="leads">
              <td class="number" data-column="index">{String(e.index & mask)}</td>
              <td class="mono" data-column="start">
                <a href={at.link({ va: hex(e.start) })} aria-label={`${hex(e.start)}, ${bytes(Number(span))}`}>{hex(e.start)}</a>
              </td>
              <td class="number" data-column="mapped">{bytes(e.mapped)}</td>
              <td class="mono" data-column="perm">{e.flags}</td>
              {e.pa !== undefined && (
                <td class="mono" data-column="pa">
                  <a class="ref" href={at.link({ va: hex(e.start), pa: hex(e.pa) })} title="who maps this page">{hex(e.pa)}</a>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What is mapped far apart from each other: an address of each to begin with. */
export function Starts({ at, regions }: { at: Shown; regions?: Table }) {
  return (
    regions && (
      <ul class="starts">
        {entries(regions, 0n, 1n << 64n, 1n << 39n).slice(0, 64).map((e) => (
          <li key={String(e.start)}>
            <a class="ref mono" href={at.link({ va: hex(first(regions, e.start)) })}>{hex(first(regions, e.start))}</a>{' '}
            <span class="dim">{bytes(e.mapped)} {e.flags}</span>
          </li>
        ))}
      </ul>
    )
  );
}

export function Levels({ at, regions, walk, va }: { at: Shown; regions?: Table; walk?: Table; va: bigint }) {
  const steps = walk?.list() ?? [];
  if (!regions || !steps.length || !walk) return null;
  return (
    <div class="levels" ref={(box) => showLast(box, `${hex(va)} ${steps.length} ${regions.rows.size > 0}`)}>
      {steps.map((row, i) => {
        const span = BigInt(Math.round(walk.num(row, 'span')));
        const above = i ? BigInt(Math.round(walk.num(steps[i - 1], 'span'))) : 0n;
        const from = i ? va - (va % above) : va >= HALF ? HALF : 0n;
        const to = i ? from + above : va >= HALF ? 1n << 64n : HALF;
        return (
          <Column
            key={walk.text(row, 'table')}
            at={at}
            label={`Table of level ${walk.text(row, 'level')}`}
            entries={entries(regions, from, to, span)}
            span={span}
            here={va - (va % span)}
            mask={above ? above / span - 1n : rootMask(va / span, BigInt(walk.num(row, 'index')))}
          />
        );
      })}
    </div>
  );
}

/** Another address: the last table is what one wants to see. */
function showLast(box: HTMLDivElement | null, what: string): void {
  if (!box || box.dataset.what === what) return;
  box.dataset.what = what;
  requestAnimationFrame(() => {
    for (const row of box.querySelectorAll<HTMLElement>('tr[aria-current]')) {
      const level = row.closest('.level');
      if (level) level.scrollTop = row.offsetTop - level.clientHeight / 2;
    }
    box.scrollLeft = box.scrollWidth;
  });
}

/** How many bits the root's index has follows from the index of one address. */
function rootMask(va: bigint, index: bigint): bigint {
  return [511n, 1023n, 2047n, 255n, 63n, 15n, 3n, 1n].find((m) => (va & m) === index) ?? 511n;
}

/** The first mapped address from there on. */
function first(t: Table, from: bigint): bigint {
  for (const row of t.list()) {
    const start = BigInt(t.text(row, 'start'));
    if (start + BigInt(Math.round(t.num(row, 'size'))) > from) return start > from ? start : from;
  }
  return from;
}
