// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Style sheets that are made by script: the page's policy allows these, and no style elements.

/** Stands for a style element: its text is a sheet of the page, until it is removed. */
export function sheet(): HTMLElement {
  const rules = new CSSStyleSheet();
  const stand = document.createElement('template');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, rules];
  Object.defineProperty(stand, 'textContent', { set: (text: string) => rules.replaceSync(text) });
  stand.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== rules);
    Element.prototype.remove.call(stand);
  };
  return stand;
}
