// A click anywhere in a row selects it, a second one lets it go; so does the toolbar's ✕.

const INTERACTIVE = "a, button, input, label, summary, code";

function clear() {
  const selected = document.querySelector("#listing input[name=selected]:checked");
  if (!selected) return;
  selected.checked = false;
  selected.focus();
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row]");
  if (row && !event.target.closest(INTERACTIVE) && !String(window.getSelection())) {
    const radio = row.querySelector("input[name=selected]");
    radio.checked = !radio.checked;
  }
  if (event.target.closest("[data-clear-selection]")) {
    event.preventDefault();
    clear();
  }
});
