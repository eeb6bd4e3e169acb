// Keyboard: / searches, n creates, f filters, ? lists the shortcuts; arrow keys move in tables, trees and menus.

const FIELDS = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

function press(selector) {
  const element = document.querySelector(selector);
  element?.click();
  return element;
}

function isFree(event) {
  const isModified = event.ctrlKey || event.metaKey || event.altKey;
  return !isModified && !event.target.matches(FIELDS) && !document.querySelector("dialog[open]");
}

const SHORTCUTS = {
  "/": () => {
    const input = document.getElementById("search");
    input?.focus();
    input?.select();
    return input;
  },
  n: () => press("[data-new]"),
  f: () => press("#add-filter"),
  "?": () => press("#open-keys"),
};

function rowOf(element) {
  return element.closest("[data-row]");
}

function moveRow(event) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const here = rows.indexOf(rowOf(event.target));
  const steps = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 };
  if (!(event.key in steps) || !rows.length) return false;
  const isInTable = event.target.closest("[data-table], .table-scroll");
  if (!isInTable || (here < 0 && event.key === "ArrowUp")) return false;
  const next = rows[Math.min(Math.max(steps[event.key], 0), rows.length - 1)];
  const box = next.querySelector("input[name=selected]");
  (box ?? next.querySelector("a, button"))?.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function inRow(event) {
  const row = rowOf(event.target);
  const isSideways = event.key === "ArrowRight" || event.key === "ArrowLeft";
  if (row && isSideways && event.target.matches("[name=selected], .branch-toggle")) {
    return fold(event);
  }
  if (!row || !event.target.matches("input[name=selected]")) return false;
  if (event.key === "Enter") row.querySelector(".row-name")?.click();
  else if (event.key === "m") row.querySelector("[data-row-menu]")?.click();
  else return false;
  return true;
}

// Arrow keys move between the rows that can be selected; → and ← open and close a branch of a tree.
function moveInList(event) {
  const list = event.target.closest("[data-arrows], [popover]");
  if (!list || event.target.matches("input[type=date], input[type=number], select")) return false;
  if (event.target.matches("input[type=radio]") && !event.target.closest("[data-tree]")) return false;
  const tree = event.target.closest("[data-tree]");
  if (tree && (event.key === "ArrowRight" || event.key === "ArrowLeft")) return fold(event);
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return false;
  const kind = tree ? "input[name=scope]" : "a, button:not(.visually-hidden), input[type=checkbox]";
  const root = tree ?? event.target.closest("ul, [popover]");
  if (!root) return false;
  const stops = [...root.querySelectorAll(kind)].filter((stop) => stop.checkVisibility());
  const from = tree ? event.target.closest(".branch").querySelector(kind) : event.target;
  const next = stops[stops.indexOf(from) + (event.key === "ArrowDown" ? 1 : -1)];
  next?.focus();
  return Boolean(next);
}

function fold(event) {
  const branch = event.target.closest("[data-branch]");
  const toggle = branch?.querySelector(":scope > .branch-toggle, :scope > th .branch-toggle");
  const isOpen = toggle?.getAttribute("aria-expanded") === "true";
  if (!toggle || isOpen === (event.key === "ArrowRight")) return false;
  toggle.click();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || !event.target.closest) return;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const isDone =
    isPlain &&
    ((isFree(event) && SHORTCUTS[event.key]?.()) ||
      inRow(event) ||
      moveInList(event) ||
      (isFree(event) && moveRow(event)));
  if (isDone) event.preventDefault();
});

// After a swap that lost the focus, focus the element named by the link.
let after = "";
document.addEventListener("click", (event) => {
  after = event.target.closest("[data-focus-after]")?.dataset.focusAfter ?? "";
});
document.addEventListener("htmx:afterSwap", () => {
  if (after && document.activeElement === document.body) document.getElementById(after)?.focus();
  after = "";
});
