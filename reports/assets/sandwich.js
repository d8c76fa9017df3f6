// SPDX-License-Identifier: Apache-2.0
// A link to a function opens its callers and callees, and shuts those of the last one.
"use strict";
(() => {
  let last = null;
  const open = () => {
    const target = location.hash.length > 1 && page.byId(location.hash.slice(1));
    if (!target || target.localName !== "details") return;
    if (last && last !== target) last.open = false;
    target.open = true;
    last = target;
    target.scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", open);
  page.finders.push((holds, words) => {
    page.all("details.more").forEach((details) => { details.hidden = words.length > 0 && !holds(details); });
  });
  open();
})();
