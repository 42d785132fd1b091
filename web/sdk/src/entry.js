// The package's entry: everything that wasm-bindgen exports, with an `init` that explains failures, where the original
// only says that a magic word was expected. For worker and models the engine does the same.
import load, { initSync as loadSync, Mien, MienRun } from "./bindings.js";

export { Mien, MienRun };

const WASM_MAGIC = [0, 97, 115, 109];

let loading;

/** Loads the module, once: from where the package lies, or from an address, an answer, bytes or a module. */
export default function init(input) {
  loading ??= begin(input).catch((cause) => {
    loading = undefined;
    throw cause;
  });
  return loading;
}

export function initSync(input) {
  const loaded = loadSync(input);
  loading ??= Promise.resolve(loaded);
  return loaded;
}

async function begin(input) {
  // wasm-bindgen first took the source itself, and takes it as a member of an object now.
  const isObject = input && Object.getPrototypeOf(input) === Object.prototype;
  const source = (await (isObject ? input.module_or_path : input)) ?? packageModule();
  const isAddress = typeof source === "string" || source instanceof URL || source instanceof Request;
  const module_or_path = isAddress || source instanceof Response ? await compiled(source) : source;
  return load({ module_or_path });
}

function fault(code, message) {
  return Object.assign(new Error(message), { code });
}

function packageModule() {
  try {
    return new URL("./mien_sdk_bg.wasm", import.meta.url);
  } catch {
    throw fault(
      "not_built",
      "This bundle does not say where the package’s files are: pass the address of mien_sdk_bg.wasm to init as module_or_path.",
    );
  }
}

async function compiled(source) {
  const refused = watchPolicy();
  try {
    const response = source instanceof Response ? source : await fetched(source, refused);
    const address = response.url || String(source.url ?? source);
    const absent = (why) => fault("not_built", `This page was not built completely: ${why}.`);
    if (!response.ok) {
      throw absent(`the analysis is not at ${address} (HTTP ${response.status})`);
    }
    const type = (response.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
    if (type === "application/wasm") {
      return await WebAssembly.compileStreaming(response).catch((cause) => explained(cause, refused));
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (!WASM_MAGIC.every((byte, place) => bytes[place] === byte)) {
      const found = type === "text/html" ? "a web page" : "something else";
      throw absent(`at ${address} is ${found} instead of the analysis`);
    }
    return await WebAssembly.compile(bytes).catch((cause) => explained(cause, refused));
  } finally {
    refused.end();
  }
}

async function fetched(source, refused) {
  try {
    return await fetch(source);
  } catch (cause) {
    const address = new URL(source.url ?? source, document.baseURI).href;
    if (await refused.about(address)) {
      throw blocked(`its connect-src must allow ${address}`);
    }
    throw fault("network", `The network failed while the analysis was loading: ${cause.message}.`);
  }
}

/** Never returns: throws why the module was not compiled. */
async function explained(cause, refused) {
  if (await refused.about("wasm-eval")) {
    throw blocked("its script-src must allow 'wasm-unsafe-eval'");
  }
  throw cause;
}

function blocked(why) {
  return fault("blocked", `The header Content-Security-Policy keeps the analysis from starting: ${why}.`);
}

/** What the page's policy refuses from here on; browsers report it shortly before or after the failure itself. */
function watchPolicy() {
  const seen = [];
  const hear = (event) => event.disposition === "enforce" && seen.push(event.blockedURI);
  document.addEventListener("securitypolicyviolation", hear);
  return {
    async about(subject) {
      for (let look = 0; look < 20 && !seen.includes(subject); look += 1) {
        await new Promise((done) => setTimeout(done, 20));
      }
      return seen.includes(subject);
    },
    end: () => document.removeEventListener("securitypolicyviolation", hear),
  };
}
