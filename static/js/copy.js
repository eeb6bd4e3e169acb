// Copies the text of the element named by data-copy. If the page has no clipboard access (plain HTTP), it
// selects the text and asks the browser to copy it, or names the keys to press.

const CONFIRMED_FOR = 2000;
const BY_HAND_FOR = 6000;
const BY_HAND = "Selected: press Ctrl+C or ⌘C to copy";

function select(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

function showResult(button, name, text, time) {
  const label = button.getAttribute("aria-label");
  button.dataset[name] = text;
  button.setAttribute("aria-label", text);
  setTimeout(() => {
    delete button.dataset[name];
    button.setAttribute("aria-label", label);
  }, time);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button || "copied" in button.dataset || "byHand" in button.dataset) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    showResult(button, "copied", "Copied", CONFIRMED_FOR);
  } catch {
    select(source);
    if (document.execCommand("copy")) showResult(button, "copied", "Copied", CONFIRMED_FOR);
    else showResult(button, "byHand", BY_HAND, BY_HAND_FOR);
  }
});
