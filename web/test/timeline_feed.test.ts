// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../src/protocol';
import { store } from '../src/store';
import { Feed } from '../src/timeline/feed';

interface Asked {
  op: string;
  seq: number;
  from: number;
  to: number;
  lanes: number[];
}

const LANES = { op: 'lanes' as const, guest: 'g', n: 1, base: null, span: [1e12, 2e12] as [number, number], dropped: 0, busy: false, end: 2e12, notes: [], lanes: [] };

/** A feed whose server is the test. */
function begin() {
  const asked: Asked[] = [];
  let ear: (m: Message | ArrayBuffer) => void = () => undefined;
  store.ask = (m) => void asked.push(m as Asked);
  store.listen = (f) => {
    ear = f;
    return () => undefined;
  };
  const feed = new Feed('g', () => undefined, () => undefined);
  const lanes = [1, 2].map((id) => ({ id, kind: 'task' as const, name: '', cpu: null, tid: id, comm: 't', depth: 1, busy: 0 }));
  ear({ ...LANES, lanes });
  return { feed, asked, hear: (m: Message | ArrayBuffer) => ear(m) };
}

function empty(seq: number, from: number, to: number): ArrayBuffer {
  const v = new DataView(new ArrayBuffer(40));
  v.setUint8(0, 0x54);
  v.setUint8(1, 1);
  v.setUint32(4, seq, true);
  v.setBigUint64(8, BigInt(from), true);
  v.setBigUint64(16, BigInt(to), true);
  v.setBigUint64(24, 1n, true);
  return v.buffer;
}

const W = { from: 1.4e12, to: 1.5e12 };

test('one window is asked for at a time, and none that is here', () => {
  const { feed, asked, hear } = begin();
  feed.need(W, [1, 2], 1000);
  feed.need(W, [1, 2], 1000);
  assert.equal(asked.length, 1);
  assert.deepEqual([asked[0].op, asked[0].from, asked[0].to, asked[0].lanes], ['window', 1.3e12, 1.6e12, [1, 2]]);
  hear(empty(asked[0].seq, asked[0].from, asked[0].to));
  feed.need(W, [1, 2], 1000);
  assert.equal(asked.length, 1, 'lanes without slices are known to have none');
  feed.need({ from: 1.7e12, to: 1.8e12 }, [1, 2], 1000);
  assert.equal(asked.length, 2);
});

test('when events of a lane did not come is told by the counter of their set', () => {
  const { feed, hear } = begin();
  const lane = (id: number, kind: 'call' | 'task' | 'counter', more = {}) => ({ ...feed.lanes.get(1)!, id, kind, ...more });
  const within = { from: 0, to: 100 };
  const tell = (base: number | null, ...lanes: ReturnType<typeof lane>[]) => hear({ ...LANES, base, lanes });
  tell(1, lane(3, 'call'));
  assert.deepEqual(feed.gaps(lane(3, 'call'), within), [], 'nobody counts');
  tell(1, lane(4, 'counter', { set: 'syscalls', off: [[10, 20]] }), lane(5, 'counter', { set: 'sched', off: [[50, null]] }));
  assert.deepEqual(feed.gaps(lane(3, 'call'), within), [{ from: 10, to: 20 }]);
  assert.deepEqual(feed.gaps(feed.lanes.get(5)!, within), [{ from: 50, to: 100 }]);
  assert.deepEqual(feed.gaps(lane(1, 'task'), within), []);
  tell(1, lane(4, 'counter', { set: 'syscalls', off: [[10, 20], [30, null]] }));
  assert.deepEqual(feed.gaps(lane(3, 'call'), within), [{ from: 10, to: 20 }, { from: 30, to: 100 }]);
  tell(null, lane(3, 'call'));
  assert.deepEqual(feed.gaps(lane(3, 'call'), within), []);
});

test('answers to what was not asked, or of another guest, change nothing', () => {
  const { feed, asked, hear } = begin();
  feed.need(W, [1], 1000);
  hear(empty(asked[0].seq + 1, asked[0].from, asked[0].to));
  hear(new ArrayBuffer(3));
  hear({ ...LANES, guest: 'other', notes: ['n'] });
  assert.equal(feed.data.size, 0);
  assert.equal(feed.lanes.size, 2);
  assert.deepEqual(feed.notes, []);
});

test('lanes that come later are added, names are where they are numbered', () => {
  const { feed, hear } = begin();
  hear({ ...LANES, n: 2, base: 1, span: [1e12, 3e12], notes: ['n'], lanes: [{ ...feed.lanes.get(1)!, id: 3, tid: 3 }] });
  assert.deepEqual([...feed.lanes.keys()], [1, 2, 3]);
  assert.deepEqual([feed.span!.to, feed.notes], [3e12, ['n']]);
  hear({ op: 'names', guest: 'g', base: 0, names: ['', 'a'] });
  hear({ op: 'names', guest: 'g', base: 2, names: ['b'] });
  assert.deepEqual(feed.names, ['', 'a', 'b']);
});

test('lanes that have gone are gone', () => {
  const { feed, hear } = begin();
  hear({ ...LANES, lanes: [feed.lanes.get(2)!] });
  assert.deepEqual([...feed.lanes.keys()], [2]);
});

test('what was found is told to who asked last', async () => {
  const { feed, asked, hear } = begin();
  hear({ op: 'names', guest: 'g', base: 0, names: ['', 'timer'] });
  const one = feed.find('x', 5, true, 1);
  const two = feed.find('timer', 5, false, null);
  hear({ op: 'found', guest: 'g', seq: asked[0].seq, lane: null });
  hear({ op: 'found', guest: 'g', seq: asked[1].seq, lane: 2, start: 7, duration: 1, name: 1, depth: 2, class: 3, open: false });
  assert.equal(await one, null);
  assert.deepEqual(await two, { lane: 2, start: 7, duration: 1, name: 'timer', level: 2, cls: 3, open: false });
});

test('a request is no wider than the server takes', () => {
  const { feed, asked, hear } = begin();
  feed.need(W, [1], 5000);
  const a = asked[0] as Asked & { width: number };
  assert(a.width <= 8192 && a.from < W.from && a.to > W.to);
  hear(empty(a.seq, a.from, a.to));
  feed.need(W, [1], 5000);
  assert.equal(asked.length, 1, 'and what comes of it serves');
});

test('an area of the address is asked for when there is something, and again when all is read', () => {
  const { feed, asked, hear } = begin();
  hear({ op: 'hello', console: true, exports: [], views: [] });
  feed.select({ from: 1e12, to: 2e12 });
  assert.equal(asked.length, 0);
  hear({ ...LANES, busy: true, end: 3e12 });
  assert.deepEqual([asked.length, feed.extent!.to], [1, 3e12]);
  hear({ ...LANES, busy: true, end: 3e12 });
  hear({ ...LANES, span: [1e12, 3e12] });
  assert.deepEqual(asked.map((a) => a.op), ['select', 'select']);
});

test('of areas only the last one’s tables are taken', () => {
  const { feed, asked, hear } = begin();
  feed.select({ from: 1, to: 2 });
  feed.select({ from: 3, to: 4 });
  hear({ op: 'selected', guest: 'g', seq: asked[0].seq, from: 1, to: 2, tables: [] });
  assert.equal(feed.selected, null);
  hear({ op: 'selected', guest: 'g', seq: asked[1].seq, from: 3, to: 4, tables: [] });
  assert.equal(feed.selected!.from, 3);
});

test('a new server numbers anew', () => {
  const { feed, asked, hear } = begin();
  feed.need(W, [1], 1000);
  hear({ op: 'hello', console: true, exports: [], views: [] });
  assert.equal(feed.lanes.size + feed.names.length, 0);
  hear(LANES);
  feed.need(W, [1], 1000);
  assert.equal(asked.length, 2, 'what was asked of the old one is asked again');
});
