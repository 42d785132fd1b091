//! Starts the page.

fn main() {
    #[cfg(target_arch = "wasm32")]
    mien_app::mount();
}
