// uses: plot drag
// Two Gaussian classes in the plane, equal priors; class k is the one to show, j the other.
// prototype: argmax p(x|k), the mean. Surest: argmax p(k|x), on the line through the means, or none.
// x_gamma: argmax of log p(k|x) + gamma log p(x), on the same line, as every maximiser is: for a given
// distance from one mean (measured by its covariance) the other density is extremal on the line.
// logit + Omega: logits as in linear discriminant analysis where the covariance is shared (w = S^-1 mu),
// else log p(x, k); Omega = -lam |x|^2. gamma = 0 asks for certainty alone.
const DEFAULTS = {"means": [[0, 0], [3, 0]], "sd": [1, 2], "rho": 0.6, "shared": false, "show": 0,
  "gamma": 1, "lam": 0.5, "shade": 0};

const SIDE = 5; // the plane shows [-5, 5]^2
const APART = 0.3; // the means keep this distance
const OCTAVES = [-6, 6]; // gamma = 2^-6 ... 2^6, and 0 one notch below

/** argmax over t of log p(k|x) + gamma log p(x) at x = own + t (other - own). */
function along(m, gamma) {
  const at = (t) => m.logs(t)[0] + (gamma - 1) * m.marginal(t);
  const place = (i) => 2 - Math.exp(i / 60); // 1 = the other mean, then ever farther beyond the own
  let best = 0;
  for (let i = 1; i <= 600; i++) if (at(place(i)) > at(place(best))) best = i;
  let [lo, hi] = [place(best + 1), place(Math.max(best - 1, 0))];
  const golden = (Math.sqrt(5) - 1) / 2;
  while (hi - lo > 1e-9 * (1 + Math.abs(lo))) {
    const [a, b] = [hi - golden * (hi - lo), lo + golden * (hi - lo)];
    if (at(a) > at(b)) hi = b;
    else lo = a;
  }
  return (lo + hi) / 2;
}

export default {
  render(host) {
    return mount(host, (ui) => {
      const panels = h("div", { className: "am-panels am-wide" });
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      ui.root.append(panels, controls);
      const plan = plane(panels, {
        label: "Plane with two classes, the prototype, the most certain input or an arrow, the path of γ.",
        box: () => [-SIDE, SIDE, -SIDE, SIDE],
      });
      const slice = plane(panels, {
        label: "log p(k|x), log p(x) and the objective along the line through the two means.",
        box: () => [-3, 2, -9, 1],
        pad: [30, 8, 64, 42], // the legend stands above the frame, the name of t below
      });

      function covariance(i) {
        const [a, b] = ui.get("sd");
        if (!ui.get("shared")) return [(ui.get("sd")[i]) ** 2, 0, (ui.get("sd")[i]) ** 2];
        return [a * a, ui.get("rho") * a * b, b * b];
      }
      function model() {
        const [means, k] = [ui.get("means"), ui.get("show")];
        const [own, other] = [means[k], means[1 - k]];
        const gap = other.map((v, i) => v - own[i]);
        const parts = [k, 1 - k].map((i) => {
          const [a, c, b] = covariance(i);
          const det = a * b - c * c;
          const solve = ([x, y]) => [(b * x - c * y) / det, (a * y - c * x) / det];
          const size = ([x, y]) => (b * x * x - 2 * c * x * y + a * y * y) / det;
          return { a, b, c, solve, size, level: -Math.log(4 * Math.PI) - Math.log(det) / 2 };
        });
        const [A, B] = parts.map((part) => part.size(gap));
        const sum = ([p, q]) => Math.max(p, q) + Math.log1p(Math.exp(-Math.abs(p - q)));
        const m = { k, own, other, gap, parts, sum, gamma: ui.get("gamma"), lam: ui.get("lam") };
        m.alike = ui.get("shared") || ui.get("sd")[0] === ui.get("sd")[1];
        m.logs = (t) => [parts[0].level - (t * t * A) / 2, parts[1].level - ((1 - t) ** 2 * B) / 2];
        m.marginal = (t) => sum(m.logs(t));
        m.sure = (t) => m.logs(t)[0] - m.marginal(t);
        m.point = (t) => own.map((v, i) => v + t * gap[i]);
        m.joint = (x) => parts.map((part, i) => part.level - part.size(x.map((v, n) => v - [own, other][i][n])) / 2);
        // the log odds are convex along the line iff the own class is the narrower one
        m.surest = !m.alike && A > B ? -B / (A - B) : null;
        m.ring = m.surest === null ? null : m.point(m.surest);
        const w = parts[0].solve(own.map((v, i) => v - other[i])); // S^-1 (own - other): the log odds' way
        m.away = w.map((v) => v / Math.hypot(...w));
        m.t = m.gamma > 0 ? along(m, m.gamma) : m.surest;
        m.top = m.t === null ? null : m.point(m.t);
        const { a, b, c, solve } = parts[0];
        if (ui.get("shared")) m.logit = solve(own).map((v) => v / (2 * m.lam));
        else m.logit = own.map((v) => v / (1 + 2 * m.lam * a));
        m.spread = { a, b, c };
        return m;
      }
      let known = {};
      function path(m) {
        const key = JSON.stringify([m.own, m.other, m.parts.map(({ a, b, c }) => [a, b, c])]);
        if (known.key !== key) {
          const gammas = Array.from({ length: 73 }, (_, i) => 2 ** (OCTAVES[0] + i / 6));
          known = { key, points: gammas.map((g) => m.point(along(m, g))) };
        }
        return known.points;
      }

      // ---- controls
      const round = (v) => Math.round(v * 20) / 20;
      const place = (i, p) => {
        const at = p.map((v) => round(Math.max(-SIDE, Math.min(SIDE, v))));
        const means = ui.get("means").map((old, n) => (n === i ? at : old));
        if (Math.hypot(means[0][0] - means[1][0], means[0][1] - means[1][1]) >= APART) ui.set({ means });
        else ui.redraw();
      };
      for (const i of [0, 1])
        for (const n of [0, 1])
          slider(ui, controls, {
            name: `mu${i + 1}${n + 1}`, label: `mean of class ${i + 1}, x${"₁₂"[n]}`, min: -SIDE, max: SIDE,
            step: 0.05, read: () => ui.get("means")[i][n], text: (v) => num(v, 2),
            write: (v) => place(i, ui.get("means")[i].map((old, j) => (j === n ? v : old))),
          });
      const labels = [];
      for (const i of [0, 1])
        labels.push(slider(ui, controls, {
          name: `sd${i + 1}`, label: "", min: 0.5, max: 3, step: 0.05, read: () => ui.get("sd")[i],
          write: (v) => ui.set({ sd: ui.get("sd").map((old, j) => (j === i ? v : old)) }), text: (v) => num(v, 2),
        }).parentElement.querySelector("label"));
      const rho = slider(ui, controls, {
        name: "rho", label: "correlation ρ (shared)", min: -0.9, max: 0.9, step: 0.05,
        read: () => ui.get("rho"), write: (v) => ui.set({ rho: v }), text: (v) => num(v, 2),
      });
      slider(ui, controls, {
        name: "gamma", label: "weight γ of log p(x)", min: OCTAVES[0] - 0.25, max: OCTAVES[1], step: 0.25,
        read: () => (ui.get("gamma") > 0 ? Math.log2(ui.get("gamma")) : OCTAVES[0] - 0.25),
        write: (v) => ui.set({ gamma: v < OCTAVES[0] ? 0 : 2 ** v }), text: () => num(ui.get("gamma"), 3),
      });
      slider(ui, controls, {
        name: "lam", label: "penalty λ of the logit", min: 0.05, max: 2, step: 0.05,
        read: () => ui.get("lam"), write: (v) => ui.set({ lam: v }), text: (v) => num(v, 2),
      });
      const choose = (name, label, options, read, write) => select(ui, controls, { name, label, options, read, write });
      choose("show", "show", ["class 1", "class 2"], () => ui.get("show"), (v) => ui.set({ show: v }));
      choose("kind", "covariances", ["round, one each", "one for both"],
        () => Number(ui.get("shared")), (v) => ui.set({ shared: v === 1 }));
      choose("shade", "shading", ["posterior p(k|x)", "density p(x)", "objective with γ"],
        () => ui.get("shade"), (v) => ui.set({ shade: v }));
      const buttons = h("div", { className: "am-buttons" });
      controls.append(buttons);
      const keys = ["means", "sd", "rho", "shared", "show", "gamma", "lam", "shade"];
      keys.forEach((key) => ui.initial(key));
      button(buttons, "reset", "Reset", () =>
        ui.set(Object.fromEntries(keys.map((key) => [key, structuredClone(ui.initial(key))]))));
      ui.root.append(statement);
      const numbers = readout(ui, ui.root);
      draggable(ui, plan, [0, 1].map((i) => ({ get: () => ui.get("means")[i], set: (p) => place(i, p) })));

      // ---- drawing
      function shade(m, c) {
        const tints = [c.blue, c.orange].map(rgb);
        if (m.k) tints.reverse();
        const third = rgb(c.green);
        const how = ui.get("shade");
        const top = how === 1 ? Math.max(m.marginal(0), m.marginal(1)) : m.t === null ? 0 : m.logs(m.t)[0] + (m.gamma - 1) * m.marginal(m.t);
        heat(plan, (x, y) => {
          const joint = m.joint([x, y]);
          const whole = m.sum(joint);
          const p = Math.exp(joint[0] - whole);
          if (how === 2) return [third, 0.6 * Math.exp(joint[0] + (m.gamma - 1) * whole - top)];
          const strength = how === 1 ? 0.75 * Math.exp(whole - top) : 0.55 * Math.abs(2 * p - 1);
          return [p > 0.5 ? tints[0] : tints[1], Math.min(1, strength)];
        });
      }

      function ellipses(m, c) {
        const hues = [c.blue, c.orange];
        [m.k, 1 - m.k].forEach((i, n) => {
          const { a, b, c: cross } = m.parts[n];
          const low = Math.sqrt(b - (cross * cross) / a);
          for (const size of [1, 2]) {
            const ring = Array.from({ length: 65 }, (_, s) => [Math.cos((s * Math.PI) / 32), Math.sin((s * Math.PI) / 32)]);
            const [u, v] = [m.own, m.other][n];
            const points = ring.map(([p, q]) => [u + size * Math.sqrt(a) * p, v + size * ((cross / Math.sqrt(a)) * p + low * q)]);
            line(plan, points, { color: hues[i], width: 3 - size, dash: size > 1 ? [4, 4] : [] });
          }
        });
      }

      /** The name of a mark: beside it, on its other side if there is no room, never over the border. */
      function name(text, at, color, [dx, dy]) {
        if (!plan.inside(at)) return;
        plan.ctx.font = MATH;
        const half = plan.ctx.measureText(text).width / 2 + 4;
        const x = Math.max(plan.left + half, Math.min(plan.left + plan.width - half, plan.px(at[0]) + dx));
        const y = plan.py(at[1]);
        const room = y + dy > plan.top + 10 && y + dy < plan.top + plan.height - 10;
        label(plan, text, x, y + (room ? dy : -dy), { color, font: MATH });
      }

      /** A point outside the frame, or at infinity: an arrow to the border from the own mean. */
      function leave(m, way, text, color) {
        const room = way.map((v, i) => (v > 0 ? SIDE - m.own[i] : v < 0 ? -SIDE - m.own[i] : Infinity) / v);
        const reach = 0.96 * Math.min(...room.map((v) => (Number.isFinite(v) ? v : Infinity)));
        const tip = m.own.map((v, i) => v + reach * way[i]);
        arrow(plan, m.own, tip, { color, width: 2.5 });
        const [x, y] = [plan.px(tip[0]), plan.py(tip[1])];
        plan.ctx.font = FONT;
        const half = plan.ctx.measureText(text).width / 2 + 4;
        const inside = (v, lo, size, edge) => Math.max(lo + edge, Math.min(lo + size - edge, v));
        const short = Math.hypot(x - plan.px(m.own[0]), y - plan.py(m.own[1])) < 60; // the mean's name is there
        const off = (short ? 44 : 16) * (y > plan.top + plan.height - 30 ? -1 : 1);
        label(plan, text, inside(x, plan.left, plan.width, half), inside(y + off, plan.top, plan.height, 12), { color });
      }

      function drawPlan(m, c) {
        plan.begin(c);
        plan.clip(() => {
          shade(m, c);
          line(plan, [[-SIDE, 0], [SIDE, 0]], { color: c.muted, width: 1, dash: [2, 4] });
          line(plan, [[0, -SIDE], [0, SIDE]], { color: c.muted, width: 1, dash: [2, 4] });
          ellipses(m, c);
        });
        axes(plan, { x: "x₁", y: "x₂", grid: false });
        plan.clip(() => {
          if (m.ring === null) leave(m, m.away, "runs away", c.violet);
          else if (!plan.inside(m.ring)) leave(m, m.gap.map((v) => -v), "surest: outside", c.violet);
          line(plan, path(m), { color: c.green, width: 3 });
          if (plan.inside(m.logit)) mark(plan, m.logit, { color: c.text, shape: "cross", size: 6 });
          mark(plan, m.other, { color: [c.orange, c.blue][m.k], size: 7 });
          mark(plan, m.own, { color: [c.blue, c.orange][m.k], shape: "star", size: 14 });
          if (m.ring) mark(plan, m.ring, { color: c.violet, shape: "ring", size: 8 });
          if (m.top) mark(plan, m.top, { color: c.green, size: 5.5 });
        });
        const hues = [c.blue, c.orange];
        const side = m.logit[1] > m.own[1] ? -1 : 1; // of the cross: below the star or above it
        name("logit − λ|x|²", m.logit, c.text, [0, 18 * side]);
        name(`μ${"₁₂"[m.k]}`, m.own, hues[m.k], [0, -24 * side]);
        name(`μ${"₁₂"[1 - m.k]}`, m.other, hues[1 - m.k], [0, -22 * side]);
        if (m.ring) name("surest", m.ring, c.violet, [0, -20 * side]);
        if (m.top) name("γ", m.top, c.green, [13, 12 * side]);
      }

      function drawSlice(m, c) {
        slice.begin(c);
        axes(slice, { x: "", y: "" });
        label(slice, "t: own mean at 0, other at 1", slice.left + slice.width / 2, slice.top + slice.height + 31, { font: MATH });
        const climbed = (t) => m.logs(t)[0] + (m.gamma - 1) * m.marginal(t);
        const tops = [0, Math.max(m.marginal(0), m.marginal(1)), m.t === null ? 0 : climbed(m.t)];
        slice.clip(() => {
          curve(slice, m.sure, { color: c.violet, width: 2.5, dash: [8, 5] });
          curve(slice, (t) => m.marginal(t) - tops[1], { color: c.blue, width: 2, dash: [2, 4] });
          curve(slice, (t) => climbed(t) - tops[2], { color: c.green, width: 3 });
          mark(slice, [0, m.sure(0)], { color: [c.blue, c.orange][m.k], shape: "star", size: 11 });
          if (m.surest !== null) mark(slice, [m.surest, m.sure(m.surest)], { color: c.violet, shape: "ring", size: 7 });
          if (m.t !== null) mark(slice, [m.t, 0], { color: c.green, size: 5.5 });
        });
        const legend = [["log p(k|x)", c.violet, [8, 5]], ["log p(x), top at 0", c.blue, [2, 4]], ["L with γ, top at 0", c.green, []]];
        legend.forEach(([text, color, dash], i) => {
          const y = 18 * i - 46;
          line(slice, [[10, y], [38, y]].map(slice.data), { color, width: 2.5, dash });
          label(slice, text, slice.left + 45, slice.top + y, { align: "left", font: MATH });
        });
      }

      function verdict(m) {
        const [k, way] = [m.k + 1, Math.sign(m.gamma - 1)];
        const place = ["surer than the prototype, and less typical.", "the prototype.", "commoner than the prototype, and less sure."];
        const end = m.t === null ? "With γ = 0 there is no maximum." : `With this γ the maximum is ${place[way + 1]}`;
        if (m.alike) return `One covariance for both: p(${k}|x) rises along the arrow for ever and never reaches 1. No input is the most certain. ${end}`;
        if (m.surest === null) return `Class ${k} is the wide one: far out, in every direction, it is ever more certain. No input is the most certain. ${end}`;
        return `Class ${k} is the narrow one: its most certain input lies beyond its mean, away from the other class. ${end}`;
      }

      return (c) => {
        const m = model();
        rho.disabled = !ui.get("shared");
        labels.forEach((text, i) => (text.textContent = ui.get("shared") ? `sd of x${"₁₂"[i]}, both classes` : `sd of class ${i + 1}`));
        drawPlan(m, c);
        drawSlice(m, c);
        const told = verdict(m);
        statement.textContent = told;
        const none = m.surest === null;
        const where = (text, x) => (x && !plan.inside(x) ? `${text} (outside)` : text);
        numbers([
          ["prototype", "prototype", m.own, 2], ["p_prototype", "p(k|x) there", Math.exp(m.sure(0)), 4],
          ["surest", where("most certain", m.ring), m.ring],
          ["p_surest", none ? "sup p(k|x), not reached" : "p(k|x) there", none ? 1 : Math.exp(m.sure(m.surest)), 4],
          ["away", "runs away along", none ? m.away : null],
          ["logit", where("logit − λ|x|²", m.logit), m.logit], ["x_gamma", where("maximum for γ", m.top), m.top],
          ["p_gamma", "p(k|x) there", m.t === null ? null : Math.exp(m.sure(m.t)), 4],
          ["lost", "log p(x|k) lost", m.t === null ? null : m.logs(0)[0] - m.logs(m.t)[0]],
        ]);
        ui.say(told);
      };
    });
  },
};
