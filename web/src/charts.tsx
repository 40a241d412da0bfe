// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Charts of parts of a whole, and of counts over time. Each has a table that says the same.
import { css } from './palette';
import { Canvas } from './parts';

/** A part of a whole. */
export interface Slice {
  key: string;
  name: string;
  color: string; // of app.css
  value: number;
  text: string; // the value as it is shown
  more?: string; // a second column
  doc?: string;
}

const R = 60; // the ring's middle, in the drawing's units
const AROUND = 2 * Math.PI * R;

/**
 * A ring, what is in its middle, and the table of its slices. Where `choose` is given a slice can be
 * chosen, with the pointer or in the table.
 */
export function Donut(props: {
  label: string;
  slices: Slice[];
  middle: [number: string, of: string];
  heads: string[]; // of the table's columns
  chosen?: string;
  choose?: (key: string) => void;
}) {
  const whole = props.slices.reduce((sum, s) => sum + s.value, 0);
  const share = (s: Slice) => (whole ? s.value / whole : 0);
  let at = 0;
  return (
    <div class="donut">
      <svg viewBox="-80 -80 160 160" role="img" aria-label={`${props.label}; the table beside it has the numbers`}>
        <circle class="ring" r={R} />
        {props.slices.map((s) => {
          const from = at;
          at += share(s);
          const long = Math.max(0, share(s) * AROUND - (props.slices.length > 1 ? 1 : 0));
          return (
            <circle
              key={s.key}
              class={`slice ink-${s.color} ${props.chosen === s.key ? 'chosen' : ''} ${props.choose ? 'selectable' : ''}`}
              r={R}
              stroke-dasharray={`${long} ${AROUND - long}`}
              transform={`rotate(${from * 360 - 90})`}
              onClick={() => props.choose?.(s.key)}
            >
              <title>{`${s.name}: ${s.text}, ${(share(s) * 100).toFixed(1)} %`}</title>
            </circle>
          );
        })}
        <text class="big" y="-7">{props.middle[0]}</text>
        <text y="15">{props.middle[1]}</text>
      </svg>
      <div class="scroll">
        <table aria-label={props.label}>
          <thead>
            <tr>
              {props.heads.map((h, i) => (
                <th class={`plain-head ${i ? 'number' : ''}`}>{h}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {props.slices.map((s) => (
              <tr
                key={s.key}
                title={s.doc}
                data-key={s.key}
                class={props.choose ? 'selectable' : ''}
                aria-current={props.choose && props.chosen === s.key ? 'true' : undefined}
                tabIndex={props.choose ? 0 : undefined}
                onClick={() => props.choose?.(s.key)}
                onKeyDown={(e) => e.key === 'Enter' && props.choose?.(s.key)}
              >
                <td data-column="name">
                  <i class={`swatch bg-${s.color}`} /> {s.name}
                </td>
                <td class="number" data-column="value">{s.text}</td>
                <td class="number" data-column="share">{(share(s) * 100).toFixed(1)} %</td>
                {s.more !== undefined && <td class="number" data-column="more">{s.more}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** A stretch of time and what fell into it; left and wide as shares of the whole. */
export interface Stack {
  left: number;
  wide: number;
  parts: [color: string, value: number][];
}

/** Stacks beside each other; most: the value that is as high as the chart. */
export function Stacks(props: { label: string; stacks: Stack[]; most: number; class?: string }) {
  return (
    <Canvas
      class={`stacked ${props.class ?? ''}`}
      label={props.label}
      draw={(g, w, h) => {
        for (const s of props.stacks) {
          let y = h;
          for (const [color, value] of s.parts) {
            const high = (value / props.most) * h;
            if (high <= 0) continue;
            g.fillStyle = css(color);
            g.fillRect(s.left * w, y - high, Math.max(1, s.wide * w - 1), high);
            y -= high;
          }
        }
        g.strokeStyle = css('line');
        g.strokeRect(0.5, 0.5, w - 1, h - 1);
      }}
    />
  );
}
