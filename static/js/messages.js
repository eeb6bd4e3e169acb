// Messages: each disappears after some seconds, unless it is an error or the user points at it or focuses it.
// While a dialog is open, errors are on top of its content, and successes wait until it closes: nothing covers
// a secret or a button. The menu "Recent messages" keeps them for this tab.

const SHOWN_FOR = 8000;
const AGAIN_AFTER = 2000;
const MAX_KEPT = 10;
const KEPT = "recent-messages";
const UNREACHABLE = "The server can't be reached. Check the connection and try again.";

const area = document.getElementById("messages");
const dialog = document.getElementById("dialog");
const recent = document.getElementById("recent-list");
const user = document.querySelector("[data-user]")?.dataset.user;
const seen = new WeakSet();
const timers = new WeakMap();

function read() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  return kept?.user === user ? kept.texts : [];
}

function showRecent(texts) {
  if (!recent || !texts.length) return;
  recent.replaceChildren(
    ...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
}

function keep(text) {
  const texts = [text, ...read()].slice(0, MAX_KEPT);
  sessionStorage.setItem(KEPT, JSON.stringify({ user, texts }));
  showRecent(texts);
}

function hideLater(message, time) {
  clearTimeout(timers.get(message));
  const hide = () => {
    if (message.matches(":hover, :focus-within") || dialog?.open) hideLater(message, AGAIN_AFTER);
    else message.remove();
  };
  if (!message.matches(".message-error")) timers.set(message, setTimeout(hide, time));
}

// A modal dialog makes the rest of the page inert, so a message that can't wait moves into it.
function place() {
  const isUrgent = area.querySelector("[data-message]:not(.message-success)") !== null;
  const home = dialog?.open && isUrgent ? dialog : document.body;
  if (area.parentElement === home) return;
  home.append(area);
  if (home === dialog) area.scrollIntoView({ block: "nearest" });
}

function showAfterDialog() {
  document.body.append(area);
  for (const message of area.children) hideLater(message, SHOWN_FOR);
}

function update() {
  for (const message of area.querySelectorAll("[data-message]")) {
    if (seen.has(message)) continue;
    seen.add(message);
    keep(message.querySelector("[data-message-text]").textContent);
    hideLater(message, SHOWN_FOR);
  }
}

if (area) {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest("[data-message]").remove();
  });
  document.addEventListener("htmx:sendError", () => {
    const template = document.getElementById("error-message");
    const message = template.content.cloneNode(true);
    message.querySelector("[data-message-text]").textContent = UNREACHABLE;
    area.replaceChildren(message);
    place();
  });
  // Before the content of the dialog is replaced, and before it is emptied.
  document.addEventListener("htmx:beforeSwap", () => document.body.append(area));
  document.addEventListener("htmx:afterSettle", () => {
    place();
    for (const report of document.querySelectorAll("[data-reported]")) {
      if (!seen.has(report)) keep(report.textContent);
      seen.add(report);
    }
  });
  dialog?.addEventListener("dialog-shown", place);
  dialog?.addEventListener("dialog-emptied", showAfterDialog);
  new MutationObserver(update).observe(area, { childList: true });
  update();
  showRecent(read());
}
