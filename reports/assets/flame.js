"use strict";
// A picture of its own, or each one in a page.
const flame = (svg, alone) => {
  const SVG = "http://www.w3.org/2000/svg", HTML = "http://www.w3.org/1999/xhtml";
  const icicle = svg.classList.contains("icicle");
  const box = svg.querySelector(".frames"), info = svg.querySelector(".info");
  const MARGIN = 12, LETTER = 6.63, PADDING = 4, DRAWN = 1200;
  let width = DRAWN, zoomed = 0, current = -1;

  // The frames as they were drawn, parents first.
  const frames = [], open = [];
  for (const group of box.children) {
    const rect = group.querySelector("rect"), lines = group.querySelector("title").textContent;
    const y = +rect.getAttribute("y");
    const frame = {
      group, rect, own: group.querySelector(".own"), text: group.querySelector("text"),
      lines: lines.split("\n"), y,
      x: (+rect.getAttribute("x") - MARGIN) / (DRAWN - 2 * MARGIN),
      w: +rect.getAttribute("width") / (DRAWN - 2 * MARGIN), parent: -1, shown: true, hit: false,
    };
    frame.level = icicle ? y : -y;
    while (open.length && frames[open[open.length - 1]].level >= frame.level) open.pop();
    if (open.length) frame.parent = open[open.length - 1];
    open.push(frames.length);
    frames.push(frame);
  }

  const cut = (name, columns) => {
    if (columns < 3) return "";
    const letters = Array.from(name);
    return letters.length <= columns ? name : letters.slice(0, columns - 1).join("") + "\u2026";
  };

  const prefix = ({group}) => group.classList.contains("new") ? "+ "
    : group.classList.contains("gone") ? "\u2212 " : "";
  const place = (frame, x, w) => {
    const left = Math.max(0, x), right = Math.min(1, x + w), span = width - 2 * MARGIN;
    frame.shown = right - left > .3 / span;
    frame.group.style.display = frame.shown ? "" : "none";
    if (!frame.shown) return;
    for (const rect of [frame.rect, frame.own]) {
      if (!rect) continue;
      rect.setAttribute("x", MARGIN + left * span);
      rect.setAttribute("width", (right - left) * span);
    }
    const name = cut(prefix(frame) + frame.lines[0], Math.floor(((right - left) * span - 2 * PADDING) / LETTER));
    if (!frame.text && name) {
      frame.text = document.createElementNS(SVG, "text");
      frame.text.setAttribute("y", frame.y + 12.5);
      frame.group.append(frame.text);
    }
    if (!frame.text) return;
    frame.text.textContent = name;
    frame.text.setAttribute("x", MARGIN + left * span + PADDING);
  };

  const draw = () => {
    if (!frames.length) return;
    const to = frames[zoomed], above = new Set();
    for (let i = to.parent; i >= 0; i = frames[i].parent) above.add(i);
    frames.forEach((frame, i) => {
      frame.group.classList.toggle("up", above.has(i));
      place(frame, (frame.x - to.x) / to.w, frame.w / to.w);
    });
    reset.style.display = zoomed ? "" : "none";
  };

  const tell = (i) => {
    info.textContent = i < 0 || !frames[i] ? "" : frames[i].lines.join("  \u00b7  ");
  };
  const select = (i) => {
    if (frames[current]) frames[current].group.classList.remove("on");
    current = i;
    if (!frames[i]) return tell(-1);
    frames[i].group.classList.add("on");
    frames[i].group.focus({preventScroll: true});
    frames[i].rect.scrollIntoView({block: "nearest", inline: "nearest"});
    tell(i);
  };
  const zoom = (i) => { zoomed = i; draw(); };

  // ---- search
  const search = (words) => {
    const wanted = words.trim().toLowerCase();
    let end = -1, sum = 0, count = 0;
    svg.classList.toggle("searched", wanted !== "");
    for (const frame of frames) {
      frame.hit = wanted !== "" && frame.lines.join("\n").toLowerCase().includes(wanted);
      frame.group.classList.toggle("hit", frame.hit);
      if (!frame.hit) continue;
      count++;
      if (frame.x >= end - 1e-9) { sum += frame.w; end = frame.x + frame.w; }
    }
    info.textContent = wanted === "" ? "" :
      `${count} frame${count === 1 ? "" : "s"}, ${(sum * 100).toFixed(1)} % of all`;
  };

  // ---- tools
  const tool = (label, wide, action) => {
    const group = document.createElementNS(SVG, "g"), rect = document.createElementNS(SVG, "rect");
    const text = document.createElementNS(SVG, "text");
    group.setAttribute("class", "tool");
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    group.setAttribute("aria-label", label);
    for (const [name, value] of Object.entries({width: wide, height: 26, rx: 6, y: 14}))
      rect.setAttribute(name, value);
    text.setAttribute("x", 12);
    text.setAttribute("y", 31.5);
    text.textContent = label;
    group.append(rect, text);
    group.addEventListener("click", action);
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); action(); }
    });
    svg.append(group);
    return group;
  };
  const reset = tool("Reset zoom", 94, () => zoom(0));
  const holder = document.createElementNS(SVG, "foreignObject");
  const input = document.createElementNS(HTML, "input");
  input.type = "search";
  if (alone) input.id = "search";
  input.placeholder = alone ? "Search  ( / )" : "Search frames";
  input.setAttribute("aria-label", "Search frames");
  holder.setAttribute("y", 14);
  holder.setAttribute("width", 200);
  holder.setAttribute("height", 28);
  holder.append(input);
  svg.append(holder);
  input.addEventListener("input", () => search(input.value));
  info.setAttribute("aria-live", "polite");

  // ---- mouse
  const index = new Map(frames.map((frame, i) => [frame.group, i]));
  const under = (event) => {
    const group = event.target.closest && event.target.closest(".f");
    return group ? index.get(group) : -1;
  };
  box.addEventListener("click", (event) => {
    const i = under(event);
    if (i >= 0) { zoom(i); select(i); }
  });
  box.addEventListener("mouseover", (event) => tell(under(event)));
  box.addEventListener("mouseout", () => tell(current));

  // ---- keys
  const step = (test, from, by) => {
    for (let i = from + by; i >= 0 && i < frames.length; i += by)
      if (frames[i].shown && test(frames[i], i)) return i;
    return -1;
  };
  const move = (key) => {
    const outward = icicle ? "ArrowDown" : "ArrowUp";
    if (current < 0 || !frames[current].shown) return zoomed;
    const {level, parent} = frames[current];
    if (key === outward) return step((frame) => frame.parent === current, current, 1);
    if (key === "ArrowUp" || key === "ArrowDown") return parent;
    return step((frame) => frame.level === level, current, key === "ArrowRight" ? 1 : -1);
  };
  (alone ? window : svg).addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      if (input.value) { input.value = ""; search(""); } else zoom(0);
      input.blur();
    } else if (event.target === input) {
      return;
    } else if (event.key === "/" && alone) {
      input.focus();
    } else if (event.key.startsWith("Arrow")) {
      const next = move(event.key);
      if (next >= 0) select(next);
    } else if (event.key === "Enter" && current >= 0 && event.target === frames[current].group) {
      zoom(current);
      select(current);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  // ---- the width that there is
  const fit = () => {
    const height = svg.getAttribute("height"), there = alone ? document.documentElement : svg.parentNode;
    if (!alone || document.documentElement === svg) {
      width = Math.max(480, there.clientWidth || innerWidth);
      svg.setAttribute("width", width);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    }
    holder.setAttribute("x", width - MARGIN - 200);
    reset.setAttribute("transform", `translate(${width - MARGIN - 306} 0)`);
    draw();
  };
  svg.setAttribute("role", "application");
  frames.forEach((frame) => frame.group.setAttribute("tabindex", "-1"));
  if (frames.length) frames[0].group.setAttribute("tabindex", "0");
  addEventListener("resize", fit);
  fit();
  if (alone && !icicle) scrollTo(0, svg.getAttribute("height"));
};
{
  const own = document.currentScript.ownerSVGElement;
  if (own) flame(own, true); else document.querySelectorAll("svg.fg").forEach((svg) => flame(svg, false));
}
