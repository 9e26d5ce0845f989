"use strict";
// A page from a folder may not read other files, so the search shows no excerpts there.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
// Names of the theme's own controls that contradict the words that they show, or are missing.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("button.search-button__button, details.hide > summary").forEach((control) => {
    if (control.innerText.trim()) control.removeAttribute("aria-label");  // a bare icon keeps its name
  });
  document.querySelectorAll("summary").forEach((summary) => {
    if (!summary.textContent.trim() && !summary.hasAttribute("aria-label")) {
      summary.setAttribute("aria-label", "Show the pages below");
    }
  });
  // A box that does not scroll needs no stop of the Tab key.
  const stops = () => document.querySelectorAll(".scroll[role]").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", "0");
    else box.removeAttribute("tabindex");
  });
  stops();
  window.addEventListener("resize", stops);
});
