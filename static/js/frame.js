// The page frame: switches the theme, and tells the server the theme and the browser's time zone in cookies.

const YEAR = 365 * 24 * 3600;

function setCookie(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
}

// The server shows times in this zone, unless the user chose another one.
setCookie("browser-zone", Intl.DateTimeFormat().resolvedOptions().timeZone);

document.querySelector("[data-theme-switch]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const chosen = event.submitter.value;
  setCookie("theme", chosen);
  document.documentElement.dataset.theme = chosen;
  for (const button of event.target.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
});
