// uses: plot normals
// Langevin steps x' = x + eps/2 score(x) + sqrt(eps T) xi of many particles in the plane.
// density 0: a Gaussian with the variances VARIANCES along two turned axes; 1: two round hills.
// On the Gaussian the variance along an axis is known after every step, v' = (1 - eps/2s)^2 v + eps T,
// and in the end, T s / (1 - eps/4s) for eps < 4 s. seed: of the noise; count: of particles.
const DEFAULTS = {"density": 0, "step": 0.3, "temperature": 1.0, "seed": 1, "count": 1000};

const VARIANCES = [1, 0.25]; // along the long and the short axis
const TURN = Math.PI / 6;
const AXES = [[Math.cos(TURN), Math.sin(TURN)], [-Math.sin(TURN), Math.cos(TURN)]];
const LIMIT = 4 * Math.min(...VARIANCES);
const HILLS = [{ at: [-1.2, 0], share: 0.3 }, { at: [1.2, 0], share: 0.7 }];
const HILL = 0.25; // variance of a hill
const START = [-2.2, 1.8], START_SD = 0.15, SIDE = 3.2, LEAP = 60, FAR = 1e6;

const along = (i, [x, y]) => AXES[i][0] * x + AXES[i][1] * y;

/** log p up to a constant, and its gradient. */
const DENSITIES = [
  {
    log: (p) => -VARIANCES.reduce((sum, s, i) => sum + along(i, p) ** 2 / (2 * s), 0),
    score: (p) => {
      const pull = VARIANCES.map((s, i) => -along(i, p) / s);
      return [0, 1].map((j) => pull[0] * AXES[0][j] + pull[1] * AXES[1][j]);
    },
  },
  {
    log: (p) => Math.log(weights(p).reduce((a, b) => a + b) + 1e-300),
    score: (p) => {
      const own = weights(p);
      const total = own[0] + own[1];
      const right = total > 0 ? own[1] / total : p[0] > 0 ? 1 : 0; // far out the nearer hill pulls
      const x = (1 - right) * HILLS[0].at[0] + right * HILLS[1].at[0];
      return [(x - p[0]) / HILL, -p[1] / HILL];
    },
  },
];
const weights = ([x, y]) =>
  HILLS.map(({ at, share }) => share * Math.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * HILL)));

const spread = (values) => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
};

/** Variances along x1 and x2, and the share right of the middle, of p^(1/T) for the two hills. */
function tempered(T) {
  const n = 120, reach = 3.5;
  let [mass, right, m1, s1, s2] = [0, 0, 0, 0, 0];
  const top = DENSITIES[1].log(HILLS[1].at);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const [x, y] = [i, j].map((k) => reach * (-1 + (2 * k + 1) / n));
      const p = Math.exp((DENSITIES[1].log([x, y]) - top) / T);
      [mass, right, m1, s1, s2] = [mass + p, right + (x > 0) * p, m1 + x * p, s1 + x * x * p, s2 + y * y * p];
    }
  return { share: right / mass, variances: [s1 / mass - (m1 / mass) ** 2, s2 / mass] };
}

export default {
  render(host) {
    return mount(host, (ui) => {
      const panels = h("div", { className: "am-panels" });
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      ui.root.append(panels, controls, statement);
      // ---- state: the particles, and what they did; another seed or number starts them again
      let draw, particles, history, born;
      let running = false, said = "";
      let stop = () => {};
      const gaussian = () => ui.get("density") === 0;
      const coordinates = () =>
        [0, 1].map((i) => particles.map((p) => (gaussian() ? along(i, p) : p[i])));
      const record = (theory) => history.push({ found: coordinates().map(spread), theory });
      function restart() {
        born = `${ui.get("seed")} ${ui.get("count")} ${ui.get("density")}`;
        draw = normals(ui.get("seed"));
        particles = Array.from({ length: ui.get("count") }, () =>
          draw().map((xi, i) => START[i] + START_SD * xi));
        history = [];
        record([START_SD ** 2, START_SD ** 2]);
      }
      const lost = () => history.at(-1).found.some((v) => !(v < FAR));
      function advance() {
        const [eps, T] = [ui.get("step"), ui.get("temperature")];
        if (lost()) return false;
        const { score } = DENSITIES[ui.get("density")];
        const noise = Math.sqrt(eps * T);
        particles = particles.map((p) => {
          const [s, xi] = [score(p), draw()];
          return p.map((v, i) => v + (eps / 2) * s[i] + noise * xi[i]);
        });
        const before = history.at(-1).theory;
        record(before.map((v, i) => (1 - eps / (2 * VARIANCES[i])) ** 2 * v + eps * T));
        return true;
      }
      const leap = (n) => {
        for (let k = 0; k < n && advance(); k++);
        ui.redraw();
      };
      const halt = () => {
        stop();
        running = false;
        ui.redraw();
      };
      const play = () => {
        if (running) return halt();
        if (calm()) return leap(LEAP); // no motion wanted: the same steps at once
        running = true;
        stop = animate(ui, () => (ui.redraw(), advance()), 24, halt);
      };

      // ---- what is known
      let known = {};
      function exact() {
        const [eps, T] = [ui.get("step"), ui.get("temperature")];
        if (gaussian())
          return {
            density: VARIANCES.map((s) => T * s),
            law: VARIANCES.map((s) => (eps < 4 * s ? (T * s) / (1 - eps / (4 * s)) : T ? Infinity : null)),
          };
        if (known.T !== T) known = { T, value: T ? tempered(T) : null };
        return { density: known.value?.variances ?? [null, null], law: [null, null], share: known.value?.share ?? null };
      }
      const height = () => {
        const { density, law } = exact();
        const tops = [...density, ...law, ...history.at(-1).found].filter(Number.isFinite);
        return Math.min(Math.max(0.3, 1.5 * Math.max(...tops)), 8);
      };
      restart();
      while (history.length <= LEAP && advance());

      const plan = plane(panels, {
        label: "Plane with a density as shade and level lines, and the particles as dots.",
        box: () => [-SIDE, SIDE, -SIDE, SIDE],
      });
      const chart = plane(panels, {
        label: "Variance of the particles along two axes against the number of steps.",
        box: () => [0, Math.max(LEAP, history.length - 1), 0, height()],
      });

      // ---- controls
      slider(ui, controls, {
        name: "step", label: "step ε", min: 0.02, max: 1.2, step: 0.02, read: () => ui.get("step"),
        write: (v) => ui.set({ step: v }), text: (v) => num(v, 2),
      });
      slider(ui, controls, {
        name: "temperature", label: "temperature T", min: 0, max: 2, step: 0.05,
        read: () => ui.get("temperature"), write: (v) => ui.set({ temperature: v }),
        text: (v) => (v ? num(v, 2) : "0 (no noise)"),
      });
      select(ui, controls, {
        name: "density", label: "density", options: ["a Gaussian", "two hills"],
        read: () => ui.get("density"), write: (v) => (halt(), ui.set({ density: v })),
      });
      const buttons = h("div", { className: "am-buttons" });
      controls.append(buttons);
      const go = button(buttons, "play", "Play", play);
      button(buttons, "one", "One step", () => (halt(), leap(1)));
      button(buttons, "leap", `${LEAP} steps`, () => (halt(), leap(LEAP)));
      button(buttons, "reset", "Start again", () => (halt(), restart(), ui.redraw()));
      const numbers = readout(ui, ui.root);

      function verdict(known) {
        const [eps, T] = [ui.get("step"), ui.get("temperature")];
        if (lost()) return "The particles have left for infinity. Take a smaller step, and start again.";
        if (T === 0) return `No noise: every particle climbs to a top of the density, or tries to${eps >= LIMIT && gaussian() ? ", but the step is too long" : ""}. This is activation maximization.`;
        if (!gaussian()) return "Two hills: no formula for a finite step. The lines are those of p^(1/T), for infinitely small steps.";
        if (eps >= LIMIT) return `The step is not below the limit ${num(LIMIT, 2)}: along the short axis every step overshoots by ${eps > LIMIT ? "more than" : "as much as"} the last.`;
        const times = known.law.map((v, i) => num(v / known.density[i], 2));
        return `The variances settle at ${times[0]} and ${times[1]} times those of ${T === 1 ? "the density" : "p^(1/T)"}.`;
      }

      function drawPlan(c) {
        const { log } = DENSITIES[ui.get("density")];
        const top = gaussian() ? 0 : log(HILLS[1].at);
        plan.begin(c);
        plan.clip(() => {
          const tint = rgb(c.blue);
          heat(plan, (x, y) => [tint, 0.5 * Math.exp(log([x, y]) - top)], 80);
          contours(plan, (x, y) => log([x, y]) - top, [-0.5, -2, -4.5], { color: c.axis, width: 0.8, n: 60 });
        });
        axes(plan, { x: "x₁", y: "x₂", grid: false });
        plan.clip(() => {
          plan.ctx.fillStyle = c.text;
          plan.ctx.globalAlpha = 0.6;
          for (const [x, y] of particles) plan.ctx.fillRect(plan.px(x) - 1, plan.py(y) - 1, 2, 2);
          plan.ctx.globalAlpha = 1;
          mark(plan, START, { color: c.orange, shape: "cross", size: 5 });
        });
        label(plan, "start", plan.px(START[0]) + 10, plan.py(START[1]) - 12, { align: "left", color: c.orange });
      }

      function drawChart(c, { density, law }) {
        chart.begin(c);
        axes(chart, { x: "steps", y: "variance" });
        const ends = [chart.box[0], chart.box[1]];
        chart.clip(() => {
          [c.violet, c.green].forEach((color, i) => {
            const level = (v, dash) => Number.isFinite(v ?? NaN) && line(chart, ends.map((t) => [t, v]), { color, width: 1.5, dash });
            level(density[i], [2, 4]);
            level(law[i], [9, 4]);
            line(chart, history.map(({ found }, t) => [t, found[i]]), { color, width: 2.5 });
          });
        });
        const names = gaussian() ? ["long axis", "short axis"] : ["x₁", "x₂"];
        const legend = [[names[0], c.violet, []], [names[1], c.green, []], ["p^(1/T)", c.text, [2, 4]]];
        if (gaussian()) legend.push(["law", c.text, [9, 4]]);
        const left = chart.width - 92;
        legend.forEach(([text, color, dash], i) => {
          const y = 14 + 17 * i;
          line(chart, [[left, y], [left + 24, y]].map(chart.data), { color, width: 2, dash });
          label(chart, text, chart.left + left + 30, chart.top + y, { align: "left" });
        });
      }

      return (c) => {
        if (born !== `${ui.get("seed")} ${ui.get("count")} ${ui.get("density")}`) restart();
        const known = exact();
        drawPlan(c);
        drawChart(c, known);
        go.textContent = running ? "Pause" : "Play";
        const told = verdict(known);
        statement.textContent = told;
        const { found, theory } = history.at(-1);
        const share = particles.filter((p) => p[0] > 0).length / particles.length;
        const names = gaussian() ? ["long axis", "short axis"] : ["along x₁", "along x₂"];
        numbers([
          ["steps", "steps", history.length - 1, 0],
          ...[0, 1].flatMap((i) => [
            [`found_${i}`, `variance, ${names[i]}`, found[i]],
            [`now_${i}`, "foretold now", gaussian() ? theory[i] : null],
            [`law_${i}`, "in the end", law_of(known, i)],
            [`density_${i}`, "of p^(1/T)", known.density[i]],
          ]),
          ["share", "share on the right", gaussian() ? null : share],
          ["share_exact", "of p^(1/T)", known.share ?? null],
        ]);
        const say = running ? `Running: ${told}` : `After ${history.length - 1} steps: ${told}`;
        if (say !== said) ui.say((said = say)); // not in every frame: each call waits anew
      };

      function law_of({ law }, i) {
        return law[i];
      }
    });
  },
};
