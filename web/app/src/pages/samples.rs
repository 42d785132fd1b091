//! Stored samples of a source, read from the relay page by page.

use mien_engine::api::{ApiFault, Range, Relay};
use mien_shared::{Sample, SessionId};

/// Samples requested at once, the contract's maximum.
const PAGE: u32 = 1_000;

/// Hands over up to `max_pages` pages, in order. False if there are more.
pub(crate) async fn for_each_page(
    relay: &Relay,
    session: SessionId,
    range: &Range,
    max_pages: usize,
    mut on_page: impl FnMut(Vec<Sample>),
) -> Result<bool, ApiFault> {
    let mut cursor = None;
    for _ in 0..max_pages {
        let page = relay.samples(session, range, PAGE, cursor.as_deref()).await?;
        on_page(page.samples.into_iter().map(|stored| stored.sample).collect());
        cursor = page.next;
        if cursor.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}
