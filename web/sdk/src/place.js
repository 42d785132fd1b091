// wasm-bindgen lays this file at snippets/<name>/src/place.js inside the package: three folders down.
export function moduleFolder() {
  return new URL("../../../", import.meta.url).href;
}
