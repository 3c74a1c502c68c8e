// JupyterLab knows no ":::" blocks, "{#sec-...}", "@fig-..." or "[@source]": it shows them as they are typed. This turns them, in
// rendered Markdown only, into what they are for. It is written as JupyterLab loads it: there is no build step.
(() => {
  "use strict";
  const FENCE = /^:{3,}[ \t]*(?:\{([^}]*)\}|([\w-]+))?[ \t]*$/;
  const INLINE = /\[([^\][]*)\]\{[^}]*\}|[ \t]*\{#[\w-]+[^}]*\}|\[?-?@([A-Za-z][\w:.-]*\w)\]?/g;
  const STYLE =
    ".ek-block { display: block; font-size: 80%; color: var(--jp-ui-font-color2); border-left: 3px solid var(--jp-border-color2); padding-left: 6px; }" +
    ".ek-reference { background: var(--jp-layout-color2); border-radius: 3px; padding: 0 4px; }";

  const made = (name, text, title) => {
    const span = document.createElement("span");
    span.className = name;
    span.textContent = text;
    span.title = title;
    return span;
  };

  // "#refs" and ".content-visible when-meta=\"ek-mandate\"" are written for evalkit; "refs" and "when ek-mandate" are read.
  const named = (attributes) =>
    attributes.replace(/\.content-visible\s+/, "").replace(/when-(?:meta|format)="([^"]*)"/, "only $1").replace(/(^|\s)[.#]/g, "$1");

  const inline = (line) => {
    const parts = [];
    let from = 0;
    for (const found of line.matchAll(INLINE)) {
      if (found[2] && /\w/.test(line[found.index - 1] ?? "")) continue; // somebody@example.org
      parts.push(line.slice(from, found.index));
      if (found[1] !== undefined) parts.push(found[1]);
      else if (found[2]) parts.push(made("ek-reference", found[2], "a number in the report"));
      from = found.index + found[0].length;
    }
    parts.push(line.slice(from));
    return parts;
  };

  const shown = (text) => {
    const parts = [];
    for (const line of text.split("\n")) {
      const fence = FENCE.exec(line.trim());
      if (fence === null) parts.push(parts.length ? "\n" : "", ...inline(line));
      else if (fence[1] || fence[2]) parts.push(made("ek-block", named(fence[1] ?? fence[2]), "a block of the report"));
    }
    return parts;
  };

  const mend = (host) => {
    const texts = document.createTreeWalker(host, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (texts.nextNode()) nodes.push(texts.currentNode);
    for (const node of nodes) {
      if (!/:::|[@{]/.test(node.data) || node.parentElement.closest("code, pre, .ek-reference, .ek-block, mjx-container")) continue;
      const parts = shown(node.data);
      if (parts.length === 2 && parts.join("") === node.data) continue;
      const parent = node.parentElement;
      node.replaceWith(...parts);
      if (parent.tagName === "P" && parent.textContent.trim() === "") parent.hidden = true;
    }
  };

  const look = (changes) => {
    const hosts = new Set();
    for (const change of changes) {
      const around = change.target.closest?.(".jp-RenderedMarkdown");
      if (around) hosts.add(around);
      for (const node of change.addedNodes) {
        for (const host of node.querySelectorAll?.(".jp-RenderedMarkdown") ?? []) hosts.add(host);
        if (node.matches?.(".jp-RenderedMarkdown")) hosts.add(node);
      }
    }
    hosts.forEach(mend);
  };

  const plugin = {
    id: "evalkit:markdown",
    autoStart: true,
    activate: () => {
      const style = document.createElement("style");
      style.textContent = STYLE;
      document.head.append(style);
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB.evalkit = { init: () => {}, get: async () => () => ({ __esModule: true, default: plugin }) };
})();
