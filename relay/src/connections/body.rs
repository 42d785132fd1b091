//! Bodies that report their end to their connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use super::tracked::Tracked;

/// A request's body.
#[derive(Debug)]
pub(super) struct Uploaded {
    body: Incoming,
    tracked: Tracked,
}

impl Uploaded {
    pub(super) fn new(body: Incoming, tracked: Tracked) -> Self {
        Self { body, tracked }
    }
}

impl HttpBody for Uploaded {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(task);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.tracked.completed();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body. The server drops it when it has taken the last of it.
#[derive(Debug)]
pub(super) struct Answered {
    body: Body,
    tracked: Tracked,
}

impl Answered {
    pub(super) fn new(body: Body, tracked: Tracked) -> Self {
        Self { body, tracked }
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.tracked.connection.answer_complete();
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(task)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
