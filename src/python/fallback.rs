//! Whether and where Pillow decodes what the native decoders leave to it.

use super::errors::{Class, Fault};
use crate::Error;
use crate::named::named;

named! {
    /// Where Pillow decodes files that no native decoder reads.
    pub enum Fallback {
        /// In this process.
        Inline = "inline",
        /// Nowhere: such files are refused.
        Never = "never",
    }
}

impl Fallback {
    /// Refuses a file that the core refused with `error`, if nobody else may read it; else gives that error back.
    pub fn admit(self, error: Error) -> Result<Error, Fault> {
        match self {
            Self::Inline => Ok(error),
            Self::Never => Err(Fault::Foreign {
                class: Class::of(&error).unwrap_or(Class::Unsupported),
                text: format!(
                    "{error}; fallback=\"never\" keeps Pillow from it: convert it, or use \"inline\""
                ),
                who: "",
                cause: None,
            }),
        }
    }

    /// Refuses an image of the caller's that Pillow would have to decode now, if it may not.
    pub fn admit_unloaded(self) -> Result<(), Fault> {
        match self {
            Self::Inline => Ok(()),
            Self::Never => Err(Fault::Foreign {
                class: Class::Unsupported,
                text: "expected an image whose pixels are in memory, since fallback=\"never\", found one that Pillow \
                       has yet to decode: pass its file, or call load() first"
                    .to_owned(),
                who: "",
                cause: None,
            }),
        }
    }
}
