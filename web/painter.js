// Pictures that climb logits, each with its network (convnet.js) in a Worker of its own.

/** A picture that climbs a logit of net. Each call answers {picture, logits, steps}. */
function painter(net, side) {
  const x = new Float32Array(3 * side * side);
  const start = new Float32Array(x.length);
  let [draw, steps, logits] = [null, 0, null];
  const noise = () => {
    const all = new Float64Array(x.length);
    for (let n = 0; n < all.length; n += 2) [all[n], all[n + 1]] = draw();
    return all;
  };
  const answer = () => {
    logits = net.forward(x);
    return { picture: x.slice(), logits: Array.from(logits), steps };
  };
  return {
    /** Gray with noise of standard deviation `spread`. */
    begin({ seed, spread }) {
      draw = normals(seed);
      noise().forEach((v, n) => (start[n] = Math.min(1, Math.max(0, 0.5 + spread * v))));
      x.set(start);
      steps = 0;
      return answer();
    },
    /** x + step g/|g| + sigma xi, g the gradient of logit k - lam |x - 1/2|^2, then ball and box. */
    step({ k, step, lam, sigma, eps }) {
      const g = net.gradient(k);
      const xi = sigma > 0 ? noise() : null;
      let [size, far] = [0, 0];
      for (let n = 0; n < x.length; n++) size += (g[n] -= 2 * lam * (x[n] - 0.5)) ** 2;
      const along = size > 0 ? step / Math.sqrt(size) : 0;
      for (let n = 0; n < x.length; n++) {
        x[n] += along * g[n] + (xi ? sigma * xi[n] : 0);
        far += (x[n] - start[n]) ** 2;
      }
      const shrink = eps && far > eps * eps ? eps / Math.sqrt(far) : 1;
      for (let n = 0; n < x.length; n++)
        x[n] = Math.min(1, Math.max(0, shrink < 1 ? start[n] + shrink * (x[n] - start[n]) : x[n]));
      steps++;
      return answer();
    },
    /** Gray in a disc; places and radius in pixels. */
    erase({ across, down, radius }) {
      for (let n = 0; n < x.length; n++)
        if (Math.hypot((n % side) + 0.5 - across, Math.floor((n % side ** 2) / side) + 0.5 - down) <= radius) x[n] = 0.5;
      return answer();
    },
    look: answer,
  };
}

/** What a network does in its Worker. */
function serve() {
  let own;
  onmessage = ({ data: { id, ask, given } }) => {
    try {
      if (ask === "load") own = painter(convnet(given.spec, given.packed), given.spec.side);
      postMessage({ id, answer: ask === "load" ? null : own[ask](given) });
    } catch (error) {
      postMessage({ id, error: error.message });
    }
  };
}

/** A Worker whose questions are promises. */
function employ() {
  const source = [uniforms, normals, convnet, painter].join("\n") + `\n(${serve})()`;
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(address);
  const open = new Map();
  const fail = (error) => {
    for (const { no } of open.values()) no(error);
    open.clear();
  };
  worker.onerror = (event) => (event.preventDefault(), fail(new Error(event.message || "no Worker")));
  worker.onmessage = ({ data: { id, answer, error } }) => {
    const { yes, no } = open.get(id);
    open.delete(id);
    error ? no(new Error(error)) : yes(answer);
  };
  let count = 0;
  return {
    ask: (ask, given) => new Promise((yes, no) => {
      open.set(++count, { yes, no });
      worker.postMessage({ id: count, ask, given });
    }),
    end: () => (worker.terminate(), URL.revokeObjectURL(address), fail(new Error("ended"))),
  };
}

/** The weights: a script, since a page on disk may not fetch. Loaded once a page. */
function fetched(address) {
  const loads = (globalThis.actmaxLoads ??= {});
  return (loads[address] ??= new Promise((yes, no) => {
    const tag = h("script", { src: address });
    tag.onload = () => (globalThis.actmaxAscent ? yes(globalThis.actmaxAscent) : no(new Error("the file of weights is empty")));
    tag.onerror = () => (delete loads[address], no(new Error("the weights are not to be had")));
    document.head.append(tag);
  }));
}
