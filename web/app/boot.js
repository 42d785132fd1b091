// Starts the page: loads the app's module and runs it.
//
// It is a file and not inline in index.html, because the page's Content-Security-Policy allows no inline script. The
// addresses are in the data attributes of this script element; the engine reads the others there. What can keep the
// app from reporting its own faults (no SIMD, no network) is reported here.

const boot = document.querySelector("script[data-app-js]");

// A function whose body is one vector instruction: i8x16.popcnt(i8x16.splat(0)).
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

class Unable extends Error {}

async function start() {
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(SIMD_PROBE)) {
    throw new Unable(
      "This browser cannot run the analysis: it lacks WebAssembly SIMD. Open this address in Chrome or Edge 91, Firefox 89, Safari 16.4, or later.",
    );
  }
  const app = await import(address(boot.dataset.appJs));
  await app.default({ module_or_path: address(boot.dataset.appWasm) });
}

// Addresses are relative to the page's <base>; an import would take them for module names.
function address(relative) {
  return new URL(relative, document.baseURI).href;
}

// What is wrong with the app's files, since a browser tells scripts too little; empty where they are there.
async function whatIsMissing() {
  for (const url of [boot.dataset.appJs, boot.dataset.appWasm].map(address)) {
    try {
      const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(5000) });
      const isPage = (answer.headers.get("content-type") ?? "").startsWith("text/html");
      if (!answer.ok || isPage) {
        const found = answer.ok
          ? `There is a web page in place of ${url}.`
          : `There is nothing at ${url} (HTTP ${answer.status}).`;
        return `${found} For the relay’s operator: a proxy must forward every path of the relay, and where the relay is served under a path, MIEN_BASE_PATH must name it.`;
      }
    } catch {
      return "";
    }
  }
  return "";
}

function show(kind, text) {
  const sheet = document.createElement("div");
  sheet.className = "sheet";
  const card = document.createElement("div");
  card.className = "card";
  card.setAttribute("role", "alert");
  card.dataset.testid = "fault";
  card.dataset.fault = kind;
  const title = document.createElement("h1");
  title.textContent = "Mien could not start";
  const words = document.createElement("p");
  words.textContent = text;
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "Try again";
  again.addEventListener("click", () => location.reload());
  card.append(title, words, again);
  sheet.append(card);
  document.getElementById("boot")?.remove();
  document.body.append(sheet);
}

try {
  await start();
} catch (cause) {
  console.error(cause);
  if (cause instanceof Unable) {
    show("simd", cause.message);
  } else {
    const missing = await whatIsMissing();
    show(
      "boot",
      `A part of the page could not be loaded. Nothing was lost. ${missing || "Check the connection, then try again."}`,
    );
  }
}
