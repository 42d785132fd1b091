//! The engine in a real browser: cameras, module workers, IndexedDB, decoding of pictures.

// Clippy's exception for tests only recognises `#[test]`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod camera;
mod clock;
mod films;
mod hidden;
mod outbox;
mod picture;
mod pool;
mod runs;
mod streams;
mod tracks;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
