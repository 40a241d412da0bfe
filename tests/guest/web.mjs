// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// A browser that does as it is told: a JSON object a line comes in, a JSON value a line goes out.
//   {"open":URL} {"press":KEY} {"eval":EXPRESSION} {"shot":FILE} {"close":true}
import { createInterface } from 'node:readline';
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

const deeds = {
  open: async (url) => (await page.goto(url)).status(),
  press: (key) => page.keyboard.press(key),
  eval: (expression) => page.evaluate(expression),
  shot: (path) => page.screenshot({ path }),
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
