// Dismisses messages, and says so when the server can't be reached.

const messages = document.getElementById("messages");

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest("[data-message]").remove();
});
document.addEventListener("htmx:sendError", () => {
  const message = document.createElement("p");
  message.className = "message message-warning";
  message.dataset.message = "";
  message.textContent = "The server can't be reached. Nothing was changed that you can't see here.";
  (document.getElementById("messages") ?? messages).append(message);
});
