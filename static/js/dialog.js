// Opens the one <dialog> when HTMX has put something into it, closes it, and empties it again.

const dialog = document.getElementById("dialog");

function isShowingSecret() {
  return dialog.querySelector("[data-keep-open]") !== null;
}

function close() {
  if (dialog.open) dialog.close();
}

function focusSomewhereUseful() {
  // What had the focus may be gone, with the row that was deleted.
  if (document.activeElement !== document.body) return;
  document.querySelector("#listing-title, h1")?.focus();
}

if (dialog) {
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== dialog || !dialog.hasChildNodes()) return;
    // A shown secret is left by DONE only: Escape would lose it.
    dialog.setAttribute("closedby", isShowingSecret() ? "none" : "closerequest");
    if (!dialog.open) dialog.showModal();
    (dialog.querySelector("[autofocus]") ?? dialog.querySelector("a, button, input"))?.focus();
  });
  dialog.addEventListener("cancel", (event) => {
    if (isShowingSecret()) event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    if (!event.target.closest("[data-close]")) return;
    event.preventDefault();
    close();
  });
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    focusSomewhereUseful();
  });
  document.addEventListener("dialog-close", close);
  document.addEventListener("htmx:afterSettle", focusSomewhereUseful);
}
