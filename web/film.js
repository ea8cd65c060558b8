// uses: plot
// A film of ascents. films: [{name, sheet, steps, values, history, note}]: sheet is a picture of all
// frames (widgets.sprite), steps and values belong to the frames, history holds a value a step.
// frame: -1 is the last one, so that a page that nobody touches shows the picture, not the noise.
const DEFAULTS = {"films": [], "selected": 0, "frame": -1, "rate": 8, "quantity": "objective f"};

export default {
  render(host) {
    return mount(host, (ui) => {
      const panels = h("div", { className: "am-panels am-film" });
      const controls = h("div", { className: "am-controls" });
      const statement = h("p", { className: "am-statement" });
      ui.root.append(panels, controls, statement);
      const films = ui.get("films");
      const film = () => films[Math.min(ui.get("selected"), films.length - 1)];
      const frames = () => film().steps.length;
      const index = () => Math.min(ui.get("frame") < 0 ? Infinity : ui.get("frame"), frames() - 1);
      const sheets = films.map(({ sheet }) => {
        const image = new Image();
        image.onload = ui.redraw;
        image.src = sheet.src;
        return image;
      });
      const size = films[0].sheet;
      const screen = plane(panels, { label: "", box: () => [0, 1, 0, 1], aspect: size.width / size.height, pad: [0, 0, 0, 0] });
      const every = films.flatMap((f) => f.history ?? f.values);
      const reach = Math.max(...films.flatMap((f) => [f.history?.length ?? 0, ...f.steps]));
      const [least, most] = [Math.min(...every), Math.max(...every)];
      const gap = 0.08 * (most - least || 1);
      const chart = plane(panels, {
        label: "The value against the step, for every film; the mark is the frame shown.",
        box: () => [0, reach, least - gap, most + gap], pad: [36, 12, 8, 24],
      });

      let stop = null;
      const halt = () => {
        stop?.();
        stop = null;
        ui.redraw();
      };
      const play = () => {
        if (stop) return halt();
        if (index() === frames() - 1) ui.set({ frame: 0 });
        const wait = 1000 / (calm() ? Math.min(2, ui.get("rate")) : ui.get("rate"));
        const timer = setInterval(() => {
          if (index() < frames() - 1) ui.set({ frame: index() + 1 });
          if (index() === frames() - 1) halt();
        }, wait);
        stop = () => clearInterval(timer);
        ui.redraw();
      };
      ui.onEnd(() => stop?.());

      if (films.length > 1)
        select(ui, controls, {
          name: "film", label: "Class", options: films.map((f) => f.name),
          read: () => ui.get("selected"), write: (v) => ui.set({ selected: v }),
        });
      const scrub = slider(ui, controls, {
        name: "frame", label: "Frame", min: 0, max: frames() - 1, step: 1, read: index,
        write: (v) => (halt(), ui.set({ frame: v })),
        text: () => `step ${film().steps[index()]}`,
      });
      const buttons = h("div", { className: "am-buttons" });
      controls.append(buttons);
      const go = button(buttons, "play", "Play", play);
      const numbers = readout(ui, ui.root);

      const points = (f) => (f.history ? f.history.map((v, k) => [k, v]) : f.steps.map((s, k) => [s, f.values[k]]));

      return (c) => {
        const now = film();
        const k = index();
        scrub.max = frames() - 1;
        scrub.value = k;
        const { columns, width, height } = now.sheet;
        const image = sheets[films.indexOf(now)];
        screen.begin(c);
        screen.ctx.imageSmoothingEnabled = height >= 64;
        if (image.complete && image.naturalWidth)
          screen.ctx.drawImage(image, (k % columns) * width, Math.floor(k / columns) * height, width, height,
            0, 0, screen.width, screen.height);
        const told = `${now.name}, step ${now.steps[k]} of ${now.steps.at(-1)}: ${ui.get("quantity")} ${num(now.values[k], 2)}.`;
        screen.canvas.setAttribute("aria-label", `Picture of ${told}`);
        chart.begin(c);
        axes(chart, { x: "step", y: ui.get("quantity") });
        chart.clip(() => {
          for (const f of films) if (f !== now) line(chart, points(f), { color: c.axis, width: 1 });
          line(chart, points(now), { color: c.blue, width: 2.5 });
          line(chart, [[now.steps[k], chart.box[2]], [now.steps[k], chart.box[3]]], { color: c.muted, width: 1, dash: [3, 4] });
        });
        mark(chart, [now.steps[k], now.values[k]], { color: c.orange, size: 6 });
        go.textContent = stop ? "Pause" : "Play";
        statement.textContent = now.note ?? "";
        statement.hidden = !now.note;
        numbers([["step", "step", now.steps[k], 0], ["value", ui.get("quantity"), now.values[k], 3]]);
        if (!stop) ui.say(told);
      };
    });
  },
};
