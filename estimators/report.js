"use strict";
// Filters: a form with data-rows wires its fields to the data-NAME attributes of the rows; the field `text` to their text.
for (const form of document.querySelectorAll("form[data-rows]")) {
  const rows = [...document.querySelectorAll(form.dataset.rows)];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const groups = new Set(rows.map((row) => row.closest("[data-group]")).filter(Boolean));
  const status = form.querySelector("[role=status]");

  const apply = () => {
    const fields = [...new FormData(form)].filter(([, value]) => value.trim());
    const words = fields.filter(([name]) => name === "text").flatMap(([, value]) => value.toLowerCase().split(/\s+/));
    const chosen = fields.filter(([name]) => name !== "text");
    let count = 0;
    rows.forEach((row, index) => {
      const shown =
        chosen.every(([name, value]) => (row.dataset[name] ?? "").split("|").includes(value)) &&
        words.every((word) => texts[index].includes(word));
      row.hidden = !shown;
      count += shown;
    });
    for (const group of groups) {
      group.hidden = rows.every((row) => row.hidden || !group.contains(row));
    }
    status.textContent = `${count} of ${rows.length} ${form.dataset.noun} shown`;
  };

  // A link to a row that the filters hide shows all rows first.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && rows.some((row) => row.hidden && (row === target || row.contains(target)))) {
      form.reset();
      apply();
      target.scrollIntoView();
    }
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  addEventListener("hashchange", reveal);
  form.hidden = false;
  apply();
}

// The keyboard reaches a formula that has to be scrolled, and no other one.
const reach = () => {
  for (const formula of document.querySelectorAll(".formula")) {
    if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    else formula.removeAttribute("tabindex");
  }
};
addEventListener("resize", reach);
reach();
