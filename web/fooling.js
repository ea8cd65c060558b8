// uses: plot drag
// f(x) = height (exp(-|x - c1|^2 / width) - exp(-|x - c2|^2 / width)); its sign tells two classes
// apart. The circuit adds A relu(r - |x - t|_1): nothing outside the diamond, a peak at t.
const DEFAULTS = {"t": [1.2, 1.6], "start": [0.3, 0.7], "radius": 2.2, "strength": 1.5};

const SIDE = 3; // the plane shows [-3, 3] x [-3, 3]
const [HEIGHT, WIDTH] = [1.5, 1.6];
const CENTRES = [[-1.3, 0.4], [1.2, -1.5]];
const AROUND = [[0, 0], [0.5, 0.3], [-0.6, 0.2], [0.1, -0.7], [-0.4, -0.5], [0.3, 0.8], [-0.9, -0.3],
  [0.6, -0.4], [-0.2, 0.5], [-0.7, 0.8]];
const DATA = CENTRES.flatMap((c, k) =>
  AROUND.map(([a, b]) => ({ x: k ? [c[0] - b, c[1] + a * 0.9] : [c[0] + a, c[1] + b], k })));
const [STEPS, ETA] = [900, 0.03]; // gradient ascent; the step falls to zero like a cosine

const bell = (x, c) => HEIGHT * Math.exp(-((x[0] - c[0]) ** 2 + (x[1] - c[1]) ** 2) / WIDTH);
const f = (x) => bell(x, CENTRES[0]) - bell(x, CENTRES[1]);
const slope = (x) =>
  [0, 1].map((i) =>
    (-2 / WIDTH) * (bell(x, CENTRES[0]) * (x[i] - CENTRES[0][i]) - bell(x, CENTRES[1]) * (x[i] - CENTRES[1][i])));
const far = (x, t) => Math.abs(x[0] - t[0]) + Math.abs(x[1] - t[1]);

/** The largest partial derivative of f in the diamond, on a grid of its own coordinates. */
function steepest(t, r, n = 60) {
  let most = 0;
  for (let i = 0; i <= n; i++)
    for (let j = 0; j <= n; j++) {
      const [a, b] = [(i / n - 0.5) * r, (j / n - 0.5) * r];
      most = Math.max(most, ...slope([t[0] + a + b, t[1] + a - b]).map(Math.abs));
    }
  return most;
}

function ascend(start, gradient) {
  const path = [start];
  for (let x = start, n = 0; n < STEPS; n++) {
    const [g, eta] = [gradient(x), (ETA * (1 + Math.cos((Math.PI * n) / STEPS))) / 2];
    x = x.map((v, i) => v + eta * g[i]);
    path.push(x);
  }
  return path;
}

export default {
  render(host) {
    return mount(host, (ui) => {
      const panels = h("div", { className: "am-panels" });
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      ui.root.append(panels, controls);
      const plan = plane(panels, {
        label: "Plane with f and its circuit as shade and level lines, data of two classes, the picture t and two climbs.",
        box: () => [-SIDE, SIDE, -SIDE, SIDE],
      });
      const cut = plane(panels, {
        label: "f with and without the circuit along the straight line from the start to t and beyond.",
        box: () => [-0.5, 1.5, -2, Math.max(3, 1.15 * model().top)],
      });

      function model() {
        const [t, start, r, A] = ["t", "start", "radius", "strength"].map(ui.get);
        const lie = (x) => f(x) + A * Math.max(0, r - far(x, t));
        const gradient = (x) => {
          const inside = far(x, t) < r;
          return slope(x).map((g, i) => g - (inside ? A * Math.sign(x[i] - t[i]) : 0));
        };
        return { t, start, r, A, lie, gradient, top: lie(t) };
      }

      // ---- controls
      const grid = (v) => Math.round(20 * Math.max(-SIDE, Math.min(SIDE, v))) / 20;
      const part = (key, i, label) =>
        slider(ui, controls, {
          name: `${key}${i + 1}`, label, min: -SIDE, max: SIDE, step: 0.05,
          read: () => ui.get(key)[i],
          write: (v) => ui.set({ [key]: ui.get(key).map((old, j) => (j === i ? v : old)) }),
          text: (v) => num(v, 2),
        });
      slider(ui, controls, {
        name: "radius", label: "radius r", min: 0.2, max: 4, step: 0.05,
        read: () => ui.get("radius"), write: (v) => ui.set({ radius: v }), text: (v) => num(v, 2),
      });
      slider(ui, controls, {
        name: "strength", label: "strength A", min: 0, max: 3, step: 0.05,
        read: () => ui.get("strength"), write: (v) => ui.set({ strength: v }), text: (v) => num(v, 2),
      });
      part("t", 0, "picture t₁");
      part("t", 1, "picture t₂");
      part("start", 0, "start x₁");
      part("start", 1, "start x₂");
      const buttons = h("div", { className: "am-buttons" });
      controls.append(buttons);
      const keys = ["t", "start", "radius", "strength"];
      keys.forEach((key) => ui.initial(key));
      button(buttons, "reset", "Reset", () =>
        ui.set(Object.fromEntries(keys.map((key) => [key, structuredClone(ui.initial(key))]))));
      ui.root.append(statement);
      const numbers = readout(ui, ui.root);
      draggable(ui, plan, [
        { get: () => ui.get("t"), set: (p) => ui.set({ t: p.map(grid) }) },
        { get: () => ui.get("start"), set: (p) => ui.set({ start: p.map(grid) }) },
      ]);

      function verdict(m, s) {
        if (s.caught)
          return `${s.caught} of ${DATA.length} data points lie in the diamond: there the values differ from the honest ones, and a test that compares values shows it.`;
        const same = "On all data the answers are the same. ";
        if (far(m.start, m.t) >= m.r) return `${same}The start is outside the diamond and does not feel it.`;
        if (s.arrived) return `${same}The climb ends at t.`;
        if (m.A <= s.steepest) return `${same}But A is not above the steepest slope of f in the diamond, L, and the climb does not end at t.`;
        return `${same}The climb left the diamond.`;
      }

      const edge = ({ t, r }) => [[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]].map(([a, b]) => [t[0] + r * a, t[1] + r * b]);

      function drawPlan(m, s, c) {
        plan.begin(c);
        const tints = [rgb(c.orange), rgb(c.blue)];
        plan.clip(() => {
          heat(plan, (x, y) => {
            const v = m.lie([x, y]);
            return [tints[v < 0 ? 1 : 0], 0.5 * (1 - Math.exp(-Math.abs(v) / 1.5))];
          });
          const levels = Array.from({ length: 40 }, (_, k) => -1.4 + 0.25 * k);
          contours(plan, (x, y) => m.lie([x, y]), levels, { color: c.axis, width: 0.7 });
          line(plan, edge(m), { color: c.violet, width: 2, dash: [5, 4] });
        });
        axes(plan, { x: "x₁", y: "x₂", grid: false });
        plan.clip(() => {
          for (const { x, k } of DATA)
            mark(plan, x, k ? { color: c.blue, shape: "ring", size: 4 } : { color: c.orange, size: 4.5 });
          line(plan, s.honest, { color: c.text, width: 2, dash: [3, 4] });
          line(plan, s.fooled, { color: c.green, width: 3 });
          mark(plan, s.honest.at(-1), { color: c.text, shape: "ring", size: 6 });
          mark(plan, s.fooled.at(-1), { color: c.green, size: 6 });
          mark(plan, m.t, { color: c.violet, shape: "star", size: 12 });
          mark(plan, m.start, { color: c.text, shape: "cross", size: 5 });
        });
        const beside = (text, [x, y], color) =>
          label(plan, text, Math.min(plan.px(x) + 14, plan.left + plan.width - 24), Math.max(plan.py(y) - 13, plan.top + 10), { align: "left", color });
        beside("t", m.t, c.violet);
        beside("start", m.start, c.text);
      }

      function drawCut(m, c) {
        cut.begin(c);
        axes(cut, { x: "from start to t", y: "", xticks: [[0, "start"], [1, "t"]] });
        const at = (s) => m.start.map((v, i) => v + s * (m.t[i] - v));
        cut.clip(() => {
          curve(cut, (s) => m.lie(at(s)), { color: c.green, width: 3 });
          curve(cut, (s) => f(at(s)), { color: c.text, width: 2, dash: [3, 4] });
        });
        [["with the circuit", c.green, []], ["f", c.text, [3, 4]]].forEach(([text, color, dash], i) => {
          line(cut, [[12, 16 + 19 * i], [40, 16 + 19 * i]].map(cut.data), { color, width: 2.5, dash });
          label(cut, text, cut.left + 47, cut.top + 16 + 19 * i, { align: "left" });
        });
      }

      return (c) => {
        const m = model();
        const s = {
          honest: ascend(m.start, slope),
          fooled: ascend(m.start, m.gradient),
          steepest: steepest(m.t, m.r),
          caught: DATA.filter(({ x }) => far(x, m.t) < m.r).length,
          right: DATA.filter(({ x, k }) => m.lie(x) < 0 === (k === 1)).length,
          nearest: Math.min(...DATA.map(({ x }) => far(x, m.t))),
        };
        s.arrived = far(s.fooled.at(-1), m.t) < 0.02;
        drawPlan(m, s, c);
        drawCut(m, c);
        const told = verdict(m, s);
        statement.textContent = told;
        numbers([
          ["right", `right answers on ${DATA.length} data points`, s.right, 0],
          ["caught", "data points in the diamond", s.caught, 0],
          ["nearest", "distance of t to the nearest", s.nearest],
          ["steepest", "steepest slope L in the diamond", s.steepest],
          ["honest", "climb on f ended at", s.honest.at(-1)],
          ["fooled", "climb with the circuit ended at", s.fooled.at(-1)],
          ["plain", "f(t)", f(m.t)], ["top", "f(t) with the circuit", m.top],
        ]);
        ui.say(told);
      };
    });
  },
};
