// Lists: row selection, the menu of a row, and refreshing the list.

const INTERACTIVE = "a, button, input, label, summary, code";

function listing() {
  return document.getElementById("listing");
}

function boxes() {
  return [...document.querySelectorAll("#listing [data-row] input[name=selected]")];
}

// Sets attributes for what CSS can't count: how many rows are selected, and whether that is the page.
function updateSelectionState() {
  const section = listing();
  const all = boxes();
  const chosen = all.filter((box) => box.checked);
  if (!section) return;
  section.dataset.selected = chosen.length > 1 ? "many" : String(chosen.length);
  const count = section.querySelector("[data-selected-count]");
  const view = section.querySelector("[data-selects-view]");
  // Deselecting a row ends the selection of the whole view; the other rows of this page stay selected.
  if (view && chosen.length < all.length) view.remove();
  const isView = Boolean(view?.isConnected);
  const text = isView ? view.dataset.selectsView : chosen.length ? `${chosen.length} selected` : "";
  if (count && count.textContent !== text) count.textContent = text;
  const page = section.querySelector("[data-select-page]");
  if (!page) return;
  page.checked = all.length > 0 && chosen.length === all.length;
  section.toggleAttribute("data-page-selected", page.checked);
  page.indeterminate = chosen.length > 0 && chosen.length < all.length;
}

function clear() {
  const chosen = boxes().filter((box) => box.checked);
  for (const box of chosen) box.checked = false;
  updateSelectionState();
  chosen[0]?.focus();
}

function openMenu(link) {
  const menu = document.getElementById("row-menu");
  const box = document.getElementById(`select-${link.dataset.rowMenu}`);
  menu.elements.selected.value = link.dataset.rowMenu;
  const page = menu.querySelector("[data-row-page]");
  if (page) page.href = link.href;
  const history = menu.querySelector("[data-row-history]");
  if (history) history.href = link.dataset.history;
  menu.dataset.enabled = box.dataset.enabled;
  menu.dataset.allowed = box.dataset.allowed;
  menu.showPopover({ source: link });
  [...menu.querySelectorAll("a, button")].find((stop) => stop.checkVisibility())?.focus();
}

// The latest request for the list. A new one aborts it, because a late response would show an older list.
let underWay;

// Selected rows stay selected, except after a procedure ends or a row is created, so that the next action
// does not apply to an older selection. The changed row is marked and scrolled into view.
function refresh(address, { id: changed = "", isNew = false, isLast = false } = {}) {
  const url = new URL(address, location.href);
  const kept = isNew || isLast ? [] : boxes().filter((box) => box.checked);
  for (const box of kept) url.searchParams.append("selected", box.value);
  if (changed) url.searchParams.set("changed", changed);
  if (isNew) url.searchParams.set("new", "1");
  // HTMX would queue this request behind an earlier one of the same list, and drop it when the response
  // to that one replaces the list.
  underWay?.abort();
  const options = { target: "#listing", swap: "outerHTML", select: "#listing", source: "#listing" };
  const show = () => {
    listing()?.querySelector(".row-changed")?.scrollIntoView({ block: "nearest" });
  };
  // frame.js reports failures.
  return window.htmx.ajax("GET", url.pathname + url.search, options).then(show, () => {});
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row]");
  if (row && !event.target.closest(INTERACTIVE) && !String(window.getSelection())) {
    const box = row.querySelector("input[name=selected]");
    if (box) box.checked = !box.checked;
    updateSelectionState();
  }
  if (event.target.closest("[data-clear-selection]")) {
    event.preventDefault();
    clear();
  }
  const link = event.target.closest("[data-row-menu]");
  if (link && !event.ctrlKey && !event.metaKey && HTMLElement.prototype.showPopover) {
    event.preventDefault();
    openMenu(link);
  }
  if (event.target.closest("[data-close-menu], #row-menu a, #row-menu button")) {
    // Deferred: HTMX forgets which button was clicked when that button loses the focus.
    setTimeout(() => event.target.closest("[popover]")?.hidePopover());
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-select-page]")) {
    for (const box of boxes()) box.checked = event.target.checked;
  }
  if (event.target.closest("#listing")) updateSelectionState();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id !== "listing") return;
  underWay?.abort();
  underWay = event.detail.xhr;
});

let leaving = "";
document.addEventListener("htmx:beforeRequest", (event) => {
  leaving = event.detail.elt.dataset?.leaves ?? leaving;
});
document.addEventListener("changed", (event) => {
  const section = listing();
  // A detail page of a deleted object has no list to refresh.
  if (!section) return;
  if (leaving && event.detail.id === "") location.assign(leaving);
  else refresh(section.dataset.listing, event.detail);
});
document.addEventListener("show-list", (event) => {
  // HTMX restores only history entries that it marked; a page that was just loaded has no mark.
  history.replaceState({ htmx: true }, "");
  history.pushState({ htmx: true }, "", event.detail.address);
  refresh(event.detail.address);
});
document.addEventListener("htmx:afterSettle", updateSelectionState);
document.addEventListener("htmx:afterSettle", (event) => {
  const text = listing()?.dataset.liveRegionText;
  if (text && event.target.closest("#listing")) document.getElementById("live-region").textContent = text;
});
window.addEventListener("pageshow", updateSelectionState);
updateSelectionState();
