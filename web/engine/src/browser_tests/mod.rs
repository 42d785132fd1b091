//! The engine in a real browser: module workers, IndexedDB, decoding of pictures.

mod crew;
mod outbox;
mod picture;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
