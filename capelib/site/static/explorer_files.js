"use strict";
// The selection as a file: CSV with codes, or a workbook with words. Each names edition and checksum.
const Files = (() => {
  const { rows, exiles, sources, facets } = CAPE_DATA;
  const edition = `${CAPE_DATA.name}, edition ${CAPE_DATA.edition}, sha256 ${CAPE_DATA.sha256.slice(0, 12)}`;
  const CAVEAT = "A collection of what was reported, no census and no random sample: counts are no rates.";
  const year = (i) => (rows.year[i] ? String(rows.year[i]) : "");
  const source = (part) => (i) => sources[part][rows.source_id[i]];

  function citation(state, kept) {
    const part = Selection.write(state);
    const which = part ? ` Selection: ${part} (${kept.length} of ${Selection.total} incidents).` : "";
    return `capelib contributors (${CAPE_DATA.edition.slice(0, 4)}). ${CAPE_DATA.title}. Edition `
      + `${CAPE_DATA.edition}, sha256 ${CAPE_DATA.sha256.slice(0, 12)}, ${CAPE_DATA.licence}.${which}`;
  }

  function name(state, ending) {
    const part = Selection.write(state).replace(/[^\w-]+/g, "-").slice(0, 80) || "all";
    return `${CAPE_DATA.name}_${CAPE_DATA.edition}_${part}.${ending}`;
  }

  // The columns of the file, with codes or with words.
  function columns(state, kept, word) {
    const coded = (facet) => (i) => (word ? wordOf(facet, i) : Selection.value(facet, i));
    const cited = citation(state, kept);
    return {
      incident_id: (i) => rows.id[i],
      exile_id: (i) => exiles[rows.exile[i]],
      origin: coded("origin"),
      host: coded("host"),
      date: (i) => rows.date[i],
      year,
      measure: coded("measure"),
      stage: coded("stage"),
      category: coded("category"),
      doubtful: (i) => Selection.value("doubtful", i),
      attribution: (i) => Selection.value("alleged", i),
      outcome: (i) => rows.outcome[i],
      source_id: source("id"),
      source_kind: coded("source"),
      publisher: source("publisher"),
      url: source("address"),
      dataset: () => edition,
      citation: () => cited,
    };
  }

  function wordOf(facet, i) {
    if (!facets.some(({ name: known }) => known === facet)) return "";
    return Selection.value(facet, i) ? Selection.label(facet, rows[facet][i]) : "";
  }

  function csv(state, kept) {
    const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
    const parts = columns(state, kept, false);
    const line = (cells) => `${cells.map(quoted).join(",")}\r\n`;
    const body = kept.map((i) => line(Object.values(parts).map((of) => of(i))));
    return `\ufeff${line(Object.keys(parts))}${body.join("")}`; // the mark lets Excel see UTF-8
  }

  function workbook(state, kept, address) {
    const parts = columns(state, kept, true);
    delete parts.dataset;
    delete parts.citation;
    const incidents = kept.map((i) => Object.values(parts).map((of) => of(i)));
    const about = [
      ["What", CAPE_DATA.title], ["Edition", CAPE_DATA.edition], ["sha256", CAPE_DATA.sha256],
      ["Licence", CAPE_DATA.licence], ["Cite as", citation(state, kept)], ["Address", address], ["Caveat", CAVEAT],
    ];
    return Workbook.made([["incidents", [Object.keys(parts), ...incidents]], ["about", about]]);
  }

  function hand(fileName, content, type) {
    const link = Charts.node("a", { href: URL.createObjectURL(new Blob([content], { type })), download: fileName });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  return { citation, name, csv, workbook, hand, CAVEAT };
})();
