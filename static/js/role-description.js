// Shows below a <select> what its chosen option is about.

function describe(select) {
  const text = document.getElementById(select.dataset.describes);
  if (text) text.textContent = select.selectedOptions[0]?.title ?? "";
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-describes]")) describe(event.target);
});

function describeAll() {
  document.querySelectorAll("[data-describes]").forEach(describe);
}

describeAll();
document.addEventListener("htmx:afterSwap", describeAll);
