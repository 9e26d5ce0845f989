"use strict";
// Filters of the ledger. Their state stands behind the # of the address: what holds a = is a filter,
// anything else the anchor of a number. Without this script every number is shown.
(function () {
  const form = document.getElementById("filters");
  const count = document.getElementById("count");
  const rows = [...document.querySelectorAll("#numbers > tbody > tr")];
  const words = rows.map((row) => row.textContent.toLowerCase());
  const verdicts = rows.map((row) => row.dataset.verdict.split(";"));
  const names = ["publication", "verdict", "words"];

  function wanted() {
    return Object.fromEntries(names.map((name) => [name, form.elements[name].value.trim()]));
  }

  function show() {
    const { publication, verdict, words: text } = wanted();
    const each = text.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, n) => {
      const fits = (!publication || row.dataset.publication === publication) &&
        (!verdict || verdicts[n].includes(verdict)) && each.every((word) => words[n].includes(word));
      row.hidden = !fits;
      shown += fits;
    });
    count.textContent = shown === rows.length ? `${rows.length} published numbers`
      : `${shown} of ${rows.length} published numbers`;
  }

  function hash() {
    try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; }
  }

  function read() {
    const text = hash();
    const asked = new URLSearchParams(text.includes("=") ? location.hash.slice(1) : "");
    for (const name of names) {
      const box = form.elements[name];
      box.value = asked.get(name) || "";
      if (box.selectedIndex < 0) box.value = "";  // no such publication or verdict
    }
    show();
    const row = text && !text.includes("=") && document.getElementById(text);
    for (let box = row; box; box = box.parentElement) if (box.tagName === "DETAILS") box.open = true;
    if (row) row.scrollIntoView({ block: "center" });
  }

  function write(push) {
    const filters = Object.entries(wanted()).filter(([, value]) => value);
    const address = filters.length ? "#" + new URLSearchParams(filters) : location.pathname + location.search;
    if (address !== (location.hash || location.pathname + location.search)) {
      history[push ? "pushState" : "replaceState"](null, "", address);
    }
    show();
  }

  form.hidden = false;
  form.addEventListener("change", (event) => { if (event.target.name !== "words") write(true); });
  form.addEventListener("input", (event) => { if (event.target.name === "words") write(false); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => write(true)));
  window.addEventListener("hashchange", read);
  window.addEventListener("popstate", read);
  read();
})();
