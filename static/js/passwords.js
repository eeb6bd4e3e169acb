// Shows what is typed in the password fields of a form, until it is submitted: browsers remember the values of
// text fields.

function show(form, isShown) {
  for (const input of form.querySelectorAll("[data-password]")) input.type = isShown ? "text" : "password";
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-show-characters]")) show(target.form, target.checked);
});
document.addEventListener(
  "submit",
  ({ target }) => {
    const box = target.querySelector("[data-show-characters]");
    if (!box) return;
    box.checked = false;
    show(target, false);
  },
  { capture: true },
);
