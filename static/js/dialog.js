// Opens the one <dialog> when HTMX has put something into it, closes it, and empties it again.

const dialog = document.getElementById("dialog");
let opener = "";
let wanted = null;
// Whether the list shows what a dialog has found to be gone.
let isBehind = false;
let title = "";

function isShowingSecret() {
  return dialog.querySelector("[data-keep-open]") !== null;
}

function close() {
  if (dialog.open) dialog.close();
}

// Whoever leaves a dialog leaves nothing of it behind, a secret above all, not even for a moment.
function leaveNothing() {
  dialog.replaceChildren();
  close();
}

// A shown secret is left by DONE; every other way asks first.
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

function focusSomewhereUseful() {
  // What had the focus may be gone, with the row that was deleted, or hidden, as DISABLE is then.
  if (document.activeElement !== document.body) return;
  const ways = [opener && `#${CSS.escape(opener)}`, ".row-changed input", "#listing-title", "h1"];
  const stops = ways.filter(Boolean).map((way) => document.querySelector(way));
  stops.find((stop) => stop?.checkVisibility())?.focus();
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
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== dialog || !dialog.hasChildNodes()) return;
    isBehind ||= dialog.querySelector("[data-stale]") !== null;
    const isNew = !dialog.open;
    if (isNew) dialog.showModal();
    // Another dialog in its place is read from its beginning; the same one stays where it was.
    const earlier = title;
    title = dialog.querySelector("#dialog-title")?.textContent ?? "";
    if (title !== earlier) dialog.scrollTop = 0;
    const before = !isNew && event.detail.requestConfig?.focused;
    const again = before && document.getElementById(before);
    const first = dialog.querySelector("[autofocus]") ?? dialog.querySelector("a, button, input");
    wanted = again || first;
    wanted?.focus();
  });
  // HTMX focuses what has autofocus once more when it settles.
  document.addEventListener("htmx:afterSettle", () => {
    wanted?.focus();
    wanted = null;
  });
  // Within a dialog the focus stays where it was: on the same button of the new content.
  document.addEventListener("htmx:configRequest", (event) => {
    const focused = document.activeElement;
    if (dialog.contains(focused)) event.detail.focused = focused.id;
  });
  // Whoever went on meanwhile is not called back.
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
    // Chromium closes at a second Escape whatever the cancel event says.
    if (event.key !== "Escape" || !isShowingSecret()) return;
    event.preventDefault();
    ask();
  });
  // Nor does leaving the page, by Back or a reload, lose it without being asked.
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
    dialog.replaceChildren();
    focusSomewhereUseful();
    if (isBehind) document.dispatchEvent(new CustomEvent("changed", { detail: { id: "" } }));
    isBehind = false;
  });
  document.addEventListener("dialog-close", close);
  document.addEventListener("htmx:afterSettle", focusSomewhereUseful);
}
