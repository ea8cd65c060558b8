// Random numbers with a seed, the same on every machine.

/** A function that gives a number uniform in [0, 1) a call: mulberry32. */
function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A function that gives two standard normal numbers a call: Box-Muller. */
function normals(seed) {
  const uniform = uniforms(seed);
  return () => {
    const r = Math.sqrt(-2 * Math.log(1 - uniform())), a = 2 * Math.PI * uniform();
    return [r * Math.cos(a), r * Math.sin(a)];
  };
}
