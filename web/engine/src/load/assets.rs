//! Where the worker and the models are.

use crate::browser;
use crate::faults::{LoadFault, ModelName};

/// Addresses of everything that the engine fetches, all of one origin: a worker cannot come from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// The small module that starts a worker.
    pub worker_boot: String,
    /// The worker's wasm-bindgen glue.
    pub worker_js: String,
    pub worker_wasm: String,
    pub models: ModelUrls,
    /// Fetched only if landmarks are asked for; `None` if the page comes without them.
    pub landmarks: Option<LandmarkUrls>,
    /// The built-in clip, if the page has one.
    pub demo: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelUrls {
    pub near: String,
    pub far: String,
    pub expression: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandmarkUrls {
    pub landmarks: String,
    pub blendshapes: String,
}

impl Assets {
    /// Reads the page's boot script: the first `script` with `data-worker-boot`, and its attributes
    /// `data-worker-js`, `data-worker-wasm`, `data-model-near`, `data-model-far`, `data-model-expression` and,
    /// optionally, `data-model-landmarks` together with `data-model-blendshapes`, and `data-demo`. Relative addresses count from the document.
    pub fn from_page() -> Result<Self, LoadFault> {
        let attributes = browser::BootScript::find()
            .ok_or_else(|| LoadFault::NotBuilt { what: "the boot script is missing".to_owned() })?;
        let read = |name: &str| {
            attributes.url(name).ok_or_else(|| LoadFault::NotBuilt {
                what: format!("data-{name} of the boot script is missing"),
            })
        };
        Ok(Self {
            worker_boot: read("worker-boot")?,
            worker_js: read("worker-js")?,
            worker_wasm: read("worker-wasm")?,
            models: ModelUrls {
                near: read("model-near")?,
                far: read("model-far")?,
                expression: read("model-expression")?,
            },
            landmarks: attributes
                .url("model-landmarks")
                .zip(attributes.url("model-blendshapes"))
                .map(|(landmarks, blendshapes)| LandmarkUrls { landmarks, blendshapes }),
            demo: attributes.url("demo"),
        })
    }

    /// What loading fetches, or may fetch later.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &str> {
        let ModelUrls { near, far, expression } = &self.models;
        let required = [&self.worker_boot, &self.worker_js, &self.worker_wasm, near, far, expression];
        let optional = self.landmarks.iter().flat_map(|urls| [&urls.landmarks, &urls.blendshapes]);
        required.into_iter().chain(optional).map(String::as_str)
    }

    /// The layout of the npm package: every file under one folder, with its plain name.
    pub fn under(base_url: &str) -> Self {
        let base = base_url.trim_end_matches('/');
        let at = |name: &str| format!("{base}/{name}");
        let model = |name: ModelName| at(name.id().info().file);
        Self {
            // In the package the glue starts itself.
            worker_boot: at("mien-worker.js"),
            worker_js: at("mien-worker.js"),
            worker_wasm: at("mien-worker_bg.wasm"),
            models: ModelUrls {
                near: model(ModelName::Near),
                far: model(ModelName::Far),
                expression: model(ModelName::Expression),
            },
            landmarks: Some(LandmarkUrls {
                landmarks: model(ModelName::Landmarks),
                blendshapes: model(ModelName::Blendshapes),
            }),
            demo: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_with_and_without_slash_is_the_same() {
        assert_eq!(Assets::under("/mien/"), Assets::under("/mien"));
        assert_eq!(Assets::under("").worker_boot, "/mien-worker.js");
    }
}
