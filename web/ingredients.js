// With and without each ingredient. switches: [{key, label, short}]; classes: [name]; combos: an object
// whose keys are strings of 0 and 1, a digit a switch ("101"), and whose values list one picture a
// class: {src, top: [[name, probability], ...], value}. Only combinations in combos can be chosen.
const DEFAULTS = {"switches": [], "classes": [], "combos": {}, "on": "", "selected": 0,
  "judge": "a network that was not used", "quantity": "objective f"};

export default {
  render(host) {
    return mount(host, (ui) => {
      const { switches, combos, classes } = Object.fromEntries(
        ["switches", "combos", "classes"].map((key) => [key, ui.get(key)]));
      const weight = (key) => [...key].filter((bit) => bit === "1").length;
      const keys = Object.keys(combos).sort((a, b) => weight(a) - weight(b) || (a < b ? 1 : -1));
      const on = () => (keys.includes(ui.get("on")) ? ui.get("on") : keys.at(-1));
      const flip = (key, i) => key.slice(0, i) + (key[i] === "1" ? "0" : "1") + key.slice(i + 1);
      const words = (key) => {
        const names = switches.filter((_, i) => key[i] === "1").map((s) => s.short ?? s.label);
        return names.length === switches.length ? "all" : names.length ? names.join(" + ") : "none";
      };

      const main = h("div", { className: "am-ingredients" });
      const picture = h("img", { className: "am-picture dark-light" });
      const side = h("div", { className: "am-side" });
      main.append(picture, side);
      ui.root.append(main);
      if (classes.length > 1)
        select(ui, side, {
          name: "class", label: "Class", options: classes,
          read: () => ui.get("selected"), write: (v) => ui.set({ selected: v }),
        });
      const group = h("fieldset", {}, h("legend", { textContent: "Ingredients" }));
      side.append(group);
      const boxes = switches.map(({ key, label: text }, i) => {
        const [id, why] = [uid(), uid()];
        const box = quiet(h("input", { type: "checkbox", id, name: key, "aria-describedby": why }));
        const reason = h("small", { id: why });
        box.addEventListener("change", () => ui.set({ on: flip(on(), i) }));
        group.append(h("div", { className: "am-check" }, box, h("label", { htmlFor: id, textContent: text }), reason));
        return { box, reason };
      });
      const verdict = h("div", { className: "am-verdict" });
      side.append(verdict);
      const rungs = h("div", { className: "am-rungs", role: "group", "aria-label": "All rendered combinations" });
      rungs.style.maxWidth = `${keys.length * 140}px`;
      ui.root.append(rungs);
      const thumbs = keys.map((key) => {
        const image = h("img", { alt: "", className: "dark-light" });
        const rung = button(rungs, `combo-${key}`, "", () => ui.set({ on: key }));
        rung.append(image, h("span", { textContent: words(key) }));
        return { key, rung, image };
      });

      return () => {
        const key = on();
        const k = Math.min(ui.get("selected"), combos[key].length - 1);
        const { src, top, value } = combos[key][k];
        if (picture.getAttribute("src") !== src) picture.src = src;
        picture.alt = `Picture made for ${classes[k]} with ${words(key)} of the ingredients.`;
        boxes.forEach(({ box, reason }, i) => {
          const there = keys.includes(flip(key, i));
          box.checked = key[i] === "1";
          box.disabled = !there;
          reason.textContent = there ? "" : `not rendered ${box.checked ? "without" : "with"} this`;
        });
        for (const { key: other, rung, image } of thumbs) {
          const small = combos[other][k].src;
          if (image.getAttribute("src") !== small) image.src = small;
          rung.setAttribute("aria-pressed", String(other === key));
        }
        const bars = top.map(([name, p]) =>
          h("div", { className: name === classes[k] ? "am-bar am-hit" : "am-bar" },
            h("span", { textContent: name }),
            h("data", { value: String(p), textContent: num(p, 2), "data-name": `p.${name}` }),
            h("i", { style: `width:${(100 * Math.max(0, Math.min(1, p))).toFixed(1)}%` })));
        const numbers = h("p", {}, `${ui.get("quantity")}: `,
          h("data", { value: String(value), textContent: num(value, 2), "data-name": "value" }));
        verdict.replaceChildren(h("p", { textContent: `What ${ui.get("judge")} says:` }), ...bars,
          ...(value === undefined || value === null ? [] : [numbers]));
        ui.say(`${picture.alt} ${ui.get("judge")} says ${top.map(([n, p]) => `${n} ${num(p, 2)}`).join(", ")}.`);
      };
    });
  },
};
