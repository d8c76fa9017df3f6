// SPDX-License-Identifier: Apache-2.0
// Threads and frames: opened by a search, put in another order, walked with keys.
"use strict";
(() => {
  const { root, all, byId, keys, finders } = page;
  const threads = all(".thread"), list = byId("threads"), sort = byId("sort");

  const openAll = (open) => all(".thread, .frame details, .exception, .more").forEach((details) => {
    details.open = open;
  });

  const OPENED = 12;
  finders.push((holds, words) => {
    let hits = 0;
    threads.forEach((thread) => {
      const hit = holds(thread);
      thread.hidden = !hit;
      hits += hit;
      if (!hit || !words.length || hits > OPENED) return;
      thread.open = true;
      all(".frame details, .exception", thread).forEach((frame) => { if (holds(frame)) frame.open = true; });
    });
    return threads.length ? [hits, threads.length] : null;
  });

  const number = (element, name) => Number(element.dataset[name]);
  const orders = {
    importance: (a, b) => number(a, "rank") - number(b, "rank"),
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name, "en", { numeric: true }),
    number: (a, b) => number(a, "id") - number(b, "id"),
    frames: (a, b) => number(b, "frames") - number(a, "frames"),
  };
  sort.addEventListener("change", () => {
    if (list) list.append(...all(".thread", list).sort(orders[sort.value] || orders.importance));
  });

  // ---- The order of frames: the most recent call first, or last as Python prints.
  const order = byId("order");
  const turn = () => {
    const oldest = root.classList.toggle("oldest-first");
    order.textContent = oldest ? "Oldest call first" : "Newest call first";
  };

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
  keys["j"] = () => step(1);
  keys["k"] = () => step(-1);
  keys["e"] = () => openAll(true);
  keys["c"] = () => openAll(false);
  keys["o"] = turn;
  byId("expand").addEventListener("click", () => openAll(true));
  byId("collapse").addEventListener("click", () => openAll(false));
  order.addEventListener("click", turn);
})();
