// Column widths: drag the separator at the end of a header, or focus it and press an arrow key. A double
// click or Enter makes the column as wide as its content again. The server saves the width.

const STEP = 16;
const PAUSE = 400;

// What was chosen on this page. A list that was requested earlier might still have the former width.
const chosen = new Map();
let dragged = null;
let saving;

function separatorAt(event) {
  return event.target.closest?.("[data-column]");
}

function show(separator, width) {
  const cell = separator.closest("th");
  if (width) cell.setAttribute("width", width);
  else cell.removeAttribute("width");
  cell.querySelector(".column-width").setAttribute("width", width);
  separator.setAttribute("aria-valuenow", Math.round(cell.offsetWidth));
}

function choose(separator, wanted) {
  const { ariaValueMin, ariaValueMax, dataset } = separator;
  const width = wanted && Math.round(Math.min(Math.max(wanted, ariaValueMin), ariaValueMax));
  show(separator, width);
  chosen.set(dataset.column, width);
}

function save(separator) {
  const { column } = separator.dataset;
  const body = new URLSearchParams({ column, width: chosen.get(column) || "" });
  body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  fetch(separator.closest("[data-table]").dataset.table, { method: "POST", body, keepalive: true });
}

document.addEventListener("pointerdown", (event) => {
  const separator = separatorAt(event);
  if (!separator || event.button !== 0) return;
  separator.setPointerCapture(event.pointerId);
  dragged = { separator, from: event.clientX, width: separator.closest("th").offsetWidth };
});
document.addEventListener("pointermove", (event) => {
  if (!dragged || event.clientX === dragged.last) return;
  dragged.last = event.clientX;
  choose(dragged.separator, dragged.width + event.clientX - dragged.from);
});
document.addEventListener("pointerup", () => {
  if (dragged?.last) save(dragged.separator);
  dragged = null;
});
document.addEventListener("pointercancel", () => {
  dragged = null;
});
document.addEventListener("dblclick", (event) => {
  const separator = separatorAt(event);
  if (!separator) return;
  choose(separator, 0);
  save(separator);
});
document.addEventListener("keydown", (event) => {
  const separator = separatorAt(event);
  const step = { ArrowLeft: -STEP, ArrowRight: STEP, Enter: 0 }[event.key];
  if (!separator || step === undefined) return;
  event.preventDefault();
  choose(separator, step && separator.closest("th").offsetWidth + step);
  clearTimeout(saving);
  saving = setTimeout(save, PAUSE, separator);
});
document.addEventListener("focusin", (event) => {
  const separator = separatorAt(event);
  if (separator) separator.setAttribute("aria-valuenow", separator.closest("th").offsetWidth);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const separator of document.querySelectorAll("[data-column]")) {
    if (chosen.has(separator.dataset.column)) show(separator, chosen.get(separator.dataset.column));
  }
});
