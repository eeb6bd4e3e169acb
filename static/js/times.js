// Converts the server's UTC times to the browser's time zone. A column header names today's zone; a time
// names its own zone if that differs (daylight saving).

// en-US, because en-GB abbreviates September with four letters and the server with three.
const format = new Intl.DateTimeFormat("en-US", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
// en-GB first: it knows CET where en-US says GMT+1.
const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

function partsOf(time) {
  const parts = [...format.formatToParts(time), ...zone.formatToParts(time).filter(isZone)];
  return Object.fromEntries(parts.map(({ type, value }) => [type, value]));
}

function isZone(part) {
  return part.type === "timeZoneName";
}

const here = partsOf(new Date()).timeZoneName;

function rewrite(element) {
  const { day, month, year, hour, minute, second, timeZoneName } = partsOf(
    new Date(element.dateTime),
  );
  const zoneLabel = element.querySelector(".zone");
  if (zoneLabel) {
    zoneLabel.textContent = timeZoneName;
    element.toggleAttribute("data-other-zone", timeZoneName !== here);
    const clock = element.dataset.time === "seconds" ? `${hour}:${minute}:${second}` : `${hour}:${minute}`;
    element.firstChild.textContent = `${day} ${month} ${year}, ${clock} `;
  } else {
    element.title = `${day} ${month} ${year}, ${hour}:${minute}:${second} ${timeZoneName}`;
  }
  element.removeAttribute("data-time");
}

function rewriteAll() {
  for (const header of document.querySelectorAll("[data-zone]")) header.dataset.zone = here;
  document.querySelectorAll("time[data-time]").forEach(rewrite);
}

rewriteAll();
document.addEventListener("htmx:afterSwap", rewriteAll);
