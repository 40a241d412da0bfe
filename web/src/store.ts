// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The connection, and all that came over it. Wishes are kept here, and said again after each
// connecting, so that the page recovers from whatever happened to the server.
import { View } from './model';
import type { Args, ConsoleMessage, ExportInfo, Guest, Message, RecordingMessage, Status, TypingMessage, ViewInfo } from './protocol';

const RETRY_MS = 1500;
const SILENT_MS = 6000; // the server says something every 2 s
const GATHER_MS = 40; // what the server made in one turn comes within it
const KEYS = 512; // bytes of a message
const SETS_KEPT = 16; // guests that are gone whose sets are switched on when they come again
const DEAD_MS = 15000; // as after a laptop's sleep: connect anew

/** Views of a guest, and what they are to be of. */
export interface Wish {
  views: string[];
  args: Args;
}

export class Store {
  connected = false;
  silent = false; // connected, and nothing came for SILENT_MS
  consoles = true; // the server shows guests' consoles
  private heard = 0; // performance.now() of the last message
  refused = false; // never let in: the cookie is of another server, or there is none
  views = new Map<string, ViewInfo>();
  exports: ExportInfo[] = [];
  guests: Guest[] | null = null;
  status = new Map<string, Status>();
  private data = new Map<string, View>(); // by guest and view
  private watched = new Map<string, Wish>();
  private said = new Map<string, Args>(); // that the server has, by guest
  private wishes = 0; // said so far
  private since = new Map<string, number>(); // by view and guest: the wish that gave it its arguments
  typing = new Map<string, TypingMessage>();
  recordings = new Map<string, RecordingMessage>(); // that were made of a guest last
  private screens = new Map<string, (m: ConsoleMessage) => void>(); // by guest
  private sets = new Map<string, string[]>();
  private sought = new Map<string, number>(); // moments that were said, of recordings that are watched
  private socket: WebSocket | null = null;
  private listeners = new Set<() => void>();
  private drawing = false;
  private gathering: ReturnType<typeof setTimeout> | undefined;
  private fresh = true; // connected, and no guests were told yet
  private ears = new Set<(m: Message | ArrayBuffer) => void>();

  subscribe(f: () => void): () => void {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  }

  /** All that comes, as it comes, for who keeps it himself. */
  listen(f: (m: Message | ArrayBuffer) => void): () => void {
    this.ears.add(f);
    return () => this.ears.delete(f);
  }

  /** Asks what is answered to who listens. Lost when there is no connection. */
  ask(message: object): void {
    this.send(message);
  }

  /** Draws once a frame, however much came. */
  private changed(): void {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      clearTimeout(this.gathering);
      this.drawing = false;
      this.gathering = undefined;
      this.listeners.forEach((f) => f());
    });
  }

  /** The same for figures that take the place of others: one picture of all that come together. */
  private renewed(): void {
    this.gathering ??= setTimeout(() => this.changed(), GATHER_MS);
  }

  view(guest: string, name: string): View | undefined {
    return this.data.get(`${name} ${guest}`);
  }

  setsOn(guest: string): string[] {
    return this.sets.get(guest) ?? [];
  }

  /** These views of these guests from now on, and no others. */
  watch(wanted: Map<string, Wish>): void {
    for (const guest of this.watched.keys())
      if (!wanted.has(guest)) {
        this.send({ op: 'watch', guest, views: [] });
        this.said.delete(guest);
        this.sought.delete(guest);
      }
    for (const [guest, wish] of wanted) {
      const before = this.watched.get(guest);
      if (before?.views.join() === wish.views.join() && JSON.stringify(before.args) === JSON.stringify(wish.args))
        continue;
      this.send({ op: 'watch', guest, ...wish, as: ++this.wishes });
      this.forget(guest, this.said.get(guest) ?? {}, wish.args);
      this.said.set(guest, wish.args);
      if (!before) this.sendSets(guest);
      if (!before && this.screens.has(guest)) this.send({ op: 'console', guest, on: true });
    }
    this.watched = wanted;
  }

  /** What views showed that are of something else now; what is still under way of that counts no more. */
  private forget(guest: string, before: Args, now: Args): void {
    for (const { name, takes } of this.views.values()) {
      if (takes.every((arg) => before[arg] === now[arg])) continue;
      if (this.data.delete(`${name} ${guest}`)) this.changed();
      this.since.set(`${name} ${guest}`, this.wishes);
    }
  }

  switchSets(guest: string, sets: string[], on: boolean): void {
    const rest = this.setsOn(guest).filter((s) => !sets.includes(s));
    this.sets.set(guest, on ? [...rest, ...sets] : rest);
    this.send({ op: 'sets', guest, sets: this.setsOn(guest) });
    this.changed();
  }

  /** What the address says: once after each connecting, and as it changes. */
  seekOnce(guest: string, time: number): void {
    if (this.connected && this.watched.has(guest) && this.sought.get(guest) !== time) this.seek(guest, time);
  }

  seek(guest: string, time: number): void {
    this.sought.set(guest, time);
    this.send({ op: 'seek', guest, time: Math.round(time) });
  }

  /** What the guest's console shows from now on, until that is called which is returned. */
  screen(guest: string, show: (m: ConsoleMessage) => void): () => void {
    this.screens.set(guest, show);
    this.send({ op: 'console', guest, on: true });
    return () => {
      this.screens.delete(guest);
      this.typing.delete(guest);
      this.send({ op: 'console', guest, on: false });
    };
  }

  /** Begins a recording of these sets; none: ends it. */
  record(guest: string, sets: string[]): void {
    this.send({ op: 'record', guest, sets });
  }

  /** Keys go to the guest, or no longer. */
  type(guest: string, on: boolean): void {
    this.send({ op: 'type', guest, on });
  }

  keys(guest: string, text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let i = 0; i < bytes.length; i += KEYS)
      this.send({ op: 'keys', guest, bytes: [...bytes.slice(i, i + KEYS)].map((b) => b.toString(16).padStart(2, '0')).join('') });
  }

  connect(): void {
    let greeted = false;
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`, 'oscope');
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (e) => {
      greeted = true;
      this.heard = performance.now();
      this.silent = false;
      const m = e.data instanceof ArrayBuffer ? e.data : (JSON.parse(e.data as string) as Message);
      if (!(m instanceof ArrayBuffer)) this.hear(m);
      this.ears.forEach((f) => f(m));
    };
    socket.onclose = () => this.lost(greeted);
    this.socket = socket;
  }

  /** Once a second: a server that is stopped, or a network that is gone, says nothing. */
  watchSilence(): void {
    setInterval(() => {
      const quiet = performance.now() - this.heard;
      if (!this.connected || quiet < SILENT_MS) return;
      this.silent = true;
      this.changed();
      if (quiet < DEAD_MS || !this.socket) return;
      this.socket.onclose = this.socket.onmessage = null; // its end may come much later, or never
      this.socket.close();
      this.lost(true);
    }, 1000);
  }

  private lost(greeted: boolean): void {
    this.socket = null;
    this.refused = !greeted && !this.connected && this.guests === null;
    this.connected = false;
    this.silent = false;
    this.changed();
    setTimeout(() => this.connect(), RETRY_MS);
  }

  private sendSets(guest: string): void {
    const sets = this.setsOn(guest);
    if (sets.length) this.send({ op: 'sets', guest, sets });
  }

  private send(message: object): void {
    if (this.connected) this.socket?.send(JSON.stringify(message));
  }

  /** After connecting: what the server knew of us is gone. */
  private begin(views: ViewInfo[], consoles: boolean): void {
    this.consoles = consoles;
    this.typing.clear();
    this.recordings.clear();
    this.connected = true;
    this.refused = false;
    this.views = new Map(views.map((v) => [v.name, v]));
    this.data.clear();
    this.status.clear();
    this.said.clear();
    this.since.clear();
    this.sought.clear();
    this.fresh = true;
  }

  /** A guest can be watched once the server has told of it. */
  private resume(guests: Guest[]): void {
    this.guests = guests;
    if (this.fresh) this.watched.clear();
    this.fresh = false;
    this.drop(new Set(guests.map((g) => g.id)));
  }

  /** What is kept of guests that are not there any more. */
  private drop(there: Set<string>): void {
    for (const map of [this.watched, this.said, this.sought, this.status, this.typing, this.recordings])
      for (const id of map.keys()) if (!there.has(id)) map.delete(id);
    for (const map of [this.data, this.since])
      for (const key of map.keys()) if (!there.has(key.slice(key.indexOf(' ') + 1))) map.delete(key);
    const gone = [...this.sets.keys()].filter((id) => !there.has(id));
    for (const id of gone.slice(0, -SETS_KEPT)) this.sets.delete(id);
  }

  /** How much is kept, in entries. */
  get size(): number {
    const maps = [this.watched, this.said, this.sought, this.status, this.typing, this.recordings, this.data, this.since, this.sets, this.screens];
    return maps.reduce((n, map) => n + map.size, 0);
  }

  private hear(m: Message): void {
    switch (m.op) {
      case 'alive':
        return;
      case 'hello':
        this.exports = m.exports;
        this.begin(m.views, m.console);
        break;
      case 'guests':
        this.resume(m.guests);
        break;
      case 'status':
        this.status.set(m.guest, m);
        this.renewed();
        return;
      case 'console':
        this.screens.get(m.guest)?.(m);
        return;
      case 'recording':
        this.recordings.set(m.guest, m);
        break;
      case 'typing':
        this.typing.set(m.guest, m);
        break;
      case 'view': {
        const key = `${m.view} ${m.guest}`;
        if (m.as < (this.since.get(key) ?? 0)) break;
        const old = this.data.get(key);
        const view = old ?? new View();
        if (m.none) this.data.delete(key);
        else if (view.apply(m, performance.now())) this.data.set(key, view);
        else this.socket?.close(); // begin anew
        if (!old || m.none) break;
        this.renewed();
        return;
      }
      default:
        return; // for who listens
    }
    this.changed();
  }
}

export const store = new Store();
