// Takes a shown secret out of the page when it is left, so that Back can't bring it up again.

window.addEventListener("pagehide", () => {
  for (const element of document.querySelectorAll("[data-secret]")) element.textContent = "";
});
