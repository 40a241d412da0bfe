// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Bundles the page: node build.mjs OUTDIR
import { build } from 'esbuild';
import { copyFile, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];

// xterm.js makes style elements and attributes, which the page's policy forbids: it gets sheets, and
// sets the style by script, which are allowed. Its version is fixed, and so is how often that occurs.
const xterm = {
  name: 'xterm',
  setup: (b) =>
    b.onLoad({ filter: /@xterm\/xterm\/lib\/xterm\.mjs$/ }, async ({ path }) => {
      let text = await readFile(path, 'utf8');
      const replace = (what, by, times) => {
        const parts = text.split(what);
        if (parts.length !== times + 1) throw new Error(`xterm.js has ${parts.length - 1} of ${what}`);
        text = parts.join(by);
      };
      replace('n.mainDocument.createElement("style")', 'oscopeSheet()', 1);
      replace('this._document.createElement("style")', 'oscopeSheet()', 2);
      replace('t.setAttribute("style",`${t.getAttribute("style")||""}${e};`)', 't.style.cssText+=`${e};`', 1);
      replace('createElement("style")', '', 0);
      const sheet = JSON.stringify(join(here, 'src/sheet.ts'));
      return { contents: `import { sheet as oscopeSheet } from ${sheet};\n${text}`, loader: 'js' };
    }),
};

await build({
  plugins: [xterm],
  entryPoints: [join(here, 'src/app.tsx'), join(here, 'src/app.css')],
  outdir: out,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2020',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'inline',
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg']) await copyFile(join(here, 'src', name), join(out, name));
