// The first screen of the study: what to expect, a new session, and the one the browser has kept.

const MODES = [["matching", "Which photograph activates more?"], ["occlusion", "Which gray square lowers more?"]];
const TOP_SEED = 4294967295;

const drawnSeed = () => 1 + Math.floor(Math.random() * 999999);

/** Export and Forget, in a row of buttons. forget() is called when the answers are gone. */
function tools(row, session, design, keep, forget) {
  button(row, "export", "Export CSV", () => {
    const url = URL.createObjectURL(new Blob([csv(session, design)], { type: "text/csv" }));
    h("a", { href: url, download: `study-${session.mode}-${session.id}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
  button(row, "forget", "Forget my answers", () => (keep.write(session.mode, null), forget()));
}

/**
 * Made once. take(session) begins a session or takes one up again. Returns {node, notice, fresh,
 * update}: fresh(seed) begins a new session, update(problem) says what there is to know, or what is wrong.
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
    if (typed.value.trim() && seed() === null) typed.focus();
    else fresh(seed() ?? drawnSeed());
  }).className = "am-main";

  const node = h("div", {},
    h("p", { textContent: "A unit of a network answers every picture with a number. You see nine pictures that it answers lowest and nine that it answers highest, " +
      "and say what it does with two others. Some examples are photographs, some were made by activation maximization, and some " +
      "questions come without examples. After each answer you are told." }),
    memory, form, notice,
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
      ? `You have answered all ${of} questions of the session with the seed ${old.seed}.`
      : `You have answered ${old.answers.length} of the ${of} questions of the session with the seed ${old.seed}. A new session takes its place.` }), row);
    button(row, "resume", done ? "See the result" : "Go on with it", () => take(old)).className = "am-main";
    tools(row, old, design, keep, () => (ui.redraw(), notice.focus()));
  }
  return {
    node, notice, fresh,
    update(problem) {
      remember();
      memory.hidden = !memory.firstChild || told === null;
      const of = questions(length());
      const [quick, slow] = [7, 12].map((each) => Math.round((each * of) / 60)); // seconds a question
      notice.textContent = problem || (typed.value.trim() && seed() === null
        ? `The seed is a whole number from 0 to ${TOP_SEED}.`
        : `${of} questions, ${mode() === "matching" ? "two photographs each" : "one photograph each, covered at two places"}: ` +
          `${quick} to ${slow} minutes; ${typed.value.trim() ? `the seed is ${seed()}` : "a seed is drawn at the start"}.`);
      ui.say(notice.textContent);
    },
  };
}
