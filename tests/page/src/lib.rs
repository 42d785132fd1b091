//! What the end-to-end tests are built on: a relay process, a real Chromium with a fake camera, a real WebKit, a cable
//! between them that can be pulled, and the API to read back what was stored.
//!
//! Nothing here replaces a part of the product. Tests wait for what they expect to see, with a deadline, and never for
//! time to pass. `cargo xtask test` builds the parts and names them in the environment (`MIEN_RELAY`, `MIEN_ANALYZE`);
//! without it they are taken from the target folder.

pub mod analyze;
pub mod api;
pub mod browser;
pub mod cable;
mod cdp;
pub mod clip;
pub mod embedder;
pub mod files;
pub mod page;
pub mod proxy;
pub mod relay;
pub mod source;
pub mod stage;
pub mod traffic;
pub mod translator;
pub mod wait;
pub mod webkit;
pub mod worker;
