// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// A browser that does as it is told: a JSON object a line comes in, a JSON value a line goes out.
//   {"open":URL}: the status of where it led to; {"begun":true}: when that was asked for, ms; {"reload":true} {"press":KEY} {"eval":EXPRESSION} {"shot":FILE} {"size":[W,H]} {"scheme":"dark"|"light"}
//   {"move":[X,Y]} {"click":[X,Y]} {"wheel":[DX,DY]} {"drag":[X,Y,X,Y]} {"down":KEY} {"up":KEY}: pointer and held keys
//   {"axe":SELECTOR}: what is wrong for who cannot see well {"problems":true} {"close":true}
//   {"between":true} before it opens: what the server says goes through here, and then
//   {"repeat":N}: each whole view that came is said N times more, in turn as a whole, as a change that takes
//     half of its rows away, and as one that brings them again; how many were
//   {"heap":true}: bytes, nodes and listeners of the page, garbage collected
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true });
const problems = [];
page.on('pageerror', (e) => problems.push(e.message));
page.on('console', (m) => m.type() === 'error' && problems.push(m.text()));

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

async function violations(selector) {
  if (!(await page.evaluate('!!window.axe'))) await page.evaluate(axe);
  const found = await page.evaluate(async (s) => (await window.axe.run(s || document)).violations, selector);
  return found.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html).join(' ')}`);
}

let heard = null; // the page's end of its connection
const whole = new Map(); // the last whole message of each view
const newest = new Map(); // and the number that the page has by now

async function between() {
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const server = ws.connectToServer();
    heard = ws;
    server.onMessage((m) => {
      const said = typeof m === 'string' ? JSON.parse(m) : {};
      if (said.op === 'view') newest.set(said.view, said.n);
      if (said.op === 'view' && said.base === undefined && said.tables) whole.set(said.view, said);
      ws.send(m);
    });
  });
}

async function repeat(n) {
  let sent = 0;
  const half = (t) => t.rows.slice(Math.ceil(t.rows.length / 2));
  const changes = [
    (said) => said.tables,
    (said) => said.tables.map((t) => ({ name: t.name, cut: t.cut, gone: half(t).map((row) => row[0]), rows: [] })),
    (said) => said.tables.map((t) => ({ name: t.name, cut: t.cut, rows: half(t), order: t.rows.map((row) => row[0]) })),
  ];
  for (let i = 0; i < n; i++) {
    for (const said of whole.values()) {
      const at = newest.get(said.view); // the server's own changes come in between
      const kind = i === n - 1 ? 0 : i % 3;
      heard.send(JSON.stringify({ ...said, n: at, base: kind ? at : undefined, tables: changes[kind](said) }));
      sent++;
    }
    if (i % 20 === 0) await page.evaluate('new Promise((done) => requestAnimationFrame(done))'); // it draws in between
  }
  return sent;
}

async function heap() {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  const { nodes, jsEventListeners } = await cdp.send('Memory.getDOMCounters');
  await cdp.detach();
  return { bytes: usedSize, nodes, listeners: jsEventListeners };
}

let begun = 0;

// A page that only leads on is not the one that was to be opened.
async function open(url) {
  let status = 0;
  const note = (r) => r.frame() === page.mainFrame() && r.request().isNavigationRequest() && (status = r.status());
  page.on('response', note);
  begun = Date.now();
  await page.goto(url);
  // waitForFunction() asks again by eval(), which is against the page's policy
  const there = () => page.evaluate(`document.readyState === 'complete' && !document.querySelector('meta[http-equiv=refresh]')`);
  for (const end = begun + 30_000; !(await there().catch(() => false)); await page.waitForTimeout(20))
    if (Date.now() > end) throw new Error(`${url} is not there`);
  page.off('response', note);
  return status;
}

const deeds = {
  open,
  begun: () => begun,
  reload: async () => (await page.reload()).status(),
  press: (key) => page.keyboard.press(key),
  eval: (expression) => page.evaluate(expression),
  shot: (path) => page.screenshot({ path }),
  size: ([width, height]) => page.setViewportSize({ width, height }),
  scheme: (colorScheme) => page.emulateMedia({ colorScheme }),
  move: ([x, y]) => page.mouse.move(x, y),
  click: ([x, y]) => page.mouse.click(x, y),
  wheel: ([dx, dy]) => page.mouse.wheel(dx, dy),
  drag: async ([x0, y0, x1, y1]) => {
    await page.mouse.move(x0, y0);
    await page.mouse.down();
    await page.mouse.move(x1, y1, { steps: 5 });
    await page.mouse.up();
  },
  down: (key) => page.keyboard.down(key),
  up: (key) => page.keyboard.up(key),
  axe: violations,
  between,
  repeat,
  heap,
  problems: () => problems.splice(0),
  close: () => browser.close(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, arg] = Object.entries(JSON.parse(line))[0];
  let answer;
  try {
    answer = { value: (await deeds[name](arg)) ?? null };
  } catch (e) {
    answer = { error: String(e) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
  if (name === 'close') break;
}
await browser.close();
