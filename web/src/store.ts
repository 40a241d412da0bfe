// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The connection, and all that came over it. Wishes are kept here, and said again after each
// connecting, so that the page recovers from whatever happened to the server.
import { View } from './model';
import type { ConsoleMessage, Guest, Message, Status, TypingMessage, ViewInfo } from './protocol';

const RETRY_MS = 1500;
const KEYS = 512; // bytes of a message

class Store {
  connected = false;
  consoles = true; // the server shows guests' consoles
  refused = false; // never let in: the cookie is of another server, or there is none
  views = new Map<string, ViewInfo>();
  guests: Guest[] | null = null;
  status = new Map<string, Status>();
  private data = new Map<string, View>(); // by guest and view
  private watched = new Map<string, string[]>();
  typing = new Map<string, TypingMessage>();
  private screens = new Map<string, (m: ConsoleMessage) => void>(); // by guest
  private sets = new Map<string, string[]>();
  private socket: WebSocket | null = null;
  private listeners = new Set<() => void>();
  private drawing = false;

  subscribe(f: () => void): () => void {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  }

  /** Draws once a frame, however much came. */
  private changed(): void {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.listeners.forEach((f) => f());
    });
  }

  view(guest: string, name: string): View | undefined {
    return this.data.get(`${name} ${guest}`);
  }

  setsOn(guest: string): string[] {
    return this.sets.get(guest) ?? [];
  }

  /** These views of these guests from now on, and no others. */
  watch(wanted: Map<string, string[]>): void {
    for (const guest of this.watched.keys())
      if (!wanted.has(guest)) this.send({ op: 'watch', guest, views: [] });
    for (const [guest, views] of wanted)
      if (this.watched.get(guest)?.join() !== views.join()) {
        const fresh = !this.watched.has(guest);
        this.send({ op: 'watch', guest, views });
        if (fresh) this.sendSets(guest);
        if (fresh && this.screens.has(guest)) this.send({ op: 'console', guest, on: true });
      }
    this.watched = wanted;
  }

  switchSets(guest: string, sets: string[], on: boolean): void {
    const rest = this.setsOn(guest).filter((s) => !sets.includes(s));
    this.sets.set(guest, on ? [...rest, ...sets] : rest);
    this.send({ op: 'sets', guest, sets: this.setsOn(guest) });
    this.changed();
  }

  seek(guest: string, time: number): void {
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
    const socket = new WebSocket(`ws://${location.host}/ws`, 'oscope');
    socket.onmessage = (e) => {
      greeted = true;
      this.hear(JSON.parse(e.data as string) as Message);
    };
    socket.onclose = () => {
      this.socket = null;
      this.refused = !greeted && !this.connected && this.guests === null;
      this.connected = false;
      this.changed();
      setTimeout(() => this.connect(), RETRY_MS);
    };
    this.socket = socket;
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
    this.connected = true;
    this.refused = false;
    this.views = new Map(views.map((v) => [v.name, v]));
    this.data.clear();
    this.status.clear();
  }

  /** A guest can be watched once the server has told of it. */
  private resume(guests: Guest[]): void {
    const first = this.guests === null || !this.status.size;
    this.guests = guests;
    for (const id of this.watched.keys())
      if (!guests.some((g) => g.id === id) || first) this.watched.delete(id);
  }

  private hear(m: Message): void {
    switch (m.op) {
      case 'hello':
        this.begin(m.views, m.console);
        break;
      case 'guests':
        this.resume(m.guests);
        break;
      case 'status':
        this.status.set(m.guest, m);
        break;
      case 'console':
        this.screens.get(m.guest)?.(m);
        return;
      case 'typing':
        this.typing.set(m.guest, m);
        break;
      case 'view': {
        const key = `${m.view} ${m.guest}`;
        const view = this.data.get(key) ?? new View();
        if (m.none) this.data.delete(key);
        else if (view.apply(m, performance.now())) this.data.set(key, view);
        else this.socket?.close(); // begin anew
        break;
      }
    }
    this.changed();
  }
}

export const store = new Store();
