// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Views as the page has them: whole ones, and what changes are made of.
import type { Column, Row, TableMessage, Value, ViewMessage } from './protocol';

export class Table {
  rows = new Map<string, Row>();
  cut = 0;
  private places = new Map<string, number>();

  constructor(readonly name: string, readonly columns: Column[]) {
    columns.forEach((c, i) => this.places.set(c.name, i + 1));
  }

  get(row: Row, column: string): Value {
    const at = this.places.get(column);
    return at === undefined ? null : row[at];
  }

  num(row: Row, column: string): number {
    const v = this.get(row, column);
    return typeof v === 'number' ? v : 0;
  }

  text(row: Row, column: string): string {
    return String(this.get(row, column) ?? '');
  }

  column(name: string): Column | undefined {
    return this.columns[(this.places.get(name) ?? 0) - 1];
  }

  list(): Row[] {
    return [...this.rows.values()];
  }

  apply(m: TableMessage): void {
    this.cut = m.cut;
    for (const key of m.gone ?? []) this.rows.delete(key);
    for (const row of m.rows) this.rows.set(row[0], row);
    if (m.order) {
      const old = this.rows;
      this.rows = new Map();
      for (const key of m.order) {
        const row = old.get(key);
        if (row) this.rows.set(key, row);
      }
    }
  }
}

export class View {
  n = 0;
  made = 0; // performance.now() of when the guest was looked at
  took = 0;
  error = '';
  hint = '';
  consistency = '';
  notes: string[] = [];
  tables = new Map<string, Table>();

  table(name: string): Table | undefined {
    return this.tables.get(name);
  }

  /** False: it changes something that is not here. */
  apply(m: ViewMessage, now: number): boolean {
    if (m.base !== undefined && m.base !== this.n) return false;
    this.n = m.n;
    this.made = now - m.age;
    this.took = m.took;
    this.error = m.error ?? '';
    this.hint = m.hint ?? '';
    this.consistency = m.consistency ?? '';
    this.notes = m.notes ?? [];
    if (m.base === undefined) this.tables.clear();
    for (const t of m.tables ?? []) {
      if (t.columns) this.tables.set(t.name, new Table(t.name, t.columns));
      const table = this.tables.get(t.name);
      if (!table) return false;
      table.apply(t);
    }
    return true;
  }
}
