// COLUMNS: a column moves at once, however fast one follows the other; without a script the server moves it.

function markEnds(list) {
  const rows = [...list.querySelectorAll("li:has(button)")];
  rows.forEach((row, place) => {
    const ends = { up: place === 0, down: place === rows.length - 1 };
    for (const [name, isEnd] of Object.entries(ends)) {
      row.querySelector(`[name=${name}]`).ariaDisabled = isEnd ? "true" : null;
    }
  });
}

function move(row, isUp) {
  const neighbour = isUp ? row.previousElementSibling : row.nextElementSibling;
  // The first column is fixed. The neighbour moves, not the row: so the focus stays on its button.
  if (!neighbour?.querySelector("button")) return;
  if (isUp) row.after(neighbour);
  else row.before(neighbour);
  const columns = [...row.parentElement.children];
  const title = row.querySelector("label span").textContent;
  const place = columns.indexOf(row) + 1;
  const said = row.closest("form").querySelector("[role=status]");
  said.textContent = `${title} is now column ${place} of ${columns.length}.`;
  markEnds(row.parentElement);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".columns-list button");
  if (!button) return;
  event.preventDefault();
  move(button.closest("li"), button.name === "up");
});
