// Forms: submits each form once, reloads a form when one choice changes the other choices, shows the
// description of the selected option, and restores what was typed before a session ended.

const PAUSE = 250;
let waiting;

function refreshForm(input) {
  const form = input.form;
  const button = form?.querySelector('button[value="refresh"]');
  // Click, because HTMX sends the name of a button only if it was clicked.
  button?.click();
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-live-search]") || event.target.type !== "search") return;
  if (event.isComposing) return;
  const id = event.target.id;
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const input = document.getElementById(id);
    if (input) refreshForm(input);
  }, PAUSE);
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-live-search]") && event.target.type !== "search") refreshForm(event.target);
});

// The checkboxes and radio buttons that were ticked when the pending refresh was sent.
let ticked = new Set();

function boxesOf(form) {
  return [...form.elements].filter(({ type }) => /checkbox|radio/.test(type));
}

function pairOf({ name, value }) {
  return `${name}=${value}`;
}

// A click in a form cancels its pending refresh. Otherwise HTMX queues the click until the response
// replaces the form, and then drops it.
let refreshing = null;
document.addEventListener("htmx:beforeRequest", ({ detail: { elt, requestConfig } }) => {
  if (requestConfig.triggeringEvent?.submitter?.value !== "refresh") return;
  refreshing = elt;
  ticked = new Set(boxesOf(elt).filter(({ checked }) => checked).map(pairOf));
});
document.addEventListener("htmx:afterRequest", ({ detail: { elt } }) => {
  if (refreshing === elt) refreshing = null;
});
const goOn = (event) => {
  const form = event.target.closest("button")?.form;
  if (form && form === refreshing) window.htmx.trigger(form, "htmx:abort");
};
document.addEventListener("click", goOn, { capture: true });

// Keeps what was ticked or cleared during a refresh. The server does not know it yet, so an option that the
// search does not find is requested again.
document.addEventListener("htmx:beforeSwap", ({ detail: { requestConfig, target } }) => {
  if (!refreshing || requestConfig?.elt !== refreshing || target.id !== "dialog") return;
  const changed = boxesOf(refreshing)
    .filter((box) => box.checked !== ticked.has(pairOf(box)) && (box.checked || box.type !== "radio"))
    .map(({ name, value, checked }) => ({ name, value, isTicked: checked }));
  const restore = () => {
    const form = document.querySelector("#dialog form");
    if (!form || !changed.length) return;
    const areShown = changed.map((field) => putBackField(form, field));
    if (areShown.includes(false)) refreshForm(form.elements[0]);
  };
  document.addEventListener("htmx:afterSettle", restore, { once: true });
});

// Keeps what was typed or selected during a request; if it is a search, searches again.
let sent = new Map();
document.addEventListener("htmx:beforeRequest", () => {
  const inputs = [...document.querySelectorAll("#dialog input")];
  sent = new Map(inputs.map(({ id, value }) => [id, value]));
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const input = document.activeElement;
  const isTyped = input?.matches("#dialog input:is([type=search], [type=text])");
  if (event.detail.target.id !== "dialog" || !isTyped) return;
  const { id, type, value, selectionStart, selectionEnd } = input;
  const isSearch = input.matches("[data-live-search][type=search]");
  const isUnchanged = !isSearch && sent.get(id) === value;
  const restore = () => {
    const next = document.getElementById(id);
    if (next?.type !== type || (isUnchanged && next.value !== value)) return;
    const isBehind = next.value.trim() !== value.trim();
    next.value = value;
    next.focus();
    next.setSelectionRange(selectionStart, selectionEnd);
    if (isSearch && isBehind) refreshForm(next);
  };
  document.addEventListener("htmx:afterSettle", restore, { once: true });
});

// Clears the error of a field once an option is chosen. Typed text is validated on submit.
document.addEventListener("change", ({ target }) => {
  if (!target.matches("select, [type=radio], [type=checkbox]")) return;
  target.removeAttribute("aria-invalid");
  target.closest(".field")?.querySelector(".field-error")?.remove();
});

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

function setDisabled(form, isDisabled) {
  for (const button of form.querySelectorAll("button")) button.disabled = isDisabled;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-submit-once]")) return;
  // Deferred: a button that is disabled now would not be submitted.
  setTimeout(() => setDisabled(form, true));
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (form.matches?.("[data-submit-once]")) setTimeout(() => setDisabled(form, false));
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("[data-submit-once]").forEach((form) => setDisabled(form, false));
});

// Keeps typed values in this tab until the same user opens the same form again as a page. Passwords are
// never kept.
const KEPT = "kept-form";
const NEVER_KEPT = new Set(["csrfmiddlewaretoken", "submission", "from", "seen"]);

function pathOf(form) {
  return new URL(form.action, location.href).pathname;
}

function currentUser() {
  return document.querySelector("[data-user]")?.dataset.user;
}

function fieldsOf(form) {
  return [...form.elements].filter(({ name, type, dataset }) => {
    const isPassword = type === "password" || "password" in dataset;
    return name && !isPassword && !NEVER_KEPT.has(name) && !/file|submit|button|fieldset/.test(type);
  });
}

function keep(form) {
  const fields = fieldsOf(form).map(({ name, value, type, checked }) => {
    return { name, value, isTicked: /checkbox|radio/.test(type) ? checked : undefined };
  });
  const kept = { user: currentUser(), path: pathOf(form), fields };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

// Restores one field and returns whether the form showed it. An option that only a search shows is added
// as a hidden field, for the server to render.
function putBackField(form, { name, value, isTicked }) {
  const named = fieldsOf(form).filter((field) => field.name === name);
  const same = named.find((field) => field.value === value);
  const typed = named.find(({ type }) => !/checkbox|radio|hidden/.test(type));
  if (isTicked !== undefined && same) same.checked = isTicked;
  else if (isTicked === undefined && typed) typed.value = value;
  else if (isTicked !== false && !same) {
    const unseen = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    form.append(unseen);
    return false;
  }
  return true;
}

function putBack() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (!kept || !currentUser()) return; // no user yet: this is the sign-in page
  sessionStorage.removeItem(KEPT);
  const form = [...document.forms].find((other) => other.method === "post" && pathOf(other) === kept.path);
  if (!form || kept.user !== currentUser()) return;
  const areShown = kept.fields.map((field) => putBackField(form, field));
  describeAll();
  const search = form.querySelector("[data-live-search][type=search]");
  if (search && (areShown.includes(false) || search.value !== search.defaultValue)) refreshForm(search);
}

document.addEventListener("htmx:beforeOnLoad", ({ detail: { elt, xhr } }) => {
  if (xhr.getResponseHeader("X-Keep-Form") !== "true") return;
  const form = elt.closest("form") ?? document.querySelector("#dialog form");
  if (form?.method === "post") keep(form);
});
putBack();
