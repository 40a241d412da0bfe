// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// How a guest is; which moment of it is looked at; which of its events are on.
import { useEffect } from 'preact/hooks';
import { duration } from './format';
import { lacking, neededBy, sourceOf } from './parts';
import type { Guest } from './protocol';
import { store } from './store';
import type { Shown } from './tab';

/** How a guest is, in a line. */
export function Health({ guest }: { guest: Guest }) {
  const status = store.status.get(guest.id);
  const info = store.view(guest.id, 'info');
  const lost = (status?.lost_events ?? 0) + (status?.lost_packets ?? 0);
  const refused = status?.refused.map((r) => r.set) ?? [];
  const on = status?.error ? [] : store.setsOn(guest.id).filter((s) => !refused.includes(s));
  return (
    <div class="health" role="group" aria-label="How it is">
      <b>{guest.id}</b>
      {guest.arch && <span>{guest.arch}</span>}
      {guest.kind === 'recording' ? <span>recording</span> : <span>{status?.ended ? 'ended' : guest.status}</span>}
      {status?.ended && <span class="bad" role="status">The guest has ended. What is shown is what was seen last.</span>}
      {guest.status === 'no broker' && (
        <span class="bad" role="status">
          Its broker has gone. The guest runs on and its memory is seen; <code>oscope attach</code> brings events back.
        </span>
      )}
      {info?.consistency && (
        <span class={info.consistency === 'torn' ? 'bad' : 'dim'} title={sourceOf(guest.id, 'info')}>
          memory {info.consistency}
        </span>
      )}
      {guest.kind === 'live' && <span class="dim">{on.length ? `events on: ${on.join(', ')}` : 'no events are on'}</span>}
      {on.length > 0 && status && <span class="dim">{status.behind} ms behind</span>}
      {lost > 0 && status ? (
        <span class="bad" role="status">
          lost {status.lost_events} events, {status.lost_packets} packets
        </span>
      ) : (
        on.length > 0 && <span class="good">none lost</span>
      )}
      {status?.busy && <span class="dim">being changed …</span>}
      {status?.error && <span class="bad" role="status">{status.error}</span>}
      {status?.notes.map((n) => <span class="dim">{n}</span>)}
    </div>
  );
}

/** Of a recording: the moment that is looked at. */
export function Seek({ guest, at: shown }: { guest: Guest; at?: Shown }) {
  const span = store.status.get(guest.id)?.span;
  const moment = shown?.params.moment; // ns since its begin
  useEffect(() => {
    if (guest.kind === 'recording' && span && moment && /^\d{1,15}$/.test(moment)) store.seekOnce(guest.id, span[0] + Number(moment));
  });
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
        onChange={(e) => {
          const ns = Math.round((Number(e.currentTarget.value) / 1000) * (to - from));
          store.seek(guest.id, from + ns);
          shown?.go({ moment: String(ns) });
        }}
      />
      <span class="dim">of {duration(to - from)}</span>
    </label>
  );
}

/** shortcut: the key e does it, too. */
export function SetsButton({ guest, views, shortcut = true }: { guest: Guest; views: string[]; shortcut?: boolean }) {
  const needed = neededBy(views);
  if (guest.kind !== 'live' || !needed.length) return null;
  const off = lacking(guest.id, views);
  return (
    <button class="act" onClick={() => store.switchSets(guest.id, needed, off.length > 0)}>
      {off.length ? `Switch on ${off.join(', ')}` : `Switch off ${needed.join(', ')}`} {shortcut && <kbd>e</kbd>}
    </button>
  );
}
