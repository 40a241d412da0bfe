// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../src/protocol';
import { Store } from '../src/store';

const VIEWS = ['info', 'vm', 'map'].map((name) => ({ name, needs: null, takes: name === 'vm' ? ['pid' as const] : [], source: '' }));

/** A store that is connected to the test. */
function connected() {
  const said: { op: string; guest: string; views?: string[]; sets?: string[] }[] = [];
  let socket: { onmessage?: (e: { data: string }) => void } = {};
  class Socket {
    send(text: string) {
      said.push(JSON.parse(text));
    }
    constructor() {
      socket = this as typeof socket;
    }
  }
  Object.assign(globalThis, { location: { protocol: 'http:', host: 'h' }, WebSocket: Socket, requestAnimationFrame: () => 0 });
  const store = new Store();
  store.connect();
  const hear = (m: Message) => socket.onmessage!({ data: JSON.stringify(m) });
  const guests = (...ids: string[]) =>
    hear({ op: 'guests', guests: ids.map((id) => ({ id, kind: 'live', status: null, arch: null, name: null })) });
  const watch = (...ids: string[]) => store.watch(new Map(ids.map((id) => [id, { views: ['info', 'vm'], args: { pid: 1 } }])));
  const view = (guest: string, name: string) =>
    hear({ op: 'view', guest, view: name, as: 1e6, n: 1, age: 0, took: 0, tables: [{ name, cut: 0, columns: [], rows: [['k']] }] });
  const tell = (guest: string) => {
    const common = { lost_events: 0, lost_packets: 0, behind: 0, busy: false, ended: false, error: '', notes: [], refused: [], span: null };
    hear({ op: 'status', guest, sets: [], ...common });
    hear({ op: 'typing', guest, on: false, why: '' });
    hear({ op: 'recording', guest, state: 'ended', dir: '', sets: [], bytes: 0, duration: 0, lost: 0, error: '' });
    view(guest, 'info');
    view(guest, 'vm');
  };
  hear({ op: 'hello', console: true, exports: [], views: VIEWS });
  return { store, said, hear, guests, watch, tell };
}

test('of guests that come and go nothing stays but a few sets', () => {
  const { store, guests, watch, tell } = connected();
  const sizes: number[] = [];
  for (let i = 0; i < 100; i++) {
    const id = `guest ${i}`;
    guests('always', id);
    watch('always', id);
    tell('always');
    tell(id);
    store.switchSets(id, ['sched'], true);
    store.seekOnce(id, 5);
    assert.equal(store.view(id, 'vm')?.n, 1);
    guests('always');
    watch('always');
    sizes.push(store.size);
    assert.equal(store.view(id, 'vm'), undefined);
    assert.equal(store.status.has(id) || store.typing.has(id) || store.recordings.has(id), false);
  }
  assert.equal(sizes[99], sizes[20], sizes.join(' '));
  assert.equal(sizes[99] < 30, true, String(sizes[99]));
  assert.equal(store.view('always', 'info')?.n, 1); // who is there keeps his
  assert.equal(store.status.has('always'), true);
});

test('a guest that comes again has its sets on, and is watched anew', () => {
  const { store, said, guests, watch } = connected();
  guests('a', 'b');
  watch('a');
  store.switchSets('a', ['sched', 'irq'], true);
  guests('b');
  watch();
  said.length = 0;
  guests('a', 'b');
  watch('a');
  assert.deepEqual(said.map((m) => [m.op, m.guest, m.views ?? m.sets]), [
    ['watch', 'a', ['info', 'vm']],
    ['sets', 'a', ['sched', 'irq']],
  ]);
});

test('after another connection all is asked for again', () => {
  const { said, hear, guests, watch, tell } = connected();
  guests('a', 'b');
  watch('a', 'b');
  tell('a');
  hear({ op: 'hello', console: true, exports: [], views: VIEWS });
  said.length = 0;
  guests('a', 'b');
  watch('a', 'b');
  assert.deepEqual(said.map((m) => `${m.op} ${m.guest}`), ['watch a', 'watch b']);
  said.length = 0;
  guests('a', 'b'); // nothing new: nothing is said
  watch('a', 'b');
  assert.deepEqual(said, []);
});
