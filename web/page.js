
"use strict";
// Fetches the page anew every five seconds while somebody looks at it, filters while
// somebody types, and sorts tables by the column that was clicked.
(() => {
  const sorted = {}; // by the table's name: [column, direction]
  const value = (row, column) => {
    const cell = row.children[column];
    const text = cell.dataset.v ?? cell.textContent.trim();
    return text === "" || isNaN(text) ? text.toLowerCase() : Number(text);
  };
  const sort = (table) => {
    const order = sorted[table.dataset.table];
    for (const [i, head] of [...table.tHead.rows[0].cells].entries()) {
      if (order && i === order[0]) head.setAttribute("aria-sort", order[1] > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    if (!order) return;
    const compare = (a, b) => {
      const x = value(a, order[0]), y = value(b, order[0]);
      if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
      return (x < y ? -1 : x > y ? 1 : 0) * order[1];
    };
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
  };
  const prepare = () => {
    for (const table of document.querySelectorAll("table[data-table]")) {
      for (const [i, head] of [...table.tHead.rows[0].cells].entries()) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = head.textContent;
        button.addEventListener("click", () => {
          const order = sorted[table.dataset.table];
          const first = head.classList.contains("number") ? -1 : 1;
          sorted[table.dataset.table] = [i, order && order[0] === i ? -order[1] : first];
          sort(table);
        });
        head.replaceChildren(button);
      }
      sort(table);
    }
  };
  const show = async () => {
    const asked = location.search;
    try {
      const answer = await fetch("./" + asked, { credentials: "same-origin" });
      if (answer.status === 503) return;
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("status");
      if (!fresh || asked !== location.search) return;
      const focused = document.activeElement?.closest("#status");
      if (focused && document.activeElement.tagName === "A") return;
      document.getElementById("status").replaceWith(fresh);
      document.title = page.title;
      prepare();
    } catch {
      document.title = "no answer · radsec-gw";
    }
  };
  const filter = document.getElementById("filter");
  let typing = 0;
  filter.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      const text = filter.value.trim();
      history.replaceState(null, "", text ? "?q=" + encodeURIComponent(text.toLowerCase()) : "./");
      show();
    }, 300);
  });
  prepare();
  setInterval(() => { if (!document.hidden) show(); }, 5000);
})();
