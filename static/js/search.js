// Searches while the user types: shortly after the last key, and immediately on Enter.

const PAUSE = 250;
let waiting;

function field() {
  return document.getElementById("search");
}

function send() {
  const input = field();
  const form = input?.form;
  if (!form || input.value.trim() === (new URL(location.href).searchParams.get("search") ?? "")) {
    return;
  }
  // Back leads to the list before the search, not through each letter of it.
  const isRefined = new URL(location.href).searchParams.has("search");
  form.setAttribute("hx-replace-url", String(isRefined));
  if (!isRefined) form.removeAttribute("hx-replace-url");
  form.requestSubmit();
}

document.addEventListener("input", (event) => {
  if (event.target !== field() || event.isComposing) return;
  clearTimeout(waiting);
  waiting = setTimeout(send, PAUSE);
});
document.addEventListener("compositionend", (event) => {
  if (event.target === field()) send();
});
document.addEventListener("keydown", (event) => {
  if (event.target !== field() || event.key !== "Escape") return;
  event.preventDefault();
  event.target.value = "";
  send();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-search]")) clearTimeout(waiting);
});

// The response replaces the field; copies what was typed meanwhile, and the cursor, into the new one.
document.addEventListener("htmx:beforeSwap", (event) => {
  const input = field();
  if (event.detail.target.id !== "listing" || document.activeElement !== input) return;
  const { value, selectionStart, selectionEnd } = input;
  const restore = () => {
    const next = field();
    if (!next) return;
    next.focus();
    const isBehind = next.value !== value;
    next.value = value;
    next.setSelectionRange(selectionStart, selectionEnd);
    if (isBehind && value.trim() !== next.defaultValue) {
      clearTimeout(waiting);
      waiting = setTimeout(send, PAUSE);
    }
  };
  document.addEventListener("htmx:afterSwap", restore, { once: true });
});
