// Shared by every figure: actmax_lib.widgets puts this file in front of each module, so it holds
// plain top-level functions and no import or export. CSS is prepended as a string constant.

const PALETTES = {
  light: {
    text: "#1d2630", muted: "#55606e", axis: "#7b8694", grid: "#e4e8ee", surface: "#ffffff",
    panel: "#f6f8fa", blue: "#0062a3", orange: "#b04500", green: "#006e56", violet: "#6b3fa8",
  },
  dark: {
    text: "#e8edf2", muted: "#a9b4c0", axis: "#8793a0", grid: "#2e3742", surface: "#121212",
    panel: "#1b1f24", blue: "#6db8f5", orange: "#f9a45c", green: "#4fcfae", violet: "#c3a2f2",
  },
};

function isDark() {
  const book = document.documentElement.dataset.theme; // Jupyter Book
  if (book === "light" || book === "dark") return book === "dark";
  const lab = document.body.dataset.jpThemeLight; // JupyterLab
  if (lab) return lab === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Element builder: keys with a dash become attributes, others properties. */
function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.includes("-")) node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children);
  return node;
}

// Every module is its own copy of the kit, so the counter has to live on the page.
const uid = () => `actmax-${(globalThis.actmaxSerial = (globalThis.actmaxSerial ?? 0) + 1)}`;

/** JupyterLab takes the arrow keys from a focused control unless the control itself says no. */
function quiet(control) {
  control.dataset.lmSuppressShortcuts = "true";
  return control;
}

/** Number as text with a true minus sign. */
function num(value, digits = 3) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "undefined";
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/**
 * Start a figure. build(ui) makes the DOM once and returns draw(palette), called whenever the
 * state, the size or the colour mode changes. Returns the clean-up function of the AFM contract.
 */
function mount({ model, el }, build) {
  if (!document.getElementById("actmax-css"))
    document.head.append(h("style", { id: "actmax-css", textContent: CSS }));
  let figure = el.closest("figure.actmax-figure");
  let root = el;
  if (!figure) {
    // Live kernel: the static page has the same frame written by Python.
    root = h("div", { className: "actmax-live" });
    figure = h("figure", { className: "actmax-figure" }, root);
    figure.append(h("p", { className: "actmax-alt", textContent: model.get("alt") }));
    figure.append(h("figcaption", { textContent: model.get("caption") }));
    el.append(figure);
  }
  const ended = [];
  let queued = 0;
  let timer = 0;
  let printing = false;
  let draw = () => {};
  const status = h("p", { className: "actmax-alt", role: "status" });
  const paint = () => {
    const palette = PALETTES[isDark() && !printing ? "dark" : "light"];
    for (const [key, value] of Object.entries(palette))
      figure.style.setProperty(`--am-${key}`, value);
    for (const sync of ui.syncs) sync();
    draw(palette);
  };
  const ui = {
    root,
    syncs: [],
    initial: (key) => first[key],
    get: (key) => model.get(key),
    redraw() {
      queued ||= requestAnimationFrame(() => {
        queued = 0;
        paint();
      });
    },
    set(changes) {
      for (const [key, value] of Object.entries(changes)) model.set(key, value);
      model.save_changes();
      ui.redraw();
    },
    /** Tell a screen reader, once the reader has stopped moving things. */
    say(text) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (status.textContent !== text) status.textContent = text;
      }, 500);
    },
    listen(target, event, handler, options) {
      target.addEventListener(event, handler, options);
      ended.push(() => target.removeEventListener(event, handler, options));
    },
    onEnd: (clean) => ended.push(clean),
  };
  const first = new Proxy({}, { get: (seen, key) => (seen[key] ??= structuredClone(model.get(key))) });
  draw = build(ui);
  root.append(status);

  const watch = new MutationObserver(ui.redraw);
  watch.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  const size = new ResizeObserver(ui.redraw);
  for (const canvas of root.querySelectorAll("canvas")) size.observe(canvas);
  ui.listen(matchMedia("(prefers-color-scheme: dark)"), "change", ui.redraw);
  ui.listen(window, "beforeprint", () => ((printing = true), paint()));
  ui.listen(window, "afterprint", () => ((printing = false), paint()));
  model.on("change", ui.redraw);
  paint();
  return () => {
    model.off("change", ui.redraw);
    watch.disconnect();
    size.disconnect();
    cancelAnimationFrame(queued);
    clearTimeout(timer);
    for (const clean of ended) clean();
  };
}

function slider(ui, parent, { name, label, min, max, step, read, write, text }) {
  const id = uid();
  const input = quiet(h("input", { type: "range", id, name, min, max, step }));
  const output = h("output", { htmlFor: id, "aria-live": "off" }); // the status line speaks
  input.addEventListener("input", () => write(Number(input.value)));
  parent.append(
    h("div", { className: "am-slider" }, h("label", { htmlFor: id, textContent: label }), output, input),
  );
  ui.syncs.push(() => {
    input.value = read();
    output.textContent = text(read());
    input.setAttribute("aria-valuetext", text(read()));
  });
  return input;
}

function select(ui, parent, { name, label, options, read, write }) {
  const id = uid();
  const input = quiet(h("select", { id, name }));
  options.forEach((text, i) => input.append(h("option", { value: i, textContent: text })));
  input.addEventListener("change", () => write(Number(input.value)));
  parent.append(h("div", { className: "am-select" }, h("label", { htmlFor: id, textContent: label }), input));
  ui.syncs.push(() => (input.value = read()));
  return input;
}

function button(parent, name, text, press) {
  const control = quiet(h("button", { type: "button", name, textContent: text }));
  control.addEventListener("click", press);
  parent.append(control);
  return control;
}

/** Numbers under the figure. rows: [name, label, number | array | null, digits?]; null hides. */
function readout(ui, parent) {
  const list = h("dl", { className: "am-readout" });
  parent.append(list);
  return (rows) => {
    list.replaceChildren(
      ...rows.filter((row) => row[2] !== null).map(([name, label, value, digits]) => {
        const entry = (v, key) =>
          h("data", { value: String(v), textContent: num(v, digits), "data-name": key });
        const parts = Array.isArray(value)
          ? ["(", ...value.flatMap((v, i) => [i ? ", " : "", entry(v, `${name}.${i}`)]), ")"]
          : [entry(value, name)];
        return h("div", {}, h("dt", { textContent: label }), h("dd", {}, ...parts));
      }),
    );
  };
}

/** Call tick() about `rate` times a second until it returns false; at once if motion is unwanted. */
function animate(ui, tick, rate = 30, done = () => {}) {
  let handle = 0;
  let last = -Infinity;
  const stop = () => cancelAnimationFrame(handle);
  const frame = (now) => {
    if (now - last >= 1000 / rate - 4) {
      last = now;
      if (!tick()) return done();
    }
    handle = requestAnimationFrame(frame);
  };
  if (calm()) {
    while (tick());
    done();
  } else handle = requestAnimationFrame(frame);
  ui.onEnd(stop);
  return stop;
}
