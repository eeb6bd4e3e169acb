// Lets a form be sent once: its buttons rest until there is an answer.

function setDisabled(form, isDisabled) {
  for (const button of form.querySelectorAll("button")) button.disabled = isDisabled;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-submit-once]")) return;
  // Later, because a button that is disabled now would not be sent.
  setTimeout(() => setDisabled(form, true));
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (form.matches?.("[data-submit-once]")) setTimeout(() => setDisabled(form, false));
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("[data-submit-once]").forEach((form) => setDisabled(form, false));
});
