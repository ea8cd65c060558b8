// uses: plot
// Two pictures of a precomputed grid side by side, and all pictures of the class in a chart.
// sheet: {src, columns, size}; tile k is in row floor(k / columns). grid: {classes, seeds, steps,
// families: [{label, symbol, strengths}], logit, high, data: {logit, high}}; the tiles are ordered by
// family, strength, steps, seed, class. a, b: what is shown, each [family, strength, steps].
const DEFAULTS = {"sheet": {}, "grid": {}, "selected": 0, "seed": 0, "a": [0, 0, 2], "b": [0, 0, 2]};

export default {
  render(host) {
    return mount(host, (ui) => {
      const [sheet, grid] = [ui.get("sheet"), ui.get("grid")];
      const { classes, seeds, steps, families } = grid;
      const levels = families.map((f) => Math.max(1, f.strengths.length));
      const rows = levels.map((_, k) => levels.slice(0, k).reduce((a, b) => a + b, 0));
      const within = (v, n) => Math.max(0, Math.min(n - 1, Math.round(v) || 0));
      const chosen = (side) => {
        const [f, level, s] = ui.get(side);
        const family = within(f, families.length);
        return [family, within(level, levels[family]), within(s, steps.length)];
      };
      const tile = ([family, level, s]) =>
        (((rows[family] + level) * steps.length + s) * seeds.length + within(ui.get("seed"), seeds.length)) *
          classes.length + within(ui.get("selected"), classes.length);
      const strength = ([family, level]) => {
        const { symbol, strengths } = families[family];
        return strengths.length ? `${symbol} = ${strengths[level]}` : "";
      };
      const words = (c) => [families[c[0]].label, strength(c), `${steps[c[2]]} steps`].filter(Boolean).join(", ");

      const image = new Image();
      image.onload = ui.redraw;
      image.src = sheet.src;
      const panels = h("div", { className: "am-panels" });
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      const pair = h("div", {});
      pair.style.cssText = "display:grid;grid-template-columns:1fr 1fr;gap:1rem;grid-column:span 2;min-width:0";
      panels.style.gridTemplateColumns = "repeat(auto-fit, minmax(min(100%, 130px), 1fr))";
      panels.append(pair);
      ui.root.append(panels, controls, statement);
      const screens = ["a", "b"].map(() =>
        plane(pair, { label: "", box: () => [0, 1, 0, 1], pad: [0, 0, 22, 0], aspect: 0.93 }));
      const [fastest, best] = [Math.max(...grid.high), Math.max(...grid.logit)];
      const least = Math.min(...grid.logit);
      const frame = h("div", {});
      frame.style.cssText = "grid-column:span 2;min-width:0;max-width:26rem";
      panels.append(frame);
      const chart = plane(frame, {
        label: "Logit against the share of fast waves, for every picture of the class and seed.",
        box: () => [-0.04 * fastest, 1.06 * fastest, least - 0.06 * (best - least), 1.08 * best],
        pad: [34, 8, 8, 24], aspect: 1.2,
      });
      // a dot under the pointer says what it is; a click gives it to picture B
      const last = steps.length - 1;
      const dots = families.flatMap((_, f) => Array.from({ length: levels[f] }, (_, level) => [f, level, last]));
      const place = (at) => [grid.high[at], grid.logit[at]];
      const under = (event) => {
        const area = chart.canvas.getBoundingClientRect();
        const far = ([x, y]) => Math.hypot(chart.px(x) + area.left - event.clientX, chart.py(y) + area.top - event.clientY);
        const all = dots.map((dot) => [far(place(tile(dot))), dot]).sort((a, b) => a[0] - b[0]);
        return all[0][0] < 12 ? all[0][1] : null;
      };
      ui.listen(chart.canvas, "pointermove", (event) => {
        const dot = under(event);
        chart.canvas.style.cursor = dot ? "pointer" : "";
        chart.canvas.title = dot ? words(dot) : "";
      });
      ui.listen(chart.canvas, "click", (event) => {
        const dot = under(event);
        if (dot) ui.set({ b: dot });
      });

      const shared = h("fieldset", {}, h("legend", { textContent: "Both pictures" }));
      controls.style.alignItems = "start";
      shared.style.cssText = "grid-column:1/-1;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,240px),1fr));gap:0.35rem 1.75rem";
      controls.append(shared);
      select(ui, shared, {
        name: "class", label: "Class", options: classes,
        read: () => within(ui.get("selected"), classes.length), write: (v) => ui.set({ selected: v }),
      });
      select(ui, shared, {
        name: "seed", label: "Seed", options: seeds.map(String),
        read: () => within(ui.get("seed"), seeds.length), write: (v) => ui.set({ seed: v }),
      });
      const sides = ["a", "b"].map((side) => {
        const group = h("fieldset", {}, h("legend", { textContent: `Picture ${side.toUpperCase()}` }));
        controls.append(group);
        const put = (at, v) => ui.set({ [side]: chosen(side).map((old, k) => (k === at ? v : old)) });
        select(ui, group, {
          name: `${side}-family`, label: "Regularizer", options: families.map((f) => f.label),
          read: () => chosen(side)[0], write: (v) => put(0, v),
        });
        const level = slider(ui, group, {
          name: `${side}-strength`, label: "Strength", min: 0, max: levels[chosen(side)[0]] - 1, step: 1,
          read: () => chosen(side)[1], write: (v) => put(1, v), text: () => strength(chosen(side)) || "none",
        });
        slider(ui, group, {
          name: `${side}-steps`, label: "Steps", min: 0, max: steps.length - 1, step: 1,
          read: () => chosen(side)[2], write: (v) => put(2, v), text: () => String(steps[chosen(side)[2]]),
        });
        return level;
      });
      const numbers = readout(ui, ui.root);

      return (c) => {
        const both = ["a", "b"].map(chosen);
        const [k, colors] = [within(ui.get("selected"), classes.length), [c.blue, c.orange]];
        both.forEach((choice, i) => {
          sides[i].max = levels[choice[0]] - 1;
          sides[i].disabled = levels[choice[0]] === 1;
          sides[i].value = choice[1];
          const at = tile(choice);
          const p = screens[i];
          p.begin(c);
          p.ctx.imageSmoothingEnabled = false;
          if (image.complete && image.naturalWidth)
            p.ctx.drawImage(image, (at % sheet.columns) * sheet.size, Math.floor(at / sheet.columns) * sheet.size,
              sheet.size, sheet.size, p.left, p.top, p.width, p.height);
          label(p, "AB"[i], 8, 11, { color: colors[i], font: `bold ${FONT}`, halo: false });
          p.canvas.setAttribute("aria-label",
            `Picture ${"AB"[i]} made for ${classes[k]}: ${words(choice)}; logit ${num(grid.logit[at], 1)}.`);
        });

        chart.begin(c);
        axes(chart, { x: "share of fast waves", y: "logit" });
        chart.clip(() => {
          for (const dot of dots) mark(chart, place(tile(dot)), { color: c.axis, size: 2.5 });
          mark(chart, [grid.data.high[k], grid.data.logit[k]], { color: c.green, shape: "star", size: 10 });
          both.forEach((choice, i) =>
            mark(chart, place(tile(choice)), { color: colors[i], shape: i ? "ring" : "dot", size: i ? 9 : 6 }));
        });
        label(chart, "data", chart.px(grid.data.high[k]), chart.py(grid.data.logit[k]) + 16, { color: c.green });

        const percent = (v) => `${num(100 * v, 0)} %`;
        const told = both.map((choice, i) => {
          const at = tile(choice);
          return `${"AB"[i]}: ${words(choice)}. Logit ${num(grid.logit[at], 1)}, ${percent(grid.high[at])} fast waves.`;
        });
        statement.replaceChildren(h("span", { textContent: told[0] }), h("br"), h("span", { textContent: told[1] }));
        numbers([
          ["a.logit", "A: logit", grid.logit[tile(both[0])], 2], ["a.high", "fast", grid.high[tile(both[0])], 3],
          ["b.logit", "B: logit", grid.logit[tile(both[1])], 2], ["b.high", "fast", grid.high[tile(both[1])], 3],
          ["data.logit", "data: logit", grid.data.logit[k], 2], ["data.high", "fast", grid.data.high[k], 3],
        ]);
        ui.say(`${classes[k]}. ${told.join(" ")}`);
      };
    });
  },
};
