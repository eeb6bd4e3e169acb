// Opens the page's only <dialog> after HTMX fills it; closes and empties it.

const dialog = document.getElementById("dialog");
let opener = "";
let wanted = null;
// True if a dialog reported that a row of the list no longer exists.
let isBehind = false;
let title = "";

// The styles and scripts of dialogs. A list loads them with its first dialog, other pages from the start.
const assets = document.getElementById("dialog-assets");
let areLoaded = !assets;
let loading = null;

function load() {
  const elements = [...assets.content.cloneNode(true).children];
  const isDone = (element) =>
    new Promise((resolve) => {
      element.addEventListener("load", resolve);
      element.addEventListener("error", resolve);
    });
  const all = Promise.all(elements.map(isDone));
  document.head.append(...elements);
  return all.then(() => {
    areLoaded = true;
  });
}

function isShowingSecret() {
  return dialog.querySelector("[data-keep-open]") !== null;
}

function close() {
  if (dialog.open) dialog.close();
}

// Removes the content before the dialog closes, so that a secret does not remain in the page.
function leaveNothing() {
  dialog.dispatchEvent(new CustomEvent("dialog-emptied"));
  dialog.replaceChildren();
  close();
}

// Only DONE closes a dialog that shows a secret; everything else asks first.
function ask() {
  const question = dialog.querySelector("[data-leave]");
  if (!question) return;
  question.hidden = false;
  question.querySelector("[data-stay]").focus();
}

function leave() {
  if (isShowingSecret()) ask();
  else leaveNothing();
}

// In a small window the buttons of a secret are below it; the secret must be visible first.
function focusWanted() {
  wanted?.focus({ preventScroll: isShowingSecret() });
}

// `focused` is the id of the element that had the focus in the former content.
function show(focused) {
  if (!dialog.hasChildNodes()) return;
  isBehind ||= dialog.querySelector("[data-stale]") !== null;
  const isNew = !dialog.open;
  if (isNew) dialog.showModal();
  dialog.dispatchEvent(new CustomEvent("dialog-shown"));
  // A different dialog starts at the top; the same dialog keeps its scroll position.
  const earlier = title;
  title = dialog.querySelector("#dialog-title")?.textContent ?? "";
  if (title !== earlier) dialog.scrollTop = 0;
  const again = !isNew && focused && document.getElementById(focused);
  const first = dialog.querySelector("[autofocus]") ?? dialog.querySelector("a, button, input");
  wanted = again || first;
  focusWanted();
}

function focusSomewhereUseful() {
  // The element that had the focus might be deleted (with its row) or hidden (DISABLE becomes ENABLE).
  if (document.activeElement !== document.body) return;
  const selectors = [opener && `#${CSS.escape(opener)}`, ".row-changed input", "#listing-title", "h1"];
  const targets = selectors.filter(Boolean).map((selector) => document.querySelector(selector));
  targets.find((target) => target?.checkVisibility())?.focus();
}

function isOnBackdrop(event) {
  if (event.target !== dialog) return false;
  const box = dialog.getBoundingClientRect();
  const isBeside = event.clientX < box.left || event.clientX > box.right;
  return isBeside || event.clientY < box.top || event.clientY > box.bottom;
}

if (dialog) {
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!dialog.open) opener = document.activeElement?.id ?? "";
    if (!areLoaded && event.detail.target === dialog) loading ??= load();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== dialog) return;
    const focused = event.detail.requestConfig?.focused;
    if (areLoaded) show(focused);
    else loading.then(() => show(focused));
  });
  // HTMX focuses the autofocus element again when it settles.
  document.addEventListener("htmx:afterSettle", () => {
    focusWanted();
    wanted = null;
  });
  // Keep the focus on the same button when the content of the dialog is replaced.
  document.addEventListener("htmx:configRequest", (event) => {
    const focused = document.activeElement;
    if (dialog.contains(focused)) event.detail.focused = focused.id;
  });
  // If the user moved on during the request, keep the focus where it is now.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const focused = document.activeElement;
    const { target, requestConfig } = event.detail;
    if (target === dialog && requestConfig && focused?.id && dialog.contains(focused)) {
      requestConfig.focused = focused.id;
    }
  });
  dialog.addEventListener("cancel", (event) => {
    if (!isShowingSecret()) return;
    event.preventDefault();
    ask();
  });
  dialog.addEventListener("keydown", (event) => {
    // Chromium closes the dialog on a second Escape even if the cancel event is prevented.
    if (event.key !== "Escape" || !isShowingSecret()) return;
    event.preventDefault();
    ask();
  });
  // Back and reload ask first, too.
  window.addEventListener("beforeunload", (event) => {
    if (isShowingSecret()) event.preventDefault();
  });
  let pressedOnBackdrop = false;
  dialog.addEventListener("pointerdown", (event) => {
    pressedOnBackdrop = isOnBackdrop(event);
  });
  dialog.addEventListener("click", (event) => {
    if (pressedOnBackdrop && isOnBackdrop(event)) leave();
    if (event.target.closest("[data-stay]")) {
      dialog.querySelector("[data-leave]").hidden = true;
      dialog.querySelector("[data-close]").focus();
    }
    if (event.target.closest("[data-leave-anyway]")) leaveNothing();
    if (event.target.closest("[data-close-after]")) setTimeout(close);
    if (!event.target.closest("[data-close]")) return;
    event.preventDefault();
    leaveNothing();
  });
  dialog.addEventListener("close", () => {
    dialog.dispatchEvent(new CustomEvent("dialog-emptied"));
    dialog.replaceChildren();
    focusSomewhereUseful();
    if (isBehind) document.dispatchEvent(new CustomEvent("changed", { detail: { id: "" } }));
    isBehind = false;
  });
  document.addEventListener("dialog-close", close);
  document.addEventListener("htmx:afterSettle", focusSomewhereUseful);
}
