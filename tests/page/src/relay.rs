//! A relay process for tests that are plain threads.

use std::net::SocketAddr;
use std::process::ExitStatus;

use mien_kit::blocking::block_on;
pub use mien_kit::ports::free_address;
use mien_kit::relay::{Limits, Setup};
use rustix::process::Signal;

use crate::api::Api;

/// Open to this machine, with the default limits. Runs until dropped; its port and its database outlive the process.
#[derive(Debug)]
pub struct Relay(mien_kit::relay::Relay);

impl Relay {
    /// With an empty database, ready.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with additional settings from the environment.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let setup = Setup { limits: Limits::AsShipped, ..Setup::default() };
        let settings = [&[("MIEN_AUTH", "open")], settings].concat();
        Self(block_on(mien_kit::relay::Relay::start_as(setup, &settings)))
    }

    /// Restarts it in place, over another file beside its first, `mien.db`, or over that one again. Its secret stays
    /// the same.
    pub fn restart_over(&mut self, database: &str) {
        let url = format!("sqlite:{}", self.0.folder().join(database).display());
        self.0.set("MIEN_DATABASE_URL", &url);
        self.restart();
    }

    /// Restarts it in place.
    pub fn restart(&mut self) {
        block_on(self.0.restart());
    }

    /// SIGKILL: no flush, no close frames.
    pub fn kill(&mut self) {
        block_on(self.0.kill());
    }

    /// SIGTERM; returns how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.0.signal(Signal::TERM);
        block_on(self.0.ended())
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn api(&self) -> Api {
        Api::at(self.address())
    }

    /// Everything that it has logged so far.
    pub fn said(&self) -> String {
        self.0.said()
    }
}
