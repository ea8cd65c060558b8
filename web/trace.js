// uses: plot drag
// Estimates of the trace of H for f(v) = g.v + v.H v / 2 around x = 0, from values of f alone:
//   one-sided   2 (f(v) - f(0)) / sigma^2                 variance 4 |g|^2 / sigma^2 + 2 |H|^2
//   antithetic  (f(v) + f(-v) - 2 f(0)) / sigma^2         variance 2 |H|^2
// v ~ N(0, sigma^2 I), each estimate the mean over n probes (variance / n). H has the eigenvalues
// λ₁, λ₂ = h1, h2; |g| = gradient. The estimates are drawn here, the laws are formulas.
const DEFAULTS = {"sigma": 0.1, "gradient": 1.0, "h1": 2.0, "h2": 1.0, "probes": 1, "seed": 1};

const COUNT = 2000; // estimates in a histogram
const BINS = 80;
const MOST = 6; // probes go up to 2^6
const SIGMAS = [-2, 0]; // log10
const SDS = [-2, 3.2]; // log10, the frame of the right panel
const ANGLE = Math.PI / 6; // of the gradient to the axes of H

/** Standard normal numbers: mulberry32 and the Box-Muller transform. */
function normals(seed, count) {
  let state = Math.imul(seed, 0x9e3779b9) >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  const out = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const turn = 2 * Math.PI * uniform();
    out[i] = radius * Math.cos(turn);
    out[i + 1] = radius * Math.sin(turn);
  }
  return out;
}

function estimates(w, { sigma, gradient, h1, h2, probes }) {
  const [g1, g2] = [gradient * Math.cos(ANGLE), gradient * Math.sin(ANGLE)];
  const f = (a, b) => g1 * a + g2 * b + (h1 * a * a + h2 * b * b) / 2;
  const one = new Float64Array(COUNT);
  const two = new Float64Array(COUNT);
  const here = f(0, 0);
  for (let i = 0, k = 0; i < COUNT; i++) {
    for (let j = 0; j < probes; j++, k += 2) {
      const [a, b] = [sigma * w[k], sigma * w[k + 1]];
      const [up, down] = [f(a, b), f(-a, -b)];
      one[i] += (2 * (up - here)) / sigma ** 2 / probes;
      two[i] += (up + down - 2 * here) / sigma ** 2 / probes;
    }
  }
  return [one, two];
}

function moments(values) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const square = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
  return [mean, Math.sqrt(square)];
}

export default {
  render(host) {
    return mount(host, (ui) => {
      const panels = h("div", { className: "am-panels am-wide" });
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      ui.root.append(panels, controls);
      const keys = ["sigma", "gradient", "h1", "h2", "probes"];
      const model = () => Object.fromEntries(keys.map((key) => [key, ui.get(key)]));
      const laws = ({ gradient, h1, h2, probes }, sigma) => {
        const bend = 2 * (h1 * h1 + h2 * h2);
        return [bend + (4 * gradient ** 2) / sigma ** 2, bend].map((v) => Math.sqrt(v / probes));
      };
      let span = [-1, 1]; // of the histograms
      const bars = plane(panels, {
        label: "Histograms of the antithetic estimates, above, and of the one-sided ones, below.",
        box: () => [...span, 0, 2.3],
        pad: [8, 8, 8, 24],
      });
      const chart = plane(panels, {
        label: "Standard deviation of both estimates against sigma, logarithmic: laws and measured.",
        box: () => [SIGMAS[0] - 0.1, SIGMAS[1] + 0.1, ...SDS],
        pad: [38, 8, 8, 24],
      });

      // ---- the numbers
      let drawn = { seed: null };
      let known = { key: null };
      const measured = () => {
        const seed = ui.get("seed");
        if (drawn.seed !== seed) drawn = { seed, w: normals(seed, 2 * COUNT * 2 ** MOST) };
        const m = model();
        const key = JSON.stringify([m, seed]);
        if (known.key !== key) {
          const both = estimates(drawn.w, m);
          known = { key, both, moments: both.map(moments) };
        }
        return known;
      };

      // ---- controls
      const sigmaAt = (exponent) => 10 ** (Math.round(exponent * 20) / 20);
      slider(ui, controls, {
        name: "sigma", label: "size of the probes σ", min: SIGMAS[0], max: SIGMAS[1], step: 0.05,
        read: () => Math.log10(ui.get("sigma")), write: (v) => ui.set({ sigma: sigmaAt(v) }),
        text: () => num(ui.get("sigma"), 3),
      });
      slider(ui, controls, {
        name: "gradient", label: "gradient ‖∇f‖", min: 0, max: 4, step: 0.1,
        read: () => ui.get("gradient"), write: (v) => ui.set({ gradient: v }), text: (v) => num(v, 1),
      });
      for (const key of ["h1", "h2"])
        slider(ui, controls, {
          name: key, label: `eigenvalue ${key === "h1" ? "λ₁" : "λ₂"}`, min: -4, max: 4, step: 0.1,
          read: () => ui.get(key), write: (v) => ui.set({ [key]: v }), text: (v) => num(v, 1),
        });
      slider(ui, controls, {
        name: "probes", label: "probes averaged n", min: 0, max: MOST, step: 1,
        read: () => Math.log2(ui.get("probes")), write: (v) => ui.set({ probes: 2 ** v }),
        text: () => String(ui.get("probes")),
      });
      const buttons = h("div", { className: "am-buttons" });
      controls.append(buttons);
      button(buttons, "again", "Draw new probes", () => ui.set({ seed: ui.get("seed") + 1 }));
      ui.root.append(statement);
      const numbers = readout(ui, ui.root);

      const height = (sd) => Math.max(SDS[0], Math.log10(sd)); // an exact estimate lies on the floor
      const handle = (which) => ({
        get: () => [Math.log10(ui.get("sigma")), height(measured().moments[which][1])],
        set: ([exponent]) =>
          ui.set({ sigma: sigmaAt(Math.max(SIGMAS[0], Math.min(SIGMAS[1], exponent))) }),
      });
      draggable(ui, chart, [handle(0), handle(1)]);

      const names = ["one-sided", "antithetic"];
      const hues = (c) => [c.orange, c.blue];

      function drawBars(c, m, trace, expected, both) {
        const reach = 4 * Math.max(...expected, 0.1);
        span = [trace - reach, trace + reach];
        bars.begin(c);
        axes(bars, { x: "estimate", y: "", yticks: [] });
        const { ctx } = bars;
        both.forEach((values, i) => {
          const floor = i ? 1.32 : 0.22;
          const counts = new Array(BINS).fill(0);
          for (const v of values) {
            const bin = Math.floor(((v - span[0]) / (2 * reach)) * BINS);
            if (bin >= 0 && bin < BINS) counts[bin]++;
          }
          const top = Math.max(...counts);
          ctx.fillStyle = hues(c)[i];
          ctx.globalAlpha = 0.55;
          counts.forEach((count, bin) => {
            const left = bars.left + (bin / BINS) * bars.width;
            const tall = ((0.8 * count) / top / 2.3) * bars.height;
            ctx.fillRect(left, bars.py(floor) - tall, bars.width / BINS, tall);
          });
          ctx.globalAlpha = 1;
          const [low, high] = [trace - expected[i], trace + expected[i]];
          const ends = [[[low, floor - 0.1], [low, floor - 0.02]], [[high, floor - 0.1], [high, floor - 0.02]]];
          bars.clip(() => {
            line(bars, [[low, floor - 0.06], [high, floor - 0.06]], { color: hues(c)[i], width: 2.5 });
            for (const end of ends) line(bars, end, { color: hues(c)[i], width: 2.5 });
          });
          label(bars, names[i], bars.left + 8, bars.py(floor + 0.75), { align: "left", color: hues(c)[i] });
        });
        line(bars, [[trace, 0], [trace, 2.3]], { color: c.text, width: 1.5, dash: [5, 4] });
        label(bars, "tr H", bars.px(trace) + 6, bars.top + 12, { align: "left", font: MATH });
      }

      function drawChart(c, m, found) {
        chart.begin(c);
        const powers = (list) => list.map((k) => [k, k < 0 ? num(10 ** k, -k) : String(10 ** k)]);
        axes(chart, { x: "σ", y: "", xticks: powers([-2, -1, 0]), yticks: powers([-2, -1, 0, 1, 2, 3]) });
        label(chart, "standard deviation", chart.left + 8, chart.top + 12, { align: "left" });
        const exponents = Array.from({ length: 61 }, (_, k) => SIGMAS[0] + (k / 60) * (SIGMAS[1] - SIGMAS[0]));
        chart.clip(() => {
          for (const i of [0, 1]) {
            const law = exponents.map((e) => [e, height(laws(m, 10 ** e)[i])]);
            line(chart, law, { color: hues(c)[i], width: 2.5, dash: i ? [7, 4] : [] });
          }
        });
        const here = Math.log10(m.sigma);
        line(chart, [[here, SDS[0]], [here, SDS[1]]], { color: c.muted, width: 1 });
        for (const i of [0, 1]) mark(chart, [here, height(found[i][1])], { color: hues(c)[i], size: 6 });
      }

      function verdict(m, expected) {
        if (m.gradient === 0 && expected[1] === 0) return "f is constant: both estimates are exact.";
        if (m.gradient === 0) return "No gradient: the two estimates are one and the same.";
        if (expected[1] === 0)
          return "No curvature: the antithetic estimate is exact, the one-sided one is all gradient.";
        const times = (expected[0] / expected[1]) ** 2;
        const digits = times < 10 ? 1 : 0;
        return `One antithetic estimate is worth ${num(times, digits)} one-sided ones: so many times smaller is its variance.`;
      }

      return (c) => {
        const m = model();
        const { both, moments: found } = measured();
        const [trace, expected] = [m.h1 + m.h2, laws(m, m.sigma)];
        drawBars(c, m, trace, expected, both);
        drawChart(c, m, found);
        const told = verdict(m, expected);
        statement.textContent = told;
        numbers([
          ["trace", "tr H", trace, 1],
          ["mean_one", "one-sided: mean", found[0][0], 2], ["sd_one", "sd measured", found[0][1], 2],
          ["law_one", "sd by the law", expected[0], 2],
          ["mean_two", "antithetic: mean", found[1][0], 2], ["sd_two", "sd measured", found[1][1], 2],
          ["law_two", "sd by the law", expected[1], 2],
          ["hidden", "hidden in μh², one-sided: μ‖∇f‖² times", 4 / (m.probes * m.sigma ** 2), 0],
        ]);
        ui.say(`${told} One-sided: standard deviation ${num(found[0][1], 2)}, antithetic: ${num(found[1][1], 2)}.`);
      };
    });
  },
};
