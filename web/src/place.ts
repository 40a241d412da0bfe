// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Where in the page one is, as the address after # says it: #GUEST/TAB?NAME=VALUE…

export type Params = Record<string, string>;

export interface Place {
  guest: string;
  tab: string;
  params: Params; // the tab's: what is chosen, filtered
}

/** undefined: without that parameter. */
export type Change = Record<string, string | undefined>;

export function changed(params: Params, change: Change): Params {
  const next: Params = {};
  for (const [name, value] of Object.entries({ ...params, ...change })) if (value) next[name] = value;
  return next;
}

export function part(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return '';
  }
}

export function readPlace(hash: string): Place {
  const ask = hash.indexOf('?');
  const path = hash.slice(1, ask < 0 ? undefined : ask);
  const slash = path.lastIndexOf('/');
  return {
    guest: part(slash < 0 ? path : path.slice(0, slash)),
    tab: slash < 0 ? '' : path.slice(slash + 1),
    params: ask < 0 ? {} : Object.fromEntries(new URLSearchParams(hash.slice(ask + 1))),
  };
}

export function hashOf(p: Place): string {
  const query = new URLSearchParams(p.params).toString();
  return `#${encodeURIComponent(p.guest)}/${p.tab}${query ? `?${query}` : ''}`;
}
