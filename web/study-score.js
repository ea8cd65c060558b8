// What the answers of one reader say and do not say; twins of actmax_lib/study/statistics.py.

/** P(K = 0), ..., P(K = n) of a binomial variable. */
function binomial(n, p) {
  if (p <= 0 || p >= 1) return Array.from({ length: n + 1 }, (_, k) => Number(k === (p <= 0 ? 0 : n)));
  let log = n * Math.log1p(-p);
  return Array.from({ length: n + 1 }, (_, k) => {
    if (k) log += Math.log((n - k + 1) / k) + Math.log(p) - Math.log1p(-p);
    return Math.exp(log);
  });
}

const total = (values) => values.reduce((sum, v) => sum + v, 0);

/** The x in [low, high] where an increasing f passes 0. */
function root(f, low, high) {
  for (let k = 0; k < 100; k++) {
    const middle = (low + high) / 2;
    if (f(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The exact 95 % interval of Clopper and Pearson for k of n. */
function interval(k, n, level = 0.95) {
  const tail = (1 - level) / 2;
  return [
    k === 0 ? 0 : root((p) => total(binomial(n, p).slice(k)) - tail, 0, 1),
    k === n ? 1 : root((p) => tail - total(binomial(n, p).slice(0, k + 1)), 0, 1),
  ];
}

/** Φ, by its power series: exact to rounding where it is used, |x| <= 8. */
function gaussian(x) {
  let term = x;
  let sum = x;
  for (let k = 1; sum !== sum + term || k < 3; k++) sum += term *= (x * x) / (2 * k + 1);
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** d' of the share p of right answers between two alternatives: √2 Φ⁻¹(p). */
function dPrime(p) {
  if (p <= 0 || p >= 1) return p <= 0 ? -Infinity : Infinity;
  return Math.SQRT2 * root((x) => gaussian(x) - p, -8, 8);
}

/** {correct, total, value, low, high} of the answered trials that pass. */
function tally(trials, answers, test) {
  const passed = trials.map((trial, k) => [trial, answers[k]]).filter(([trial, given]) => given && test(trial, given));
  const correct = passed.filter(([trial, given]) => trial.side === given[0]).length;
  const [low, high] = passed.length ? interval(correct, passed.length) : [0, 1];
  return { correct, total: passed.length, value: correct / passed.length, low, high };
}

/**
 * What n questions a kind can tell of a difference as large as that between the shares a > b.
 * ahead, tie, behind: probabilities of what one reader sees; apart: that the two exact intervals do
 * not overlap; readers: how many find it in 4 of 5 experiments (two-sided test at 5 %), if readers
 * differ by chance alone.
 */
function resolution(n, a, b) {
  const [first, second] = [binomial(n, a), binomial(n, b)];
  const bounds = Array.from({ length: n + 1 }, (_, k) => interval(k, n));
  const found = { ahead: 0, tie: 0, behind: 0, apart: 0 };
  first.forEach((p, i) => second.forEach((q, j) => {
    found[i > j ? "ahead" : i < j ? "behind" : "tie"] += p * q;
    if (bounds[i][0] > bounds[j][1] || bounds[j][0] > bounds[i][1]) found.apart += p * q;
  }));
  const z = (dPrime(0.975) + dPrime(0.8)) / Math.SQRT2;
  found.readers = Math.ceil((z ** 2 * (a * (1 - a) + b * (1 - b))) / n / (a - b) ** 2);
  return found;
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
