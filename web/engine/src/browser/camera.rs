//! Opening a camera.

use futures_channel::oneshot;
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::error::describe;
use super::media::{CameraChoice, CameraDevice, Facing, devices};
use super::tracks::video_tracks;
use crate::faults::SourceFault;

/// Enough for the picture on the screen; the analysis needs less.
const IDEAL_WIDTH: u32 = 1_280;
const IDEAL_HEIGHT: u32 = 720;
/// More frames per second are not needed to follow expressions.
const IDEAL_FPS: u32 = 30;

/// An open camera. Dropping it releases the camera, and its light goes off.
#[derive(Debug)]
pub(crate) struct Camera {
    pub(crate) stream: web_sys::MediaStream,
}

/// What the browser tells about an open camera.
#[derive(Debug)]
pub(crate) struct OpenCamera {
    pub(crate) device_id: Option<String>,
    pub(crate) facing: Option<Facing>,
}

impl Drop for Camera {
    fn drop(&mut self) {
        for track in self.stream.get_tracks().iter() {
            if let Ok(track) = track.dyn_into::<web_sys::MediaStreamTrack>() {
                track.stop();
            }
        }
    }
}

impl Camera {
    /// The browser may prompt the person, who may take any amount of time.
    pub(crate) async fn open(choice: &CameraChoice) -> Result<Self, SourceFault> {
        let window = web_sys::window().ok_or(SourceFault::Insecure)?;
        if !window.is_secure_context() {
            return Err(SourceFault::Insecure);
        }
        let media = window.navigator().media_devices().map_err(|_| SourceFault::Insecure)?;
        let thrown = match ask(&media, choice).await {
            Ok(camera) => return Ok(camera),
            Err(thrown) => thrown,
        };
        let device_id = match (fault(&thrown), &choice.device_id) {
            // The requested device is not there; another may be.
            (SourceFault::Absent, Some(_)) => None,
            // If left to choose, the browser might pick the very one that another program uses.
            (SourceFault::Busy, Some(taken)) => another(devices().await, taken),
            (fault, _) => return Err(fault),
        };
        ask(&media, &CameraChoice { device_id, ..*choice }).await.map_err(|thrown| fault(&thrown))
    }

    /// The open device, and which way it faces if the browser knows.
    pub(crate) fn device(&self) -> OpenCamera {
        let settings = video_tracks(&self.stream).first().map(web_sys::MediaStreamTrack::get_settings);
        let read = |key: &str| {
            let value = Reflect::get(settings.as_ref()?, &key.into()).ok()?.as_string();
            value.filter(|text| !text.is_empty())
        };
        let facing = match read("facingMode").as_deref() {
            Some("user") => Some(Facing::User),
            Some("environment") => Some(Facing::Environment),
            _ => None,
        };
        OpenCamera { device_id: read("deviceId"), facing }
    }
}

/// Asks in a task of its own: the caller may be dropped while the browser asks the person, and nothing else would then
/// switch off a camera that is allowed later.
async fn ask(media: &web_sys::MediaDevices, choice: &CameraChoice) -> Result<Camera, JsValue> {
    let wanted = web_sys::MediaStreamConstraints::new();
    wanted.set_video(&constraints(choice)?);
    let asked = JsFuture::from(media.get_user_media_with_constraints(&wanted)?);
    let (tell, told) = oneshot::channel();
    spawn_local(async move {
        let camera = asked.await.and_then(JsCast::dyn_into).map(|stream| Camera { stream });
        // If the receiver is gone, the camera is dropped here.
        drop(tell.send(camera));
    });
    told.await.unwrap_or_else(|_| Err("the camera was not waited for".into()))
}

/// A camera other than the busy one.
fn another(devices: Vec<CameraDevice>, taken: &str) -> Option<String> {
    devices.into_iter().map(|device| device.id).find(|id| !id.is_empty() && id != taken)
}

fn constraints(choice: &CameraChoice) -> Result<JsValue, JsValue> {
    let video = Object::new();
    let ideal = |value: JsValue| -> Result<JsValue, JsValue> {
        let range = Object::new();
        Reflect::set(&range, &"ideal".into(), &value)?;
        Ok(range.into())
    };
    Reflect::set(&video, &"width".into(), &ideal(IDEAL_WIDTH.into())?)?;
    Reflect::set(&video, &"height".into(), &ideal(IDEAL_HEIGHT.into())?)?;
    Reflect::set(&video, &"frameRate".into(), &ideal(IDEAL_FPS.into())?)?;
    if let Some(id) = &choice.device_id {
        let exact = Object::new();
        Reflect::set(&exact, &"exact".into(), &id.as_str().into())?;
        Reflect::set(&video, &"deviceId".into(), &exact)?;
    } else {
        let facing = match choice.facing {
            Facing::User => "user",
            Facing::Environment => "environment",
        };
        Reflect::set(&video, &"facingMode".into(), &facing.into())?;
    }
    Ok(video.into())
}

fn fault(thrown: &JsValue) -> SourceFault {
    fault_named(&name(thrown), describe(thrown))
}

fn name(thrown: &JsValue) -> String {
    thrown.dyn_ref::<web_sys::DomException>().map(web_sys::DomException::name).unwrap_or_default()
}

/// The names that `getUserMedia` rejects with.
fn fault_named(name: &str, detail: String) -> SourceFault {
    match name {
        "NotAllowedError" | "SecurityError" => SourceFault::Denied,
        "NotFoundError" | "OverconstrainedError" => SourceFault::Absent,
        "NotReadableError" | "AbortError" => SourceFault::Busy,
        _ => SourceFault::Other { detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_fault() {
        for (name, expected) in [
            ("NotAllowedError", SourceFault::Denied),
            ("NotFoundError", SourceFault::Absent),
            ("OverconstrainedError", SourceFault::Absent),
            ("NotReadableError", SourceFault::Busy),
            ("TypeError", SourceFault::Other { detail: "x".to_owned() }),
        ] {
            assert_eq!(fault_named(name, "x".to_owned()), expected);
        }
    }

    #[test]
    fn beside_a_busy_camera_another_is_tried() {
        let devices = |ids: &[&str]| -> Vec<CameraDevice> {
            ids.iter().map(|&id| CameraDevice { id: id.to_owned(), label: String::new() }).collect()
        };
        assert_eq!(another(devices(&["a", "b", "c"]), "a"), Some("b".to_owned()));
        assert_eq!(another(devices(&["a"]), "a"), None);
        // A page that was never allowed a camera sees no ids.
        assert_eq!(another(devices(&["", ""]), "a"), None);
    }
}
