// Asks for a dialog's form anew when a choice in it changes what else there is to choose.

const PAUSE = 250;
let waiting;

function look(input) {
  const form = input.form;
  const button = form?.querySelector('button[value="look"]');
  if (button) form.requestSubmit(button);
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-look]") || event.target.type !== "search") return;
  if (event.isComposing) return;
  const id = event.target.id;
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const input = document.getElementById(id);
    if (input) look(input);
  }, PAUSE);
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-look]") && event.target.type !== "search") look(event.target);
});

// What was typed while the answer was under way is kept, and looked for.
document.addEventListener("htmx:beforeSwap", (event) => {
  const input = document.activeElement;
  if (event.detail.target.id !== "dialog" || !input?.matches("[data-look][type=search]")) return;
  const { id, value, selectionStart, selectionEnd } = input;
  const restore = () => {
    const next = document.getElementById(id);
    if (!next) return;
    const isBehind = next.value.trim() !== value.trim();
    next.value = value;
    next.focus();
    next.setSelectionRange(selectionStart, selectionEnd);
    if (isBehind) look(next);
  };
  document.addEventListener("htmx:afterSwap", restore, { once: true });
});
