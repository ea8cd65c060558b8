// Drawing on a canvas in data coordinates; put in front of modules that say "uses: plot".

const FONT = '12px system-ui, "Helvetica Neue", Arial, sans-serif';
const MATH = 'italic 15px "STIX Two Text", Georgia, "Times New Roman", serif';

/** A canvas that shows box() = [x0, x1, y0, y1]; pad = [left, right, top, bottom] in CSS pixels. */
function plane(parent, { label, box, aspect = 1, pad = [30, 8, 8, 24] }) {
  const canvas = h("canvas", { role: "img", "aria-label": label });
  canvas.style.aspectRatio = String(aspect);
  parent.append(canvas);
  const ctx = canvas.getContext("2d");
  const p = { canvas, ctx, box: box() };
  p.begin = (palette) => {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth || 320;
    const height = Math.round(width / aspect);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    p.palette = palette;
    p.box = box();
    p.left = pad[0];
    p.top = pad[2];
    p.width = width - pad[0] - pad[1];
    p.height = height - pad[2] - pad[3];
  };
  p.px = (x) => p.left + ((x - p.box[0]) / (p.box[1] - p.box[0])) * p.width;
  p.py = (y) => p.top + ((p.box[3] - y) / (p.box[3] - p.box[2])) * p.height;
  /** Data coordinates of a place in the frame (pixels from its upper left corner), of an event. */
  p.data = ([a, b]) => [
    p.box[0] + (a / p.width) * (p.box[1] - p.box[0]),
    p.box[3] - (b / p.height) * (p.box[3] - p.box[2]),
  ];
  p.at = (event) => {
    const area = canvas.getBoundingClientRect();
    return p.data([event.clientX - area.left - p.left, event.clientY - area.top - p.top]);
  };
  p.inside = ([x, y]) => x >= p.box[0] && x <= p.box[1] && y >= p.box[2] && y <= p.box[3];
  /** Draw inside the frame only. */
  p.clip = (paint) => {
    ctx.save();
    ctx.beginPath();
    ctx.rect(p.left, p.top, p.width, p.height);
    ctx.clip();
    paint();
    ctx.restore();
  };
  return p;
}

function niceTicks(lo, hi, count = 5) {
  const raw = (hi - lo) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw);
  const ticks = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + 1e-9; k++) ticks.push(k * step);
  return ticks.map((v) => [v, num(v, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)))]);
}

/** Frame, grid, tick labels, and axis names inside the frame. ticks: pairs [value, text]. */
function axes(p, { x, y, xticks, yticks, grid = true, inset = 6 }) {
  const { ctx, palette } = p;
  const [x0, x1, y0, y1] = p.box;
  ctx.lineWidth = 1;
  ctx.setLineDash([]);
  for (const [value, text] of xticks ?? niceTicks(x0, x1)) {
    if (grid) line(p, [[value, y0], [value, y1]], { color: palette.grid, width: 1 });
    label(p, text, p.px(value), p.top + p.height + 12, { color: palette.muted, halo: false });
  }
  for (const [value, text] of yticks ?? niceTicks(y0, y1)) {
    if (grid) line(p, [[x0, value], [x1, value]], { color: palette.grid, width: 1 });
    label(p, text, p.left - 5, p.py(value), { color: palette.muted, align: "right", halo: false });
  }
  ctx.strokeStyle = palette.axis;
  ctx.strokeRect(p.left + 0.5, p.top + 0.5, p.width - 1, p.height - 1);
  label(p, x, p.left + p.width - inset, p.top + p.height - 11, { font: MATH, align: "right" });
  label(p, y, p.left + 7, p.top + 12, { font: MATH, align: "left" });
}

/** Text at canvas pixels, with a halo so that it reads on any ground. */
function label(p, text, x, y, { color, align = "center", font = FONT, halo = true } = {}) {
  const { ctx, palette } = p;
  ctx.font = font;
  ctx.textAlign = align;
  ctx.textBaseline = "middle";
  if (halo) {
    ctx.lineJoin = "round";
    ctx.lineWidth = 4;
    ctx.setLineDash([]);
    ctx.strokeStyle = palette.surface;
    ctx.strokeText(text, x, y);
  }
  ctx.fillStyle = color ?? palette.text;
  ctx.fillText(text, x, y);
}

function line(p, points, { color, width = 2, dash = [] }) {
  const { ctx } = p;
  ctx.beginPath();
  points.forEach(([x, y], i) => ctx[i ? "lineTo" : "moveTo"](p.px(x), p.py(y)));
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.lineJoin = "round";
  ctx.setLineDash(dash);
  ctx.stroke();
  ctx.setLineDash([]);
}

function curve(p, f, style, [lo, hi] = p.box, n = 160) {
  line(p, Array.from({ length: n + 1 }, (_, i) => lo + ((hi - lo) * i) / n).map((x) => [x, f(x)]), style);
}

function arrow(p, from, to, { color, width = 3, head = 11 }) {
  const { ctx } = p;
  const [a, b, c, d] = [p.px(from[0]), p.py(from[1]), p.px(to[0]), p.py(to[1])];
  const length = Math.hypot(c - a, d - b);
  if (length < 1) return;
  const [ux, uy] = [(c - a) / length, (d - b) / length];
  const tip = Math.min(head, length);
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.lineWidth = width;
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(a, b);
  ctx.lineTo(c - ux * tip, d - uy * tip);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(c, d);
  ctx.lineTo(c - ux * tip - uy * tip * 0.45, d - uy * tip + ux * tip * 0.45);
  ctx.lineTo(c - ux * tip + uy * tip * 0.45, d - uy * tip - ux * tip * 0.45);
  ctx.fill();
}

/** A mark: "dot", "ring", "star" (maximiser) or "cross" (saddle, pending start). */
function mark(p, [x, y], { color, shape = "dot", size = 6 }) {
  const { ctx, palette } = p;
  const [a, b] = [p.px(x), p.py(y)];
  ctx.setLineDash([]);
  ctx.lineJoin = "miter";
  ctx.beginPath();
  if (shape === "star") {
    for (let k = 0; k < 10; k++) {
      const r = k % 2 ? size * 0.45 : size;
      const angle = (Math.PI * k) / 5 - Math.PI / 2;
      ctx[k ? "lineTo" : "moveTo"](a + r * Math.cos(angle), b + r * Math.sin(angle));
    }
    ctx.closePath();
  } else if (shape === "cross") {
    for (const s of [-1, 1]) {
      ctx.moveTo(a - size, b - s * size);
      ctx.lineTo(a + size, b + s * size);
    }
  } else ctx.arc(a, b, size, 0, 2 * Math.PI);
  ctx.strokeStyle = palette.surface;
  ctx.lineWidth = shape === "cross" || shape === "ring" ? 6 : 3;
  ctx.stroke();
  if (shape === "cross" || shape === "ring") {
    ctx.strokeStyle = color;
    ctx.lineWidth = 2.5;
    ctx.stroke();
  } else {
    ctx.fillStyle = color;
    ctx.fill();
  }
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** Paint the frame with shade(x, y) = [[r, g, b], alpha in 0..1], evaluated on a coarse grid. */
function heat(p, shade, n = 110) {
  const small = (p.small ??= h("canvas", { width: n, height: n }));
  const pen = small.getContext("2d");
  const pixels = pen.createImageData(n, n);
  const [x0, x1, y0, y1] = p.box;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const [color, alpha] = shade(x0 + ((j + 0.5) / n) * (x1 - x0), y1 - ((i + 0.5) / n) * (y1 - y0));
      pixels.data.set([...color, Math.round(255 * alpha)], 4 * (i * n + j));
    }
  pen.putImageData(pixels, 0, 0);
  p.ctx.imageSmoothingEnabled = true;
  p.ctx.drawImage(small, p.left, p.top, p.width, p.height);
}

/** Level lines of f by marching squares, with linear interpolation along the cell edges. */
function contours(p, f, levels, { color, width = 1, n = 90 }) {
  const { ctx } = p;
  const [x0, x1, y0, y1] = p.box;
  const at = (i, j) => [x0 + ((x1 - x0) * j) / n, y0 + ((y1 - y0) * i) / n];
  const grid = Array.from({ length: n + 1 }, (_, i) =>
    Array.from({ length: n + 1 }, (_, j) => f(...at(i, j))),
  );
  ctx.beginPath();
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const corner = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]];
      const v = corner.map(([a, b]) => grid[a][b]);
      const [low, high] = [Math.min(...v), Math.max(...v)];
      for (const level of levels) {
        if (level <= low || level > high) continue;
        const cuts = [];
        for (let k = 0; k < 4; k++) {
          const [a, b] = [v[k], v[(k + 1) % 4]];
          if (a < level === b < level) continue;
          const t = (level - a) / (b - a);
          const [from, to] = [at(...corner[k]), at(...corner[(k + 1) % 4])];
          cuts.push([from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])]);
        }
        for (let k = 0; k + 1 < cuts.length; k += 2) {
          ctx.moveTo(p.px(cuts[k][0]), p.py(cuts[k][1]));
          ctx.lineTo(p.px(cuts[k + 1][0]), p.py(cuts[k + 1][1]));
        }
      }
    }
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.setLineDash([]);
  ctx.stroke();
}
