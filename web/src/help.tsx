// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The keys, as a dialog.
import { useEffect, useRef } from 'preact/hooks';
import type { Tab } from './tab';

const KEYS: [string, string][] = [
  ['1–9, 0', 'show another view'],
  ['< >', 'the view before, the next one'],
  ['g', 'the next guest'],
  ['e', 'switch the event sets of this view on, or off'],
  ['/', 'go to the filter; Escape leaves it'],
  ['R', 'record the events that are on; end that'],
  ['?', 'these keys'],
];

/** keys: of the tab that is shown, too. */
export function Help({ tab, close }: { tab: Tab; close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => ref.current?.showModal(), []);
  return (
    <dialog ref={ref} onClose={close} aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        {[...KEYS, ...(tab.keys ?? []).map((k) => [k.key, k.what])].map(([keys, what]) => (
          <div>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button class="act" onClick={() => ref.current?.close()}>
        Close
      </button>
    </dialog>
  );
}
