// Moving points on a plane (plot.js) by hand.

/** Drag points with mouse, pen or finger. handles: [{get() -> [x, y], set([x, y])}], first on top. */
function draggable(ui, p, handles, reach = 26) {
  let held = null;
  const near = (event) => {
    const area = p.canvas.getBoundingClientRect();
    const far = ([x, y]) =>
      Math.hypot(p.px(x) - event.clientX + area.left, p.py(y) - event.clientY + area.top);
    return handles
      .map((handle) => [far(handle.get()), handle])
      .filter(([distance]) => distance < reach)
      .sort((a, b) => a[0] - b[0])[0]?.[1];
  };
  ui.listen(p.canvas, "pointerdown", (event) => {
    held = near(event);
    if (held) p.canvas.setPointerCapture(event.pointerId);
  });
  ui.listen(p.canvas, "pointermove", (event) => {
    p.canvas.style.cursor = held ? "grabbing" : near(event) ? "grab" : "";
    if (held) held.set(p.at(event));
  });
  for (const end of ["pointerup", "pointercancel"]) ui.listen(p.canvas, end, () => (held = null));
  // A finger on a handle drags it; anywhere else it scrolls the page as usual.
  const hold = (event) => near(event.touches[0]) && event.preventDefault();
  ui.listen(p.canvas, "touchstart", hold, { passive: false });
}
