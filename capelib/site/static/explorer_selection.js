"use strict";
// What is chosen, and which incidents that leaves. The choice stands behind the # of the address:
// it can be shared and goes back and forth with the browser's buttons, and no server ever sees it.
const Selection = (() => {
  const { facets, rows, exiles } = CAPE_DATA;
  const total = rows.id.length;
  const NONE = "none"; // in the address: a value that is not stated
  const SORTS = ["date", "origin", "host", "measure", "stage", "category", "exile"];
  const names = facets.map((facet) => facet.name);
  const years = rows.year.filter(Boolean);
  const first = years.reduce((a, b) => Math.min(a, b), Infinity);
  const last = years.reduce((a, b) => Math.max(a, b), -Infinity);

  const label = (facet, place) => facets[names.indexOf(facet)].labels[place];
  const value = (facet, i) => {
    const known = facets[names.indexOf(facet)];
    return known ? known.values[rows[facet][i]] : "";
  };

  function empty() {
    const chosen = Object.fromEntries(names.map((name) => [name, new Set()]));
    return {
      chosen, exile: "", from: 0, to: 0, sort: "date", down: true, page: 0, share: 0,
    };
  }

  // The state that an address asks for, and what of it is not in the data.
  function read(hash) {
    const state = empty();
    const unknown = [];
    const text = hash.replace(/^#/, "");
    const asked = new URLSearchParams(text.includes("=") ? text : "");
    facets.forEach(({ name, values }) => {
      for (const code of (asked.get(name) || "").split(",").filter(Boolean)) {
        const place = values.indexOf(code === NONE ? "" : code);
        if (place < 0) unknown.push(`${name}=${code}`);
        else state.chosen[name].add(place);
      }
    });
    for (const end of ["from", "to"]) {
      const year = asked.get(end) || "";
      if (/^\d{4}$/.test(year)) state[end] = Number(year);
      else if (year) unknown.push(`${end}=${year}`);
    }
    const exile = asked.get("exile") || "";
    if (exiles.includes(exile)) state.exile = exile;
    else if (exile) unknown.push(`exile=${exile}`);
    const sort = asked.get("sort") || "-date";
    if (SORTS.includes(sort.replace(/^-/, ""))) {
      state.down = sort.startsWith("-");
      state.sort = sort.replace(/^-/, "");
    } else unknown.push(`sort=${sort}`);
    const page = asked.get("page") || "1";
    if (/^[1-9]\d{0,6}$/.test(page)) state.page = Number(page) - 1;
    else unknown.push(`page=${page}`);
    const share = CAPE_SHARES.findIndex((each) => shareName(each) === asked.get("share"));
    if (share >= 0) state.share = share;
    else if (asked.get("share")) unknown.push(`share=${asked.get("share")}`);
    return { state, unknown };
  }

  const shareName = ({ measure, cutoff, without }) =>
    `${measure}-${cutoff}${without ? `-without-${without}` : ""}`;

  // The address of a state; "" for everything. Equal states have equal addresses.
  function write(state) {
    const parts = [];
    facets.forEach(({ name, values }) => {
      const codes = [...state.chosen[name]].map((place) => values[place] || NONE).sort();
      if (codes.length) parts.push(`${name}=${codes.map(encodeURIComponent).join(",")}`);
    });
    if (state.exile) parts.push(`exile=${state.exile}`);
    for (const end of ["from", "to"]) if (state[end]) parts.push(`${end}=${state[end]}`);
    return parts.join("&");
  }

  function address(state) {
    const parts = [write(state)].filter(Boolean);
    if (state.sort !== "date" || !state.down) {
      parts.push(`sort=${state.down ? "-" : ""}${state.sort}`);
    }
    if (state.page) parts.push(`page=${state.page + 1}`);
    if (state.share) parts.push(`share=${shareName(CAPE_SHARES[state.share])}`);
    return parts.join("&");
  }

  // The incidents that fit, and how many each box would give with all other filters kept: an
  // incident that only one filter refuses is counted in that filter alone.
  function select(state) {
    const columns = names.map((name) => rows[name]);
    const masks = names.map((name, f) => {
      if (!state.chosen[name].size) return null;
      const mask = new Uint8Array(facets[f].values.length);
      state.chosen[name].forEach((place) => { mask[place] = 1; });
      return mask;
    });
    const counts = facets.map(({ values }) => new Int32Array(values.length));
    const exile = state.exile ? exiles.indexOf(state.exile) : -1;
    const from = state.from || -Infinity;
    const to = state.to || Infinity;
    const inYears = Boolean(state.from || state.to);
    const kept = [];
    let undated = 0;
    for (let i = 0; i < total; i++) {
      if (exile >= 0 && rows.exile[i] !== exile) continue;
      let refusals = 0;
      let refusing = -1;
      for (let f = 0; f < masks.length && refusals < 2; f++) {
        if (masks[f] && !masks[f][columns[f][i]]) {
          refusals += 1;
          refusing = f;
        }
      }
      if (refusals > 1) continue;
      const year = rows.year[i];
      if (inYears && !year && !refusals) undated += 1;
      if (inYears && (!year || year < from || year > to)) continue;
      if (refusals) counts[refusing][columns[refusing][i]] += 1;
      else {
        kept.push(i);
        for (let f = 0; f < counts.length; f++) counts[f][columns[f][i]] += 1;
      }
    }
    return { kept, counts, undated };
  }

  function sorted(kept, state) {
    const words = {
      date: (i) => rows.date[i],
      exile: (i) => exiles[rows.exile[i]],
      stage: (i) => value("stage", i),
    };
    const key = words[state.sort] || ((i) => (value(state.sort, i) && label(state.sort, rows[state.sort][i])));
    const sign = state.down ? -1 : 1;
    const keyed = kept.map((i) => [key(i), i]);
    keyed.sort(([a, i], [b, j]) => {
      if (a === b) return i - j;
      if (!a || !b) return a ? -1 : 1; // what is not stated comes last
      return a < b ? -sign : sign;
    });
    return keyed.map(([, i]) => i);
  }

  return { total, first, last, names, label, value, empty, read, write, address, select, sorted };
})();
