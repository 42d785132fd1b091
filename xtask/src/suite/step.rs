//! The steps of the tests, by name.

use clap::ValueEnum;

/// In the order in which they run: what is quick to fail first, and the page before the relay's tests, as the relay
/// is compiled anew for another page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Step {
    /// Formatting.
    Format,
    /// No circles of imports between files.
    Imports,
    /// Licences, sources and versions of the crates, and what is known against them.
    Deny,
    /// Lints of everything, natively; the fuzz targets compile.
    Lint,
    /// Lints of what runs in the browser, for the browser.
    LintWasm,
    /// The page and the relay that carries it.
    Build,
    /// Tests of every crate, natively.
    Unit,
    /// The relay's suites once more, over Postgres.
    Postgres,
    /// Strangers' tools, which read the contract: schemathesis, a generated client, pandas.
    Contract,
    /// Tests in headless Chromium.
    Wasm,
    /// Relay processes that are killed, starved and attacked.
    Faults,
    /// The npm package.
    Sdk,
    /// Chromium with a fake camera, WebKit, a relay process and a database.
    E2e,
    /// The container image, built and run.
    Image,
}

impl Step {
    /// The first step for which little is compiled any more.
    pub(super) const AFTER_COMPILING: Self = Self::Postgres;

    pub(super) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether its tests are chosen by name; checks and builds have none.
    pub(super) fn has_named_tests(self) -> bool {
        matches!(self, Self::Unit | Self::Postgres | Self::Wasm | Self::Faults | Self::E2e)
    }

    /// Whether it needs neither browser nor server, nor compiles for anything but this machine.
    pub(super) fn is_quick(self) -> bool {
        matches!(self, Self::Format | Self::Imports | Self::Deny | Self::Lint | Self::Unit)
    }
}
