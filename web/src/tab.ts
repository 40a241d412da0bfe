// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What a tab of the page is. The table of all is in tabs.ts.
import { createContext, type VNode } from 'preact';
import type { Change, Params } from './place';
import type { Args, Guest } from './protocol';

/** A tab that is shown: of which guest, and with what chosen. */
export interface Shown {
  guest: Guest;
  params: Params;
  /** Another choice, on this tab or another; it is in the address then. */
  go: (change: Change, tab?: string) => void;
  /** The address of that choice, for links. On another tab: with nothing else chosen. */
  link: (change: Change, tab?: string) => string;
}

/** The tab that is shown, for what stands in it and keeps something in the address itself. */
export const Here = createContext<Shown | null>(null);

export interface Key {
  key: string; // KeyboardEvent.key
  what: string;
  press: (at: Shown) => void;
}

export interface Tab {
  name: string; // in the address
  title: string;
  /** The views (src/web/views.c) that it draws. Of a recording those are asked for that events make. */
  views: (params: Params) => string[];
  console?: boolean; // shows guests' consoles: not with --no-console
  /** The guests whose views it draws; without it: the one that is shown. */
  guests?: (at: Shown) => string[];
  ownSets?: boolean; // it switches event sets itself
  /** What those views are of, where they take arguments. */
  args?: (params: Params) => Args;
  live?: boolean; // of guest memory: a recording has none
  ownTime?: boolean; // of a recording: not of the moment that is chosen for the others
  filters?: boolean; // has a filter: params.filter
  keys?: Key[];
  Body: (at: Shown) => VNode | null;
  /** Buttons in the bar above it. */
  Tools?: (at: Shown) => VNode | null;
}
