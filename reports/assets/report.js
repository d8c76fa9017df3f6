// SPDX-License-Identifier: Apache-2.0
// The page is whole without this script; it adds search, sorting and keys. It only
// ever moves, shows and hides what is there: no text is made into markup.
"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  const search = byId("search"), found = byId("found"), sort = byId("sort");
  const threads = all(".thread"), rows = all(".grid tbody tr, .warnings li");
  const list = byId("threads");

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

  // ---- Open and close.
  const openAll = (open) => all(".thread, .frame details, .exception, .more").forEach((details) => {
    details.open = open;
  });
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
  const OPENED = 12;
  const find = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const holds = (element) => words.every((word) => textOf(element).includes(word));
    let hits = 0;
    threads.forEach((thread) => {
      const hit = holds(thread);
      thread.hidden = !hit;
      hits += hit;
      if (!hit || !words.length || hits > OPENED) return;
      thread.open = true;
      all(".frame details, .exception", thread).forEach((frame) => { if (holds(frame)) frame.open = true; });
    });
    rows.forEach((row) => { row.hidden = !holds(row); });
    mark(words);
    found.textContent = words.length ? hits + " of " + threads.length : "";
  };
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, 80);
  });

  // ---- Sort the threads, and the columns of tables.
  const number = (element, name) => Number(element.dataset[name]);
  const orders = {
    importance: (a, b) => number(a, "rank") - number(b, "rank"),
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name, "en", { numeric: true }),
    number: (a, b) => number(a, "id") - number(b, "id"),
    frames: (a, b) => number(b, "frames") - number(a, "frames"),
  };
  const sortThreads = () => {
    if (list) list.append(...all(".thread", list).sort(orders[sort.value] || orders.importance));
  };
  sort.addEventListener("change", sortThreads);
  const sortTable = (header) => {
    const table = header.closest("table"), body = table.tBodies[0];
    const column = header.cellIndex;
    const down = header.getAttribute("aria-sort") === "ascending";
    const key = (row) => {
      const cell = row.cells[column];
      return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
    };
    const compare = (a, b) => typeof a === "number" && typeof b === "number"
      ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    const sorted = Array.from(body.rows).sort((a, b) => compare(key(a), key(b)) * (down ? -1 : 1));
    all("th", table).forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...sorted);
  };
  all(".grid.sortable th").forEach((header) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortTable(header));
    header.append(button);
  });

  // ---- The order of frames: the most recent call first, or last as Python prints.
  const order = byId("order");
  const turn = () => {
    const oldest = root.classList.toggle("oldest-first");
    order.textContent = oldest ? "Oldest call first" : "Newest call first";
  };

  // ---- Keys.
  const help = byId("help");
  const step = (by) => {
    const stops = all(".thread > summary, .thread[open] :is(.frame > details, .exception) > summary")
      .filter((stop) => !stop.closest("[hidden]"));
    if (!stops.length) return;
    const now = stops.indexOf(document.activeElement);
    const next = now < 0 ? (by > 0 ? 0 : stops.length - 1)
      : Math.min(Math.max(now + by, 0), stops.length - 1);
    stops[next].focus();
    stops[next].scrollIntoView({ block: "nearest" });
  };
  const keys = {
    "/": () => { search.focus(); search.select(); },
    "j": () => step(1),
    "k": () => step(-1),
    "e": () => openAll(true),
    "c": () => openAll(false),
    "o": turn,
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
      keys[event.key]();
    }
  });
  byId("expand").addEventListener("click", () => openAll(true));
  byId("collapse").addEventListener("click", () => openAll(false));
  themeButton.addEventListener("click", nextTheme);
  order.addEventListener("click", turn);
  byId("keys").addEventListener("click", () => help.showModal());
  byId("close").addEventListener("click", () => help.close());
})();
