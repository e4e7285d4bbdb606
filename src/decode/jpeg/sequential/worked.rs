//! How long threads have worked, told by a clock that goes on while they wait for a processor.

use std::time::Duration;

/// How long a thread has worked on steps that take about the same time.
#[derive(Default)]
pub(in crate::decode::jpeg) struct Worked {
    nanoseconds: u64,
    /// What a step takes, as far as is known.
    usual: u64,
}

impl Worked {
    /// Adds a step. One that took more than twice the usual time had to wait, and counts no more than that.
    pub fn add(&mut self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let counted = if self.usual == 0 { took } else { took.min(2 * self.usual) };
        self.usual = if self.usual == 0 { counted } else { (7 * self.usual + counted) / 8 };
        self.nanoseconds = self.nanoseconds.saturating_add(counted);
    }

    /// Nanoseconds of all steps.
    pub fn nanoseconds(&self) -> u64 {
        self.nanoseconds
    }

    /// The same with one step more.
    pub fn with_next(&self) -> u64 {
        self.nanoseconds.saturating_add(self.usual)
    }
}
