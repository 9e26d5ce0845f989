"use strict";
// The page: boxes and buttons change the state, the state is in the address, all else follows.
(() => {
  const { facets, rows, exiles, sources, groups } = CAPE_DATA;
  const { node, number } = Charts;
  const PAGE = 50; // incidents shown at once
  const LONG = 12; // values from which on a filter can be searched
  const part = (id) => document.getElementById(id);
  const boxes = {};
  let state, kept = [], pages = 1;

  function change(what, page = 0) {
    what();
    state.page = page;
    const text = Selection.address(state);
    const here = location.hash.replace(/^#/, "");
    if (text !== here) history.pushState(null, "", text ? `#${text}` : location.pathname + location.search);
    show([]);
  }

  // ---- filters
  function buildFilters() {
    facets.forEach((facet) => {
      const tally = new Int32Array(facet.values.length);
      rows[facet.name].forEach((place) => { tally[place] += 1; });
      const entries = facet.values.map((value, place) => {
        const box = node("input", {
          type: "checkbox", value: value || "none", onchange: () => change(() => {
            if (box.checked) state.chosen[facet.name].add(place);
            else state.chosen[facet.name].delete(place);
          }),
        });
        const count = node("span", { class: "count" });
        const line = node("label", {}, box, node("span", {}, facet.labels[place]), count);
        return { place, box, count, line, words: `${facet.labels[place]} ${value}`.toLowerCase() };
      });
      const list = entries.slice();
      if (entries.length > LONG) list.sort((a, b) => tally[b.place] - tally[a.place]);
      const chosen = node("small", {});
      boxes[facet.name] = { entries, chosen };
      part("facets").append(node("details", { class: "facet", "data-facet": facet.name },
        node("summary", {}, `${facet.title} `, chosen),
        node("fieldset", {}, node("legend", {}, `${facet.title}: any of`),
          entries.length > LONG ? finder(facet, entries) : null,
          facet.hint ? node("p", { class: "hint" }, facet.hint) : null,
          groups[facet.name] ? groupPicker(facet) : null,
          node("div", { class: "values" }, ...list.map(({ line }) => line)))));
    });
    document.querySelector("[data-facet=origin]").open = true;
  }

  function finder(facet, entries) {
    const field = node("input", {
      type: "search", placeholder: "find", "aria-label": `Find in ${facet.title}`, autocomplete: "off",
      oninput: () => {
        const words = field.value.trim().toLowerCase();
        entries.forEach((entry) => { entry.line.hidden = !entry.words.includes(words); });
      },
    });
    return field;
  }

  // A group is ticked value by value, so that the address says what was chosen.
  function groupPicker(facet) {
    const field = node("select", {
      "aria-label": `${facet.title}: tick a group`,
      onchange: () => change(() => {
        state.chosen[facet.name] = places(facet, groups[facet.name][field.value][1]);
        field.value = "";
      }),
    }, node("option", { value: "" }, "tick a group ..."),
    ...groups[facet.name].map(([words], k) => node("option", { value: String(k) }, words)));
    return field;
  }

  const places = (facet, values) => new Set(values.map((value) => facet.values.indexOf(value)));

  // The words of the group whose values are chosen, and no others; "" for none.
  function groupChosen(facet) {
    const chosen = state.chosen[facet.name];
    const same = ([, values]) => values.length === chosen.size
      && [...places(facet, values)].every((place) => chosen.has(place));
    const group = chosen.size > 1 ? (groups[facet.name] || []).find(same) : null;
    return group ? `${group[0]} (${chosen.size})` : "";
  }

  function showFilters(counts) {
    facets.forEach((facet, f) => {
      const { entries, chosen } = boxes[facet.name];
      const ticked = state.chosen[facet.name];
      chosen.textContent = ticked.size ? `${ticked.size} chosen` : "all";
      entries.forEach(({ place, box, count, line }) => {
        box.checked = ticked.has(place);
        count.textContent = number(counts[f][place]);
        line.classList.toggle("none", !counts[f][place] && !box.checked);
      });
    });
    for (const end of ["from", "to"]) {
      if (document.activeElement !== part(end) || !part(end).value) part(end).value = state[end] || "";
    }
    const drop = (words, what) => node("li", {}, node("button", {
      type: "button", "aria-label": `Remove ${words}`, onclick: () => { change(what); part("results").focus(); },
    }, `${words} ×`));
    const chips = facets.flatMap((facet) => {
      const { name, title, labels } = facet;
      const group = groupChosen(facet);
      if (group) return [drop(`${title}: ${group}`, () => state.chosen[name].clear())];
      return [...state.chosen[name]].map((place) =>
        drop(`${title}: ${labels[place]}`, () => state.chosen[name].delete(place)));
    });
    if (state.exile) chips.push(drop(`Exile: ${state.exile}`, () => { state.exile = ""; }));
    if (state.from) chips.push(drop(`from ${state.from}`, () => { state.from = 0; }));
    if (state.to) chips.push(drop(`to ${state.to}`, () => { state.to = 0; }));
    part("chips").replaceChildren(...chips);
    part("chips").hidden = !chips.length;
  }

  // ---- the incidents
  const COLUMNS = {
    date: ["Date", (i) => rows.date[i] || "not stated"],
    origin: ["Pursuing state", (i) => Selection.label("origin", rows.origin[i])],
    host: ["Host", (i) => Selection.label("host", rows.host[i])],
    measure: ["Measure", (i) => Selection.label("measure", rows.measure[i])],
    stage: ["Stage", (i) => Selection.value("stage", i)],
    category: ["Category", (i) => Selection.label("category", rows.category[i])],
  };

  function header(key, title) {
    const up = state.down ? "descending" : "ascending";
    const mark = state.down ? " ▼" : " ▲";
    const sorted = state.sort === key;
    return node("th", { scope: "col", "aria-sort": sorted ? up : null }, node("button", {
      type: "button", id: `sort-${key}`, onclick: () => {
        change(() => {
          state.down = sorted ? !state.down : false;
          state.sort = key;
        });
        part(`sort-${key}`).focus();
      },
    }, title + (sorted ? mark : "")));
  }

  function line(i) {
    const cells = Object.entries(COLUMNS).map(([, [title, of]]) => node("td", { "data-title": title }, of(i)));
    const marks = [
      Selection.value("doubtful", i) ? "doubtful" : "", Selection.value("alleged", i) ? "alleged" : "",
    ].filter(Boolean);
    const exile = exiles[rows.exile[i]];
    const place = rows.source_id[i];
    const [id, publisher, url] = [sources.id[place], sources.publisher[place], sources.address[place]];
    return node("tr", {}, ...cells,
      node("td", { "data-title": "What came of it", class: "outcome" }, rows.outcome[i],
        marks.length ? node("small", {}, ` (${marks.join(", ")})`) : null),
      node("td", { "data-title": "Exile" }, node("button", {
        type: "button", "aria-label": `All incidents of exile ${exile}`,
        onclick: () => change(() => { state.exile = exile; }),
      }, exile)),
      node("td", { "data-title": "Source" },
        url ? node("a", { href: url, rel: "noreferrer noopener" }, publisher) : publisher,
        node("small", {}, ` ${id}, incident ${rows.id[i]}`)));
  }

  function showIncidents() {
    pages = Math.max(1, Math.ceil(kept.length / PAGE));
    state.page = Math.min(state.page, pages - 1);
    const start = state.page * PAGE;
    const sorted = Selection.sorted(kept, state);
    const shown = sorted.slice(start, part("all-rows").checked ? undefined : start + PAGE);
    const heads = Object.entries(COLUMNS).map(([key, [title]]) => header(key, title));
    part("incidents").replaceChildren(
      node("caption", {}, `Incidents ${shown.length ? start + 1 : 0} to ${start + shown.length} of ${number(kept.length)}`),
      node("thead", {}, node("tr", {}, ...heads, node("th", { scope: "col" }, "What came of it"),
        header("exile", "Exile"), node("th", { scope: "col" }, "Source"))),
      node("tbody", {}, ...shown.map(line)));
    part("page").textContent = `page ${state.page + 1} of ${pages}`;
    part("earlier").disabled = state.page === 0;
    part("later").disabled = state.page >= pages - 1;
  }

  // ---- everything that follows from the state
  function show(unknown) {
    const { kept: rowsKept, counts, undated } = Selection.select(state);
    kept = rowsKept;
    const against = new Set(kept.map((i) => rows.exile[i])).size;
    part("count").textContent = `${number(kept.length)} of ${number(Selection.total)} incidents, against `
      + `${number(against)} ${against === 1 ? "exile" : "exiles"}`;
    showFilters(counts);
    showIncidents();

    const years = Charts.perYear(kept, state);
    Charts.timeline(part("timeline"), years.tally);
    part("timeline").parentElement.scrollLeft = 1e4; // on a phone the latest years come first
    part("timetable").replaceChildren(Charts.yearTable(years.tally));
    const { list, homeless } = Charts.corridors(kept);
    const { least, missing } = Charts.map(part("map"), list);
    const frame = part("map").parentElement;
    frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
    part("least").textContent = least > 1 ? `Drawn are corridors with ${least} or more incidents.` : "All corridors are drawn.";
    if (missing) part("least").textContent += ` ${missing} ${missing === 1 ? "has" : "have"} no capital on record.`;
    showCorridors(list);
    part("left-out").textContent = leftOut(undated, years.undated, homeless);
    if (undated) {
      part("left-out").append(" ", node("button", {
        type: "button", onclick: () => { change(() => { state.from = 0; state.to = 0; }); part("results").focus(); },
      }, "Show all years"));
    }
    part("unknown").textContent = unknown.length ? `Not in the data, so passed over: ${unknown.join(", ")}.` : "";
    part("unknown").hidden = !unknown.length;
    showShares();
    window.dispatchEvent(new Event("resize")); // boxes that scroll now are stops of the Tab key
  }

  function leftOut(outside, undated, homeless) {
    const words = [];
    if (outside) words.push(`${number(outside)} without a year are not among them, since years are chosen`);
    if (undated) words.push(`${number(undated)} without a year are in no bar of the chart`);
    if (homeless) words.push(`${number(homeless)} without a host are in no corridor`);
    return words.length ? `Left out: ${words.join("; ")}.` : "Each has a year and a host.";
  }

  function showCorridors(list) {
    const most = 15;
    const shown = list.slice(0, part("all-corridors").checked ? undefined : most);
    const caption = shown.length < list.length ? `The largest ${most} of ${list.length} corridors` : `${list.length} ${list.length === 1 ? "corridor" : "corridors"}`;
    part("corridors").replaceChildren(Charts.table(caption, ["Pursuing state", "Host", "Incidents"],
      shown.map(({ origin, host, from, to, n }) => [node("button", {
        type: "button", "aria-label": `Show ${from} to ${to} alone`, onclick: () => change(() => {
          for (const [facet, code] of [["origin", origin], ["host", host]]) {
            const { values } = facets.find(({ name }) => name === facet);
            state.chosen[facet] = new Set([values.indexOf(code)]);
          }
        }),
      }, from), to, number(n)]), 2));
  }

  // ---- the share on authoritarian soil, computed beforehand
  function buildShares() {
    const options = CAPE_SHARES.map(({ definition, without }, k) => node("option", { value: String(k) },
      definition + (without ? `; without the host ${Selection.label("host", hostPlace(without))}` : "")));
    part("definition").append(...options);
    part("definition").addEventListener("change", (event) =>
      change(() => { state.share = Number(event.target.value); }, state.page));
  }
  const hostPlace = (code) => facets.find(({ name }) => name === "host").values.indexOf(code);

  function showShares() {
    const chosen = CAPE_SHARES[state.share];
    part("definition").value = String(state.share);
    Charts.shares(part("shares"), chosen);
    part("share-table").replaceChildren(Charts.shareTable(chosen));
    const { early, late, change: gap } = chosen;
    const points = (share) => `${share < 0 ? "−" : "+"}${Math.round(100 * Math.abs(share))}`;
    part("share-answer").textContent = !gap ? "Too few incidents to compare the two periods."
      : `2021: ${Charts.percent(late[0])} [${Charts.interval(late[1], late[2])}], n = ${late[3]}. `
        + `2014 to 2020: ${Charts.percent(early[0])} [${Charts.interval(early[1], early[2])}], n = ${early[3]}. `
        + `Change: ${points(gap[0])} points ${gap[1] == null ? "" : `[${points(gap[1])}, ${points(gap[2])}]; `}`
        + `${gap[1] != null && gap[1] <= 0 && gap[2] >= 0 ? "that the share changed is not established." : "the interval leaves out 0."}`;
  }

  // ---- taking it along
  function copy(text, button) {
    const words = button.textContent;
    const done = () => {
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = words; }, 1500);
    };
    const byHand = () => { // where the browser gives no access to the clipboard
      const field = node("textarea", { "aria-label": "Text to copy" });
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
      done();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand);
    else byHand();
  }

  function buildButtons() {
    const press = (id, what) => part(id).addEventListener("click", (event) => what(event.currentTarget));
    press("clear", () => change(() => {
      const { sort, down, share } = state;
      state = Object.assign(Selection.empty(), { sort, down, share });
    }));
    press("csv", () => Files.hand(Files.name(state, "csv"), Files.csv(state, kept), "text/csv"));
    press("xlsx", () => Files.hand(Files.name(state, "xlsx"), Files.workbook(state, kept, location.href),
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"));
    press("link", (button) => copy(location.href, button));
    press("cite", (button) => copy(Files.citation(state, kept), button));
    press("embed", (button) => copy(`<iframe src="${location.href.replace(/&/g, "&amp;")}" title="${document.title}" `
      + 'width="100%" height="900" loading="lazy"></iframe>', button));
    press("print", () => window.print());
    press("earlier", () => change(() => {}, state.page - 1));
    press("later", () => change(() => {}, state.page + 1));
    part("all-rows").addEventListener("change", showIncidents);
    part("all-corridors").addEventListener("change", () => showCorridors(Charts.corridors(kept).list));
    for (const end of ["from", "to"]) {
      part(end).placeholder = end === "from" ? Selection.first : Selection.last;
      part(end).addEventListener("change", () => change(() => {
        state[end] = /^\d{4}$/.test(part(end).value) ? Number(part(end).value) : 0;
      }));
    }
    part("choices").addEventListener("submit", (event) => event.preventDefault());
  }

  function arrive() {
    const asked = Selection.read(location.hash);
    state = asked.state;
    if (state.share) part("whole").open = true;
    show(asked.unknown);
  }

  if (window.parent !== window) document.documentElement.classList.add("embedded");
  part("explore").hidden = false;
  if (innerWidth < 960) part("filter-box").open = false;
  buildFilters();
  buildShares();
  buildButtons();
  window.addEventListener("popstate", arrive);
  window.addEventListener("hashchange", arrive);
  arrive();
  part("explore").dataset.ready = "yes";
})();
