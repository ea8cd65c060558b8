// uses: plot normals study-session study-score study-look study-screens study-start study-result
// The forced-choice experiment of Borowski et al. (2021), taken by the reader of the page.
// design: {version, stimuli, batches, units}; sheets: {batches: [sheet], cifar: sheet, imagenet:
// sheet}, each {src, tile, columns, rows}, loaded on Start; human: the paper's shares {value, low,
// high} by condition, by confidence, and of a like question with squares; mode, length: what the start screen proposes; seed: the
// session's, null draws one. Answers are kept by the browser, if it keeps anything.
const DEFAULTS = {"design": {}, "sheets": {}, "human": {}, "mode": "matching", "length": "short", "seed": null};

export default {
  render(host) {
    return mount(host, (ui) => {
      const [design, sheets, human] = ["design", "sheets", "human"].map(ui.get);
      const keep = keeper(design);
      const box = quiet(h("div", { className: "am-study", tabIndex: -1 }));
      ui.root.append(h("style", { textContent: LOOK }), box);
      let session = null, trials = [], block = [], images = new Map();
      // screen: what is shown, {node, question, next, open}; list: what draws its pictures; turn: counts loads called off
      let screen = null, list = [], since = 0, turn = 0, problem = "";
      const resized = new ResizeObserver(ui.redraw);
      resized.observe(box);
      ui.onEnd(() => (turn++, resized.disconnect()));

      const start = startScreen(ui, { design, keep, take });

      /** Begin a session, or take it up where it was left. */
      async function take(wanted) {
        const mine = ++turn;
        const plan = schedule(wanted.seed, wanted.mode, wanted.length, design);
        const needed = [sheets.cifar, sheets.imagenet, ...new Set(plan.map((trial) => sheets.batches[trial.batch]))];
        problem = "Loading the pictures …";
        ui.redraw();
        let loaded = [];
        try {
          loaded = await Promise.all(needed.map(sheetOf));
        } catch (error) {
          if (mine !== turn) return;
          problem = `The pictures could not be loaded: ${error.message}. Start tries again.`;
          return ui.redraw();
        }
        if (mine !== turn) return;
        images = new Map(needed.map((sheet, k) => [sheet, loaded[k]]));
        [session, trials, block, problem] = [wanted, plan, blocks(plan), ""];
        keep.write(session.mode, session);
        if (session.answers.length < trials.length) pause();
        else finish();
      }

      /** The tiles of a question: nine and nine, and the pair as it stands on the screen. */
      function tilesOf({ phase, condition, unit, batch, level, side }) {
        const sheet = sheets.batches[batch];
        const natural = (column) => [images.get(sheet), column, unit, sheet.tile];
        const { network } = design.units[unit];
        const row = design.units.slice(0, unit).filter((other) => other.network === network).length;
        const synthetic = (column) => [images.get(sheets[network]), column, row, sheets[network].tile];
        const example = condition === "synthetic" ? synthetic : natural;
        const copies = phase === "catch" && session.mode === "matching";
        const pair = (phase === "catch" ? CAUGHT[session.mode] : QUERIES[level]).map(copies ? example : natural);
        const examples = (first) => condition === "none" ? null : Array.from({ length: 9 }, (_, k) => example(first + k));
        return { least: examples(0), most: examples(9), pair: side === "right" ? pair : pair.reverse() };
      }

      function put({ node, question }) {
        box.replaceChildren(node);
        ui.redraw();
        question.focus({ preventScroll: true });
        const { top, bottom } = box.getBoundingClientRect();
        if (top < 72 || bottom > innerHeight) // below a page's bar; at once, or the next key finds it moving
          box.scrollIntoView({ block: "start", behavior: "instant" });
        ui.say(question.textContent);
      }
      function halt() {
        [screen, list, problem] = [null, [], ""];
        turn++;
        box.replaceChildren(start.node);
        ui.redraw();
        start.notice.focus({ preventScroll: true });
      }
      /** Before a block, and where a session is taken up again. */
      function pause() {
        const at = session.answers.length;
        list = [];
        const done = tally(trials, session.answers, ({ index }) => at > 0 && block[index - 1] === block[at - 1]);
        screen = breakScreen({
          at, of: trials.length, seed: session.seed, done, last: block[at - 1], part: block[at],
          left: block.filter((k, index) => k === block[at] && index >= at).length,
          condition: trials[at].condition, keeps: keep.works, next: ask, halt,
        });
        put(screen);
      }
      function ask() {
        const trial = trials[session.answers.length];
        const part = trial.phase === "practice" ? "practice" : `block ${block[trial.index - 1]} of ${block.at(-1)}`;
        list = [];
        screen = trialScreen(list, {
          shown: { ...tilesOf(trial), mode: session.mode, condition: trial.condition },
          told: { at: trial.index, of: trials.length, where: `${part}, ${KINDS[trial.condition]}` }, answer, next, halt,
        });
        screen.open = true;
        put(screen);
        since = performance.now();
      }
      function answer(side, confidence) {
        if (!screen?.open) return;
        screen.open = false;
        const trial = trials[session.answers.length];
        session.answers.push([side, confidence, Math.min(9999999999, Math.round(performance.now() - since))]);
        keep.write(session.mode, session);
        screen.reveal(side, confidence, trial.side);
        ui.say(screen.question.textContent);
      }
      function next() {
        const at = session.answers.length;
        if (at === trials.length) finish();
        else if (block[at] !== block[at - 1]) pause();
        else ask();
      }
      function finish() {
        [screen, list] = [null, []];
        const old = session;
        put(resultScreen(list, {
          session, trials, human, units: design.units, tilesOf, redraw: ui.redraw,
          fill(row, say) {
            const ask = asker((text) => (say(text), text && ui.say(text)));
            const again = (name, label, seed) => button(row, name, label, () =>
              ask(name, deletes("Starting a new session", old, keep, label), old, () => {
                ui.set({ mode: old.mode, length: old.length });
                start.fresh(seed());
              }));
            exporter(row, old, design).className = "am-main";
            again("again", "The same seed again", () => old.seed);
            again("other", "Another seed", drawnSeed);
            forgetter(row, old, keep, ask, halt);
            button(row, "halt", "Back to the start", halt);
          },
        }));
      }

      box.addEventListener("keydown", (event) => {
        if (!screen || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
        const key = Number(event.key);
        if (screen.open && key >= 1 && key <= 6 && event.key !== " ") answer(key < 4 ? "left" : "right", key < 4 ? 4 - key : key - 3);
        else if (!screen.open && /^(Enter| )$/.test(event.key) && event.target.tagName !== "BUTTON") screen.next();
        else return;
        event.preventDefault();
      });

      box.append(start.node);
      return (palette) => {
        if (box.contains(start.node)) start.update(problem);
        for (const paint of list) paint(palette);
      };
    });
  },
};
