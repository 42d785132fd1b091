//! A picked picture as a bitmap.

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::media::PickedFile;
use crate::faults::SourceFault;

/// A longer side costs more memory than browsers reliably provide: 8,192² pixels are 256 MiB.
pub(crate) const PICTURE_SIDE_LIMIT: u32 = 8_192;
/// Longer side at which a picture is analysed and shown, pixels. Faces of 2 % of it can still be assessed.
pub(crate) const PICTURE_SIDE: u32 = 2_048;
/// A browser decodes any picture that it can decode in less time.
const DECODE_MS: u32 = 30_000;

#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) bitmap: web_sys::ImageBitmap,
    /// Of the file, pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// An object URL that is revoked when dropped.
struct FileUrl(String);

impl Drop for FileUrl {
    fn drop(&mut self) {
        // Fails only for what is no URL.
        let _ = web_sys::Url::revoke_object_url(&self.0);
    }
}

pub(crate) async fn read(file: &PickedFile) -> Result<Picture, SourceFault> {
    let work = decode(file);
    match select(Box::pin(work), TimeoutFuture::new(DECODE_MS)).await {
        Either::Left((picture, _)) => picture,
        Either::Right(_) => Err(SourceFault::UnreadablePicture),
    }
}

async fn decode(file: &PickedFile) -> Result<Picture, SourceFault> {
    let unreadable = || SourceFault::UnreadablePicture;
    let url = FileUrl(web_sys::Url::create_object_url_with_blob(&file.0).map_err(|_| unreadable())?);
    let image = web_sys::HtmlImageElement::new().map_err(|_| unreadable())?;
    let (tell, told) = oneshot::channel();
    let tell = Rc::new(Cell::new(Some(tell)));
    let listen = |name: &'static str, good: bool| {
        let tell = tell.clone();
        EventListener::new(&image, name, move |_| {
            if let Some(tell) = tell.take() {
                // The receiver may have timed out.
                let _ = tell.send(good);
            }
        })
    };
    let _listeners = [listen("load", true), listen("error", false)];
    image.set_src(&url.0);
    if !told.await.unwrap_or(false) {
        return Err(unreadable());
    }
    // The size comes from the header: no pixels have been decoded so far.
    let (width, height) = (image.natural_width(), image.natural_height());
    if width == 0 || height == 0 {
        return Err(unreadable());
    }
    if width.max(height) > PICTURE_SIDE_LIMIT {
        return Err(SourceFault::PictureTooLarge { width, height, limit: PICTURE_SIDE_LIMIT });
    }
    let options = web_sys::ImageBitmapOptions::new();
    if width.max(height) > PICTURE_SIDE {
        let scale = f64::from(PICTURE_SIDE) / f64::from(width.max(height));
        options.set_resize_width((f64::from(width) * scale).round().max(1.0) as u32);
        options.set_resize_height((f64::from(height) * scale).round().max(1.0) as u32);
        options.set_resize_quality(web_sys::ResizeQuality::High);
    }
    let window = web_sys::window().ok_or_else(unreadable)?;
    let promise = window
        .create_image_bitmap_with_html_image_element_and_image_bitmap_options(&image, &options)
        .map_err(|_| unreadable())?;
    let bitmap = JsFuture::from(promise).await.map_err(|_| unreadable())?;
    let bitmap = bitmap.dyn_into().map_err(|_| unreadable())?;
    Ok(Picture { bitmap, width, height })
}
