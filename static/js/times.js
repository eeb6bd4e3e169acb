// Rewrites the server's UTC times into the browser's zone, and says the zone.

const exact = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const toTheSecond = new Intl.DateTimeFormat("en-GB", {
  ...exact.resolvedOptions(),
  dateStyle: undefined,
  second: "2-digit",
});
const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

function zoneName(time) {
  return zone.formatToParts(time).find((part) => part.type === "timeZoneName").value;
}

function rewrite(element) {
  const time = new Date(element.dateTime);
  const zoneLabel = element.querySelector(".zone");
  if (zoneLabel) {
    zoneLabel.textContent = zoneName(time);
    element.firstChild.textContent = `${exact.format(time)} `;
  } else {
    element.title = `${toTheSecond.format(time)} ${zoneName(time)}`;
  }
  element.removeAttribute("data-time");
}

function rewriteAll() {
  document.querySelectorAll("time[data-time]").forEach(rewrite);
}

rewriteAll();
document.addEventListener("htmx:afterSwap", rewriteAll);
