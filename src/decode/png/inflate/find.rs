//! The heads of blocks in the middle of a stream.

use super::super::chunks::Chunks;
use super::bits::Bits;
use super::codes::{Codes, could_begin};
use super::{Inflater, State};

/// A search through the data for places where a block with codes of its own seems to begin.
///
/// What is found may be none: that is known once a stream from its beginning has come to the same bit.
pub(in crate::decode::png) struct Search<'a> {
    /// The byte that is looked at.
    place: Bits<'a>,
    /// The first of its bits that is not looked at yet.
    bit: u32,
    codes: Codes,
}

impl<'a> Search<'a> {
    pub fn new(chunks: Chunks<'a>) -> Self {
        Self { place: Bits::new(chunks), bit: 0, codes: Codes::new() }
    }

    /// The byte that it goes on from.
    pub fn byte(&self) -> u64 {
        self.place.position() / 8
    }

    /// Goes on from another byte, if that is after the present one; `false` where the data end before.
    pub fn go_to(&mut self, byte: u64) -> bool {
        if byte > self.byte() {
            self.bit = 0;
            return self.place.go_to(byte);
        }
        true
    }

    /// Looks at `count` bytes, and stops at the first place that it finds: an inflater in the block that begins there, and
    /// the place in bits.
    pub fn look(&mut self, count: usize) -> Option<(u64, Inflater<'a>)> {
        for _ in 0..count {
            self.place.refill();
            while self.bit < 8 {
                let bit = self.bit;
                self.bit += 1;
                if could_begin(self.place.near.word >> bit) {
                    let mut bits = self.place.clone();
                    bits.take(bit)?;
                    let start = bits.position();
                    // That the block is not the last, and has codes of its own.
                    bits.take(3)?;
                    if self.codes.read(&mut bits).is_some() {
                        let codes = std::mem::replace(&mut self.codes, Codes::new());
                        let inflater =
                            Inflater { bits, codes, fixed: None, state: State::Codes, is_last: false };
                        return Some((start, inflater));
                    }
                }
            }
            self.bit = 0;
            self.place.take(8)?;
        }
        None
    }
}
