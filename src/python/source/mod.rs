//! Python objects as sources of images: `kinds` tells what an object is, `held` keeps it for a call, `call` runs it.

mod arrays;
mod call;
mod files;
mod held;
mod kinds;

pub(super) use call::{Call, Done, Engine, Pillows};
pub(super) use held::{Item, Source};
pub(super) use kinds::source;
