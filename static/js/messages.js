// Messages: each disappears after some seconds, unless it is an error or the user points at it or focuses it.
// They are shown above an open dialog, and the menu "Recent messages" keeps them for this tab.

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
  setTimeout(() => {
    if (message.matches(":hover, :focus-within")) hideLater(message, AGAIN_AFTER);
    else message.remove();
  }, time);
}

// A modal dialog makes the rest of the page inert, so the messages move into it while it is open.
function place() {
  const home = dialog?.open && area.childElementCount ? dialog : document.body;
  if (area.parentElement !== home) home.append(area);
}

function update() {
  for (const message of area.querySelectorAll("[data-message]")) {
    if (seen.has(message)) continue;
    seen.add(message);
    keep(message.querySelector("[data-message-text]").textContent);
    if (!message.matches(".message-error")) hideLater(message, SHOWN_FOR);
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
  dialog?.addEventListener("dialog-emptied", () => document.body.append(area));
  new MutationObserver(update).observe(area, { childList: true });
  update();
  showRecent(read());
}
