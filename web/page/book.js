// A formula or table that is wider than the page scrolls by itself; give it a tab stop and a name, so
// that the arrow keys reach it. The theme does this for code, but only for what is open at the start.
(() => {
  const wideBoxes = {
    ".pst-scrollable-table-container": "Table, scrolls sideways",
    "mjx-container[display='true']": "Formula, scrolls sideways",
  };
  const code = "pre, .cell_output > .output";

  function mark() {
    for (const box of document.querySelectorAll(code)) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    }
    for (const [selector, name] of Object.entries(wideBoxes)) {
      for (const box of document.querySelectorAll(selector)) {
        if (box.scrollWidth > box.clientWidth) {
          box.tabIndex = 0;
          box.setAttribute("role", "group");
          box.setAttribute("aria-label", name);
        } else if (box.getAttribute("aria-label") === name) {
          for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
        }
      }
    }
  }

  addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    mark();
    // also fires when a folded solution is opened, which gives what is in it a size
    const sizes = new ResizeObserver(mark);
    const boxes = [code, ...Object.keys(wideBoxes)].join();
    for (const box of document.querySelectorAll(boxes)) sizes.observe(box);
  });
})();
