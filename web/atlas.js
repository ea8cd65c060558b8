// Every class of a network, one picture each. sheets: [address], pictures laid row by row in tiles;
// tile: {columns, rows}; names: of all classes; classes: a row a picture, in the order of the tiles:
// [index, value, p, own index, own p, judge's p of this class, its rank there, [[index, p] x 5]].
// selected: the index of the class shown large, or -1; find, show and order choose what is listed.
const DEFAULTS = {"sheets": [], "tile": {}, "names": [], "classes": [], "selected": -1, "find": "",
  "show": 0, "order": 0, "network": "the network", "judge": "a network that was not used", "quantity": "logit"};

const LOOK = `
.am-atlas { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: 0.9rem; align-items: flex-start; }
.am-atlas .am-tiles { flex: 1 1 300px; min-width: 0; height: 430px; overflow-y: auto; padding: 3px; position: relative;
  display: grid; grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); gap: 8px 6px; align-content: start; }
.am-atlas .am-tile { cursor: pointer; border-radius: 4px; font-size: 12px; line-height: 1.35; }
.am-atlas .am-tile:hover { color: var(--am-blue); }
.am-atlas .am-tile:focus-visible { outline: 2px solid var(--am-blue); outline-offset: 1px; }
.am-atlas .am-tile[aria-selected="true"] { box-shadow: 0 0 0 2px var(--am-blue); }
.am-atlas .am-tile[hidden] { display: none; }
.am-atlas .am-tile span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; padding: 0 2px; }
.am-atlas .am-sprite { aspect-ratio: 1; background-color: var(--am-grid); border-radius: 3px; }
.am-atlas .am-large { flex: 1 1 230px; max-width: 320px; min-width: 0; min-height: 120px; }
.am-atlas .am-large h4 { margin: 0.5rem 0 0.3rem; font-size: 1.05rem; color: var(--am-text); }
.am-atlas .am-large p { margin: 0.2rem 0; }
.actmax-figure input[type="search"] { font: inherit; color: var(--am-text); background: var(--am-surface);
  border: 1px solid var(--am-axis); border-radius: 4px; min-height: 34px; padding: 0.2rem 0.6rem; flex: 1 1 9rem; min-width: 0; }
@media print { .am-atlas .am-tiles { height: auto; max-height: 600px; overflow: hidden; } }`;

const SHOWS = ["all", "the judge's first choice is this class", "among the judge's first five", "not among them"];
const ORDERS = ["as the network counts", "most believed first", "least believed first"];

export default {
  render(host) {
    return mount(host, (ui) => {
      const [sheets, tile, names] = ["sheets", "tile", "names"].map(ui.get);
      const rows = ui.get("classes").map(([index, value, p, own, ownP, judgeP, rank, top], at) =>
        ({ index, value, p, own, ownP, judgeP, rank, top, at, name: names[index] }));
      const each = tile.columns * tile.rows;
      const percent = (v) => (v > 0.9995 ? "100" : num(100 * v, v < 0.1 ? 1 : 0));

      /** Show the tile of `row` in `node`, of any size. */
      const sprite = (node, row) => {
        const [k, place] = [Math.floor(row.at / each), row.at % each];
        const part = (i, n) => `${n > 1 ? (100 * i) / (n - 1) : 0}%`;
        node.style.backgroundImage = `url("${sheets[k]}")`;
        node.style.backgroundSize = `${100 * tile.columns}% ${100 * tile.rows}%`;
        node.style.backgroundPosition =
          `${part(place % tile.columns, tile.columns)} ${part(Math.floor(place / tile.columns), tile.rows)}`;
      };
      const verdict = (row) => (row.rank === 1 ? "agrees" : row.rank <= 5 ? "has it among its first five" : "does not see it");

      ui.root.append(h("style", { textContent: LOOK }));
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      const id = uid();
      const find = quiet(h("input", { type: "search", id, name: "find", autocomplete: "off" }));
      find.addEventListener("input", () => ui.set({ find: find.value }));
      find.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && listed.length) choose(listed[0]);
        if (event.key === "ArrowDown" && listed.length) (event.preventDefault(), step(0));
      });
      ui.syncs.push(() => (find.value = ui.get("find")));
      controls.append(h("div", { className: "am-select" }, h("label", { htmlFor: id, textContent: "Find a class" }), find));
      for (const [name, label, options] of [["show", "Show", SHOWS], ["order", "Order", ORDERS]])
        select(ui, controls, { name, label, options, read: () => ui.get(name), write: (v) => ui.set({ [name]: v }) });

      const tiles = h("div", { className: "am-tiles", role: "listbox", "aria-label": "Pictures, one a class" });
      const large = h("div", { className: "am-large" });
      const body = h("div", { className: "am-atlas" }, tiles, large);
      ui.root.append(controls, statement, body);
      // a sheet is loaded when the first of its tiles comes near
      const near = new IntersectionObserver((seen) => {
        for (const { isIntersecting, target } of seen)
          if (isIntersecting) (sprite(target.firstChild, target.row), near.unobserve(target));
      }, { rootMargin: "150px" });
      ui.onEnd(() => near.disconnect());
      for (const row of rows) {
        const mark = row.rank === 1 ? "✓" : row.rank <= 5 ? "◦" : "✗";
        const option = quiet(h("div", {
          className: "am-tile", role: "option", tabIndex: -1, title: row.name,
          "aria-label": `${row.name}, the judge ${verdict(row)}`, "data-index": row.index,
        }, h("div", { className: "am-sprite" }), h("span", { textContent: `${mark} ${row.name}` })));
        option.row = row;
        row.option = option;
        option.addEventListener("click", () => (hold(row), choose(row)));
        near.observe(option);
      }

      // one tile at a time is a tab stop; arrows move it
      let held = rows[0];
      let listed = rows;
      const hold = (row) => {
        held.option.tabIndex = -1;
        held = row;
        held.option.tabIndex = 0;
      };
      const step = (to) => {
        hold(listed[Math.max(0, Math.min(listed.length - 1, to))]);
        held.option.focus();
      };
      tiles.addEventListener("keydown", (event) => {
        const at = listed.indexOf(held);
        const top = listed[0]?.option.offsetTop;
        const across = Math.max(1, listed.findIndex((row) => row.option.offsetTop !== top));
        const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across, PageUp: -4 * across,
          PageDown: 4 * across, Home: -listed.length, End: listed.length };
        if (event.key in moves) {
          const to = at + moves[event.key];
          if (!/Arrow(Up|Down)/.test(event.key) || (to >= 0 && to < listed.length)) step(to);
        } else if (event.key === "Enter" || event.key === " ") choose(held);
        else return;
        event.preventDefault();
      });
      ui.root.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && ui.get("selected") >= 0) close();
      });
      /** Enlarge; on a narrow page the large picture lies below the tiles. */
      const choose = (row) => {
        ui.set({ selected: row.index });
        large.scrollIntoView({ block: "nearest" });
      };
      const close = () => {
        const inside = large.contains(document.activeElement);
        ui.set({ selected: -1 });
        if (inside) held.option.focus();
      };

      // built once, so that focus on the button outlives a change of class
      const picture = h("div", { className: "am-sprite", role: "img" });
      const title = h("h4", {});
      const told = h("div", { className: "am-verdict" });
      const hint = h("p", { textContent: "Choose a picture to see it larger." });
      const full = h("div", {}, picture, title, told);
      large.append(hint, full);
      button(full, "close", "Close", close);

      let last = "", began = false;
      const list = () => {
        const [text, show, order] = ["find", "show", "order"].map(ui.get);
        const key = JSON.stringify([text, show, order]);
        if (key === last) return;
        last = key;
        const word = text.trim().toLowerCase();
        const passes = [() => true, (r) => r.rank === 1, (r) => r.rank <= 5, (r) => !(r.rank <= 5)][show] ?? (() => true);
        const starts = (r) => (r.name.toLowerCase().startsWith(word) ? 0 : 1);
        const by = [(a, b) => (word ? starts(a) - starts(b) : 0) || a.at - b.at,
          (a, b) => b.judgeP - a.judgeP, (a, b) => a.judgeP - b.judgeP][order];
        listed = rows.filter((r) => passes(r) && r.name.toLowerCase().includes(word)).sort(by);
        const shown = new Set(listed);
        for (const row of rows) row.option.hidden = !shown.has(row);
        tiles.append(...listed.map((row) => row.option));
        tiles.scrollTop = 0;
        if (listed.length) hold(shown.has(held) ? held : listed[0]);
        const words = ["", " that the judge calls by this name", " that the judge has among its first five",
          " that the judge does not see"][show];
        statement.textContent = `${listed.length || "None"} of ${rows.length} pictures${words}` +
          `${word ? `, with “${text.trim()}” in the name` : ""}${order ? `, ${ORDERS[order]}` : ""}.`;
        if (began) ui.say(statement.textContent);
        began = true;
      };

      return () => {
        list();
        const row = rows.find((r) => r.index === ui.get("selected"));
        for (const r of rows) r.option.setAttribute("aria-selected", String(r === row));
        hint.hidden = Boolean(row);
        full.hidden = !row;
        if (!row) {
          title.textContent = "";
          told.replaceChildren();
          return;
        }
        sprite(picture, row);
        const alike = row.own === row.index;
        picture.setAttribute("aria-label", `Picture drawn for ${row.name}.`);
        title.textContent = row.name;
        const data = (name, value, text) => h("data", { value: String(value), textContent: text, "data-name": name });
        const bars = row.top.map(([index, p]) =>
          h("div", { className: index === row.index ? "am-bar am-hit" : "am-bar" },
            h("span", { textContent: names[index] }), data(`judge.${index}`, p, num(p, 2)),
            h("i", { style: `width:${(100 * Math.max(0, Math.min(1, p))).toFixed(1)}%` })));
        told.replaceChildren(
          h("p", {}, `${ui.get("quantity")} `, data("value", row.value, num(row.value, 1)), `, believed by ${ui.get("network")} to `,
            data("p", 100 * row.p, percent(row.p)), " %", alike ? "" : `; it rather sees ${names[row.own]}`),
          h("p", {}, `What ${ui.get("judge")} says:`), ...bars);
        ui.say(`${row.name}. The judge ${verdict(row)}: ${row.top.map(([i, p]) => `${names[i]} ${num(p, 2)}`).join(", ")}.`);
      };
    });
  },
};
