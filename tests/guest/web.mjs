// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// A browser that does as it is told: a JSON object a line comes in, a JSON value a line goes out.
//   {"open":URL} {"reload":true} {"press":KEY} {"eval":EXPRESSION} {"shot":FILE} {"size":[W,H]} {"scheme":"dark"|"light"}
//   {"move":[X,Y]} {"click":[X,Y]} {"wheel":[DX,DY]} {"drag":[X,Y,X,Y]} {"down":KEY} {"up":KEY}: pointer and held keys
//   {"axe":SELECTOR}: what is wrong for who cannot see well {"problems":true} {"close":true}
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
const problems = [];
page.on('pageerror', (e) => problems.push(e.message));
page.on('console', (m) => m.type() === 'error' && problems.push(m.text()));

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

async function violations(selector) {
  if (!(await page.evaluate('!!window.axe'))) await page.evaluate(axe);
  const found = await page.evaluate(async (s) => (await window.axe.run(s || document)).violations, selector);
  return found.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html).join(' ')}`);
}

const deeds = {
  open: async (url) => (await page.goto(url)).status(),
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
