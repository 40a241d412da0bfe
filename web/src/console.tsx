// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The guest's serial console: a terminal that shows what it sends, and types when one asks for it.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { css } from './palette';
import { Missing, sourceOf } from './parts';
import type { Guest } from './protocol';
import { store } from './store';
import type { Shown, Tab } from './tab';

function theme() {
  return { background: css('panel'), foreground: css('ink'), cursor: css('accent'), cursorAccent: css('panel'), selectionBackground: css('sky') };
}

/** A terminal in that element, of that guest, until what is returned is called. */
function show(guest: string, box: HTMLElement, opened: (t: Terminal) => void): () => void {
  const term = new Terminal({
    fontFamily: "ui-monospace, 'DejaVu Sans Mono', monospace",
    fontSize: 13,
    scrollback: 5000,
    minimumContrastRatio: 4.5,
    screenReaderMode: true,
    disableStdin: true,
    theme: theme(),
  });
  const fit = new FitAddon();
  term.loadAddon(fit);
  term.open(box);
  opened(term);
  const types = () => store.typing.get(guest)?.on === true;
  term.onData((keys) => types() && store.keys(guest, keys));
  term.attachCustomKeyEventHandler((e) => {
    if (!(e.ctrlKey && e.key === ']')) return true;
    store.type(guest, false);
    return false;
  });
  const leave = store.screen(guest, (m) => {
    if (m.again) term.reset();
    term.write(Uint8Array.from(m.text, (c) => c.charCodeAt(0)));
  });
  const sizes = new ResizeObserver(() => box.clientHeight && fit.fit());
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const recolor = () => (term.options.theme = theme());
  sizes.observe(box);
  scheme.addEventListener('change', recolor);
  return () => {
    leave();
    sizes.disconnect();
    scheme.removeEventListener('change', recolor);
    term.dispose();
  };
}

/** Whether one can type, or why not. */
function Typing({ guest }: { guest: Guest }) {
  const typing = store.typing.get(guest.id);
  const view = store.view(guest.id, 'serial');
  const ports = view?.table('ports');
  const free = ports?.list().find((row) => ports.get(row, 'free'));
  const taken = ports?.list()[0];
  if (typing?.on)
    return (
      <p class="typing" role="status">
        <b>Typing into the guest: every key goes there.</b> <kbd>Ctrl-]</kbd> leaves.{' '}
        <button class="act" onClick={() => store.type(guest.id, false)}>
          Stop typing
        </button>{' '}
        {typing.why}
      </p>
    );
  if (guest.kind === 'recording') return <p class="under">A recording cannot be typed into.</p>;
  return (
    <p class="under" title={sourceOf(guest.id, 'serial')}>
      {typing?.why && <b class="bad">{typing.why} </b>}
      {ports && free ? (
        <>
          <button class="act" onClick={() => store.type(guest.id, true)}>
            Type into the guest <kbd>t</kbd>
          </button>{' '}
          by its {ports.text(free, 'kind')} {ports.text(free, 'path')}
        </>
      ) : ports && taken ? (
        `No typing: ${ports.text(taken, 'label')}: ${ports.text(taken, 'why')}. Start QEMU with -serial unix:PATH,server=on,wait=off or -serial pty to type here.`
      ) : ports ? (
        'No typing: no serial port.'
      ) : (
        view?.error && `No typing: ${view.error}`
      )}
    </p>
  );
}

function Console({ guest }: Shown) {
  const box = useRef<HTMLDivElement>(null);
  const term = useRef<Terminal | null>(null);
  const types = store.typing.get(guest.id)?.on === true;
  const view = store.view(guest.id, 'uart');
  const shown = types || (view !== undefined && !view.error);
  // at once: no key may be the page's when this says that all are the guest's
  useLayoutEffect(() => show(guest.id, box.current!, (t) => (term.current = t)), []);
  useLayoutEffect(() => {
    const t = term.current;
    if (!t) return;
    t.options.disableStdin = !types;
    t.options.cursorBlink = types;
    if (types) t.focus();
    else t.blur();
  }, [types]);
  return (
    <div class="page console">
      <section class="panel fill" data-view="uart" aria-label="Serial console">
        <header>
          <h2 title="bytes that the guest's serial ports sent, from events of the set uart, or from the connection while one types">
            Serial console
          </h2>
        </header>
        <div class="body">
          <div ref={box} class={shown ? 'screen' : 'screen off'} />
          {!shown && <Missing guest={guest.id} name="uart" view={view} />}
          <Typing guest={guest} />
        </div>
      </section>
    </div>
  );
}

export const consoles: Tab = {
  name: 'console',
  title: 'Console',
  views: () => ['uart', 'serial'],
  console: true,
  keys: [{ key: 't', what: 'console: type into the guest; Ctrl-] leaves', press: (at) => store.type(at.guest.id, true) }],
  Body: Console,
};
