//! The models: fetched with progress, and checked against the manifest's length and hash.

use futures_util::future::{try_join, try_join3};
use sha2::{Digest, Sha256};

use super::assets::{LandmarkUrls, ModelUrls};
use super::progress::LoadMeter;
use super::startup;
use crate::browser::fetch::{FetchFault, Foreign, bytes, bytes_anew};
use crate::browser::page_url;
use crate::browser::policy::PolicyWatch;
use crate::faults::{LoadFault, ModelName};

/// The content of each file.
pub(crate) struct ModelFiles {
    pub(crate) near: Vec<u8>,
    pub(crate) far: Vec<u8>,
    pub(crate) expression: Vec<u8>,
}

pub(crate) async fn fetch_models(
    urls: &ModelUrls,
    meter: &LoadMeter,
    policies: &PolicyWatch,
) -> Result<ModelFiles, LoadFault> {
    let (near, far, expression) = try_join3(
        fetch_one(ModelName::Near, &urls.near, meter, policies),
        fetch_one(ModelName::Far, &urls.far, meter, policies),
        fetch_one(ModelName::Expression, &urls.expression, meter, policies),
    )
    .await?;
    Ok(ModelFiles { near, far, expression })
}

/// The content of each file that only landmarks need.
pub(crate) struct LandmarkFiles {
    pub(crate) landmarks: Vec<u8>,
    pub(crate) blendshapes: Vec<u8>,
}

pub(crate) async fn fetch_landmarks(
    urls: &LandmarkUrls,
    meter: &LoadMeter,
    policies: &PolicyWatch,
) -> Result<LandmarkFiles, LoadFault> {
    let (landmarks, blendshapes) = try_join(
        fetch_one(ModelName::Landmarks, &urls.landmarks, meter, policies),
        fetch_one(ModelName::Blendshapes, &urls.blendshapes, meter, policies),
    )
    .await?;
    Ok(LandmarkFiles { landmarks, blendshapes })
}

async fn fetch_one(
    model: ModelName,
    url: &str,
    meter: &LoadMeter,
    policies: &PolicyWatch,
) -> Result<Vec<u8>, LoadFault> {
    let address = page_url(url);
    let content = match bytes(url, |more| meter.add(more)).await {
        Ok(content) => content,
        Err(fault) => return Err(fault_of(model, address, fault, policies).await),
    };
    if verify(model, &address, &content).is_ok() {
        return Ok(content);
    }
    let content = match bytes_anew(url).await {
        Ok(content) => content,
        Err(fault) => return Err(fault_of(model, address, fault, policies).await),
    };
    verify(model, &address, &content)?;
    Ok(content)
}

async fn fault_of(model: ModelName, address: String, fault: FetchFault, policies: &PolicyWatch) -> LoadFault {
    match fault {
        FetchFault::Status(status) => LoadFault::ModelMissing { model, address, status },
        FetchFault::Foreign(found) => startup::foreign(&format!("the {model}"), &address, found),
        FetchFault::Network(detail) | FetchFault::Unusable(detail) => {
            startup::unreached(&address, detail, policies).await
        }
    }
}

fn verify(model: ModelName, address: &str, content: &[u8]) -> Result<(), LoadFault> {
    let info = model.id().info();
    if Foreign::of(content) == Foreign::Page {
        return Err(startup::foreign(&format!("the {model}"), address, Foreign::Page));
    }
    let damaged = |why: String| Err(LoadFault::ModelDamaged { model, why });
    if content.len() as u64 != info.bytes {
        return damaged(format!("{} bytes came instead of {}", content.len(), info.bytes));
    }
    let digest = Sha256::digest(content);
    let matches = info
        .sha256
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .eq(digest.iter().copied().map(Some));
    if matches { Ok(()) } else { damaged("its checksum does not match".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://a.example/near.onnx";

    #[test]
    fn a_web_page_in_place_of_a_model_is_no_damage() {
        let page = b"<!doctype html><title>An app of one page</title>";
        let fault = verify(ModelName::Near, ADDRESS, page).unwrap_err();
        assert!(matches!(fault, LoadFault::NotBuilt { .. }), "{fault:?}");
        assert!(fault.to_string().contains(ADDRESS), "{fault}");
    }

    #[test]
    fn the_models_of_this_tree_pass_and_one_changed_bit_does_not() {
        let mut near =
            include_bytes!("../../../../models/weights/mediapipe_face_detection_short_range.onnx").to_vec();
        assert_eq!(verify(ModelName::Near, ADDRESS, &near), Ok(()));
        let middle = near.len() / 2;
        near[middle] ^= 1;
        assert!(matches!(
            verify(ModelName::Near, ADDRESS, &near),
            Err(LoadFault::ModelDamaged { model: ModelName::Near, .. })
        ));
        near.pop();
        let fault = verify(ModelName::Near, ADDRESS, &near).unwrap_err().to_string();
        assert!(fault.contains("near-face detector") && fault.contains("bytes came"), "{fault}");
    }
}
