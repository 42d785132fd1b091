//! What can go wrong in the store, told apart by what the caller can do about it.

/// A failed call to the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The session cannot go from its state to that one.
    #[error("a completed session cannot become active again")]
    Conflict,
    /// The session has ended, or there is none: nothing more is taken for it.
    #[error("the session is completed or erased")]
    Ended,
    /// One more source than a session may have.
    #[error("the session has as many sources as it may have")]
    TooManySources,
    /// A row that this build cannot read.
    #[error("a stored sample cannot be read: {0}")]
    Corrupt(#[from] super::codec::CodecFault),
    /// The database cannot serve as it stands: the text says why and what helps.
    #[error("{0}")]
    Unusable(String),
    /// The disk has no room.
    #[error("the disk that holds the database is full")]
    Full(#[source] sqlx::Error),
    /// The database did not answer or refused; worth trying again.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Name in the metric `store_errors_total{kind}`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Conflict | Self::Ended | Self::TooManySources => "refused",
            Self::Corrupt(_) => "corrupt",
            Self::Unusable(_) => "unusable",
            Self::Full(_) => "full",
            Self::Database(_) => "database",
        }
    }

    /// Every name that [`StoreError::kind`] can give, so that metrics start at zero.
    pub const KINDS: [&'static str; 4] = ["corrupt", "unusable", "full", "database"];
}

/// `SQLITE_FULL`.
const SQLITE_FULL: &str = "13";

impl From<sqlx::Error> for StoreError {
    fn from(cause: sqlx::Error) -> Self {
        let full =
            matches!(&cause, sqlx::Error::Database(inner) if inner.code().as_deref() == Some(SQLITE_FULL));
        if full { Self::Full(cause) } else { Self::Database(cause) }
    }
}
