"use strict";
// A click on a heading sorts the table of estimates by that column, a second one the other way.
// Equal rows keep their order; rows without a number stay last.
document.querySelectorAll("table.estimates").forEach((table) => {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(heading.textContent);
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      const compared = [...body.rows].map((row) => ({ row, cell: row.cells[column] }));
      compared.sort(({ cell: a }, { cell: b }) => {
        const [first, second] = [a.dataset.number, b.dataset.number];
        if (first === "" || second === "") return (first === "") - (second === "");
        const order = first === undefined ? a.textContent.localeCompare(b.textContent) : first - second;
        return down ? -order : order;
      });
      body.append(...compared.map(({ row }) => row));
      headings.forEach((each) => each.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
  });
});
