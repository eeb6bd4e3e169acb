// Dismisses messages, and says so when the server can't be reached.

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
