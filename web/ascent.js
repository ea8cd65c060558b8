// uses: plot normals convnet painter
// Two networks that run in the page, side by side: plain gradient ascent of a logit, watched.
// weights: address of the script with both networks, loaded on Start. film: {sheet: {src, columns,
// size}, networks: [label], classes, steps, logit, p}, shown before, and where the networks cannot
// run; its tiles and numbers are ordered by network, class, step. eps: radius of the ball around
// the start, null for none. frame: of the film, -1 the last. lam, noise: per step, in [0, 1] units.
const DEFAULTS = {"weights": "", "film": {}, "selected": 7, "seed": 1, "spread": 0.1, "step": 0.1,
  "lam": 0, "noise": 0, "eps": null, "frame": -1, "across": 16, "down": 16, "radius": 6, "rest": 600};

const RADII = [0.25, 0.5, 1, 2, 4, 8, null];

export default {
  render(host) {
    return mount(host, (ui) => {
      const film = ui.get("film");
      const { networks, classes, steps, sheet } = film;
      const image = new Image();
      image.onload = ui.redraw;
      image.src = sheet.src;
      const within = (v, n) => Math.max(0, Math.min(n - 1, Math.round(v) || 0));
      const k = () => within(ui.get("selected"), classes.length);
      const frame = () => (ui.get("frame") < 0 ? steps.length - 1 : within(ui.get("frame"), steps.length));
      // phase: "film", "loading", "live"; why: what went wrong, once something has
      let phase = "film", why = "", running = false, wanted = false, ended = false, since = 0;
      let workers = [], shown = [], rate = null, side = sheet.size;
      let stop = () => {};

      // ---- what there is to see
      const pair = h("div", {});
      pair.style.cssText = "display:grid;grid-template-columns:1fr 1fr;gap:1rem;max-width:36rem;min-width:0";
      const screens = networks.map((name) => {
        const box = h("div", {}, h("p", { textContent: `${name} network` }));
        box.firstChild.style.cssText = "margin:0 0 0.3rem;color:var(--am-muted)";
        box.style.minWidth = "0";
        pair.append(box);
        const p = plane(box, { label: "", box: () => [0, side, side, 0], pad: [0, 0, 0, 0] });
        p.canvas.style.touchAction = "pan-y";
        return p;
      });
      const statement = h("p", { className: "am-statement" });
      const controls = h("div", { className: "am-controls" });
      const live = h("fieldset", {}, h("legend", { textContent: "The ascent" }));
      const rubber = h("fieldset", {}, h("legend", { textContent: "The eraser (or draw on a picture)" }));
      controls.style.alignItems = "start";
      ui.root.append(pair, statement);
      const numbers = readout(ui, ui.root);
      ui.root.append(controls);

      // ---- what the reader can do
      const general = h("div", {});
      controls.append(general, live, rubber);
      select(ui, general, { name: "class", label: "Class", options: classes, read: k, write: (v) => change({ selected: v }) });
      const scrub = slider(ui, general, {
        name: "frame", label: "Film", min: 0, max: steps.length - 1, step: 1, read: frame,
        write: (v) => (halt(), ui.set({ frame: v })), text: () => `step ${steps[frame()]}`,
      });
      const tuned = (name, label, most, by, digits) => slider(ui, live, {
        name, label, min: name === "step" ? by : 0, max: most, step: by, read: () => ui.get(name),
        write: (v) => change({ [name]: v }), text: (v) => (v ? num(v, digits) : "0 (none)"),
      });
      tuned("step", "step size η", 1, 0.02, 2);
      tuned("lam", "pull to gray λ", 0.2, 0.005, 3);
      tuned("noise", "noise σ", 0.05, 0.002, 3);
      slider(ui, live, {
        name: "eps", label: "farthest from the start ε", min: 0, max: RADII.length - 1, step: 1,
        read: () => {
          const given = ui.get("eps") ?? Infinity;
          return RADII.findIndex((r) => (r ?? Infinity) >= given);
        },
        write: (v) => change({ eps: RADII[v] }), text: (v) => (RADII[v] === null ? "none" : String(RADII[v])),
      });
      for (const [name, label, least, most] of [["across", "across", 0, side], ["down", "down", 0, side], ["radius", "radius", 1, side / 2]])
        slider(ui, rubber, {
          name, label, min: least, max: most, step: 1, read: () => ui.get(name),
          write: (v) => ui.set({ [name]: v }), text: (v) => `${num(v, 0)} pixels`,
        });
      const buttons = h("div", { className: "am-buttons" });
      general.append(buttons);
      const go = button(buttons, "start", "Start", () => (running || wanted ? halt() : why ? play() : start()));
      const one = button(buttons, "one", "One step", () => (halt(), begin(() => advance())));
      const rub = button(rubber, "erase", "Erase", () => (since = 0, begin(erase)));
      const again = button(buttons, "again", "Start again", () => begin(restart));
      const other = button(buttons, "other", "Other noise", () => (ui.set({ seed: ui.get("seed") + 1 }), begin(restart)));

      const change = (values) => {
        since = 0;
        ui.set(values);
      };

      // ---- both networks do the same at the same time; questions are asked one after the other
      let queue = Promise.resolve();
      const both = (ask, given) => (queue = queue.then(async () => {
        if (phase !== "live" || ended) return;
        shown = await Promise.all(workers.map((worker) => worker.ask(ask, given)));
        ui.redraw();
      }).catch(giveUp));
      const erase = () => both("erase", { across: ui.get("across"), down: ui.get("down"), radius: ui.get("radius") });
      const restart = () => ((since = 0), both("begin", { seed: ui.get("seed"), spread: ui.get("spread") }));
      const advance = () => both("step", {
        k: k(), step: ui.get("step"), lam: ui.get("lam"), sigma: ui.get("noise"), eps: ui.get("eps"),
      });

      function giveUp(error) {
        if (ended) return;
        halt();
        why = error.message;
        phase = "film";
        for (const worker of workers) worker.end();
        workers = [];
        ui.redraw();
      }
      /** Make the networks run, then do it. Loading can take a while; pressing again calls it off. */
      async function begin(then) {
        if (phase === "live") return then();
        if (phase === "loading") return;
        phase = "loading";
        ui.redraw();
        try {
          if (!ui.get("weights")) throw new Error("this page came without the weights");
          if (typeof Worker !== "function") throw new Error("this browser has no Workers");
          const spec = await fetched(ui.get("weights"));
          if (spec.networks.length !== networks.length) throw new Error("the weights are of other networks");
          if (ended) return;
          workers = spec.networks.map(employ);
          await Promise.all(workers.map((worker, n) => worker.ask("load", { spec: { ...spec, networks: null }, packed: spec.networks[n] })));
          if (ended) return;
          phase = "live";
          await restart();
          then();
        } catch (error) {
          wanted = false;
          giveUp(error);
        }
      }
      function start() {
        wanted = true;
        begin(() => (wanted ? run() : ui.redraw()));
        ui.redraw();
      }
      async function run() {
        [running, wanted, since] = [true, false, 0];
        let on = true, from = performance.now(), done = 0;
        stop = () => (on = running = false);
        ui.redraw();
        while (on && phase === "live") {
          await advance();
          done++;
          const now = performance.now();
          const due = ++since >= ui.get("rest");
          if (now - from >= 500 || (due && rate === null)) // a fast machine rests before half a second
            [rate, from, done] = [(1000 * done) / (now - from), now, 0];
          if (due) halt();
          await new Promise(requestAnimationFrame); // a page nobody sees does not compute
        }
        ui.redraw();
      }
      function halt() {
        wanted = false;
        stop();
        stop = () => {};
        running = false;
        ui.redraw();
      }
      /** The film, where it is all there is. */
      function play() {
        ui.set({ frame: 0 });
        const timer = setInterval(() => {
          if (frame() < steps.length - 1) ui.set({ frame: frame() + 1 });
          if (frame() === steps.length - 1) halt();
        }, calm() ? 1000 : 400);
        stop = () => clearInterval(timer);
        running = true;
        ui.redraw();
      }
      ui.onEnd(() => {
        ended = true;
        stop();
        for (const worker of workers) worker.end();
      });

      // ---- the eraser by hand: a tap or a stroke; an upright stroke of a finger scrolls the page
      for (const p of screens) {
        let held = false, drawn = false;
        const at = (event) => {
          const [x, y] = p.at(event).map((v) => Math.round(Math.max(0, Math.min(side, v))));
          drawn = true;
          change({ across: x, down: y });
          erase();
        };
        ui.listen(p.canvas, "pointerdown", (event) => {
          if (phase !== "live") return;
          [held, drawn] = [true, false];
          p.canvas.setPointerCapture(event.pointerId);
          if (event.pointerType !== "touch") at(event);
        });
        ui.listen(p.canvas, "pointermove", (event) => held && at(event));
        ui.listen(p.canvas, "pointerup", (event) => {
          if (held && !drawn) at(event);
          held = false;
        });
        ui.listen(p.canvas, "pointercancel", () => (held = false));
      }

      // ---- what is drawn
      const bitmap = h("canvas", {});
      function paintLive(p, { picture }) {
        [bitmap.width, bitmap.height] = [side, side];
        const area = side * side;
        const pixels = new ImageData(side, side);
        for (let n = 0; n < area; n++) {
          for (let c = 0; c < 3; c++) pixels.data[4 * n + c] = 255 * picture[c * area + n] + 0.5;
          pixels.data[4 * n + 3] = 255;
        }
        bitmap.getContext("2d").putImageData(pixels, 0, 0);
        p.ctx.drawImage(bitmap, 0, 0, p.width, p.height);
        const scale = p.width / side;
        for (const [color, dash] of [["#000", []], ["#fff", [4, 4]]]) {
          p.ctx.beginPath();
          p.ctx.arc(ui.get("across") * scale, ui.get("down") * scale, ui.get("radius") * scale, 0, 2 * Math.PI);
          Object.assign(p.ctx, { strokeStyle: color, lineWidth: 1.5 });
          p.ctx.setLineDash(dash);
          p.ctx.stroke();
        }
      }
      const share = (logits, i) => {
        const top = Math.max(...logits);
        return Math.exp(logits[i] - top) / logits.reduce((sum, v) => sum + Math.exp(v - top), 0);
      };
      const recipe = () => {
        const [lam, sigma, eps] = ["lam", "noise", "eps"].map(ui.get);
        const parts = [`steps of length ${num(ui.get("step"), 2)} along the gradient of the logit`];
        if (lam) parts.push(`a pull to gray, λ = ${num(lam, 3)}`);
        if (sigma) parts.push(`noise, σ = ${num(sigma, 3)}`);
        parts.push(eps ? `not farther than ε = ${eps} from the start` : "no other bound than [0, 1]");
        return parts.join("; ");
      };

      return (c) => {
        const isLive = phase === "live" && shown.length > 0;
        const at = (n) => (n * classes.length + k()) * steps.length + frame();
        const found = networks.map((_, n) => (isLive
          ? { logit: shown[n].logits[k()], p: share(shown[n].logits, k()), steps: shown[n].steps }
          : { logit: film.logit[at(n)], p: film.p[at(n)], steps: steps[frame()] }));
        screens.forEach((p, n) => {
          p.begin(c);
          p.ctx.imageSmoothingEnabled = false;
          p.canvas.style.cursor = isLive ? "crosshair" : "";
          if (isLive) paintLive(p, shown[n]);
          else if (image.complete && image.naturalWidth)
            p.ctx.drawImage(image, (at(n) % sheet.columns) * sheet.size, Math.floor(at(n) / sheet.columns) * sheet.size,
              sheet.size, sheet.size, 0, 0, p.width, p.height);
          p.canvas.setAttribute("aria-label", `Picture that the ${networks[n]} network draws for ${classes[k()]}, ` +
            `after ${found[n].steps} steps: logit ${num(found[n].logit, 1)}, probability ${num(found[n].p, 2)}.`);
        });
        for (const part of [live, rubber]) part.disabled = !isLive;
        again.disabled = !isLive;
        for (const control of [one, other]) control.disabled = Boolean(why);
        for (const control of [one, rub, again, other]) control.style.opacity = control.matches(":disabled") ? 0.5 : 1;
        scrub.disabled = isLive;
        scrub.parentElement.style.display = isLive ? "none" : "";
        go.textContent = running || wanted ? "Pause" : why ? "Play the film" : "Start";
        statement.textContent = phase === "loading" ? "Loading the two networks …"
          : isLive ? `${running ? "Climbing" : "Paused"} for ${classes[k()]}: ${recipe()}.`
          : why ? `The networks cannot run here (${why}). This is a film of their ascents for ${classes[k()]}, made beforehand.`
          : `A film of the ascents for ${classes[k()]}, made beforehand. Start runs both networks in this page.`;
        numbers([
          ["steps", "steps", found[0].steps, 0],
          ...networks.flatMap((name, n) => [
            [`p.${n}`, `p(${classes[k()]}), ${name}`, found[n].p, 3], [`logit.${n}`, `logit, ${name}`, found[n].logit, 2]]),
          ["rate", "steps a second", isLive ? rate : null, 0],
        ]);
        if (!running || found[0].steps % 50 === 0)
          ui.say(`${statement.textContent} Step ${found[0].steps}. ` +
            networks.map((name, n) => `${name}: probability ${num(found[n].p, 2)}`).join("; "));
      };
    });
  },
};
