//! Where the package's files are.

use mien_engine::{Assets, LandmarkUrls, ModelUrls};
use wasm_bindgen::prelude::*;

use crate::options::text;

// Not a snippet, which wasm-bindgen would put into a folder of its own: its addresses are relative to the package.
#[wasm_bindgen(raw_module = "./place.js")]
extern "C" {
    /// Throws if the module does not know its own address.
    #[wasm_bindgen(js_name = packageFiles, catch)]
    fn package_files() -> Result<JsValue, JsValue>;
}

/// The files, wherever the package or its bundler says they are; `None` if it cannot say.
pub(crate) fn assets() -> Option<Assets> {
    let files = package_files().ok()?;
    let at = |name| text(&files, name);
    let worker = at("worker")?;
    Some(Assets {
        worker_boot: worker.clone(),
        worker_js: worker,
        worker_wasm: at("workerCode")?,
        models: ModelUrls { near: at("near")?, far: at("far")?, expression: at("expression")? },
        landmarks: at("landmarks")
            .zip(at("blendshapes"))
            .map(|(landmarks, blendshapes)| LandmarkUrls { landmarks, blendshapes }),
        demo: None,
    })
}
