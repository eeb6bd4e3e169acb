// A shown secret: saves it to a file or prints it, and removes it from the page when the user leaves, so that Back
// can't show it again.

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-save-env]");
  if (!button) return;
  const secret = document.querySelector("[data-secret]").textContent;
  const lines = [
    `RUNAI_BASE_URL=${button.dataset.envUrl}`,
    `CLIENT_ID=${button.dataset.envClient}`,
    `CLIENT_SECRET=${secret}`,
    "",
  ];
  saveFile(button.dataset.saveEnv, lines.join("\n"));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-save-secret]");
  if (button) saveFile(button.dataset.saveSecret, document.querySelector("[data-secret]").textContent);
  if (event.target.closest("[data-print]")) window.print();
});

function saveFile(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

window.addEventListener("pagehide", () => {
  for (const element of document.querySelectorAll("[data-secret]")) element.textContent = "";
});
