// A small convolutional network on typed arrays: its logits, and a logit's gradient to the picture.
// It stands on its own, for `String(convnet)` is part of a Worker's source (painter.js).

/**
 * The network of zoo/cifar.py, batch norm folded: 3 x 3 convolutions with zeros around, softplus,
 * 2 x 2 max-pooling after some, the average over the picture, a linear layer.
 *
 * spec: {side, mean, sd, beta, layers: [[channels in, out, pooled?]], classes: [name]}.
 * packed: base64 of the weights as signed bytes, layer after layer, and of the scale and the bias
 * of every output channel in float32. forward(x) gives the logits of x (3 x side x side, in [0, 1]),
 * gradient(k) that of logit k at the last x. Both are overwritten by the next call.
 */
function convnet(spec, packed) {
  const TINY = 1e-25; // numbers near the end of float32 would make every product slow
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const whole = new Int8Array(bytes(packed.weights));
  const [scales, biases] = [packed.scales, packed.biases].map((text) => new Float32Array(bytes(text)));
  let [at, channel, size] = [0, 0, spec.side];
  const take = (inputs, outputs, taps) => {
    const weights = new Float32Array(outputs * inputs * taps);
    const each = inputs * taps;
    for (let i = 0; i < weights.length; i++) weights[i] = whole[at + i] * scales[channel + Math.floor(i / each)];
    const bias = biases.slice(channel, channel + outputs);
    at += weights.length;
    channel += outputs;
    return { weights, bias };
  };
  /** The kernels turned round and the channels exchanged: the same sum then leads back. */
  const transposed = (weights, inputs, outputs) => {
    const back = new Float32Array(weights.length);
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++)
        for (let t = 0; t < 9; t++) back[(i * outputs + o) * 9 + 8 - t] = weights[(o * inputs + i) * 9 + t];
    return back;
  };
  const layers = spec.layers.map(([inputs, outputs, pooled]) => {
    const { weights, bias } = take(inputs, outputs, 9);
    const wide = size;
    size = pooled ? size / 2 : size;
    return {
      inputs, outputs, wide, weights, bias, back: transposed(weights, inputs, outputs), pooled, narrow: size,
      input: new Float32Array(inputs * (wide + 2) ** 2), // with a frame of zeros
      sum: new Float32Array(outputs * wide * wide),
      slope: new Float32Array(outputs * size * size), // of the softplus
      place: new Int32Array(outputs * size * size), // in the framed picture, of the largest of four
      error: new Float32Array(outputs * (wide + 2) ** 2),
      passed: new Float32Array(inputs * wide * wide),
    };
  });
  const last = layers.at(-1);
  const head = take(last.outputs, spec.classes.length, 1);
  if (at !== whole.length || channel !== scales.length || channel !== biases.length)
    throw new Error("the weights do not fit the network");
  const features = new Float32Array(last.outputs);
  const logits = new Float32Array(spec.classes.length);

  /** target (outputs, side, side) = bias + the sum over 3 x 3 neighbours of source, which is framed. */
  function convolve(source, inputs, weights, bias, target, outputs, side) {
    const [row, area] = [side + 2, side * side];
    for (let o = 0; o < outputs; o++) {
      target.fill(bias ? bias[o] : 0, o * area, (o + 1) * area);
      for (let i = 0; i < inputs; i++) {
        const k = (o * inputs + i) * 9;
        const w0 = weights[k], w1 = weights[k + 1], w2 = weights[k + 2], w3 = weights[k + 3], w4 = weights[k + 4];
        const w5 = weights[k + 5], w6 = weights[k + 6], w7 = weights[k + 7], w8 = weights[k + 8];
        for (let y = 0; y < side; y++) {
          let [t, r] = [o * area + y * side, (i * row + y) * row];
          let a = source[r], b = source[r + 1], d = source[r + row], e = source[r + row + 1];
          let g = source[r + 2 * row], h = source[r + 2 * row + 1];
          for (const end = t + side; t < end; t++, r++) {
            const c = source[r + 2], f = source[r + row + 2], j = source[r + 2 * row + 2];
            target[t] += w0 * a + w1 * b + w2 * c + (w3 * d + w4 * e + w5 * f) + (w6 * g + w7 * h + w8 * j);
            a = b; b = c; d = e; e = f; g = h; h = j;
          }
        }
      }
    }
  }

  /** softplus(sum) into `next`, pooled first where the layer pools: softplus keeps the order. */
  function activate({ sum, slope, place, outputs, wide, narrow, pooled }, next) {
    const reach = pooled ? 2 : 1;
    for (let n = 0; n < slope.length; n++) {
      const x = n % narrow, c = Math.floor(n / (narrow * narrow));
      const y = Math.floor(n / narrow) - c * narrow;
      let best = -Infinity, where = 0;
      for (let v = y * reach; v < (y + 1) * reach; v++)
        for (let u = x * reach; u < (x + 1) * reach; u++) {
          const value = sum[(c * wide + v) * wide + u];
          if (value > best) {
            best = value;
            where = (c * (wide + 2) + v + 1) * (wide + 2) + u + 1;
          }
        }
      place[n] = where;
      const z = spec.beta * best;
      let value = Math.max(best, 0), rise = z > 0 ? 1 : 0;
      if (Math.abs(z) <= 30) { // beyond, the difference to a ReLU is below 1e-13
        const small = Math.exp(z);
        value = Math.log1p(small) / spec.beta;
        rise = small / (1 + small);
      }
      slope[n] = rise;
      if (next) next[(c * (narrow + 2) + y + 1) * (narrow + 2) + x + 1] = value;
      else features[c] += value / (narrow * narrow);
    }
  }

  function forward(x) {
    const area = spec.side ** 2;
    const row = spec.side + 2;
    for (let n = 0; n < x.length; n++) {
      const [c, y, u] = [Math.floor(n / area), Math.floor((n % area) / spec.side), n % spec.side];
      layers[0].input[(c * row + y + 1) * row + u + 1] = (x[n] - spec.mean[c]) / spec.sd[c];
    }
    features.fill(0);
    layers.forEach((layer, n) => {
      convolve(layer.input, layer.inputs, layer.weights, layer.bias, layer.sum, layer.outputs, layer.wide);
      activate(layer, layers[n + 1]?.input);
    });
    for (let k = 0; k < logits.length; k++)
      logits[k] = features.reduce((sum, v, c) => sum + v * head.weights[k * last.outputs + c], head.bias[k]);
    return logits;
  }

  function gradient(k) {
    const area = last.narrow ** 2;
    let above = Float32Array.from({ length: last.outputs * area },
      (_, n) => head.weights[k * last.outputs + Math.floor(n / area)] / area);
    for (const layer of [...layers].reverse()) {
      layer.error.fill(0);
      for (let n = 0; n < above.length; n++) {
        const error = above[n] * layer.slope[n];
        if (Math.abs(error) > TINY) layer.error[layer.place[n]] = error;
      }
      convolve(layer.error, layer.outputs, layer.back, null, layer.passed, layer.inputs, layer.wide);
      above = layer.passed;
    }
    for (let n = 0; n < above.length; n++) above[n] /= spec.sd[Math.floor(n / spec.side ** 2)];
    return above;
  }

  return { forward, gradient };
}
