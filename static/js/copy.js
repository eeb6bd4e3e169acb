// Copies the text of the element that data-copy names. Where a page has no clipboard, over plain HTTP
// for one, it selects the text and lets the browser copy that, or says which keys do.

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

function tell(button, name, text, time) {
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
    tell(button, "copied", "Copied", CONFIRMED_FOR);
  } catch {
    select(source);
    if (document.execCommand("copy")) tell(button, "copied", "Copied", CONFIRMED_FOR);
    else tell(button, "byHand", BY_HAND, BY_HAND_FOR);
  }
});
