//! Whether samples wait for their ack on disk or in memory.

use crate::browser::DatabaseFault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageMode {
    /// IndexedDB: a reload or a crash loses nothing.
    Disk,
    /// Memory: closing the page loses what is not acked. The newest samples are kept, the others counted as dropped.
    Memory { why: DatabaseFault },
}

impl StorageMode {
    pub const fn is_disk(self) -> bool {
        matches!(self, Self::Disk)
    }
}

/// Why samples could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StorageFault {
    /// Another visit has opened the source since.
    TakenOver,
    Database(DatabaseFault),
}

impl From<DatabaseFault> for StorageFault {
    fn from(fault: DatabaseFault) -> Self {
        Self::Database(fault)
    }
}
