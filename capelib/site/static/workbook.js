"use strict";
// A workbook (Office Open XML) of text cells in the browser: five small files in a zip that is not
// compressed. A library for it weighs 400 kB and more.
const Workbook = (() => {
  const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";
  const SPACE = "http://schemas.openxmlformats.org";
  const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
  const ILLEGAL = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
  const escaped = (text) => String(text).replace(ILLEGAL, "").replace(/&/g, "&amp;").replace(/</g, "&lt;")
    .replace(/>/g, "&gt;").replace(/"/g, "&quot;");

  const cell = (text) => `<c t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`;
  const sheet = (lines) => `${HEAD}<worksheet xmlns="${SPACE}/spreadsheetml/2006/main"><sheetData>`
    + `${lines.map((cells) => `<row>${cells.map(cell).join("")}</row>`).join("")}</sheetData></worksheet>`;

  function made(sheets) {
    const numbers = sheets.map((_, k) => k + 1);
    const relation = (id, kind, target) =>
      `<Relationship Id="${id}" Type="${SPACE}/officeDocument/2006/relationships/${kind}" Target="${target}"/>`;
    const relations = (inner) =>
      `${HEAD}<Relationships xmlns="${SPACE}/package/2006/relationships">${inner}</Relationships>`;
    const override = (part, kind) => `<Override PartName="/${part}" ContentType="${TYPE}.${kind}+xml"/>`;
    return zip({
      "[Content_Types].xml": `${HEAD}<Types xmlns="${SPACE}/package/2006/content-types">`
        + '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        + override("xl/workbook.xml", "sheet.main")
        + numbers.map((k) => override(`xl/worksheets/sheet${k}.xml`, "worksheet")).join("") + "</Types>",
      "_rels/.rels": relations(relation("rId1", "officeDocument", "xl/workbook.xml")),
      "xl/workbook.xml": `${HEAD}<workbook xmlns="${SPACE}/spreadsheetml/2006/main" `
        + `xmlns:r="${SPACE}/officeDocument/2006/relationships"><sheets>`
        + sheets.map(([name], k) => `<sheet name="${escaped(name)}" sheetId="${k + 1}" r:id="rId${k + 1}"/>`).join("")
        + "</sheets></workbook>",
      "xl/_rels/workbook.xml.rels":
        relations(numbers.map((k) => relation(`rId${k}`, "worksheet", `worksheets/sheet${k}.xml`)).join("")),
      ...Object.fromEntries(sheets.map(([, lines], k) => [`xl/worksheets/sheet${k + 1}.xml`, sheet(lines)])),
    });
  }

  const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  function crc32(bytes) {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
    return (crc ^ 0xffffffff) >>> 0;
  }

  // Numbers of some bytes each, little end first, as the zip format has its headers.
  function header(...fields) {
    const bytes = [];
    for (const [value, size] of fields) for (let k = 0; k < size; k++) bytes.push((value / 256 ** k) & 255);
    return Uint8Array.from(bytes);
  }

  function zip(files) {
    const local = [], central = [];
    const encoder = new TextEncoder();
    let offset = 0, listed = 0;
    for (const [path, text] of Object.entries(files)) {
      const name = encoder.encode(path), content = encoder.encode(text);
      const facts = [
        [20, 2], [0, 2], [0, 2], [0, 2], [33, 2], // version, flags, stored; 1 January 1980
        [crc32(content), 4], [content.length, 4], [content.length, 4], [name.length, 2], [0, 2],
      ];
      const before = header([0x04034b50, 4], ...facts);
      const entry = header([0x02014b50, 4], [20, 2], ...facts, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]);
      local.push(before, name, content);
      central.push(entry, name);
      offset += before.length + name.length + content.length;
      listed += entry.length + name.length;
    }
    const count = central.length / 2;
    const end = header([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [listed, 4], [offset, 4], [0, 2]);
    return new Blob([...local, ...central, end]);
  }

  return { made };
})();
