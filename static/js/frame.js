// The page frame: dismisses messages, reports an unreachable server, and switches the theme, which it
// stores in the cookie that the server reads.

const UNREACHABLE = "The server can't be reached. Check the connection and try again.";

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest("[data-message]").remove();
});
document.addEventListener("htmx:sendError", () => {
  const message = document.createElement("p");
  message.className = "message";
  message.textContent = UNREACHABLE;
  document.getElementById("messages").replaceChildren(message);
});

const YEAR = 365 * 24 * 3600;

document.querySelector("[data-theme-switch]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const chosen = event.submitter.value;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${chosen}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
  document.documentElement.dataset.theme = chosen;
  for (const button of event.target.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
});
