// @ts-check
// Swagger UI for /openapi.json. If api.keys is set, the description requires a key: the page prompts for it
// and keeps it only while it is open.

const place = document.querySelector("#docs");

/** Show the description, or prompt for the key that it requires. */
async function open(key) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const response = await fetch("/openapi.json", { headers });
  if (response.status === 401) {
    promptForKey(key ? "This key was not accepted." : "");
  } else if (response.ok) {
    show(await response.json(), key);
  } else {
    place.textContent = `/openapi.json: ${response.status} ${response.statusText}; reload the page.`;
  }
}

function promptForKey(refusal) {
  const form = document.createElement("form");
  form.innerHTML = '<label>Key <input type="password" autocomplete="off" required></label> <button>Open</button> <output></output>';
  form.querySelector("output").textContent = refusal;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    open(form.querySelector("input").value);
  });
  place.replaceChildren(form);
  form.querySelector("input").focus();
}

function show(spec, key) {
  const ui = /** @type {any} */ (window).SwaggerUIBundle({
    spec,
    domNode: place,
    deepLinking: true,
    // Otherwise Swagger UI asks a public service whether the description is valid.
    validatorUrl: null,
    onComplete: () => key && ui.preauthorizeApiKey("key", key),
  });
}

open("");
