// uses: plot
// L(x) = max(x1, x2) - lam |x|^2, and its smooth version f_beta = log(e^(beta x1) + e^(beta x2)) / beta.
// beta = null is the hard maximum. Stationary points: x = p / (2 lam), p = softmax(beta x), so that
// u = x1 - x2 solves u = tanh(beta u / 2) / (2 lam): one solution up to beta = 4 lam, then three.
// starts: where climbs began; start: where the next begins; side: the plane shows [-1, side]^2.
const DEFAULTS = {"lam": 0.5, "beta": null, "eta": 0.04, "side": 2.2,
  "starts": [[-0.7, 1.3], [1.9, 0.6]], "start": [0.5, -0.5]};

const OCTAVES = [-1, 6]; // the temperature slider runs over beta = 1/2 .. 64, then infinity
const END = OCTAVES[1] + 0.75; // where infinity stands on the axis of beta
const MOST = 60; // starts kept on the picture

function solve(lam, beta) {
  const r = 1 / (2 * lam);
  const middle = { x: [r / 2, r / 2], value: beta ? 1 / (8 * lam) + Math.log(2) / beta : 1 / (8 * lam) };
  if (beta && beta <= 4 * lam) return { u: 0, best: [middle], saddle: null };
  let u = r;
  if (beta) {
    let [lo, hi] = [1e-9, r]; // tanh(beta u / 2) r - u is positive at lo and negative at hi
    for (let k = 0; k < 80; k++) {
      u = (lo + hi) / 2;
      if (Math.tanh((beta * u) / 2) * r > u) lo = u;
      else hi = u;
    }
  }
  const best = [[(r + u) / 2, (r - u) / 2], [(r - u) / 2, (r + u) / 2]];
  return { u, best: best.map((x) => ({ x, value: value(x, lam, beta) })), saddle: middle };
}

function value([a, b], lam, beta) {
  const top = Math.max(a, b);
  const f = beta ? top + Math.log1p(Math.exp(-beta * Math.abs(a - b))) / beta : top;
  return f - lam * (a * a + b * b);
}

/** Gradient ascent. On a tie of the hard maximum each coordinate gets half of the slope. */
function ascend(start, lam, beta, eta) {
  const path = [start];
  for (let [a, b] = start, k = 0; k < 4000; k++) {
    const p = beta ? 1 / (1 + Math.exp(-beta * (a - b))) : a > b ? 1 : a < b ? 0 : 0.5;
    const [da, db] = [eta * (p - 2 * lam * a), eta * (1 - p - 2 * lam * b)];
    [a, b] = [a + da, b + db];
    path.push([a, b]);
    if (Math.hypot(da, db) < 1e-7) break;
  }
  return path;
}

export default {
  render(host) {
    return mount(host, (ui) => {
      const panels = h("div", { className: "am-panels am-wide" });
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      ui.root.append(panels, controls);
      const low = -1;
      const plan = plane(panels, {
        label: "Plane with L as shade and level lines, its maximisers, the saddle and the climbs.",
        box: () => [low, ui.get("side"), low, ui.get("side")],
      });
      const fork = plane(panels, {
        label: "u = x₁ − x₂ of the stationary points against β: one branch splits into three at 4λ.",
        box: () => [OCTAVES[0], OCTAVES[1] + 1, -0.7 / ui.get("lam"), 0.7 / ui.get("lam")],
        pad: [36, 8, 8, 24],
      });

      // ---- state
      let known = {}; // climbs already computed for these lam, beta, eta
      let shown = Infinity; // steps of the newest climbs shown so far
      let fresh = 0; // how many climbs are being shown step by step
      let stop = () => {};
      const climbs = () => {
        const [lam, beta, eta] = ["lam", "beta", "eta"].map(ui.get);
        const key = `${lam} ${beta} ${eta}`;
        if (known.key !== key) known = { key };
        return ui.get("starts").map((s) => (known[s] ??= ascend(s, lam, beta, eta)));
      };
      const basin = ([a, b]) =>
        ui.get("beta") && ui.get("beta") <= 4 * ui.get("lam") ? 0 : a > b ? 1 : a < b ? 2 : 3;
      const drop = (points) => {
        stop();
        fresh = points.length;
        shown = 0;
        ui.set({ starts: [...ui.get("starts"), ...points].slice(-MOST), start: points.at(-1) });
        stop = animate(ui, () => {
          shown += 2;
          ui.redraw();
          return shown < Math.max(...climbs().slice(-fresh).map((path) => path.length));
        }, 40, () => ((shown = Infinity), ui.redraw()));
      };
      const change = (changes) => {
        stop();
        shown = Infinity;
        ui.set(changes);
      };

      // ---- controls
      const side = ui.get("side");
      slider(ui, controls, {
        name: "lam", label: "penalty λ", min: Math.ceil(10 / side) / 20, max: 2, step: 0.05,
        read: () => ui.get("lam"), write: (v) => change({ lam: v }), text: (v) => num(v, 2),
      });
      const notch = (beta) => (beta ? Math.log2(beta) : OCTAVES[1] + 0.125);
      slider(ui, controls, {
        name: "beta", label: "inverse temperature β", min: OCTAVES[0], max: OCTAVES[1] + 0.125, step: 0.125,
        read: () => notch(ui.get("beta")),
        write: (v) => change({ beta: v > OCTAVES[1] ? null : 2 ** v }),
        text: () => (ui.get("beta") ? num(ui.get("beta"), 2) : "∞ (hard max)"),
      });
      for (const i of [0, 1])
        slider(ui, controls, {
          name: `start${i + 1}`, label: `start x${"₁₂"[i]}`, min: low, max: side, step: 0.05,
          read: () => ui.get("start")[i],
          write: (v) => change({ start: ui.get("start").map((old, j) => (j === i ? v : old)) }),
          text: (v) => num(v, 2),
        });
      const buttons = h("div", { className: "am-buttons" });
      controls.append(buttons);
      let seed = 1;
      const random = () => ((seed = (seed * 48271) % 2147483647) / 2147483647) * (side - low) + low;
      button(buttons, "drop", "Drop a start", () => drop([[...ui.get("start")]]));
      button(buttons, "scatter", "Drop 20 at random", () =>
        drop(Array.from({ length: 20 }, () => [random(), random()])));
      button(buttons, "clear", "Clear", () => change({ starts: [] }));
      ui.root.append(statement);
      const numbers = readout(ui, ui.root);
      ui.listen(plan.canvas, "click", (event) => {
        let p = plan.at(event);
        if (!plan.inside(p)) return;
        if (Math.abs(p[0] - p[1]) < 0.03 * side) p = [(p[0] + p[1]) / 2, (p[0] + p[1]) / 2]; // on the tie
        drop([p.map((v) => Math.round(v * 100) / 100)]);
      });

      const color = (c) => [c.green, c.orange, c.blue, c.violet]; // by basin: the one, 1, 2, a tie
      const first = (s) => (s.saddle ? 1 : 0);

      function drawPlan(c, lam, beta, s) {
        plan.begin(c);
        const top = s.best[0].value;
        const tints = color(c).map(rgb);
        const at = (x, y) => value([x, y], lam, beta);
        plan.clip(() => {
          heat(plan, (x, y) => [tints[basin([x, y])], 0.5 * Math.exp((at(x, y) - top) / (0.35 + 0.35 * top))]);
          // Equally spaced circles about each maximiser of the hard maximum: L = L* - lam r^2.
          const levels = Array.from({ length: 30 }, (_, k) => top - lam * (0.1 * side * (k + 0.5)) ** 2);
          contours(plan, at, levels, { color: c.axis, width: 0.8 });
          line(plan, [[low, low], [side, side]], { color: c.muted, width: 1, dash: [2, 4] });
        });
        axes(plan, { x: "x₁", y: "x₂", grid: false });
        plan.clip(() => {
          const paths = climbs();
          paths.forEach((whole, i) => {
            const path = i < paths.length - fresh ? whole : whole.slice(0, shown + 1);
            const hue = color(c)[basin(whole[0])];
            line(plan, path, { color: hue, width: 2 });
            mark(plan, whole[0], { color: hue, size: 3.5 });
            if (path.length < whole.length) mark(plan, path.at(-1), { color: hue, size: 5 });
          });
          mark(plan, ui.get("start"), { color: c.text, shape: "cross", size: 5 });
          s.best.forEach(({ x }, i) => mark(plan, x, { color: color(c)[first(s) + i], shape: "star", size: 13 }));
          if (s.saddle) mark(plan, s.saddle.x, { color: c.text, shape: "ring", size: 6 });
        });
        if (!s.saddle) return;
        const beside = (text, [x, y]) => label(plan, text, plan.px(x) + 13, plan.py(y) - 13, { align: "left" });
        s.best.forEach(({ x }, i) => beside(String(i + 1), x));
        beside("saddle", s.saddle.x);
      }

      function drawFork(c, lam, beta, s) {
        fork.begin(c);
        const r = 1 / (2 * lam);
        const powers = [0, 2, 4, 6].map((k) => [k, String(2 ** k)]);
        const here = beta ? Math.log2(beta) : END;
        line(fork, [[here, fork.box[2]], [here, fork.box[3]]], { color: c.muted, width: 1.5 });
        axes(fork, { x: "β", y: "u = x₁ − x₂", xticks: [...powers, [END, "∞"]], inset: 0.22 * fork.width });
        const split = Math.log2(4 * lam);
        // u grows like a square root from the split, so the samples crowd there.
        const branch = Array.from({ length: 81 }, (_, k) => split + (OCTAVES[1] - split) * (k / 80) ** 2)
          .map((b, k) => [b, k ? solve(lam, 2 ** b).u : 0]);
        fork.clip(() => {
          line(fork, [[OCTAVES[0], 0], [split, 0]], { color: c.green, width: 3 });
          line(fork, [[split, 0], [END, 0]], { color: c.text, width: 1.5, dash: [3, 4] });
          for (const [sign, hue] of [[1, c.orange], [-1, c.blue]]) {
            line(fork, branch.map(([b, u]) => [b, sign * u]), { color: hue, width: 3 });
            line(fork, [[OCTAVES[1], sign * branch.at(-1)[1]], [END, sign * r]], { color: hue, width: 2, dash: [2, 3] });
          }
          if (s.saddle) mark(fork, [here, 0], { color: c.text, shape: "ring", size: 5 });
          s.best.forEach((_, i) =>
            mark(fork, [here, i ? -s.u : s.u], { color: color(c)[first(s) + i], shape: "star", size: 11 }));
        });
        label(fork, "4λ", fork.px(split) - 6, fork.py(0) + 14, { font: MATH, align: "right" });
      }

      function verdict(lam, beta, s) {
        if (!s.saddle) return "β ≤ 4λ: L is concave and has one maximiser, on the diagonal.";
        const two = "two maximisers, and a saddle between them on the diagonal.";
        return beta ? `β > 4λ: ${two}` : `Hard maximum: ${two} L is not concave for any λ.`;
      }

      function journey(s, last) {
        if (!last) return "";
        const where = last.at(-1).map((v) => num(v)).join(", ");
        const to = basin(last[0]);
        if (to === 0) return `The last start climbed to the one maximiser, (${where}).`;
        if (to < 3) return `The last start climbed to maximiser ${to}, (${where}).`;
        return `The last start is a tie, x₁ = x₂: half of the slope goes to each coordinate, and the climb ends on the saddle, (${where}).`;
      }

      return (c) => {
        const [lam, beta] = [ui.get("lam"), ui.get("beta")];
        const s = solve(lam, beta);
        drawPlan(c, lam, beta, s);
        drawFork(c, lam, beta, s);
        const paths = climbs();
        const done = shown === Infinity;
        const told = `${verdict(lam, beta, s)} ${done ? journey(s, paths.at(-1)) : "Climbing …"}`;
        statement.textContent = told;
        const count = (k) => (s.saddle ? paths.filter((path) => basin(path[0]) === k).length : null);
        numbers([
          ["x_star_1", s.saddle ? "maximiser 1" : "maximiser", s.best[0].x],
          ["x_star_2", "maximiser 2", s.best[1]?.x ?? null],
          ["top", "L there", s.best[0].value],
          ["saddle", "saddle", s.saddle?.x ?? null], ["saddle_value", "L at the saddle", s.saddle?.value ?? null],
          ["critical", "the two merge at β = 4λ =", beta ? 4 * lam : null, 2],
          ["end", "last climb ended at", done && paths.length ? paths.at(-1).at(-1) : null],
          ["to_1", "starts to 1", count(1), 0], ["to_2", "starts to 2", count(2), 0],
        ]);
        if (done) ui.say(`${told} L at the maximiser is ${num(s.best[0].value)}.`);
      };
    });
  },
};
