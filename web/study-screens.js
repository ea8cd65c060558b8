// What a reader of the study sees while answering: pictures from sheets, trial and break.

const KINDS = { none: "no examples", natural: "photographs", synthetic: "synthetic pictures" };
const BLOCKS = {
  none: "without examples, to see what you would guess anyway",
  natural: "with photographs as examples",
  synthetic: "with synthetic pictures as examples: noise, changed step by step until the unit's value was nearly as low or as high as it would go",
};
const ASK = {
  matching: "Which of the two pictures activates the unit more?",
  occlusion: "Which of the two gray squares lowers the unit's value more?",
};
const TOLD = { matching: "activates it more", occlusion: "lowers it more" };
const SURE = ["unsure", "fairly", "sure"]; // confidence 1, 2, 3

/** One sheet, as an image, once it has come and fits; a failure can be tried again. */
function sheetOf({ src, tile, columns, rows }) {
  const held = (sheetOf.held ??= new Map());
  if (!held.has(src))
    held.set(src, new Promise((yes, no) => {
      const image = new Image();
      const name = src.startsWith("data:") ? "one of them" : src.split("/").at(-1);
      const fail = (why) => (held.delete(src), no(new Error(`${name} ${why}`)));
      image.onload = () => (image.naturalWidth === columns * tile && image.naturalHeight === rows * tile
        ? yes(image) : fail("is not of this study"));
      image.onerror = () => fail("did not come");
      image.src = src;
    }));
  return held.get(src);
}

/** A canvas that paint(ctx, width, height, palette) fills whenever the figure is drawn. */
function picture(list, { label: text, aspect = 1, paint }) {
  const p = plane(h("div", {}), { label: text, aspect, box: () => [0, 1, 0, 1], pad: [0, 0, 0, 0] });
  list.push((palette) => {
    p.begin(palette);
    p.ctx.imageSmoothingQuality = "high";
    paint(p.ctx, p.width, p.height, palette);
  });
  return p.canvas;
}

/** A tile [image, column, row, size of it] in the square of this side at (x, y). */
function stamp(ctx, [image, column, row, size], x, y, side) {
  ctx.drawImage(image, column * size, row * size, size, size, x, y, side, side);
}

/** Nine tiles in a square, three by three. */
function nine(ctx, tiles, x, y, side) {
  const gap = Math.max(1, Math.round(side / 60));
  const each = (side - 2 * gap) / 3;
  tiles.forEach((tile, k) => stamp(ctx, tile, x + (k % 3) * (each + gap), y + Math.floor(k / 3) * (each + gap), each));
}

/**
 * One question. shown: {mode, condition, least, most: nine tiles each or null, pair: [left, right]};
 * told: {at, of, where}. Calls answer(side, confidence), next(), halt(). Returns {node, question,
 * next, reveal(given side, confidence, right side)}.
 */
function trialScreen(list, { shown, told, answer, next, halt }) {
  const { mode, condition } = shown;
  const question = h("p", { className: "am-question am-statement", tabIndex: -1, textContent: ASK[mode] });
  const examples = (area, tiles) => {
    const kind = condition === "natural" ? "photographs" : "synthetic pictures";
    const box = h("div", {}, h("p", { className: "am-name", textContent: tiles ? `${area} activating` : "\u00a0" }), tiles
      ? picture(list, { label: `Nine ${kind} that activate the unit ${area}.`, paint: (ctx, width) => nine(ctx, tiles, 0, 0, width) })
      : h("div", { className: "am-none", textContent: `no examples of what activates it ${area}` }));
    box.style.cssText = `grid-area:${area};min-width:0`;
    return box;
  };
  const pair = h("div", { className: "am-pair" });
  const answers = h("div", { className: "am-answers" });
  const sides = ["left", "right"].map((side, n) => {
    const name = h("p", { className: "am-name", textContent: side });
    const group = h("div", { role: "group", "aria-label": `Answer ${side}` });
    answers.append(group);
    for (const confidence of n ? [1, 2, 3] : [3, 2, 1]) {
      const key = n ? 3 + confidence : 4 - confidence;
      const control = button(group, `${side}-${confidence}`, "", () => answer(side, confidence));
      control.append(SURE[confidence - 1], h("small", { textContent: `${side} · ${key}` }));
    }
    const what = mode === "occlusion" ? "The photograph with a gray square" : "The picture in question";
    const box = h("div", {}, name,
      picture(list, { label: `${what}, ${side}.`, paint: (ctx, width) => stamp(ctx, shown.pair[n], 0, 0, width) }));
    box.style.minWidth = "0";
    pair.append(box);
    return { side, box, name };
  });
  const foot = h("div", { className: "am-foot" });
  const hint = h("span", { className: "am-hint", textContent: "Keys 1 to 6 answer." });
  foot.append(hint);
  const go = button(foot, "next", "Go on", next);
  go.className = "am-main";
  go.hidden = true;
  button(foot, "halt", "Stop", halt);
  const node = h("div", {},
    h("div", { className: "am-where" }, h("span", { textContent: `${told.at} of ${told.of}` }), h("span", { textContent: told.where })),
    h("progress", { max: told.of, value: told.at - 1, "aria-label": "Questions answered" }),
    question, h("div", { className: "am-trial" }, examples("least", shown.least), pair, examples("most", shown.most), answers), foot);
  return {
    node, question, next,
    reveal(given, confidence, right) {
      const hit = given === right;
      question.classList.add(hit ? "am-hit" : "am-miss");
      question.textContent = `${hit ? "✓ Right" : "✗ No"}: the ${right} one ${TOLD[mode]}.`;
      for (const { side, box, name } of sides) {
        box.className = side === right ? "am-right" : side === given ? "am-wrong" : "";
        if (side === right) name.textContent = `${side} ✓`;
        else if (side === given) name.textContent = `${side} ✗`;
      }
      for (const control of answers.querySelectorAll("button")) {
        control.disabled = true;
        if (control.name === `${given}-${confidence}`) control.setAttribute("aria-pressed", "true");
      }
      hint.textContent = "Enter goes on.";
      go.hidden = false;
      go.focus({ preventScroll: true });
    },
  };
}

const HOW = "Two pictures stand between the examples, or on a small screen below them. Choose one and say how sure " +
  "you are in one act: press a button, or a key: 1, 2, 3 for the left one (sure, fairly, unsure), 4, 5, 6 for the " +
  "right one (unsure, fairly, sure). Take your time; it is measured, no more.";
const LOST = "This browser keeps nothing for this page: when you leave or reload it, your answers are lost. " +
  "Export them before.";

/**
 * Between two blocks: what was, what comes. at, of: questions answered, and all; done: tally of the
 * last block; last, part: numbers of the last block and of the next, 0 is the practice; left: questions of the next.
 */
function breakScreen({ at, of, seed, done, last, part, left, condition, keeps, next, halt }) {
  const head = h("p", { className: "am-head am-statement", tabIndex: -1, textContent: at
    ? `${at} of ${of} questions answered` : `Session with the seed ${seed}: ${of} questions` });
  const questions = `${left} question${left === 1 ? "" : "s"}`;
  const lines = at ? [`${last ? `Block ${last}` : "Practice"}${last === part ? " so far" : ""}: ${done.correct} of ${done.total} right.`] : [HOW];
  lines.push(part
    ? `${at ? "Next" : "First"}: ${questions} ${BLOCKS[condition]}.`
    : `${at ? "Next" : "First"}: ${questions} for practice, one with photographs as examples, one with synthetic pictures, one without.`);
  if (!keeps) lines.push(LOST);
  const foot = h("div", { className: "am-buttons" });
  button(foot, "next", at ? "Go on" : "Begin", next).className = "am-main";
  button(foot, "halt", "Stop", halt);
  return { node: h("div", {}, head, ...lines.map((textContent) => h("p", { textContent })), foot), question: head, next };
}
