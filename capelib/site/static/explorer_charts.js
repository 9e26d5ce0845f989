"use strict";
// Charts as SVG, each with the same numbers as a table beside it.
const Charts = (() => {
  const SVG = ["svg", "g", "path", "rect", "line", "text", "circle", "title"];
  const STAGES = ["1", "2", "3"];
  const WIDTH = 900; // of a chart, in its own units
  const RIGHT = 880; // where its axis ends
  const { rows } = CAPE_DATA;
  const number = (n) => n.toLocaleString("en");

  function node(name, attributes, ...children) {
    const made = SVG.includes(name)
      ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== false && value != null) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child != null));
    return made;
  }

  // A table whose columns from `numbersFrom` on are numbers; its first column names the row.
  function table(caption, heads, body, numbersFrom) {
    const right = (k) => (k >= numbersFrom ? "n" : null);
    const head = heads.map((text, k) => node("th", { scope: "col", class: right(k) }, text));
    const lines = body.map((cells) => node("tr", {}, ...cells.map((cell, k) =>
      node(k ? "td" : "th", { class: right(k), scope: k ? null : "row" }, cell))));
    return node("table", {}, node("caption", {}, caption),
      node("thead", {}, node("tr", {}, ...head)), node("tbody", {}, ...lines));
  }

  // ---- incidents by year and stage
  function perYear(kept, state) {
    const first = Math.max(state.from || Selection.first, Selection.first);
    const last = Math.min(state.to || Selection.last, Selection.last);
    const tally = [];
    for (let year = first; year <= last; year++) tally.push({ year, stages: [0, 0, 0], all: 0 });
    let undated = 0;
    for (const i of kept) {
      if (!rows.year[i]) undated += 1;
      const line = tally[rows.year[i] - first];
      if (line) {
        line.stages[STAGES.indexOf(Selection.value("stage", i))] += 1;
        line.all += 1;
      }
    }
    return { tally, undated };
  }

  function timeline(svg, tally) {
    const left = 44, top = 12, bottom = 196;
    const most = Math.max(1, ...tally.map(({ all }) => all));
    const step = (RIGHT - left) / Math.max(1, tally.length);
    const y = (n) => bottom - ((bottom - top) * n) / most;
    const made = [];
    for (const tick of new Set([0, Math.round(most / 2), most])) {
      made.push(node("line", { class: "grid", x1: left, x2: RIGHT, y1: y(tick), y2: y(tick) }));
      made.push(node("text", { x: left - 6, y: y(tick) + 5, "text-anchor": "end" }, number(tick)));
    }
    const every = Math.ceil(tally.length / 12);
    tally.forEach(({ year, stages }, k) => {
      let base = 0;
      stages.forEach((n, s) => {
        if (n) {
          made.push(node("rect", {
            class: `stage-${s + 1}`, x: left + (k + 0.1) * step, width: step * 0.8,
            y: y(base + n), height: y(base) - y(base + n),
          }, node("title", {}, `${year}, stage ${s + 1}: ${n}`)));
        }
        base += n;
      });
      if (k % every === 0) {
        made.push(node("text", { x: left + (k + 0.5) * step, y: bottom + 20, "text-anchor": "middle" },
          String(year)));
      }
    });
    svg.setAttribute("viewBox", `0 0 ${WIDTH} 224`);
    svg.setAttribute("aria-label", tally.length
      ? `Incidents a year from ${tally[0].year} to ${tally.at(-1).year}, at most ${most}. `
        + "The table below has every number." : "No year is left.");
    svg.replaceChildren(...made);
  }

  const yearTable = (tally) => table("Incidents by year and stage",
    ["Year", "Stage 1", "Stage 2", "Stage 3", "All"],
    tally.map(({ year, stages, all }) => [String(year), ...stages.map(number), number(all)]), 1);

  // ---- corridors
  function corridors(kept) {
    const pairs = new Map();
    let homeless = 0;
    for (const i of kept) {
      const origin = Selection.value("origin", i), host = Selection.value("host", i);
      if (!host) {
        homeless += 1;
        continue;
      }
      const key = `${origin} ${host}`;
      if (!pairs.has(key)) {
        pairs.set(key, {
          origin, host, n: 0,
          from: Selection.label("origin", rows.origin[i]), to: Selection.label("host", rows.host[i]),
        });
      }
      pairs.get(key).n += 1;
    }
    const list = [...pairs.values()].sort((a, b) => b.n - a.n || (a.from + a.to < b.from + b.to ? -1 : 1));
    return { list, homeless };
  }

  // What the map shows: both ends of every line with room around, twice as wide as high.
  function box(points) {
    if (!points.length) return [-1200, -750, 2400, 1200];
    const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
    const left = Math.min(...xs), right = Math.max(...xs), top = Math.min(...ys), bottom = Math.max(...ys);
    const width = Math.min(2900, Math.max(500, (right - left) * 1.3, (bottom - top) * 1.3 * 2));
    return [(left + right - width) / 2, (top + bottom - width / 2) / 2, width, width / 2].map(Math.round);
  }

  function map(svg, list) {
    const { land, capitals } = CAPE_WORLD;
    if (!svg.firstChild) {
      svg.append(node("g", { class: "land" }, ...land.map(([name, d]) => node("path", { d }, node("title", {}, name)))));
      svg.append(node("g", {}));
    }
    const least = list.length > 25 ? 3 : 1;
    const drawn = list.filter(({ n, origin, host }) => n >= least && capitals[origin] && capitals[host]);
    const [x, y, width, height] = box(drawn.flatMap(({ origin, host }) => [capitals[origin], capitals[host]]));
    const unit = width / WIDTH; // one pixel of a map that is WIDTH pixels wide
    const most = drawn.length ? drawn[0].n : 1;
    const lines = [], spots = [], words = [], places = [];
    drawn.slice().reverse().forEach(({ origin, host, from, to, n }) => {
      const [ax, ay] = capitals[origin], [bx, by] = capitals[host];
      const middle = [(ax + bx) / 2 + (by - ay) * 0.18, (ay + by) / 2 - (bx - ax) * 0.18].map(Math.round);
      const title = () => node("title", {}, `${from} to ${to}: ${n}`);
      if (origin !== host) {
        lines.push(node("path", {
          class: "line", d: `M${ax} ${ay}Q${middle.join(" ")} ${bx} ${by}`,
          "stroke-width": unit * (0.8 + 6 * Math.sqrt(n / most)),
        }, title()));
      }
      spots.push(node("circle", { class: "host", cx: bx, cy: by, r: unit * (2.5 + 4 * Math.sqrt(n / most)) }, title()));
    });
    const named = new Set();
    drawn.flatMap(({ origin, host, from, to }) => [[origin, from], [host, to]]).forEach(([state, name]) => {
      if (named.has(state) || words.length >= 14) return;
      named.add(state);
      const [px, py] = capitals[state];
      const text = name.replace(/ \(.*| of Great Britain.*/, "");
      const w = text.length * 8.5 * unit;
      const at = [px + 7 * unit, py - 5 * unit, w, 14 * unit];
      const free = places.every(([ox, oy, ow, oh]) =>
        at[0] > ox + ow || at[0] + w < ox || at[1] > oy + oh || at[1] + at[3] < oy);
      if (!free) return;
      places.push(at);
      words.push(node("text", { x: at[0], y: at[1] + 9 * unit, style: `font-size:${13 * unit}px;stroke-width:${3 * unit}px` }, text));
    });
    svg.setAttribute("viewBox", [x, y, width, height].join(" "));
    svg.setAttribute("aria-label", list.length
      ? `${list.length} corridors; the largest is ${list[0].from} to ${list[0].to} with ${list[0].n} `
        + "incidents. The table below has them all." : "No corridor is left.");
    svg.lastChild.replaceChildren(...lines, ...spots, ...words);
    return { least, missing: list.filter(({ origin, host }) => !capitals[origin] || !capitals[host]).length };
  }

  // ---- share on authoritarian soil
  const percent = (share) => (share == null ? "" : `${Math.round(100 * share)} %`);
  const interval = (low, high) =>
    (low == null ? "too few clusters" : `${Math.round(100 * low)} to ${Math.round(100 * high)} %`);

  function shares(svg, { years, definition }) {
    const left = 54, top = 12, bottom = 196;
    const step = (RIGHT - left) / years.length;
    const y = (share) => bottom - (bottom - top) * share;
    const made = [];
    for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
      made.push(node("line", { class: "grid", x1: left, x2: RIGHT, y1: y(tick), y2: y(tick) }));
      made.push(node("text", { x: left - 6, y: y(tick) + 5, "text-anchor": "end" }, percent(tick)));
    }
    years.forEach(([year, k, n, share, low, high], at) => {
      const x = left + (at + 0.5) * step;
      if (low != null) made.push(node("line", { class: "interval", x1: x, x2: x, y1: y(low), y2: y(high) }));
      if (share != null) {
        made.push(node("circle", { class: "estimate", cx: x, cy: y(share), r: 5 },
          node("title", {}, `${year}: ${percent(share)} [${interval(low, high)}], ${k} of ${n}`)));
      }
      made.push(node("text", { x, y: bottom + 20, "text-anchor": "middle" }, String(year)));
    });
    svg.setAttribute("viewBox", `0 0 ${WIDTH} 224`);
    svg.setAttribute("aria-label", `Share of incidents on the soil of other authoritarian states by year, ${definition}. `
      + "The table below has every number with its interval.");
    svg.replaceChildren(...made);
  }

  const shareTable = ({ years }) => table("Share by year, with its 95 % interval",
    ["Year", "Share", "Interval", "Incidents on authoritarian soil", "of"],
    years.map(([year, k, n, share, low, high]) =>
      [String(year), percent(share), n ? interval(low, high) : "no incident", number(k), number(n)]), 1);

  return {
    node, number, table, perYear, timeline, yearTable, corridors, map, shares, shareTable, percent, interval,
  };
})();
