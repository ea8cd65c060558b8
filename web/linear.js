// uses: plot drag
// A linear unit with the l2 regularizer: f(x) = w.x + b, Omega(x) = -lam |x|^2, L = f + Omega.
// lam > 0: one maximiser x* = w / (2 lam); lam = 0: none (unless w = 0, where L is constant).
const DEFAULTS = {"w": [1.2, 0.8], "b": 0.0, "x": [-1.5, 1.0], "lam": 0.3, "eta": 0.2};

const SIDE = 3; // the plane shows [-3, 3] x [-3, 3]
const FAR = 12; // a climb that gets this far away is on its way to infinity

export default {
  render(host) {
    return mount(host, (ui) => {
      const panels = h("div", { className: "am-panels" });
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      ui.root.append(panels, controls);
      const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
      const norm = (a) => Math.hypot(...a);
      const model = () => {
        const [w, b, x, lam, eta] = ["w", "b", "x", "lam", "eta"].map(ui.get);
        return {
          w, b, x, lam, eta,
          f: (p) => dot(w, p) + b,
          omega: (p) => -lam * dot(p, p),
          value: (p) => dot(w, p) + b - lam * dot(p, p),
          next: x.map((v, i) => v + eta * (w[i] - 2 * lam * v)),
          best: lam > 0 ? w.map((v) => v / (2 * lam)) : null,
          top: lam > 0 ? dot(w, w) / (4 * lam) + b : norm(w) > 0 ? Infinity : b,
        };
      };

      const plan = plane(panels, {
        label: "Plane with the arrow w, the point x, the level lines of L and the maximiser.",
        box: () => [-SIDE, SIDE, -SIDE, SIDE],
      });
      const slice = plane(panels, {
        label: "f, Omega and L along the line through the origin in the direction of w.",
        box: () => [-1.4 * SIDE, 1.4 * SIDE, -6, 6],
      });

      // ---- the climb
      let trail = [];
      let stop = () => {};
      let running = false;
      const move = (changes) => {
        stop();
        running = false;
        trail = [];
        ui.set(changes);
      };
      const step = () => {
        const m = model();
        trail.push(m.x);
        ui.set({ x: m.next });
        const moved = Math.hypot(m.next[0] - m.x[0], m.next[1] - m.x[1]);
        return moved > 1e-5 && norm(m.next) < FAR && trail.length < 400;
      };
      const halt = () => {
        stop();
        running = false;
        ui.redraw();
      };
      const climb = () => {
        if (running) return halt();
        running = true;
        stop = animate(ui, step, 30, halt);
        ui.redraw();
      };

      // ---- controls
      const tenth = (v) => Math.round(v * 20) / 20;
      const bounded = (p) => p.map((v) => tenth(Math.max(-SIDE, Math.min(SIDE, v))));
      const part = (key, i, label) =>
        slider(ui, controls, {
          name: `${key}${i + 1}`, label, min: -SIDE, max: SIDE, step: 0.05,
          read: () => ui.get(key)[i],
          write: (v) => move({ [key]: ui.get(key).map((old, j) => (j === i ? v : old)) }),
          text: (v) => num(v, 2),
        });
      slider(ui, controls, {
        name: "lam", label: "penalty λ", min: 0, max: 2, step: 0.05, read: () => ui.get("lam"),
        write: (v) => move({ lam: v }), text: (v) => (v ? num(v, 2) : "0 (none)"),
      });
      slider(ui, controls, {
        name: "eta", label: "step size η", min: 0.02, max: 1.2, step: 0.02,
        read: () => ui.get("eta"), write: (v) => move({ eta: v }), text: (v) => num(v, 2),
      });
      part("w", 0, "weight w₁");
      part("w", 1, "weight w₂");
      part("x", 0, "point x₁");
      part("x", 1, "point x₂");
      const buttons = h("div", { className: "am-buttons" });
      controls.append(buttons);
      const go = button(buttons, "climb", "Climb", climb);
      button(buttons, "step", "One step", () => (halt(), step()));
      const keys = ["w", "x", "lam", "eta"];
      keys.forEach((key) => ui.initial(key));
      button(buttons, "reset", "Reset", () =>
        move(Object.fromEntries(keys.map((key) => [key, structuredClone(ui.initial(key))]))),
      );
      ui.root.append(statement);
      const numbers = readout(ui, ui.root);
      draggable(ui, plan, [
        { get: () => ui.get("x"), set: (p) => move({ x: bounded(p) }) },
        { get: () => ui.get("w"), set: (p) => move({ w: bounded(p) }) },
      ]);

      function verdict(m) {
        if (!m.best && norm(m.w) === 0) return "w = 0 and λ = 0: L is constant, every x is a maximiser.";
        if (!m.best)
          return "No maximiser: L grows without bound along w. Whatever x you choose, x + w is better.";
        const one = "One maximiser, x* = w/(2λ). ";
        if (m.eta * m.lam < 1 - 1e-9) return one + "Every climb ends there, because η < 1/λ.";
        if (m.eta * m.lam < 1 + 1e-9) return one + "At η = 1/λ the climb jumps to and fro for ever.";
        return one + "The step is too long (η > 1/λ): each step overshoots by more than the last.";
      }

      function drawPlan(m, c) {
        plan.begin(c);
        plan.clip(() => {
          const tint = rgb(c.blue);
          heat(plan, (x, y) => [tint, 0.42 / (1 + Math.exp(-0.45 * m.value([x, y])))]);
          const corners = [[1, 1], [1, -1], [-1, 1], [-1, -1]].map((s) => m.value(s.map((v) => v * SIDE)));
          const highest = Math.max(...corners, m.best && plan.inside(m.best) ? m.top : -Infinity);
          const levels = highest > Math.min(...corners) ? niceTicks(Math.min(...corners), highest, 16) : [];
          contours(plan, (x, y) => m.value([x, y]), levels.map((v) => v[0]), { color: c.axis, width: 0.8 });
        });
        axes(plan, { x: "x₁", y: "x₂", grid: false });
        plan.clip(() => {
          const reach = norm(m.w) ? 9 / norm(m.w) : 0;
          line(plan, [m.w.map((v) => -v * reach), m.w.map((v) => v * reach)],
            { color: c.muted, width: 1, dash: [2, 4] });
          if (m.best && plan.inside(m.best)) mark(plan, m.best, { color: c.green, shape: "star", size: 14 });
          arrow(plan, [0, 0], m.w, { color: c.orange });
          path(plan, [...trail, m.x], c);
          if (plan.inside(m.x)) arrow(plan, m.x, m.next, { color: c.violet, width: 2.5, head: 9 });
          mark(plan, m.x, { color: c.text, size: 6 });
        });
        const ahead = Math.hypot(plan.px(m.next[0]) - plan.px(m.x[0]), plan.py(m.next[1]) - plan.py(m.x[1]));
        if (ahead > 16 && plan.inside(m.x)) name(plan, "η∇L", m.next, c.violet, [14, 14]);
        name(plan, "w", m.w, c.orange, [12, -10]);
        name(plan, "x", m.x, c.text, [13, -9]);
        if (m.best && plan.inside(m.best)) name(plan, "x*", m.best, c.green, [-17, -13]);
        else if (m.best && norm(m.w)) off(plan, m.best, "x*", c);
      }

      function path(p, points, c) {
        line(p, points, { color: c.text, width: 1.5 });
        for (const q of points.slice(0, -1)) mark(p, q, { color: c.text, size: 2.2 });
      }

      function name(p, text, at, color, [dx, dy]) {
        if (!p.inside(at)) return;
        const [x, y] = [p.px(at[0]) + dx, p.py(at[1]) + dy];
        const clamp = (v, lo, hi) => Math.max(lo, Math.min(hi, v));
        const [right, bottom] = [p.left + p.width - 10, p.top + p.height - 10];
        label(p, text, clamp(x, p.left + 10, right), clamp(y, p.top + 10, bottom), { color, font: MATH });
      }

      /** A point outside the frame: an arrow head on the border that points to it. */
      function off(p, at, text, c) {
        const scale = (0.94 * SIDE) / Math.max(Math.abs(at[0]), Math.abs(at[1]));
        const [from, to] = [0.84, 1].map((s) => at.map((v) => v * scale * s));
        arrow(p, from, to, { color: c.green });
        label(p, text, p.px(from[0]) + 9, p.py(from[1]) + 17, { color: c.green, font: MATH });
      }

      function drawSlice(m, c) {
        slice.begin(c);
        axes(slice, { x: "t along w", y: "" });
        const size = norm(m.w);
        const unit = size ? m.w.map((v) => v / size) : [1, 0];
        const on = (t) => unit.map((v) => v * t);
        const shadow = (x) => [dot(x, unit), m.value(x)];
        slice.clip(() => {
          curve(slice, (t) => m.omega(on(t)), { color: c.violet, width: 2, dash: [2, 4] });
          curve(slice, (t) => m.f(on(t)), { color: c.orange, width: 2, dash: [8, 5] });
          curve(slice, (t) => m.value(on(t)), { color: c.blue, width: 3 });
          if (m.best) mark(slice, [norm(m.best), m.top], { color: c.green, shape: "star", size: 14 });
          path(slice, [...trail, m.x].map(shadow), c);
          mark(slice, shadow(m.x), { color: c.text, size: 6 });
        });
        name(slice, "x", shadow(m.x), c.text, [13, 9]);
        if (m.best) name(slice, "x*", [norm(m.best), m.top], c.green, [0, -19]);
        const legend = [["L = f + Ω", c.blue, []], ["f", c.orange, [8, 5]], ["Ω", c.violet, [2, 4]]];
        legend.forEach(([text, color, dash], i) => {
          const y = slice.top + 16 + 19 * i;
          line(slice, [[10, 16 + 19 * i], [38, 16 + 19 * i]].map(slice.data), { color, width: 2.5, dash });
          label(slice, text, slice.left + 45, y, { align: "left", font: MATH });
        });
        const note = m.best
          ? slice.inside([norm(m.best), m.top]) ? "" : `top outside the frame, at t = ${num(norm(m.best), 2)}`
          : size ? "no top: a straight line" : "";
        if (note) label(slice, note, slice.left + slice.width - 8, slice.top + slice.height - 34, { align: "right", color: c.green });
      }

      return (c) => {
        const m = model();
        drawPlan(m, c);
        drawSlice(m, c);
        go.textContent = running ? "Stop" : "Climb";
        statement.textContent = verdict(m);
        numbers([
          ["x", "x", m.x], ["f", "f(x)", m.f(m.x)], ["omega", "Ω(x)", m.omega(m.x)], ["value", "L(x)", m.value(m.x)],
          ["x_star", "x*", m.best], ["top", m.best ? "L(x*)" : "sup L", m.top],
          ["steps", "steps climbed", trail.length || null, 0],
        ]);
        if (!running)
          ui.say(`${verdict(m)} At x = (${m.x.map((v) => num(v, 2)).join(", ")}) L is ${num(m.value(m.x))}.`);
      };
    });
  },
};
