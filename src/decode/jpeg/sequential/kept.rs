//! MCUs whose place in the image is not known yet, in a compact form.

use crate::decode::jpeg::huffman::MOST_OF_A_DIFFERENCE;
use crate::decode::jpeg::pairs::{Block, LAST};
use crate::decode::jpeg::scan::{Scan, Target, TargetBlock};
use crate::decode::rows::reserve;
use crate::error::Result;

/// Words by which memory is taken into use.
const STEP: usize = 1 << 14;
/// Words of a block at the most: two for each look-up of codes, one more where a code is long, and DC.
const MOST_OF_A_BLOCK: usize = 256;
/// The place of what is set beyond the last coefficient.
const NOWHERE: usize = LAST + 1;
/// The last bit at which an MCU may begin.
const LAST_BIT: usize = u32::MAX as usize;
/// Marks the last word of a block, which has its DC, and the place of its last coefficient (from bit 24).
const END: u32 = 1 << 31;

/// Where an MCU begins: its bits from the first byte on, and its words.
#[derive(Clone, Copy)]
struct Start {
    bit: u32,
    word: u32,
}

/// MCUs in the order of the scan. A word is a coefficient, its place in coded order from bit 16 on, or the end of a block.
pub(super) struct Kept {
    words: Vec<u32>,
    len: usize,
    starts: Vec<Start>,
    /// Words, and MCUs, at the most.
    most: (usize, usize),
}

/// The words and MCUs that as many bytes of a scan have, unless their codes are very short.
fn most(bytes: usize) -> (usize, usize) {
    (bytes / 2 * 3, bytes / 8)
}

impl Kept {
    /// Bytes that one for `bytes` bytes of a scan takes at the most.
    pub fn memory(bytes: usize) -> usize {
        let (words, mcus) = most(bytes);
        words * size_of::<u32>() + mcus * size_of::<Start>()
    }

    /// Of no MCUs. Memory is asked for here, and touched as it is needed.
    pub fn new(bytes: usize) -> Result<Self> {
        let most = most(bytes);
        Ok(Self { words: reserve("JPEG", most.0)?, len: 0, starts: reserve("JPEG", most.1)?, most })
    }

    /// Drops all MCUs.
    pub fn clear(&mut self) {
        self.len = 0;
        self.starts.clear();
    }

    /// The same without MCUs.
    pub fn cleared(mut self) -> Self {
        self.clear();
        self
    }

    /// Whether there is room for an MCU of that many blocks that begins in the byte after the bit number `bit` or before.
    pub fn has_room(&self, bit: usize, blocks: usize) -> bool {
        bit <= LAST_BIT - 8
            && self.len + blocks * MOST_OF_A_BLOCK <= self.most.0
            && self.starts.len() < self.most.1
    }

    /// Begins an MCU of that many blocks, for which there is room, at the bit number `bit`.
    pub fn begin(&mut self, bit: usize, blocks: usize) {
        let needed = self.len + blocks * MOST_OF_A_BLOCK;
        if needed > self.words.len() {
            self.words.resize(needed.next_multiple_of(STEP).min(self.most.0), 0);
        }
        self.starts.push(Start { bit: bit as u32, word: self.len as u32 });
    }

    /// Drops the MCU that was begun last.
    pub fn drop_last(&mut self) {
        if let Some(start) = self.starts.pop() {
            self.len = start.word as usize;
        }
    }

    /// The MCU that begins at the bit number `bit`, by its first word, and the number of MCUs from there on.
    pub fn find(&self, bit: usize) -> Option<(usize, usize)> {
        let found = self.starts.binary_search_by(|start| (start.bit as usize).cmp(&bit)).ok()?;
        Some((self.starts[found].word as usize, self.starts.len() - found))
    }

    /// Hands out the MCU whose first word is `at`, for the scan that it is the next one of, and returns the first word of
    /// the one after it; `None` where there are no more.
    #[inline(always)]
    pub fn hand_out(&self, mut at: usize, scan: &mut Scan<'_>, target: &mut impl Target) -> Option<usize> {
        if at >= self.len {
            return None;
        }
        let words = &self.words[..self.len];
        scan.kept_mcu(target, |block| {
            loop {
                let word = words[at];
                at += 1;
                if word & END > 0 {
                    return (word as i16, (word >> 24 & 63) as u8);
                }
                block.set((word >> 16 & 127) as usize, word as i16);
            }
        });
        Some(at)
    }
}

impl Target for Kept {
    type Block<'b> = KeptBlock<'b>;

    #[inline(always)]
    fn block(&mut self, _number: usize) -> KeptBlock<'_> {
        let words = self.words[self.len..].first_chunk_mut().expect("room for the MCU");
        KeptBlock { words, count: 0, len: &mut self.len }
    }
}

pub(super) struct KeptBlock<'a> {
    words: &'a mut [u32; MOST_OF_A_BLOCK],
    count: u8,
    len: &'a mut usize,
}

impl KeptBlock<'_> {
    #[inline(always)]
    fn push(&mut self, word: u32) {
        self.words[usize::from(self.count)] = word;
        self.count = self.count.wrapping_add(1);
    }
}

impl Block for KeptBlock<'_> {
    #[inline(always)]
    fn set(&mut self, at: usize, value: i16) {
        self.push((at.min(NOWHERE) as u32) << 16 | u32::from(value as u16));
    }
}

impl TargetBlock for KeptBlock<'_> {
    #[inline(always)]
    fn end(mut self, dc: i16, last: u8) {
        // DC is the sum of the differences of an MCU, which has 16 blocks of a component at the most.
        const { assert!(16 * ((1 << MOST_OF_A_DIFFERENCE) - 1) <= i16::MAX as i32) };
        self.push(END | u32::from(last) << 24 | u32::from(dc as u16));
        *self.len += usize::from(self.count);
    }
}
