// The trials of a session of the study and its CSV: twins of actmax_lib/study/draws.py, session.py
// and records.py, which say what and why.

const CONDITIONS = ["none", "natural", "synthetic"];
const LEVELS = { matching: ["extreme", "p90", "p70"], occlusion: ["occlusion"] };
const OFFSETS = { natural: 0, synthetic: 7, none: 13, practice: 3 };
const PER_LAYER = 2;
const COLUMNS = ["version", "stimuli", "mode", "length", "session", "seed", "trial", "of", "phase", "condition", "unit",
  "batch", "level", "side", "answer", "confidence", "correct", "rt_ms", "check"];
// columns of a batch's sheet: [wrong, right]
const QUERIES = { extreme: [18, 19], p90: [20, 21], p70: [22, 23], occlusion: [25, 24] };
const CAUGHT = { matching: [4, 13], occlusion: [19, 24] };

/** Uniform draws (normals.js) and Fisher-Yates. */
function draws(seed) {
  const uniform = uniforms(seed);
  const shuffled = (items) => {
    const mixed = [...items];
    for (let k = mixed.length - 1; k > 0; k--) {
      const j = Math.floor(uniform() * (k + 1));
      [mixed[k], mixed[j]] = [mixed[j], mixed[k]];
    }
    return mixed;
  };
  return { uniform, shuffled };
}

/** [{index, phase, condition, unit, batch, level, side}], as session.schedule in Python. */
function schedule(seed, mode, length, { units, batches }) {
  const { uniform, shuffled } = draws(seed);
  const side = () => (uniform() < 0.5 ? "left" : "right");
  const turn = uniform() < 0.5 ? ["natural", "synthetic"] : ["synthetic", "natural"];
  const layers = {};
  units.forEach((unit, u) => (layers[`${unit.name} ${unit.layer}`] ??= []).push(u));
  const asked = Object.values(layers).flatMap((layer) =>
    length === "full" ? layer : shuffled(layer.filter((u) => !units[u].picked)).slice(0, PER_LAYER));
  const kinds = LEVELS[mode];
  const order = shuffled(asked.map((_, k) => kinds[k % kinds.length]));
  const level = Object.fromEntries(asked.map((unit, k) => [unit, order[k]]));
  const main = {};
  for (const condition of CONDITIONS) {
    const mixed = shuffled(asked);
    const odd = asked.length % 2 ? [side()] : [];
    const sides = shuffled([...Array.from({ length: asked.length - odd.length }, (_, k) => (k % 2 ? "right" : "left")), ...odd]);
    main[condition] = mixed.map((unit, k) => ({ phase: "main", condition, unit, level: level[unit], side: sides[k] }));
  }
  const half = Math.ceil(asked.length / 2);
  const practice = shuffled(units.flatMap((unit, u) => (unit.picked ? [u] : []))).slice(0, CONDITIONS.length);
  const trials = ["natural", "synthetic", "none"].map((condition, k) =>
    ({ phase: "practice", condition, unit: practice[k], level: kinds[0], side: side() }));
  const spare = shuffled(units.flatMap((_, u) => (practice.includes(u) ? [] : [u])));
  ["none", ...turn, ...turn, "none"].forEach((condition, k) => {
    const block = main[condition].slice(k < 3 ? 0 : half, k < 3 ? half : undefined);
    if (condition !== "none") {
      const found = spare.findIndex((unit) => !block.some((trial) => trial.unit === unit));
      const [unit] = spare.splice(found, 1);
      const at = Math.floor(uniform() * (block.length + 1));
      block.splice(at, 0, { phase: "catch", condition, unit, level: kinds[0], side: side() });
    }
    trials.push(...block);
  });
  return trials.map((trial, k) => ({
    ...trial, index: k + 1,
    batch: (seed + OFFSETS[trial.phase === "main" ? trial.condition : "practice"]) % batches,
  }));
}

/** Number of the block of each trial: 0 is the practice, then a change of condition is a new one. */
function blocks(trials) {
  let block = 0;
  return trials.map(({ phase, condition }, k) => {
    if (phase === "practice") return 0;
    if (trials[k - 1].phase === "practice" || trials[k - 1].condition !== condition) block++;
    return block;
  });
}

function crc32(text) {
  let crc = -1;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}

/** Answers as CSV, each row's check made from the row and the check before it. */
function csv({ id, seed, mode, length, answers }, design) {
  const trials = schedule(seed, mode, length, design);
  const rows = [COLUMNS.join(",")];
  let check = "";
  answers.forEach(([answer, confidence, rt], k) => {
    const { index, phase, condition, unit, batch, level, side } = trials[k];
    const fields = [design.version, design.stimuli, mode, length, id, seed, index, trials.length, phase, condition, unit,
      batch, level, side, answer, confidence, Number(answer === side), rt].join(",");
    check = `x${crc32(`${check},${fields}`)}`;
    rows.push(`${fields},${check}`);
  });
  return rows.join("\n") + "\n";
}

/** Whether something kept by the browser is a session of this mode; never trust what is kept. */
function isSession(kept, mode, design) {
  const whole = (v, most) => Number.isInteger(v) && v >= 0 && v <= most;
  if (!kept || kept.mode !== mode || !["short", "full"].includes(kept.length) || !whole(kept.seed, 4294967295)) return false;
  if (!/^s[0-9a-f]{8}$/.test(kept.id) || !Array.isArray(kept.answers)) return false;
  if (kept.answers.length > schedule(kept.seed, mode, kept.length, design).length) return false;
  return kept.answers.every((given) => Array.isArray(given) && ["left", "right"].includes(given[0]) &&
    [1, 2, 3].includes(given[1]) && whole(given[2], 9999999999));
}

/** Where answers are kept: in the browser, or, where it keeps nothing, in the page until it is left. */
function keeper(design) {
  const here = {};
  const name = (mode) => `actmax-study:${design.stimuli}:${mode}`;
  const keep = {
    works: true,
    read(mode) {
      let found = here[mode];
      try {
        found = JSON.parse(localStorage.getItem(name(mode))) ?? found;
      } catch (error) {
        if (!(error instanceof SyntaxError)) keep.works = false;
      }
      return isSession(found, mode, design) ? found : null;
    },
    write(mode, session) {
      here[mode] = session;
      try {
        if (session) localStorage.setItem(name(mode), JSON.stringify(session));
        else localStorage.removeItem(name(mode));
      } catch {
        keep.works = false;
      }
    },
  };
  return keep;
}
