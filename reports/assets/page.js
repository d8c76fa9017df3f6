// SPDX-License-Identifier: Apache-2.0
// What all pages share: search, sortable tables, theme and keys. A page is whole without
// scripts; they only ever move, show and hide what is there: no text is made into markup.
"use strict";
const page = (() => {
  const root = document.documentElement;
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  const search = byId("search"), found = byId("found"), help = byId("help");
  const rows = all(".grid tbody tr, .warnings li");

  all(".script").forEach((element) => { element.hidden = false; });

  // ---- Theme: what the system prefers, until the reader chooses.
  const themes = ["auto", "light", "dark"];
  const themeButton = byId("theme");
  let theme = "auto";
  const remember = (value) => { try { localStorage.setItem("inquest-theme", value); } catch { } };
  const recall = () => { try { return localStorage.getItem("inquest-theme"); } catch { return null; } };
  const setTheme = (value) => {
    theme = themes.includes(value) ? value : "auto";
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    themeButton.textContent = "Theme: " + theme;
  };
  const nextTheme = () => {
    setTheme(themes[(themes.indexOf(theme) + 1) % themes.length]);
    remember(theme);
  };
  setTheme(recall());
  themeButton.addEventListener("click", nextTheme);

  let openedToPrint = [];
  addEventListener("beforeprint", () => {
    openedToPrint = all("details:not([open])");
    openedToPrint.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => {
    openedToPrint.forEach((details) => { details.open = false; });
  });

  // ---- Search: shows what holds all the words, marks them where the browser can.
  const texts = new Map();
  const textOf = (element) => {
    if (!texts.has(element)) texts.set(element, element.textContent.toLowerCase());
    return texts.get(element);
  };
  const MARKS = 2000;
  const mark = (words) => {
    if (!("highlights" in CSS)) return;
    CSS.highlights.delete("found");
    if (!words.length) return;
    const highlight = new Highlight();
    const walker = document.createTreeWalker(byId("main"), NodeFilter.SHOW_TEXT);
    for (let node; highlight.size < MARKS && (node = walker.nextNode());) {
      const text = node.data.toLowerCase();
      for (const word of words) {
        for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
          const range = new Range();
          range.setStart(node, Math.min(at, node.length));
          range.setEnd(node, Math.min(at + word.length, node.length));
          highlight.add(range);
        }
      }
    }
    CSS.highlights.set("found", highlight);
  };
  // Told what holds all words; says how many hits and of how many, or nothing.
  const finders = [];
  const find = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const holds = (element) => words.every((word) => textOf(element).includes(word));
    let shown = 0;
    rows.forEach((row) => { row.hidden = !holds(row); shown += !row.hidden; });
    const counts = finders.map((finder) => finder(holds, words)).find(Boolean);
    mark(words);
    found.textContent = !words.length ? "" : (counts || [shown, rows.length]).join(" of ");
  };
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, 80);
  });

  // ---- Tables.
  const sortTable = (header) => {
    const table = header.closest("table"), body = table.tBodies[0];
    const column = header.cellIndex, numeric = header.classList.contains("number");
    const sorted = header.getAttribute("aria-sort"), rows = Array.from(body.rows);
    let down = sorted ? sorted === "ascending" : numeric;
    const key = (row) => {
      const cell = row.cells[column];
      return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
    };
    const compare = (a, b) => typeof a === "number" && typeof b === "number"
      ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    const order = rows.slice().sort((a, b) => compare(key(a), key(b)) * (down ? -1 : 1));
    if (!sorted && order.every((row, i) => row === rows[i])) { // a first click changes something
      order.reverse();
      down = !down;
    }
    all("th", table).forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...order);
  };
  all(".grid.sortable th").forEach((header) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortTable(header));
    header.append(button);
  });

  // ---- Keys. Other scripts add theirs.
  const keys = {
    "/": () => { search.focus(); search.select(); },
    "t": nextTheme,
    "?": () => help.showModal(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target === search && event.key === "Escape") {
      search.value = "";
      find();
      search.blur();
    } else if (!event.target.closest("input, select, textarea") && keys[event.key]) {
      event.preventDefault();
      keys[event.key](event);
    }
  });
  byId("keys").addEventListener("click", () => help.showModal());
  byId("close").addEventListener("click", () => help.close());

  return { root, all, byId, keys, finders };
})();
