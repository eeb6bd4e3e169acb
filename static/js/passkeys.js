// Passkeys: a form with data-passkey creates or uses one when it is submitted, and sends the result.

const FAILED = "The passkey was not used. Try again.";
const EXPIRED = "This page has expired. Reload it.";

class Refusal extends Error {}

function isSupported() {
  return Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON && navigator.credentials);
}

async function requestOptions(form) {
  const response = await fetch(form.dataset.options, {
    method: "POST",
    body: new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value }),
    redirect: "error", // the session has ended
  });
  const answer = await response.json();
  if (answer.error) throw new Refusal(answer.error);
  if (!response.ok) throw new Refusal(EXPIRED);
  return answer.publicKey;
}

async function optionsFor(form) {
  try {
    return await requestOptions(form);
  } catch (error) {
    // A redirect, or an error page instead of JSON.
    throw error instanceof TypeError || error instanceof SyntaxError ? new Refusal(EXPIRED) : error;
  }
}

async function credentialFor(form) {
  const options = await optionsFor(form);
  if (form.dataset.passkey === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

function showError(form, text) {
  const error = form.querySelector("[data-passkey-error]");
  error.textContent = text;
  error.hidden = !text;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-passkey]")) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  showError(form, "");
  try {
    form.elements.response.value = JSON.stringify(await credentialFor(form));
    form.submit();
  } catch (error) {
    // Canceled, timed out, or the device already has a passkey of this account.
    showError(form, error instanceof Refusal ? error.message : FAILED);
    button.disabled = false;
  }
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-passkey] button")) button.disabled = false;
});

for (const note of document.querySelectorAll("[data-passkey-unsupported]")) note.hidden = isSupported();
for (const form of document.querySelectorAll("[data-passkey]")) {
  if (!isSupported()) form.querySelector("button").hidden = true;
}
