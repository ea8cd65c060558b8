// The first screen of the study: what to expect, a new session, and the one the browser has kept.

const MODES = [["matching", "Which photograph activates more?"], ["occlusion", "Which gray square lowers more?"]];
const SEEN = "A unit of a network answers every picture with a number. You see nine pictures that it answers lowest " +
  "and nine that it answers highest, and ";
const WHAT = {
  matching: "say which of two other photographs it answers with the higher number.",
  occlusion: "one photograph twice, with a gray square at two places: say which square lowers the number more.",
};
const TOP_SEED = 4294967295;

const drawnSeed = () => 1 + Math.floor(Math.random() * 999999);

const SOON = 500; // ms: the second half of a double click, or a key held down, is no second press

/**
 * Nothing deletes answers at its first press. Returns ask(name, text, old, act): act() is called at
 * once where old, the session it would delete, has no answers, else at the second press of the
 * button `name`; say(text, name) says what it would do, and say("") when that is over. ask.over(old) ends
 * a question about another session than old.
 */
function asker(say) {
  let asked = "";
  let last = -Infinity;
  const about = (old) => `${old?.id}, ${old?.answers.length}`;
  const ask = (name, text, old, act) => {
    const now = performance.now();
    const soon = now - last < SOON;
    last = now;
    const next = `${name}: ${about(old)}`;
    if (old?.answers.length && asked !== next) return (asked = next), say(text, name);
    if (old?.answers.length && soon) return;
    ask.over();
    act();
  };
  ask.over = (old) => asked && !asked.endsWith(`: ${about(old)}`) && ((asked = ""), say(""));
  return ask;
}

/** What a press would delete, and how to go on. */
const deletes = (what, { answers }, keep, label) => `${what} deletes the ${answers.length} ` +
  `answer${answers.length === 1 ? "" : "s"} kept in this ${keep.works ? "browser" : "page"}. ` +
  `Export ${answers.length === 1 ? "it" : "them"} first, or press “${label}” again to go on.`;

function exporter(row, session, design) {
  return button(row, "export", "Export CSV", () => {
    const url = URL.createObjectURL(new Blob([csv(session, design)], { type: "text/csv" }));
    h("a", { href: url, download: `study-${session.mode}-${session.id}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
}

/** A button that asks, and then forgets the answers and calls gone(). */
function forgetter(row, session, keep, ask, gone) {
  const label = "Forget my answers";
  button(row, "forget", label, () => ask("forget", deletes("This", session, keep, label), session,
    () => (keep.write(session.mode, null), gone())));
}

/**
 * Made once. take(session) begins a session or takes one up again. Returns {node, notice, fresh,
 * update}: fresh(seed) begins a new session in the place of the old one, without a question;
 * update(problem) says what there is to know, or what is wrong.
 */
function startScreen(ui, { design, keep, take }) {
  const mode = () => (ui.get("mode") === "occlusion" ? "occlusion" : "matching");
  const length = () => (ui.get("length") === "full" ? "full" : "short");
  const questions = (of) => schedule(0, "matching", of, design).length;
  const fresh = (seed) => {
    const bytes = [...crypto.getRandomValues(new Uint8Array(4))];
    const id = `s${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    take({ id, seed, mode: mode(), length: length(), answers: [] });
  };
  const notice = h("p", { className: "am-statement", tabIndex: -1 });
  const doubt = h("div", { className: "am-ask", hidden: true });
  const ask = asker((text, name) => {
    doubt.hidden = !text;
    (name === "forget" ? memory : form).after(doubt); // near the button, which stays in its place
    doubt.replaceChildren();
    if (!text) return;
    const row = h("div", { className: "am-buttons" });
    exporter(row, keep.read(mode()), design);
    doubt.append(h("p", { textContent: text }), row);
    doubt.scrollIntoView({ block: "nearest", behavior: "instant" });
    ui.say(text);
  });
  const memory = h("div", {});
  const form = h("div", { className: "am-controls" });
  const question = select(ui, form, {
    name: "mode", label: "Question", options: MODES.map(([, text]) => text),
    read: () => MODES.findIndex(([name]) => name === mode()), write: (v) => ui.set({ mode: MODES[v][0] }),
  });
  question.parentElement.style.gridColumn = "1 / -1";
  question.style.flexBasis = "18rem";
  select(ui, form, {
    name: "length", label: "Length", options: ["short", "full"].map((name) => `${name}: ${questions(name)} questions`),
    read: () => Number(length() === "full"), write: (v) => ui.set({ length: ["short", "full"][v] }),
  });
  const field = uid();
  const typed = quiet(h("input", { type: "text", inputMode: "numeric", id: field, name: "seed", autocomplete: "off", placeholder: "drawn at the start" }));
  typed.value = ui.get("seed") ?? "";
  const seed = () => (/^\d{1,10}$/.test(typed.value.trim()) && Number(typed.value) <= TOP_SEED ? Number(typed.value) : null);
  const draw = () => ((typed.value = drawnSeed()), ui.redraw());
  typed.addEventListener("input", ui.redraw);
  typed.addEventListener("keydown", (event) => event.key === "Enter" && !typed.value && draw());
  form.append(h("div", { className: "am-select" }, h("label", { htmlFor: field, textContent: "Seed" }), typed));
  const buttons = h("div", { className: "am-buttons" });
  form.append(buttons);
  button(buttons, "draw", "Draw a seed", draw);
  button(buttons, "start", "Start", () => {
    const old = keep.read(mode());
    if (typed.value.trim() && seed() === null) typed.focus();
    else ask("start", old && deletes("Starting a new session", old, keep, "Start"), old, () => fresh(seed() ?? drawnSeed()));
  }).className = "am-main";

  const intro = h("p", {});
  const node = h("div", {}, intro,
    h("p", { textContent: "Some examples are photographs, some were made by activation maximization, and some " +
      "questions come without examples. After each answer you are told." }),
    memory, form, doubt, notice,
    h("p", { className: "am-where", textContent: "Your answers stay in this browser: nothing is sent anywhere, and you can stop, " +
      "export or forget them at any time. The questions are about pictures and cannot be answered without seeing them." }));

  let told = null;
  function remember() {
    const old = keep.read(mode());
    if (old && told === old.id + old.answers.length) return;
    told = old && old.id + old.answers.length;
    memory.replaceChildren();
    if (!old) return;
    const of = schedule(old.seed, old.mode, old.length, design).length;
    const done = old.answers.length === of;
    const row = h("div", { className: "am-buttons" });
    memory.className = "am-memory";
    memory.append(h("p", { textContent: done
      ? `You have answered all ${of} questions of the session with the seed ${old.seed}. A new session would delete its answers.`
      : `You have answered ${old.answers.length} of the ${of} questions of the session with the seed ${old.seed}. You can go on with it; a new session would delete its answers.` }), row);
    button(row, "resume", done ? "See the result" : "Go on with it", () => take(old)).className = "am-main";
    exporter(row, old, design);
    forgetter(row, old, keep, ask, () => (ui.redraw(), notice.focus()));
  }
  return {
    node, notice, fresh,
    update(problem) {
      remember();
      ask.over(keep.read(mode()));
      intro.textContent = SEEN + WHAT[mode()];
      memory.hidden = !memory.firstChild || told === null;
      const of = questions(length());
      const [quick, slow] = [7, 12].map((each) => Math.round((each * of) / 60)); // seconds a question
      notice.textContent = problem || (typed.value.trim() && seed() === null
        ? `The seed is a whole number from 0 to ${TOP_SEED}.`
        : `${of} questions, ${mode() === "matching" ? "two photographs each" : "one photograph each, covered at two places"}: ` +
          `${quick} to ${slow} minutes; ${typed.value.trim() ? `the seed is ${seed()}` : "a seed is drawn at the start"}.`);
      if (doubt.hidden) ui.say(notice.textContent);
    },
  };
}
