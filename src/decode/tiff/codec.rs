//! The compressions of a TIFF's strips and tiles, as libtiff undoes them.

use fdeflate::Decompressor;

use super::directory::odd;
use crate::decode::lzw::{self, Progress};
use crate::decode::rows::allocate;
use crate::decode::unfilter::{self, Filter, Unfilter};
use crate::error::Result;
use crate::interrupt;
use crate::simd::Level;

/// Input and output are worked on in pieces, between which the work can be interrupted.
const PIECE: usize = 1 << 16;

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// None: rows as they are.
    None,
    /// LZW.
    Lzw,
    /// A zlib stream.
    Deflate,
    /// Runs of bytes.
    PackBits,
}

impl Compression {
    /// The compression that a file's number stands for.
    pub fn of(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::None,
            5 => Self::Lzw,
            8 | 32946 => Self::Deflate,
            32773 => Self::PackBits,
            _ => return None,
        })
    }
}

/// An upper bound for what a codec holds.
pub(super) const TABLES: usize = 64 << 10;

/// Undoes one compression for parts of an image, one after another.
pub(super) struct Codec {
    compression: Compression,
    lzw: Option<lzw::Decoder>,
}

impl Codec {
    pub fn new(compression: Compression) -> Self {
        let lzw = (compression == Compression::Lzw).then(lzw::Decoder::tiff);
        Self { compression, lzw }
    }

    /// Decodes a part of `len` bytes. One that has fewer is for libtiff to judge, and so are most that are
    /// damaged.
    pub fn decode(&mut self, packed: &[u8], len: usize, output: &mut lzw::Output) -> Result<()> {
        output.restart(len);
        match (self.compression, &mut self.lzw) {
            (Compression::Lzw, Some(decoder)) => {
                decoder.reset();
                let mut progress = Progress::NeedsInput;
                for piece in packed.chunks(PIECE) {
                    interrupt::check()?;
                    progress = decoder.run(piece, output);
                    if progress != Progress::NeedsInput {
                        break;
                    }
                }
                match progress {
                    Progress::Full => Ok(()),
                    other => Err(odd("LZW codes for all of its pixels", format_args!("{other:?}"))),
                }
            }
            (Compression::Deflate, _) => inflate(packed, len, output.with_slack_mut()),
            (Compression::PackBits, _) => unpack_bits(packed, &mut output.with_slack_mut()[..len]),
            (compression, _) => unreachable!("{compression:?} has no codec"),
        }
    }
}

/// Inflates a zlib stream of exactly `len` bytes, with a right checksum.
fn inflate(packed: &[u8], len: usize, out: &mut [u8]) -> Result<()> {
    let mut inflater = Decompressor::new();
    let (mut rest, mut done) = (packed, 0);
    while !inflater.is_done() {
        interrupt::check()?;
        // One more, to see that there are no more.
        let end = (done + PIECE).min(len + 1);
        let step = inflater.read(rest, &mut out[..end], done, true);
        let (consumed, produced) =
            step.map_err(|error| odd("data that are deflated", format_args!("others ({error:?})")))?;
        rest = &rest[consumed..];
        done += produced;
        if done > len || (consumed, produced) == (0, 0) {
            break;
        }
    }
    if done != len || !inflater.is_done() {
        return Err(odd("deflated data for all of its pixels", format_args!("{done} bytes for {len}")));
    }
    Ok(())
}

/// Undoes PackBits: a count, then that many bytes, or one byte that many times.
fn unpack_bits(packed: &[u8], mut out: &mut [u8]) -> Result<()> {
    let wrong = || odd("PackBits for all of its pixels", "others");
    let mut rest = packed;
    let mut polled = packed.len();
    while !out.is_empty() {
        if polled - rest.len() >= PIECE {
            interrupt::check()?;
            polled = rest.len();
        }
        let (&count, after) = rest.split_first().ok_or_else(wrong)?;
        let (filled, used) = match count {
            0..=127 => {
                let count = usize::from(count) + 1;
                let (out, bytes) = out.get_mut(..count).zip(after.get(..count)).ok_or_else(wrong)?;
                out.copy_from_slice(bytes);
                (count, count)
            }
            128 => (0, 0),
            129.. => {
                let count = 257 - usize::from(count);
                let &byte = after.first().ok_or_else(wrong)?;
                out.get_mut(..count).ok_or_else(wrong)?.fill(byte);
                (count, 1)
            }
        };
        out = &mut out[filled..];
        rest = &after[used..];
    }
    Ok(())
}

/// Undoes the differences between neighbouring pixels, a row at a time.
pub(super) struct Predictor {
    kernel: Box<dyn Unfilter>,
    /// The row that was undone last.
    row: Vec<u8>,
}

impl Predictor {
    /// For rows of `len` bytes whose pixels have 1 to 4.
    pub fn new(level: Level, len: usize, pixel_bytes: usize) -> Result<Self> {
        let row = allocate("TIFF", len.saturating_add(unfilter::SLACK))?;
        Ok(Self { kernel: unfilter::unfilter(level, pixel_bytes), row })
    }

    /// The bytes of the row at `index` of a part.
    pub fn row(&mut self, part: &lzw::Output, index: usize) -> &[u8] {
        const { assert!(lzw::Output::SLACK >= unfilter::SLACK) }
        let len = self.row.len() - unfilter::SLACK;
        let differences = &part.with_slack()[index * len..][..self.row.len()];
        // The filter asks for nothing above.
        self.kernel.line(Filter::Sub, differences, differences, &mut self.row);
        &self.row[..len]
    }
}
