// The same step by every engine: x + 0.1 g/|g|, in [0, 1], g the gradient of logit k. engines.py
// opens this page. Each function makes its engine ready and returns step(x) -> x, both Float32Array.

const K = 7, STEP = 0.1;
const spec = globalThis.actmaxAscent;

/** Weights as Float32Array, layer after layer, as convnet.js reads them. */
function layers(packed) {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const [q, scales, biases] = [new Int8Array(bytes(packed.weights)), ...[packed.scales, packed.biases].map((t) => new Float32Array(bytes(t)))];
  let [at, channel] = [0, 0];
  return [...spec.layers.map(([a, b, pool]) => [a, b, pool, 9]), [spec.layers.at(-1)[1], spec.classes.length, false, 1]].map(
    ([inputs, outputs, pool, taps]) => {
      const each = inputs * taps;
      const weight = Float32Array.from({ length: outputs * each }, (_, i) => q[at + i] * scales[channel + Math.floor(i / each)]);
      const bias = biases.slice(channel, channel + outputs);
      at += weight.length;
      channel += outputs;
      return { inputs, outputs, pool, weight, bias };
    });
}
const data = layers(spec.networks[0]);
const [convs, head] = [data.slice(0, -1), data.at(-1)];

const ENGINES = {
  async "typed arrays (ours)"() {
    const own = painter(convnet(spec, spec.networks[0]), 32);
    own.begin({ seed: 1, spread: 0.1 });
    return async () => own.step({ k: K, step: STEP, lam: 0, sigma: 0, eps: null }).picture;
  },

  async "onnxruntime-web"() {
    const ort = await import("./node_modules/onnxruntime-web/dist/ort.wasm.min.mjs");
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create("./step.onnx", { executionProviders: ["wasm"] });
    return async (x) => (await session.run({ x: new ort.Tensor("float32", x, [1, 3, 32, 32]) })).y.data;
  },

  "TensorFlow.js, JavaScript": () => tensorflow("cpu"),
  "TensorFlow.js, WebAssembly": () => tensorflow("wasm"),

  async "jax-js, WebAssembly"() {
    const { init, defaultDevice, jit, grad, numpy: np, lax, nn } = await import("./node_modules/@jax-js/jax/dist/index.js");
    await init("wasm");
    defaultDevice("wasm");
    const put = (a, shape) => np.array(a).reshape(shape);
    const weights = convs.map((l) => [put(l.weight, [l.outputs, l.inputs, 3, 3]), put(l.bias, [1, l.outputs, 1, 1])]);
    const [row, mean, sd] = [head.weight.slice(K * head.inputs, (K + 1) * head.inputs), spec.mean, spec.sd].map((v) =>
      put(Float32Array.from(v), [1, v.length, 1, 1]));
    const logit = (x) => {
      let y = x.sub(mean.ref).div(sd.ref);
      let side = 32;
      convs.forEach((l, n) => {
        y = lax.conv(y, weights[n][0].ref, [1, 1], "SAME").add(weights[n][1].ref);
        y = nn.softplus(y.mul(spec.beta)).div(spec.beta);
        if (l.pool) {
          side /= 2;
          y = np.max(y.reshape([1, l.outputs, side, 2, side, 2]), [3, 5]);
        }
      });
      return np.sum(y.mul(row.ref)).div(side * side);
    };
    const slope = grad(logit);
    const step = jit((x) => {
      const g = slope(x.ref);
      return np.clip(x.add(g.ref.mul(STEP).div(np.sqrt(np.sum(np.square(g))))), 0, 1);
    });
    return async (x) => {
      const y = await step(np.array(x).reshape([1, 3, 32, 32])).data();
      return Float32Array.from(y);
    };
  },
};

async function tensorflow(backend) {
  const load = (src) => new Promise((yes, no) =>
    document.head.append(Object.assign(document.createElement("script"), { src, onload: yes, onerror: no })));
  if (!globalThis.tf) await load("./node_modules/@tensorflow/tfjs/dist/tf.min.js");
  if (backend === "wasm") {
    await load("./node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js");
    tf.wasm.setWasmPaths("./node_modules/@tensorflow/tfjs-backend-wasm/dist/");
    tf.wasm.setThreadsCount(1);
  }
  await tf.setBackend(backend);
  const weights = convs.map((l) => [tf.tensor(l.weight, [l.outputs, l.inputs, 3, 3]).transpose([2, 3, 1, 0]), tf.tensor(l.bias)]);
  const row = tf.tensor(head.weight.slice(K * head.inputs, (K + 1) * head.inputs));
  const [mean, sd] = [spec.mean, spec.sd].map((v) => tf.tensor(v));
  const logit = (x) => {
    let y = x.transpose([0, 2, 3, 1]).sub(mean).div(sd);
    let side = 32;
    convs.forEach((l, n) => {
      y = tf.conv2d(y, weights[n][0], 1, "same").add(weights[n][1]);
      y = tf.softplus(y.mul(spec.beta)).div(spec.beta);
      if (l.pool) {
        side /= 2;
        y = tf.max(y.reshape([side, 2, side, 2, l.outputs]), [1, 3]).reshape([1, side, side, l.outputs]);
      }
    });
    return y.mul(row).sum().div(side * side);
  };
  const slope = tf.grad(logit);
  return async (x) => {
    if (tf.getBackend() !== backend) await tf.setBackend(backend);
    const y = tf.tidy(() => {
      const at = tf.tensor(x, [1, 3, 32, 32]);
      const g = slope(at);
      return at.add(g.mul(STEP).div(g.square().sum().sqrt())).clipByValue(0, 1);
    });
    const found = await y.data();
    y.dispose();
    return found;
  };
}

const names = Object.keys(ENGINES);
const ready = {};
const begin = painter(convnet(spec, spec.networks[0]), 32).begin({ seed: 1, spread: 0.1 }).picture;
let reference;

/** Make an engine ready; how far it is from ours after two steps, or why it cannot run. */
async function prepare(name) {
  try {
    const step = await ENGINES[name]();
    let x = begin;
    for (let n = 0; n < 2; n++) x = Float32Array.from(await step(x));
    reference ??= x;
    ready[name] = { step, x };
    return Math.max(...x.map((v, n) => Math.abs(v - reference[n])));
  } catch (error) {
    return String(error?.message ?? error).slice(0, 300);
  }
}

/** Milliseconds of each of so many steps. */
async function go(name, steps) {
  const one = ready[name], times = [];
  for (let n = 0; n < steps; n++) {
    const from = performance.now();
    one.x = await one.step(one.x);
    times.push(performance.now() - from);
  }
  return times;
}
