// COLUMNS dialog: moves a column immediately. Without JavaScript the server moves it.

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
  const neighbor = isUp ? row.previousElementSibling : row.nextElementSibling;
  // The first column is fixed. Moving the neighbor instead of the row keeps the focus on its button.
  if (!neighbor?.querySelector("button")) return;
  if (isUp) row.after(neighbor);
  else row.before(neighbor);
  const columns = [...row.parentElement.children];
  const title = row.querySelector("label span").textContent;
  const place = columns.indexOf(row) + 1;
  const status = row.closest("form").querySelector("[role=status]");
  status.textContent = `${title} is now column ${place} of ${columns.length}.`;
  markEnds(row.parentElement);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".columns-list button");
  if (!button) return;
  event.preventDefault();
  move(button.closest("li"), button.name === "up");
});
