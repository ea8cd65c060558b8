// The end of a session of the study: what the answers say, beside the paper's, and what they cannot.

const percent = (v) => (!Number.isFinite(v) ? "–" : v > 0 && v < 0.005 ? "under 1 %" : `${num(100 * v, 0)} %`);
const range = ([low, high], text) => `${text(low)} to ${text(high)}`;

/** A table: head of column names, rows of texts; the first of a row names it. */
function table(title, head, rows) {
  return h("table", {}, h("caption", { textContent: title }),
    h("thead", {}, h("tr", {}, ...head.map((textContent) => h("th", { scope: "col", textContent })))),
    h("tbody", {}, ...rows.map(([name, ...cells]) =>
      h("tr", {}, h("th", { scope: "row", textContent: name }),
        ...cells.map((cell) => h("td", {}, ...(Array.isArray(cell) ? cell : [cell])))))));
}

/** A number with a name, for tests and for whoever reads the page by program. */
const datum = (name, value, text) => h("data", { value: String(value), "data-name": name, textContent: text });

/** Shares by condition: a filled bar a reader, an open bar the paper, whiskers, the line of chance. */
function chart(list, found, human) {
  const kinds = ["natural", "synthetic", "none"];
  const texts = kinds.map((kind) => {
    const paper = human ? `; Borowski et al. ${percent(human[kind].value)}` : "";
    return `${KINDS[kind]}: you ${percent(found[kind].value)} (${range([found[kind].low, found[kind].high], percent)})${paper}`;
  });
  const p = plane(h("div", {}), {
    label: `Bars of the share of right answers. ${texts.join("; ")}.`, aspect: 2.1,
    box: () => [-0.6, kinds.length - 0.4, 0, 1.22], pad: [46, 8, 12, 24],
  });
  p.canvas.style.maxWidth = "34rem";
  list.push((c) => {
    p.begin(c);
    axes(p, { x: "", y: "right answers", xticks: [[0, "photographs"], [1, "synthetic"], [2, "none"]],
      yticks: [[0, "0"], [0.25, "25 %"], [0.5, "50 %"], [0.75, "75 %"], [1, "100 %"]] });
    line(p, [[p.box[0], 0.5], [p.box[1], 0.5]], { color: c.text, width: 1, dash: [5, 4] });
    const bar = (x, { value, low, high }, color, filled) => {
      if (!Number.isFinite(value)) return;
      const [a, b, top, bottom] = [p.px(x - 0.16), p.px(x + 0.16), p.py(value), p.py(0)];
      p.ctx.globalAlpha = filled ? 0.5 : 0.12;
      p.ctx.fillStyle = color;
      p.ctx.fillRect(a, top, b - a, bottom - top);
      p.ctx.globalAlpha = 1;
      Object.assign(p.ctx, { strokeStyle: color, lineWidth: 1.5 });
      p.ctx.strokeRect(a, top, b - a, bottom - top);
      line(p, [[x, low], [x, high]], { color: c.text, width: 2 });
      for (const v of [low, high]) line(p, [[x - 0.05, v], [x + 0.05, v]], { color: c.text, width: 2 });
    };
    kinds.forEach((kind, k) => {
      bar(k - (human ? 0.18 : 0), found[kind], c.blue, true);
      if (human) bar(k + 0.18, human[kind], c.orange, false);
    });
  });
  return p.canvas;
}

/** The sentences on what one reader can and cannot tell. */
function honest(found, human) {
  const { natural, synthetic } = found;
  const n = natural.total;
  const gap = 100 * (natural.value - synthetic.value);
  const own = `Photographs minus synthetic pictures is ${gap > 0 ? "+" : ""}${num(gap, 0)} points here. ` +
    (natural.low > synthetic.high || synthetic.low > natural.high
      ? "The two intervals do not overlap: that is rarely chance alone."
      : "The two intervals overlap: chance alone may have made a difference, or hidden one.");
  const close = (k, note = "") => `What ${n} questions a kind can tell: ${k} of ${n} right${note} has an interval from ${range(interval(k, n), percent)}`;
  if (!human) {
    const most = Math.round(0.75 * n);
    return [own, `${close(most)}, which ${interval(most, n)[0] < 0.5
      ? "does not even exclude guessing" : "excludes guessing and leaves much open"}.`];
  }
  const [a, b] = [human.natural.value, human.synthetic.value];
  const can = resolution(n, a, b);
  return [own,
    `${close(Math.round(a * n), `, about the ${percent(a)} of Borowski et al.,`)}. Readers exactly as good as their average ` +
    `would see natural ahead in ${percent(can.ahead)} of such sessions, equal in ${percent(can.tie)}, behind in ` +
    `${percent(can.behind)}, and the two intervals apart in ${percent(can.apart)}. About ${can.readers} of them together ` +
    "would find the difference in four experiments of five; more are needed if readers differ."];
}

/** The screen after the last question; fill(row, say) adds its buttons, say(text) writes under them. Canvases are added to list. */
function resultScreen(list, { session, trials, human, units, tilesOf, redraw, fill }) {
  const { answers, mode, seed } = session;
  const count = (test) => tally(trials, answers, test);
  const main = ({ phase }) => phase === "main";
  const found = Object.fromEntries(CONDITIONS.map((kind) => [kind, count((t) => main(t) && t.condition === kind)]));
  const cell = (name, { correct, total: all }) =>
    [datum(`${name}.correct`, correct, String(correct)), " of ", datum(`${name}.total`, all, String(all))];
  const bounds = (name, { low, high }) => [datum(`${name}.low`, low, num(100 * low, 1)), " to ", datum(`${name}.high`, high, num(100 * high, 1)), " %"];
  const paper = mode === "matching" ? human : null;
  const plusMinus = (kind) => `${percent(human.squares[kind].value)} (± ${num(100 * human.squares[kind].two, 0)})`;
  const nodes = [chart(list, found, paper)];
  nodes.push(h("p", { className: "am-where", textContent: paper
    ? "Filled: you, with the exact 95 % interval. Open: the ten participants of Borowski et al. (2021), mean ± 2 standard " +
      "errors. Dashed: chance. They were asked about the most extreme photographs only, you in a third of the questions."
    : "You, with the exact 95 % interval. Dashed: chance. Zimmermann et al. (2021) asked a similar question about another " +
      `network: ${plusMinus("synthetic")} right with synthetic pictures, ${plusMinus("none")} without examples.` }));
  nodes.push(table("Right answers by kind of example", ["", "right", "95 % interval", "d′"],
    ["natural", "synthetic", "none"].map((kind) => [KINDS[kind], cell(kind, found[kind]), bounds(kind, found[kind]), [
      datum(`${kind}.d`, dPrime(found[kind].value), num(dPrime(found[kind].value), 2)),
      h("span", { className: "am-wide", textContent: ` (${range([found[kind].low, found[kind].high].map(dPrime), (v) => num(v, 1))})` })]])));
  nodes.push(...honest(found, paper).map((textContent) => h("p", { className: "am-honest", textContent })));

  const shown = (t) => main(t) && t.condition !== "none";
  const bySure = [3, 2, 1].map((sure) => [sure, count((t, given) => shown(t) && given[1] === sure)]);
  const theirs = (sure) => ["natural", "synthetic"].map((kind) => percent(human.confidence[kind][sure - 1])).join(" / ");
  nodes.push(table("When you were …, with examples", ["", "right", "share", ...(paper ? ["Borowski et al.: photographs / synthetic"] : [])], bySure.map(([sure, one]) =>
    [SURE[sure - 1], cell(`sure.${sure}`, one), percent(one.value), ...(paper ? [theirs(sure)] : [])])));
  if (LEVELS[mode].length > 1)
    nodes.push(table("By how extreme the photographs were, with examples", ["", "right", "95 % interval"], LEVELS[mode].map((level) => {
      const one = count((t) => shown(t) && t.level === level);
      return [HARD[level], cell(`level.${level}`, one), bounds(`level.${level}`, one)];
    })));
  const caught = count(({ phase }) => phase === "catch");
  const time = median(trials.flatMap((t, k) => (main(t) && answers[k] ? [answers[k][2]] : [])));
  nodes.push(h("p", {}, "Of the ", datum("catch.total", caught.total, String(caught.total)), " questions that hid their answer in plain sight (",
    mode === "matching" ? "copies of two examples" : "a photograph without any square", "), you got ",
    datum("catch.correct", caught.correct, String(caught.correct)), ` right; careful readers miss few. Median time a question: ${num(time / 1000, 1)} s.`));
  const folded = missed(list, { session, trials, units, tilesOf });
  folded.addEventListener("toggle", redraw);
  nodes.push(folded);
  nodes.push(h("p", {}, "This session has the seed ", datum("seed", seed, String(seed)),
    ": the same seed asks the same questions in the same order."));
  const score = count(main);
  const question = h("p", { className: "am-head am-statement", tabIndex: -1,
    textContent: `${score.correct} of ${score.total} right, practice and controls not counted` });
  const row = h("div", { className: "am-buttons" });
  const doubt = h("p", { className: "am-ask", hidden: true });
  fill(row, (text) => ((doubt.hidden = !text), (doubt.textContent = text)));
  nodes.push(h("p", { className: "am-last", textContent: "The next session with this question replaces these answers in this browser. " +
    "Export them if you want to keep them." }));
  return { node: h("div", {}, question, ...nodes, row, doubt), question };
}

const HARD = { extreme: "most extreme", p90: "10th against 90th percentile", p70: "30th against 70th percentile" };

/** The questions answered wrongly, with their pictures; the surest errors first. */
function missed(list, { session, trials, units, tilesOf }) {
  const wrong = trials.filter((t, k) => session.answers[k] && t.phase !== "practice" && session.answers[k][0] !== t.side);
  wrong.sort((a, b) => session.answers[b.index - 1][1] - session.answers[a.index - 1][1]);
  const folded = h("details", {}, h("summary", { textContent: `The questions you missed (${wrong.length})` }));
  for (const trial of wrong) {
    const [given, sure] = session.answers[trial.index - 1];
    const { network, layer, channel } = units[trial.unit];
    const { least, most, pair } = tilesOf(trial);
    const what = `Channel ${channel} of ${layer}, ${network === "cifar" ? "CIFAR-10" : "ImageNet"} network; ` +
      `${KINDS[trial.condition]}; you chose ${given} (${SURE[sure - 1]}); the answer was the ${trial.side}-hand one.`;
    const strip = picture(list, {
      label: `Least activating examples, the two pictures in question, most activating examples. ${what}`, aspect: 3.6,
      paint(ctx, width, height, c) {
        if (least) (nine(ctx, least, 0, 0, height), nine(ctx, most, width - height, 0, height));
        const side = height * 0.72;
        const from = width / 2 - side - 4;
        pair.forEach((tile, n) => {
          const x = from + n * (side + 8);
          stamp(ctx, tile, x, (height - side) / 2, side);
          if ((trial.side === "right") !== Boolean(n)) return;
          Object.assign(ctx, { strokeStyle: c.green, lineWidth: 3 });
          ctx.strokeRect(x, (height - side) / 2, side, side);
        });
      },
    });
    folded.append(h("div", { className: "am-missed" }, h("p", { textContent: what }), strip));
  }
  return folded;
}
