// uses: plot
// One photograph, a targeted attack on each network, ε from 0 to ∞ (class visualization).
// sets, one a data set: {title, sheet: {src, columns, size}, classes, own, targets, networks, eps
// (null is ∞), p, kept, norm, most}; numbers are ordered by network, ε, target, and so are the tiles,
// each twice: the picture, and its change about gray, scaled to the largest one. level: an ε.
const DEFAULTS = {"sets": [], "data": 0, "target": 0, "level": 0};

export default {
  render(host) {
    return mount(host, (ui) => {
      const sets = ui.get("sets");
      const within = (v, n) => Math.max(0, Math.min(n - 1, Math.round(v) || 0));
      const set = () => sets[within(ui.get("data"), sets.length)];
      const target = () => within(ui.get("target"), set().targets.length);
      const level = () => within(ui.get("level"), set().eps.length);
      const entry = (network, at = level()) => (network * set().eps.length + at) * set().targets.length + target();
      const radius = (at) => (set().eps[at] === null ? "∞" : String(set().eps[at]));
      const images = sets.map(({ sheet }) => {
        const image = new Image();
        image.onload = ui.redraw;
        image.src = sheet.src;
        return image;
      });

      const panels = h("div", { className: "am-panels" });
      panels.style.gridTemplateColumns = "repeat(auto-fit, minmax(min(100%, 130px), 1fr))";
      const pair = h("div", {});
      pair.style.cssText = "display:grid;grid-template-columns:1fr 1fr;gap:0.75rem 1rem;grid-column:span 2;min-width:0";
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      panels.style.alignItems = "start";
      panels.append(pair);
      ui.root.append(panels, statement);
      const numbers = readout(ui, ui.root);
      ui.root.append(controls);
      // row 0: what the networks see; row 1: what was changed
      const screens = [0, 1].map(() => set().networks.map(() =>
        plane(pair, { label: "", box: () => [0, 1, 0, 1], pad: [0, 0, 22, 0], aspect: 0.93 })));
      const frame = h("div", {});
      frame.style.cssText = "grid-column:span 2;min-width:0";
      panels.append(frame);
      const chart = plane(frame, {
        label: "Probability of the target against ε, a line a network; the upright line is the ε shown.",
        box: () => [-0.4, set().eps.length - 0.6, -0.06, 1.12], pad: [30, 8, 8, 24], aspect: 1.15,
      });
      const choose = (event) => ui.set({ level: within(chart.at(event)[0], set().eps.length) });
      ui.listen(chart.canvas, "pointerdown", choose);
      ui.listen(chart.canvas, "pointermove", (event) => event.buttons && choose(event));
      chart.canvas.style.cursor = "pointer";

      if (sets.length > 1)
        select(ui, controls, {
          name: "data", label: "Photograph", options: sets.map((s) => `${s.title}: ${s.classes[s.own]}`),
          read: () => sets.indexOf(set()), write: (v) => ui.set({ data: v }),
        });
      let aims = null;
      ui.syncs.push(() => {
        const texts = set().targets.map((k) => set().classes[k]);
        if (aims.dataset.texts === texts.join()) return;
        aims.dataset.texts = texts.join();
        aims.replaceChildren(...texts.map((text, i) => h("option", { value: i, textContent: text })));
      });
      aims = select(ui, controls, {
        name: "target", label: "Target", options: [], read: target, write: (v) => ui.set({ target: v }),
      });
      const size = slider(ui, controls, {
        name: "level", label: "Largest change allowed, ε", min: 0, max: set().eps.length - 1, step: 1,
        read: level, write: (v) => ui.set({ level: v }), text: (v) => `ε = ${radius(v)}`,
      });
      size.parentElement.style.gridColumn = "1 / -1";

      return (c) => {
        const { sheet, classes, own, targets, networks, eps, p, kept, norm, most } = set();
        const image = images[sets.indexOf(set())];
        const colors = [c.blue, c.orange];
        const [aim, photo] = [classes[targets[target()]], classes[own]];
        [size.max, size.value] = [eps.length - 1, level()];
        const strength = (v) => (v > 0 ? `change, white is +${num(v, 3)}` : "no change");
        networks.forEach((name, n) => {
          const at = entry(n);
          [0, 1].forEach((row) => {
            const screen = screens[row][n];
            const k = 2 * at + row;
            screen.begin(c);
            screen.ctx.imageSmoothingEnabled = false;
            if (image.complete && image.naturalWidth)
              screen.ctx.drawImage(image, (k % sheet.columns) * sheet.size, Math.floor(k / sheet.columns) * sheet.size,
                sheet.size, sheet.size, 0, screen.top, screen.width, screen.height);
            label(screen, row ? strength(most[at]) : name, 0, 11,
              { color: row ? c.muted : colors[n], font: row ? FONT : `bold ${FONT}`, halo: false, align: "left" });
          });
          screens[0][n].canvas.setAttribute("aria-label",
            `The photograph of ${photo} as changed for the network "${name}": ${aim} with p = ${num(p[at], 2)}.`);
          screens[1][n].canvas.setAttribute("aria-label",
            `Its change, of ℓ2 norm ${num(norm[at], 2)} and at most ${num(most[at], 3)} in a pixel; gray is none.`);
        });

        chart.begin(c);
        const every = chart.width < 300 ? 2 : 1;
        const ticks = eps.map((_, k) => [k, radius(k)]).filter(([k]) => (eps.length - 1 - k) % every === 0);
        axes(chart, { x: "ε", y: `p(${aim})`, xticks: ticks, yticks: [[0, "0"], [0.5, "0.5"], [1, "1"]] });
        const [, , low, high] = chart.box;
        line(chart, [[level(), low], [level(), high]], { color: c.muted, width: 1, dash: [3, 4] });
        networks.forEach((_, n) => {
          line(chart, eps.map((_, k) => [k, p[entry(n, k)]]), { color: colors[n], width: 2.5 });
          mark(chart, [level(), p[entry(n)]], { color: colors[n], shape: n ? "ring" : "dot", size: n ? 8 : 6 });
        });

        const told = networks.map((name, n) => {
          const at = entry(n);
          return `${name}: ${aim} ${num(100 * p[at], 0)} %, ${photo} ${num(100 * kept[at], 0)} %.`;
        });
        const ball = radius(level()) === "∞"
          ? `ε = ∞, towards "${aim}": no ball is left, only the box. This is class visualization from a photograph.`
          : `Within ε = ${radius(level())} (ℓ2) of the photograph (${photo}), towards "${aim}".`;
        statement.replaceChildren(...[ball, ...told].flatMap((text, k) =>
          [...(k ? [h("br")] : []), h("span", { textContent: text })]));
        numbers(networks.flatMap((name, n) => [
          [`${"ab"[n]}.p`, `${name}: p(${aim})`, p[entry(n)], 3], [`${"ab"[n]}.norm`, "‖change‖", norm[entry(n)], 2],
        ]));
        ui.say([ball, ...told].join(" "));
      };
    });
  },
};
