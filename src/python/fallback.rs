//! Whether and where Pillow decodes what the native decoders leave to it.

use super::errors::{Class, Fault};
use super::fork::is_ending;
use crate::Error;
use crate::interrupt;
use crate::named::named;

named! {
    /// Where Pillow decodes files that no native decoder reads.
    pub enum Fallback {
        /// In this process.
        Inline = "inline",
        /// In helper processes, one for each thread: a crash, a decompression bomb or a hang costs one row, and
        /// threads do not wait for each other.
        Process = "process",
        /// Nowhere: such files are refused.
        Never = "never",
    }
}

impl Fallback {
    /// The choice by which outputs are told apart: one for all choices that give the same rows.
    pub fn outcome(self) -> Self {
        match self {
            Self::Inline | Self::Process => Self::Inline,
            Self::Never => Self::Never,
        }
    }

    /// The module whose `decode` and `load` give pixels of Pillow's; an error for `ours` where none may.
    pub fn module(self, ours: &Error) -> Result<&'static str, Fault> {
        self.asked().ok_or_else(|| Fault::Foreign {
            class: Class::of(ours).unwrap_or(Class::Unsupported),
            text: format!("{ours}; fallback=\"never\" keeps Pillow from it: convert it, or use \"process\""),
            who: "",
            cause: None,
        })
    }

    /// The same for an image of the caller's that Pillow has yet to decode.
    pub fn module_for_images(self) -> Result<&'static str, Fault> {
        self.asked().ok_or_else(|| Fault::Foreign {
            class: Class::Unsupported,
            text: "expected an image whose pixels are in memory, since fallback=\"never\", found one that Pillow has \
                   yet to decode: pass its file, or call load() first"
                .to_owned(),
            who: "",
            cause: None,
        })
    }

    /// Runs `work`, which asks that module. What a signal's handler raises must not cut the pool of helpers off between
    /// two of its steps. At the interpreter's end only the thread that ends it enters Python.
    pub fn run<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        match self {
            Self::Process if !is_ending() => interrupt::apart(work),
            _ => work(),
        }
    }

    fn asked(self) -> Option<&'static str> {
        match self {
            Self::Inline => Some("clipprep._pillow"),
            Self::Process => Some("clipprep._helper"),
            Self::Never => None,
        }
    }
}
