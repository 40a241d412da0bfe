// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// One interrupt as a sequence diagram: who does what to whom, and how long each hop took.
import { duration, moment } from './format';
import type { Table } from './model';
import type { Row } from './protocol';

const [WIDTH, TOP, STEP, LEFT] = [640, 46, 58, 92];
const WHO = ['device', 'controller', 'vCPU', 'handler'];
const X = WHO.map((_, i) => LEFT + 60 + i * 138);

interface Step {
  what: string;
  hop?: string; // that leads to it
  from: number;
  to: number;
}

const STEPS: Step[] = [
  { what: 'raised', from: 0, to: 1 },
  { what: 'trap', hop: 'pending', from: 1, to: 2 },
  { what: 'claim', hop: 'claim', from: 2, to: 1 },
  { what: 'handler begins', hop: 'entry', from: 2, to: 3 },
  { what: 'handler ends', hop: 'handler', from: 3, to: 2 },
  { what: 'complete, EOI', hop: 'complete', from: 2, to: 1 },
];

/**
 * row: of interrupts; hops say how each is known. What is inferred is dashed and said; what was not
 * seen stands without a time. A step that no interrupt of this line takes is left out.
 */
export function Sequence(props: { table: Table; hops?: Table; lines?: Table; row: Row; arch: string | null }) {
  const { table, hops, lines, row } = props;
  const irq = table.get(row, 'irq');
  const name = table.text(row, 'name');
  const how = (hop: string): string => {
    const h = hops?.list().find((r) => hops.get(r, 'irq') === irq && hops.text(r, 'name') === name && hops.text(r, 'hop') === hop);
    return h && hops ? hops.text(h, 'how') : '';
  };
  const took = (hop?: string) => (hop ? (table.get(row, hop) as number | null) : null);
  const taken = (hop: string) => took(hop) !== null || how(hop) !== '';
  const steps = STEPS.filter((s) => (s.hop !== 'claim' && s.hop !== 'complete') || taken(s.hop));
  const raised = table.get(row, 'raised') as string | null;
  const known = steps.map((s) => took(s.hop) ?? 0);
  const longest = Math.max(1, ...known);
  const high = TOP + steps.length * STEP + 8;
  const cpu = table.text(row, 'cpu');
  const local = props.arch === 'riscv64' && !taken('claim'); // no PLIC: the timer, IPIs
  const heads = [
    raised === 'ipi' ? 'another vCPU' : local ? 'timer, or IPI' : 'device',
    props.arch !== 'riscv64' ? 'controller' : local ? 'hart (sip)' : 'PLIC',
    `vCPU ${cpu}`,
    name || 'handler',
  ];
  const words = steps
    .filter((s) => s.hop)
    .map((s) => `${s.hop} ${took(s.hop) === null ? 'not seen' : duration(took(s.hop)!)}${how(s.hop!) === 'inferred' ? ' (inferred)' : ''}`)
    .join(', ');
  const title = irq === null ? `vector ${name}` : `interrupt ${irq} ${name}`;
  return (
    <figure class="sequence">
      <figcaption>
        <b>{title}</b> on vCPU {cpu} <span class="dim">at {moment(table.num(row, 'time'))} s</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${high}`} preserveAspectRatio="xMidYMin" role="img" aria-label={`${title}: ${words}`}>
        <defs>
          <marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">
            <path class="arrow-head" d="M0 0 L8 4 L0 8 z" />
          </marker>
        </defs>
        {heads.map((h, i) => (
          <g>
            <line class="life" x1={X[i]} x2={X[i]} y1={TOP - 14} y2={high} />
            <rect class="who" x={X[i] - 60} y={4} width={120} height={26} rx={5} />
            <text class="who-name" x={X[i]} y={21}>
              {h.length > 17 ? `${h.slice(0, 16)}…` : h}
              <title>{h}</title>
            </text>
          </g>
        ))}
        {steps.map((s, i) => {
          const y = TOP + i * STEP + 22;
          const ns = took(s.hop);
          const source = s.hop ? how(s.hop) : raised ? 'inferred' : '';
          const guess = source === 'inferred'; // of the trap: when it was raised, not that it came
          const trapped = took('entry') !== null || took('back') !== null;
          const unseen = s.what === 'trap' ? !trapped : s.hop ? ns === null : raised === null;
          const [a, b] = [X[s.from], X[s.to]];
          return (
            <g class={`${guess && s.what !== 'trap' ? 'guessed' : ''} ${unseen ? 'unseen' : ''}`}>
              {s.hop && (
                <g>
                  <title>{lines?.column(s.hop)?.doc ?? s.hop}</title>
                  <text class="hop" x={LEFT - 8} y={y - STEP / 2 - 2}>{s.hop}</text>
                  <text class="time" x={LEFT - 8} y={y - STEP / 2 + 12}>{ns === null ? 'not known' : `${guess ? '~ ' : ''}${duration(ns)}`}</text>
                  {ns !== null && <rect class="long" x={2} y={y - STEP / 2 + 17} width={Math.max(1, (ns / longest) * (LEFT - 10))} height={4} />}
                </g>
              )}
              <line class="arrow" x1={a} x2={b > a ? b - 2 : b + 2} y1={y} y2={y} marker-end="url(#head)" />
              <text class="what" x={(a + b) / 2} y={y - 6}>{s.what}</text>
              <text class="how" x={(a + b) / 2} y={y + 14}>{unseen ? (s.hop ? 'not seen' : 'by what is not told') : guess && s.hop ? 'since when: inferred' : source}</text>
            </g>
          );
        })}
      </svg>
      <p class="under" title={lines?.column('back')?.doc}>
        Trap to the return from it: <b data-hop="back">{took('back') === null ? 'not seen' : duration(took('back')!)}</b>. Dashed: inferred. The
        distances are no times; the bars on the left are.
      </p>
    </figure>
  );
}
