// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What the server says: see src/web/hello.h, roster.h, guest.h, tty.h, frame.h and timeline.h, which define it.

export type Value = string | number | boolean | null;
/** A row: its key, then a value a column. */
export type Row = [string, ...Value[]];

export interface Column {
  name: string;
  kind: 'uint' | 'int' | 'hex' | 'bytes' | 'duration' | 'boolean' | 'text' | 'real' | 'consistency';
  doc: string;
}

/** Arguments of views (src/web/message.h); addresses as "0x…". */
export interface Args {
  pid?: number;
  tid?: number;
  va?: string;
  pa?: string;
  from?: string;
  to?: string;
  cells?: number;
  tree?: boolean;
}

export interface ViewInfo {
  name: string;
  needs: string[] | null;
  takes: (keyof Args)[];
  source: string;
}

/** As what a recording can be downloaded. */
export interface ExportInfo {
  to: string;
  title: string;
  doc: string;
}

export interface Guest {
  id: string;
  kind: 'live' | 'recording';
  status: string | null;
  arch: string | null;
  name: string | null;
}

export interface Status {
  guest: string;
  sets: string[];
  lost_events: number;
  lost_packets: number;
  behind: number;
  busy: boolean;
  ended: boolean;
  error: string;
  notes: string[];
  refused: { set: string; why: string }[];
  span: [number, number, number] | null;
}

export interface TableMessage {
  name: string;
  cut: number;
  columns?: Column[];
  rows: Row[];
  gone?: string[];
  order?: string[];
}

export interface ViewMessage {
  guest: string;
  view: string;
  as: number; // of the arguments that it was made with
  none?: true;
  n: number;
  base?: number;
  age: number;
  took: number;
  error?: string;
  hint?: string;
  consistency?: string;
  notes?: string[];
  tables?: TableMessage[];
}

export interface ConsoleMessage {
  guest: string;
  again: boolean;
  text: string; // a character a byte
}

export interface RecordingMessage {
  guest: string;
  state: 'opening' | 'runs' | 'stopping' | 'ended';
  dir: string;
  sets: string[];
  bytes: number;
  duration: number;
  lost: number;
  error: string;
}

export interface TypingMessage {
  guest: string;
  on: boolean;
  why: string;
}

/** Of the timeline: what happens in one place. */
export interface Lane {
  id: number;
  kind: 'cpu' | 'trap' | 'irq' | 'wait' | 'task' | 'call' | 'fault' | 'mmio' | 'counter';
  name: string;
  cpu: number | null;
  tid: number | null;
  comm: string | null;
  depth: number;
  busy: number;
  unit?: string; // counters: of what is counted, in the plural
  source?: string; // which events those are
  place?: number; // among the counters
  level?: boolean; // of how many there are, not of how many came
  set?: string; // which events' set it is made of
  off?: [from: number, to: number | null][]; // when it did not count: that set was off; null: it goes on
}

export interface LanesMessage {
  guest: string;
  n: number;
  base: number | null; // lanes: those that are new or others since then; null: all that there are
  span: [number, number]; // 0, 0: nothing is known yet
  dropped: number;
  busy: boolean; // a recording is being read
  end: number; // of the recording
  notes: string[];
  lanes: Lane[];
}

export interface SelectedMessage {
  guest: string;
  seq: number;
  from: number;
  to: number;
  tables: { name: string; cut: number; columns: Column[]; rows: Value[][] }[];
}

export type FoundMessage = { guest: string; seq: number } & (
  | { lane: number; start: number; duration: number; depth: number; class: number; open: boolean; name: number }
  | { lane: null }
);

export type Message =
  | { op: 'alive' }
  | { op: 'hello'; console: boolean; exports: ExportInfo[]; views: ViewInfo[] }
  | ({ op: 'console' } & ConsoleMessage)
  | ({ op: 'typing' } & TypingMessage)
  | ({ op: 'recording' } & RecordingMessage)
  | { op: 'guests'; guests: Guest[] }
  | ({ op: 'status' } & Status)
  | ({ op: 'view' } & ViewMessage)
  | ({ op: 'lanes' } & LanesMessage)
  | { op: 'names'; guest: string; base: number; names: string[] }
  | ({ op: 'selected' } & SelectedMessage)
  | ({ op: 'found' } & FoundMessage);
