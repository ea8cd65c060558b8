// uses: plot
// The same noise after the same ascent in many networks: two large, all of them in a strip.
// sets, one a data set: {title, sheet: {src, columns, size}, classes, steps, length, recipes, eps,
// methods: [{key, label, first, accuracy, robust, cosine: [a recipe]}]}, methods by robustness. Tile
// 0 is the noise; those of a method begin at first, by recipe, class, step. selected: -1 is all.
const DEFAULTS = {"sets": [], "data": 0, "selected": 0, "recipe": 0, "step": -1, "a": "standard", "b": "pgd-l2"};

export default {
  render(host) {
    return mount(host, (ui) => {
      const sets = ui.get("sets");
      const within = (v, n) => Math.max(0, Math.min(n - 1, Math.round(v) || 0));
      const set = () => sets[within(ui.get("data"), sets.length)];
      const recipe = () => within(ui.get("recipe"), set().recipes.length);
      const step = () => within(ui.get("step") < 0 ? Infinity : ui.get("step"), set().steps.length);
      const one = () => ui.get("selected") >= 0;
      const shown = () => (one() ? [within(ui.get("selected"), set().classes.length)] : set().classes.map((_, k) => k));
      const place = (side) => {
        const at = set().methods.findIndex((m) => m.key === ui.get(side));
        return at >= 0 ? at : side === "a" ? 0 : set().methods.length - 1;
      };
      const give = (at) => ui.set({ b: set().methods[at].key });
      const images = sets.map(({ sheet }) => {
        const image = new Image();
        image.onload = ui.redraw;
        image.src = sheet.src;
        return image;
      });
      const tile = (method, k) => {
        const { steps, classes } = set();
        return step() && method.first + (recipe() * classes.length + k) * (steps.length - 1) + step() - 1;
      };
      const paint = (ctx, at, x, y, size) => {
        const [image, { sheet }] = [images[sets.indexOf(set())], set()];
        ctx.imageSmoothingEnabled = false;
        if (image.complete && image.naturalWidth)
          ctx.drawImage(image, (at % sheet.columns) * sheet.size, Math.floor(at / sheet.columns) * sheet.size,
            sheet.size, sheet.size, x, y, size, size);
      };

      const panels = h("div", { className: "am-panels" });
      const pair = h("div", {});
      pair.style.cssText = "display:grid;grid-template-columns:1fr 1fr;gap:1rem;flex:3 1 300px;min-width:0;max-width:44rem";
      panels.style.cssText = "display:flex;flex-wrap:wrap;align-items:start";
      panels.append(pair);
      const statement = h("p", { className: "am-statement" });
      const strip = h("canvas", { role: "img", "aria-label": "" });
      strip.style.cssText = "margin-top:0.9rem;cursor:pointer";
      const controls = h("div", { className: "am-controls" });
      ui.root.append(panels, statement);
      const numbers = ["a", "b"].map(() => readout(ui, ui.root));
      ui.root.append(strip, controls);
      const screens = ["a", "b"].map(() =>
        plane(pair, { label: "", box: () => [0, 1, 0, 1], pad: [0, 0, 24, 0], aspect: 0.92 }));
      const frame = h("div", {});
      frame.style.cssText = "flex:2 1 250px;min-width:0;max-width:26rem";
      panels.append(frame);
      const dots = () => set().methods.map((m) => [m.robust, m.cosine[recipe()]]);
      const known = ([x, y]) => x !== null && y !== null;
      const span = () => {
        const ys = dots().filter(known).map((dot) => dot[1]);
        return [Math.min(0, ...ys), Math.max(0.1, ...ys)];
      };
      const chart = plane(frame, {
        label: "Cosine of the pictures to the class means against robust accuracy, a dot a network.",
        box: () => {
          const [least, most] = span();
          return [-0.04, 1.04, least - 0.08 * (most - least), most + 0.14 * (most - least)];
        },
        pad: [34, 8, 8, 24], aspect: 1.15,
      });

      // the strip: methods across, classes down, as many blocks under each other as the width needs
      const layout = () => {
        const [width, count, down] = [strip.clientWidth || 320, set().methods.length, shown().length];
        const blocks = Math.ceil(count / Math.max(4, Math.floor(width / (one() ? 52 : 38))));
        const across = Math.ceil(count / blocks);
        const cell = Math.min(96, width / across);
        const [gap, tall] = [3, down * cell + 6];
        return { width, height: blocks * tall, across, cell, gap, tall, down };
      };
      const spot = (at, { across, cell, tall }) => [(at % across) * cell, Math.floor(at / across) * tall];
      const under = (event) => {
        const [area, l] = [strip.getBoundingClientRect(), layout()];
        const [x, y] = [event.clientX - area.left, event.clientY - area.top].map((v) => v * (l.width / area.width));
        const at = Math.floor(y / l.tall) * l.across + Math.floor(x / l.cell);
        return x >= 0 && x < l.across * l.cell ? set().methods[at] && at : undefined;
      };
      ui.listen(strip, "pointermove", (event) => (strip.title = set().methods[under(event)]?.label ?? ""));
      ui.listen(strip, "click", (event) => under(event) !== undefined && give(under(event)));
      const near = (event) => {
        const area = chart.canvas.getBoundingClientRect();
        const far = ([x, y]) => Math.hypot(chart.px(x) + area.left - event.clientX, chart.py(y) + area.top - event.clientY);
        const all = dots().map((dot, at) => [known(dot) ? far(dot) : Infinity, at]).sort((a, b) => a[0] - b[0]);
        return all[0][0] < 12 ? all[0][1] : undefined;
      };
      ui.listen(chart.canvas, "pointermove", (event) => {
        chart.canvas.style.cursor = near(event) === undefined ? "" : "pointer";
        chart.canvas.title = set().methods[near(event)]?.label ?? "";
      });
      ui.listen(chart.canvas, "click", (event) => near(event) !== undefined && give(near(event)));

      const refill = (input, texts) => {
        if (input.dataset.texts === texts.join()) return;
        input.dataset.texts = texts.join();
        input.replaceChildren(...texts.map((text, i) => h("option", { value: i, textContent: text })));
      };
      if (sets.length > 1)
        select(ui, controls, {
          name: "data", label: "Data", options: sets.map((s) => s.title),
          read: () => sets.indexOf(set()), write: (v) => ui.set({ data: v }),
        });
      const choice = (name, label, texts, read, write) => {
        let input = null;
        ui.syncs.push(() => refill(input, texts()));
        input = select(ui, controls, { name, label, options: [], read, write });
      };
      choice("class", "Class", () => ["all classes", ...set().classes],
        () => (one() ? shown()[0] + 1 : 0), (v) => ui.set({ selected: v - 1 }));
      choice("recipe", "Recipe", () => set().recipes, recipe, (v) => ui.set({ recipe: v }));
      choice("a", "Network A", () => set().methods.map((m) => m.label),
        () => place("a"), (v) => ui.set({ a: set().methods[v].key }));
      const carry = slider(ui, controls, {
        name: "b", label: "Network B", min: 0, max: set().methods.length - 1, step: 1,
        read: () => place("b"), write: give, text: (v) => set().methods[v].label,
      });
      const scrub = slider(ui, controls, {
        name: "step", label: "Steps from the noise", min: 0, max: set().steps.length - 1, step: 1,
        read: step, write: (v) => ui.set({ step: v }), text: (v) => String(set().steps[v]),
      });

      return (c) => {
        const { methods, classes, steps, recipes, eps, length, title } = set();
        const [both, colors, ks] = [[place("a"), place("b")], [c.blue, c.orange], shown()];
        [carry.max, carry.value, scrub.max, scrub.value] = [methods.length - 1, both[1], steps.length - 1, step()];
        const what = one() ? classes[ks[0]] : `the ${classes.length} classes`;
        const columns = Math.ceil(Math.sqrt(ks.length));
        both.forEach((at, i) => {
          const p = screens[i];
          p.begin(c);
          const size = p.width / columns;
          ks.forEach((k, j) => paint(p.ctx, tile(methods[at], k), (j % columns) * size, p.top + Math.floor(j / columns) * size, size));
          const name = `${"AB"[i]}  ${methods[at].label}`;
          p.ctx.font = `bold ${FONT}`;
          const points = Math.min(12, (12 * p.width) / p.ctx.measureText(name).width); // long names are set smaller
          label(p, name, 0, 11, { color: colors[i], font: `bold ${FONT.replace("12px", `${points}px`)}`, halo: false, align: "left" });
          p.canvas.setAttribute("aria-label",
            `Picture ${"AB"[i]} of ${what} by the network "${methods[at].label}" after ${steps[step()]} steps, ${recipes[recipe()]}.`);
        });

        const charted = dots().filter(known).length > 1;
        frame.hidden = !charted;
        if (charted) {
          chart.begin(c);
          axes(chart, { x: "robust accuracy", y: "cosine to the mean" });
          chart.clip(() => {
            dots().filter(known).forEach((dot) => mark(chart, dot, { color: c.axis, size: 3.5 }));
            both.forEach((at, i) => known(dots()[at]) &&
              mark(chart, dots()[at], { color: colors[i], shape: i ? "ring" : "dot", size: i ? 9 : 6 }));
          });
        }

        const l = layout();
        const ratio = window.devicePixelRatio || 1;
        strip.style.aspectRatio = `${l.width} / ${l.height}`;
        [strip.width, strip.height] = [Math.round(l.width * ratio), Math.round(l.height * ratio)];
        const ctx = strip.getContext("2d");
        ctx.scale(ratio, ratio);
        methods.forEach((method, at) => {
          const [x, y] = spot(at, l);
          ks.forEach((k, j) => paint(ctx, tile(method, k), x + l.gap, y + l.gap + j * l.cell, l.cell - 2 * l.gap));
        });
        both.forEach((at, i) => {
          const [x, y] = spot(at, l);
          [ctx.strokeStyle, ctx.lineWidth] = [colors[i], 3];
          ctx.strokeRect(x + 1.5 + 2 * i * (both[0] === both[1]), y + 1.5, l.cell - 3, l.down * l.cell - 3);
        });
        strip.setAttribute("aria-label", `Pictures of ${what} by all ${methods.length} networks of ${title}, ` +
          `least robust first: ${methods.map((m) => m.label).join("; ")}.`);

        const told = `${title}, ${what}: the same noise after ${steps[step()]} steps of length ${length}, ${recipes[recipe()]}.`;
        const sides = both.map((at, i) => `${"AB"[i]} is ${methods[at].label}.`).join(" ");
        const order = methods.every((m) => m.robust !== null)
          ? `Below are all networks, from the least robust to the most${eps ? ` (ℓ2, ε = ${eps})` : ""}` : "Below are all networks";
        statement.textContent = `${told} ${order}${one() ? "" : ", a row a class"}.`;
        const share = (v) => (v === null ? null : 100 * v);
        both.forEach((at, i) => {
          const [m, side] = [methods[at], "ab"[i]];
          numbers[i]([
            [`${side}.accuracy`, `${"AB"[i]}: accuracy %`, share(m.accuracy), 0], [`${side}.robust`, "robust %", share(m.robust), 0],
            [`${side}.cosine`, "cosine", m.cosine[recipe()], 2],
          ]);
        });
        ui.say(`${told} ${sides}`);
      };
    });
  },
};
