// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Making a recording of a guest, and taking one away as a file.
import { bytes, duration } from './format';
import { hashOf } from './place';
import type { Guest } from './protocol';
import { store } from './store';

export function exportLink(guest: string, to: string): string {
  return `/export?guest=${encodeURIComponent(guest)}&to=${to}`;
}

/** Which sets are recorded when nobody says. */
function setsOf(guest: string): string[] {
  const on = store.setsOn(guest);
  return on.length ? on : ['sched'];
}

/** Begins a recording of the sets that are on, or ends the one that is made. */
export function toggleRecord(guest: Guest): void {
  const state = store.recordings.get(guest.id)?.state;
  if (guest.kind !== 'live' || state === 'opening' || state === 'stopping') return;
  store.record(guest.id, state === 'runs' ? [] : setsOf(guest.id));
}

/** Of a running guest: record, stop, and the recording that was made. Of a recording: files of it. */
export function Record({ guest }: { guest: Guest }) {
  if (guest.kind === 'recording')
    return (
      <span class="exports" role="group" aria-label="Export">
        {store.exports.map((e) => (
          <a class="act" href={exportLink(guest.id, e.to)} title={e.doc} download>
            {e.title}
          </a>
        ))}
      </span>
    );
  const r = store.recordings.get(guest.id);
  const making = r && r.state !== 'ended';
  return (
    <span class="exports" role="status">
      <button
        class="act"
        aria-pressed={making}
        disabled={r?.state === 'opening' || r?.state === 'stopping'}
        title={making ? `records ${r.sets.join(', ')}` : `records the events that are on: ${setsOf(guest.id).join(', ')}`}
        onClick={() => toggleRecord(guest)}
      >
        <i class={`dot ${making ? 'on' : ''}`} />
        {making ? 'Stop recording' : 'Record'} <kbd>R</kbd>
      </button>
      {making && (
        <span>
          {r.state === 'opening' ? 'begins …' : `${r.dir}: ${bytes(r.bytes)}, ${duration(r.duration)}`}
          {r.lost > 0 && <span class="bad"> {r.lost} lost</span>}
        </span>
      )}
      {r?.state === 'ended' && r.error && <span class="bad">{r.error}</span>}
      {r?.state === 'ended' && !r.error && (
        <span>
          recorded <a class="link" href={hashOf({ guest: r.dir, tab: '', params: {} })}>{r.dir}</a>, {bytes(r.bytes)}
        </span>
      )}
    </span>
  );
}
