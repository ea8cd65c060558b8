// The style of the study's screens.

const LOOK = `
.am-study { container-type: inline-size; margin-top: 0.9rem; scroll-margin-top: 5rem; outline: none; }
.am-study p { margin: 0 0 0.6rem; }
.am-study .am-memory { border-left: 3px solid var(--am-blue); padding-left: 0.8rem; margin: 0 0 0.9rem; }
.am-study .am-ask { border-left: 3px solid var(--am-orange); padding-left: 0.8rem; margin: 0.6rem 0; }
.am-study .am-head { font-weight: 600; outline: none; }
.am-study .am-controls { margin-top: 0; }
.am-study .am-controls p { grid-column: 1 / -1; margin: 0; color: var(--am-muted); }
.am-study input[type="text"] { font: inherit; color: var(--am-text); background: var(--am-surface); border: 1px solid var(--am-axis);
  border-radius: 4px; min-height: 34px; padding: 0.2rem 0.6rem; flex: 1 1 6rem; min-width: 0; }
.am-study progress { display: block; width: 100%; height: 6px; accent-color: var(--am-blue); margin: 0 0 0.4rem; }
.am-study .am-where { display: flex; justify-content: space-between; gap: 1rem; color: var(--am-muted); font-size: 0.85rem; }
.am-study .am-where span { white-space: nowrap; }
.am-study .am-question { min-height: 1.5em; margin: 0.4rem 0; font-size: 0.95rem; outline: none; }
.am-study .am-hit { color: var(--am-green); }
.am-study .am-miss { color: var(--am-orange); font-weight: 600; }
.am-study .am-trial { display: grid; gap: 0.6rem 1.2rem; grid-template: "least ask most" "answers answers answers" / 1fr 1.2fr 1fr; align-items: center; }
.am-study .am-name { text-align: center; font-size: 0.85rem; color: var(--am-muted); margin: 0 0 0.2rem; white-space: nowrap; }
.am-study .am-none { aspect-ratio: 1; display: grid; place-content: center; text-align: center; padding: 0.5rem; border: 1px dashed var(--am-axis);
  border-radius: 4px; color: var(--am-muted); font-size: 0.85rem; }
.am-study .am-pair { grid-area: ask; display: grid; grid-template-columns: 1fr 1fr; gap: 0.2rem 0.8rem; min-width: 0; }
.am-study .am-pair canvas { border-radius: 3px; outline: 3px solid transparent; outline-offset: 1px; }
.am-study .am-pair .am-right canvas { outline-color: var(--am-green); }
.am-study .am-pair .am-wrong canvas { outline: 3px dashed var(--am-orange); }
.am-study .am-right .am-name { color: var(--am-green); font-weight: 600; }
.am-study .am-wrong .am-name { color: var(--am-orange); font-weight: 600; }
.am-study .am-answers { grid-area: answers; display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin-top: 0.2rem; }
.am-study .am-answers div { display: grid; grid-template-columns: repeat(3, 1fr); gap: 5px; min-width: 0; }
.am-study .am-answers button { padding: 0.15rem 0; min-width: 0; min-height: 46px; font-size: 13px; line-height: 1.25; position: relative; }
.am-study .am-answers small { display: block; color: var(--am-muted); font-size: 11px; }
.am-study .am-answers button:disabled { cursor: default; border-color: var(--am-grid); color: var(--am-muted); }
.am-study .am-answers button[aria-pressed="true"] { border-color: var(--am-blue); box-shadow: 0 0 0 1px var(--am-blue); color: var(--am-text); }
.am-study .am-foot { display: flex; justify-content: space-between; align-items: center; gap: 0.6rem; margin-top: 0.6rem; min-height: 44px; }
.am-study .am-foot button, .am-study .am-buttons button { min-height: 40px; }
.am-study button.am-main { background: var(--am-blue); border-color: var(--am-blue); color: var(--am-surface); font-weight: 600; padding: 0.2rem 1.4rem; }
.am-study button.am-main:hover { color: var(--am-surface); text-decoration: underline; }
.am-study :is(table, .am-missed) { max-width: 36rem; }
.am-study table { border-collapse: collapse; width: 100%; margin: 0.3rem 0 0.9rem; font-size: 0.9rem; color: var(--am-text); font-variant-numeric: tabular-nums; }
.am-study caption { caption-side: top; text-align: left; color: var(--am-text); font-weight: 600; padding: 0.4rem 0 0.2rem; }
.am-study :is(th, td) { text-align: right; padding: 0.2rem 0.3rem; border-bottom: 1px solid var(--am-grid); background: transparent; color: var(--am-text); }
.am-study :is(th, td):first-child { text-align: left; padding-left: 0; }
.am-study th { font-weight: 400; color: var(--am-muted); }
.am-study td { white-space: nowrap; }
.am-study summary { cursor: pointer; font-weight: 600; margin: 0.3rem 0; }
.am-study .am-missed { margin: 0.6rem 0; }
.am-study .am-missed p { margin: 0 0 0.2rem; font-size: 0.85rem; color: var(--am-muted); }
@container (max-width: 560px) {
  .am-study .am-trial { grid-template: "least most" "ask ask" "answers answers" / 1fr 1fr; gap: 0.5rem 1rem; }
  .am-study .am-pair { gap: 0.2rem 1rem; padding: 0 6%; }
  .am-study .am-question { min-height: 2.9em; }
  .am-study .am-answers button { font-size: 12px; }
  .am-study .am-wide { display: none; }
  .am-study table { font-size: 0.82rem; }
}
@media (max-height: 700px) { /* a small telephone: the whole question, with Go on, is on the screen */
  @container (max-width: 560px) {
    .am-study .am-trial { gap: 0.3rem 1rem; }
    .am-study .am-trial > :is(:first-child, :nth-child(3)) { width: 7.6rem; justify-self: end; }
    .am-study .am-trial > :nth-child(3) { justify-self: start; }
    .am-study .am-pair { padding: 0; grid-template-columns: 7.6rem 7.6rem; justify-content: center; }
    .am-study .am-name { margin: 0; line-height: 1.35; }
    .am-study .am-pair .am-name { margin-bottom: 5px; }
    .am-study .am-question { margin: 0.2rem 0; line-height: 1.35; min-height: 2.7em; }
    .am-study .am-where { margin: 0 0 0.2rem; }
    .am-study .am-foot { margin-top: 0.3rem; }
  }
}
@media (pointer: coarse) { .am-study .am-hint { visibility: hidden; } } /* no keys there */
body:has(.am-study .am-pair) #pst-back-to-top { display: none !important; } /* the book's own button would cover answers */
`;
